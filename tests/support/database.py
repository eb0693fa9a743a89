"""Databases for tests: cloned from a migrated template, emptied between tests."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

_KEPT = ("alembic_version", "key_version", "trace_cursor")
_TRUNCATIONS = 5
_MANY = 1000


class Database(msgspec.Struct, frozen=True):
    """One database of the run's cluster."""

    dsn: str

    def named(self, name: str) -> Database:
        """The database of that name beside this one."""
        return Database(urlunsplit(urlsplit(self.dsn)._replace(path=f"/{name}")))

    @property
    def name(self) -> str:
        """The database's name."""
        return urlsplit(self.dsn).path.lstrip("/")


async def clone_template(template: Database, label: str) -> Database:
    """A fresh copy of `template`: a file copy inside PostgreSQL, some 50 ms."""
    clone = template.named(f"{label[:40]}_{secrets.token_hex(3)}".lower().replace("-", "_"))
    connection = await asyncpg.connect(template.named("postgres").dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{clone.name}" TEMPLATE "{template.name}" STRATEGY FILE_COPY')
    finally:
        await connection.close()
    return clone


async def drop_database(database: Database) -> None:
    """Remove a clone, whoever is still connected."""
    connection = await asyncpg.connect(database.named("postgres").dsn)
    try:
        await connection.execute(f'DROP DATABASE "{database.name}" WITH (FORCE)')
    finally:
        await connection.close()


async def empty_tables(database: Database) -> None:
    """Empty every table but the register of keys, and set the trace's cursor back to its beginning.

    Few tables hold anything after a test, and little: their rows are deleted, which takes a tenth of the time of
    truncating all, and waits for nobody who reads meanwhile. Where there is much, truncating leaves nothing behind.
    """
    connection = await asyncpg.connect(database.dsn)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        listed = [name for (name,) in names if name not in _KEPT]
        counts = " UNION ALL ".join(
            f"SELECT '{name}' AS name, (SELECT count(*) FROM (SELECT FROM \"{name}\" LIMIT {_MANY}) AS found) AS rows"  # noqa: S608 - our own tables
            for name in listed
        )
        filled = {row["name"]: row["rows"] for row in await connection.fetch(counts) if row["rows"]}
        if any(rows == _MANY for rows in filled.values()):
            await _truncate(connection, listed)
        else:
            await _delete(connection, filled)
        await connection.execute(
            "UPDATE trace_cursor SET position = 0, tx = '0', n = 0, link = decode(repeat('00', 32), 'hex')"
        )
    finally:
        await connection.close()


async def _delete(connection: asyncpg.Connection, names: Iterable[str]) -> None:
    """In any order: all that refers to a row goes with it."""
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        for name in names:
            await connection.execute(f'DELETE FROM "{name}"')  # noqa: S608 - our own tables


async def _truncate(connection: asyncpg.Connection, names: Iterable[str]) -> None:
    """What feed and calendar of a running application read meanwhile may close a circle of waiting: then once more."""
    truncate = f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE"
    for _ in range(_TRUNCATIONS - 1):
        with suppress(asyncpg.DeadlockDetectedError):
            await connection.execute(truncate)
            return
    await connection.execute(truncate)
