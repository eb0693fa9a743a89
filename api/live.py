"""The live feed: each server process reads newly placed trace rows once and fans them out in memory.

One reconnecting LISTEN connection per process tells that there is something new; what is new is always read from the
table by position, so a lost notification costs a second at most and never an event.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa

from api.relay import CHANNEL
from api.work import LOST, database_refusals
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.shared.sql import Connection, Pool, Query, borrow
from domain.shared.tables import trace, trace_position

_PAGE = 500
_QUEUE = 1000
_POLL = 1.0
_CURRENT_FOR = 3.0
_RECENT = 5000
_logger = logging.getLogger(__name__)


class FeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A placed trace row, as much of it as the feed needs."""

    position: int
    id: UUID
    action: str
    at: datetime
    subject: str
    subject_id: UUID
    department_id: UUID | None
    region: str | None
    site_id: UUID | None
    operator_name: str
    after: str | None


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What a lead's screen receives. Keep `position`: it is where to go on from after a break."""

    position: int
    action: str
    at: datetime
    subject: str
    subject_id: UUID
    department_id: UUID | None
    site_id: UUID | None
    operator: str
    facts: msgspec.Raw


class SlowConsumer(Exception):
    """The consumer let more than its queue pile up; it may come again with its last position."""


_PLACED_AFTER = Query(
    sa.select(
        trace_position.c.position,
        *[trace.c[name] for name in FeedRow.__struct_fields__ if name != "position"],
    )
    .select_from(trace_position.join(trace, trace.c.id == trace_position.c.trace_id))
    .where(
        trace_position.c.position > sa.bindparam("after", type_=sa.BigInteger),
        trace_position.c.position <= sa.bindparam("up_to", type_=sa.BigInteger),
    )
    .order_by(trace_position.c.position)
    .limit(_PAGE),
    FeedRow,
)


class _Latest(msgspec.Struct, frozen=True):
    position: int


_LATEST = Query(sa.select(sa.func.coalesce(sa.func.max(trace_position.c.position), 0).label("position")), _Latest)
_NO_END = 2**62


_WATCHED = frozenset({"inspection", "rectification_order", "enforcement_transfer", "publication"})
"""An inspection, and what follows from one."""


def may_watch(principal: Principal, row: FeedRow) -> bool:
    """Who sees what live: leads their region's subtree, managers their own department; `_WATCHED` only (D8)."""
    if row.subject not in _WATCHED:
        return False
    if principal.role is Role.LEAD:
        return within_region(principal, row.region)
    if principal.role is Role.DEPARTMENT_MANAGER:
        return row.department_id is not None and row.department_id == principal.department_id
    return False


def to_event(row: FeedRow) -> FeedEvent:
    """The row as it is sent."""
    return FeedEvent(
        position=row.position,
        action=row.action,
        at=row.at,
        subject=row.subject,
        subject_id=row.subject_id,
        department_id=row.department_id,
        site_id=row.site_id,
        operator=row.operator_name,
        facts=msgspec.Raw((row.after or "null").encode()),
    )


class _Consumer:
    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.queue: asyncio.Queue[FeedRow] = asyncio.Queue(_QUEUE)
        self.overflowed = False

    def offer(self, row: FeedRow) -> None:
        if not may_watch(self.principal, row):
            return
        try:
            self.queue.put_nowait(row)
        except asyncio.QueueFull:
            self.overflowed = True


class Feed:
    """The process's one reader of the trace's order."""

    def __init__(self, pool: Pool, dsn: str, role: str) -> None:
        """Read through `pool`; listen on a connection of its own to `dsn` as `role`."""
        self._pool = pool
        self._dsn = dsn
        self._role = role
        self._consumers: set[_Consumer] = set()
        self._watchers: list[Callable[[FeedRow], None]] = []
        self._news = asyncio.Event()
        self._read_at = 0.0
        self._begun = asyncio.Event()
        self._recent: deque[FeedRow] = deque(maxlen=_RECENT)
        self.position = 0

    def watch(self, watcher: Callable[[FeedRow], None]) -> None:
        """Call `watcher` with every row, in order, for as long as this process lives."""
        self._watchers.append(watcher)

    @property
    def is_current(self) -> bool:
        """Whether this process would know of a change placed a moment ago."""
        return time.monotonic() - self._read_at < _CURRENT_FOR

    async def run(self) -> None:
        """Follow the trace until cancelled, over any number of breaks of the connection."""
        while True:
            try:
                await self._follow()
            except (OSError, asyncpg.PostgresError, *LOST):
                _logger.warning("feed: connection lost; listening again")
                await asyncio.sleep(0.3)

    async def _follow(self) -> None:
        connection = await asyncpg.connect(self._dsn, server_settings={"role": self._role}, timeout=5)
        try:
            await connection.add_listener(CHANNEL, self._tell)
            if not self._begun.is_set():
                self.position = (await _LATEST.one(connection)).position
                self._begun.set()
            while True:
                self._news.clear()
                await self._read_new(connection)
                try:
                    await asyncio.wait_for(self._news.wait(), _POLL)
                except TimeoutError:
                    continue
        finally:
            await connection.close(timeout=2)

    def _tell(self, *_told: object) -> None:
        self._news.set()

    async def _read_new(self, connection: Connection) -> None:
        while True:
            rows = await _PLACED_AFTER.all(connection, after=self.position, up_to=_NO_END)
            for row in rows:
                self.position = row.position
                self._recent.append(row)
                for watcher in self._watchers:
                    watcher(row)
                for consumer in self._consumers:
                    consumer.offer(row)
            self._read_at = time.monotonic()
            if len(rows) < _PAGE:
                return

    async def present_end(self) -> int:
        """The newest position that this process has seen, once it has begun to see."""
        await self._begun.wait()
        return self.position

    async def follow(self, principal: Principal, after: int | None) -> AsyncGenerator[FeedEvent]:
        """Events that `principal` may watch, in order of position, first those missed since `after`.

        Raises `SlowConsumer` when the reader falls behind by more than its queue holds.
        """
        await self._begun.wait()  # before it, the present end is not known, nor what was missed
        consumer = _Consumer(principal)
        self._consumers.add(consumer)
        seen = joined = self.position
        try:
            if after is not None and after < joined:
                async for row in self._missed(principal, after, joined):
                    yield to_event(row)
            elif after is not None:
                seen = after
            while True:
                if consumer.overflowed:
                    raise SlowConsumer
                row = await consumer.queue.get()
                if row.position > seen:
                    yield to_event(row)
        finally:
            self._consumers.discard(consumer)

    async def _missed(self, principal: Principal, after: int, up_to: int) -> AsyncGenerator[FeedRow]:
        """Out of memory where it reaches back far enough, else page by page from the table."""
        if self._recent and self._recent[0].position <= after + 1:
            for row in [row for row in self._recent if after < row.position <= up_to]:
                if may_watch(principal, row):
                    yield row
            return
        while True:
            async with database_refusals(), borrow(self._pool) as connection:
                rows = await _PLACED_AFTER.all(connection, after=after, up_to=up_to)
            for row in rows:
                if may_watch(principal, row):
                    yield row
            if len(rows) < _PAGE:
                return
            after = rows[-1].position
