"""Crockford's base 32: digits and letters without I, L, O and U, so that a code read off paper is typed right."""

import re
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Spelled out instead of re.IGNORECASE, which would let 'ſ' pass for S and 'ı' for I.
ANY_CASE: Final = "[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]"
"""One character of it in a pattern."""
_GAP = re.compile(r"[\s-]")
_AS_MEANT = str.maketrans("OIL", "011")


def spell(value: int, length: int) -> str:
    """The low `5 * length` bits of `value`, the highest first."""
    return "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(length)))


def read_typed(typed: str, length: int) -> str | None:
    """The code that somebody typed in any case, with blanks and hyphens, with O, I and L for the digits they resemble.

    None for what is no code of that length.
    """
    code = _GAP.sub("", typed)
    if not code.isascii():  # upper() would turn some foreign letters into ours
        return None
    meant = code.upper().translate(_AS_MEANT)
    return meant if len(meant) == length and set(meant) <= set(ALPHABET) else None
