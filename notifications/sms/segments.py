"""How a text is counted: GSM 7-bit where every character is of its alphabet, UCS-2 otherwise, in paid segments.

GSM 03.38 (3GPP TS 23.038) holds 160 septets in one message and 153 in each part of a longer one; a character of the
extension table takes two, which are not parted. UCS-2 holds 70 units of 16 bits and 67 in each part; a character
beyond the basic plane takes two (a surrogate pair), which are not parted either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import msgspec

_ALPHABET: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
_BASIC_PLANE: Final = 0xFFFF

GSM7_SINGLE: Final = 160
GSM7_PART: Final = 153
UCS2_SINGLE: Final = 70
UCS2_PART: Final = 67


class Measured(msgspec.Struct, frozen=True):
    """What a text costs: `units` are septets of `gsm7` or 16-bit units of `ucs2`; `segments` are paid for."""

    encoding: Literal["gsm7", "ucs2"]
    units: int
    segments: int


def measure(text: str) -> Measured:
    """Encoding, units and segments of `text` as an SMS; an empty one is one segment, too."""
    if all(character in _ALPHABET or character in _EXTENSION for character in text):
        return _measured(text, "gsm7", _septets, GSM7_SINGLE, GSM7_PART)
    return _measured(text, "ucs2", _code_units, UCS2_SINGLE, UCS2_PART)


def _measured(
    text: str, encoding: Literal["gsm7", "ucs2"], width: Callable[[str], int], single: int, part: int
) -> Measured:
    units = sum(width(character) for character in text)
    if units <= single:
        return Measured(encoding, units, 1)
    segments, left = 1, part
    for character in text:
        needed = width(character)
        if needed > left:  # a pair that does not fit begins the next part, and leaves a unit of this one empty
            segments, left = segments + 1, part
        left -= needed
    return Measured(encoding, units, segments)


def _septets(character: str) -> int:
    return 2 if character in _EXTENSION else 1


def _code_units(character: str) -> int:
    return 2 if ord(character) > _BASIC_PLANE else 1
