"""What a message said can be shown as it was said: a version that went out with the program is never changed."""

from __future__ import annotations

import hashlib
import json
import tomllib
from importlib.resources import files
from pathlib import Path

from notifications.templates import names

_SHIPPED = Path(__file__).with_name("shipped_templates.json")


def test_the_words_of_a_version_stay_as_they_were_shipped() -> None:
    shipped = json.loads(_SHIPPED.read_text(encoding="utf-8"))
    assert digests() == shipped, (
        f"Words that were sent stay: write another [[version]] below the old one. Of a version that is new, or never "
        f"left this house, put the digest above into {_SHIPPED.name}."
    )


def digests() -> dict[str, str]:
    """Of every version, by the template's name and the version's number; comments and layout of the file are free."""
    found: dict[str, str] = {}
    for name in names():
        text = (files("notifications.templates") / f"{name}.toml").read_text(encoding="utf-8")
        for number, version in enumerate(tomllib.loads(text)["version"], start=1):
            words = json.dumps(version, ensure_ascii=False, sort_keys=True).encode()
            found[f"{name} {number}"] = hashlib.sha256(words).hexdigest()
    return found
