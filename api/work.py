"""`Work`: one unit of work for routes, jobs and the command line alike.

One transaction carries the state, the trace, the outbox and the idempotency row; it is committed before the answer is
sent. A request that comes twice has one effect and one answer, however many processes serve it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa

from api.reactions import Reactions
from domain.identity.model import Principal
from domain.shared import chores, trace
from domain.shared.clock import Clock
from domain.shared.errors import Conflict, DomainError, InvalidField
from domain.shared.events import Circumstances, Operator
from domain.shared.ids import new_id
from domain.shared.numbers import issue_numbers
from domain.shared.random import Random
from domain.shared.sql import Command, Connection, Pool, Query, borrow
from domain.shared.tables import idempotency
from domain.shared.trace import TraceSeal, write_down
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault
from notifications import outbox

A = TypeVar("A")
STORED_ANSWER_BYTES = 8 * 1024
"""A longer answer is stored as its receipt and a Location only."""
_ATTEMPTS = 3
_NO_CLOCK = datetime(1970, 1, 1, tzinfo=UTC)
"""What a phone says that has lost its clock."""


class InProgress(DomainError):
    """The same write is being done right now, or something it needs is locked; ask again shortly."""


class KeyReused(DomainError):
    """The Idempotency-Key came before with another method, path or body."""


class PredecessorMissing(DomainError):
    """The write named in Yima-After has not arrived; keep this one and send that one first."""


class DatabaseAway(DomainError):
    """The database does not answer now. Whether the write took effect is told by sending it again."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """回执 of an accepted write: keep it. `digest` is the SHA-256 of what came, in hexadecimal."""

    id: UUID
    received_at: datetime
    digest: str


class Accepted(msgspec.Struct, Generic[A], frozen=True, kw_only=True):
    """The answer to every accepted write."""

    receipt: Receipt
    result: A


class KeyedWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One write as it came: under which key, and what names it exactly. Who sends it, the kinds of write tell."""

    key: str
    fingerprint: bytes
    circumstances: Circumstances
    after: str | None = None
    done_at: datetime | None = None
    status: int = 201

    @property
    def author_id(self) -> UUID:
        """Whose keys these are: two authors may use the same one."""
        raise NotImplementedError

    @property
    def operator(self) -> Operator:
        """操作人 as the trace names them."""
        raise NotImplementedError


class Submission(KeyedWrite, frozen=True, kw_only=True):
    """The write of somebody who is signed in."""

    principal: Principal

    @property
    def author_id(self) -> UUID:
        """The account."""
        return self.principal.account_id

    @property
    def operator(self) -> Operator:
        """操作人 as the trace names them."""
        return self.principal.operator


class AnonymousWrite(KeyedWrite, frozen=True, kw_only=True):
    """The write of a citizen without an account: `pass_id` is the pass that let them write; the trace names nobody."""

    pass_id: UUID

    @property
    def author_id(self) -> UUID:
        """The pass."""
        return self.pass_id

    @property
    def operator(self) -> Operator:
        """公众, and no more of it."""
        return Operator(id=self.pass_id, name="公众", post="公众")


class StoredAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the first of several equal writes was answered, byte for byte."""

    fingerprint: bytes
    receipt_id: UUID
    received_at: datetime
    status: int
    answer: bytes | None
    location: str | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes ready to send."""

    status: int
    body: bytes
    location: str | None = None
    replayed: bool = False


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """SHA-256 over method, path and body: what makes two writes the same."""
    digest = hashlib.sha256(f"{method} {path}\n".encode())
    digest.update(body)
    return digest.digest()


_CLAIM = Command(
    sa.text(
        "INSERT INTO idempotency (principal_id, key, fingerprint, receipt_id, received_at) "
        "VALUES (:principal_id, :key, :fingerprint, :receipt_id, :received_at) ON CONFLICT DO NOTHING"
    ).bindparams(
        sa.bindparam("principal_id", type_=sa.Uuid, required=True),
        sa.bindparam("key", type_=sa.Text, required=True),
        sa.bindparam("fingerprint", type_=sa.LargeBinary, required=True),
        sa.bindparam("receipt_id", type_=sa.Uuid, required=True),
        sa.bindparam("received_at", type_=sa.DateTime(timezone=True), required=True),
    )
)
_FIND = Query(
    sa.select(*[idempotency.c[name] for name in StoredAnswer.__struct_fields__]).where(
        idempotency.c.principal_id == sa.bindparam("principal_id"), idempotency.c.key == sa.bindparam("key")
    ),
    StoredAnswer,
)
_KEEP = Command(
    sa.update(idempotency)
    .where(
        idempotency.c.principal_id == sa.bindparam("of_principal"),
        idempotency.c.key == sa.bindparam("of_key"),
    )
    .values(status=sa.bindparam("status"), answer=sa.bindparam("answer"), location=sa.bindparam("location"))
)
DELETE_OLD_ANSWERS = Command(sa.delete(idempotency).where(idempotency.c.received_at < sa.bindparam("before")))
_WRITE_MESSAGES = Command(outbox.INSERT)
_CLOSE_TO_DOS = Command(outbox.CLOSE_TO_DOS)

