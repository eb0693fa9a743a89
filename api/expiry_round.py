"""到期提醒, once an hour: what of the register and of uploaded materials runs out soon, or has run out."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from uuid import UUID

from api.register import INSTALLATION
from api.wiring import Parts
from domain.material import operations
from domain.material.model import ExpirySubject
from domain.material.rules import step_days
from domain.shared.clock import local_date

_LAST_ID = UUID(int=2**128 - 1)


async def remind_of_expiry(parts: Parts) -> int:
    """Tell every owner once of each step that is due; gives how many were told. Stopped anywhere, it goes on."""
    told = 0
    for step, first_on, last_on in step_days(local_date(parts.clock())):
        for kind in ExpirySubject:
            told += await _remind(parts, kind, step, first_on, last_on)
    await parts.work.run(INSTALLATION, operations.forget_reminders)
    return told


async def _remind(parts: Parts, kind: ExpirySubject, step: int, first_on: date, last_on: date) -> int:
    told = 0
    after: tuple[date, UUID] | None = (first_on - timedelta(days=1), _LAST_ID)
    while after is not None:
        page = await parts.work.run(
            INSTALLATION, partial(operations.remind, kind=kind, step=step, last_on=last_on, after=after)
        )
        told, after = told + page.written, page.after
    return told
