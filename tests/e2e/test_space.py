"""The enterprise's home: what concerns it is there, counted and dated; what does not concern it is not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from api.chores import perform_chore
from domain.complaint.tables import complaint, tip_off
from domain.publication.tables import publication
from domain.request.tables import enterprise_request
from domain.self_inspection.tables import assigned_task, assigned_task_object, hazard
from domain.shared.sql import borrow
from domain.space.store import HOME
from tests.support.client import Api, accepted, refused, statements
from tests.support.factories import NOW, World, make_row
from tests.support.inspecting import arrive, photo, prepare_inspection, upload
from tests.support.problems import (
    DUE_ON,
    PENAL,
    PLAIN,
    order_path,
    ordered,
    re_inspect,
    re_inspection,
    read_order,
    serve,
)
from tests.support.visits import rows

EMPTY = {"count": 0, "items": []}


async def home(api: Api, world: World, **query: object) -> dict[str, Any]:
    answer = await api.as_(world.enterprise_user).get("/api/v1/space", **query)  # type: ignore[arg-type] - as given
    assert answer.status_code == 200, answer.text
    return answer.json()


async def messages_of(api: Api) -> dict[str, dict[str, Any]]:
    found = await api.parts.pool.fetch("SELECT template, recipient, recipient_id, channel, parameters FROM message")
    return {row["template"]: dict(row) for row in found}


def grievance(world: World, **values: object) -> dict[str, object]:
    return {
        "site_id": world.site.id,
        "enterprise_id": world.enterprise.id,
        "department_id": world.market.id,
        "region": world.site.region,
        "type": "food_safety",
        "state": "handling",
        "is_open": True,
        "term": "answer",
        "due_on": date(2026, 9, 1),
        "filed_at": NOW,
        "accepted_at": NOW,
        "is_reopened": False,
        "is_extended": False,
        "is_abusive": False,
        "content_sealed": b"x",
        "sketch": [],
        "query_code_index": uuid4().bytes,
        "consent_version": "1",
        "failed_tries": 0,
        **values,
    }


async def test_a_visit_is_not_announced_and_shown_once_somebody_is_there(api: Api, world: World) -> None:
    before = await home(api, world)
    assert before["tasks"] == EMPTY
    assert before["papers"] == EMPTY
    assert {site["name"] for site in before["sites"]} == {"总店", "分店"}
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    after = await home(api, world)
    [task] = after["tasks"]["items"]
    assert (after["tasks"]["count"], task["id"], task["due_on"]) == (1, str(inspection), "2026-08-20")
    assert (task["site_name"], task["at"], task["mark"]) == ("总店", "2026-08-05T02:00:00Z", "on_time")
    assert (await home(api, world, site_id=world.second_site.id))["tasks"] == EMPTY
    # Its papers are there now, and the other enterprise sees none of it.
    assert after["papers"]["count"] >= 1
    foreign = (await api.as_(world.foreign_user).get("/api/v1/space")).json()
    assert foreign["tasks"] == EMPTY
    assert foreign["papers"] == EMPTY


async def test_an_order_is_dated_on_the_working_calendar_once_it_was_served(api: Api, world: World) -> None:
    found, order = await ordered(api, world, PLAIN)
    [line] = (await home(api, world))["orders"]["items"]
    assert (line["id"], line["mark"], line["due_on"]) == (order["id"], "not_served", DUE_ON.isoformat())
    [problem] = (await home(api, world))["problems"]["items"]
    assert (problem["site_name"], problem["mark"]) == ("总店", "not_served")
    person = {"name": "王某", "capacity": "店长"}
    receipt = await upload(api, world.inspector, found.inspection, photo(3))
    accepted(await serve(api, world.inspector, order["id"], means="direct", receiver=person, evidence=[receipt]))
    [line] = (await home(api, world))["orders"]["items"]
    # From Wednesday the 5th to Thursday the 20th: 6, 7, 10 to 14, 17 to 20.
    assert (line["mark"], line["working_days_left"]) == ("on_time", 11)
    api.clock.now = NOW + timedelta(days=12)
    [line] = (await home(api, world))["orders"]["items"]
    assert (line["mark"], line["working_days_left"]) == ("due_soon", 3)
    api.clock.now = NOW + timedelta(days=16)
    [line] = (await home(api, world))["orders"]["items"]
    assert (line["mark"], line["working_days_left"]) == ("overdue", -1)


async def test_papers_are_listed_by_kind_and_day_and_downloaded(api: Api, world: World) -> None:
    _, order = await ordered(api, world, PLAIN)
    for (chore,) in await api.parts.pool.fetch("SELECT id FROM chore WHERE kind = 'render_document'"):
        assert await perform_chore(api.parts, chore)
    own = api.as_(world.enterprise_user)
    listed = (await own.get("/api/v1/space/papers", kind="rectification_order")).json()["items"]
    assert [each["id"] for each in listed] == [order["document_id"]]
    pdf = await own.get(f"/api/v1/documents/{order['document_id']}/file.pdf")
    assert (pdf.status_code, pdf.content[:5]) == (200, b"%PDF-")
    every = (await own.get("/api/v1/space/papers")).json()["items"]
    assert {each["kind"] for each in every} == {"inspection_notice", "rectification_order"}
    first = (await own.get("/api/v1/space/papers", limit=1)).json()
    second = (await own.get("/api/v1/space/papers", limit=1, cursor=first["next_cursor"])).json()
    assert [each["id"] for each in (*first["items"], *second["items"])] == [each["id"] for each in every]
    assert (await own.get("/api/v1/space/papers", issued_from="2026-08-06")).json()["items"] == []
    assert (await own.get("/api/v1/space/papers", issued_to="2026-08-01")).json()["items"] == []
    assert (await own.get("/api/v1/space/papers", site_id=world.second_site.id)).json()["items"] == []
    assert (await api.as_(world.foreign_user).get("/api/v1/space/papers")).json()["items"] == []
    refused(await own.get("/api/v1/space/papers", cursor="x"), 422, "invalid-field", "cursor")


async def test_feedback_with_photos_of_before_and_after_and_what_is_decided(api: Api, world: World) -> None:
    found, order = await ordered(api, world, PLAIN, PENAL)
    own = api.as_(world.enterprise_user)
    wish = {"days": 5, "reason": "配件尚未到货"}
    accepted(await own.post(order_path(order["id"], "extension"), wish))
    assert (await messages_of(api))["extension_requested"]["recipient_id"] == world.market.id
    decision = {"granted": True, "reason": "情况属实"}
    accepted(await api.as_(world.manager).post(order_path(order["id"], "extension/decision"), decision))
    told = (await messages_of(api))["extension_decided"]
    assert (told["recipient_id"], told["parameters"]["due"]) == (world.enterprise.id, "8月25日")
    before = await upload(api, world.enterprise_user, found.inspection, photo(41))
    after = await upload(api, world.enterprise_user, found.inspection, photo(42))
    items = [
        {"item_id": found.items[PLAIN], "answer": "已公示。", "before": [before], "after": [after]},
        {"item_id": found.items[PENAL], "answer": "已更换。", "after": [after]},
    ]
    accepted(await own.post(order_path(order["id"], "feedback"), {"items": items}))
    told = (await messages_of(api))["rectification_fed_back"]
    assert (told["recipient"], told["recipient_id"]) == ("department_leads", world.market.id)
    result = re_inspection(world, found, "no_problem", PLAIN, PENAL)
    accepted(await re_inspect(api, world.inspector, order["id"], result))
    told = (await messages_of(api))["order_re_inspected"]
    assert (told["recipient_id"], told["parameters"]["result"]) == (world.enterprise.id, "复查通过，已办结")
    read = await read_order(api, world.enterprise_user, order["id"])
    [given] = read["feedback"]
    assert {item["item_id"]: (item["before"], item["after"]) for item in given["items"]} == {
        str(found.items[PLAIN]): ([before], [after]),
        str(found.items[PENAL]): ([], [after]),
    }
    assert (read["extension"]["state"], read["extension"]["decision_reason"]) == ("granted", "情况属实")
    assert read["re_inspections"][0]["result"] == "no_problem"
    assert (await home(api, world))["orders"] == EMPTY


async def test_everything_else_of_the_enterprise_is_there_and_tip_offs_are_not(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        for number in range(7):
            sealed = {"person_sealed": b"x", "accepted_at": NOW + timedelta(minutes=number)}
            await make_row(connection, complaint, **grievance(world, **sealed))
        await make_row(connection, complaint, **grievance(world, person_sealed=b"x", accepted_at=None))
        await make_row(connection, tip_off, **grievance(world, type="unlicensed", term="decision"))
        asked = {
            "enterprise_id": world.enterprise.id,
            "site_id": world.site.id,
            "region": world.site.region,
            "department_id": world.market.id,
            "category": "service",
            "urgency": "normal",
            "submitter_sealed": b"x",
            "contact_sealed": b"x",
            "description_sealed": b"x",
            "submitted_by": world.enterprise_user.account_id,
            "submitted_at": NOW,
            "due_on": date(2026, 8, 14),
        }
        await make_row(connection, enterprise_request, **asked, state="accepted", title="停电")
        await make_row(connection, enterprise_request, **asked, state="answered", title="排水", answered_at=NOW)
        await make_row(
            connection,
            hazard,
            enterprise_id=world.enterprise.id,
            site_id=world.second_site.id,
            region=world.second_site.region,
            title="灭火器过期",
            severity="general",
            state="open",
            version=1,
            found_at=NOW,
            found_by=world.enterprise_user.account_id,
            due_on=date(2026, 8, 4),
            photos_before=[],
            photos_after=[],
            reminders=0,
        )
        task = await make_row(
            connection,
            assigned_task,
            department_id=world.market.id,
            region=world.site.region,
            name="节前自查",
            patrol_type="自查",
            object_type="企业",
            starts_on=date(2026, 8, 1),
            ends_on=date(2026, 8, 7),
            state="dispatched",
            version=1,
            business_types=[],
            regions=[],
            risk_levels=[],
            credit_grades=[],
            objects_chosen=1,
            objects_assigned=1,
            after_site_id=world.site.id,
            answered=0,
            answered_late=0,
            created_by=world.manager.account_id,
            created_at=NOW,
            finished_at=NOW,
        )
        await make_row(
            connection,
            assigned_task_object,
            task_id=task,
            site_id=world.site.id,
            enterprise_id=world.enterprise.id,
            state="open",
            problem_count=0,
            is_late=False,
        )
    found = await home(api, world)
    assert (found["complaints"]["count"], len(found["complaints"]["items"])) == (7, 5)
    assert {each["title"] for each in found["complaints"]["items"]} == {"食品安全投诉"}
    assert [each["title"] for each in found["requests"]["items"]] == ["停电"]
    assert [each["title"] for each in found["answers"]["items"]] == ["排水"]
    [danger] = found["hazards"]["items"]
    assert (danger["mark"], danger["working_days_left"], danger["site_name"]) == ("overdue", -1, "分店")
    [assigned] = found["assigned_tasks"]["items"]
    assert (assigned["title"], assigned["mark"]) == ("节前自查", "due_soon")
    # Of its two licences the one that ran out in January is told of; the other has years to go.
    assert [(each["title"], each["mark"]) for each in found["licences"]["items"]] == [("酒类经营许可证", "overdue")]
    assert found["materials"]["missing"] == 1
    assert "unlicensed" not in str(found)
    of_second = await home(api, world, site_id=world.second_site.id)
    assert (of_second["complaints"], of_second["hazards"]["count"]) == (EMPTY, 1)


async def test_what_will_be_public_is_there_before(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    async with borrow(api.parts.pool) as connection:
        await make_row(
            connection,
            publication,
            inspection_id=inspection,
            enterprise_id=world.enterprise.id,
            site_id=world.site.id,
            state="pending",
            due_at=NOW + timedelta(days=6),
            latest_at=NOW + timedelta(days=28),
            ends_on=date(2029, 8, 5),
            is_contested=False,
        )
    [line] = (await home(api, world))["publications"]["items"]
    assert (line["state"], line["due_on"]) == ("pending", "2026-08-11")


async def test_those_of_a_branch_see_their_branch(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    await arrive(api, world, inspection)
    clerk = api.as_(msgspec.structs.replace(world.enterprise_user, site_ids=(world.second_site.id,)))
    seen = (await clerk.get("/api/v1/space")).json()
    assert [site["name"] for site in seen["sites"]] == ["分店"]
    assert (seen["tasks"], seen["papers"]) == (EMPTY, EMPTY)
    refused(await clerk.get("/api/v1/space", site_id=world.site.id), 404, "not-found", "site_id")
    refused(await clerk.get("/api/v1/space", site_id=world.other_site.id), 404, "not-found", "site_id")
    refused(await api.as_(world.manager).get("/api/v1/space"), 403, "forbidden")


async def test_the_home_is_read_in_few_statements_and_writes_nothing(api: Api, world: World) -> None:
    await home(api, world)
    before = {table: await rows(api, table) for table in ("trace", "message", "idempotency")}
    async with statements(api) as sent:
        await home(api, world)
    assert len([each for each in sent if each.startswith("SELECT")]) <= 7
    assert {table: await rows(api, table) for table in before} == before


@pytest.mark.slow
async def test_the_home_of_one_among_many_is_found_by_indexes(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    pool = api.parts.pool
    await pool.execute(
        "INSERT INTO enterprise (id, uscc, name, object_type, region_code, created_at, updated_at) "
        "SELECT gen_random_uuid(), 'E' || n, '企业' || n, '企业', '450103', now(), now() "
        "FROM generate_series(1, 5000) n"
    )
    await pool.execute(
        "INSERT INTO site (id, enterprise_id, is_main, name, region_code, region, created_at, updated_at) "
        "SELECT gen_random_uuid(), id, true, '总店', '450103', $1::ltree, now(), now() FROM enterprise "
        "WHERE uscc LIKE 'E%'",
        world.site.region,
    )
    await pool.execute(
        "INSERT INTO inspection (id, name, kind, source, basis, mode, state, scene_code, site_id, region, "
        "initiating_department_id, starts_on, due_on, is_urgent, created_at) SELECT gen_random_uuid(), '检查', "
        "'routine', 's', 'b', 'on_site', 'pending', 'S01', s.id, s.region, $1, '2026-08-01', '2026-08-20', false, "
        "now() FROM site s, generate_series(1, 4)",
        world.market.id,
    )
    for table in ("inspection", "site", "enterprise"):
        await pool.execute(f"ANALYZE {table}")
    async with pool.acquire() as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        given = {"enterprise_id": world.enterprise.id, "sites": [world.site.id], "today": NOW.date()}
        prepared = await connection.prepare(HOME.text)
        plan = str(await prepared.explain(*HOME.arguments({**given, "expires_by": DUE_ON}), analyze=True))
        await connection.execute("RESET plan_cache_mode")
    assert "ix_inspection_site_id" in plan
    assert "Seq Scan on inspection" not in plan
    assert inspection
