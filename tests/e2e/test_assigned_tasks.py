"""交办任务 over HTTP (COG-01, COG-02, PUB-17): filled, confirmed, dispatched to many at once, answered, counted."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from api.chores import perform_chore
from api.register import INSTALLATION
from api.self_inspection_rounds import assign_task
from domain.identity.model import Principal
from domain.self_inspection import store as self_inspections
from domain.self_inspection.assigned import store
from domain.self_inspection.assigned.operations import assign_page
from domain.self_inspection.hazard import store as hazards
from domain.shared.sql import Command
from tests.support.client import Api, accepted, refused
from tests.support.database import Database
from tests.support.factories import CITY, DISTRICT, NOW, World
from tests.support.self_inspecting import FOOD, execute, hand_in, prepare_self_check, read
from tests.support.visits import rows

FIELDS: Mapping[str, Any] = {
    "name": "国庆节前餐饮安全自巡查",
    "patrol_type": "节前自巡查",
    "object_type": "餐饮单位",
    "starts_on": "2026-08-05",
    "ends_on": "2026-08-20",
}
ROWS = [
    {"content": "燃气软管是否老化", "requirement": "逐一查看接口", "needs_photo": True},
    {"content": "消防通道是否畅通"},
]
_FILL = """
INSERT INTO enterprise (id, uscc, name, object_type, region_code, risk_level, credit_grade, created_at, updated_at)
SELECT gen_random_uuid(), 'T' || lpad(n::text, 17, '0'), '第' || n || '家', '企业', '450103',
       CASE WHEN n % 2 = 0 THEN 'high' ELSE 'low' END, 'B', now(), now()
FROM generate_series(1, {many}) AS n;
INSERT INTO site (id, enterprise_id, is_main, name, region_code, region, business_types, created_at, updated_at)
SELECT gen_random_uuid(), id, true, '总店', '450103', '450000.450100.450103', '{{餐饮服务}}', now(), now()
FROM enterprise WHERE uscc LIKE 'T%';
"""


async def post(api: Api, who: Principal, task: str, what: str, body: object = None) -> Any:
    """One step of a task."""
    return await api.as_(who).post(f"/api/v1/assigned-tasks/{task}/{what}", body)


async def create(api: Api, world: World, **changes: Any) -> str:
    """A draft of the market department; gives its id."""
    return accepted(await api.as_(world.manager).post("/api/v1/assigned-tasks", {**FIELDS, **changes}))["id"]


async def choose(api: Api, who: Principal, task: str, **objects: Any) -> Any:
    """选择巡查对象 over the version that stands."""
    version = (await read(api, who, f"assigned-tasks/{task}"))["version"]
    return await api.as_(who).put(f"/api/v1/assigned-tasks/{task}/objects", objects, if_match=version)


async def prepare(api: Api, world: World, objects: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """A confirmed task with two rows for the two own sites, or the `objects` given."""
    task = await create(api, world, **changes)
    accepted(await post(api, world.manager, task, "rows", {"rows": ROWS}))
    chosen = objects or {"site_ids": [str(world.site.id), str(world.second_site.id)]}
    accepted(await choose(api, world.manager, task, **chosen))
    accepted(await post(api, world.manager, task, "confirmation"))
    return task


async def send_out(api: Api, world: World, task: str) -> None:
    """下派, and the worker's part of it."""
    accepted(await post(api, world.manager, task, "dispatch"))
    await assign_task(api.parts, UUID(task).bytes)


async def received(api: Api, who: Principal, **query: object) -> list[dict[str, Any]]:
    """What an enterprise was sent."""
    return (await read(api, who, "received-tasks", **query))["items"]


async def put_row(
    api: Api, who: Principal, received_id: str, row: str, body: Mapping[str, Any], version: int | None = None
) -> Any:
    """反馈 of one row."""
    return await api.as_(who).put(f"/api/v1/received-tasks/{received_id}/answers/{row}", dict(body), if_match=version)


