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

LOST_AFTER: Final = timedelta(seconds=20)
_AT_ONCE: Final = 500


class _Waiting(msgspec.Struct, frozen=True):
    id: UUID


def _without_job(table: str, entrypoint: str) -> Query[_Waiting]:
    """What of `table` waits since `before` and has no job; both tables hold few rows that wait."""
    return Query(
        sa.text(
            f"SELECT id FROM {table} WHERE state = 'waiting' AND created_at < :before AND NOT EXISTS ("  # noqa: S608 - our own names
            f"SELECT FROM pgqueuer WHERE entrypoint = '{entrypoint}' AND payload = uuid_send({table}.id)) "
            f"ORDER BY created_at LIMIT {_AT_ONCE}"
        )
        .bindparams(sa.bindparam("before", type_=sa.DateTime(timezone=True), required=True))
        .columns(id=sa.Uuid),
        _Waiting,
    )


_LOST: Final = {DELIVER: _without_job("message", DELIVER), PERFORM: _without_job("chore", PERFORM)}


async def requeue_lost(queue_pool: Pool, clock: Clock) -> int:
    """Give a job to what waits without one; gives how many."""
    async with database_refusals(), borrow(queue_pool) as connection, connection.transaction():
        queue = Queries(AsyncpgDriver(connection))  # type: ignore[arg-type] - a pooled connection has the same methods
        found = 0
        for entrypoint, lost in _LOST.items():
            waiting = await lost.all(connection, before=clock() - LOST_AFTER)
            if waiting:
                payloads: list[bytes | None] = [each.id.bytes for each in waiting]
                await queue.enqueue([entrypoint] * len(payloads), payloads, [0] * len(payloads))
                found += len(waiting)
        return found
