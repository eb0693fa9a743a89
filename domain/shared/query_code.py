"""查询码: with it a citizen without an account reads on what they handed in. It is kept nowhere.

It is made anew out of a value that only our key makes of the thing's id, so that it can be told again to who repeats
a write whose answer was lost; what is stored is its blind index.
"""

from __future__ import annotations

from typing import Final

from codes.crockford import read_typed, spell

_LENGTH: Final = 12
_BYTES: Final = 8


def query_code_of(keyed: bytes) -> str:
    """12 characters (60 bits) out of a keyed hash of the id."""
    return spell(int.from_bytes(keyed[:_BYTES], "big"), _LENGTH)


def read_query_code(typed: str) -> str | None:
    """The code as it was given out, however it was typed; None for what is none."""
    return read_typed(typed, _LENGTH)
