"""What reaches us late, and work that began before the scan: how each is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.support.client import Api, accepted, refused
from tests.support.factories import (
    LATITUDE,
    NOW,
    World,
    check_in_order,
    position_fix,
)
from tests.support.visits import (
    YESTERDAY,
    acknowledgement,
    check_in,
    late_scan,
    marks,
    nothing_changes,
    rows,
)

ONE_KILOMETRE_NORTH = LATITUDE + 0.009


# Offline


async def test_authority_is_judged_as_of_the_day_it_was_done(api: Api, world: World) -> None:
    path = f"/api/v1/inspections/{world.inspection}/check-ins"
    order = check_in_order(world, position=position_fix(fixed_at=YESTERDAY))

    response = await api.as_(world.expired_inspector).post(path, order, done_at=YESTERDAY)

    result = accepted(response)
    assert (result["done_at"], result["received_at"]) == ("2026-08-04T02:00:00Z", "2026-08-05T02:00:00Z")
    (visit,) = await rows(api, "visit")
    assert visit["arrived_at"] == YESTERDAY


async def test_authority_is_never_older_than_the_order(api: Api, world: World) -> None:
    path = f"/api/v1/inspections/{world.inspection}/check-ins"
    long_ago = NOW - timedelta(days=30)

    fix = position_fix(fixed_at=datetime(2026, 8, 3, 0, 30, tzinfo=UTC))
    response = await api.as_(world.inspector).post(path, check_in_order(world, position=fix), done_at=long_ago)

    assert accepted(response)["done_at"] == "2026-08-03T00:30:00Z"


async def test_a_phone_that_runs_ahead_is_held_to_our_clock(api: Api, world: World) -> None:
    path = f"/api/v1/inspections/{world.inspection}/check-ins"

    ahead = NOW + timedelta(hours=3)
    response = await api.as_(world.inspector).post(path, check_in_order(world), done_at=ahead)

    assert accepted(response)["done_at"] == "2026-08-05T02:00:00Z"


@pytest.mark.parametrize("done_at", ["yesterday", "2026-08-04T10:00:00"])
async def test_a_time_that_cannot_be_placed_is_refused(api: Api, world: World, done_at: str) -> None:
    path = f"/api/v1/inspections/{world.inspection}/check-ins"

    async with nothing_changes(api):
        response = await api.as_(world.inspector).post(path, check_in_order(world), done_at=done_at)

    refused(response, 422, "invalid-field", "Yima-Done-At")


async def test_a_write_waits_for_its_predecessor(api: Api, world: World) -> None:
    inspector = api.as_(world.inspector)
    base = f"/api/v1/inspections/{world.inspection}"
    accepted_key = str(uuid4())

    async with nothing_changes(api):
        early = await inspector.post(f"{base}/check-ins", check_in_order(world), after="not-yet-arrived")
    assert refused(early, 409, "predecessor-missing", "Yima-After") == {"after": "not-yet-arrived"}

    accepted(await inspector.post(f"{base}/check-ins", check_in_order(world), key=accepted_key))
    accepted(await inspector.post(f"{base}/identifications", acknowledgement(), after=accepted_key))


async def test_another_persons_write_is_no_predecessor(api: Api, world: World) -> None:
    base = f"/api/v1/inspections/{world.inspection}"
    key = str(uuid4())
    accepted(await api.as_(world.inspector).post(f"{base}/check-ins", check_in_order(world), key=key))

    response = await api.as_(world.partner_inspector).post(f"{base}/departures", after=key)

    refused(response, 409, "predecessor-missing", "Yima-After")


# Scan before work, and its two exceptions


async def test_in_an_emergency_the_scan_comes_before_leaving(api: Api, world: World) -> None:
    began_at = NOW - timedelta(hours=1)

    accepted(await check_in(api, world, late_scan=late_scan("emergency", began_at, note=" 现场正在销毁证据 ")))

    (kept,) = await rows(api, "check_in")
    (visit,) = await rows(api, "visit")
    assert (kept["means"], kept["late_scan_reason"]) == ("printed_code", "emergency")
    assert (kept["late_scan_note"], kept["departed_at"]) == ("现场正在销毁证据", None)
    assert (visit["arrived_at"], kept["done_at"]) == (began_at, NOW)


async def test_an_emergency_that_is_over_cannot_be_entered_afterwards(api: Api, world: World) -> None:
    late = late_scan("emergency", NOW - timedelta(hours=2), NOW - timedelta(hours=1))

    async with nothing_changes(api):
        response = await check_in(api, world, late_scan=late)

    refused(response, 422, "late-scan-reason-required", "late_scan.ended_at")


async def test_an_emergency_does_not_excuse_from_scanning(api: Api, world: World) -> None:
    async with nothing_changes(api):
        response = await check_in(api, world, code=None, late_scan=late_scan("emergency", NOW - timedelta(hours=1)))

    refused(response, 422, "code-required", "code")


async def test_after_a_system_failure_the_visit_is_entered_without_a_scan(api: Api, world: World) -> None:
    began_at, ended_at = NOW - timedelta(hours=20), NOW - timedelta(hours=19)

    result = accepted(
        await check_in(
            api,
            world,
            code=None,
            position=None,
            position_reason="系统故障，事后补录",
            late_scan=late_scan("system_failure", began_at, ended_at),
        )
    )

    assert (result["means"], result["flags"]) == ("back_entry", ["unknown"])
    (visit,) = await rows(api, "visit")
    assert (visit["arrived_at"], visit["departed_at"]) == (began_at, ended_at)


async def test_an_arrival_that_is_over_is_no_longer_announced_to_the_enterprise(api: Api, world: World) -> None:
    late = late_scan("system_failure", NOW - timedelta(hours=20), NOW - timedelta(hours=19))
    accepted(await check_in(api, world, code=None, position=None, position_reason="系统故障，事后补录", late_scan=late))

    assert [each["template"] for each in await rows(api, "message")] == ["position_in_doubt"]


@pytest.mark.parametrize("unstorable", ["走错\x00地方", "\x00\x00"])
async def test_text_that_cannot_be_stored_is_refused_and_changes_nothing(
    api: Api, world: World, unstorable: str
) -> None:
    async with nothing_changes(api):
        refused(await check_in(api, world, position=None, position_reason=unstorable), 422, "invalid-field")


@pytest.mark.parametrize(("seconds_late", "is_accepted"), [(0, True), (1, False)])
async def test_a_failure_is_entered_within_ten_days(
    api: Api, world: World, seconds_late: int, is_accepted: bool
) -> None:
    ended_at = NOW
    late = late_scan("system_failure", NOW - timedelta(hours=1), ended_at)
    api.clock.now = ended_at + timedelta(days=10, seconds=seconds_late)
    before = await marks(api)

    response = await check_in(api, world, code=None, position=None, position_reason="系统故障", late_scan=late)

    if is_accepted:
        accepted(response)
    else:
        refused(response, 409, "back-entry-too-late", "late_scan.ended_at")
        assert await marks(api) == before


async def test_a_late_scan_needs_a_note(api: Api, world: World) -> None:
    async with nothing_changes(api):
        response = await check_in(api, world, late_scan=late_scan("emergency", NOW - timedelta(hours=1), note=" "))

    refused(response, 422, "late-scan-reason-required", "late_scan")


@pytest.mark.parametrize(
    ("began", "ended", "kind", "field"),
    [
        (timedelta(hours=1), None, "invalid-field", "late_scan.began_at"),
        (-timedelta(hours=1), timedelta(hours=1), "invalid-field", "late_scan.ended_at"),
        (-timedelta(hours=1), -timedelta(hours=2), "departure-before-arrival", "late_scan.ended_at"),
    ],
    ids=["begins tomorrow", "ends tomorrow", "ends before it begins"],
)
async def test_a_visit_is_entered_only_as_it_can_have_been(
    api: Api, world: World, began: timedelta, ended: timedelta | None, kind: str, field: str
) -> None:
    late = late_scan("system_failure", NOW + began, None if ended is None else NOW + ended)

    async with nothing_changes(api):
        refused(await check_in(api, world, late_scan=late), 422, kind, field)


async def test_a_late_scan_without_its_time_zone_is_refused(api: Api, world: World) -> None:
    late = {**late_scan("emergency", NOW), "began_at": "2026-08-05T09:00:00"}

    async with nothing_changes(api):
        response = await check_in(api, world, late_scan=late)

    assert response.status_code == 422


async def test_the_certificate_counts_of_the_day_on_which_work_began(api: Api, world: World) -> None:
    late = late_scan("system_failure", YESTERDAY, YESTERDAY + timedelta(hours=1))

    accepted(await check_in(api, world, world.expired_inspector, late_scan=late))
