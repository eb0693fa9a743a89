"""隐患 over HTTP (ENT-07, D24): planned, closed, reminded of, escalated; and who never sees them."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime, timedelta

import pytest

from api.register import INSTALLATION
from api.self_inspection_rounds import remind
from domain.self_inspection.hazard.operations import remind_overdue
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, World
from tests.support.self_inspecting import (
    PROBLEMS,
    SECRET,
    hand_in,
    inspect_self,
    messages,
    prepare_self_check,
    read,
    report_hazard,
)
from tests.support.visits import rows


@pytest.fixture
async def ready(api: Api, world: World) -> World:
    """The list is in force and both own sites are of its 业态."""
    await prepare_self_check(api, world)
    return world


async def test_a_hazard_is_planned_and_closed_by_the_enterprise_itself(api: Api, ready: World) -> None:
    before, after = [await hand_in(api, ready.enterprise_user, number) for number in (1, 2)]
    made = await report_hazard(api, ready, photos=[before])
    actor, path = api.as_(ready.enterprise_user), f"/api/v1/hazards/{made['id']}"
    plan = {"measures": "联系厂家充装", "responsible": "韦大山", "due_on": "2026-08-12"}
    refused(await actor.put(f"{path}/handling", plan), 412, "hazard-changed", "If-Match")
    assert accepted(await actor.put(f"{path}/handling", plan, if_match=1))["version"] == 2
    too_late = {**plan, "due_on": "2027-08-12"}
    refused(await actor.put(f"{path}/handling", too_late, if_match=2), 422, "invalid-field", "due_on")

    assert accepted(await actor.post(f"{path}/closing", {"note": "已充装", "photos": [after]}))["state"] == "closed"
    refused(await actor.post(f"{path}/closing", {"note": "再次"}), 409, "hazard-already-closed")
    shown = await read(api, ready.enterprise_user, f"hazards/{made['id']}")
    assert (shown["responsible"], shown["measures"], shown["closing_note"]) == ("韦大山", "联系厂家充装", "已充装")
    assert (shown["photos_before"], shown["photos_after"]) == ([before], [after])
    assert [each["id"] for each in (await read(api, ready.enterprise_user, "hazards", state="closed"))["items"]] == [
        made["id"]
    ]
    for photo in (before, after):
        assert (await actor.get(f"{path}/attachments/{photo}", size="320")).status_code == 200


async def test_who_is_responsible_is_sealed_and_nothing_written_stands_in_the_trace(api: Api, ready: World) -> None:
    made = await report_hazard(api, ready, description=SECRET)
    plan = {"measures": SECRET, "responsible": "韦大山", "due_on": "2026-08-12"}
    accepted(await api.as_(ready.enterprise_user).put(f"/api/v1/hazards/{made['id']}/handling", plan, if_match=1))
    await inspect_self(api, ready, PROBLEMS)
    stored = next(row for row in await rows(api, "hazard") if str(row["id"]) == made["id"])
    assert "韦大山" not in str(stored)
    assert "韦大山".encode() not in stored["responsible_sealed"]
    trace = json.dumps(await rows(api, "trace"), default=str, ensure_ascii=False)
    for words in (SECRET, "韦大山", "三批原料无票据", "灭火器"):
        assert words not in trace, words


async def test_hazards_are_listed_by_their_terms(api: Api, ready: World) -> None:
    late = await report_hazard(api, ready, due_on="2026-09-01")
    soon = await report_hazard(api, ready, due_on="2026-08-06")
    first = await read(api, ready.enterprise_user, "hazards", limit=1)
    assert [each["id"] for each in first["items"]] == [soon["id"]]
    second = await read(api, ready.enterprise_user, "hazards", limit=1, cursor=first["next_cursor"])
    assert ([each["id"] for each in second["items"]], second["next_cursor"]) == ([late["id"]], None)


async def test_an_overdue_hazard_is_reminded_of_after_a_day_and_after_a_week_and_no_more(
    api: Api, ready: World
) -> None:
    await report_hazard(api, ready, due_on="2026-08-06")
    own = ready.enterprise.id
    for day, told in (
        (date(2026, 8, 6), []),
        (date(2026, 8, 7), [("hazard_overdue", "in_app", "enterprise", own)]),
        (date(2026, 8, 12), [("hazard_overdue", "in_app", "enterprise", own)]),
        (date(2026, 8, 13), [("hazard_overdue", way, "enterprise", own) for way in ("in_app", "sms")]),
        (date(2026, 9, 30), [("hazard_overdue", way, "enterprise", own) for way in ("in_app", "sms")]),
    ):
        api.clock.now = datetime.fromisoformat(f"{day}T09:00:00+08:00")
        for _ in range(2):
            await api.parts.work.run(INSTALLATION, lambda tx: remind_overdue(tx, 10))
        assert await messages(api) == told, day


async def test_a_worker_that_was_away_for_long_reminds_once(api: Api, ready: World) -> None:
    await report_hazard(api, ready, due_on="2026-08-06")
    api.clock.now = NOW + timedelta(days=60)
    await remind(api.parts)
    assert [each[:2] for each in await messages(api)].count(("hazard_overdue", "sms")) == 1


async def test_two_workers_remind_of_each_hazard_once(api: Api, ready: World) -> None:
    for _ in range(9):
        await report_hazard(api, ready, due_on="2026-08-06")
    api.clock.now = NOW + timedelta(days=3)

    async def round_() -> int:
        return await api.parts.work.run(INSTALLATION, lambda tx: remind_overdue(tx, 3))

    assert sum(await asyncio.gather(*[round_() for _ in range(4)])) + await round_() == 9
    assert len(await messages(api)) == 9


async def test_only_a_severe_hazard_left_undone_reaches_the_regulator(api: Api, ready: World) -> None:
    done = await inspect_self(api, ready, PROBLEMS)
    general, severe = [each["id"] for each in done["hazards"]]
    for who in (ready.manager, ready.lead):
        assert (await read(api, who, "escalated-hazards"))["items"] == []
        refused(await api.as_(who).get(f"/api/v1/hazards/{severe}"), 404, "not-found")

    api.clock.now = NOW + timedelta(days=30)
    await api.parts.work.run(INSTALLATION, lambda tx: remind_overdue(tx, 10))
    assert [each for each in await messages(api) if each[0] == "hazard_escalated"] == [
        ("hazard_escalated", "in_app", "department_leads", ready.market.id)
    ]
    for who in (ready.manager, ready.lead):
        (listed,) = (await read(api, who, "escalated-hazards"))["items"]
        assert (listed["id"], listed["enterprise_name"]) == (severe, ready.enterprise.name)
        shown = await read(api, who, f"hazards/{severe}")
        assert (shown["description"], shown["responsible"]) == ("三批原料无票据", None)
        refused(await api.as_(who).get(f"/api/v1/hazards/{general}"), 404, "not-found")
    for who in (ready.emergency_manager, ready.foreign_lead):
        assert (await read(api, who, "escalated-hazards"))["items"] == []
        refused(await api.as_(who).get(f"/api/v1/hazards/{severe}"), 404, "not-found")

    after = await hand_in(api, ready.enterprise_user, 5)
    closing = {"note": "已补齐票据", "photos": [after]}
    accepted(await api.as_(ready.enterprise_user).post(f"/api/v1/hazards/{severe}/closing", closing))
    assert (await read(api, ready.lead, "escalated-hazards"))["items"] == []
    (closed,) = (await read(api, ready.lead, "escalated-hazards", state="closed"))["items"]
    assert closed["id"] == severe
    shown = await api.as_(ready.manager).get(f"/api/v1/hazards/{severe}/attachments/{after}", size="320")
    assert shown.status_code == 200


async def test_the_enterprise_may_report_a_severe_hazard_itself(api: Api, ready: World) -> None:
    actor = api.as_(ready.enterprise_user)
    general = await report_hazard(api, ready)
    refused(await actor.post(f"/api/v1/hazards/{general['id']}/escalation"), 409, "hazard-not-severe")
    severe = await report_hazard(api, ready, severity="severe", title="燃气管道泄漏")
    assert accepted(await actor.post(f"/api/v1/hazards/{severe['id']}/escalation"))["escalated_at"]
    refused(await actor.post(f"/api/v1/hazards/{severe['id']}/escalation"), 409, "hazard-already-escalated")
    assert [each["id"] for each in (await read(api, ready.lead, "escalated-hazards"))["items"]] == [severe["id"]]


async def test_honesty_is_not_punished(api: Api, ready: World) -> None:
    """Whatever an inspector, an official or the public can read says nothing of what the enterprise found itself."""
    done = await inspect_self(api, ready, {"T01": {"remark": SECRET}})
    hazard = await report_hazard(api, ready, title=SECRET, description=SECRET)
    readers = [None, ready.inspector, ready.unassigned_inspector, ready.manager, ready.lead, ready.administrator]
    paths = [
        f"/api/v1/codes/{ready.code}",
        f"/c/{ready.code}",
        f"/api/v1/public/enterprises/{ready.enterprise.uscc}",
        f"/api/v1/inspections/{ready.inspection}",
        "/api/v1/inspections",
        "/api/v1/publications",
        "/api/v1/packages/today",
        f"/api/v1/self-inspections/{done['id']}",
        "/api/v1/self-inspections",
        "/api/v1/self-inspection-schedule",
        f"/api/v1/hazards/{hazard['id']}",
        "/api/v1/hazards",
        "/api/v1/escalated-hazards",
    ]
    api.forget()
    for who in readers:
        actor = api.anyone if who is None else api.as_(who)
        for path in paths:
            told = (await actor.get(path)).text
            for words in (SECRET, hazard["id"], done["id"]):
                assert words not in told, (who and who.role, path)
    for row in await rows(api, "trace"):
        if row["subject"] in {"self_inspection", "hazard"}:
            assert (row["region"], row["department_id"], row["site_id"]) == (None, None, None)


async def test_another_enterprise_reaches_nothing(api: Api, ready: World) -> None:
    done = await inspect_self(api, ready, PROBLEMS)
    hazard = done["hazards"][0]["id"]
    other = api.as_(ready.foreign_user)
    plan = {"measures": "更换", "responsible": "某人", "due_on": "2026-08-12"}
    for answer in (
        await other.get(f"/api/v1/self-inspections/{done['id']}"),
        await other.post(f"/api/v1/self-inspections/{done['id']}/submission"),
        await other.get(f"/api/v1/hazards/{hazard}"),
        await other.put(f"/api/v1/hazards/{hazard}/handling", plan, if_match=1),
        await other.post(f"/api/v1/hazards/{hazard}/closing", {"note": "已更换"}),
        await other.post(f"/api/v1/hazards/{hazard}/escalation"),
    ):
        refused(answer, 404, "not-found")
