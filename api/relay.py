"""The relay gives committed trace rows their final order, one after another, without gap and without skipping any.

Rows commit out of order, so a sequence is no cursor. A row may be placed only when no older transaction is still
open: everything below `pg_snapshot_xmin` is decided. One relay works at a time; another waits as a spare. In one
transaction it writes positions and links, makes the jobs of the messages that those rows caused, and announces the
newest position, and nothing else, to the servers.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries

from api.live.signals import Announcements, PostgresAnnouncements
from api.work import DatabaseAway, InProgress, database_refusals
from domain.shared.chores import CHORES_OF_TRACES
from domain.shared.clock import Clock
from domain.shared.sql import Command, Connection, Pool, Query, Xid8, borrow
from domain.shared.tables import trace, trace_cursor, trace_position
from domain.shared.trace import TraceSeal
from notifications import outbox

DELIVER = "deliver_message"
PERFORM = "perform_chore"
_LOCK = 0x59494D42  # "YIMB": one relay at a time
_BATCH = 2000
_SHORTEST_WAIT = 0.02
_LONGEST_WAIT = 0.2
_logger = logging.getLogger(__name__)


class _Cursor(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    tx: int
    n: int
    link: bytes


class _Committed(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    tx: int
    n: int
    mac: bytes


_TRY_LOCK = sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK).label("held"))
_CURSOR = Query(
    sa.select(trace_cursor.c.position, trace_cursor.c.tx, trace_cursor.c.n, trace_cursor.c.link),
    _Cursor,
)
_DECIDED = Query(
    sa.select(trace.c.id, trace.c.tx, trace.c.n, trace.c.mac)
    .where(
        sa.tuple_(trace.c.tx, trace.c.n)
        > sa.tuple_(sa.bindparam("tx", type_=Xid8), sa.bindparam("n", type_=sa.BigInteger)),
        trace.c.tx < sa.func.pg_snapshot_xmin(sa.func.pg_current_snapshot(), type_=Xid8),
    )
    .order_by(trace.c.tx, trace.c.n)
    .limit(_BATCH),
    _Committed,
)
_PLACE = Command(
    sa.insert(trace_position).values(
        {name: sa.bindparam(name) for name in ("position", "trace_id", "tx", "n", "link", "placed_at")}
    )
)
_ADVANCE = Command(
    sa.update(trace_cursor).values({name: sa.bindparam(f"new_{name}") for name in ("position", "tx", "n", "link")})
)


class _Held(msgspec.Struct, frozen=True):
    held: bool


_HOLD = Query(_TRY_LOCK, _Held)
_MESSAGES = Query(outbox.IDS_OF_TRACES, outbox.DueMessage)


class Relay:
    """Places what is committed, as long as it runs."""

    def __init__(self, pool: Pool, seal: TraceSeal, clock: Clock, announcements: Announcements | None = None) -> None:
        """Use a pool that acts as the relay's database role; servers hear of news by `announcements`."""
        self._pool = pool
        self._seal = seal
        self._clock = clock
        self._announcements = announcements or PostgresAnnouncements()

    async def run(self, stop: asyncio.Event) -> None:
        """Place rows until `stop`; waits 20 ms after work and up to 200 ms when there is none."""
        wait = _SHORTEST_WAIT
        while not stop.is_set():
            try:
                placed = await self.place_batch()
            except (DatabaseAway, InProgress):
                _logger.warning("relay: the database is away; trying again")
                placed, wait = 0, _LONGEST_WAIT
            if placed < _BATCH:
                wait = _SHORTEST_WAIT if placed else min(wait * 1.5, _LONGEST_WAIT)
                await _pause(stop, wait)

    async def place_batch(self) -> int:
        """Place at most one batch; gives the number of rows placed, 0 also when another relay is at work."""
        async with database_refusals(), borrow(self._pool) as connection, connection.transaction():
            if not (await _HOLD.one(connection)).held:
                return 0
            cursor = await _CURSOR.one(connection)
            rows = await _DECIDED.all(connection, tx=cursor.tx, n=cursor.n)
            if rows:
                await self._place(connection, cursor, rows, self._clock())
        if rows:
            await self._announcements.after_commit(cursor.position + len(rows))
        return len(rows)

    async def _place(self, connection: Connection, cursor: _Cursor, rows: list[_Committed], now: datetime) -> None:
        link = cursor.link
        placed: list[dict[str, object]] = []
        for position, row in enumerate(rows, start=cursor.position + 1):
            link = self._seal.link(link, position, row.id, row.tx, row.n, row.mac)
            placed.append(
                {"position": position, "trace_id": row.id, "tx": row.tx, "n": row.n, "link": link, "placed_at": now}
            )
        await _PLACE.run_many(connection, placed)
        last = rows[-1]
        position = cursor.position + len(rows)
        await _ADVANCE.run(connection, new_position=position, new_tx=last.tx, new_n=last.n, new_link=link)
        await _make_jobs(connection, [row.id for row in rows])
        await self._announcements.with_commit(connection, position)


async def _make_jobs(connection: Connection, trace_ids: list[UUID]) -> None:
    """One job per message and per chore; a job holds its id, never an address."""
    messages = await _MESSAGES.all(connection, traces=trace_ids)
    chores = await CHORES_OF_TRACES.all(connection, traces=trace_ids)
    jobs = [(DELIVER, each.id.bytes, each.priority) for each in messages]
    jobs += [(PERFORM, each.id.bytes, outbox.CHORE_PRIORITY) for each in chores]
    if jobs:
        queue = Queries(AsyncpgDriver(connection))  # type: ignore[arg-type] - a pooled connection has the same methods
        await queue.enqueue(
            [kind for kind, _, _ in jobs], [job for _, job, _ in jobs], [priority for _, _, priority in jobs]
        )


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
