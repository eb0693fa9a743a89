"""扫码报到, 亮证告知, 离场 and 作废 over HTTP (ONE-01, MOB-10): what is kept, and what is refused without a mark."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest

from codes.token import code_url, issue_token
from domain.enterprise.operations import reissue_code, revoke_code
from domain.identity.model import Principal
from domain.inspection.position import Coordinates, Datum, from_wgs84
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.database import Database
from tests.support.factories import (
    INSTALLATION,
    LATITUDE,
    LONGITUDE,
    NOW,
    MadeSite,
    Team,
    World,
    check_in_order,
    dispatch,
    issue_site_code,
    make_site,
    position_fix,
)

ONE_KILOMETRE_NORTH = LATITUDE + 0.009
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


# The happy path


async def test_a_check_in_is_answered_with_a_receipt(api: Api, world: World) -> None:
    path = f"/api/v1/inspections/{world.inspection}/check-ins"
    order = check_in_order(world)

    response = await api.as_(world.inspector).post(path, order)

    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    receipt = response.json()["receipt"]
    assert UUID(receipt.pop("id")).version == 7
    assert receipt == {
        "received_at": "2026-08-05T02:00:00Z",
        "digest": hashlib.sha256(f"POST {path}\n".encode() + msgspec.json.encode(order)).hexdigest(),
    }
    result = response.json()["result"]
    assert (result["visit_sequence"], result["means"], result["flags"]) == (1, "printed_code", [])
    assert result["department_id"] == str(world.market.id)
    assert result["distance_outside_m"] == 0
    assert result["done_at"] == result["received_at"] == "2026-08-05T02:00:00Z"


async def test_the_printed_address_is_as_good_as_the_bare_token(api: Api, world: World) -> None:
    assert accepted(await check_in(api, world, code=code_url("https://yima.gxzf.gov.cn", world.code)))


async def test_a_check_in_keeps_the_position_as_sent_and_as_converted(api: Api, world: World) -> None:
    sent = from_wgs84(Coordinates(LONGITUDE, LATITUDE), Datum.GCJ02)

    accepted(await check_in(api, world, position=position_fix(sent.longitude, sent.latitude, datum="gcj02")))

    (visit,) = await rows(api, "visit")
    (kept,) = await rows(api, "check_in")
    assert (visit["sequence"], visit["arrived_at"], visit["departed_at"]) == (1, NOW, None)
    assert visit["opened_by"] == kept["id"]
    assert kept["visit_id"] == visit["id"]
    assert (kept["officer_id"], kept["second_officer_id"]) == (world.officer.id, world.partner.id)
    assert (kept["longitude"], kept["latitude"], kept["datum"]) == (sent.longitude, sent.latitude, "gcj02")
    assert (kept["wgs84_longitude"], kept["wgs84_latitude"]) == pytest.approx((LONGITUDE, LATITUDE), abs=1e-8)
    assert (kept["accuracy_m"], kept["fixed_at"]) == (12, NOW)
    assert abs(sent.longitude - LONGITUDE) > 0.003  # some 300 m: without conversion it would stand outside


async def test_a_check_in_leaves_a_whole_trace_row(api: Api, world: World) -> None:
    result = accepted(await check_in(api, world))

    trace = (await rows(api, "trace"))[-1]
    told = {name: trace[name] for name in ("business", "power", "duty", "action", "subject", "operator_name", "post")}
    assert told == {
        "business": "行政检查",
        "power": "行政检查权",
        "duty": "扫码报到",
        "action": "inspection.checked_in",
        "subject": "inspection",
        "operator_name": world.inspector.name,
        "post": "一级主办",
    }
    assert (trace["subject_id"], trace["site_id"]) == (world.inspection, world.site.id)
    assert (trace["operator_id"], trace["department_id"]) == (world.inspector.account_id, world.market.id)
    assert (trace["region"], trace["at"], trace["before"]) == (world.site.region, NOW, None)
    after = msgspec.json.decode(trace["after"])
    assert (after["check_in_id"], after["visit_sequence"]) == (result["id"], 1)
    assert isinstance(trace["request_id"], UUID)
    assert (trace["longitude"], trace["latitude"]) == (LONGITUDE, LATITUDE)


async def test_a_check_in_that_comes_late_is_traced_with_the_phones_own_time(api: Api, world: World) -> None:
    path = f"/api/v1/inspections/{world.inspection}/check-ins"
    done_at = "2026-08-05T09:30:00+08:00"

    fix = position_fix(fixed_at=datetime.fromisoformat(done_at))
    accepted(await api.as_(world.inspector).post(path, check_in_order(world, position=fix), done_at=done_at))

    assert (await rows(api, "trace"))[-1]["device_at"] == done_at


async def test_a_check_in_tells_the_enterprise_who_has_come(api: Api, world: World) -> None:
    accepted(await check_in(api, world))

    (message,) = await rows(api, "message")
    assert (message["template"], message["channel"], message["state"]) == ("arrival", "sms", "waiting")
    assert (message["recipient"], message["recipient_id"]) == ("enterprise", world.enterprise.id)
    assert message["trace_id"] == (await rows(api, "trace"))[-1]["id"]
    assert message["parameters"] == {
        "department": "南宁市监",
        "officers": "2",
        "notice": "SJ01-2026-TZ-000001",
        "hotline": "0771-12345",
    }


async def test_everything_that_a_check_in_leaves_was_committed_as_one(api: Api, world: World) -> None:
    response = await check_in(api, world)

    left = await marks(api)
    (kept,) = left["idempotency"]
    assert kept["answer"] == response.content
    newest = [left[table][-1]["xmin"] for table in ("visit", "check_in", "trace", "message", "idempotency")]
    assert len(set(newest)) == 1


# The same write twice


async def test_the_same_write_again_is_answered_with_the_same_bytes(api: Api, world: World) -> None:
    path, order = f"/api/v1/inspections/{world.inspection}/check-ins", check_in_order(world)
    inspector = api.as_(world.inspector)
    first = await inspector.post(path, order, key="check-in-0001")
    api.clock.advance(timedelta(hours=1))

    async with nothing_changes(api):
        again = await inspector.post(path, order, key="check-in-0001")

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


async def test_a_key_serves_one_write_only(api: Api, world: World) -> None:
    path, order = f"/api/v1/inspections/{world.inspection}/check-ins", check_in_order(world)
    inspector = api.as_(world.inspector)
    accepted(await inspector.post(path, order, key="check-in-0001"))

    async with nothing_changes(api):
        other = await inspector.post(path, {**order, "position_reason": "另一个请求"}, key="check-in-0001")

    refused(other, 422, "idempotency-key-reused", "Idempotency-Key")


async def test_two_people_may_happen_on_the_same_key(api: Api, world: World) -> None:
    path = f"/api/v1/inspections/{world.inspection}/check-ins"
    others = check_in_order(world, second_officer_id=world.emergency_partner.id)

    accepted(await api.as_(world.inspector).post(path, check_in_order(world), key="check-in-0001"))
    accepted(await api.as_(world.emergency_inspector).post(path, others, key="check-in-0001"))


@pytest.mark.parametrize("key", ["", "short", "with blank", "汉字汉字汉字汉字"])
async def test_a_write_without_a_usable_key_is_refused(api: Api, world: World, key: str) -> None:
    path = f"/api/v1/inspections/{world.inspection}/check-ins"
    headers = {**api.as_(world.inspector).bearer(), "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key

    async with nothing_changes(api):
        response = await api.http.post(
            path,
            content=msgspec.json.encode(check_in_order(world)),
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
        )

    refused(response, 422, "invalid-field", "Idempotency-Key")


async def test_a_refusal_gives_its_key_back(api: Api, world: World) -> None:
    path, inspector = f"/api/v1/inspections/{world.inspection}/check-ins", api.as_(world.inspector)
    refused(
        await inspector.post(path, check_in_order(world, code=None), key="check-in-0001"), 422, "code-required", "code"
    )

    accepted(await inspector.post(path, check_in_order(world), key="check-in-0001"))


# The inspection must be open


async def test_an_inspection_that_nobody_approved_is_not_begun(api: Api, world: World) -> None:
    unapproved = await world.dispatch(approved_at=None, approved_by=None)

    async with nothing_changes(api):
        refused(await check_in_to(api, world, unapproved), 409, "inspection-not-approved")


async def test_an_urgent_inspection_begins_before_its_approval(api: Api, world: World) -> None:
    urgent = await world.dispatch(
        approved_at=None, approved_by=None, is_urgent=True, approval_due_at=NOW + timedelta(days=1)
    )

    accepted(await check_in_to(api, world, urgent))


async def test_an_inspection_does_not_begin_before_its_first_day(api: Api, world: World) -> None:
    tomorrow = await world.dispatch(starts_on=date(2026, 8, 6))

    async with nothing_changes(api):
        facts = refused(await check_in_to(api, world, tomorrow), 409, "inspection-not-begun")

    assert facts == {"starts_on": "2026-08-06"}


async def test_an_inspection_begins_at_midnight_in_nanning(api: Api, world: World) -> None:
    tomorrow = await world.dispatch(starts_on=date(2026, 8, 6))
    api.clock.now = datetime(2026, 8, 5, 16, 0, tzinfo=UTC)

    accepted(await check_in_to(api, world, tomorrow, position=position_fix(fixed_at=api.clock.now)))


@pytest.mark.parametrize(("state", "completed_at"), [("completed", NOW), ("cancelled", None)])
async def test_a_closed_inspection_takes_no_check_in(
    api: Api, world: World, state: str, completed_at: datetime | None
) -> None:
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE inspection SET state = $1, completed_at = $2", state, completed_at)

    async with nothing_changes(api):
        assert refused(await check_in(api, world), 409, "inspection-already-closed") == {"state": state}


async def test_an_inspection_that_does_not_exist_is_not_found(api: Api, world: World) -> None:
    async with nothing_changes(api):
        refused(await check_in_to(api, world, uuid4()), 404, "not-found")


# Two certified officers


async def test_an_inspector_without_the_order_does_not_check_in(api: Api, world: World) -> None:
    async with nothing_changes(api):
        refused(await check_in(api, world, world.unassigned_inspector), 403, "not-assigned")


async def test_nobody_but_inspectors_checks_in(api: Api, world: World) -> None:
    for principal in (world.manager, world.lead, world.enterprise_user, world.administrator):
        async with nothing_changes(api):
            refused(await check_in(api, world, principal), 403, "forbidden")
    response = await api.anyone.post(f"/api/v1/inspections/{world.inspection}/check-ins", check_in_order(world))
    refused(response, 401, "not-signed-in")


async def test_one_officer_alone_is_not_enough(api: Api, world: World) -> None:
    for second in (None, world.officer.id, world.unassigned_officer.id, uuid4()):
        async with nothing_changes(api):
            response = await check_in(api, world, second_officer_id=second)
        refused(response, 422, "second-officer-required", "second_officer_id")


async def test_an_officer_of_another_department_is_no_second_one(api: Api, world: World) -> None:
    async with nothing_changes(api):
        response = await check_in(api, world, second_officer_id=world.emergency_officer.id)

    refused(response, 422, "second-officer-required", "second_officer_id")


async def test_an_officer_whose_certificate_expired_does_not_check_in(api: Api, world: World) -> None:
    async with nothing_changes(api):
        facts = refused(await check_in(api, world, world.expired_inspector), 409, "certificate-invalid", "officer")

    assert facts == {"officer_id": str(world.expired_officer.id)}


async def test_an_officer_whose_certificate_expired_is_no_second_one(api: Api, world: World) -> None:
    async with nothing_changes(api):
        response = await check_in(api, world, second_officer_id=world.expired_officer.id)

    refused(response, 409, "certificate-invalid", "second_officer_id")


# The right code


async def test_what_is_no_code_of_ours_is_refused(api: Api, world: World) -> None:
    forged = world.code[:-2] + ("0" if world.code[-2] != "0" else "1") + world.code[-1]
    for code in ("你好", "https://example.com/", forged, world.code + "0"):
        async with nothing_changes(api):
            refused(await check_in(api, world, code=code), 404, "invalid-code", "code")


async def test_a_code_that_was_never_issued_is_refused(api: Api, world: World) -> None:
    never_issued = issue_token(api.parts.code_keys, b"neverwas")

    async with nothing_changes(api):
        refused(await check_in(api, world, code=never_issued), 404, "invalid-code", "code")


async def test_a_replaced_code_is_refused_and_the_new_one_is_good(api: Api, world: World) -> None:
    keys = api.parts.code_keys
    renewed = await api.parts.work.run(INSTALLATION, lambda tx: reissue_code(tx, world.site.id, keys, "码牌破损"))

    async with nothing_changes(api):
        refused(await check_in(api, world), 410, "code-replaced", "code")
    accepted(await check_in(api, world, code=issue_token(keys, renewed.code_id)))


async def test_a_revoked_code_is_refused(api: Api, world: World) -> None:
    await api.parts.work.run(INSTALLATION, lambda tx: revoke_code(tx, world.site.id, "场所已关闭"))

    async with nothing_changes(api):
        refused(await check_in(api, world), 410, "code-revoked", "code")


async def test_the_code_of_another_site_is_the_wrong_site(api: Api, world: World) -> None:
    for code in (world.second_code, world.other_code):
        async with nothing_changes(api):
            refused(await check_in(api, world, code=code), 409, "wrong-site", "code")


async def test_the_business_licence_serves_as_well(api: Api, world: World) -> None:
    result = accepted(await check_in(api, world, code=f"https://zzapp.gsxt.gov.cn/?uniscid={world.enterprise.uscc}"))

    assert result["means"] == "business_licence"


async def test_the_business_licence_of_another_enterprise_does_not(api: Api, world: World) -> None:
    async with nothing_changes(api):
        refused(await check_in(api, world, code=world.other_enterprise.uscc), 409, "wrong-site", "code")


async def test_nobody_checks_in_without_scanning(api: Api, world: World) -> None:
    async with nothing_changes(api):
        refused(await check_in(api, world, code=None), 422, "code-required", "code")


# The position


async def test_a_position_outside_the_fence_asks_for_a_reason(api: Api, world: World) -> None:
    async with nothing_changes(api):
        response = await check_in(api, world, position=position_fix(latitude=ONE_KILOMETRE_NORTH))

    facts = refused(response, 422, "position-reason-required", "position_reason")
    assert facts == {"flags": ["outside"], "distance_outside_m": pytest.approx(801, abs=2)}


async def test_a_position_outside_with_a_reason_is_kept_as_doubtful_and_told_to_the_leads(
    api: Api, world: World
) -> None:
    fix = position_fix(latitude=ONE_KILOMETRE_NORTH)

    result = accepted(await check_in(api, world, position=fix, position_reason=" 库房在后街 "))

    (kept,) = await rows(api, "check_in")
    assert result["flags"] == kept["flags"] == ["outside"]
    assert kept["position_reason"] == "库房在后街"
    assert kept["distance_outside_m"] == pytest.approx(801, abs=2)
    messages = {row["template"]: row for row in await rows(api, "message")}
    doubt = messages["position_in_doubt"]
    assert (doubt["channel"], doubt["recipient"]) == ("in_app", "department_leads")
    assert doubt["recipient_id"] == world.market.id
    assert doubt["parameters"] == {"inspection_id": str(world.inspection), "flags": "outside"}
    assert "arrival" in messages


async def test_a_reason_for_a_plain_position_is_not_kept(api: Api, world: World) -> None:
    accepted(await check_in(api, world, position_reason="不需要的原因"))

    (kept,) = await rows(api, "check_in")
    assert kept["position_reason"] is None


@pytest.mark.parametrize(
    ("position", "flags"),
    [
        (None, ["unknown"]),
        (position_fix(fixed_at=NOW - timedelta(minutes=3)), ["stale"]),
        (position_fix(fixed_at=NOW + timedelta(minutes=2)), ["from_the_future"]),
        (position_fix(accuracy_m=800), ["inaccurate"]),
    ],
    ids=["unknown", "stale", "from the future", "inaccurate"],
)
async def test_a_doubtful_position_asks_for_a_reason_and_never_blocks(
    api: Api, world: World, position: dict[str, Any] | None, flags: list[str]
) -> None:
    async with nothing_changes(api):
        response = await check_in(api, world, position=position)
    assert refused(response, 422, "position-reason-required", "position_reason")["flags"] == flags

    result = accepted(await check_in(api, world, position=position, position_reason="地下室没有信号"))
    assert result["flags"] == flags


async def test_the_same_numbers_are_another_place_in_another_datum(api: Api, world: World) -> None:
    async with nothing_changes(api):
        response = await check_in(api, world, position=position_fix(datum="gcj02"))

    assert refused(response, 422, "position-reason-required", "position_reason")["flags"] == ["outside"]


@pytest.mark.parametrize("datum", Datum)
async def test_one_point_is_inside_in_every_datum(api: Api, world: World, datum: Datum) -> None:
    sent = from_wgs84(Coordinates(LONGITUDE, LATITUDE), datum)

    result = accepted(await check_in(api, world, position=position_fix(sent.longitude, sent.latitude, datum=datum)))

    assert (result["flags"], result["distance_outside_m"]) == ([], 0)


async def an_inspection_at(api: Api, world: World, **place: Any) -> tuple[UUID, str]:
    """An inspection of the world's teams at a new site, and the site's code."""
    async with borrow(api.parts.pool) as connection:
        site: MadeSite = await make_site(connection, world.enterprise, world.market, is_main=False, **place)
    code = await issue_site_code(api.parts, site)
    return await dispatch(api.parts, site, world.teams), code


async def test_a_polygon_stands_for_the_radius(api: Api, world: World) -> None:
    corners = [(108.40, 22.80), (108.42, 22.80), (108.42, 22.82), (108.40, 22.82)]
    inspection, code = await an_inspection_at(api, world, polygon=corners, longitude=108.401, latitude=22.801)
    far_corner = position_fix(108.4195, 22.8195)  # inside, but 2.8 km from the centre
    beside = position_fix(108.398, 22.801)  # outside, but within 350 m of the centre

    async with nothing_changes(api):
        response = await check_in_to(api, world, inspection, code=code, position=beside)
    assert refused(response, 422, "position-reason-required", "position_reason")["flags"] == ["outside"]
    assert accepted(await check_in_to(api, world, inspection, code=code, position=far_corner))["flags"] == []


async def test_a_site_without_coordinates_cannot_vouch_for_a_position(api: Api, world: World) -> None:
    inspection, code = await an_inspection_at(api, world, longitude=None, latitude=None)

    response = await check_in_to(api, world, inspection, code=code, position_reason="场所坐标未登记")

    result = accepted(response)
    assert (result["flags"], result["distance_outside_m"]) == (["no_fence"], None)


@pytest.mark.parametrize(
    "position",
    [
        position_fix(longitude=190),
        position_fix(accuracy_m=-1),
        position_fix(datum="mars"),
        {**position_fix(), "fixed_at": "2026-08-05T10:00:00"},
    ],
    ids=["off the earth", "negative accuracy", "unknown datum", "no time zone"],
)
async def test_an_impossible_position_is_told_by_its_field(api: Api, world: World, position: dict[str, Any]) -> None:
    async with nothing_changes(api):
        response = await check_in(api, world, position=position)

    assert response.status_code == 422
    assert response.json()["type"] == "urn:yima:problem:invalid-field"


# Departments at one visit


async def test_a_department_checks_in_once_per_visit(api: Api, world: World) -> None:
    first = accepted(await check_in(api, world))

    async with nothing_changes(api):
        again = await check_in(api, world, world.partner_inspector, second_officer_id=world.officer.id)

    assert refused(again, 409, "already-checked-in") == {"visit_id": first["visit_id"]}


async def test_the_second_department_joins_the_same_visit(api: Api, world: World) -> None:
    first = accepted(await check_in(api, world))
    second = accepted(await emergency_checks_in(api, world))

    assert second["visit_id"] == first["visit_id"]
    assert second["visit_sequence"] == 1
    assert second["department_id"] == str(world.emergency.id)
    assert len(await rows(api, "visit")) == 1


async def test_a_visit_ends_when_the_last_department_leaves(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await emergency_checks_in(api, world))

    api.clock.advance(timedelta(hours=1))
    assert accepted(await act(api, world, "departures"))["visit_ended"] is False
    assert (await rows(api, "visit"))[0]["departed_at"] is None

    last = api.clock.advance(timedelta(hours=1))
    result = accepted(await act(api, world, "departures", who=world.emergency_inspector))
    assert result["visit_ended"] is True
    assert (await rows(api, "visit"))[0]["departed_at"] == last
    assert [row["action"] for row in (await rows(api, "trace"))[-2:]] == ["inspection.departed"] * 2


async def test_nobody_leaves_who_has_not_come(api: Api, world: World) -> None:
    async with nothing_changes(api):
        refused(await act(api, world, "departures"), 409, "not-checked-in")
    accepted(await check_in(api, world))
    async with nothing_changes(api):
        refused(await act(api, world, "departures", who=world.emergency_inspector), 409, "not-checked-in")
        refused(await act(api, world, "departures", who=world.unassigned_inspector), 403, "not-assigned")


async def test_nobody_leaves_twice(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await emergency_checks_in(api, world))
    accepted(await act(api, world, "departures"))

    async with nothing_changes(api):
        refused(await act(api, world, "departures"), 409, "not-checked-in")


async def test_nobody_leaves_before_they_came(api: Api, world: World) -> None:
    accepted(await check_in(api, world))

    async with nothing_changes(api):
        early = await act(api, world, "departures", done_at=NOW - timedelta(minutes=1))

    refused(early, 422, "departure-before-arrival", "departed_at")


async def test_going_on_the_next_day_is_a_second_visit(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await act(api, world, "departures"))
    tomorrow = api.clock.advance(timedelta(days=1))

    result = accepted(await check_in(api, world, position=position_fix(fixed_at=tomorrow)))

    assert result["visit_sequence"] == 2
    assert [row["arrived_at"] for row in await rows(api, "visit")] == [NOW, tomorrow]


# 亮证告知


async def test_officers_identify_themselves_after_the_check_in(api: Api, world: World) -> None:
    async with nothing_changes(api):
        refused(await act(api, world, "identifications", acknowledgement()), 409, "not-checked-in")

    checked_in = accepted(await check_in(api, world))
    result = accepted(await act(api, world, "identifications", acknowledgement()))

    assert (result["check_in_id"], result["response"]) == (checked_in["id"], "acknowledged")
    (kept,) = await rows(api, "identification")
    assert (kept["shown_on"], kept["person_post"], kept["responded_at"]) == ("officer_screen", "店长", NOW)
    assert api.parts.vault.open("identification.person_name", kept["person_name_sealed"]) == "韦秀英"


@pytest.mark.parametrize("response", ["recusal_requested", "identity_mismatch"])
async def test_a_refusal_needs_its_reason(api: Api, world: World, response: str) -> None:
    accepted(await check_in(api, world))

    for reason in (None, " ", "无", "长" * 201):
        async with nothing_changes(api):
            answer = await act(api, world, "identifications", {"response": response, "reason": reason})
        refused(answer, 422, "refusal-reason-required", "reason")

    assert accepted(await act(api, world, "identifications", {"response": response, "reason": "与店主有亲属关系"}))


async def test_who_refused_may_still_acknowledge_and_that_is_final(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    doubt = {"response": "identity_mismatch", "reason": "证件照片不像本人", "shown_on": "enterprise_phone"}
    accepted(await act(api, world, "identifications", doubt))
    api.clock.advance(timedelta(minutes=5))
    accepted(await act(api, world, "identifications", acknowledgement()))

    async with nothing_changes(api):
        refused(await act(api, world, "identifications", doubt), 409, "already-acknowledged")
        refused(await act(api, world, "identifications", acknowledgement()), 409, "already-acknowledged")

    kept = [(row["response"], row["shown_on"]) for row in await rows(api, "identification")]
    assert kept == [("identity_mismatch", "enterprise_phone"), ("acknowledged", "officer_screen")]


async def test_each_department_identifies_itself(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await act(api, world, "identifications", acknowledgement()))
    async with nothing_changes(api):
        response = await act(api, world, "identifications", acknowledgement(), world.emergency_inspector)
    refused(response, 409, "not-checked-in")

    accepted(await emergency_checks_in(api, world))
    accepted(await act(api, world, "identifications", acknowledgement(), world.emergency_inspector))


async def test_the_name_of_the_person_on_site_stands_nowhere_in_clear(
    api: Api, world: World, database: Database
) -> None:
    accepted(await check_in(api, world))
    response = await act(api, world, "identifications", acknowledgement())

    assert "韦秀英" not in response.text
    assert await tables_that_hold(database, "韦秀英") == set()
    assert await tables_that_hold(database, "店长") == {"identification", "trace"}


async def test_the_name_in_the_trace_opens_with_the_persons_own_key(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await act(api, world, "identifications", acknowledgement()))

    after = msgspec.json.decode((await rows(api, "trace"))[-1]["after"])
    (key,) = await rows(api, "subject_key")
    assert str(key["subject_id"]) == after["person_id"]
    name = api.parts.vault.open_for_subject(key["sealed_key"], after["person_id"], after["person_name_sealed"])
    assert name == "韦秀英"


async def tables_that_hold(database: Database, text: str) -> set[str]:
    """The tables of which any column, also of bytes, holds `text`."""
    connection = await asyncpg.connect(database.dsn)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found: set[str] = set()
        for (name,) in names:
            query = f'SELECT count(*) FROM "{name}" AS t WHERE t::text LIKE any($1)'  # noqa: S608
            if await connection.fetchval(query, [f"%{text}%", f"%{text.encode().hex()}%"]):
                found.add(name)
        return found
    finally:
        await connection.close()


# 作废


async def test_a_voided_visit_stays_on_record_and_the_next_is_the_second(api: Api, world: World) -> None:
    first = accepted(await check_in(api, world))

    voided = accepted(await act(api, world, "voids", {"reason": " 走错楼层 "}))
    second = accepted(await check_in(api, world))

    assert voided["visit_id"] == first["visit_id"]
    assert second["visit_sequence"] == 2
    kept, fresh = await rows(api, "visit")
    assert (kept["voided_at"], kept["void_reason"], kept["departed_at"]) == (NOW, "走错楼层", None)
    assert fresh["voided_at"] is None


async def test_a_visit_is_voided_with_a_reason_only(api: Api, world: World) -> None:
    accepted(await check_in(api, world))

    for reason in ("", " 错 ", "长" * 201):
        async with nothing_changes(api):
            refused(await act(api, world, "voids", {"reason": reason}), 422, "reason-missing", "reason")


async def test_only_an_open_visit_is_voided(api: Api, world: World) -> None:
    async with nothing_changes(api):
        refused(await act(api, world, "voids", {"reason": "走错楼层"}), 409, "visit-already-over")
    accepted(await check_in(api, world))
    async with nothing_changes(api):
        stranger = await act(api, world, "voids", {"reason": "走错楼层"}, world.unassigned_inspector)
        refused(stranger, 403, "not-assigned")
    accepted(await act(api, world, "departures"))
    async with nothing_changes(api):
        refused(await act(api, world, "voids", {"reason": "走错楼层"}), 409, "visit-already-over")


async def test_in_a_voided_visit_nobody_identifies_or_leaves(api: Api, world: World) -> None:
    accepted(await check_in(api, world))
    accepted(await act(api, world, "voids", {"reason": "走错楼层"}))

    async with nothing_changes(api):
        refused(await act(api, world, "identifications", acknowledgement()), 409, "not-checked-in")
        refused(await act(api, world, "departures"), 409, "not-checked-in")


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


def late_scan(
    reason: str, began_at: datetime, ended_at: datetime | None = None, note: str = "来不及"
) -> dict[str, Any]:
    """先检查后扫码."""
    return {"reason": reason, "note": note, "began_at": began_at, "ended_at": ended_at}


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


async def test_a_team_of_one_department_ends_its_visit_by_itself(api: Api, world: World) -> None:
    alone = await dispatch(api.parts, world.site, [Team(world.market, [world.officer, world.partner])])
    accepted(await check_in_to(api, world, alone))

    response = await api.as_(world.partner_inspector).post(f"/api/v1/inspections/{alone}/departures")

    assert accepted(response)["visit_ended"] is True