LOST = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a query on a connection that the server is just closing
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    ConnectionError,
    TimeoutError,
)


@asynccontextmanager
async def database_refusals() -> AsyncGenerator[None]:
    """Tell what the database refused, in the domain's own errors; also what it refuses only at commit."""
    try:
        yield
    except asyncpg.LockNotAvailableError as locked:
        raise InProgress("同一操作正在处理，请稍后重试。") from locked
    except asyncpg.DataError as unstorable:
        raise InvalidField("内容中有无法保存的字符或超出范围的数值。") from unstorable
    except asyncpg.IntegrityConstraintViolationError as violation:
        raise Conflict(
            "与已保存的数据冲突，未作任何更改。", constraint=getattr(violation, "constraint_name", None)
        ) from violation
    except LOST as lost:
        raise DatabaseAway("系统暂时繁忙，请稍后用同一幂等键重试。") from lost


class Work:
    """Opens transactions, carries operations out in them, and sees that each leaves all of its marks or none."""

    def __init__(
        self, pool: Pool, *, clock: Clock, random: Random, vault: Vault, seal: TraceSeal, reactions: Reactions
    ) -> None:
        """Keep the parts; nothing is opened here."""
        self.pool = pool
        self.clock = clock
        self.random = random
        self.vault = vault
        self.seal = seal
        self.reactions = reactions
        self._under_way: dict[tuple[UUID, str], tuple[bytes, asyncio.Future[Answer]]] = {}

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Connection]:
        """A connection for reads, outside a transaction: each statement sees its own instant."""
        async with database_refusals(), borrow(self.pool) as connection:
            yield connection

    async def submit(self, submission: KeyedWrite, operation: Callable[[Transaction], Awaitable[Outcome[A]]]) -> Answer:
        """Carry out one client's write once. Equal writes in this process share one answer.

        Raises the operation's own `DomainError`s, and `InProgress`, `KeyReused`, `PredecessorMissing`, `Conflict` or
        `DatabaseAway`; after any of them nothing is stored and the key is free again.
        """
        place = (submission.author_id, submission.key)
        running = self._under_way.get(place)
        if running is not None:
            _check_same(running[0], submission)
            return msgspec.structs.replace(await asyncio.shield(running[1]), replayed=True)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._under_way[place] = (submission.fingerprint, future)
        try:
            answer = await self._submit_once(submission, operation)
        except BaseException as failure:
            future.set_exception(failure if isinstance(failure, Exception) else InProgress("操作被中断，请重试。"))
            future.exception()  # read here, so that a failure nobody else waited for is no warning
            raise
        else:
            future.set_result(answer)
            return answer
        finally:
            del self._under_way[place]

    async def run(
        self,
        operator: Operator,
        operation: Callable[[Transaction], Awaitable[Outcome[A]]],
        circumstances: Circumstances | None = None,
    ) -> A:
        """Carry out an operation that no client keyed: a job, a command, a log-in."""

        async def once() -> A:
            now = self.clock()
            how = circumstances or Circumstances(request_id=new_id(now, self.random))
            async with database_refusals(), borrow(self.pool) as connection:
                async with connection.transaction():
                    tx = Transaction(connection, now=now, random=self.random, vault=self.vault)
                    outcome = await operation(tx)
                    await self._leave_marks(tx, outcome, operator, how)
                    await issue_numbers(connection, outcome.numbers, now)
                return outcome.answer

        return await self._again_if_crossed(once)

    async def _submit_once(
        self, submission: KeyedWrite, operation: Callable[[Transaction], Awaitable[Outcome[A]]]
    ) -> Answer:
        async def once() -> Answer:
            async with database_refusals(), borrow(self.pool) as connection, connection.transaction():
                return await self._write(connection, submission, operation)

        return await self._again_if_crossed(once)

    async def _again_if_crossed(self, once: Callable[[], Awaitable[A]]) -> A:
        """Two transactions that wait for each other: PostgreSQL ends one, which is simply done again."""
        for attempt in range(1, _ATTEMPTS):
            try:
                return await once()
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                await asyncio.sleep(0.02 * attempt * (1 + self.random(1)[0] / 255))
        try:
            return await once()
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as crossed:
            raise InProgress("同一操作正在处理，请稍后重试。") from crossed

    async def _write(
        self,
        connection: Connection,
        submission: KeyedWrite,
        operation: Callable[[Transaction], Awaitable[Outcome[A]]],
    ) -> Answer:
        now = self.clock()
        receipt = Receipt(id=new_id(now, self.random), received_at=now, digest=submission.fingerprint.hex())
        claimed = await _CLAIM.run(
            connection,
            principal_id=submission.author_id,
            key=submission.key,
            fingerprint=submission.fingerprint,
            receipt_id=receipt.id,
            received_at=now,
        )
        if not claimed:
            return await _stored(connection, submission)
        if submission.after is not None:
            await _require_predecessor(connection, submission)
        tx = Transaction(
            connection, now=now, random=self.random, vault=self.vault, done_at=_bounded(submission.done_at, now)
        )
        outcome = await operation(tx)
        await self._leave_marks(tx, outcome, submission.operator, submission.circumstances)
        body = msgspec.json.encode(Accepted(receipt=receipt, result=outcome.answer))
        await _KEEP.run(
            connection,
            of_principal=submission.author_id,
            of_key=submission.key,
            status=submission.status,
            answer=body if len(body) <= STORED_ANSWER_BYTES else None,
            location=outcome.location,
        )
        await issue_numbers(connection, outcome.numbers, now)
        return Answer(status=submission.status, body=body, location=outcome.location)

    async def _leave_marks(
        self, tx: Transaction, outcome: Outcome[A], operator: Operator, circumstances: Circumstances
    ) -> None:
        rows: list[trace.TraceRow] = []
        messages: list[outbox.Written] = []
        todo: list[tuple[UUID, UUID, chores.Chore]] = []
        events = list(outcome.events)
        for event in events:  # grows while it is walked: what follows from an act may have consequences of its own
            events.extend(await self.reactions.follow(tx, event))
            for subject, subject_id in self.reactions.closes(event):
                await _CLOSE_TO_DOS.run(tx.connection, of_subject=subject, of_id=subject_id, now=tx.now)
                messages = outbox.dealt_with(messages, subject, subject_id)
            trace_id = tx.new_id()
            rows.append(
                write_down(
                    event,
                    trace_id=trace_id,
                    at=tx.now,
                    operator=operator,
                    circumstances=circumstances,
                    seal=self.seal,
                )
            )
            messages.extend(
                outbox.Written(
                    id=tx.new_id(),
                    trace_id=trace_id,
                    message=message,
                    department_id=event.department_id,
                    region=event.region,
                    site_id=event.site_id,
                )
                for message in self.reactions.messages(event)
            )
            todo.extend((tx.new_id(), trace_id, chore) for chore in self.reactions.chores(event))
        if rows:
            await trace.INSERT.run_many(tx.connection, trace.insert_arguments(rows))
        if messages:
            await _WRITE_MESSAGES.run_many(tx.connection, outbox.insert_arguments(messages, tx.now))
        if todo:
            await chores.INSERT_CHORE.run_many(tx.connection, chores.insert_arguments(todo, tx.now))


