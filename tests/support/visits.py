"""The steps of a visit over HTTP, and what they leave."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from domain.identity.model import Principal
from domain.shared.sql import borrow
from tests.support.client import Api
from tests.support.factories import (
    NOW,
    World,
    check_in_order,
)

YESTERDAY = NOW - timedelta(days=1)
_AGE = {"visit": "sequence", "check_in": "received_at", "identification": "received_at", "trace": "n"}
_MARKED = ("visit", "check_in", "identification", "subject_key", "trace", "message", "idempotency")


async def rows(api: Api, table: str) -> list[dict[str, Any]]:
    """Every row of `table`, oldest first."""
    order = _AGE.get(table, "1")
    async with borrow(api.parts.pool) as connection:
        return [dict(row) for row in await connection.fetch(f"SELECT *, xmin FROM {table} ORDER BY {order}")]  # noqa: S608


async def marks(api: Api) -> dict[str, list[dict[str, Any]]]:
    """Everything that an act leaves."""
    return {table: await rows(api, table) for table in _MARKED}


@asynccontextmanager
async def nothing_changes(api: Api) -> AsyncGenerator[None]:
    """What is done inside leaves no mark: no row more, none less, none other."""
    before = await marks(api)
    yield
    assert await marks(api) == before


async def check_in(api: Api, world: World, who: Principal | None = None, **changes: object) -> httpx.Response:
    """The inspector, or `who`, checks in at the site of the world's inspection."""
    return await check_in_to(api, world, world.inspection, who, **changes)


async def check_in_to(
    api: Api, world: World, inspection: UUID, who: Principal | None = None, **changes: object
) -> httpx.Response:
    """The same for another inspection."""
    actor = api.as_(who or world.inspector)
    return await actor.post(f"/api/v1/inspections/{inspection}/check-ins", check_in_order(world, **changes))


async def emergency_checks_in(api: Api, world: World, **changes: object) -> httpx.Response:
    """The second department checks in."""
    partner = {"second_officer_id": world.emergency_partner.id}
    return await check_in(api, world, world.emergency_inspector, **{**partner, **changes})


async def act(
    api: Api, world: World, what: str, body: object = None, who: Principal | None = None, **how: Any
) -> httpx.Response:
    """Another step of the visit: identifications, departures or voids."""
    return await api.as_(who or world.inspector).post(f"/api/v1/inspections/{world.inspection}/{what}", body, **how)


def acknowledgement() -> dict[str, Any]:
    """亮证告知 that the person on site took note of."""
    return {"response": "acknowledged", "person": {"name": "韦秀英", "post": "店长"}}


def late_scan(
    reason: str, began_at: datetime, ended_at: datetime | None = None, note: str = "来不及"
) -> dict[str, Any]:
    """先检查后扫码."""
    return {"reason": reason, "note": note, "began_at": began_at, "ended_at": ended_at}
