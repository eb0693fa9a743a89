"""Deadlines as tests look at them: the sweep at an hour of the region's clock, and whom it told."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from api.deadline_rounds import sweep_deadlines
from domain.shared.sql import borrow
from tests.support.client import Api

OURS = ("deadline", "supervision", "rectification_due", "rectification_over")


def at(text: str) -> datetime:
    """An instant of the region's own clock."""
    return datetime.fromisoformat(f"{text}:00+08:00")


async def sweep_at(api: Api, text: str) -> int:
    """The sweep at that hour; gives how many deadlines it looked at."""
    api.clock.now = at(text)
    return await sweep_deadlines(api.parts)


async def told(api: Api, subject_id: object = None) -> list[tuple[str, str, str, UUID]]:
    """Whom deadlines and supervision orders were told to: template, channel, recipient and its id; sorted."""
    async with borrow(api.parts.pool) as connection:
        found = await connection.fetch(
            "SELECT template, channel, recipient, recipient_id FROM message "
            "WHERE template ~ $1 AND ($2::uuid IS NULL OR subject_id = $2)",
            f"^({'|'.join(OURS)})",
            None if subject_id is None else UUID(str(subject_id)),
        )
    return sorted(tuple(row) for row in found)


async def deadlines(api: Api, subject_id: object = None) -> dict[str, dict[str, Any]]:
    """The deadlines of a matter, by kind."""
    async with borrow(api.parts.pool) as connection:
        found = await connection.fetch(
            "SELECT * FROM deadline WHERE $1::uuid IS NULL OR subject_id = $1",
            None if subject_id is None else UUID(str(subject_id)),
        )
    return {row["kind"]: dict(row) for row in found}


async def stages(api: Api, subject_id: object) -> list[tuple[str, bool]]:
    """The stages that came of a matter, with whether each was skipped, in the order of their gravity."""
    async with borrow(api.parts.pool) as connection:
        found = await connection.fetch(
            "SELECT s.stage, s.is_skipped FROM deadline_stage s JOIN deadline d ON d.id = s.deadline_id "
            "WHERE d.subject_id = $1 ORDER BY s.due_on, "
            "array_position(array['due_soon', 'first_warning', 'second_warning', 'order_unanswered'], s.stage)",
            UUID(str(subject_id)),
        )
    return [tuple(row) for row in found]
