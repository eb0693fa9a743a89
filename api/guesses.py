"""Guessing is slow: who keeps sending links that are none of ours is not answered for a while.

Counted in the memory of each server process, since a read writes nothing: with several processes the bound is as many
times higher. What keeps a link from being found is its length; this keeps the log and the database quiet meanwhile.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

import msgspec

from domain.visitor.rules import TooManyWrites

WRONG_AT_MOST: Final = 60
WINDOW: Final = timedelta(minutes=10)
_REMEMBERED: Final = 10_000


class _Count(msgspec.Struct):
    since: datetime
    wrong: int


class Guesses:
    """Wrong links by address, of the last addresses that sent any."""

    def __init__(self, most: int = WRONG_AT_MOST, remembered: int = _REMEMBERED) -> None:
        """Answer an address no more after `most` wrong ones in ten minutes; remember that many addresses."""
        self._most = most
        self._remembered = remembered
        self._counts: OrderedDict[bytes, _Count] = OrderedDict()

    def require_room(self, address: bytes, now: datetime) -> None:
        """Raises `TooManyWrites` until the address's ten minutes are over."""
        count = self._counts.get(address)
        if count is None:
            return
        left = count.since + WINDOW - now
        if left <= timedelta(0):
            del self._counts[address]
        elif count.wrong >= self._most:
            raise TooManyWrites(max(1, int(left.total_seconds())))

    def note_wrong(self, address: bytes, now: datetime) -> None:
        """One more that was none of ours."""
        count = self._counts.setdefault(address, _Count(now, 0))
        count.wrong += 1
        self._counts.move_to_end(address)
        if len(self._counts) > self._remembered:
            self._counts.popitem(last=False)
