"""The worker: a message is delivered once, tried again when it fails, given up visibly; what is old is swept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from api import jobs
from api.jobs import ANSWERS_KEPT, deliver_message, run_worker, sweep
from api.lost_jobs import requeue_lost
from api.wiring import APP_ROLE, Parts
from domain.identity.store import INSERT_ACCOUNT, INSERT_SESSION
from domain.shared.sql import Command, borrow, open_pool
from domain.shared.transaction import Outcome, Transaction
from notifications import outbox
from notifications.deliver import ATTEMPTS, Driver, Undeliverable
from notifications.message import Channel, Message, Recipient
from notifications.outbox import StoredMessage
from tests.support.acts import OPERATOR, do_nothing, noted, principal, submission
from tests.support.database import Database
from tests.support.relaying import open_relay, place_all

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_WRITE_MESSAGE = Command(outbox.INSERT)


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything, to see and to hinder."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


class Gateway:
    """A gateway that keeps what it was handed, and fails as often as it is told to."""

    def __init__(self, *, failures: int = 0, seconds: float = 0.0) -> None:
        self.failures = failures
        self.seconds = seconds
        self.sent: list[tuple[UUID, str]] = []

    async def send(self, message: StoredMessage, text: str) -> None:
        await asyncio.sleep(self.seconds)
        if self.failures:
            self.failures -= 1
            raise Undeliverable("the gateway is closed")
        self.sent.append((message.id, text))

    @property
    def ids(self) -> list[UUID]:
        return [message_id for message_id, _ in self.sent]


def drivers(gateway: Driver) -> Mapping[Channel, Driver]:
    return dict.fromkeys(Channel, gateway)


async def waiting_messages(parts: Parts, count: int = 1) -> list[UUID]:
    """Messages in the outbox, caused by one act that is not yet placed."""
    ids = [uuid4() for _ in range(count)]

    async def operation(_tx: Transaction) -> Outcome[None]:
        return Outcome(answer=None, events=(noted(),))

    await parts.work.run(OPERATOR, operation)
    async with borrow(parts.pool) as connection:
        trace_id = (await connection.fetchrow("SELECT id FROM trace"))["id"]
        message = Message(
            template="position_in_doubt",
            channel=Channel.IN_APP,
            recipient=Recipient.DEPARTMENT_LEADS,
            recipient_id=uuid4(),
            parameters={"inspection_id": "7", "flags": "stale"},
        )
        rows = [(message_id, trace_id, message) for message_id in ids]
        await _WRITE_MESSAGE.run_many(connection, outbox.insert_arguments(rows, NOW))
    return ids


@asynccontextmanager
async def worker(database: Database, parts: Parts, gateway: Driver) -> AsyncGenerator[None]:
    """One worker process's work, told to stop at the end."""
    pool = await open_pool(database.dsn, size=6, role=APP_ROLE, application="test queue", json_values=False)
    stop = asyncio.Event()
    task = asyncio.create_task(run_worker(parts, pool, drivers(gateway), stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 8)
        await pool.close()


async def place(database: Database, parts: Parts) -> None:
    """Place what waits, so that its messages have jobs."""
    async with open_relay(database, parts) as relay:
        assert await place_all(relay) > 0


async def until_empty(owner: asyncpg.Connection, seconds: float = 8) -> None:
    """Wait until no job is left."""
    async with asyncio.timeout(seconds):
        while await owner.fetchval("SELECT count(*) FROM pgqueuer"):
            await asyncio.sleep(0.05)


async def state_of(owner: asyncpg.Connection, message_id: UUID) -> tuple[str, int, str | None]:
    row = await owner.fetchrow("SELECT state, attempts, last_error FROM message WHERE id = $1", message_id)
    assert row is not None
    return row["state"], row["attempts"], row["last_error"]


# One message


async def test_a_message_is_delivered_with_its_text_and_marked_with_the_time(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    gateway = Gateway()
    begun = datetime.now(UTC)
    assert await deliver_message(parts, drivers(gateway), message)
    assert gateway.sent == [(message, "位置待核：检查任务7的报到位置存疑（stale），请核实。")]
    assert await state_of(owner, message) == ("delivered", 1, None)
    [(delivered_at,)] = await owner.fetch("SELECT delivered_at FROM message")
    assert begun <= delivered_at <= datetime.now(UTC)


async def test_a_delivered_message_is_not_sent_again(parts: Parts) -> None:
    [message] = await waiting_messages(parts)
    gateway = Gateway()
    for _ in range(2):
        assert await deliver_message(parts, drivers(gateway), message)
    assert gateway.ids == [message]


async def test_a_message_that_two_take_at_once_is_sent_once(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts)
    gateway = Gateway(seconds=0.2)
    await asyncio.gather(*(deliver_message(parts, drivers(gateway), message) for _ in range(4)))
    assert gateway.ids == [message]
    assert await state_of(owner, message) == ("delivered", 1, None)


async def test_an_undeliverable_message_is_tried_again_and_given_up_at_last(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    gateway = Gateway(failures=ATTEMPTS)
    for attempt in range(1, ATTEMPTS):
        assert not await deliver_message(parts, drivers(gateway), message)
        assert await state_of(owner, message) == ("waiting", attempt, "the gateway is closed")
    assert await deliver_message(parts, drivers(gateway), message)
    assert await state_of(owner, message) == ("abandoned", ATTEMPTS, "the gateway is closed")
    assert await deliver_message(parts, drivers(gateway), message)
    assert gateway.sent == []


async def test_a_message_delivered_after_failures_keeps_no_error(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts)
    gateway = Gateway(failures=2)
    outcomes = [await deliver_message(parts, drivers(gateway), message) for _ in range(3)]
    assert outcomes == [False, False, True]
    assert await state_of(owner, message) == ("delivered", 3, None)


# The worker


async def test_two_workers_at_once_deliver_each_message_once(
    parts: Parts, database: Database, owner: asyncpg.Connection
) -> None:
    messages = await waiting_messages(parts, 40)
    gateway = Gateway(seconds=0.01)
    async with worker(database, parts, gateway), worker(database, parts, gateway):
        await place(database, parts)
        await until_empty(owner)
    assert sorted(gateway.ids) == sorted(messages)
    assert await owner.fetchval("SELECT count(*) FROM message WHERE state = 'delivered' AND attempts = 1") == 40


class UnluckyGateway(Gateway):
    """Refuses a few times; and while it first answers, the worker loses its connection."""

    def __init__(self, owner: asyncpg.Connection) -> None:
        super().__init__(failures=3)
        self.owner = owner

    async def send(self, message: StoredMessage, text: str) -> None:
        await super().send(message, text)
        if len(self.sent) == 1:
            await self.owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tests' "
                "AND datname = current_database() AND state = 'idle in transaction'"
            )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried again soon."""

    def soon(_attempts: int, _random: object) -> timedelta:
        return timedelta(seconds=0.05)

    monkeypatch.setattr(jobs, "_back_off", soon)


@pytest.mark.usefixtures("impatient")
async def test_a_job_stays_until_it_succeeds_over_refusals_and_a_lost_connection(
    parts: Parts, database: Database, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    gateway = UnluckyGateway(owner)
    await place(database, parts)
    async with worker(database, parts, gateway):
        await until_empty(owner)
    assert gateway.ids == [message] * 2  # the one window in which a message may be sent twice
    assert await state_of(owner, message) == ("delivered", 4, None)


def test_retries_come_later_and_later_but_never_later_than_fifteen_minutes() -> None:
    def least(count: int) -> bytes:
        return bytes(count)

    def most(count: int) -> bytes:
        return b"\xff" * count

    back_off = jobs._back_off  # pyright: ignore[reportPrivateUsage]
    assert [back_off(attempts, least).total_seconds() for attempts in range(4)] == [2, 4, 8, 16]
    assert [back_off(attempts, most).total_seconds() for attempts in range(3)] == [3, 6, 12]
    assert back_off(60, least) == timedelta(minutes=10)
    assert back_off(60, most) == timedelta(minutes=15)


# Sweeping


async def test_only_answers_older_than_180_days_are_forgotten(parts: Parts, owner: asyncpg.Connection) -> None:
    ages = [timedelta(0), ANSWERS_KEPT - timedelta(seconds=1), ANSWERS_KEPT, ANSWERS_KEPT + timedelta(seconds=1)]
    by = principal()
    for number, age in enumerate(ages):
        await parts.work.submit(submission(by, f"key-{number:05}"), do_nothing)
        await owner.execute("UPDATE idempotency SET received_at = $1 WHERE key = $2", NOW - age, f"key-{number:05}")
    await sweep(msgspec.structs.replace(parts, clock=lambda: NOW))
    kept = await owner.fetch("SELECT key FROM idempotency ORDER BY key")
    assert [key for (key,) in kept] == ["key-00000", "key-00001", "key-00002"]
    assert timedelta(days=180) == ANSWERS_KEPT


async def test_only_sessions_that_are_over_are_forgotten(parts: Parts, owner: asyncpg.Connection) -> None:
    account = uuid4()
    ends = {uuid4(): NOW + timedelta(seconds=1), uuid4(): NOW - timedelta(seconds=1)}
    async with borrow(parts.pool) as connection:
        await INSERT_ACCOUNT.run(
            connection,
            id=account,
            login="lead",
            name="韦领导",
            role="lead",
            post="局长",
            password_hash="",
            department_id=None,
            region=None,
            officer_id=None,
            enterprise_id=None,
            enterprise_post=None,
            site_ids=None,
            disabled_at=None,
            created_at=NOW,
        )
        for session, expires_at in ends.items():
            await INSERT_SESSION.run(
                connection, id=session, account_id=account, generation=0, started_at=NOW, expires_at=expires_at
            )
    await sweep(msgspec.structs.replace(parts, clock=lambda: NOW))
    assert [row["id"] for row in await owner.fetch("SELECT id FROM session")] == [next(iter(ends))]


# Jobs that got lost


async def test_what_waits_without_a_job_gets_one_again_and_only_one(
    database: Database, parts: Parts, owner: asyncpg.Connection
) -> None:
    [message_id] = await waiting_messages(parts)
    await place(database, parts)
    await owner.execute("DELETE FROM pgqueuer")  # what is left when the database dies while a retry is noted
    later = datetime.now(UTC) + timedelta(minutes=2)
    pool = await open_pool(database.dsn, size=2, role=APP_ROLE, application="test queue", json_values=False)
    try:
        fresh = await requeue_lost(pool, lambda: NOW)
        found = [await requeue_lost(pool, lambda: later) for _ in range(2)]
    finally:
        await pool.close()

    assert (fresh, found) == (0, [1, 0])
    gateway = Gateway()
    async with worker(database, parts, gateway):
        await until_empty(owner)
    assert gateway.ids == [message_id]


@pytest.mark.usefixtures("parts")
async def test_a_chore_without_a_job_gets_one_too(database: Database, owner: asyncpg.Connection) -> None:
    await owner.execute(
        "INSERT INTO chore (id, trace_id, kind, subject, created_at) VALUES ($1, $2, 'copy_evidence', $3, $4)",
        uuid4(), uuid4(), bytes(32), NOW,
    )  # fmt: skip
    pool = await open_pool(database.dsn, size=2, role=APP_ROLE, application="test queue", json_values=False)
    try:
        assert await requeue_lost(pool, lambda: datetime.now(UTC)) == 1
    finally:
        await pool.close()
    assert await owner.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'perform_chore'") == 1
