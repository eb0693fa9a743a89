"""The relay: every committed row gets one position, in an order that no reader can skip."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from api.live.signals import CHANNEL
from api.relay import DELIVER, Relay
from api.wiring import RELAY_ROLE, Parts
from domain.shared import trace
from domain.shared.sql import Command, Connection, borrow
from domain.shared.trace_check import check_trace
from notifications import outbox
from notifications.message import Channel, Message, Recipient
from tests.support.acts import OPERATOR, circumstances, noted
from tests.support.database import Database
from tests.support.relaying import open_relay, place_all, running

_WRITE_MESSAGE = Command(outbox.INSERT)


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything, to see and to hinder."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(loop_scope="module")
async def relay(database: Database, parts: Parts) -> AsyncGenerator[Relay]:
    """A relay that stands still until it is told to place."""
    async with open_relay(database, parts) as relay:
        yield relay


async def leave_row(connection: Connection, parts: Parts) -> UUID:
    """One trace row in the connection's transaction, as `Work` writes it."""
    row = trace.write_down(
        noted(),
        trace_id=uuid4(),
        at=datetime.now(UTC),
        operator=OPERATOR,
        circumstances=circumstances(),
        seal=parts.seal,
    )
    await trace.INSERT.run_many(connection, trace.insert_arguments([row]))
    return row.id


async def leave_message(connection: Connection, trace_id: UUID) -> UUID:
    """One outbox row, caused by that trace row."""
    message = Message(
        template="arrival",
        channel=Channel.SMS,
        recipient=Recipient.ENTERPRISE,
        recipient_id=uuid4(),
        parameters={},
    )
    message_id = uuid4()
    await _WRITE_MESSAGE.run_many(
        connection,
        outbox.insert_arguments([outbox.Written(id=message_id, trace_id=trace_id, message=message)], datetime.now(UTC)),
    )
    return message_id


async def committed_rows(parts: Parts, count: int = 1) -> list[UUID]:
    """That many rows, each committed by itself."""
    ids: list[UUID] = []
    for _ in range(count):
        async with borrow(parts.pool) as connection:
            ids.append(await leave_row(connection, parts))
    return ids


async def placed_ids(connection: Any) -> list[UUID]:
    """The rows in the order of their positions, which are 1 to their number."""
    rows = await connection.fetch("SELECT position, trace_id FROM trace_position ORDER BY position")
    assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["trace_id"] for row in rows]


class Written:
    """What many writers committed, and what they took back."""

    def __init__(self) -> None:
        self.committed: set[UUID] = set()
        self.aborted: set[UUID] = set()
        self.messages: set[UUID] = set()


async def write_much(parts: Parts, seed: int, written: Written, *, transactions: int = 25) -> None:
    """Transactions of one to five rows with pauses between them; 15 % are aborted at the end."""
    chance = random.Random(seed)
    for _ in range(transactions):
        ids: list[UUID] = []
        messages: list[UUID] = []
        async with borrow(parts.pool) as connection:
            transaction = connection.transaction()
            await transaction.start()
            for _ in range(chance.randint(1, 5)):
                ids.append(await leave_row(connection, parts))
                if chance.random() < 0.3:
                    messages.append(await leave_message(connection, ids[-1]))
                await asyncio.sleep(chance.random() ** 4 * 0.05)
            if chance.random() < 0.15:
                await transaction.rollback()
                written.aborted.update(ids)
            else:
                await transaction.commit()
                written.committed.update(ids)
                written.messages.update(messages)


async def read_along(parts: Parts, finished: asyncio.Event) -> list[UUID]:
    """Follow by position alone, as every reader does: from the last seen on, never back."""
    seen: list[UUID] = []
    position = 0
    while True:
        last_round = finished.is_set()
        async with borrow(parts.pool) as connection:
            rows = await connection.fetch(
                "SELECT position, trace_id FROM trace_position WHERE position > $1 ORDER BY position", position
            )
        for row in rows:
            position = row["position"]
            seen.append(row["trace_id"])
        if last_round:
            return seen
        await asyncio.sleep(0.003)


