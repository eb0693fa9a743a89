"""督办单 over HTTP (D4, POST-03): issued by the second warning or by hand, answered, judged, settled."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.identity.model import Principal, Role
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.complaining import complain
from tests.support.deadlines import deadlines, stages, sweep_at, told
from tests.support.factories import World, make_account
from tests.support.visits import nothing_changes, rows

ORDERS = "/api/v1/supervision-orders"


async def listed(api: Api, who: Principal, **query: object) -> list[dict[str, Any]]:
    """The caller's supervision orders."""
    response = await api.as_(who).get(ORDERS, **query)
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def read(api: Api, who: Principal, order: str) -> dict[str, Any]:
    """One, whole."""
    response = await api.as_(who).get(f"{ORDERS}/{order}")
    assert response.status_code == 200, response.text
    return response.json()


async def act(api: Api, who: Principal, order: str, what: str, body: object) -> Any:
    """One step on it."""
    return await api.as_(who).post(f"{ORDERS}/{order}/{what}", body)


async def overdue(api: Api, world: World) -> dict[str, Any]:
    """The order that the second warning of the world's inspection brings."""
    await sweep_at(api, "2026-08-26T08:00")
    (order,) = await listed(api, world.lead)
    return order


async def deadline_of(api: Api, subject: object, kind: str = "inspection") -> UUID:
    """The id of a matter's deadline."""
    return (await deadlines(api, subject))[kind]["id"]


async def open_to_dos(api: Api, order: str) -> int:
    """How many still have it to do."""
    found = await rows(api, "message")
    return sum(row["is_to_do"] and row["closed_at"] is None and str(row["subject_id"]) == order for row in found)


async def test_the_second_warning_brings_an_order_to_answer_in_two_working_days(api: Api, world: World) -> None:
    order = await overdue(api, world)
    assert order["number"] == "SJ01-2026-DB-000001"
    assert (order["source"], order["state"], order["due_on"]) == ("second_warning", "open", "2026-08-28")
    assert (order["matter"], order["subject_id"]) == ("inspection", str(world.inspection))
    assert (order["department_id"], order["superior_id"]) == (str(world.market.id), str(world.market.id))
    to_dos = [row for row in await rows(api, "message") if row["is_to_do"]]
    assert {(row["template"], row["recipient"], str(row["subject_id"])) for row in to_dos} == {
        ("supervision_order_issued", "officer", order["id"])
    }
    await sweep_at(api, "2026-08-27T08:00")
    assert len(await rows(api, "supervision_order")) == 1


async def test_an_order_that_nobody_answers_turns_red_and_goes_up(api: Api, world: World) -> None:
    order = await overdue(api, world)
    await sweep_at(api, "2026-08-29T07:59")
    assert [each for each in await told(api) if "overdue" in each[0]] == []
    await sweep_at(api, "2026-08-29T08:00")
    await sweep_at(api, "2026-08-30T08:00")
    red = await told(api, order["id"])
    assert ("supervision_order_overdue", "sms", "officer", world.officer.id) in red
    assert ("supervision_order_overdue", "in_app", "officer", world.officer.id) in red
    assert red.count(("supervision_order_escalated", "sms", "account", world.lead.account_id)) == 1
    assert red.count(("supervision_order_escalated", "in_app", "department_leads", world.market.id)) == 1
    assert await stages(api, order["id"]) == [("order_unanswered", False)]
    (line,) = (await api.as_(world.lead).get("/api/v1/deadlines", level=1)).json()["items"]
    assert (line["kind"], line["level_label"]) == ("supervision_order", "红色")


async def test_an_answer_is_returned_with_its_reason_and_then_accepted(api: Api, world: World) -> None:
    order = (await overdue(api, world))["id"]
    refused(await act(api, world.lead, order, "judgements", {"accepted": True}), 409, "supervision-step-not-possible")
    assert await open_to_dos(api, order) == 5
    done = accepted(await act(api, world.inspector, order, "answers", {"text": "企业停业，已约定下周一上门。"}))
    assert done["state"] == "answered"
    assert await open_to_dos(api, order) == 0, "one of them answered for all"
    assert (await deadlines(api, order))["supervision_order"]["closed_at"] is not None
    await sweep_at(api, "2026-08-31T10:00")
    assert await stages(api, order) == []

    refused(await act(api, world.lead, order, "judgements", {"accepted": False}), 422, "reason-missing", "reason")
    done = accepted(await act(api, world.lead, order, "judgements", {"accepted": False, "reason": "请附停业证明。"}))
    assert (done["state"], done["due_on"]) == ("returned", "2026-09-02")
    assert (await deadlines(api, order))["supervision_order"]["closed_at"] is None
    accepted(await act(api, world.manager, order, "answers", {"text": "停业证明已补充在案卷。"}))
    done = accepted(await act(api, world.lead, order, "judgements", {"accepted": True}))
    assert done["state"] == "accepted"

    seen = await read(api, world.inspector, order)
    assert [each["step"] for each in seen["course"]] == ["issue", "answer", "return", "answer", "accept"]
    assert [each["text"] for each in seen["course"]][1:3] == ["企业停业，已约定下周一上门。", "请附停业证明。"]
    assert await listed(api, world.lead) == []
    assert [each["id"] for each in await listed(api, world.lead, state="accepted")] == [order]
    refused(
        await act(api, world.inspector, order, "answers", {"text": "再次反馈"}), 409, "supervision-step-not-possible"
    )


