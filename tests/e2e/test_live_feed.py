"""The live feed: in order, within scope, and without loss over breaks, restarts and slow readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress
from uuid import uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from api.live import EventFrame, Feed, FeedEvent, FeedRow, Placed, SlowConsumer, scope_of
from api.live.signals import PostgresAnnouncements
from api.relay import Relay
from api.wiring import APP_ROLE, Parts
from domain.identity.model import Principal, Role
from domain.shared.transaction import Outcome, Transaction
from tests.support.acts import OPERATOR, Noted, noted, principal
from tests.support.database import Database
from tests.support.relaying import open_relay, place_all

NANNING = "450000.450100"
LEAD = principal(Role.LEAD, region="450000")


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything, to hinder."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="module")
async def relay(database: Database, parts: Parts) -> AsyncGenerator[Relay]:
    """A relay that stands still until it is told to place."""
    async with open_relay(database, parts) as relay:
        yield relay


@asynccontextmanager
async def following(parts: Parts, database: Database, most_waiting: int = 1000) -> AsyncGenerator[Feed]:
    """The feed of a server process, as it starts and as it ends."""
    feed = Feed(parts.pool, database.dsn, APP_ROLE, most_waiting=most_waiting)
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest_asyncio.fixture(loop_scope="module")
async def feed(parts: Parts, database: Database) -> AsyncGenerator[Feed]:
    """A feed that has read up to the present."""
    async with following(parts, database) as feed:
        await until_read(feed, 0)
        yield feed


async def say_nothing(*_said: object) -> None:
    """A signal that is lost."""


async def until_read(feed: Feed, position: int, seconds: float = 5) -> None:
    """Wait until the feed has read that position, and at least once."""
    async with asyncio.timeout(seconds):
        while feed.position < position or not feed.is_current:
            await asyncio.sleep(0.01)


async def tell(parts: Parts, relay: Relay, *notes: str, region: str | None = NANNING) -> None:
    """One placed event for each note."""
    await tell_all(parts, relay, *(noted(note, region=region) for note in notes))


async def tell_all(parts: Parts, relay: Relay, *events: Noted) -> None:
    async def operation(_tx: Transaction) -> Outcome[None]:
        return Outcome(answer=None, events=events)

    await parts.work.run(OPERATOR, operation)
    await place_all(relay)


async def take(events: AsyncGenerator[FeedEvent], count: int, seconds: float = 5) -> list[FeedEvent]:
    """The next `count` events."""
    async with asyncio.timeout(seconds):
        return [await anext(events) for _ in range(count)]


async def comes_nothing(events: AsyncGenerator[FeedEvent], seconds: float = 0.3) -> bool:
    """Whether nothing comes for a while; the events are over after this."""
    try:
        await asyncio.wait_for(anext(events), seconds)
    except TimeoutError:
        return True
    return False


def told(events: list[FeedEvent]) -> list[tuple[int, bytes]]:
    return [(event.position, bytes(event.facts)) for event in events]


def as_told(*notes: str, start: int = 1) -> list[tuple[int, bytes]]:
    return [(position, f'{{"note":"{note}"}}'.encode()) for position, note in enumerate(notes, start=start)]


async def listening_backend(owner: asyncpg.Connection) -> int | None:
    """The feed's own connection, on which it reads."""
    return await owner.fetchval(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'yima feed' "
        "AND pid <> pg_backend_pid()"
    )


async def follow(feed: Feed, by: Principal, after: int | None = None) -> AsyncGenerator[FeedEvent]:
    """What `by` would get, read back out of the frames."""
    async with aclosing(feed.follow(scope_of(by), after)) as frames:
        async for frame in frames:
            assert isinstance(frame, Placed)
            yield msgspec.json.decode(frame.text, type=EventFrame).event


async def joined(feed: Feed, by: Principal = LEAD, after: int | None = None) -> AsyncGenerator[FeedEvent]:
    """A reader that has certainly joined: it waits for its first event."""
    events = follow(feed, by, after)
    first = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.02)

    async def all_events() -> AsyncGenerator[FeedEvent]:
        try:
            yield await first
            async for event in events:
                yield event
        finally:
            first.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await first
            await events.aclose()

    return all_events()