async def answer(api: Api, world: World, received_id: str, problem: bool = False) -> str:
    """Every row is answered, the first with a photo; gives the photo."""
    photo = await hand_in(api, world.enterprise_user)
    first, second = (await read(api, world.enterprise_user, f"received-tasks/{received_id}"))["rows"]
    value = "problem" if problem else "no_problem"
    accepted(await put_row(api, world.enterprise_user, received_id, first["id"], {"value": value, "photos": [photo]}))
    reason = {"value": "not_applicable", "reason": "临街铺面无通道"}
    accepted(await put_row(api, world.enterprise_user, received_id, second["id"], reason))
    return photo


async def fill(api: Api, many: int) -> None:
    """So many more restaurants in the district."""
    await execute(api, _FILL.format(many=many))


# Filled and confirmed


async def test_a_task_is_filled_confirmed_sent_out_and_answered(api: Api, world: World) -> None:
    task = await prepare(api, world)
    shown = await read(api, world.manager, f"assigned-tasks/{task}")
    assert (shown["state"], shown["row_count"], shown["objects_chosen"], shown["number"]) == ("confirmed", 2, 2, None)

    accepted(await post(api, world.manager, task, "dispatch"))
    (chore,) = [row for row in await rows(api, "chore") if row["kind"] == "assign_task"]
    assert await perform_chore(api.parts, chore["id"])
    shown = await read(api, world.manager, f"assigned-tasks/{task}")
    assert (shown["state"], shown["number"], shown["objects_assigned"]) == ("dispatched", "SJ01-2026-XC-000001", 2)
    assert [row["template"] for row in await rows(api, "message")].count("task_assigned") == 1  # one enterprise

    second, first = await received(api, world.enterprise_user)
    assert {first["site_id"], second["site_id"]} == {str(world.site.id), str(world.second_site.id)}
    assert (first["number"], first["department"], first["row_count"]) == (
        "SJ01-2026-XC-000001",
        "南宁市市场监督管理局",
        2,
    )
    photo = await answer(api, world, first["id"], problem=True)
    path = f"/api/v1/received-tasks/{first['id']}"
    done = accepted(await api.as_(world.enterprise_user).post(f"{path}/submission"))
    assert (done["is_late"], done["problem_count"]) == (False, 1)
    refused(await api.as_(world.enterprise_user).post(f"{path}/submission"), 409, "assigned-task-already-answered")

    (line,) = (await read(api, world.manager, "assigned-tasks"))["items"]
    assert (line["answered"], line["answered_late"], line["overdue"]) == (1, 0, 0)
    (told,) = (await read(api, world.manager, f"assigned-tasks/{task}/objects", state="submitted"))["items"]
    assert (told["id"], told["problem_count"]) == (first["id"], 1)
    whole = await read(api, world.lead, f"assigned-tasks/{task}/objects/{first['id']}")
    assert [row["answer"]["value"] for row in whole["rows"]] == ["problem", "not_applicable"]
    for who, place in (
        (world.manager, f"/api/v1/assigned-tasks/{task}/objects/{first['id']}"),
        (world.enterprise_user, path),
    ):
        picture = await api.as_(who).get(f"{place}/attachments/{photo}", size="320")
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")