async def test_words_are_sealed_and_stand_in_no_trace(api: Api, world: World) -> None:
    order = (await overdue(api, world))["id"]
    words = "当事人韦大山电话关机，无法联系。"
    accepted(await act(api, world.inspector, order, "answers", {"text": words}))
    for table in ("trace", "supervision_step", "message", "idempotency"):
        assert words not in str(await rows(api, table)), table
    actions = [row["action"] for row in await rows(api, "trace") if row["subject"] == "supervision_order"]
    assert actions == ["supervision.issued", "supervision.answered"]


async def test_a_matter_that_is_done_settles_its_order(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    deadline = await deadline_of(api, receipt["id"], "complaint")
    body = {"demand": "请本周内答复投诉人。"}
    order = accepted(await api.as_(world.lead).post(f"/api/v1/deadlines/{deadline}/supervision-orders", body))["id"]
    steps = f"/api/v1/grievances/complaint/{receipt['id']}/steps"
    accepted(await api.as_(world.lead).post(steps, {"step": "accept"}))
    assert (await read(api, world.lead, order))["state"] == "open"
    accepted(await api.as_(world.lead).post(steps, {"step": "answer", "text": "已责令退款。"}))
    assert (await read(api, world.lead, order))["state"] == "settled"
    matters = (receipt["id"], order)
    before = [await told(api, each) for each in matters]
    await sweep_at(api, "2026-12-01T08:00")
    assert [await told(api, each) for each in matters] == before


async def test_a_lead_urges_by_hand_whatever_the_stage(api: Api, world: World) -> None:
    deadline = await deadline_of(api, world.inspection)
    path, body = f"/api/v1/deadlines/{deadline}/supervision-orders", {"demand": "请尽快完成检查。"}
    order = accepted(await api.as_(world.lead).post(path, body))
    told_of = await told(api, order["id"])
    assert ("supervision_order_issued", "in_app", "officer", world.officer.id) in told_of
    assert ("supervision_order_issued", "sms", "officer", world.officer.id) in told_of
    assert (await read(api, world.lead, order["id"]))["course"][0]["text"] == "请尽快完成检查。"
    refused(await api.as_(world.lead).post(path, body), 409, "already-urged")
    async with nothing_changes(api):
        refused(await api.as_(world.lead).post(path, {"demand": "快"}), 422, "invalid-field", "demand")
        refused(await api.as_(world.foreign_lead).post(path, body), 404, "not-found")
    await sweep_at(api, "2026-08-26T08:00")
    assert len(await rows(api, "supervision_order")) == 1, "the second warning urges nobody who is urged already"
    assert "deadline_second_warning" in {each[0] for each in await told(api, world.inspection)}


async def test_a_leads_own_matter_goes_to_the_department_above(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "UPDATE department SET parent_id = $1, path = ($2 || '.' || code)::ltree WHERE id = $3",
            world.emergency.id,
            world.emergency.path,
            world.market.id,
        )
        above = await make_account(connection, Role.LEAD, of=world.emergency)
    receipt = await complain(api, world)
    await sweep_at(api, "2026-08-20T08:00")
    (order,) = await listed(api, above, box="issued")
    assert (order["subject_id"], order["superior_id"]) == (receipt["id"], str(world.emergency.id))
    told_of = await told(api, receipt["id"])
    assert ("deadline_second_warning", "sms", "account", world.lead.account_id) in told_of
    assert ("deadline_escalated", "in_app", "department_leads", world.emergency.id) in told_of
    await sweep_at(api, "2026-08-25T08:00")
    assert ("supervision_order_escalated", "sms", "account", above.account_id) in await told(api, order["id"])
    accepted(await act(api, world.lead, order["id"], "answers", {"text": "正在与投诉人核对票据。"}))
    refused(await act(api, world.lead, order["id"], "judgements", {"accepted": True}), 403, "forbidden")
    accepted(await act(api, above, order["id"], "judgements", {"accepted": True}))


async def test_nobody_judges_their_own_answer(api: Api, world: World) -> None:
    order = (await overdue(api, world))["id"]
    accepted(await act(api, world.lead, order, "answers", {"text": "由我本人说明情况。"}))
    refused(await act(api, world.lead, order, "judgements", {"accepted": True}), 403, "forbidden")


async def test_each_box_holds_what_belongs_there(api: Api, world: World) -> None:
    order = (await overdue(api, world))["id"]
    for who in (world.inspector, world.emergency_inspector, world.manager, world.lead):
        assert [each["id"] for each in await listed(api, who)] == [order]
    assert [each["id"] for each in await listed(api, world.manager, box="issued")] == [order]
    assert [each["id"] for each in await listed(api, world.lead, box="region")] == [order]
    assert await listed(api, world.foreign_lead, box="region") == []
    assert await listed(api, world.unassigned_inspector) == []
    refused(await api.as_(world.inspector).get(ORDERS, box="issued"), 403, "forbidden")
    refused(await api.as_(world.manager).get(ORDERS, box="region"), 403, "forbidden")
    for stranger in (world.unassigned_inspector, world.foreign_lead, world.emergency_manager):
        refused(await api.as_(stranger).get(f"{ORDERS}/{order}"), 404, "not-found")
        refused(await act(api, stranger, order, "answers", {"text": "与我无关"}), 404, "not-found")
