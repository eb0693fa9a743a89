"""责令改正 over HTTP: issued, read, revoked; feedback, more time, 整改复查 (POST-01, MOB-12..17, ENT-03)."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.rectification.operations import orders_open
from domain.shared.numbers import NumberKind, lease_numbers
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, World
from tests.support.inspecting import answer_all, arrive_second, leave, path, photo, upload
from tests.support.problems import (
    DUE_ON,
    PENAL,
    PLAIN,
    SEVERE,
    days,
    demand,
    feed_back,
    find_problems,
    fresh_id,
    issue,
    order_path,
    ordered,
    re_inspect,
    re_inspection,
    read_order,
    rectify_within,
)
from tests.support.visits import nothing_changes, rows

DEVICE = UUID(int=77)


async def order_paper(api: Api) -> dict[str, Any]:
    """The only 责令改正通知书 among the papers."""
    (paper,) = [row for row in await rows(api, "document") if row["kind"] == "rectification_order"]
    return paper


# The order


async def test_an_order_is_answered_with_its_paper(api: Api, world: World) -> None:
    found = await find_problems(api, world)

    order = accepted(await issue(api, world.inspector, found, PLAIN, PENAL))

    assert (order["state"], order["due_on"]) == ("to_rectify", DUE_ON.isoformat())
    assert order["re_inspection_due_on"] == (DUE_ON + timedelta(days=10)).isoformat()
    assert order["items"] == [str(found.items[code]) for code in (PLAIN, PENAL)]
    assert order["consents"] == []
    paper = await order_paper(api)
    assert (str(paper["id"]), paper["kind"]) == (order["document_id"], "rectification_order")
    (number,) = [row for row in await rows(api, "issued_number") if row["kind"] == "ZG"]
    assert (number["subject_id"], number["sequence"]) == (paper["id"], 1)
    traced = [row["action"] for row in await rows(api, "trace")]
    assert traced[-2:] == ["document.issued", "rectification.order_issued"]


async def test_the_order_is_read_whole(api: Api, world: World) -> None:
    _, order = await ordered(api, world, PLAIN)

    detail = await read_order(api, world.inspector, order["id"])

    assert detail["number"] == "SJ01-2026-ZG-000001"
    assert (detail["mark"], detail["document_state"], detail["round"]) == ("not_served", "waiting", 1)
    (item,) = detail["items"]
    assert (item["facts"], item["demand"]) == ("许可证未公示。", "在醒目位置公示许可证。")
    assert item["clauses"] == "《中华人民共和国食品安全法》第三十三条（待核）"
    empty = ("services", "feedback", "extension", "re_inspections", "transfer")
    assert [detail[name] for name in empty] == [[], [], None, [], None]


async def test_the_draft_proposes_a_term_but_never_for_a_severe_hazard(api: Api, world: World) -> None:
    found = await find_problems(api, world)

    response = await api.as_(world.inspector).get(path(found.inspection, "rectification-orders/draft"))

    draft = response.json()
    suggested = {line["item_id"]: line["suggested_due_on"] for line in draft["items"]}
    assert suggested[str(found.items[PLAIN])] == days(15).isoformat()
    assert suggested[str(found.items[SEVERE])] is None
    assert {"管辖法院", "复议机关"} <= {field["name"] for field in draft["fields"]}
    assert draft["values"]["联系人"] == "黄志强"


async def test_a_severe_hazard_is_put_right_at_once_or_by_a_date_with_its_reason(api: Api, world: World) -> None:
    found = await find_problems(api, world)
    item = found.items[SEVERE]
    async with nothing_changes(api):
        response = await issue(api, world.inspector, found, items=[demand(item)])
    refused(response, 422, "reason-missing", "items[0].term_reason")

    at_once = [demand(item, due_on=None)]
    order = accepted(await issue(api, world.inspector, found, items=at_once, due_on=NOW.date()))
    assert order["due_on"] == NOW.date().isoformat()


@pytest.mark.parametrize("due_on", [date(2026, 8, 4), days(181)], ids=["before today", "too long"])
async def test_a_term_has_its_bounds(api: Api, world: World, due_on: date) -> None:
    found = await find_problems(api, world)

    async with nothing_changes(api):
        response = await issue(api, world.inspector, found, due_on=due_on)

    refused(response, 422, "invalid-field", "due_on")


async def test_an_item_stands_in_one_unrevoked_order_only(api: Api, world: World) -> None:
    found, order = await ordered(api, world, PLAIN)
    async with nothing_changes(api):
        response = await issue(api, world.inspector, found, PLAIN)
    assert refused(response, 409, "item-already-ordered", "items[0]")["order_id"] == order["id"]

    revoked = await api.as_(world.manager).post(order_path(order["id"], "revocation"), {"reason": "文书有误"})
    assert accepted(revoked)["state"] == "revoked"
    assert accepted(await issue(api, world.inspector, found, PLAIN))["id"] != order["id"]


async def test_of_two_orders_at_once_over_one_item_one_stands(api: Api, world: World) -> None:
    found = await find_problems(api, world)

    answers = await asyncio.gather(
        issue(api, world.inspector, found, PLAIN), issue(api, world.partner_inspector, found, PLAIN)
    )

    assert sorted(each.status_code for each in answers) == [201, 409]
    assert len(await rows(api, "rectification_order")) == 1
    assert [row["sequence"] for row in await rows(api, "issued_number") if row["kind"] == "ZG"] == [1]


async def test_each_department_issues_its_own(api: Api, world: World) -> None:
    found = await find_problems(api, world, is_joint=True)
    await arrive_second(api, world, found.inspection)
    leak = {"T07": rectify_within("未安装报警装置。")}
    await answer_all(api, world.emergency_inspector, found.inspection, world.emergency.id, leak)

    first = accepted(await issue(api, world.inspector, found, PLAIN))
    second = accepted(await issue(api, world.emergency_inspector, found, "T07"))

    assert (await read_order(api, world.manager, first["id"]))["number"] == "SJ01-2026-ZG-000001"
    assert (await read_order(api, world.emergency_manager, second["id"]))["number"] == "YJ01-2026-ZG-000001"
    own = {"reason": "由本部门撤销"}
    foreign = await api.as_(world.emergency_manager).post(order_path(first["id"], "revocation"), own)
    refused(foreign, 404, "not-found")


async def test_only_a_problem_with_an_ordering_measure_is_ordered(api: Api, world: World) -> None:
    guided = {"measures": [{"kind": "guidance"}], "remark": "已口头指导。"}
    found = await find_problems(api, world, {PLAIN: guided, PENAL: rectify_within()})

    async with nothing_changes(api):
        by_measure = await issue(api, world.inspector, found, PLAIN)
        by_answer = await issue(api, world.inspector, found, SEVERE)

    refused(by_measure, 409, "item-not-orderable", "items[0]")
    refused(by_answer, 409, "item-not-orderable", "items[0]")


async def test_an_order_never_mixes_departments(api: Api, world: World) -> None:
    found = await find_problems(api, world, is_joint=True)
    await arrive_second(api, world, found.inspection)

    async with nothing_changes(api):
        response = await issue(api, world.emergency_inspector, found, PLAIN)

    refused(response, 409, "item-not-orderable", "items[0]")


async def test_who_has_not_checked_in_orders_nothing(api: Api, world: World) -> None:
    found = await find_problems(api, world, is_joint=True)

    async with nothing_changes(api):
        absent = await issue(api, world.emergency_inspector, found, "T07")
        stranger = await issue(api, world.unassigned_inspector, found, PLAIN)

    refused(absent, 409, "not-checked-in")
    refused(stranger, 403, "not-assigned")


async def test_what_stands_outside_the_marked_fields_is_not_edited(api: Api, world: World) -> None:
    found = await find_problems(api, world)
    async with nothing_changes(api):
        response = await issue(api, world.inspector, found, fields={"事实": "改写"})
    refused(response, 422, "field-not-editable", "edits")

    accepted(await issue(api, world.inspector, found, court="南宁铁路运输中级法院", fields={"联系人": "陆小梅"}))


async def test_a_leased_number_is_used_and_another_refused(api: Api, world: World) -> None:
    found = await find_problems(api, world)
    async with borrow(api.parts.pool) as connection:
        leased = await lease_numbers(connection, "SJ01", NumberKind.RECTIFICATION, DEVICE, 2, NOW)
    last = {"device_id": DEVICE, "year": 2026, "sequence": leased[-1].sequence}

    async with nothing_changes(api):
        foreign = await issue(api, world.inspector, found, leased_number={**last, "device_id": uuid4()})
    refused(foreign, 409, "number-not-leased", "leased_number")

    order = accepted(await issue(api, world.inspector, found, PLAIN, leased_number=last))
    assert (await read_order(api, world.manager, order["id"]))["number"] == "SJ01-2026-ZG-000002"
    again = await issue(api, world.inspector, found, PENAL, leased_number=last)
    refused(again, 409, "number-not-leased", "leased_number")


async def test_an_order_that_arrives_late_keeps_its_day(api: Api, world: World) -> None:
    found = await find_problems(api, world)
    api.clock.advance(timedelta(days=3))

    at_once = [demand(found.items[PLAIN], due_on=None)]
    response = await issue(
        api, world.inspector, found, items=at_once, due_on=NOW.date(), done_at=NOW + timedelta(hours=1)
    )

    order = accepted(response)
    assert order["issued_at"] == "2026-08-05T03:00:00Z"
    paper = await order_paper(api)
    assert paper["issued_on"] == NOW.date()


async def test_after_completion_an_order_needs_its_reason(api: Api, world: World) -> None:
    found = await find_problems(api, world)
    await leave(api, world.inspector, found.inspection)
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "UPDATE inspection SET state = 'completed', completed_at = $2 WHERE id = $1", found.inspection, NOW
        )
    async with nothing_changes(api):
        refused(await issue(api, world.inspector, found), 422, "reason-missing", "late_reason")

    accepted(await issue(api, world.inspector, found, late_reason="现场打印机故障，事后补发。"))


async def test_an_order_binds_its_answers_until_it_is_revoked(api: Api, world: World) -> None:
    found, order = await ordered(api, world, PLAIN)
    bound = {str(row["item_id"]): row["order_id"] for row in await rows(api, "answer")}
    assert str(bound[str(found.items[PLAIN])]) == order["id"]

    accepted(await api.as_(world.manager).post(order_path(order["id"], "revocation"), {"reason": "文书有误"}))
    assert {row["order_id"] for row in await rows(api, "answer")} == {None}
    paper = await order_paper(api)
    assert paper["revoke_reason"] == "文书有误"
    (number,) = [row for row in await rows(api, "issued_number") if row["kind"] == "ZG"]
    assert number["voided_at"] is None


# Who sees it


async def test_who_may_read_an_order(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    seers = (world.inspector, world.partner_inspector, world.unassigned_inspector, world.manager, world.lead)
    for who in (*seers, world.enterprise_user):
        assert (await read_order(api, who, order["id"]))["id"] == order["id"]
    for who in (world.emergency_inspector, world.emergency_manager, world.foreign_lead, world.foreign_user):
        refused(await api.as_(who).get(order_path(order["id"])), 404, "not-found")
        refused(await api.as_(who).get(order_path(order["id"], "notice.pdf")), 404, "not-found")


async def test_lists_are_scoped_filtered_and_paged(api: Api, world: World) -> None:
    found = await find_problems(api, world)
    first = accepted(await issue(api, world.inspector, found, PLAIN))
    second = accepted(await issue(api, world.inspector, found, PENAL, due_on=days(30)))

    async def listed(who: object, **query: object) -> list[str]:
        response = await api.as_(who).get("/api/v1/rectification-orders", **query)  # type: ignore[arg-type] - a principal
        return [line["id"] for line in response.json()["items"]]

    both = [first["id"], second["id"]]
    for who in (world.inspector, world.manager, world.lead, world.enterprise_user):
        assert await listed(who) == both
    for who in (world.unassigned_inspector, world.emergency_manager, world.foreign_lead, world.foreign_user):
        assert await listed(who) == []
    assert await listed(world.manager, due_before=DUE_ON) == both[:1]
    assert await listed(world.manager, state="rectified") == []
    assert await listed(world.manager, site_id=world.second_site.id) == []
    assert await listed(world.manager, inspection_id=found.inspection) == both
    assert await listed(world.manager, inspection_id=world.inspection) == []
    page = (await api.as_(world.manager).get("/api/v1/rectification-orders", limit=1)).json()
    assert await listed(world.manager, limit=1, cursor=page["next_cursor"]) == both[1:]
    refused(
        await api.as_(world.manager).get("/api/v1/rectification-orders", cursor="x"), 422, "invalid-field", "cursor"
    )


async def test_the_paper_is_awaited(api: Api, world: World) -> None:
    _, order = await ordered(api, world)

    response = await api.as_(world.enterprise_user).get(order_path(order["id"], "notice.pdf"))

    refused(response, 409, "paper-not-ready")
    assert response.headers["retry-after"]


# Feedback and more time


async def test_feedback_sets_the_re_inspections_term_and_may_come_again(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    api.clock.advance(timedelta(days=2))

    given = accepted(await feed_back(api, world, found, order["id"]))
    assert (given["state"], given["re_inspection_due_on"]) == ("fed_back", days(12).isoformat())

    api.clock.advance(timedelta(days=1))
    again = accepted(await feed_back(api, world, found, order["id"], note="补充照片"))
    assert again["re_inspection_due_on"] == days(12).isoformat()
    assert len((await read_order(api, world.inspector, order["id"]))["feedback"]) == 2


async def test_feedback_rests_on_photos_of_the_enterprises_own(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    officers = await upload(api, world.inspector, found.inspection, photo(7))
    items = [{"item_id": found.items[PLAIN], "answer": "已改正。", "after": [officers]}]

    async with nothing_changes(api):
        response = await api.as_(world.enterprise_user).post(order_path(order["id"], "feedback"), {"items": items})
        foreign = await api.as_(world.foreign_user).post(order_path(order["id"], "feedback"), {"items": items})

    assert refused(response, 409, "evidence-missing", "items")["digests"] == [officers]
    refused(foreign, 404, "not-found")


async def test_more_time_is_asked_for_once_and_moves_the_terms(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    enterprise, manager = api.as_(world.enterprise_user), api.as_(world.manager)
    wish = {"days": 5, "reason": "设备采购需要时间"}

    asked = accepted(await enterprise.post(order_path(order["id"], "extension"), wish))
    assert (asked["state"], asked["due_on"]) == ("pending", DUE_ON.isoformat())
    granted = accepted(
        await manager.post(order_path(order["id"], "extension/decision"), {"granted": True, "reason": "情况属实"})
    )

    assert (granted["state"], granted["due_on"]) == ("granted", "2026-08-25")
    assert granted["re_inspection_due_on"] == "2026-09-04"
    refused(await enterprise.post(order_path(order["id"], "extension"), wish), 409, "extension-already-requested")
    refused(
        await manager.post(order_path(order["id"], "extension/decision"), {"granted": False, "reason": "重复"}),
        409,
        "extension-already-decided",
    )
    extension = (await read_order(api, world.enterprise_user, order["id"]))["extension"]
    assert (extension["due_on_before"], extension["due_on_after"]) == (DUE_ON.isoformat(), "2026-08-25")


async def test_a_declined_request_moves_nothing_and_is_the_only_one(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    enterprise, wish = api.as_(world.enterprise_user), {"days": 5, "reason": "设备采购需要时间"}
    accepted(await enterprise.post(order_path(order["id"], "extension"), wish))

    decision = {"granted": False, "reason": "可以按期完成"}
    declined = await api.as_(world.manager).post(order_path(order["id"], "extension/decision"), decision)

    assert accepted(declined)["due_on"] == DUE_ON.isoformat()
    refused(await enterprise.post(order_path(order["id"], "extension"), wish), 409, "extension-already-requested")


async def test_more_time_is_not_asked_for_after_the_term(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    api.clock.now = NOW + timedelta(days=16)

    wish = {"days": 5, "reason": "设备采购需要时间"}
    response = await api.as_(world.enterprise_user).post(order_path(order["id"], "extension"), wish)

    refused(response, 409, "term-already-over")


# 整改复查


async def test_a_passed_re_inspection_closes_the_order(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    accepted(await feed_back(api, world, found, order["id"]))
    async with borrow(api.parts.pool) as connection:
        assert [str(each.id) for each in await orders_open(connection, found.inspection)] == [order["id"]]

    body = re_inspection(world, found, "no_problem", photos=[await upload(api, world.inspector, found.inspection)])
    result = accepted(await re_inspect(api, world.unassigned_inspector, order["id"], body))

    assert (result["state"], result["round"], result["transfer_id"]) == ("rectified", 1, None)
    detail = await read_order(api, world.enterprise_user, order["id"])
    assert (detail["mark"], detail["re_inspections"][0]["officer_name"]) == ("closed", "覃勇")
    async with borrow(api.parts.pool) as connection:
        assert await orders_open(connection, found.inspection) == []
    refused(await feed_back(api, world, found, order["id"]), 409, "order-already-closed")


async def test_guidance_closes_it_too(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    body = re_inspection(world, found, "administrative_guidance", failed=[PLAIN])

    assert accepted(await re_inspect(api, world.inspector, order["id"], body))["state"] == "rectified"


async def test_another_round_needs_approval_reason_and_date(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    accepted(await feed_back(api, world, found, order["id"]))
    body = re_inspection(world, found, "order_to_rectify", failed=[PLAIN])
    async with nothing_changes(api):
        bare = await re_inspect(api, world.inspector, order["id"], body)
    refused(bare, 422, "further-round-not-approved", "approved_by")

    approved = {"approved_by": "莫局长", "approval_reason": "已整改大部分", "next_due_on": days(30)}
    result = accepted(await re_inspect(api, world.inspector, order["id"], {**body, **approved}))

    assert (result["state"], result["round"], result["due_on"]) == ("to_rectify", 1, days(30).isoformat())
    detail = await read_order(api, world.enterprise_user, order["id"])
    assert (detail["round"], detail["fed_back_at"]) == (2, None)
    assert detail["items"][0]["due_on"] == days(30).isoformat()
    passed = re_inspection(world, found, "no_problem")
    assert accepted(await re_inspect(api, world.inspector, order["id"], passed))["round"] == 2


async def test_another_round_waits_for_the_first(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    approved = {"approved_by": "莫局长", "approval_reason": "已整改大部分", "next_due_on": days(40)}
    body = re_inspection(world, found, "order_to_rectify", failed=[PLAIN], **approved)

    refused(await re_inspect(api, world.inspector, order["id"], body), 409, "term-still-runs")
    api.clock.now = NOW + timedelta(days=16)
    accepted(await re_inspect(api, world.inspector, order["id"], body))


async def test_what_is_to_be_punished_gets_no_further_round(api: Api, world: World) -> None:
    found, order = await ordered(api, world, PLAIN, PENAL)
    approved = {"approved_by": "莫局长", "approval_reason": "已整改大部分", "next_due_on": days(30)}
    again = re_inspection(world, found, "order_to_rectify", PLAIN, PENAL, failed=[PENAL], **approved)
    async with nothing_changes(api):
        response = await re_inspect(api, world.inspector, order["id"], again)
    assert refused(response, 409, "penalty-items-remain", "result")["items"] == [str(found.items[PENAL])]

    met = re_inspection(
        world, found, "transfer_conditions_met", PLAIN, PENAL, failed=[PENAL], receiving_body="市监执法支队"
    )
    result = accepted(await re_inspect(api, world.inspector, order["id"], met))
    assert result["state"] == "transferred"
    (transfer,) = await rows(api, "enforcement_transfer")
    assert (str(transfer["id"]), transfer["state"]) == (result["transfer_id"], "open")


async def test_a_result_follows_from_its_items(api: Api, world: World) -> None:
    found, order = await ordered(api, world, PLAIN, PENAL)
    half = re_inspection(world, found, "no_problem", PLAIN)
    wrong = re_inspection(world, found, "no_problem", PLAIN, PENAL, failed=[PLAIN])

    async with nothing_changes(api):
        refused(await re_inspect(api, world.inspector, order["id"], half), 422, "invalid-field", "items")
        refused(await re_inspect(api, world.inspector, order["id"], wrong), 422, "result-contradicts-items", "result")


async def test_two_certified_officers_of_the_department_re_inspect(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    alone = re_inspection(world, found, "no_problem", second_officer_id=world.officer.id)
    mixed = re_inspection(world, found, "no_problem", second_officer_id=world.emergency_officer.id)
    expired = re_inspection(world, found, "no_problem", second_officer_id=world.expired_officer.id)

    async with nothing_changes(api):
        for body in (alone, mixed):
            response = await re_inspect(api, world.inspector, order["id"], body)
            refused(response, 422, "second-officer-required", "second_officer_id")
        response = await re_inspect(api, world.inspector, order["id"], expired)
        refused(response, 409, "certificate-invalid", "second_officer_id")
        foreign = await re_inspect(api, world.emergency_inspector, order["id"], alone)
        refused(foreign, 404, "not-found")


async def test_an_act_that_comes_twice_has_one_effect(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    body = re_inspection(world, found, "no_problem")

    first = await re_inspect(api, world.inspector, order["id"], body, key="re-inspection-1")
    second = await re_inspect(api, world.inspector, order["id"], body, key="re-inspection-1")

    assert first.content == second.content
    assert len(await rows(api, "re_inspection")) == 1
    assert fresh_id() != fresh_id()
