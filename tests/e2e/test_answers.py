"""现场检查结果录入 (TASK-12, MOB-11): the sealed list, its answers, two officers at one item."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from tests.support.client import Api, accepted, refused, statements
from tests.support.factories import NOW, World
from tests.support.inspecting import (
    LEFT_AT,
    answer,
    arrive,
    arrive_second,
    digest,
    leave,
    lines,
    path,
    photo,
    prepare_inspection,
    upload,
)
from tests.support.visits import rows


async def test_the_list_opens_with_the_check_in_and_not_before(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    for who in (world.inspector, world.manager, world.lead):
        refused(await api.as_(who).get(path(inspection, "checklist")), 409, "list-still-sealed")
        refused(await api.as_(who).get(path(inspection, "draw")), 409, "list-still-sealed")

    await arrive(api, world, inspection)

    drawn = await lines(api, world.inspector, inspection)
    assert {line["code"] for line in drawn} >= {"T01", "T02", "T06", "T07", "T08"}
    assert [line["place"] for line in drawn] == list(range(1, len(drawn) + 1))
    assert all(line["legal_basis"][0]["verified"] is False for line in drawn)
    assert await lines(api, world.lead, inspection) == drawn


async def test_a_second_department_opens_the_list_by_its_own_check_in(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world, is_joint=True)
    await arrive(api, world, inspection)

    refused(await api.as_(world.emergency_inspector).get(path(inspection, "checklist")), 409, "list-still-sealed")
    await arrive_second(api, world, inspection)

    own = {
        line["code"]
        for line in await lines(api, world.emergency_inspector, inspection)
        if line["department_id"] == str(world.emergency.id)
    }
    assert own == {"T07", "T08"}


async def test_an_answer_does_not_tell_what_was_drawn_before_the_scan(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    async with api.parts.work.reading() as connection:
        drawn = await connection.fetchrow("SELECT item_id FROM inspection_item WHERE inspection_id = $1", inspection)
    excuses: list[dict[str, Any]] = [{}, {"before_check_in": {"reason": "emergency", "note": "想先看看抽到了什么"}}]

    for item in (drawn["item_id"], uuid4()):
        for fields in excuses:
            response = await answer(api, world.inspector, inspection, {"item_id": item}, **fields)
            refused(response, 409, "list-still-sealed")
    for area in ("环境卫生", "没有"):
        refused(
            await api.as_(world.inspector).post(path(inspection, "answers"), {"area": area}), 409, "list-still-sealed"
        )


async def test_a_damaged_sticker_is_no_dead_end(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)

    released = await api.as_(world.inspector).post(path(inspection, "list-releases"), {"reason": "门口二维码被刮花"})

    assert released.status_code == 201
    assert len(await lines(api, world.inspector, inspection)) >= 5
    refused(
        await api.as_(world.inspector).post(path(inspection, "list-releases"), {"reason": ""}),
        422,
        "reason-missing",
        "reason",
    )


async def test_a_list_is_shown_to_nobody_out_of_scope(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)

    for who in (world.unassigned_inspector, world.emergency_manager, world.foreign_lead):
        refused(await api.as_(who).get(path(inspection, "checklist")), 404, "not-found")


async def test_an_answer_takes_six_statements_with_a_photo(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    line = (await lines(api, world.inspector, inspection))[0]
    shown = await upload(api, world.inspector, inspection)

    async with statements(api) as sent:
        accepted(await answer(api, world.inspector, inspection, line, photos=[shown]))

    about_types = ("current_setting('jit')", "typeinfo_tree")  # asked once by each new connection
    acts = [text for text in sent if not text.startswith(("BEGIN", "COMMIT"))]
    acts = [text for text in acts if not any(mark in text for mark in about_types)]
    assert len(acts) == 6, acts


async def test_each_of_the_four_values_wants_what_belongs_to_it(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    line = (await lines(api, world.inspector, inspection))[0]
    who = world.inspector

    refused(await answer(api, who, inspection, line, "not_checked"), 422, "answer-reason-required", "reason")
    refused(await answer(api, who, inspection, line, "problem"), 422, "measure-required", "measures")
    refused(
        await answer(api, who, inspection, line, measures=[{"kind": "guidance"}]), 422, "measure-required", "measures"
    )
    refused(
        await answer(api, who, inspection, line, "problem", measures=[{"kind": "other"}]),
        422,
        "invalid-field",
        "measures",
    )
    refused(await answer(api, who, inspection, line, "broken"), 422, "invalid-field", "value")
    assert accepted(await answer(api, who, inspection, line, "not_applicable", reason="无此经营项目"))["version"] == 1


async def test_a_photo_that_never_came_is_named(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    line = (await lines(api, world.inspector, inspection))[0]
    missing = digest(photo(7))

    facts = refused(
        await answer(api, world.inspector, inspection, line, photos=[missing]), 409, "evidence-missing", "photos"
    )

    assert facts["digests"] == [missing]
    await upload(api, world.inspector, inspection, photo(7))
    accepted(await answer(api, world.inspector, inspection, line, photos=[missing]))


async def test_two_officers_at_one_item_are_both_shown(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    line = (await lines(api, world.inspector, inspection))[0]
    accepted(await answer(api, world.inspector, inspection, line, remark="已公示"))

    facts = refused(
        await answer(api, world.partner_inspector, inspection, line, "problem", measures=[{"kind": "guidance"}]),
        412,
        "answer-conflict",
        "If-Match",
    )

    assert (facts["current"]["version"], facts["current"]["remark"]) == (1, "已公示")
    assert facts["yours"]["value"] == "problem"
    seen = (await lines(api, world.partner_inspector, inspection))[0]
    assert (
        accepted(
            await answer(api, world.partner_inspector, inspection, seen, "problem", measures=[{"kind": "guidance"}])
        )["version"]
        == 2
    )


async def test_a_change_is_traced_with_what_it_was(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    line = (await lines(api, world.inspector, inspection))[0]
    accepted(await answer(api, world.inspector, inspection, line))
    accepted(
        await answer(
            api,
            world.inspector,
            inspection,
            line | {"answer": {"version": 1}},
            "problem",
            measures=[{"kind": "corrected_on_spot"}],
        )
    )

    changes = [row for row in await rows(api, "trace") if row["action"] == "inspection.answer_recorded"]
    assert changes[0]["before"] is None
    assert '"no_problem"' in changes[1]["before"]
    assert '"corrected_on_spot"' in changes[1]["after"]


async def test_one_tap_marks_a_section_but_for_what_is_mandatory(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    actor = api.as_(world.inspector)

    result = accepted(await actor.post(path(inspection, "answers"), {"area": "环境卫生"}))
    mandatory = accepted(await actor.post(path(inspection, "answers"), {"area": "许可管理"}))

    drawn = await lines(api, world.inspector, inspection)
    cleaning = [line for line in drawn if line["area"] == "环境卫生"]
    assert result["marked"] == [line["item_id"] for line in cleaning]
    assert all(line["answer"]["is_bulk"] and line["answer"]["value"] == "no_problem" for line in cleaning)
    assert (mandatory["marked"], len(mandatory["mandatory_open"])) == ([], 2)
    assert all(line["answer"] is None for line in drawn if line["area"] == "许可管理")
    refused(await actor.post(path(inspection, "answers"), {"area": "没有"}), 404, "not-found", "area")


async def test_an_answer_before_the_scan_needs_its_reason(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    accepted(await api.as_(world.inspector).post(path(inspection, "list-releases"), {"reason": "门口二维码被刮花"}))
    line = (await lines(api, world.inspector, inspection))[0]

    refused(await answer(api, world.inspector, inspection, line), 422, "late-scan-reason-required", "before_check_in")
    given = accepted(
        await answer(
            api,
            world.inspector,
            inspection,
            line,
            before_check_in={"reason": "emergency", "note": "有人正在销毁台账"},
        )
    )

    assert given["flags"] == ["before_check_in"]


async def test_an_answer_that_arrives_days_later_keeps_its_time_and_is_marked(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    line = (await lines(api, world.inspector, inspection))[0]
    await leave(api, world.inspector, inspection)
    api.clock.now = LEFT_AT + timedelta(days=3)

    late = accepted(
        await api.as_(world.inspector).put(
            path(inspection, "answers", line["item_id"]), {"value": "no_problem"}, done_at=NOW + timedelta(minutes=20)
        )
    )

    assert late["flags"] == ["late"]
    assert late["done_at"].startswith("2026-08-05T02:20")


async def test_items_of_another_department_or_list_are_refused(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world, is_joint=True)
    await arrive(api, world, inspection)
    theirs = next(line for line in await lines(api, world.inspector, inspection) if line["code"] == "T07")

    refused(await answer(api, world.inspector, inspection, theirs), 403, "item-of-another-department", "item_id")
    refused(await answer(api, world.inspector, inspection, {"item_id": uuid4()}), 404, "item-not-drawn", "item_id")
    refused(await answer(api, world.unassigned_inspector, inspection, theirs), 403, "not-assigned")
