"""姓名 A person's name: personal, stored encrypted."""


def mask_name(name: str) -> str:
    """The name for display, `韦**`: the family name and no more, not even how long the rest is."""
    return f"{name[:1]}**"
