"""Fixtures over a real PostgreSQL: one cluster a run, a migrated template, a clone of it per test file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from api.cluster import Cluster
from api.migrate import migrate
from api.wiring import Parts, open_parts
from domain.evidence.model import BlobPlace
from tests.support.database import Database, clone_template, drop_database, empty_tables


@pytest.fixture(scope="session")
def cluster_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of a cluster that lasts for this run and does not bother the disk."""
    with Cluster(tmp_path_factory.mktemp("cluster"), durable=False) as cluster:
        yield cluster.dsn


@pytest.fixture(scope="session")
def template(cluster_dsn: str) -> Database:
    """A migrated database that tests clone and never change."""

    async def make() -> Database:
        connection = await asyncpg.connect(cluster_dsn)
        await connection.execute("CREATE DATABASE template_house")
        await connection.close()
        database = Database(cluster_dsn).named("template_house")
        await migrate(database.dsn)
        return database

    return asyncio.run(make())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(template: Database, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A clone of the template for this test file."""
    clone = await clone_template(template, Path(request.node.name).stem)
    yield clone
    await drop_database(clone)


@pytest.fixture(scope="module")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the root key of this file's database is kept."""
    return tmp_path_factory.mktemp("keys")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_parts(database: Database, keys_folder: Path) -> AsyncIterator[Parts]:
    """The real parts over this file's database."""
    blobs = BlobPlace(str(keys_folder / "blobs"))
    async with open_parts(database.dsn, keys_folder, blobs=blobs, pool_size=16, application="tests") as parts:
        yield parts


@pytest_asyncio.fixture(loop_scope="module")
async def parts(shared_parts: Parts, database: Database) -> Parts:
    """The real parts over an emptied database; keys stay."""
    await empty_tables(database)
    return shared_parts
