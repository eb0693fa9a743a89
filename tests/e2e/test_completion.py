"""完成检查 (MOB-14): a journey for each outcome, two departments, two days, and another officer in the middle."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.shared.ids import new_id
from domain.shared.random import system_random
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, World
from tests.support.inspecting import (
    LEFT_AT,
    answer,
    answer_all,
    arrive,
    arrive_second,
    finish,
    leave,
    lines,
    path,
    photo,
    prepare_inspection,
    record_facts,
    sign_all,
    upload,
)
from tests.support.visits import rows

PROBLEM = {"measures": [{"kind": "rectify_within"}], "remark": "柜台外摆放超范围经营的食品。"}
TOMORROW = NOW + timedelta(days=1)


async def go_through(api: Api, world: World, inspection: UUID, problems: dict[str, Any] | None = None) -> None:
    """Arrive, answer everything, record and sign; still there."""
    await arrive(api, world, inspection)
    await answer_all(api, world.inspector, inspection, world.market.id, problems)
    await record_facts(api, world.inspector, inspection)
    await sign_all(api, world.inspector, inspection, [world.officer.id, world.partner.id])


async def order_to_rectify(api: Api, world: World, inspection: UUID, code: str = "T02") -> dict[str, Any]:
    """责令改正通知书 for one item, due in ten days."""
    line = next(each for each in await lines(api, world.inspector, inspection) if each["code"] == code)
    body = {
        "id": str(new_id(api.clock.now, system_random)),
        "items": [{"item_id": line["item_id"], "demand": "停止超范围经营。", "due_on": "2026-08-15"}],
        "due_on": "2026-08-15",
        "contact": {"name": "黄志强", "phone": "0771-12345"},
    }
    return accepted(await api.as_(world.inspector).post(path(inspection, "rectification-orders"), body))


async def kinds(api: Api, inspection: UUID) -> list[str]:
    """The papers of the inspection beside its 检查通知书, which dispatch made."""
    made = sorted(row["kind"] for row in await rows(api, "document") if row["inspection_id"] == inspection)
    assert made.pop(0) == "inspection_notice"
    return made


async def test_nothing_was_found(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await go_through(api, world, inspection)
    await leave(api, world.inspector, inspection)

    done = accepted(await finish(api, world.inspector, inspection, "no_problem"))

    assert (done["state"], done["outcome"]) == ("completed", "no_problem")
    assert await kinds(api, inspection) == ["inspection_record", "result_notice"]
    listed = (await api.as_(world.inspector).get("/api/v1/inspections", state="completed")).json()["items"]
    assert [(each["id"], each["outcome"]) for each in listed] == [(str(inspection), "no_problem")]
    [publication] = await rows(api, "publication")
    assert (publication["inspection_id"], publication["state"]) == (inspection, "pending")
    refused(await finish(api, world.inspector, inspection, "no_problem"), 409, "inspection-already-closed")


async def test_a_problem_was_found_and_ordered_to_be_put_right(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await go_through(api, world, inspection, {"T02": PROBLEM})
    await leave(api, world.inspector, inspection)

    refused(
        await finish(api, world.inspector, inspection, "no_problem"), 409, "outcome-differs-from-answers", "outcome"
    )
    refused(await finish(api, world.inspector, inspection, "ordered_to_rectify"), 409, "order-missing")
    await order_to_rectify(api, world, inspection)
    done = accepted(await finish(api, world.inspector, inspection, "ordered_to_rectify"))

    assert done["outcome"] == "ordered_to_rectify"
    assert await kinds(api, inspection) == ["inspection_record", "rectification_order", "result_notice"]


async def test_a_problem_waits_for_what_follows(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    coercive = {"measures": [{"kind": "coercive"}, {"kind": "transfer_for_penalty"}], "remark": "查封无证食品。"}
    await arrive(api, world, inspection)
    await answer_all(api, world.inspector, inspection, world.market.id, {"T06": coercive})
    await leave(api, world.inspector, inspection)

    refused(await finish(api, world.inspector, inspection, "problem_pending"), 409, "measure-incomplete")
    line = next(each for each in await lines(api, world.inspector, inspection) if each["code"] == "T06")
    whole = [
        {
            "kind": "coercive",
            "document_number": "南市监强〔2026〕3号",
            "approved_by": "莫局长",
            "taken_at": "2026-08-05T10:30:00+08:00",
            "inventory": ["自酿米酒 20 升"],
        },
        {"kind": "transfer_for_penalty"},
    ]
    accepted(await answer(api, world.inspector, inspection, line, "problem", measures=whole))
    await record_facts(api, world.inspector, inspection)
    await sign_all(api, world.inspector, inspection, [world.officer.id, world.partner.id])

    refused(await finish(api, world.inspector, inspection, "problem_pending"), 409, "measure-incomplete")
    receipt = {"item_id": line["item_id"], "receipt_number": "执法支队收〔2026〕8号"}
    elsewhere = receipt | {"item_id": (await lines(api, world.inspector, inspection))[0]["item_id"]}
    refused(
        await finish(api, world.inspector, inspection, "problem_pending", receipts=[elsewhere]),
        422,
        "invalid-field",
        "receipts",
    )
    refused(
        await finish(api, world.inspector, inspection, "ordered_to_rectify", receipts=[receipt]),
        409,
        "outcome-differs-from-answers",
        "outcome",
    )
    done = accepted(await finish(api, world.inspector, inspection, "problem_pending", receipts=[receipt]))

    assert done["state"] == "completed"  # days after the signatures, which still stand
    kept = next(each for each in await lines(api, world.inspector, inspection) if each["code"] == "T06")["answer"]
    assert kept["measures"][1]["receipt_number"] == "执法支队收〔2026〕8号"


@pytest.mark.parametrize("outcome", ["not_reachable", "no_business_found", "closed_down", "uncooperative"])
async def test_without_the_list_two_officers_a_photo_and_a_reason_are_enough(
    api: Api, world: World, outcome: str
) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    shown = await upload(api, world.inspector, inspection, photo(3))
    await leave(api, world.inspector, inspection)

    refused(await finish(api, world.inspector, inspection, outcome), 422, "outcome-reason-required", "reason")
    refused(
        await finish(api, world.inspector, inspection, outcome, reason="大门紧锁，电话无人接听"),
        422,
        "outcome-photos-required",
        "photos",
    )
    done = accepted(
        await finish(api, world.inspector, inspection, outcome, reason="大门紧锁，电话无人接听", photos=[shown])
    )

    assert (done["state"], done["outcome"]) == ("completed", outcome)
    assert await kinds(api, inspection) == ["result_notice"]


async def test_an_interrupted_visit_is_resumed_another_day(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    first = (await lines(api, world.inspector, inspection))[0]
    accepted(await answer(api, world.inspector, inspection, first))
    await leave(api, world.inspector, inspection)

    paused = accepted(await finish(api, world.inspector, inspection, "suspended", reason="突发停电"))
    api.clock.now = TOMORROW
    await arrive(api, world, inspection, position=None, position_reason="室内无定位信号")
    for line in await lines(api, world.inspector, inspection):
        if line["answer"] is None:
            accepted(await answer(api, world.inspector, inspection, line))
    await record_facts(api, world.inspector, inspection)
    await sign_all(api, world.inspector, inspection, [world.officer.id, world.partner.id])
    await leave(api, world.inspector, inspection, TOMORROW + timedelta(hours=1))
    done = accepted(await finish(api, world.inspector, inspection, "no_problem"))

    assert (paused["state"], paused["outcome"], paused["completed_at"]) == ("pending", "suspended", None)
    assert done["outcome"] == "no_problem"
    told = (await api.as_(world.inspector).get(path(inspection, "record"))).json()
    assert [each["sequence"] for each in told["visits"]] == [1, 2]
    assert len(await rows(api, "visit")) == 2


async def test_two_departments_at_one_object(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world, is_joint=True)
    await go_through(api, world, inspection)
    await leave(api, world.inspector, inspection)
    refused(await finish(api, world.inspector, inspection, "no_problem"), 409, "department-not-checked-in")
    await arrive_second(api, world, inspection, position=None, position_reason="室内无定位信号")
    refused(await finish(api, world.inspector, inspection, "no_problem"), 409, "visit-still-open")
    await answer_all(api, world.emergency_inspector, inspection, world.emergency.id)
    await leave(api, world.emergency_inspector, inspection, LEFT_AT + timedelta(hours=2))

    missing = refused(await finish(api, world.inspector, inspection, "no_problem"), 409, "signatures-missing")
    await record_facts(api, world.emergency_inspector, inspection)
    await sign_all(api, world.emergency_inspector, inspection, [world.emergency_officer.id, world.emergency_partner.id])
    done = accepted(await finish(api, world.inspector, inspection, "no_problem"))

    assert list(missing["missing"]) == [str(world.emergency.id)]
    assert len(done["documents"]) == 3
    assert await kinds(api, inspection) == ["inspection_record", "inspection_record", "result_notice"]
    theirs = (await api.as_(world.lead).get(path(inspection, "record"), department_id=world.emergency.id)).json()
    assert {each["by"] for each in theirs["answers"]} == {str(world.emergency_officer.id)}


async def test_a_visit_after_the_signatures_wants_them_anew(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await go_through(api, world, inspection)
    await leave(api, world.inspector, inspection)
    accepted(await finish(api, world.inspector, inspection, "suspended", reason="待补充检查"))
    api.clock.now = TOMORROW
    await arrive(api, world, inspection, position=None, position_reason="室内无定位信号")
    await leave(api, world.inspector, inspection, TOMORROW + timedelta(hours=1))

    refused(await finish(api, world.inspector, inspection, "no_problem"), 409, "record-differs")
    accepted(await api.as_(world.inspector).post(path(inspection, "record/reopenings"), {"reason": "补充第二次到场"}))
    await sign_all(api, world.inspector, inspection, [world.officer.id, world.partner.id])
    assert accepted(await finish(api, world.inspector, inspection, "no_problem"))["outcome"] == "no_problem"


async def test_nobody_completes_while_still_there(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await go_through(api, world, inspection)

    refused(await finish(api, world.inspector, inspection, "no_problem"), 409, "visit-still-open")


async def test_an_officer_is_replaced_in_the_middle(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    line = (await lines(api, world.inspector, inspection))[0]
    accepted(await answer(api, world.inspector, inspection, line))
    order = {
        "former_officer_id": str(world.officer.id),
        "officer_id": str(world.unassigned_officer.id),
        "reason": "突发疾病",
    }

    refused(await api.as_(world.emergency_manager).post(path(inspection, "replacements"), order), 404, "not-found")
    api.clock.now = replaced_at = NOW + timedelta(minutes=30)
    accepted(await api.as_(world.manager).post(path(inspection, "replacements"), order))
    api.clock.now = replaced_at + timedelta(minutes=30)

    refused(await answer(api, world.inspector, inspection, line), 403, "not-assigned")
    late = await api.as_(world.inspector).put(
        path(inspection, "answers", line["item_id"]),
        {"value": "no_problem", "remark": "离开前所见"},
        if_match=1,
        done_at=replaced_at - timedelta(minutes=1),
    )
    assert accepted(late)["version"] == 2  # authority is judged as of the act
    rest = [each for each in await lines(api, world.unassigned_inspector, inspection) if each["answer"] is None]
    for each in rest:
        accepted(await answer(api, world.unassigned_inspector, inspection, each))
    [kept] = await rows(api, "officer_replacement")
    assert (kept["former_officer_id"], kept["reason"]) == (world.officer.id, "突发疾病")
    again = order | {"former_officer_id": str(world.partner.id), "officer_id": str(world.expired_officer.id)}
    refused(
        await api.as_(world.manager).post(path(inspection, "replacements"), again), 422, "invalid-field", "officer_id"
    )
