"""The working calendar of this process: read from the database when it starts, and again when it has changed."""

from __future__ import annotations

import asyncio
import logging
from datetime import date, timedelta
from typing import Final

from api.schemas.deadline import CalendarYear
from api.work import DatabaseAway, InProgress, database_refusals
from domain.deadline.calendar import read_calendar
from domain.deadline.store import DAYS_OF_YEAR, EDITION
from domain.shared.errors import InvalidField
from domain.shared.sql import Connection, Pool, borrow
from domain.shared.working_days import by_notice, calendar_in_force, use_calendar

_LOOK_EVERY = 10.0
"""Seconds after which a process that was told nothing counts by a changed calendar."""
_YEARS: Final = range(2004, 2101)
_SATURDAY: Final = 5
_logger = logging.getLogger(__name__)


async def load_calendar(connection: Connection) -> bool:
    """Count by the database's calendar from now on; False where this process did so already."""
    stored = await EDITION.one(connection)
    if stored.edition == calendar_in_force().edition:
        return False
    use_calendar(await read_calendar(connection))
    return True


async def refresh_calendar(pool: Pool) -> bool:
    """The same over a connection of its own: one row is read where nothing has changed. Raises `DatabaseAway`."""
    async with database_refusals(), borrow(pool) as connection:
        return await load_calendar(connection)


async def follow_calendar(pool: Pool) -> None:
    """Look for a change again and again, until cancelled.

    A look is one index read every ten seconds. It is the way for every kind of process, those that follow no feed
    too, and nothing rests on a signal that may be lost.
    """
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        try:
            await refresh_calendar(pool)
        except (DatabaseAway, InProgress):  # a table that is being changed is locked for a while
            _logger.warning("the database is away; the working calendar stays as it was")


async def year_of(connection: Connection, year: int) -> CalendarYear:
    """工作日历 of one year as the database has it, whatever this process counts by. Raises `InvalidField`."""
    if year not in _YEARS:
        raise InvalidField("年份应在2004至2100之间。", field="year")
    stored = await read_calendar(connection)
    first_on, last_on = date(year, 1, 1), date(year, 12, 31)
    laid_down = await DAYS_OF_YEAR.all(connection, first_on=first_on, last_on=last_on)
    days = [first_on + timedelta(days=n) for n in range((last_on - first_on).days + 1)]
    worked = {day: stored.days.get(day, by_notice(day)) for day in days}
    return CalendarYear(
        year=year,
        edition=stored.edition,
        is_announced=stored.covers(year),
        working_days=sum(worked.values()),
        holidays=[day for day in days if not worked[day] and day.weekday() < _SATURDAY],
        make_up_days=[day for day in days if worked[day] and day.weekday() >= _SATURDAY],
        laid_down=laid_down,
    )
