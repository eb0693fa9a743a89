"""日历调整: days laid over the notices, and the calendar that every process counts by."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from domain.deadline import rules, store
from domain.deadline.events import CalendarChanged, CalendarFacts
from domain.deadline.model import CalendarChange, CalendarDay
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction
from domain.shared.working_days import WorkingCalendar

_CALENDAR = UUID(int=0)
"""There is one calendar: this is its id in the trace."""


async def lay_days(tx: Transaction, days: Sequence[CalendarDay]) -> Outcome[CalendarChange]:
    """日历调整: these days are worked, or free, from now on; the same once more changes nothing.

    Terms that were told to somebody stay as they are; warnings that wait move with the calendar. Raises `InvalidField`.
    """
    wanted = rules.require_days(days)
    await store.LOCK_CALENDAR.run(tx.connection)
    known = {day.on: day for day in await store.ALL_DAYS.all(tx.connection)}
    edition = (await store.EDITION.one(tx.connection)).edition
    changed = [day for day in wanted if known.get(day.on) != day]
    if not changed:
        return Outcome(answer=CalendarChange(edition=edition, changed=0))
    edition += 1
    await store.LAY_DAY.run_many(
        tx.connection, [{**msgspec.structs.asdict(day), "edition": edition, "set_at": tx.now} for day in changed]
    )
    event = CalendarChanged(subject_id=_CALENDAR, after=CalendarFacts(edition=edition, days=changed))
    return Outcome(answer=CalendarChange(edition=edition, changed=len(changed)), events=(event,))


async def read_calendar(connection: Connection) -> WorkingCalendar:
    """The calendar as the database has it. Read the days last: a change in between only makes them newer."""
    edition = await store.EDITION.one(connection)
    days = await store.ALL_DAYS.all(connection)
    return WorkingCalendar(edition=edition.edition, days={day.on: day.is_working for day in days})
