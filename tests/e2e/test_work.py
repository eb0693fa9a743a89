"""One unit of work: all of its marks or none, one effect and one answer however often it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from api.reactions import Reactions
from api.wiring import APP_ROLE, Parts
from api.work import (
    STORED_ANSWER_BYTES,
    Accepted,
    Answer,
    DatabaseAway,
    InProgress,
    KeyReused,
    PredecessorMissing,
    Work,
    database_refusals,
)
from domain.inspection.events import CheckedIn, CheckInFacts
from domain.shared.clock import Clock
from domain.shared.errors import Conflict, DomainError, InvalidField
from domain.shared.numbers import NumberKind, NumberRequest
from domain.shared.sql import borrow, open_pool
from domain.shared.transaction import Outcome, Transaction
from tests.support.acts import OPERATOR, do_nothing, noted, principal, save_scene, submission
from tests.support.database import Database

Operation = Callable[[Transaction], Awaitable[Outcome[str]]]
MARKS = ("scene", "trace", "message", "idempotency", "issued_number", "number_counter")

REACTIONS = Reactions(embargo_working_days=0)


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything, to see and to hinder."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


@asynccontextmanager
async def another_process(database: Database, parts: Parts) -> AsyncGenerator[Work]:
    """A second server process over the same database: its own pool and its own memory."""
    pool = await open_pool(database.dsn, size=8, role=APP_ROLE, application="other process")
    try:
        yield Work(
            pool, clock=parts.clock, random=parts.random, vault=parts.vault, seal=parts.seal, reactions=REACTIONS
        )
    finally:
        await pool.close()


async def rows_of(owner: asyncpg.Connection) -> dict[str, int]:
    """How many rows each table holds in which an act leaves a mark."""
    return {table: len(await owner.fetch(f"SELECT 1 FROM {table}")) for table in MARKS}  # noqa: S608


def marks(**rows: int) -> dict[str, int]:
    return dict.fromkeys(MARKS, 0) | rows


def checked_in(flags: list[str]) -> CheckedIn:
    """The one event that causes messages: one to the enterprise, one more to leads when a flag is raised."""
    facts = CheckInFacts(
        check_in_id=uuid4(),
        visit_id=uuid4(),
        visit_sequence=1,
        department_id=uuid4(),
        officer_id=uuid4(),
        second_officer_id=uuid4(),
        means="printed_code",
        flags=flags,
        distance_outside_m=None,
        done_at=datetime.now(UTC),
    )
    return CheckedIn(
        subject_id=uuid4(),
        after=facts,
        is_news=True,
        enterprise_id=uuid4(),
        department_name="市监局",
        officer_count=2,
        notice_number=None,
        hotline=None,
    )


def saving(code: str = "S01", *, seconds: float = 0.0) -> Operation:
    """State, one event with two messages, and a number."""

    async def operation(tx: Transaction) -> Outcome[str]:
        await save_scene(tx.connection, code)
        await asyncio.sleep(seconds)
        request = NumberRequest(department_code="DEP", kind=NumberKind.NOTICE, subject_id=uuid4())
        return Outcome(answer=code, events=(checked_in(["outside"]),), numbers=(request,))

    return operation


ALL_MARKS_ONCE = marks(scene=1, trace=1, message=2, idempotency=1, issued_number=1, number_counter=1)


# All marks or none


async def test_state_trace_outbox_number_and_answer_are_stored_by_one_transaction(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    seen: list[dict[str, int]] = []

    async def looked_at(tx: Transaction) -> Outcome[str]:
        outcome = await saving()(tx)
        seen.append(await rows_of(owner))
        return outcome

    answer = await parts.work.submit(submission(principal(), "key-00001"), looked_at)
    assert seen == [marks()]
    assert await rows_of(owner) == ALL_MARKS_ONCE
    transactions = await owner.fetch(
        "SELECT xmin::text FROM scene UNION SELECT xmin::text FROM trace UNION SELECT xmin::text FROM message "
        "UNION SELECT xmin::text FROM idempotency UNION SELECT xmin::text FROM issued_number"
    )
    assert len(transactions) == 1
    assert await owner.fetchval("SELECT answer FROM idempotency") == answer.body
    linked = await owner.fetchval("SELECT count(*) FROM message JOIN trace ON trace.id = message.trace_id")
    assert linked == 2


class Refused(DomainError):
    """A rule said no."""


async def refuse(tx: Transaction) -> Outcome[str]:
    await saving()(tx)
    raise Refused


async def break_down(tx: Transaction) -> Outcome[str]:
    await saving()(tx)
    raise ZeroDivisionError


async def violate(tx: Transaction) -> Outcome[str]:
    await saving()(tx)
    await tx.connection.execute("INSERT INTO scene (code, name, place) VALUES ('S01', 'x', 1)")
    return Outcome(answer="")


async def violate_at_commit(tx: Transaction) -> Outcome[str]:
    await save_scene(tx.connection, "S99", place=99)  # the trigger of `deferred_refusal` speaks at commit only
    return Outcome(answer="", events=(checked_in([]),))


async def write_an_unwritable_trace(tx: Transaction) -> Outcome[str]:
    await saving()(tx)
    return Outcome(answer="", events=(noted(region="a\x00b"),))


async def answer_what_cannot_be_encoded(tx: Transaction) -> Outcome[Any]:
    outcome = await saving()(tx)
    return Outcome(answer=object(), events=outcome.events)


@pytest_asyncio.fixture(loop_scope="module")
async def deferred_refusal(owner: asyncpg.Connection) -> AsyncGenerator[None]:
    """Scenes of place 99 are refused, but only when the transaction commits."""
    await owner.execute(
        """
        CREATE FUNCTION refuse_place_99() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'place 99' USING ERRCODE = 'check_violation', CONSTRAINT = 'no_99'; END $$;
        CREATE CONSTRAINT TRIGGER refuse_place_99 AFTER INSERT OR UPDATE ON scene DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.place = 99) EXECUTE FUNCTION refuse_place_99()
        """
    )
    yield
    await owner.execute("DROP FUNCTION refuse_place_99 CASCADE")


@pytest.mark.usefixtures("deferred_refusal")
@pytest.mark.parametrize(
    ("operation", "failure"),
    [
        (refuse, Refused),
        (break_down, ZeroDivisionError),
        (violate, Conflict),
        (violate_at_commit, Conflict),
        (write_an_unwritable_trace, InvalidField),
        (answer_what_cannot_be_encoded, TypeError),
    ],
)
async def test_a_failure_of_any_kind_leaves_no_mark_and_frees_the_key(
    parts: Parts, owner: asyncpg.Connection, operation: Operation, failure: type[Exception]
) -> None:
    write = submission(principal(), "key-00001")
    with pytest.raises(failure):
        await parts.work.submit(write, operation)
    assert await rows_of(owner) == marks()
    answer = await parts.work.submit(write, saving())
    assert not answer.replayed
    assert await rows_of(owner) == ALL_MARKS_ONCE


async def test_a_conflict_names_its_constraint(parts: Parts) -> None:
    with pytest.raises(Conflict) as refused:
        await parts.work.submit(submission(principal(), "key-00001"), violate)
    assert refused.value.facts == {"constraint": "pk_scene"}


async def test_a_write_whose_client_went_away_leaves_no_mark_and_frees_the_key(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    write = submission(principal(), "key-00001")
    leading = asyncio.create_task(parts.work.submit(write, saving(seconds=30)))
    await asyncio.sleep(0.1)
    waiting = asyncio.create_task(parts.work.submit(write, saving()))
    await asyncio.sleep(0.05)
    leading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leading
    with pytest.raises(InProgress):
        await waiting
    assert await rows_of(owner) == marks()
    await parts.work.submit(write, saving())
    assert await rows_of(owner) == ALL_MARKS_ONCE


async def test_a_connection_lost_under_way_is_told_as_such_and_leaves_no_mark(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    async def cut_off(tx: Transaction) -> Outcome[str]:
        outcome = await saving()(tx)
        backend = await tx.connection.fetchrow("SELECT pg_backend_pid()")
        await owner.execute("SELECT pg_terminate_backend($1)", backend[0])
        return outcome

    write = submission(principal(), "key-00001")
    with pytest.raises(DatabaseAway):
        await parts.work.submit(write, cut_off)
    assert await rows_of(owner) == marks()
    assert not (await parts.work.submit(write, saving())).replayed


async def test_a_database_whose_socket_is_not_there_is_away_until_it_is(
    database: Database, owner: asyncpg.Connection, tmp_path: Path
) -> None:
    place = parse_qs(urlsplit(database.dsn).query)["host"][0]
    door = tmp_path / "run"
    door.symlink_to(place)
    pool = await open_pool(database.dsn.replace(place, str(door)), size=1, role=APP_ROLE, application="restarting")
    ended = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = 'restarting'"
    try:
        door.unlink()
        assert await owner.fetchval(ended) == 1
        with pytest.raises(DatabaseAway):
            async with database_refusals(), borrow(pool) as connection:
                await connection.fetchrow("SELECT 1")
        with pytest.raises(DatabaseAway):
            async with database_refusals(), borrow(pool) as connection:
                await connection.fetchrow("SELECT 1")
        door.symlink_to(place)
        async with database_refusals(), borrow(pool) as connection:
            assert await connection.fetchrow("SELECT 1")
    finally:
        pool.terminate()


@pytest.mark.parametrize(
    "lost",
    [
        asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"),
        asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
        ConnectionRefusedError(),
        TimeoutError(),
    ],
    ids=lambda lost: type(lost).__name__,
)
async def test_however_a_connection_is_lost_the_client_is_told_to_come_again(lost: Exception) -> None:
    with pytest.raises(DatabaseAway):
        async with database_refusals():
            raise lost


async def test_an_operation_without_a_key_leaves_all_its_marks_too(parts: Parts, owner: asyncpg.Connection) -> None:
    assert await parts.work.run(OPERATOR, saving()) == "S01"
    assert await rows_of(owner) == ALL_MARKS_ONCE | {"idempotency": 0}
    assert await owner.fetchval("SELECT operator_name FROM trace") == OPERATOR.name
    with pytest.raises(Refused):
        await parts.work.run(OPERATOR, refuse)
    assert await rows_of(owner) == ALL_MARKS_ONCE | {"idempotency": 0}


async def test_a_message_is_written_for_what_the_reaction_says_and_for_nothing_else(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    events = (checked_in([]), noted("silent"), checked_in(["stale"]))
    assert [len(Reactions(embargo_working_days=0).messages(event)) for event in events] == [1, 0, 2]

    async def operation(_tx: Transaction) -> Outcome[str]:
        return Outcome(answer="", events=events)

    await parts.work.submit(submission(principal(), "key-00001"), operation)
    counted = await owner.fetch(
        "SELECT count(message.id) FROM trace LEFT JOIN message ON trace.id = trace_id GROUP BY trace.id, n ORDER BY n"
    )
    assert [count for (count,) in counted] == [1, 0, 2]


# One effect, one answer


async def test_twenty_equal_writes_at_once_have_one_effect_and_one_answer(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    by = principal()
    done: list[int] = []

    async def counted(tx: Transaction) -> Outcome[str]:
        done.append(1)
        return await saving(seconds=0.05)(tx)

    answers = await asyncio.gather(*(parts.work.submit(submission(by, "key-00001"), counted) for _ in range(20)))
    assert len(done) == 1
    assert len({answer.body for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 19
    assert await rows_of(owner) == ALL_MARKS_ONCE


async def test_twenty_equal_writes_need_one_connection(parts: Parts, owner: asyncpg.Connection) -> None:
    used: list[int] = []

    async def counting(tx: Transaction) -> Outcome[str]:
        await asyncio.sleep(0.05)
        busy = await owner.fetch(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'tests' AND state <> 'idle' "
            "AND datname = current_database()"
        )
        used.append(len(busy))
        return await do_nothing(tx)

    by = principal()
    await asyncio.gather(*(parts.work.submit(submission(by, "key-00001"), counting) for _ in range(20)))
    assert used == [1]


async def test_equal_writes_to_two_processes_have_one_effect_and_the_losers_learn_the_same_answer(
    parts: Parts, database: Database, owner: asyncpg.Connection
) -> None:
    by = principal()

    async def send(work: Work) -> Answer | InProgress:
        try:
            return await work.submit(submission(by, "key-00001"), saving(seconds=0.1))
        except InProgress as busy:
            return busy

    async with another_process(database, parts) as other:
        results = await asyncio.gather(*(send(work) for _ in range(10) for work in (parts.work, other)))
        answers = [result for result in results if isinstance(result, Answer)]
        again = [await work.submit(submission(by, "key-00001"), saving()) for work in (parts.work, other)]
    assert len({answer.body for answer in (*answers, *again)}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert all(answer.replayed for answer in again)
    assert await rows_of(owner) == ALL_MARKS_ONCE


async def test_a_loser_does_not_wait_longer_than_two_seconds(parts: Parts, database: Database) -> None:
    by = principal()
    loop = asyncio.get_running_loop()
    async with another_process(database, parts) as other:
        winner = asyncio.create_task(other.submit(submission(by, "key-00001"), saving(seconds=2.6)))
        await asyncio.sleep(0.1)
        begun = loop.time()
        with pytest.raises(InProgress):
            await parts.work.submit(submission(by, "key-00001"), saving())
        assert 1.8 < loop.time() - begun < 2.5
        won = await winner
    stored = await parts.work.submit(submission(by, "key-00001"), saving())
    assert (stored.body, stored.status, stored.replayed) == (won.body, won.status, True)


async def test_a_stored_answer_outlives_what_it_tells_of(parts: Parts, owner: asyncpg.Connection) -> None:
    write = submission(principal(), "key-00001")
    first = await parts.work.submit(write, saving())
    await owner.execute("DELETE FROM scene")
    again = await parts.work.submit(write, refuse)
    assert (again.body, again.status, again.replayed) == (first.body, first.status, True)
    assert await rows_of(owner) == ALL_MARKS_ONCE | {"scene": 0}


async def test_a_key_belongs_to_its_principal(parts: Parts, owner: asyncpg.Connection) -> None:
    answers = [await parts.work.submit(submission(principal(), "key-00001"), saving(code)) for code in ("S01", "S02")]
    assert not any(answer.replayed for answer in answers)
    assert (await rows_of(owner))["scene"] == 2


async def test_a_key_reused_with_another_body_is_refused_and_the_first_answer_stays(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    by = principal()
    first = await parts.work.submit(submission(by, "key-00001", b"one"), saving())
    with pytest.raises(KeyReused) as refused:
        await parts.work.submit(submission(by, "key-00001", b"two"), saving("S02"))
    assert refused.value.field == "Idempotency-Key"
    assert await rows_of(owner) == ALL_MARKS_ONCE
    assert (await parts.work.submit(submission(by, "key-00001", b"one"), refuse)).body == first.body


async def test_a_key_reused_while_the_first_is_under_way_is_refused_too(parts: Parts) -> None:
    by = principal()
    first = asyncio.create_task(parts.work.submit(submission(by, "key-00001", b"one"), saving(seconds=0.2)))
    await asyncio.sleep(0.05)
    with pytest.raises(KeyReused):
        await parts.work.submit(submission(by, "key-00001", b"two"), saving("S02"))
    assert not (await first).replayed


def receipt_of(answer: Answer) -> dict[str, Any]:
    return msgspec.json.decode(answer.body)["receipt"]


@pytest.mark.parametrize("length", [STORED_ANSWER_BYTES - 400, STORED_ANSWER_BYTES])
async def test_an_answer_too_long_to_store_is_replayed_as_its_receipt_and_location(parts: Parts, length: int) -> None:
    async def long(_tx: Transaction) -> Outcome[str]:
        return Outcome(answer="x" * length, location="/api/v1/inspections/1")

    write = submission(principal(), "key-00001")
    first = await parts.work.submit(write, long)
    again = await parts.work.submit(write, long)
    assert (first.location, again.location) == ("/api/v1/inspections/1", "/api/v1/inspections/1")
    assert receipt_of(again) == receipt_of(first)
    stored = len(first.body) <= STORED_ANSWER_BYTES
    assert stored is (length < STORED_ANSWER_BYTES)
    assert msgspec.json.decode(again.body)["result"] == ("x" * length if stored else None)


async def test_a_receipt_tells_what_came_and_when(parts: Parts, owner: asyncpg.Connection) -> None:
    write = submission(principal(), "key-00001", b"body")
    accepted = msgspec.json.decode((await parts.work.submit(write, saving())).body, type=Accepted[str])
    assert accepted.result == "S01"
    assert accepted.receipt.digest == write.fingerprint.hex()
    row = await owner.fetchrow("SELECT receipt_id, received_at FROM idempotency")
    assert row is not None
    assert tuple(row) == (accepted.receipt.id, accepted.receipt.received_at)


# Predecessors


async def test_a_write_waits_for_its_predecessor(parts: Parts, owner: asyncpg.Connection) -> None:
    by = principal()
    later = submission(by, "key-00002", after="key-00001")
    with pytest.raises(PredecessorMissing) as refused:
        await parts.work.submit(later, saving())
    assert refused.value.facts == {"after": "key-00001"}
    assert await rows_of(owner) == marks()
    await parts.work.submit(submission(by, "key-00001"), do_nothing)
    assert not (await parts.work.submit(later, saving())).replayed


async def test_a_predecessor_that_was_refused_or_is_anothers_does_not_count(parts: Parts) -> None:
    by = principal()
    with pytest.raises(Refused):
        await parts.work.submit(submission(by, "key-00001"), refuse)
    await parts.work.submit(submission(principal(), "key-00001"), do_nothing)
    with pytest.raises(PredecessorMissing):
        await parts.work.submit(submission(by, "key-00002", after="key-00001"), saving())


# Time


def the_clock(instant: datetime) -> Clock:
    return lambda: instant


@pytest.mark.parametrize(
    ("claimed", "believed"),
    [(None, 0), (timedelta(hours=-72), -72), (timedelta(0), 0), (timedelta(hours=1), 0)],
)
async def test_done_at_is_the_phones_time_but_never_later_than_ours(
    parts: Parts, claimed: timedelta | None, believed: int
) -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    work = Work(
        parts.pool, clock=the_clock(now), random=parts.random, vault=parts.vault, seal=parts.seal, reactions=REACTIONS
    )
    seen: list[tuple[datetime, datetime]] = []

    async def operation(tx: Transaction) -> Outcome[str]:
        seen.append((tx.now, tx.done_at))
        return await do_nothing(tx)

    done_at = None if claimed is None else now + claimed
    await work.submit(submission(principal(), "key-00001", done_at=done_at), operation)
    assert seen == [(now, now + timedelta(hours=believed))]


# Locks


async def test_a_row_locked_elsewhere_is_in_progress_after_two_seconds(parts: Parts, owner: asyncpg.Connection) -> None:
    await save_scene(owner, "S01")
    write = submission(principal(), "key-00001")
    loop = asyncio.get_running_loop()
    async with owner.transaction():
        await owner.execute("UPDATE scene SET place = 2")
        begun = loop.time()
        with pytest.raises(InProgress):
            await parts.work.submit(write, saving())
        assert 1.8 < loop.time() - begun < 2.5
    assert (await rows_of(owner))["idempotency"] == 0
    assert not (await parts.work.submit(write, saving())).replayed


async def test_operations_that_cross_are_done_again_and_both_succeed(parts: Parts, owner: asyncpg.Connection) -> None:
    await save_scene(owner, "S01", place=0)
    await save_scene(owner, "S02", place=0)
    tries: list[str] = []
    both_hold_one = asyncio.Barrier(2)

    def crossing(first: str, second: str) -> Operation:
        async def operation(tx: Transaction) -> Outcome[str]:
            tries.append(first)
            lift = "UPDATE scene SET place = place + 1 WHERE code = $1"
            await tx.connection.execute(lift, first)
            if len(tries) <= 2:
                await both_hold_one.wait()
            await tx.connection.execute(lift, second)
            return Outcome(answer=first, events=(noted(first),))

        return operation

    await asyncio.gather(
        parts.work.submit(submission(principal(), "key-00001"), crossing("S01", "S02")),
        parts.work.run(OPERATOR, crossing("S02", "S01")),
    )
    assert len(tries) == 3
    assert [place for (place,) in await owner.fetch("SELECT place FROM scene")] == [2, 2]
    assert await rows_of(owner) == marks(scene=2, trace=2, idempotency=1)


async def test_operations_that_always_cross_are_in_progress_at_last(parts: Parts) -> None:
    tries: list[UUID] = []

    async def crossed(tx: Transaction) -> Outcome[str]:
        tries.append(tx.new_id())
        await tx.connection.execute("DO $$ BEGIN RAISE EXCEPTION 'crossed' USING ERRCODE = 'deadlock_detected'; END $$")
        return Outcome(answer="")

    with pytest.raises(InProgress):
        await parts.work.submit(submission(principal(), "key-00001"), crossed)
    assert len(tries) == 3
