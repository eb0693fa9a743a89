"""One suite for both ways in which a server learns that the trace has grown, each with the real thing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from api.live import Feed, Placed, Scope
from api.live.signals import Announcements, Signals, announcements_of, signals_of
from api.redis_settings import RedisAccess, read_redis, redis_variables
from api.relay import Relay
from api.settings_error import SettingsError
from api.wiring import APP_ROLE, RELAY_ROLE, Parts
from domain.shared.sql import Connection, borrow, open_pool
from domain.shared.transaction import Outcome, Transaction
from tests.support.acts import OPERATOR, noted
from tests.support.database import Database
from tests.support.redis_server import running_redis
from tests.support.relaying import place_all

REGION = "450000.450100"


class Line(msgspec.Struct, frozen=True):
    """Signals from end to end: ear and voice, and how the line between them is cut and mended."""

    signals: Signals
    announcements: Announcements
    cut: Callable[[], Awaitable[None]]
    mend: Callable[[], Awaitable[None]]


class Told:
    """How often it was told, and a way to wait for it."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def tell(self) -> None:
        self.event.set()

    async def within(self, seconds: float) -> bool:
        """Whether something is told in that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.event.wait()
            self.event.clear()
            return True
        return False


@asynccontextmanager
async def postgres_line(database: Database) -> AsyncGenerator[Line]:
    """LISTEN and NOTIFY; cut by ending the backend."""
    owner = await asyncpg.connect(database.dsn)

    async def cut() -> None:
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'yima signals'"
        )

    async def mend() -> None:
        """It comes back by itself."""

    announcements = announcements_of(None)
    try:
        yield Line(signals_of(None, database.dsn, APP_ROLE), announcements, cut, mend)
    finally:
        await announcements.close()
        await owner.close()


@asynccontextmanager
async def redis_line(database: Database) -> AsyncGenerator[Line]:
    """A real Redis; cut by killing it."""
    with running_redis() as server:
        access = RedisAccess(server.url)

        async def cut() -> None:
            await asyncio.to_thread(server.kill)

        async def mend() -> None:
            await asyncio.to_thread(server.restart)

        announcements = announcements_of(access)
        try:
            yield Line(signals_of(access, database.dsn, APP_ROLE), announcements, cut, mend)
        finally:
            await announcements.close()


@pytest_asyncio.fixture(loop_scope="module", params=[postgres_line, redis_line], ids=["postgres", "redis"])
async def line(request: pytest.FixtureRequest, database: Database) -> AsyncGenerator[Line]:
    """Each way in turn."""
    async with request.param(database) as line:
        yield line


@asynccontextmanager
async def listening(line: Line) -> AsyncGenerator[Told]:
    """An ear that has begun to hear: the first word comes by itself, for what was said before nobody heard."""
    told = Told()
    task = asyncio.create_task(line.signals.listen(told.tell))
    try:
        assert await told.within(5)
        yield told
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def announce(parts: Parts, line: Line, position: int = 1) -> None:
    """As the relay does it: with the commit, and after it."""
    async with borrow(parts.pool) as connection, connection.transaction():
        await line.announcements.with_commit(connection, position)
    await line.announcements.after_commit(position)


async def until_told(parts: Parts, line: Line, told: Told, seconds: float = 10) -> None:
    """Announce again and again until it is heard."""
    async with asyncio.timeout(seconds):
        await announce(parts, line)
        while not await told.within(0.2):
            await announce(parts, line)


async def test_what_is_announced_is_told_within_a_second(parts: Parts, line: Line) -> None:
    async with listening(line) as told:
        for position in range(1, 6):
            began = time.monotonic()
            await announce(parts, line, position)
            assert await told.within(1), position
            assert time.monotonic() - began < 1


async def test_nothing_is_told_before_the_commit(parts: Parts, line: Line) -> None:
    async with listening(line) as told:
        async with borrow(parts.pool) as connection, connection.transaction():
            await line.announcements.with_commit(connection, 1)
            assert not await told.within(0.2)
        await line.announcements.after_commit(1)
        assert await told.within(1)


async def test_what_was_said_before_a_new_connection_is_told_by_the_connection_itself(parts: Parts, line: Line) -> None:
    async with listening(line) as told:
        await line.cut()
        await announce_in_vain(parts, line)
        await line.mend()
        assert await told.within(10)
        await until_told(parts, line, told)


async def announce_in_vain(parts: Parts, line: Line) -> None:
    """Nobody hears it, and nobody who says it is held up or told of it."""
    began = time.monotonic()
    await announce(parts, line)
    assert time.monotonic() - began < 2


@asynccontextmanager
async def reading(parts: Parts, database: Database, line: Line) -> AsyncGenerator[tuple[Feed, Relay]]:
    """A feed and a relay at both ends of the line."""
    pool = await open_pool(database.dsn, size=2, role=RELAY_ROLE, application="test relay", json_values=False)
    feed = Feed(parts.pool, database.dsn, APP_ROLE, signals=line.signals)
    task = asyncio.create_task(feed.run())
    try:
        await feed.present_end()
        yield feed, Relay(pool, parts.seal, parts.clock, line.announcements)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await pool.close()


async def note(parts: Parts, relay: Relay, text: str) -> None:
    async def operation(_tx: Transaction) -> Outcome[None]:
        return Outcome(answer=None, events=(noted(text, region=REGION),))

    await parts.work.run(OPERATOR, operation)
    await place_all(relay)


async def test_no_event_depends_on_a_signal(parts: Parts, database: Database, line: Line) -> None:
    async with reading(parts, database, line) as (feed, relay):
        events = feed.follow(Scope(region=REGION), 0)
        await note(parts, relay, "before")
        await line.cut()
        await note(parts, relay, "meanwhile")
        got = [await asyncio.wait_for(anext(events), 3) for _ in range(2)]
        await line.mend()
        await note(parts, relay, "after")
        got.append(await asyncio.wait_for(anext(events), 3))
        await events.aclose()
    assert [each.position for each in got if isinstance(each, Placed)] == [1, 2, 3]


async def test_an_event_comes_by_the_signal_and_not_by_the_clock(
    parts: Parts, database: Database, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.feed._POLL", 30)
    async with reading(parts, database, line) as (feed, relay):
        events = feed.follow(Scope(region=REGION), 0)
        await asyncio.sleep(0.5)  # both ends are connected
        for text in "一二三":
            await note(parts, relay, text)
            await asyncio.wait_for(anext(events), 1)
        await events.aclose()


async def test_a_commit_that_fails_announces_nothing(parts: Parts, line: Line) -> None:
    async def fail(connection: Connection) -> None:
        async with connection.transaction():
            await line.announcements.with_commit(connection, 1)
            raise InterruptedError

    async with listening(line) as told:
        with suppress(InterruptedError):
            async with borrow(parts.pool) as connection:
                await fail(connection)
        assert not await told.within(0.3)


# The setting


def test_redis_is_chosen_by_its_address_which_children_get_too() -> None:
    access = read_redis({"YIMA_REDIS": "rediss://yima:secret@redis.example:6380/2"})
    assert access is not None
    assert read_redis(redis_variables(access)) == access
    assert "secret" not in repr(access)
    assert read_redis({}) is None


@pytest.mark.parametrize("address", ["redis.example", "http://secret@redis.example", "redis://", "redis://x:port"])
def test_an_address_that_cannot_be_used_is_told_without_showing_it(address: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_redis({"YIMA_REDIS": address})
    assert "secret" not in str(refused.value)
