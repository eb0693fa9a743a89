"""Rounds: what the workers do again and again, each by one of them at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Final, Self

import asyncpg

from api.work import LOST, DatabaseAway, InProgress
from domain.shared.sql import Pool

_CLASS: Final = 0x59494D57  # "YIMW": rounds of workers
_TRY: Final = "SELECT pg_try_advisory_lock($1, hashtext($2))"
_LET_GO: Final = "SELECT pg_advisory_unlock($1, hashtext($2))"
_logger = logging.getLogger(__name__)


class Turns:
    """Whose turn a round is, among all workers: an advisory lock of the round's name, on one connection of our own.

    The lock goes with the connection, so that a worker that is killed leaves none behind. When the connection is lost
    while a round goes on, another worker may begin the same one, which each round must bear anyway.
    """

    def __init__(self, pool: Pool) -> None:
        """Take the connection out of `pool` when it is first needed."""
        self._pool = pool
        self._line: asyncpg.pool.PoolConnectionProxy | None = None
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Nothing is opened yet."""
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Give the connection back, with no lock on it."""
        async with self._one_at_a_time:
            await self._drop()

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncGenerator[bool]:
        """Whether the round of that name is ours now; no other worker has it until the context ends."""
        held = await self._ask(_TRY, name)
        try:
            yield held
        finally:
            if held:
                with suppress(DatabaseAway):
                    await self._ask(_LET_GO, name)

    async def _ask(self, statement: str, name: str) -> bool:
        async with self._one_at_a_time:
            try:
                if self._line is None:
                    self._line = await self._pool.acquire(timeout=5)
                return bool(await self._line.fetchval(statement, _CLASS, name))
            except LOST as lost:
                await self._drop()
                raise DatabaseAway("系统暂时繁忙，请稍后重试。") from lost

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line is None:
            return
        # Ended, not only given back: a lock that is still held goes with it.
        with suppress(*LOST):
            line.terminate()
        with suppress(*LOST):
            await self._pool.release(line)


async def go_round(
    name: str, seconds: float, act: Callable[[], Awaitable[object]], *, turns: Turns, stop: asyncio.Event
) -> None:
    """Do `act` again and again until `stop`, when it is our turn.

    A round that fails is told and comes again: it stops no other work.
    """
    while not stop.is_set():
        try:
            async with turns.turn(name) as is_ours:
                if is_ours:
                    await act()
        except (DatabaseAway, InProgress):
            _logger.warning("the database is away; trying again")
        except Exception:
            _logger.exception("the round %s failed; it comes again in %d s", name, seconds)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
