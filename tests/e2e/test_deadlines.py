"""期限预警 over HTTP (D4, D13): what is due follows from what happens, and each stage is told once."""

from __future__ import annotations

import importlib
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from domain.identity.model import Principal
from domain.shared.sql import borrow
from notifications.templates import compose_sms, current
from tests.support.client import Api, accepted, refused
from tests.support.complaining import complain, tip_off
from tests.support.deadlines import deadlines, stages, sweep_at, told
from tests.support.factories import World
from tests.support.problems import DUE_ON, feed_back, order_path, ordered, re_inspect, re_inspection, serve
from tests.support.visits import rows

OFFICERS = ("officer", "partner", "expired_officer", "emergency_officer", "emergency_partner")


async def listed(api: Api, who: Principal, **query: object) -> list[dict[str, Any]]:
    """The caller's open deadlines."""
    response = await api.as_(who).get("/api/v1/deadlines", **query)
    assert response.status_code == 200, response.text
    return response.json()["items"]


def officers_of(world: World) -> set[Any]:
    """Who is assigned to the world's inspection."""
    return {getattr(world, name).id for name in OFFICERS}


# Stages of an inspection that nobody finishes


async def test_an_inspection_is_told_of_stage_by_stage_each_once(api: Api, world: World) -> None:
    assert await sweep_at(api, "2026-08-17T07:59") == 0
    assert await sweep_at(api, "2026-08-17T08:00") == 1
    assert await sweep_at(api, "2026-08-17T08:01") == 0
    first = await told(api, world.inspection)
    assert {each[:3] for each in first} == {("deadline_due_soon", "in_app", "officer")}
    assert {each[3] for each in first} == officers_of(world)
    assert len(first) == len(officers_of(world))

    await sweep_at(api, "2026-08-21T08:00")
    await sweep_at(api, "2026-08-25T23:59")
    second = [each for each in await told(api, world.inspection) if each not in first]
    assert {each[:3] for each in second} == {("deadline_overdue", "in_app", "officer")}
    assert len(second) == len(officers_of(world))

    await sweep_at(api, "2026-08-26T08:00")
    await sweep_at(api, "2026-08-27T08:00")
    third = [each for each in await told(api, world.inspection) if each not in first + second]
    ways = [each[:3] for each in third]
    assert ways.count(("deadline_second_warning", "in_app", "officer")) == len(officers_of(world))
    assert ways.count(("deadline_second_warning", "sms", "officer")) == len(officers_of(world))
    assert ("deadline_escalated", "in_app", "department_leads", world.market.id) in third
    assert len(third) == 2 * len(officers_of(world)) + 1
    assert await stages(api, world.inspection) == [
        ("due_soon", False),
        ("first_warning", False),
        ("second_warning", False),
    ]


async def test_levels_go_from_blue_to_orange_in_the_list_and_in_the_trace(api: Api, world: World) -> None:
    seen: list[tuple[Any, Any, Any]] = []
    for hour in ("2026-08-14T08:00", "2026-08-17T08:00", "2026-08-21T08:00", "2026-08-26T08:00"):
        await sweep_at(api, hour)
        (line,) = await listed(api, world.lead, kind="inspection")
        seen.append((line["level"], line["stage_label"], line["is_overdue"]))
    assert seen == [(None, None, False), (4, "即将到期", False), (3, "一次预警", True), (2, "二次预警", True)]
    warned = [row for row in await rows(api, "trace") if row["action"] == "deadline.warned"]
    assert len(warned) == 3
    assert {(row["region"], row["department_id"], row["site_id"]) for row in warned} == {
        (world.site.region, world.market.id, None)
    }
    levels = {row["template"]: row["level"] for row in await rows(api, "message") if row["level"] is not None}
    assert levels == {
        "deadline_due_soon": 4,
        "deadline_overdue": 3,
        "deadline_second_warning": 2,
        "deadline_escalated": 2,
        "supervision_order_issued": 2,
    }


async def test_a_late_sweep_tells_of_the_newest_stage_alone(api: Api, world: World) -> None:
    await sweep_at(api, "2026-08-27T12:00")
    assert {each[0] for each in await told(api, world.inspection)} == {"deadline_second_warning", "deadline_escalated"}
    assert await stages(api, world.inspection) == [
        ("due_soon", True),
        ("first_warning", True),
        ("second_warning", False),
    ]


async def test_what_is_done_is_told_of_no_more(api: Api, world: World) -> None:
    await sweep_at(api, "2026-08-17T08:00")
    before = await told(api)
    await api.parts.pool.execute("UPDATE deadline SET closed_at = now(), next_stage_at = NULL")
    await sweep_at(api, "2026-08-26T08:00")
    assert await told(api) == before
    assert await listed(api, world.lead) == []


# What happens moves them


