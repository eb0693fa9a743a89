"""At the door over HTTP: the badge, the live code, and the 亮证告知 screen with its answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from codes.live_code import BADGE_LENGTH, LIVE_LENGTH, issue_badge, issue_live_code
from codes.token import decode_token
from domain.enterprise.tables import site_code
from domain.identity.model import EnterprisePost, Principal
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import INSTALLATION, NOW, World, dispatch, position_fix
from tests.support.inspecting import arrive, arrive_second, leave, path, prepare_inspection
from tests.support.visits import acknowledgement, check_in_to, nothing_changes, rows

BADGE = "/api/v1/officers/me/badge"


async def badge_of(api: Api, who: Principal) -> str:
    """What the officer's phone shows, as a scanner reads it."""
    response = await api.as_(who).get(BADGE)
    assert response.status_code == 200, response.text
    return response.json()["url"]


async def verify(api: Api, code: str, who: Principal | None = None) -> httpx.Response:
    """核验亮证码."""
    actor = api.anyone if who is None else api.as_(who)
    return await actor.post("/api/v1/badges/verification", {"code": code}, key="")


async def live_code(api: Api, world: World) -> str:
    """What the enterprise's phone shows, as a scanner reads it."""
    response = await api.as_(world.enterprise_user).get(f"/api/v1/sites/{world.site.id}/live-code")
    assert response.status_code == 200, response.text
    return response.json()["url"]


async def screen(api: Api, who: Principal, inspection: UUID) -> dict[str, Any]:
    """亮证告知 as `who` reads it."""
    response = await api.as_(who).get(path(inspection, "identification-screen"))
    assert response.status_code == 200, response.text
    return response.json()


# The badge


async def test_a_badge_tells_anybody_who_stands_there(api: Api, world: World) -> None:
    shown = (await api.as_(world.inspector).get(BADGE)).json()
    assert shown["url"] == f"HTTP://YIMA.TEST/B/{shown['url'][-BADGE_LENGTH:]}"
    assert (shown["expires_at"], shown["lifetime_seconds"]) == ("2026-08-05T02:01:00Z", 60)
    assert shown["svg"].startswith("<svg")

    async with nothing_changes(api):
        told = (await verify(api, shown["url"])).json()
    assert told["officer"]["name"] == "黄志强"
    assert told["officer"]["certificate_number"] == world.officer.certificate_number
    assert (told["officer"]["department_name"], told["officer"]["hotline"]) == ("南宁市市场监督管理局", "0771-12345")
    assert (told["certificate_is_valid"], told["photo"], told["orders"], told["is_assigned"]) == (
        True,
        None,
        None,
        None,
    )