async def test_rows_come_by_hand_and_out_of_a_checklist_and_go_in_batches(api: Api, world: World) -> None:
    await prepare_self_check(api, world)
    checklist = str((await rows(api, "checklist"))[0]["id"])
    task = await create(api, world)
    added = accepted(
        await post(
            api,
            world.manager,
            task,
            "rows",
            {"rows": ROWS, "checklist_id": checklist, "item_codes": ["T06", "T01"]},
        )
    )["rows"]
    assert [row["place"] for row in added] == [1, 2, 3, 4]
    assert [row["content"] for row in added[2:]] == ["食品经营许可证在有效期内并公示。", "进货查验记录齐全。"]
    gone = [added[0]["id"], added[3]["id"]]
    left = accepted(await post(api, world.manager, task, "rows/removal", {"row_ids": gone}))["rows"]
    assert [row["place"] for row in left] == [2, 3]
    refused(
        await post(api, world.manager, task, "rows/removal", {"row_ids": [left[0]["id"], gone[0]]}),
        404,
        "not-found",
        "row_ids",
    )
    assert len((await read(api, world.manager, f"assigned-tasks/{task}"))["rows"]) == 2
    for body, field in (
        ({"checklist_id": checklist, "item_codes": ["T99"]}, "item_codes"),
        ({"checklist_id": str(uuid4()), "item_codes": ["T01"]}, "checklist_id"),
    ):
        refused(await post(api, world.manager, task, "rows", body), 404, "not-found", field)
    refused(await post(api, world.manager, task, "rows", {}), 422, "invalid-field", "rows")
    many = {"rows": [{"content": f"第{n}行"} for n in range(199)]}
    refused(await post(api, world.manager, task, "rows", many), 422, "invalid-field", "rows")


async def test_a_confirmed_task_does_not_change_unless_it_is_taken_back(api: Api, world: World) -> None:
    task = await prepare(api, world)
    version = (await read(api, world.manager, f"assigned-tasks/{task}"))["version"]
    path = f"/api/v1/assigned-tasks/{task}"
    not_draft = (409, "assigned-task-not-draft")
    refused(await post(api, world.manager, task, "rows", {"rows": ROWS}), *not_draft)
    refused(await api.as_(world.manager).put(path, FIELDS, if_match=version), *not_draft)
    refused(await choose(api, world.manager, task, business_types=[FOOD]), *not_draft)
    refused(await post(api, world.manager, task, "confirmation"), *not_draft)
    assert accepted(await post(api, world.manager, task, "reopening"))["state"] == "draft"
    refused(await post(api, world.manager, task, "dispatch"), 409, "assigned-task-step-not-possible")
    refused(await api.as_(world.manager).put(path, FIELDS, if_match=version), 412, "assigned-task-changed", "If-Match")
    accepted(await api.as_(world.manager).put(path, {**FIELDS, "name": "新名称"}, if_match=version + 1))
    assert (await read(api, world.manager, f"assigned-tasks/{task}"))["name"] == "新名称"


async def test_an_empty_task_is_not_confirmed(api: Api, world: World) -> None:
    task = await create(api, world)
    refused(await post(api, world.manager, task, "confirmation"), 409, "assigned-task-empty", "rows")
    accepted(await post(api, world.manager, task, "rows", {"rows": ROWS}))
    refused(await post(api, world.manager, task, "confirmation"), 409, "assigned-task-empty", "objects")
    assert accepted(await choose(api, world.manager, task, business_types=["旅行社"]))["objects_chosen"] == 0
    refused(await post(api, world.manager, task, "confirmation"), 409, "assigned-task-empty", "objects")
    turned = {**FIELDS, "ends_on": "2026-08-04"}
    refused(await api.as_(world.manager).post("/api/v1/assigned-tasks", turned), 422, "invalid-field", "ends_on")


async def test_objects_are_chosen_by_what_the_register_says_of_them(api: Api, world: World) -> None:
    await prepare_self_check(api, world)
    await fill(api, 10)
    task = await create(api, world)

    async def count(**objects: Any) -> int:
        return accepted(await choose(api, world.manager, task, **objects))["objects_chosen"]

    assert await count() == 12  # the city's; the other enterprise is in another city
    assert await count(business_types=[FOOD]) == 12
    assert await count(regions=[DISTRICT]) == 12
    assert await count(regions=["450102"]) == 0
    assert await count(regions=[CITY, "450102"]) == 12
    assert await count(risk_levels=["high"]) == 5
    assert await count(risk_levels=["high", "medium_high"], credit_grades=["B"]) == 7
    assert await count(credit_grades=["A"]) == 0
    await execute(api, "UPDATE enterprise SET revoked_on = '2026-01-01' WHERE id = $1", world.enterprise.id)
    assert await count(business_types=[FOOD]) == 10
    refused(await choose(api, world.manager, task, regions=["450200"]), 422, "invalid-field", "regions")