def _check_same(known: bytes, submission: KeyedWrite) -> None:
    if known != submission.fingerprint:
        raise KeyReused("该幂等键已用于另一请求。", field="Idempotency-Key")


async def _stored(connection: Connection, submission: KeyedWrite) -> Answer:
    """The answer that the first of the equal writes got, byte for byte."""
    known = await _FIND.first(connection, principal_id=submission.author_id, key=submission.key)
    if known is None:
        raise InProgress("同一操作正在处理，请稍后重试。")
    _check_same(known.fingerprint, submission)
    body = known.answer
    if body is None:
        receipt = Receipt(id=known.receipt_id, received_at=known.received_at, digest=known.fingerprint.hex())
        body = msgspec.json.encode(Accepted(receipt=receipt, result=None))
    return Answer(status=known.status, body=body, location=known.location, replayed=True)


async def _require_predecessor(connection: Connection, submission: KeyedWrite) -> None:
    found = await _FIND.first(connection, principal_id=submission.author_id, key=submission.after)
    if found is None:
        raise PredecessorMissing("前一步操作尚未送达，请先上传前一步。", field="Yima-After", after=submission.after)


def _bounded(claimed: datetime | None, now: datetime) -> datetime:
    """The phone's time, never later than ours, nor from before its clock begins: of such a day no zone can tell."""
    return now if claimed is None or claimed > now else max(claimed, _NO_CLOCK)