# Order and scope


async def test_events_come_as_they_happened_in_order_of_position(parts: Parts, relay: Relay, feed: Feed) -> None:
    events = await joined(feed)
    await tell(parts, relay, "一", "二")
    await tell(parts, relay, "三")
    arrived = await take(events, 3)
    assert told(arrived) == as_told("一", "二", "三")
    assert {(event.action, event.subject, event.operator) for event in arrived} == {
        ("test.noted", "inspection", OPERATOR.name)
    }
    await events.aclose()


async def test_every_reader_gets_every_event(parts: Parts, relay: Relay, feed: Feed) -> None:
    readers = [await joined(feed) for _ in range(5)]
    await tell(parts, relay, "一", "二")
    for events in readers:
        assert told(await take(events, 2)) == as_told("一", "二")
        await events.aclose()


@pytest.mark.parametrize(
    ("by", "region", "sees"),
    [
        (principal(Role.LEAD, region=NANNING), "450000.450100.450103", True),
        (principal(Role.LEAD, region=NANNING), "450000.450200", False),
        (principal(Role.LEAD, region=NANNING), "450000", False),
        (principal(Role.LEAD, region=NANNING), None, False),
    ],
)
async def test_only_what_lies_in_scope_is_seen_live_and_afterwards(
    parts: Parts, relay: Relay, feed: Feed, by: Principal, region: str | None, *, sees: bool
) -> None:
    events = await joined(feed, by)
    await tell(parts, relay, "x", region=region)
    await until_read(feed, 1)
    assert await comes_nothing(events, 0.05) is not sees
    assert await comes_nothing(follow(feed, by, 0), 0.05) is not sees
    await events.aclose()


async def test_a_manager_sees_the_own_department_wherever_it_works(parts: Parts, relay: Relay, feed: Feed) -> None:
    own, other = uuid4(), uuid4()
    manager = msgspec.structs.replace(principal(Role.DEPARTMENT_MANAGER), department_id=own)
    events = await joined(feed, manager)
    await tell_all(parts, relay, noted("their", department_id=other), noted("own", department_id=own), noted("none"))
    assert told(await take(events, 1)) == as_told("own", start=2)
    assert await comes_nothing(events)


async def test_a_watcher_is_called_with_every_row_in_order_whatever_its_scope(
    parts: Parts, relay: Relay, database: Database
) -> None:
    seen: list[FeedRow] = []
    async with following(parts, database) as feed:
        feed.watch(seen.append)
        await until_read(feed, 0)
        await tell(parts, relay, "一", "二", region=None)
        await tell(parts, relay, "三")
        await until_read(feed, 3)
    assert [row.position for row in seen] == [1, 2, 3]


# Going on after a break


async def test_a_reader_that_comes_again_gets_exactly_what_it_missed_out_of_memory(
    parts: Parts, relay: Relay, feed: Feed
) -> None:
    await tell(parts, relay, *"一二三四")
    await until_read(feed, 4)
    for after in range(4):
        events = follow(feed, LEAD, after)
        assert told(await take(events, 4 - after)) == as_told(*"一二三四")[after:]
        assert await comes_nothing(events, 0.05)


async def test_a_process_that_began_later_gives_what_was_missed_out_of_the_table(
    parts: Parts, relay: Relay, database: Database
) -> None:
    notes = [str(number) for number in range(1, 1203)]  # more than two pages
    await tell(parts, relay, *notes)
    async with following(parts, database) as feed:
        await until_read(feed, 1202)
        events = await joined(feed, after=1)
        await tell(parts, relay, "live")
        assert told(await take(events, 1202)) == as_told(*notes[1:], "live", start=2)
        await events.aclose()


async def test_a_reader_that_comes_before_the_feed_has_begun_misses_nothing(
    parts: Parts, relay: Relay, database: Database
) -> None:
    await tell(parts, relay, *"一二三")
    async with following(parts, database) as feed:
        events = await joined(feed, after=1)
        await tell(parts, relay, "四")
        assert told(await take(events, 3)) == as_told("二", "三", "四", start=2)
        await events.aclose()


