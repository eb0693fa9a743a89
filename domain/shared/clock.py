"""Time as an argument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
"""Gives the present instant, aware and in UTC."""

WORKING_ZONE = ZoneInfo("Asia/Shanghai")
"""Days, years of document numbers and validity are those of the region's own calendar."""


def system_clock() -> datetime:
    """The present instant by this machine's clock."""
    return datetime.now(UTC)


def local_date(instant: datetime) -> date:
    """The calendar day in the region at `instant`."""
    return instant.astimezone(WORKING_ZONE).date()


def month_and_day(day: date) -> str:
    """A day as messages say it: `8月15日`."""
    return f"{day.month}月{day.day}日"
