"""What no client of ours sends: bodies nested without end, clocks from before all calendars. Never a defect of ours."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.client import Api, accepted, refused
from tests.support.factories import World
from tests.support.inspecting import arrive, path
from tests.support.visits import nothing_changes

DEEP = b'{"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
LONG_AGO = "0001-01-01T00:00:00+08:00"


@pytest.mark.parametrize(
    "of", ["sessions", "sessions/zhiguitong", "enterprise-claims", "badges/verification", "ratings"]
)
async def test_a_body_nested_without_end_is_refused_to_anybody(api: Api, world: World, of: str) -> None:
    assert world
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    async with nothing_changes(api):
        refused(await api.http.post(f"/api/v1/{of}", content=DEEP, headers=headers), 422, "invalid-field")


@pytest.mark.parametrize("of", ["hazards", "self-inspections", "enterprise-requests", "enterprise-members"])
async def test_a_body_nested_without_end_is_refused_to_who_is_signed_in(api: Api, world: World, of: str) -> None:
    headers = {
        **api.as_(world.enterprise_user).bearer(),
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid4()),
    }
    async with nothing_changes(api):
        refused(await api.http.post(f"/api/v1/{of}", content=DEEP, headers=headers), 422, "invalid-field")


async def test_a_clock_from_before_all_calendars_is_taken_as_a_lost_one(api: Api, world: World) -> None:
    await arrive(api, world, world.inspection)
    inspector = api.as_(world.inspector)
    refused(
        await inspector.post(path(world.inspection, "departures"), {}, done_at=LONG_AGO),
        422,
        "departure-before-arrival",
        "departed_at",
    )
    accepted(await inspector.post(path(world.inspection, "departures"), {}, done_at="9999-12-31T23:59:59-08:00"))
