"""Bring a database to this version, and tell whether the revisions make what the tables describe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

import migrations
from domain.shared.sql import Ltree, Xid8
from migrations import METADATA, is_ours

# Reflection meets these two types when it compares; it is told what they are.
_reflected: dict[str, Any] = ischema_names  # type: ignore[assignment] - typed for the dialect's own types only
_reflected.update(ltree=Ltree, xid8=Xid8)

Done = TypeVar("Done")
_ADVISORY_LOCK = 0x59494D41  # "YIMA": one migration at a time, whoever starts it


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    return config


def _url(dsn: str) -> str:
    """The same address, for SQLAlchemy over asyncpg; what follows the `?` is understood by both."""
    return dsn.replace("postgresql://", "postgresql+asyncpg://", 1).replace("postgres://", "postgresql+asyncpg://", 1)


async def _with_connection(dsn: str, act: Callable[[sa.Connection], Done]) -> Done:
    engine = create_async_engine(_url(dsn), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await _locked(connection, act)
    finally:
        await engine.dispose()


async def _locked(connection: AsyncConnection, act: Callable[[sa.Connection], Done]) -> Done:
    await connection.execute(sa.select(sa.func.pg_advisory_lock(_ADVISORY_LOCK)))
    await connection.commit()
    result = await connection.run_sync(act)
    await connection.commit()
    return result


async def migrate(dsn: str) -> bool:
    """Bring the database at `dsn` to the newest revision; True when there was anything to do."""

    def upgrade(connection: sa.Connection) -> bool:
        config = _config(connection)
        before = MigrationContext.configure(connection).get_current_revision()
        connection.commit()
        if before == ScriptDirectory.from_config(config).get_current_head():
            return False
        command.upgrade(config, "head")
        return True

    return await _with_connection(dsn, upgrade)


async def is_migrated(dsn: str) -> bool:
    """Whether the database at `dsn` is at the newest revision."""

    def compare(connection: sa.Connection) -> bool:
        head = ScriptDirectory.from_config(_config(connection)).get_current_head()
        return MigrationContext.configure(connection).get_current_revision() == head

    return await _with_connection(dsn, compare)


async def find_drift(dsn: str) -> list[str]:
    """Where the migrated database at `dsn` differs from the described tables; empty when it does not."""

    def compare(connection: sa.Connection) -> list[str]:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "include_object": is_ours},
        )
        return [str(difference) for difference in compare_metadata(context, list(METADATA))]  # type: ignore[arg-type] - a list is what Alembic documents

    return await _with_connection(dsn, compare)


async def write_revision(dsn: str, message: str) -> None:
    """Write a new revision that makes the database at `dsn` what the tables describe; to be read and completed."""

    def revise(connection: sa.Connection) -> None:
        command.revision(_config(connection), message=message, autogenerate=True)

    await _with_connection(dsn, revise)
