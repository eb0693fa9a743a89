"""A clock for tests: it stands still until it is told otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FixedClock:
    """Gives `now` to whoever asks, like the system's clock, and moves only by `advance` or by setting `now`."""

    def __init__(self, now: datetime) -> None:
        """Stand at `now`, an aware instant."""
        self.now = now.astimezone(UTC)

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    def advance(self, by: timedelta) -> datetime:
        """Move on by `by`; gives the new present."""
        self.now += by
        return self.now
