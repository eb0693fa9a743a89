"""工作日: the working calendar of the State Council's holiday notices, with weekends where no notice is known yet."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar

_SATURDAY = 5


def is_working_day(day: date) -> bool:
    """Whether `day` is worked; a year without a published notice counts Monday to Friday."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < _SATURDAY


def add_working_days(day: date, count: int) -> date:
    """The day that comes `count` working days after `day` (`count` >= 0)."""
    while count > 0:
        day += timedelta(days=1)
        if is_working_day(day):
            count -= 1
    return day
