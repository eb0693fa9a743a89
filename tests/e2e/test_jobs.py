"""The worker: a message is delivered once, tried again when it fails, given up visibly; what is old is swept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from api import jobs
from api.delivery import claim, engine
from api.delivery.engine import deliver
from api.delivery.senders import Senders
from api.jobs import ANSWERS_KEPT, run_worker, sweep
from api.lost_jobs import requeue_lost
from api.rounds import Turns
from api.wiring import APP_ROLE, Parts
from domain.identity.store import INSERT_ACCOUNT, INSERT_SESSION
from domain.shared.sql import borrow, open_pool
from notifications.message import Purpose
from notifications.outcome import Accepted, Reason
from notifications.sms.port import OutgoingSms
from tests.support.acts import do_nothing, principal, submission
from tests.support.database import Database
from tests.support.relaying import open_relay, place_all
from tests.support.sending import FakeProvider, by_sms, refusal, state_of, waiting_messages

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything, to see and to hinder."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


@asynccontextmanager
async def worker(database: Database, parts: Parts, senders: Senders) -> AsyncGenerator[None]:
    """One worker process's work, told to stop at the end."""
    pool = await open_pool(database.dsn, size=6, role=APP_ROLE, application="test queue", json_values=False)
    stop = asyncio.Event()
    task = asyncio.create_task(run_worker(parts, pool, senders, stop))
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


# The worker


async def test_two_workers_at_once_deliver_each_message_once(
    parts: Parts, database: Database, owner: asyncpg.Connection
) -> None:
    messages = await waiting_messages(parts, 40)
    provider = FakeProvider(seconds=0.01)
    senders = by_sms(provider)
    async with worker(database, parts, senders), worker(database, parts, senders):
        await place(database, parts)
        await until_empty(owner)
    tries = await owner.fetch("SELECT id, message_id FROM message_attempt WHERE state = 'accepted'")
    assert sorted(sms.reference for sms in provider.taken) == sorted(each["id"] for each in tries)
    assert sorted(each["message_id"] for each in tries) == sorted(messages)
    assert await owner.fetchval("SELECT count(*) FROM message WHERE state = 'sent' AND attempts = 1") == 40


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried again soon."""

    def soon(_attempts: int, _chance: object, _longest: float = 0) -> timedelta:
        return timedelta(seconds=0.05)

    for module in (jobs, claim, engine):
        monkeypatch.setattr(module, "_back_off" if module is jobs else "back_off", soon)


@pytest.mark.usefixtures("impatient")
async def test_a_job_stays_until_it_succeeds_over_refusals(
    parts: Parts, database: Database, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(refusals=[refusal(Reason.PROVIDER_AWAY)] * 3)
    await place(database, parts)
    async with worker(database, parts, by_sms(provider)):
        await until_empty(owner)
    assert len(provider.taken) == 1
    assert await state_of(owner, message) == ("sent", 4, None)


async def test_what_a_provider_said_is_kept_although_the_database_was_away_when_it_said_it(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    class Unlucky(FakeProvider):
        async def _hand_over(self, sms: OutgoingSms) -> Accepted:
            accepted = await super()._hand_over(sms)
            await owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tests' "
                "AND datname = current_database()"
            )
            return accepted

    [message] = await waiting_messages(parts)
    provider = Unlucky()
    assert await deliver(parts, by_sms(provider), message) is None
    assert len(provider.taken) == 1
    assert await state_of(owner, message) == ("sent", 1, None)


async def test_a_round_is_gone_by_one_worker_at_a_time_and_by_another_once_that_one_is_dead(
    database: Database, owner: asyncpg.Connection
) -> None:
    pool = await open_pool(database.dsn, size=4, role=APP_ROLE, application="test turns", json_values=False)
    try:
        async with Turns(pool) as first, Turns(pool) as second:
            async with first.turn("sweep") as held, second.turn("sweep") as also, second.turn("dump") as other:
                assert (held, also, other) == (True, False, True)
            async with second.turn("sweep") as held:
                assert held
            async with first.turn("sweep") as held:
                assert held
                await owner.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                    "WHERE locktype = 'advisory' AND application_name = 'test turns'"
                )
                async with asyncio.timeout(5):
                    while True:
                        async with second.turn("sweep") as taken:
                            if taken:
                                break
                        await asyncio.sleep(0.02)
            async with first.turn("sweep") as held:
                assert held
    finally:
        await pool.close()


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
    assert back_off(60, least, 15) == timedelta(seconds=15)


async def test_who_waits_for_a_code_does_not_stand_behind_reminders(
    parts: Parts, database: Database, owner: asyncpg.Connection
) -> None:
    for purpose in (Purpose.REMINDER, Purpose.VERIFICATION, Purpose.LEGAL_NOTICE):
        await waiting_messages(parts, 2, purpose=purpose)
    await place(database, parts)
    placed = await owner.fetch(
        "SELECT message.purpose FROM pgqueuer JOIN message ON payload = uuid_send(message.id) ORDER BY priority DESC"
    )
    assert [row["purpose"] for row in placed] == ["verification"] * 2 + ["legal_notice"] * 2 + ["reminder"] * 2
    await owner.execute("UPDATE pgqueuer SET priority = 0")
    lost = await owner.fetch("DELETE FROM pgqueuer RETURNING id")
    pool = await open_pool(database.dsn, size=2, role=APP_ROLE, application="test queue", json_values=False)
    try:
        assert await requeue_lost(pool, lambda: datetime.now(UTC) + timedelta(minutes=1)) == len(lost)
    finally:
        await pool.close()
    found = await owner.fetch("SELECT priority FROM pgqueuer ORDER BY priority")
    assert [row["priority"] for row in found] == [0, 0, 3, 3, 4, 4]


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
    provider = FakeProvider()
    async with worker(database, parts, by_sms(provider)):
        await until_empty(owner)
    assert len(provider.taken) == 1
    assert (await state_of(owner, message_id))[0] == "sent"


async def test_what_waits_for_the_morning_gets_no_job_before(
    database: Database, parts: Parts, owner: asyncpg.Connection
) -> None:
    [message_id] = await waiting_messages(parts)
    morning = datetime.now(UTC) + timedelta(hours=9)
    await owner.execute("UPDATE message SET not_before = $2 WHERE id = $1", message_id, morning)
    pool = await open_pool(database.dsn, size=2, role=APP_ROLE, application="test queue", json_values=False)
    try:
        night = await requeue_lost(pool, lambda: morning - timedelta(hours=1))
        day = await requeue_lost(pool, lambda: morning + timedelta(minutes=1))
    finally:
        await pool.close()
    assert (night, day) == (0, 1)


async def test_more_lost_jobs_than_a_page_holds_are_all_made_anew(
    database: Database, parts: Parts, owner: asyncpg.Connection
) -> None:
    await waiting_messages(parts, 1203)
    pool = await open_pool(database.dsn, size=2, role=APP_ROLE, application="test queue", json_values=False)
    try:
        assert await requeue_lost(pool, lambda: datetime.now(UTC) + timedelta(minutes=1)) == 1203
    finally:
        await pool.close()
    assert await owner.fetchval("SELECT count(*) FROM pgqueuer") == 1203


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
