"""Jobs that a crash took out of the queue while what they were for still waits.

The queue forgets a job when its database dies at the wrong moment; messages and chores do not. What waits for a while
without a job gets one again; a job in hand, or waiting for its turn, still has its row.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries

from api.relay import DELIVER, PERFORM
from api.work import database_refusals
from domain.shared.clock import Clock
from domain.shared.sql import Pool, Query, borrow
from notifications.message import Purpose
from notifications.outbox import CHORE_PRIORITY, DueMessage

LOST_AFTER: Final = timedelta(seconds=20)
_AT_ONCE: Final = 500


class _Waiting(msgspec.Struct, frozen=True):
    id: UUID
    purpose: Purpose | None = None

    @property
    def priority(self) -> int:
        if self.purpose is None:
            return CHORE_PRIORITY
        return DueMessage(id=self.id, purpose=self.purpose).priority


def _without_job(table: str, entrypoint: str, *, purpose: str, also: str = "") -> Query[_Waiting]:
    """What of `table` waits since `before` and has no job; both tables hold few rows that wait."""
    return Query(
        sa.text(
            f"SELECT id, {purpose} AS purpose FROM {table} "  # noqa: S608 - our own names
            f"WHERE state = 'waiting' AND created_at < :before {also} AND NOT EXISTS ("
            f"SELECT FROM pgqueuer WHERE entrypoint = '{entrypoint}' AND payload = uuid_send({table}.id)) "
            f"ORDER BY created_at LIMIT {_AT_ONCE}"
        )
        .bindparams(sa.bindparam("before", type_=sa.DateTime(timezone=True), required=True))
        .columns(id=sa.Uuid, purpose=sa.Text),
        _Waiting,
    )


_LOST: Final = {
    # What is to wait until morning needs no job before, whether it has one or not.
    DELIVER: _without_job(
        "message", DELIVER, purpose="purpose", also="AND (not_before IS NULL OR not_before < :before)"
    ),
    PERFORM: _without_job("chore", PERFORM, purpose="CAST(NULL AS text)"),
}


async def requeue_lost(queue_pool: Pool, clock: Clock) -> int:
    """Give a job to what waits without one, some at a time; gives how many."""
    found = 0
    while True:
        page = await _requeue_page(queue_pool, clock)
        found += sum(page)
        if max(page) < _AT_ONCE:
            return found


async def _requeue_page(queue_pool: Pool, clock: Clock) -> list[int]:
    async with database_refusals(), borrow(queue_pool) as connection, connection.transaction():
        queue = Queries(AsyncpgDriver(connection))  # type: ignore[arg-type] - a pooled connection has the same methods
        found: list[int] = []
        for entrypoint, lost in _LOST.items():
            waiting = await lost.all(connection, before=clock() - LOST_AFTER)
            if waiting:
                payloads: list[bytes | None] = [each.id.bytes for each in waiting]
                await queue.enqueue([entrypoint] * len(payloads), payloads, [each.priority for each in waiting])
            found.append(len(waiting))
        return found