async def test_a_site_beyond_the_departments_region_is_not_chosen(api: Api, world: World) -> None:
    task = await create(api, world)
    named = [str(world.site.id), str(world.other_site.id), str(uuid4())]
    facts = refused(
        await choose(api, world.manager, task, site_ids=named), 422, "assigned-task-objects-unknown", "site_ids"
    )
    assert facts == {"missing": 2}


# Sent out


async def test_sending_out_can_be_stopped_and_goes_on_from_there(api: Api, world: World) -> None:
    await fill(api, 7)
    task = await prepare(api, world, {"business_types": [FOOD]})
    accepted(await post(api, world.manager, task, "dispatch"))
    which = UUID(task)

    async def page() -> bool:
        return await api.parts.work.run(INSTALLATION, lambda tx: assign_page(tx, which, 3))

    assert await page()
    assert (await read(api, world.manager, f"assigned-tasks/{task}"))["objects_assigned"] == 3
    assert accepted(await post(api, world.manager, task, "stop"))["state"] == "stopped"
    assert not await page()
    assert (await read(api, world.manager, f"assigned-tasks/{task}"))["objects_assigned"] == 3
    refused(await post(api, world.manager, task, "stop"), 409, "assigned-task-step-not-possible")

    accepted(await post(api, world.manager, task, "dispatch"))
    while any(await asyncio.gather(*[page() for _ in range(3)])):  # workers take turns
        continue
    shown = await read(api, world.manager, f"assigned-tasks/{task}")
    assert (shown["state"], shown["objects_assigned"]) == ("dispatched", 7)
    assert len(await rows(api, "assigned_task_object")) == 7
    assert [row["kind"] for row in await rows(api, "chore")].count("assign_task") == 2
    assert shown["number"] == "SJ01-2026-XC-000001"
    await assign_task(api.parts, which.bytes)  # a chore may come twice
    assert len(await rows(api, "assigned_task_object")) == 7


async def test_an_object_that_was_sent_the_task_is_not_sent_it_again(api: Api, world: World) -> None:
    task = await prepare(api, world)
    await send_out(api, world, task)
    await execute(
        api,
        "UPDATE assigned_task SET state = 'dispatching', finished_at = NULL, after_site_id = $1 WHERE id = $2",
        UUID(int=0),
        UUID(task),
    )
    await assign_task(api.parts, UUID(task).bytes)
    shown = await read(api, world.manager, f"assigned-tasks/{task}")
    assert (shown["state"], shown["objects_assigned"]) == ("dispatched", 2)


