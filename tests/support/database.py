"""Databases for tests: cloned from a migrated template, emptied between tests."""

from __future__ import annotations

import secrets
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

_KEPT = ("alembic_version", "key_version", "trace_cursor")
_TRUNCATIONS = 5


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


async def _truncate(connection: asyncpg.Connection, listed: str) -> None:
    """What feed and calendar of a running application read meanwhile may close a circle of waiting: then once more."""
    for _ in range(_TRUNCATIONS - 1):
        with suppress(asyncpg.DeadlockDetectedError):
            await connection.execute(f"TRUNCATE {listed} RESTART IDENTITY CASCADE")
            return
    await connection.execute(f"TRUNCATE {listed} RESTART IDENTITY CASCADE")


async def empty_tables(database: Database) -> None:
    """Empty every table but the register of keys, and set the trace's cursor back to its beginning."""
    connection = await asyncpg.connect(database.dsn)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        listed = ", ".join(f'"{name}"' for (name,) in names if name not in _KEPT)
        await _truncate(connection, listed)
        await connection.execute(
            "UPDATE trace_cursor SET position = 0, tx = '0', n = 0, link = decode(repeat('00', 32), 'hex')"
        )
    finally:
        await connection.close()
