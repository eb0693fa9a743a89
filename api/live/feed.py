"""The live feed: each server process reads newly placed trace rows once and fans them out in memory.

Signals tell that there is something new; what is new is always read from the table by position, and the clock looks
as well, so a lost signal costs a second at most and never an event.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Final, cast

import asyncpg

from api.live.fanout import MOST_WAITING, Consumer, Fanout
from api.live.model import FeedRow, Placed, Quiet, to_placed
from api.live.rows import LATEST, PAGE, read_placed
from api.live.scope import Scope
from api.live.signals import PostgresSignals, Signals
from api.work import LOST, database_refusals
from domain.shared.sql import Connection, Pool, borrow

HEARTBEAT: Final = 20.0
"""Seconds of silence after which a reader is told that there is nothing."""
MOST_BEHIND: Final = 20_000
"""Who is further behind than so many rows gets a snapshot instead of all of them."""
_POLL = 1.0
_CURRENT_FOR = 3.0
_REMEMBERED: Final = 5000
_BY_KEYS: Final = {
    # Each statement of the feed reads by keys, many times a second: it is planned once, and by its indexes also when
    # the tables were still empty at that time. Planned anew each time, planning costs more than reading.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "jit": "off",
    "timezone": "UTC",
}
_logger = logging.getLogger(__name__)


class Feed:
    """The process's one reader of the trace's order."""

    def __init__(
        self, pool: Pool, dsn: str, role: str, *, signals: Signals | None = None, most_waiting: int = MOST_WAITING
    ) -> None:
        """Read new rows on a connection of its own to `dsn` as `role`, what was missed through `pool`."""
        self._pool = pool
        self._dsn = dsn
        self._settings = {"role": role, "application_name": "yima feed", **_BY_KEYS}
        self._signals = signals or PostgresSignals(dsn, role)
        self._most_waiting = most_waiting
        self._fanout = Fanout()
        self._watchers: list[Callable[[FeedRow], None]] = []
        self._news = asyncio.Event()
        self._read_at = 0.0
        self._begun = asyncio.Event()
        self._recent: deque[Placed] = deque()
        self._remembers_after = 0
        self.position = 0

    def watch(self, watcher: Callable[[FeedRow], None]) -> None:
        """Call `watcher` with every row, in order, for as long as this process lives."""
        self._watchers.append(watcher)

    @property
    def is_current(self) -> bool:
        """Whether this process would know of a change placed a moment ago."""
        return time.monotonic() - self._read_at < _CURRENT_FOR

    @property
    def readers(self) -> int:
        """How many follow at this moment."""
        return len(self._fanout)

    async def run(self) -> None:
        """Follow the trace until cancelled, over any number of breaks of the connection."""
        listening = asyncio.create_task(self._signals.listen(self._news.set))
        try:
            while True:
                try:
                    await self._follow()
                except (OSError, asyncpg.PostgresError, *LOST):
                    _logger.warning("feed: connection lost; reading again")
                    await asyncio.sleep(0.3)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    def end(self) -> None:
        """The process is about to stop: every reader is told, and comes again to another one."""
        self._fanout.end()

    async def _follow(self) -> None:
        connection = await asyncpg.connect(self._dsn, server_settings=self._settings, timeout=5, command_timeout=10)
        try:
            if not self._begun.is_set():
                await self._begin(cast("Connection", connection))
            while True:
                self._news.clear()
                await self._read_new(cast("Connection", connection))
                with suppress(TimeoutError):  # not wait_for, which forgets a cancellation that comes with the news
                    async with asyncio.timeout(_POLL):
                        await self._news.wait()
        finally:
            await connection.close(timeout=2)

    async def _begin(self, connection: Connection) -> None:
        """Start at the present end. A page is remembered: those come again whom another process has just left."""
        self.position = (await LATEST.one(connection)).position
        self._remembers_after = max(0, self.position - PAGE)
        rows, reaches = await read_placed(connection, self._remembers_after, self.position)
        self._recent.extend(to_placed(row, reaches[row.id]) for row in rows if row.id in reaches)
        self._begun.set()

    async def _read_new(self, connection: Connection) -> None:
        while True:
            rows, reaches = await read_placed(connection, self.position)
            for row in rows:
                reach = reaches.get(row.id)
                if reach is not None:
                    self._tell(to_placed(row, reach))
                self.position = row.position
                for watcher in self._watchers:
                    watcher(row)
            self._read_at = time.monotonic()
            if len(rows) < PAGE:
                return

    def _tell(self, placed: Placed) -> None:
        self._recent.append(placed)
        if len(self._recent) > _REMEMBERED:
            self._remembers_after = self._recent.popleft().position
        self._fanout.spread(placed)

    async def present_end(self) -> int:
        """The newest position that this process has seen, once it has begun to see."""
        await self._begun.wait()
        return self.position

    async def follow(
        self, scope: Scope, after: int | None, *, quiet_seconds: float = HEARTBEAT
    ) -> AsyncGenerator[Placed | Quiet]:
        """Events of `scope` in order of position, first those missed since `after`; `Quiet` when none came for a while.

        Raises `SlowConsumer` when the reader falls behind by more than its queue holds, and `ServerLeaves`.
        """
        await self._begun.wait()  # before it, the present end is not known, nor what was missed
        consumer = Consumer(scope, self._most_waiting)
        self._fanout.join(consumer)
        seen = joined = self.position
        try:
            if after is not None and after < joined:
                async for placed in self._missed(scope, after, joined):
                    yield placed
            elif after is not None:
                seen = after
            while True:
                placed = await consumer.take(quiet_seconds)
                if placed is None:
                    yield Quiet(max(seen, self.position))
                elif placed.position > seen:
                    yield placed
        finally:
            self._fanout.leave(consumer)

    async def _missed(self, scope: Scope, after: int, up_to: int) -> AsyncGenerator[Placed]:
        """Out of memory where it reaches back far enough, else page by page from the table."""
        if after >= self._remembers_after:
            for placed in self._remembered(after, up_to):
                if scope.admits(placed.reach):
                    yield placed
            return
        while True:
            async with database_refusals(), borrow(self._pool) as connection:
                rows, reaches = await read_placed(connection, after, up_to)
            for row in rows:
                reach = reaches.get(row.id)
                if reach is not None and scope.admits(reach):
                    yield to_placed(row, reach)
            if len(rows) < PAGE:
                return
            after = rows[-1].position

    def _remembered(self, after: int, up_to: int) -> list[Placed]:
        """From the newest backwards: most of those who come again have missed little."""
        found: list[Placed] = []
        for placed in reversed(self._recent):
            if placed.position <= after:
                break
            if placed.position <= up_to:
                found.append(placed)
        found.reverse()
        return found