async def test_ten_thousand_sites_named_one_by_one_are_sent_out_in_seconds(
    api: Api, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(api, 10_000)
    async with api.parts.pool.acquire() as connection:
        named = [str(each["id"]) for each in await connection.fetch("SELECT id FROM site WHERE regulator_id IS NULL")]
    task = await prepare(api, world, {"site_ids": named})
    accepted(await post(api, world.manager, task, "dispatch"))
    started = time.perf_counter()
    await assign_task(api.parts, UUID(task).bytes)
    took = time.perf_counter() - started
    with capsys.disabled():
        sys.stdout.write(f"\n10,000 objects sent out in {took:.2f} s\n")
    shown = await read(api, world.manager, f"assigned-tasks/{task}")
    assert (shown["state"], shown["objects_assigned"]) == ("dispatched", 10_000)
    assert took < 60


# Answered


async def test_rows_are_answered_over_versions_and_none_is_left_out(api: Api, world: World) -> None:
    task = await prepare(api, world)
    await send_out(api, world, task)
    which = (await received(api, world.enterprise_user))[0]["id"]
    first, second = (await read(api, world.enterprise_user, f"received-tasks/{which}"))["rows"]
    user = world.enterprise_user
    refused(await put_row(api, user, which, first["id"], {"value": "no_problem"}), 422, "invalid-field", "photos")
    accepted(await put_row(api, user, which, second["id"], {"value": "no_problem"}))
    refused(
        await put_row(api, user, which, second["id"], {"value": "problem"}), 412, "self-answer-conflict", "If-Match"
    )
    assert accepted(await put_row(api, user, which, second["id"], {"value": "problem"}, 1))["version"] == 2
    submission = await api.as_(user).post(f"/api/v1/received-tasks/{which}/submission")
    assert refused(submission, 409, "assigned-task-incomplete")["open"] == [first["id"]]
    refused(await put_row(api, user, which, str(uuid4()), {"value": "problem"}), 404, "not-found", "row_id")


async def test_what_is_not_submitted_is_the_enterprises_own(api: Api, world: World) -> None:
    task = await prepare(api, world)
    await send_out(api, world, task)
    which = (await received(api, world.enterprise_user))[0]["id"]
    photo = await answer(api, world, which)
    place = f"assigned-tasks/{task}/objects/{which}"
    assert (await read(api, world.manager, place))["rows"] == []
    refused(await api.as_(world.manager).get(f"/api/v1/{place}/attachments/{photo}"), 404, "not-found")


async def test_answers_after_the_last_day_are_late_and_not_refused(api: Api, world: World) -> None:
    task = await prepare(api, world)
    await send_out(api, world, task)
    api.clock.now = datetime(2026, 8, 20, 16, 0, tzinfo=UTC)  # midnight in Nanning: the 21st
    assert (await read(api, world.manager, f"assigned-tasks/{task}"))["overdue"] == 2
    which = (await received(api, world.enterprise_user))[0]["id"]
    await answer(api, world, which)
    set_back = "2026-08-19T10:00:00+08:00"
    submission = f"/api/v1/received-tasks/{which}/submission"
    done = accepted(await api.as_(world.enterprise_user).post(submission, done_at=set_back))
    assert done["is_late"] is True
    shown = await read(api, world.manager, f"assigned-tasks/{task}")
    assert (shown["answered"], shown["answered_late"], shown["overdue"]) == (1, 1, 1)


async def test_nobody_answers_before_the_first_day(api: Api, world: World) -> None:
    task = await prepare(api, world, starts_on="2026-08-10")
    await send_out(api, world, task)
    which = (await received(api, world.enterprise_user))[0]["id"]
    row = (await read(api, world.enterprise_user, f"received-tasks/{which}"))["rows"][1]["id"]
    early = await put_row(api, world.enterprise_user, which, row, {"value": "no_problem"})
    refused(early, 409, "assigned-task-not-begun")


# Scope


async def test_a_department_works_on_its_own_tasks_and_a_lead_reads_the_regions(api: Api, world: World) -> None:
    task = await prepare(api, world)
    for who in (world.emergency_manager, world.foreign_lead):
        refused(await api.as_(who).get(f"/api/v1/assigned-tasks/{task}"), 404, "not-found")
        assert (await read(api, who, "assigned-tasks"))["items"] == []
    refused(await post(api, world.emergency_manager, task, "dispatch"), 404, "not-found")
    refused(await post(api, world.foreign_lead, task, "dispatch"), 403, "forbidden")
    assert [each["id"] for each in (await read(api, world.lead, "assigned-tasks"))["items"]] == [task]
    assert accepted(await post(api, world.lead, task, "dispatch"))["state"] == "dispatching"


async def test_an_enterprise_reaches_its_own_part_alone(api: Api, world: World) -> None:
    task = await prepare(api, world)
    await send_out(api, world, task)
    first = next(each for each in await received(api, world.enterprise_user) if each["site_id"] == str(world.site.id))
    assert await received(api, world.foreign_user) == []
    branch = msgspec.structs.replace(world.enterprise_user, site_ids=(world.second_site.id,))
    assert [each["site_id"] for each in await received(api, branch)] == [str(world.second_site.id)]
    for who in (world.foreign_user, branch):
        actor = api.as_(who)
        refused(await actor.get(f"/api/v1/received-tasks/{first['id']}"), 404, "not-found")
        refused(await actor.post(f"/api/v1/received-tasks/{first['id']}/submission"), 404, "not-found")


async def test_lists_go_page_by_page(api: Api, world: World) -> None:
    tasks = []
    for number in range(3):
        api.clock.now = NOW + timedelta(minutes=number)
        task = await prepare(api, world, name=f"第{number}次")
        await send_out(api, world, task)
        tasks.append(task)
    first = await read(api, world.manager, "assigned-tasks", limit=2)
    assert [each["id"] for each in first["items"]] == tasks[:0:-1]
    second = await read(api, world.manager, "assigned-tasks", limit=2, cursor=first["next_cursor"])
    assert ([each["id"] for each in second["items"]], second["next_cursor"]) == (tasks[:1], None)
    assert (await read(api, world.manager, "assigned-tasks", state="draft"))["items"] == []

    page = await read(api, world.enterprise_user, "received-tasks", limit=4)
    rest = await read(api, world.enterprise_user, "received-tasks", limit=4, cursor=page["next_cursor"])
    assert len({each["id"] for each in (*page["items"], *rest["items"])}) == 6
    objects = await read(api, world.manager, f"assigned-tasks/{tasks[0]}/objects", limit=1)
    after = await read(api, world.manager, f"assigned-tasks/{tasks[0]}/objects", limit=1, cursor=objects["next_cursor"])
    assert len({each["id"] for each in (*objects["items"], *after["items"])}) == 2


# Plans

_MANY = """
INSERT INTO assigned_task (id, department_id, region, name, patrol_type, object_type, starts_on, ends_on, state,
    version, business_types, regions, risk_levels, credit_grades, objects_chosen, objects_assigned, after_site_id,
    answered, answered_late, created_by, created_at, dispatched_at, finished_at)
SELECT gen_random_uuid(), '{department}', '450000.450100', '任务' || n, '专项', '餐饮', '2026-08-01', '2026-08-31',
    'dispatched', 1, '{{}}', '{{}}', '{{}}', '{{}}', 20, 20, '{zero}', 0, 0, '{zero}', now(), now(), now()
FROM generate_series(1, 500) AS n;
INSERT INTO assigned_task_object (id, task_id, site_id, enterprise_id, state, problem_count, is_late)
SELECT gen_random_uuid(), t.id, s.id, s.enterprise_id, 'open', 0, false
FROM assigned_task t JOIN LATERAL (SELECT id, enterprise_id FROM site ORDER BY md5(id::text || t.id::text) LIMIT 40) s
    ON true;
INSERT INTO hazard (id, enterprise_id, site_id, region, title, severity, state, version, found_at, found_by, due_on,
    photos_before, photos_after, reminders, escalated_at, escalated_to)
SELECT gen_random_uuid(), s.enterprise_id, s.id, s.region, '隐患', 'severe', 'open', 1, now(), '{zero}',
    date '2026-08-01' + (n % 60), '{{}}', '{{}}', CASE WHEN n % 50 = 0 THEN 0 ELSE 2 END,
    CASE WHEN n % 10 = 0 THEN now() END, CASE WHEN n % 10 = 0 THEN '{department}'::uuid END
FROM site s CROSS JOIN generate_series(1, 10) AS n;
INSERT INTO self_inspection (id, enterprise_id, site_id, business_type, checklist_version_id, state, quarter,
    item_count, problem_count, started_by, started_at, submitted_by, submitted_at)
SELECT gen_random_uuid(), s.enterprise_id, s.id, '餐饮服务', '{version}', 'submitted', '2026Q' || q, 3, q % 2, '{zero}',
    now(), '{zero}', now()
FROM site s CROSS JOIN generate_series(1, 4) AS q;
ANALYZE;
"""


async def plan(connection: asyncpg.Connection, query: Command, given: Mapping[str, Any]) -> str:
    """How PostgreSQL would carry `query` out, line by line."""
    lines = await connection.fetch(f"EXPLAIN (COSTS OFF) {query.text}", *query.arguments(given))
    return "\n".join(line for (line,) in lines)


async def test_lists_and_rounds_go_by_their_index(api: Api, world: World, database: Database) -> None:
    await prepare_self_check(api, world)
    await fill(api, 2000)
    version = (await rows(api, "checklist_version"))[0]["id"]
    await execute(api, _MANY.format(department=world.market.id, zero=UUID(int=0), version=version))
    page = {"limit": 21, "state": "open", "site_ids": None}
    newest = {**page, "before_id": UUID(int=2**128 - 1)}
    own = {"enterprise_id": world.enterprise.id}
    escalated = {**page, "after_at": datetime(1, 1, 2, tzinfo=UTC), "after_id": UUID(int=0)}
    connection = await asyncpg.connect(database.dsn)
    try:
        task_id = await connection.fetchval("SELECT id FROM assigned_task LIMIT 1")
        plans = {
            "received": await plan(connection, store.LIST_RECEIVED, {**newest, **own}),
            "objects": await plan(
                connection, store.LIST_OBJECTS, {**page, "task_id": task_id, "after_id": UUID(int=0)}
            ),
            "tasks": await plan(
                connection, store.LIST_OF_DEPARTMENT, {**newest, "state": None, "department_id": world.market.id}
            ),
            "records": await plan(
                connection,
                self_inspections.LIST_SELF_INSPECTIONS,
                {**newest, **own, "state": None, "has_hazard": None},
            ),
            "hazards": await plan(
                connection,
                hazards.LIST_HAZARDS,
                {**page, **own, "after_due_on": date(1, 1, 1), "after_id": UUID(int=0)},
            ),
            "escalated": await plan(
                connection, hazards.ESCALATED_TO_DEPARTMENT, {**escalated, "department_id": world.market.id}
            ),
            "escalated in the region": await plan(
                connection, hazards.ESCALATED_IN_REGION, {**escalated, "region": "450000.450100"}
            ),
            "to remind": await plan(
                connection,
                hazards.LOCK_TO_REMIND,
                {"first_due_on": date(2026, 8, 4), "last_due_on": date(2026, 7, 29), "limit": 200},
            ),
            "quarter": await plan(
                connection,
                self_inspections.ENTERPRISES_TO_REMIND,
                {"after_id": UUID(int=0), "limit": 500, "quarter": "2026Q3"},
            ),
        }
    finally:
        await connection.close()

    for name, text in plans.items():
        for table in ("assigned_task_object", "self_inspection", "hazard", "site at_site", "issued_number"):
            assert f"Seq Scan on {table}\n" not in f"{text}\n", f"{name}:\n{text}"
    assert "ix_assigned_task_object_enterprise_id" in plans["received"]
    assert "ix_assigned_task_object_task_id" in plans["objects"]
    assert "ix_assigned_task_department_id" in plans["tasks"]
    assert "ix_self_inspection_enterprise_id" in plans["records"]
    assert "ix_hazard_enterprise_id" in plans["hazards"]
    assert "ix_hazard_escalated_to" in plans["escalated"]
    assert "ix_hazard_escalated" in plans["escalated in the region"]
    assert "ix_hazard_to_remind" in plans["to remind"]
    assert "ix_self_inspection_quarter" in plans["quarter"]
    assert "ix_site_enterprise_id" in plans["quarter"]  # site by site of the page, never all of them