async def test_a_reader_that_names_no_position_gets_only_what_comes(
    parts: Parts, relay: Relay, database: Database
) -> None:
    await tell(parts, relay, *"一二三")
    async with following(parts, database) as feed:
        events = await joined(feed)
        await until_read(feed, 3)
        await tell(parts, relay, "四")
        assert told(await take(events, 1)) == as_told("四", start=4)
        await events.aclose()


async def test_a_reader_ahead_of_this_process_gets_nothing_twice(parts: Parts, relay: Relay, feed: Feed) -> None:
    events = await joined(feed, after=2)  # another process had already told it two
    await tell(parts, relay, *"一二三")
    assert told(await take(events, 1)) == as_told("三", start=3)
    assert await comes_nothing(events, 0.1)


async def test_nothing_is_missed_over_a_lost_listening_connection(
    parts: Parts, relay: Relay, feed: Feed, owner: asyncpg.Connection
) -> None:
    events = await joined(feed)
    await tell(parts, relay, "before")
    assert told(await take(events, 1)) == as_told("before")
    backend = await listening_backend(owner)
    assert await owner.fetchval("SELECT pg_terminate_backend($1)", backend)
    await tell(parts, relay, "meanwhile", "and more")
    assert told(await take(events, 2)) == as_told("meanwhile", "and more", start=2)
    assert await listening_backend(owner) not in {backend, None}
    await events.aclose()


async def test_an_event_comes_by_notification_and_not_by_the_clock(parts: Parts, relay: Relay, feed: Feed) -> None:
    events = await joined(feed)
    for number in range(1, 6):
        await tell(parts, relay, str(number))
        await take(events, 1, seconds=0.5)  # polling alone would take a second
    await events.aclose()


async def test_a_lost_notification_costs_a_second_and_no_event(
    parts: Parts, relay: Relay, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PostgresAnnouncements, "with_commit", say_nothing)
    events = await joined(feed)
    await tell(parts, relay, "一")
    assert told(await take(events, 1, seconds=2)) == as_told("一")
    await events.aclose()


# Slow readers


async def test_a_slow_reader_is_told_so_and_resumes_without_loss(
    parts: Parts, relay: Relay, database: Database
) -> None:
    async with following(parts, database, most_waiting=10) as feed:
        events = await joined(feed)
        await tell(parts, relay, "1")
        got = await take(events, 1)
        await tell(parts, relay, *(str(number) for number in range(2, 31)))
        await until_read(feed, 30)
        with suppress(SlowConsumer):
            for _ in range(2, 31):
                got += await take(events, 1)
        assert len(got) < 30, "its queue holds ten"
        with pytest.raises(StopAsyncIteration):
            await anext(events)
        again = follow(feed, LEAD, got[-1].position)
        got += await take(again, 30 - len(got))
        assert told(got) == as_told(*(str(number) for number in range(1, 31)))
        assert await comes_nothing(again, 0.05)


async def test_one_slow_reader_holds_nobody_else_up(parts: Parts, relay: Relay, database: Database) -> None:
    async with following(parts, database, most_waiting=5) as feed:
        slow, quick = await joined(feed), await joined(feed)
        for number in range(1, 21):
            await tell(parts, relay, str(number))
            assert told(await take(quick, 1)) == as_told(str(number), start=number)
        await slow.aclose()
        await quick.aclose()


async def test_a_reader_that_left_is_forgotten(parts: Parts, relay: Relay, feed: Feed) -> None:
    events = await joined(feed)
    await tell(parts, relay, "1")
    await take(events, 1)
    assert feed.readers == 1
    await events.aclose()
    assert feed.readers == 0


# Whether it would know


async def test_a_feed_that_has_not_begun_or_cannot_read_is_not_current(
    parts: Parts, database: Database, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.feed._POLL", 0.2)
    monkeypatch.setattr("api.live.feed._CURRENT_FOR", 0.8)
    assert not Feed(parts.pool, database.dsn, APP_ROLE).is_current
    async with following(parts, database) as feed:
        await until_read(feed, 0)
        async with owner.transaction():
            await owner.execute("LOCK TABLE trace_position IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(1.2)
            assert not feed.is_current
        await until_read(feed, 0, seconds=1)
        await asyncio.sleep(1)
        assert feed.is_current, "it stays current though nothing happens"
