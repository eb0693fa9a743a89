"""工作日: the working calendar of the State Council's holiday notices, with weekends where no notice is known yet.

A department may lay days of its own over it (a notice that the library does not know yet, a typhoon): the calendar in
force is one frozen value for the whole process, put in place by the edge and replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import chinese_calendar
import msgspec

_SATURDAY: Final = 5


class WorkingCalendar(msgspec.Struct, frozen=True):
    """Days that were laid over the notices: worked (True) or free. `edition` grows with every change."""

    edition: int = 0
    days: Mapping[date, bool] = {}

    def covers(self, year: int) -> bool:
        """Whether a notice of `year` is known: to the library, or because days of it were laid down."""
        return _is_known(year) or any(day.year == year for day in self.days)


class _InForce:
    """Holds the one calendar of this process; it is replaced, never changed."""

    calendar: WorkingCalendar = WorkingCalendar()


def use_calendar(calendar: WorkingCalendar) -> None:
    """From now on every term of this process is counted by `calendar`."""
    _InForce.calendar = calendar


def calendar_in_force() -> WorkingCalendar:
    """The calendar by which this process counts."""
    return _InForce.calendar


def is_working_day(day: date) -> bool:
    """Whether `day` is worked; a year without a published notice counts Monday to Friday."""
    laid_down = _InForce.calendar.days.get(day)
    return by_notice(day) if laid_down is None else laid_down


def by_notice(day: date) -> bool:
    """The same by the State Council's notices alone."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < _SATURDAY


def _is_known(year: int) -> bool:
    try:
        chinese_calendar.is_workday(date(year, 7, 1))
    except NotImplementedError:
        return False
    return True


def add_working_days(day: date, count: int) -> date:
    """The day that comes `count` working days after `day` (`count` >= 0)."""
    while count > 0:
        day += timedelta(days=1)
        if is_working_day(day):
            count -= 1
    return day


def working_days_before(day: date, count: int) -> date:
    """The earliest day from which `count` working days lead to `day` or beyond it (`count` >= 1).

    It is the working day on which "`day` comes within `count` working days" begins to be true.
    """
    found = day - timedelta(days=1)
    while True:
        count -= is_working_day(found)
        if count == 0:
            return found
        found -= timedelta(days=1)
