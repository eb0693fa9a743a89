"""A relay for tests: with a pool of its own, in the relay's role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from api.relay import Relay
from api.wiring import RELAY_ROLE, Parts
from domain.shared.sql import open_pool
from tests.support.database import Database


@asynccontextmanager
async def open_relay(database: Database, parts: Parts) -> AsyncGenerator[Relay]:
    """A relay that stands still until it is told to place."""
    pool = await open_pool(database.dsn, size=2, role=RELAY_ROLE, application="test relay", json_values=False)
    try:
        yield Relay(pool, parts.seal, parts.clock)
    finally:
        await pool.close()


@asynccontextmanager
async def running(relay: Relay) -> AsyncGenerator[asyncio.Task[None]]:
    """The relay at work, told to stop at the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


async def place_all(relay: Relay) -> int:
    """Place whatever is decided; gives how many rows that was."""
    placed = 0
    while count := await relay.place_batch():
        placed += count
    return placed