async def test_a_complaints_term_moves_with_its_course(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    due = (await deadlines(api, receipt["id"]))["complaint"]
    assert (due["due_on"], due["site_id"], due["account_id"]) == (date(2026, 8, 14), world.site.id, None)

    path = f"/api/v1/grievances/complaint/{receipt['id']}/steps"
    accepted(await api.as_(world.lead).post(path, {"step": "accept"}))
    assert (await deadlines(api, receipt["id"]))["complaint"]["due_on"] == date(2026, 9, 19)
    await sweep_at(api, "2026-08-17T08:00")
    assert await told(api, receipt["id"]) == []

    accepted(await api.as_(world.lead).post(path, {"step": "take_over"}))
    await sweep_at(api, "2026-09-21T08:00")
    told_of = await told(api, receipt["id"])
    assert told_of == [("deadline_overdue", "in_app", "account", world.lead.account_id)]

    accepted(await api.as_(world.lead).post(path, {"step": "answer", "text": "已责令退款。"}))
    assert (await deadlines(api, receipt["id"]))["complaint"]["closed_at"] is not None
    await sweep_at(api, "2026-12-01T08:00")
    assert await told(api, receipt["id"]) == told_of


async def test_what_was_merged_is_done_with_the_leading_one(api: Api, world: World) -> None:
    leading, other = (await tip_off(api, world))["id"], (await tip_off(api, world))["id"]
    accepted(await api.as_(world.lead).post(f"/api/v1/grievances/tip_off/{leading}/merges", {"ids": [other]}))
    assert (await deadlines(api, leading))["tip_off"]["closed_at"] is None
    assert (await deadlines(api, other))["tip_off"]["closed_at"] is not None


async def test_an_order_runs_for_the_enterprise_from_its_service_on(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    assert set(await deadlines(api, order["id"])) == {"re_inspection"}
    accepted(await serve(api, world.manager, order["id"], means="post", tracking_number="EMS1"))
    due = await deadlines(api, order["id"])
    assert (due["rectification"]["due_on"], due["rectification"]["closed_at"]) == (DUE_ON, None)
    assert due["rectification"]["enterprise_id"] == world.enterprise.id

    await sweep_at(api, "2026-08-17T08:00")
    first = await told(api, order["id"])
    assert ("rectification_due_soon", "sms", "enterprise", world.enterprise.id) in first
    assert ("rectification_due_soon", "in_app", "enterprise", world.enterprise.id) in first
    assert ("deadline_due_soon", "in_app", "officer", world.officer.id) in first
    await sweep_at(api, "2026-08-21T08:00")
    assert ("rectification_overdue", "sms", "enterprise", world.enterprise.id) in await told(api, order["id"])

    accepted(await feed_back(api, world, found, order["id"]))
    due = await deadlines(api, order["id"])
    assert due["rectification"]["closed_at"] is not None
    assert due["re_inspection"]["closed_at"] is None
    accepted(await re_inspect(api, world.inspector, order["id"], re_inspection(world, found, "no_problem")))
    assert (await deadlines(api, order["id"]))["re_inspection"]["closed_at"] is not None


async def test_more_time_moves_what_is_left(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    accepted(await serve(api, world.manager, order["id"], means="post", tracking_number="EMS1"))
    await sweep_at(api, "2026-08-17T08:00")
    path = order_path(order["id"], "extension")
    accepted(await api.as_(world.enterprise_user).post(path, {"days": 10, "reason": "等待配件到货"}))
    accepted(await api.as_(world.manager).post(f"{path}/decision", {"granted": True, "reason": "情况属实"}))
    due = (await deadlines(api, order["id"]))["rectification"]
    assert (due["due_on"], due["stage"]) == (date(2026, 8, 30), None)
    reminders = [each for each in await told(api, order["id"]) if each[0].startswith("rectification")]
    await sweep_at(api, "2026-08-25T23:59")
    assert [each for each in await told(api, order["id"]) if each[0].startswith("rectification")] == reminders
    await sweep_at(api, "2026-08-26T08:00")
    again = [each for each in await told(api, order["id"]) if each[0] == "rectification_due_soon"]
    assert (len(reminders), len(again)) == (2, 4)


async def test_more_time_before_service_moves_the_re_inspection_and_then_the_term_that_runs(
    api: Api, world: World
) -> None:
    _, order = await ordered(api, world)
    first = (await deadlines(api, order["id"]))["re_inspection"]["due_on"]
    path = order_path(order["id"], "extension")
    accepted(await api.as_(world.enterprise_user).post(path, {"days": 10, "reason": "等待配件到货"}))
    moved = accepted(await api.as_(world.manager).post(f"{path}/decision", {"granted": True, "reason": "情况属实"}))
    due = await deadlines(api, order["id"])
    assert set(due) == {"re_inspection"}
    assert due["re_inspection"]["due_on"].isoformat() == moved["re_inspection_due_on"] > first.isoformat()
    accepted(await serve(api, world.manager, order["id"], means="post", tracking_number="EMS1"))
    assert (await deadlines(api, order["id"]))["rectification"]["due_on"] == date(2026, 8, 30)


async def test_officers_learn_of_a_dispatch_and_the_sms_names_nobody(api: Api, world: World) -> None:
    await world.dispatch()
    sent = [row for row in await rows(api, "message") if row["template"] == "inspection_dispatched"]
    assert {(row["channel"], row["recipient_id"]) for row in sent} == {
        (channel, officer) for channel in ("in_app", "sms") for officer in officers_of(world)
    }
    text = compose_sms(current("inspection_dispatched"), sent[0]["parameters"])
    assert text == "【一码】你有1项新的检查任务，8月3日至8月20日办理，请在移动端查看。"
    assert world.enterprise.name not in text
    joined = [row for row in await rows(api, "message") if row["template"] == "inspection_joined"]
    assert {(row["channel"], row["recipient"], row["recipient_id"]) for row in joined} == {
        ("in_app", "department_leads", world.emergency.id)
    }


async def test_a_replaced_officer_has_it_no_more(api: Api, world: World) -> None:
    path = f"/api/v1/inspections/{world.inspection}/replacements"
    body = {
        "former_officer_id": world.expired_officer.id,
        "officer_id": world.unassigned_officer.id,
        "reason": "执法证已过期",
    }
    accepted(await api.as_(world.manager).post(path, body))
    held = (await deadlines(api, world.inspection))["inspection"]["officers"]
    assert set(held) == officers_of(world) - {world.expired_officer.id} | {world.unassigned_officer.id}
    told = [
        row
        for row in await rows(api, "message")
        if (row["template"], row["recipient_id"]) == ("inspection_dispatched", world.unassigned_officer.id)
    ]
    assert {row["channel"] for row in told} == {"in_app", "sms"}


# Lists


async def test_each_lists_what_is_theirs(api: Api, world: World) -> None:
    receipt = await complain(api, world)
    await sweep_at(api, "2026-08-17T08:00")
    of_lead = await listed(api, world.lead)
    assert [each["kind"] for each in of_lead] == ["complaint", "inspection"]
    assert [each["kind"] for each in await listed(api, world.manager)] == ["complaint", "inspection"]
    assert [each["kind"] for each in await listed(api, world.inspector)] == ["inspection"]
    for nobody in (world.unassigned_inspector, world.foreign_lead, world.emergency_manager):
        assert await listed(api, nobody) == []
    assert of_lead[0]["subject_id"] == receipt["id"]
    detail = await api.as_(world.lead).get(f"/api/v1/deadlines/{of_lead[0]['id']}")
    assert [each["stage"] for each in detail.json()["stages"]] == ["due_soon", "first_warning"]
    refused(await api.as_(world.inspector).get(f"/api/v1/deadlines/{of_lead[0]['id']}"), 404, "not-found")


async def test_the_list_is_filtered_and_paged(api: Api, world: World) -> None:
    for _ in range(3):
        await tip_off(api, world)
    await sweep_at(api, "2026-08-21T09:00")
    assert len(await listed(api, world.lead)) == 4
    assert [each["kind"] for each in await listed(api, world.lead, overdue="true")] == ["inspection"]
    assert [each["kind"] for each in await listed(api, world.lead, level=3)] == ["inspection"]
    assert len(await listed(api, world.lead, level=4)) == 4
    seen: list[str] = []
    cursor = None
    while True:
        page = (await api.as_(world.lead).get("/api/v1/deadlines", limit=2, kind="tip_off", cursor=cursor)).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 3
    refused(await api.as_(world.lead).get("/api/v1/deadlines", cursor="?"), 422, "invalid-field", "cursor")


# What was open before there were deadlines


async def test_what_was_open_before_gets_the_deadline_that_it_would_have_today(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, order = await ordered(api, world)
    accepted(await serve(api, world.manager, order["id"], means="post", tracking_number="EMS1"))
    receipt, merged, leading = await complain(api, world), await tip_off(api, world), await tip_off(api, world)
    steps = f"/api/v1/grievances/complaint/{receipt['id']}/steps"
    accepted(await api.as_(world.lead).post(steps, {"step": "take_over"}))
    merges = f"/api/v1/grievances/tip_off/{leading['id']}/merges"
    accepted(await api.as_(world.lead).post(merges, {"ids": [merged["id"]]}))
    kept = await open_ones(api)
    assert {each[0] for each in kept} == {"complaint", "tip_off", "inspection", "rectification", "re_inspection"}

    statements: list[str] = []
    revision = importlib.import_module("migrations.versions.0014_deadlines")
    monkeypatch.setattr(revision, "op", SimpleNamespace(execute=statements.append))
    revision._set_what_is_open()
    async with borrow(api.parts.pool) as connection, connection.transaction():
        await connection.execute("DELETE FROM deadline")
        for statement in statements:
            if statement.startswith("INSERT INTO deadline "):
                await connection.execute(statement)
    assert await open_ones(api) == kept
    assert found.inspection in {each[1] for each in kept}


async def open_ones(api: Api) -> list[tuple[Any, ...]]:
    """Every open deadline with all that its matter says of it."""
    async with borrow(api.parts.pool) as connection:
        rows_ = await connection.fetch(
            "SELECT kind, subject_id, department_id, region::text, site_id, enterprise_id, inspection_id, account_id, "
            "(SELECT array_agg(o ORDER BY o) FROM unnest(officers) o), due_on FROM deadline "
            "WHERE closed_at IS NULL ORDER BY kind, subject_id"
        )
    return [tuple(row) for row in rows_]
