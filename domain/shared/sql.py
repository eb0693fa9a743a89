"""One way to the database: SQLAlchemy Core describes a statement, asyncpg executes it, a Struct carries the row.

A `Statement` is compiled once, when its module loads; at run time only the parameters' order is looked up.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, Protocol, TypeVar, cast
from uuid import UUID

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.types import UserDefinedType

_DIALECT = PGDialect_asyncpg()
Row = TypeVar("Row")


class Connection(Protocol):
    """What a statement needs of asyncpg: a plain connection and one lent by a pool both have it."""

    async def fetch(self, query: str, *args: Any) -> list[Any]: ...
    async def fetchrow(self, query: str, *args: Any) -> Any: ...
    async def execute(self, query: str, *args: Any) -> str: ...
    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None: ...
    def cursor(self, query: str, *args: Any, prefetch: int | None = None) -> Any: ...
    def transaction(self, *, isolation: Any = None, readonly: bool = False) -> Any: ...


class Ltree(UserDefinedType[str]):
    """PostgreSQL's ltree: a path in a tree, labels joined by dots."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in DDL."""
        return "ltree"


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type's name in DDL."""
        return "xid8"


class Command:
    """A compiled statement whose rows, if any, are not read."""

    def __init__(self, statement: sa.Executable) -> None:
        """Compile `statement` for asyncpg; every `bindparam` without a value becomes a named argument."""
        compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
        self.text = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._constants: Mapping[str, Any] = {
            name: value for name, value in (compiled.params or {}).items() if not compiled.binds[name].required
        }

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """The values in the statement's own order. A missing name is a KeyError: a defect of ours."""
        constants = self._constants
        return [given[name] if name in given else constants[name] for name in self._names]

    async def run(self, connection: Connection, **given: Any) -> int:
        """Execute; gives the number of rows touched."""
        tag = await connection.execute(self.text, *self.arguments(given))
        return int(tag.rpartition(" ")[2] or 0)

    async def run_many(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute once per row, in one round trip, all or nothing."""
        await connection.executemany(self.text, [self.arguments(row) for row in rows])


class Query(Command, Generic[Row]):
    """A compiled statement whose rows become `row` Structs, matched by column name."""

    def __init__(self, statement: sa.Executable, row: type[Row]) -> None:
        """Compile `statement`; its columns carry the names of the fields of `row`."""
        super().__init__(statement)
        self._row = row

    async def all(self, connection: Connection, **given: Any) -> list[Row]:
        """Every row; the statement itself bounds how many."""
        records = await connection.fetch(self.text, *self.arguments(given))
        row = self._row
        return [msgspec.convert(dict(record), row) for record in records]

    async def first(self, connection: Connection, **given: Any) -> Row | None:
        """The first row, or None."""
        record = await connection.fetchrow(self.text, *self.arguments(given))
        return None if record is None else msgspec.convert(dict(record), self._row)

    async def one(self, connection: Connection, **given: Any) -> Row:
        """The row that must be there; its absence is a defect of ours."""
        row = await self.first(connection, **given)
        if row is None:
            raise LookupError(self.text)
        return row

    async def stream(self, connection: Connection, *, batch: int = 1000, **given: Any) -> AsyncGenerator[Row]:
        """Rows by a server-side cursor, `batch` at a time; needs an open transaction."""
        async for record in connection.cursor(self.text, *self.arguments(given), prefetch=batch):
            yield msgspec.convert(dict(record), self._row)


class PlainConnection(asyncpg.Connection):
    """A connection that sets no session state of its own, so returning it to the pool needs no reset round trip."""

    def get_reset_query(self) -> str:
        """Nothing to reset: every setting is made when the connection starts."""
        return ""


def _encode_jsonb(value: object) -> bytes:
    return b"\x01" + msgspec.json.encode(value)


def _decode_jsonb(stored: bytes) -> Any:
    return msgspec.json.decode(memoryview(stored)[1:])


async def _set_codecs(connection: asyncpg.Connection) -> None:
    """Jsonb travels as Python values; json stays text, because a MAC covers its very bytes."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode_jsonb, decoder=_decode_jsonb, format="binary"
    )


Pool = asyncpg.Pool
_PATIENCE = 5.0
"""Seconds to wait for a free connection: longer means overload, which is better told than hidden."""


@asynccontextmanager
async def borrow(pool: Pool) -> AsyncGenerator[Connection]:
    """A connection out of `pool`, back when the context ends. Raises TimeoutError when none is free for 5 s."""
    # A timer is set only where there may be something to wait for: it costs as much as all the rest of this.
    async with pool.acquire(timeout=None if pool.get_idle_size() else _PATIENCE) as lent:
        yield cast("Connection", lent)


async def _connect(*place: Any, **how: Any) -> asyncpg.Connection:
    """A new connection. A server that is just starting has no socket yet, which is no missing file to who asks it:
    raises ConnectionError for whatever keeps us from reaching it.
    """
    try:
        return await asyncpg.connect(*place, **how)
    except (ConnectionError, TimeoutError):
        raise
    except OSError as away:
        raise ConnectionError(f"the database cannot be reached: {away}") from away


async def open_pool(dsn: str, *, size: int, role: str | None, application: str, json_values: bool = True) -> Pool:
    """A pool of at most `size` connections acting as database `role`; jsonb travels as values or as text.

    Waiting for a lock is bounded (2 s), a statement too (30 s), and a transaction left open is ended by the
    server (30 s), so that no client can hold the relay's horizon.
    """
    settings = {
        "application_name": application,
        "lock_timeout": "2s",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "30s",
        "timezone": "UTC",
        "jit": "off",
    }
    if role is not None:
        settings["role"] = role
    return await asyncpg.create_pool(
        dsn,
        connect=_connect,
        min_size=1,
        max_size=size,
        init=_set_codecs if json_values else None,
        connection_class=PlainConnection,
        server_settings=settings,
        command_timeout=60,
    )


def json_of(fields: Mapping[str, Any]) -> sa.Function[Any]:
    """One json value of named columns; the names are written out, so that nothing is bound for them."""
    parts = [part for name, value in fields.items() for part in (sa.literal_column(f"'{name}'"), value)]
    return sa.func.jsonb_build_object(*parts, type_=JSONB)


def uuid_list(name: str) -> sa.BindParameter[Sequence[UUID]]:
    """A named argument that is an array of UUIDs, for `= ANY(...)`."""
    return sa.bindparam(name, type_=sa.ARRAY(sa.Uuid))