def heard_by(heard: asyncio.Queue[Any]) -> Callable[..., None]:
    """A listener that keeps what each notification carries."""

    def listener(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        heard.put_nowait(payload)

    return listener


async def until_placed(owner: asyncpg.Connection, written: Written) -> None:
    """Wait for a running relay, a few seconds at most."""
    async with asyncio.timeout(5):
        while len(await owner.fetch("SELECT 1 FROM trace_position")) < len(written.committed):
            await asyncio.sleep(0.02)


async def jobs_of(owner: asyncpg.Connection) -> list[UUID]:
    rows = await owner.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = $1", DELIVER)
    return [UUID(bytes=row["payload"]) for row in rows]


# Under load


async def test_every_committed_row_is_placed_once_while_sixteen_write_and_no_reader_skips_one(
    parts: Parts, relay: Relay, owner: asyncpg.Connection
) -> None:
    written, finished = Written(), asyncio.Event()
    async with running(relay):
        reading = asyncio.create_task(read_along(parts, finished))
        await asyncio.gather(*(write_much(parts, seed, written) for seed in range(16)))
        await until_placed(owner, written)
    finished.set()
    order = await placed_ids(owner)
    assert len(written.aborted) > 50
    assert len(order) == len(set(order)) == len(written.committed)
    assert set(order) == written.committed
    assert await reading == order
    jobs = await jobs_of(owner)
    assert len(jobs) == len(written.messages)
    assert set(jobs) == written.messages
    async with owner.transaction(isolation="repeatable_read"):
        assert [finding async for finding in check_trace(owner, parts.seal)] == []


async def test_two_relays_at_once_place_each_row_once(
    parts: Parts, database: Database, relay: Relay, owner: asyncpg.Connection
) -> None:
    written = Written()
    async with open_relay(database, parts) as spare, running(relay), running(spare):
        await asyncio.gather(*(write_much(parts, seed, written, transactions=10) for seed in range(8)))
        await until_placed(owner, written)
    order = await placed_ids(owner)
    assert len(order) == len(set(order))
    assert set(order) == written.committed
    assert sorted(await jobs_of(owner)) == sorted(written.messages)


async def test_a_relay_killed_again_and_again_leaves_no_gap_and_no_double(
    parts: Parts, relay: Relay, owner: asyncpg.Connection
) -> None:
    written = Written()

    async def disturb() -> None:
        for _ in range(12):
            await asyncio.sleep(0.1)
            await owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test relay' "
                "AND datname = current_database()"
            )

    async with running(relay) as task:
        await asyncio.gather(disturb(), *(write_much(parts, seed, written, transactions=20) for seed in range(8)))
        await until_placed(owner, written)
        assert not task.done()
    assert set(await placed_ids(owner)) == written.committed
    assert sorted(await jobs_of(owner)) == sorted(written.messages)


async def test_a_cancelled_relay_is_followed_by_another_without_gap_or_double(
    parts: Parts, database: Database, owner: asyncpg.Connection
) -> None:
    written = Written()
    writing = asyncio.gather(*(write_much(parts, seed, written, transactions=10) for seed in range(8)))
    while not writing.done():
        async with open_relay(database, parts) as mortal:
            task = asyncio.create_task(mortal.run(asyncio.Event()))
            await asyncio.sleep(0.04)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    async with open_relay(database, parts) as successor:
        await place_all(successor)
    assert set(await placed_ids(owner)) == written.committed
    assert sorted(await jobs_of(owner)) == sorted(written.messages)


# The horizon


async def test_a_long_open_transaction_holds_back_younger_rows_and_then_all_come_in_order(
    parts: Parts, relay: Relay, owner: asyncpg.Connection
) -> None:
    [older] = await committed_rows(parts)
    async with borrow(parts.pool) as connection:
        async with connection.transaction():
            first = await leave_row(connection, parts)
            younger = await committed_rows(parts, 3)
            assert await place_all(relay) == 1
            assert await placed_ids(owner) == [older]
            second = await leave_row(connection, parts)
        assert await place_all(relay) == 5
    assert await placed_ids(owner) == [older, first, second, *younger]


