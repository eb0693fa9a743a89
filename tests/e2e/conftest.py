"""Fixtures for tests over HTTP: the running application, and a small world for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.relay import Relay
from api.settings import Settings
from tests.support.client import Api, api_client
from tests.support.clock import FixedClock
from tests.support.database import Database, empty_tables
from tests.support.factories import DISPATCHED_AT, NOW, World, make_world
from tests.support.relaying import open_relay
from tests.support.zhiguitong import Identity, identity_service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_api(
    database: Database, keys_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """The application over this file's database, for as long as the file lasts."""
    settings = Settings(var=tmp_path_factory.mktemp("var"), keys=keys_folder, public_url="http://yima.test")
    async with api_client(settings, database.dsn, FixedClock(NOW)) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def api(running_api: Api, database: Database) -> Api:
    """The application at `NOW`, over an emptied database."""
    await empty_tables(database)
    running_api.clock.now = NOW
    running_api.forget()
    return running_api


@pytest_asyncio.fixture(loop_scope="module")
async def relay(api: Api, database: Database) -> AsyncIterator[Relay]:
    """A relay beside the application that stands still until it is told to place."""
    async with open_relay(database, api.parts) as relay:
        yield relay


@pytest_asyncio.fixture(loop_scope="module")
async def world(api: Api) -> World:
    """Everybody has a place in it; the inspection was dispatched on Monday, and nothing has happened since."""
    api.clock.now = DISPATCHED_AT
    made = await make_world(api.parts)
    api.clock.now = NOW
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(running_api: Api) -> AsyncIterator[Identity]:
    """智桂通, simulated, which the application asks."""
    async with identity_service() as identity:
        running_api.app.state.identity_provider = identity.client
        yield identity
