"""扫码报到 over HTTP (ONE-01, MOB-10): what is kept, and what is refused without a mark."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from codes.token import code_url, issue_token
from domain.enterprise.operations import reissue_code, revoke_code
from domain.inspection.position import Coordinates, Datum, from_wgs84
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import (
    INSTALLATION,
    LATITUDE,
    LONGITUDE,
    NOW,
    MadeSite,
    World,
    check_in_order,
    dispatch,
    issue_site_code,
    make_site,
    position_fix,
)
from tests.support.visits import (
    check_in,
    check_in_to,
    marks,
    nothing_changes,
    rows,
)

ONE_KILOMETRE_NORTH = LATITUDE + 0.009


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