async def test_the_enterprise_sees_the_order_and_nothing_of_the_sealed_list(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    told = (await verify(api, await badge_of(api, world.inspector), world.enterprise_user)).json()
    assert told["is_assigned"] is True
    (order,) = [each for each in told["orders"] if each["inspection_id"] == str(inspection)]
    assert (order["kind"], order["authority"], order["items"]) == ("routine", "南宁市市场监督管理局", 8)
    assert (order["is_list_open"], order["areas"], order["was_announced"]) == (False, [], False)
    assert order["notice_number"]

    await arrive(api, world, inspection)
    told = (await verify(api, await badge_of(api, world.inspector), world.enterprise_user)).json()
    (order,) = [each for each in told["orders"] if each["inspection_id"] == str(inspection)]
    assert order["areas"] == ["原料控制", "燃气安全", "环境卫生", "许可管理"]


async def serve_notice(api: Api, who: Principal, inspection: UUID, **changes: object) -> httpx.Response:
    """检查通知书 handed to the post on the day before."""
    body = {"means": "post", "served_on": "2026-08-04", "tracking_number": "1234567890123", **changes}
    return await api.as_(who).post(path(inspection, "notice-services"), body)


async def order_at_door(api: Api, world: World, inspection: UUID) -> dict[str, Any]:
    """What the enterprise is told of that inspection when it scans the officer's badge."""
    told = (await verify(api, await badge_of(api, world.inspector), world.enterprise_user)).json()
    (order,) = [each for each in told["orders"] if each["inspection_id"] == str(inspection)]
    return order


async def test_a_visit_whose_notice_was_served_before_is_told_as_announced(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    refused(
        await serve_notice(api, world.manager, inspection, tracking_number=None),
        422,
        "invalid-field",
        "tracking_number",
    )
    refused(
        await serve_notice(api, world.manager, inspection, served_on="2026-08-06"), 422, "invalid-field", "served_on"
    )
    refused(
        await serve_notice(api, world.manager, inspection, means="electronic"), 409, "service-consent-missing", "means"
    )
    refused(await serve_notice(api, world.unassigned_inspector, inspection), 404, "not-found")
    refused(await serve_notice(api, world.enterprise_user, inspection), 403, "forbidden")
    assert (await order_at_door(api, world, inspection))["was_announced"] is False

    done = accepted(await serve_notice(api, world.manager, inspection))
    assert (done["served_on"], done["is_announced"]) == ("2026-08-04", True)
    before = await order_at_door(api, world, inspection)
    own = api.as_(world.enterprise_user)
    (paper,) = (await own.get("/api/v1/space/papers")).json()["items"]
    assert paper["kind"] == "inspection_notice"
    assert (await own.get(f"/api/v1/documents/{paper['id']}")).status_code == 200
    assert (await own.get("/api/v1/space")).json()["tasks"]["count"] == 1
    refused(await api.as_(world.foreign_user).get(f"/api/v1/documents/{paper['id']}"), 404, "not-found")
    api.clock.advance(timedelta(minutes=1))
    await arrive(api, world, inspection)
    assert (before["was_announced"], before["announced_on"]) == (True, "2026-08-04")
    assert (await order_at_door(api, world, inspection))["was_announced"] is True
    assert "inspection.notice_served" in [row["action"] for row in await rows(api, "trace")]


async def test_a_service_recorded_at_the_door_announces_nothing(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    api.clock.advance(timedelta(minutes=5))
    assert accepted(await serve_notice(api, world.inspector, inspection))["is_announced"] is False
    order = await order_at_door(api, world, inspection)
    assert (order["was_announced"], order["announced_on"]) == (False, None)


async def test_an_officer_without_an_order_here_is_told_apart(api: Api, world: World) -> None:
    told = (await verify(api, await badge_of(api, world.unassigned_inspector), world.enterprise_user)).json()
    assert (told["is_assigned"], told["orders"]) == (False, [])
    assert "没有在你单位的检查任务" in told["words"]
    elsewhere = (await verify(api, await badge_of(api, world.inspector), world.foreign_user)).json()
    assert elsewhere["is_assigned"] is False
    branch = msgspec.structs.replace(world.enterprise_user, site_ids=(world.second_site.id,))
    assert (await verify(api, await badge_of(api, world.inspector), branch)).json()["orders"] == []


async def test_a_branch_sees_its_order_also_behind_many_of_other_sites(api: Api, world: World) -> None:
    for _ in range(21):
        await dispatch(api.parts, world.site, world.teams[:1])
    here = await dispatch(api.parts, world.second_site, world.teams[:1], due_on=NOW.date() + timedelta(days=60))
    branch = msgspec.structs.replace(world.enterprise_user, site_ids=(world.second_site.id,))
    told = (await verify(api, await badge_of(api, world.inspector), branch)).json()
    assert [each["inspection_id"] for each in told["orders"]] == [str(here)]


async def test_officials_learn_no_orders_from_a_badge(api: Api, world: World) -> None:
    for who in (world.manager, world.lead, world.unassigned_inspector, world.administrator):
        assert (await verify(api, await badge_of(api, world.inspector), who)).json()["orders"] is None


async def test_a_badge_is_worth_nothing_after_a_minute(api: Api, world: World) -> None:
    code = await badge_of(api, world.inspector)
    api.clock.advance(timedelta(seconds=59))
    assert (await verify(api, code)).status_code == 200
    api.clock.advance(timedelta(seconds=1))
    refused(await verify(api, code), 410, "badge-expired", "code")
    page = await api.anyone.get(code.removeprefix("HTTP://YIMA.TEST"))
    assert (page.status_code, "已过期" in page.text) == (410, True)


@pytest.mark.parametrize("code", ["", "HTTP://YIMA.TEST/B/XYZ", "0" * BADGE_LENGTH, "x" * 301, "ſ" * BADGE_LENGTH])
async def test_what_is_no_badge_is_refused(api: Api, code: str) -> None:
    response = await verify(api, code)
    assert response.status_code in {404, 422}
    assert response.headers["content-type"] == "application/problem+json"


async def test_other_codes_are_no_badges(api: Api, world: World) -> None:
    stranger = issue_badge(api.parts.badge_keys, uuid4(), NOW)
    for code in (world.code, await live_code(api, world), stranger):
        refused(await verify(api, code), 404, "badge-invalid", "code")


async def test_who_may_not_inspect_has_no_badge(api: Api, world: World) -> None:
    refused(await api.as_(world.expired_inspector).get(BADGE), 409, "certificate-invalid", "officer")
    for who in (world.manager, world.enterprise_user):
        refused(await api.as_(who).get(BADGE), 403, "forbidden")


async def test_a_browser_opens_the_badge_as_a_page(api: Api, world: World) -> None:
    code = await badge_of(api, world.inspector)
    for place in (code.removeprefix("HTTP://YIMA.TEST"), code.removeprefix("HTTP://YIMA.TEST").lower()):
        page = await api.anyone.get(place)
        assert page.status_code == 200
        for words in ("黄志强", "证件有效", "南宁市市场监督管理局", "0771-12345"):
            assert words in page.text
        assert page.headers["cache-control"] == "private, no-store"
        assert "default-src 'none'" in page.headers["content-security-policy"]
    assert (await api.anyone.get("/b/nonsense")).status_code == 404


# The live code


async def test_a_check_in_by_live_code_opens_the_list_in_the_same_act(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    code = await live_code(api, world)
    stored = accepted(await check_in_to(api, world, inspection, code=code))
    assert (stored["means"], stored["flags"], stored["list_is_open"]) == ("live_code", [], True)
    listed = await api.as_(world.inspector).get(path(inspection, "checklist"))
    assert len(listed.json()["items"]) == 8
    actions = [row["action"] for row in await rows(api, "trace") if row["subject_id"] == inspection]
    assert actions.count("inspection.list_released") == 1
    (kept,) = await rows(api, "check_in")
    assert bytes(kept["code_id"]) == decode_token(api.parts.code_keys, world.code).code_id


async def test_a_position_unknown_needs_no_reason_beside_a_live_code(api: Api, world: World) -> None:
    code = await live_code(api, world)
    stored = accepted(await check_in_to(api, world, world.inspection, code=code, position=None))
    assert (stored["flags"], stored["list_is_open"]) == (["unknown"], False)
    assert "position_in_doubt" not in {row["template"] for row in await rows(api, "message")}


async def test_a_position_elsewhere_stays_in_doubt(api: Api, world: World) -> None:
    far = position_fix(longitude=109.4)
    code = await live_code(api, world)
    async with nothing_changes(api):
        bare = await check_in_to(api, world, world.inspection, code=code, position=far)
    refused(bare, 422, "position-reason-required", "position_reason")
    why = "手机定位漂移。"
    stored = accepted(await check_in_to(api, world, world.inspection, code=code, position=far, position_reason=why))
    assert "outside" in stored["flags"]
    assert "position_in_doubt" in {row["template"] for row in await rows(api, "message")}


async def test_a_live_code_holds_for_its_slot_and_the_ones_beside_it(api: Api, world: World) -> None:
    code = await live_code(api, world)
    late = position_fix(fixed_at=NOW + timedelta(seconds=95))
    api.clock.advance(timedelta(seconds=95))
    async with nothing_changes(api):
        refused(
            await check_in_to(api, world, world.inspection, code=code, position=late), 409, "live-code-expired", "code"
        )
    api.clock.now = NOW + timedelta(seconds=59)
    accepted(await check_in_to(api, world, world.inspection, code=code))


async def test_a_late_write_is_judged_by_when_it_was_done(api: Api, world: World) -> None:
    code = await live_code(api, world)
    api.clock.advance(timedelta(hours=3))
    who = api.as_(world.inspector)
    order = {"second_officer_id": world.partner.id, "code": code, "position": position_fix()}
    refused(await who.post(path(world.inspection, "check-ins"), order), 409, "live-code-expired", "code")
    done_at = NOW + timedelta(seconds=20)
    stored = accepted(await who.post(path(world.inspection, "check-ins"), order, done_at=done_at))
    assert (stored["means"], stored["done_at"]) == ("live_code", "2026-08-05T02:00:20Z")


async def test_a_live_code_is_of_its_site_and_its_code(api: Api, world: World) -> None:
    other = issue_live_code(api.parts.badge_keys, decode_token(api.parts.code_keys, world.other_code).code_id, NOW)
    refused(await check_in_to(api, world, world.inspection, code=other), 409, "wrong-site", "code")
    forged = "0" * LIVE_LENGTH
    refused(await check_in_to(api, world, world.inspection, code=forged), 404, "invalid-code", "code")
    code = await live_code(api, world)
    reissue = f"/api/v1/sites/{world.site.id}/codes/reissue"
    accepted(await api.as_(world.manager).post(reissue, {"reason": "旧码破损"}))
    refused(await check_in_to(api, world, world.inspection, code=code), 410, "code-replaced", "code")
    accepted(await check_in_to(api, world, world.inspection, code=await live_code(api, world)))


async def test_only_the_enterprise_shows_its_live_code(api: Api, world: World) -> None:
    place = f"/api/v1/sites/{world.site.id}/live-code"
    refused(await api.as_(world.foreign_user).get(place), 404, "not-found")
    branch = msgspec.structs.replace(world.enterprise_user, site_ids=(world.second_site.id,))
    refused(await api.as_(branch).get(place), 404, "not-found")
    for who in (world.inspector, world.manager):
        refused(await api.as_(who).get(place), 403, "forbidden")
    async with borrow(api.parts.pool) as connection:
        await connection.execute(f"DELETE FROM {site_code.name} WHERE site_id = $1", world.site.id)  # noqa: S608
    refused(await api.as_(world.enterprise_user).get(place), 409, "no-code-issued", "site_id")


# The screen


async def test_both_sides_read_the_same_screen(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world, is_joint=True)
    refused(await api.as_(world.enterprise_user).get(path(inspection, "identification-screen")), 404, "not-found")
    before = await screen(api, world.inspector, inspection)
    assert (before["is_list_open"], before["areas"], before["items"]) == (False, [], 8)

    accepted(await check_in_to(api, world, inspection))
    shown = await screen(api, world.enterprise_user, inspection)
    assert shown == await screen(api, world.inspector, inspection)
    market, emergency = shown["parties"]
    assert (market["is_lead"], market["visits_this_year"], market["routine_visits_this_year"]) == (True, 1, 1)
    assert (emergency["check_in_id"], emergency["visits_this_year"]) == (None, 0)
    here = {each["name"] for each in market["officers"] if each["is_here"]}
    assert here == {"黄志强", "陆小梅"}
    assert {each["name"]: each["certificate_is_valid"] for each in market["officers"]}["农建国"] is False
    assert (shown["kind_label"], shown["visits_cap"], shown["visits_cap_source"]) == ("日常检查", 2, "待核")
    assert len(shown["prohibitions"]) == 5
    assert not any(each["verified"] for each in (*shown["rights"], *shown["duties"], *shown["prohibitions"]))
    assert [each["label"] for each in shown["buttons"]] == ["已知悉", "申请回避", "身份或单位不符"]


async def test_visits_are_counted_by_inspection_authority_and_year(api: Api, world: World) -> None:
    api.clock.now = NOW - timedelta(days=1)
    first = await world.dispatch(world.second_site)
    fix = position_fix(longitude=108.35, fixed_at=api.clock.now)
    accepted(await check_in_to(api, world, first, code=world.second_code, position=fix))
    api.clock.now = NOW
    case = await world.dispatch(kind="case")
    accepted(await check_in_to(api, world, case))
    await leave(api, world.inspector, case, NOW)
    accepted(await check_in_to(api, world, case))
    accepted(await check_in_to(api, world, world.inspection))
    (market, _) = (await screen(api, world.enterprise_user, world.inspection))["parties"]
    assert (market["visits_this_year"], market["routine_visits_this_year"]) == (3, 2)


async def test_the_enterprise_answers_on_its_own_phone(api: Api, world: World) -> None:
    accepted(await check_in_to(api, world, world.inspection))
    (market, _) = (await screen(api, world.enterprise_user, world.inspection))["parties"]
    reply = {"check_in_id": market["check_in_id"], **acknowledgement()}
    place = path(world.inspection, "identification-replies")
    stored = accepted(await api.as_(world.enterprise_user).post(place, reply))
    assert (stored["response"], stored["responded_at"]) == ("acknowledged", "2026-08-05T02:00:00Z")
    (kept,) = await rows(api, "identification")
    assert kept["shown_on"] == "enterprise_phone"
    trace = [row for row in await rows(api, "trace") if row["action"] == "inspection.officers_identified"]
    assert [row["operator_id"] for row in trace] == [world.enterprise_user.account_id]
    assert "韦秀英" not in str(trace)
    (market, _) = (await screen(api, world.inspector, world.inspection))["parties"]
    assert market["response"] == "acknowledged"
    refused(await api.as_(world.enterprise_user).post(place, reply), 409, "already-acknowledged")
    theirs = await api.as_(world.inspector).post(path(world.inspection, "identifications"), acknowledgement())
    refused(theirs, 409, "already-acknowledged")


async def test_asking_for_recusal_reaches_the_lead_at_once(api: Api, world: World) -> None:
    accepted(await check_in_to(api, world, world.inspection))
    (market, _) = (await screen(api, world.enterprise_user, world.inspection))["parties"]
    place = path(world.inspection, "identification-replies")
    reply = {"check_in_id": market["check_in_id"], "response": "recusal_requested"}
    refused(await api.as_(world.enterprise_user).post(place, reply), 422, "refusal-reason-required", "reason")
    accepted(await api.as_(world.enterprise_user).post(place, {**reply, "reason": "与本店有劳动争议。"}))
    told = [row for row in await rows(api, "message") if row["template"] == "identification_refused"]
    assert [(row["recipient"], row["recipient_id"]) for row in told] == [("department_leads", world.market.id)]


async def test_nobody_answers_for_others_or_after_they_left(api: Api, world: World) -> None:
    accepted(await check_in_to(api, world, world.inspection))
    (market, _) = (await screen(api, world.enterprise_user, world.inspection))["parties"]
    place = path(world.inspection, "identification-replies")
    reply = {"check_in_id": market["check_in_id"], "response": "acknowledged"}
    viewer = msgspec.structs.replace(world.enterprise_user, enterprise_post=EnterprisePost.VIEWER)
    branch = msgspec.structs.replace(world.enterprise_user, site_ids=(world.second_site.id,))
    async with nothing_changes(api):
        refused(await api.as_(world.foreign_user).post(place, reply), 404, "not-found")
        refused(await api.as_(branch).post(place, reply), 404, "not-found")
        refused(await api.as_(viewer).post(place, reply), 403, "forbidden")
        refused(await api.as_(world.inspector).post(place, reply), 403, "forbidden")
        unknown = {**reply, "check_in_id": uuid4()}
        refused(await api.as_(world.enterprise_user).post(place, unknown), 409, "not-checked-in", "check_in_id")
    await leave(api, world.inspector, world.inspection, NOW)
    refused(await api.as_(world.enterprise_user).post(place, reply), 409, "not-checked-in", "check_in_id")


async def test_each_department_is_answered_for_itself(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world, is_joint=True)
    await arrive(api, world, inspection)
    await arrive_second(api, world, inspection)
    shown = await screen(api, world.lead, inspection)
    assert [each["response"] for each in shown["parties"]] == ["acknowledged", "acknowledged"]
    assert INSTALLATION.name not in str(shown)
