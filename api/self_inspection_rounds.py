"""What the worker does for self-inspections: sends tasks out, and reminds of quarters and of overdue hazards."""

from __future__ import annotations

from uuid import UUID

from api.register import INSTALLATION
from api.wiring import Parts
from domain.self_inspection.assigned.operations import assign_page
from domain.self_inspection.hazard.operations import remind_overdue
from domain.self_inspection.operations import remind_of_quarter

_HAZARDS_AT_ONCE = 200
_PAGES_A_ROUND = 20
"""Of 500 enterprises each: 1.4 million are told within hours, and the outbox is not flooded at once."""


async def assign_task(parts: Parts, subject: bytes) -> None:
    """下派 one task, page by page, until it is sent out or stopped."""
    task_id = UUID(bytes=subject)
    while await parts.work.run(INSTALLATION, lambda tx: assign_page(tx, task_id)):
        continue


async def remind(parts: Parts) -> None:
    """提醒 of overdue hazards, all of them; of the quarter's self-inspection, some pages at a time."""
    while await parts.work.run(INSTALLATION, lambda tx: remind_overdue(tx, _HAZARDS_AT_ONCE)) == _HAZARDS_AT_ONCE:
        continue
    for _ in range(_PAGES_A_ROUND):
        if not await parts.work.run(INSTALLATION, remind_of_quarter):
            return
