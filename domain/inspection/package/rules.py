"""Rules of what a phone takes along."""

from __future__ import annotations

from typing import Final

from domain.shared.errors import DomainError

MOST_HELD: Final = 20
"""Numbers that one device may hold unused."""


class NumbersStillHeld(DomainError):
    """The device holds numbers that it has not used."""


def require_room_for(count: int, held: int) -> None:
    """Raises `NumbersStillHeld` where the device would hold more numbers than it can use in a day."""
    if held + count > MOST_HELD:
        raise NumbersStillHeld(f"本设备已有{held}个未用文号，请先使用。", field="count", held=held)