async def test_a_transaction_that_only_reads_holds_nothing_back(
    parts: Parts, relay: Relay, owner: asyncpg.Connection
) -> None:
    async with owner.transaction(isolation="repeatable_read"):
        await owner.fetchval("SELECT count(*) FROM trace")
        ids = await committed_rows(parts, 2)
        assert await place_all(relay) == 2
    assert await placed_ids(owner) == ids


async def test_an_aborted_row_leaves_no_gap(parts: Parts, relay: Relay, owner: asyncpg.Connection) -> None:
    before = await committed_rows(parts)
    async with borrow(parts.pool) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await leave_row(connection, parts)
        await transaction.rollback()
    after = await committed_rows(parts)
    assert await place_all(relay) == 2
    assert await placed_ids(owner) == before + after


async def test_a_transaction_larger_than_a_batch_is_placed_whole_and_in_order(
    parts: Parts, relay: Relay, owner: asyncpg.Connection
) -> None:
    one = trace.write_down(
        noted(),
        trace_id=uuid4(),
        at=datetime.now(UTC),
        operator=OPERATOR,
        circumstances=circumstances(),
        seal=parts.seal,
    )
    many = [{**trace.insert_arguments([one])[0], "id": uuid4()} for _ in range(2500)]
    async with borrow(parts.pool) as connection:
        await trace.INSERT.run_many(connection, many)
    assert await relay.place_batch() == 2000
    assert await place_all(relay) == 500
    assert await placed_ids(owner) == [row["id"] for row in many]


# What it tells


async def test_one_notification_carries_only_the_newest_position(
    parts: Parts, relay: Relay, owner: asyncpg.Connection
) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    await owner.add_listener(CHANNEL, heard_by(heard))
    await committed_rows(parts, 3)
    await place_all(relay)
    await committed_rows(parts, 1)
    await place_all(relay)
    assert [await asyncio.wait_for(heard.get(), 2) for _ in range(2)] == ["3", "4"]
    assert await place_all(relay) == 0
    assert heard.empty()


async def test_a_write_itself_neither_notifies_nor_makes_jobs(parts: Parts, owner: asyncpg.Connection) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    await owner.add_listener(CHANNEL, heard_by(heard))
    await committed_rows(parts, 1)
    await owner.execute("SELECT 1")
    assert heard.empty()
    assert await jobs_of(owner) == []


async def test_each_message_of_a_placed_row_has_one_job_and_it_holds_no_more_than_an_id(
    parts: Parts, relay: Relay, owner: asyncpg.Connection
) -> None:
    async with borrow(parts.pool) as connection, connection.transaction():
        trace_id = await leave_row(connection, parts)
        await leave_row(connection, parts)
        messages = [await leave_message(connection, trace_id) for _ in range(3)]
    assert await jobs_of(owner) == []
    await place_all(relay)
    assert sorted(await jobs_of(owner)) == sorted(messages)
    assert await owner.fetchval("SELECT max(length(payload)) FROM pgqueuer") == 16


# Rights


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trace SET post = 'x'",
        "DELETE FROM trace",
        "TRUNCATE trace",
        "INSERT INTO trace_position SELECT 1, id, tx, n, mac, at FROM trace",
        "UPDATE trace_position SET position = 2",
        "DELETE FROM trace_position",
        "UPDATE trace_cursor SET position = 0",
        "DELETE FROM trace_cursor",
    ],
)
async def test_the_app_may_add_to_the_trace_and_change_nothing_of_it(
    parts: Parts, relay: Relay, owner: asyncpg.Connection, statement: str
) -> None:
    ids = await committed_rows(parts)
    await place_all(relay)
    async with borrow(parts.pool) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    assert await placed_ids(owner) == ids


@pytest.mark.parametrize(
    "statement",
    ["UPDATE trace SET post = 'x'", "DELETE FROM trace", "DELETE FROM trace_position", "SELECT * FROM account"],
)
async def test_the_relay_may_place_and_nothing_else(owner: asyncpg.Connection, statement: str) -> None:
    await owner.execute(f"SET ROLE {RELAY_ROLE}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute(statement)
