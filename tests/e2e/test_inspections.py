"""检查任务 over HTTP (MOB-07 to MOB-09): lists by cursor and mark, who sees which, and the whole of one."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.enterprise.store import SCANNED_SITE
from domain.identity.model import Principal, Role
from domain.inspection import store
from domain.shared.sql import Command, borrow
from tests.support.client import Api, accepted, refused
from tests.support.database import Database
from tests.support.factories import NOW, Team, World, check_in_order, dispatch, make_account

LIST = "/api/v1/inspections"
START = {"after_due_on": date.min, "after_id": UUID(int=0)}
PAGE = {"state": "pending", "due_to": date.max, "scene": None, "limit": 21, **START}


async def listed(api: Api, who: Principal, **query: object) -> list[dict[str, Any]]:
    """One page of the list of `who`."""
    response = await api.as_(who).get(LIST, **query)
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def names(api: Api, who: Principal, **query: object) -> set[str]:
    """The names on that page."""
    return {item["name"] for item in await listed(api, who, **query)}


# Pages


async def test_a_list_is_read_page_by_page_each_inspection_once_and_in_order(api: Api, world: World) -> None:
    ids = {str(world.inspection)}
    for number in range(44):
        ids.add(str(await world.dispatch(due_on=date(2026, 8, 10) + timedelta(days=number * 7 % 9))))

    pages: list[list[dict[str, Any]]] = []
    cursor: str | None = None
    while not pages or cursor is not None:
        response = await api.as_(world.inspector).get(LIST, limit=20, cursor=cursor)
        pages.append(response.json()["items"])
        cursor = response.json()["next_cursor"]

    items = [item for page in pages for item in page]
    assert [len(page) for page in pages] == [20, 20, 5]
    assert {item["id"] for item in items} == ids
    assert items == sorted(items, key=lambda item: (item["due_on"], item["id"]))


async def test_a_page_that_holds_all_has_no_next(api: Api, world: World) -> None:
    for _ in range(2):
        await world.dispatch()

    assert (await api.as_(world.inspector).get(LIST, limit=3)).json()["next_cursor"] is None
    assert (await api.as_(world.inspector).get(LIST, limit=2)).json()["next_cursor"] is not None


@pytest.mark.parametrize(
    "cursor",
    ["!", "abc", "汉字", urlsafe_b64encode(b'["2026-13-01"]').decode(), urlsafe_b64encode(b"[1, 2]").decode()],
)
async def test_a_cursor_that_is_none_of_ours_is_refused(api: Api, world: World, cursor: str) -> None:
    refused(await api.as_(world.inspector).get(LIST, cursor=cursor), 422, "invalid-field", "cursor")


@pytest.mark.parametrize(("name", "value"), [("limit", 0), ("limit", 101), ("limit", "many"), ("due", "never")])
async def test_a_filter_that_does_not_exist_is_told_by_its_name(
    api: Api, world: World, name: str, value: object
) -> None:
    refused(await api.as_(world.inspector).get(LIST, **{name: value}), 422, "invalid-field", name)


# Filters and marks


async def test_a_line_tells_what_a_phone_shows(api: Api, world: World) -> None:
    (line,) = await listed(api, world.inspector)

    assert line == {
        "id": str(world.inspection),
        "name": "南宁市老友餐饮有限公司日常检查",
        "number": "SJ01-2026-JC-000001",
        "kind": "routine",
        "state": "pending",
        "scene_name": line["scene_name"],
        "enterprise_name": "南宁市老友餐饮有限公司",
        "site_id": str(world.site.id),
        "site_name": "总店",
        "address": "民族大道1号",
        "initiating_department": "南宁市市场监督管理局",
        "starts_on": "2026-08-03",
        "due_on": "2026-08-20",
        "outcome": None,
        "due_mark": "on_time",
        "days_overdue": 0,
    }
    assert line["scene_name"]


async def dispatch_due(world: World) -> None:
    """One inspection due on each side of each boundary, seen from Wednesday 5 August."""
    for day in (3, 4, 5, 10, 11):
        await world.dispatch(name=f"due {day}", due_on=date(2026, 8, day))


async def test_marks_follow_the_working_calendar(api: Api, world: World) -> None:
    await dispatch_due(world)

    lines = {item["name"]: (item["due_mark"], item["days_overdue"]) for item in await listed(api, world.inspector)}

    assert {name: line for name, line in lines.items() if name.startswith("due")} == {
        "due 3": ("overdue", 2),
        "due 4": ("overdue", 1),
        "due 5": ("due_soon", 0),
        "due 10": ("due_soon", 0),
        "due 11": ("on_time", 0),
    }


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("overdue", {"due 3", "due 4"}),
        ("due_soon", {"due 5", "due 10"}),
        ("on_time", {"due 11", "南宁市老友餐饮有限公司日常检查"}),
    ],
)
async def test_a_list_is_filtered_by_its_mark(api: Api, world: World, mark: str, expected: set[str]) -> None:
    await dispatch_due(world)

    assert await names(api, world.inspector, due=mark) == expected


async def test_a_filtered_list_is_read_page_by_page_too(api: Api, world: World) -> None:
    await dispatch_due(world)

    first = (await api.as_(world.inspector).get(LIST, due="due_soon", limit=1)).json()
    second = (await api.as_(world.inspector).get(LIST, due="due_soon", limit=1, cursor=first["next_cursor"])).json()

    assert [item["name"] for page in (first, second) for item in page["items"]] == ["due 5", "due 10"]
    assert second["next_cursor"] is None


async def test_marks_turn_at_midnight_in_nanning(api: Api, world: World) -> None:
    await world.dispatch(name="due 5", due_on=date(2026, 8, 5))

    api.clock.now = datetime(2026, 8, 5, 15, 59, 59, tzinfo=UTC)
    assert await names(api, world.inspector, due="overdue") == set()
    api.clock.now = datetime(2026, 8, 5, 16, 0, tzinfo=UTC)
    assert await names(api, world.inspector, due="overdue") == {"due 5"}


async def test_a_list_is_filtered_by_state_and_what_is_closed_is_never_overdue(api: Api, world: World) -> None:
    closed = await world.dispatch(name="closed", due_on=date(2026, 8, 4))
    await close(api, closed)

    assert await names(api, world.inspector) == {"南宁市老友餐饮有限公司日常检查"}
    (line,) = await listed(api, world.inspector, state="completed")
    assert (line["name"], line["outcome"], line["due_mark"]) == ("closed", "no_problem", "on_time")
    assert await names(api, world.inspector, state="completed", due="on_time") == {"closed"}
    assert await names(api, world.inspector, state="completed", due="overdue") == set()
    assert await names(api, world.inspector, state="cancelled") == set()


async def close(api: Api, inspection: UUID) -> None:
    """Completing comes with a later room; the row alone is what the list reads."""
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "UPDATE inspection SET state = 'completed', completed_at = $1, outcome = 'no_problem' WHERE id = $2",
            NOW,
            inspection,
        )


async def test_a_list_is_filtered_by_scene(api: Api, world: World) -> None:
    await world.dispatch(name="second scene", scene_code="S02")

    assert await names(api, world.inspector, scene="S02") == {"second scene"}
    assert await names(api, world.inspector, scene="S99") == set()


# Who sees which


async def test_an_inspector_lists_their_own(api: Api, world: World) -> None:
    team = Team(world.market, [world.unassigned_officer, world.partner])
    await dispatch(api.parts, world.site, [team], name="of the others")

    assert await names(api, world.unassigned_inspector) == {"of the others"}
    assert await names(api, world.inspector) == {"南宁市老友餐饮有限公司日常检查"}
    assert await names(api, world.partner_inspector) == {"of the others", "南宁市老友餐饮有限公司日常检查"}


async def test_a_manager_lists_what_the_department_takes_part_in(api: Api, world: World) -> None:
    await dispatch(api.parts, world.site, world.teams[:1], name="market alone")
    await dispatch(api.parts, world.site, world.teams[1:], name="emergency alone")
    joint = "南宁市老友餐饮有限公司日常检查"

    assert await names(api, world.manager) == {joint, "market alone"}
    assert await names(api, world.emergency_manager) == {joint, "emergency alone"}


async def test_a_lead_lists_the_subtree_of_their_region(api: Api, world: World) -> None:
    await world.dispatch(world.other_site, name="in Liuzhou")
    async with borrow(api.parts.pool) as connection:
        provincial = await make_account(connection, Role.LEAD, region="450000")
        neighbour = await make_account(connection, Role.LEAD, region="450000.450100.450102")

    assert await names(api, world.lead) == {"南宁市老友餐饮有限公司日常检查"}
    assert await names(api, world.foreign_lead) == {"in Liuzhou"}
    assert await names(api, provincial) == {"南宁市老友餐饮有限公司日常检查", "in Liuzhou"}
    assert await names(api, neighbour) == set()


async def test_a_lead_without_a_region_lists_nothing(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        nowhere = await make_account(connection, Role.LEAD)

    assert await names(api, nowhere) == set()
    refused(await api.as_(nowhere).get(f"{LIST}/{world.inspection}"), 404, "not-found")


async def test_inspections_are_for_officials(api: Api, world: World) -> None:
    for path in (LIST, f"{LIST}/{world.inspection}"):
        refused(await api.anyone.get(path), 401, "not-signed-in")
        for principal in (world.enterprise_user, world.administrator):
            refused(await api.as_(principal).get(path), 403, "forbidden")


# The whole of one


async def test_one_inspection_is_told_whole(api: Api, world: World) -> None:
    response = await api.as_(world.inspector).get(f"{LIST}/{world.inspection}")

    detail = response.json()
    assert (detail["number"], detail["notice_number"]) == ("SJ01-2026-JC-000001", "SJ01-2026-TZ-000001")
    assert detail["approval"] == {
        "approved": True,
        "approved_at": "2026-08-02T01:00:00Z",
        "approved_by": "莫局长",
        "is_urgent": False,
        "supplement_due_at": None,
    }
    assert (detail["uscc"], detail["enterprise_id"]) == (world.enterprise.uscc, str(world.enterprise.id))
    assert (detail["mode"], detail["kind"], detail["source"]) == ("on_site", "routine", "年度检查计划")
    assert [(party["short_name"], party["is_lead"]) for party in detail["parties"]] == [
        ("南宁市监", True),
        ("南宁应急", False),
    ]
    valid = {officer["name"]: officer["certificate_valid_today"] for officer in detail["officers"]}
    assert valid == {"黄志强": True, "陆小梅": True, "农建国": False, "蒙海燕": True, "梁伟": True}
    assert detail["check_ins"] == []


async def test_one_inspection_tells_who_has_come_and_how_they_were_met(api: Api, world: World) -> None:
    inspector = api.as_(world.inspector)
    path = f"{LIST}/{world.inspection}"
    checked_in = accepted(await inspector.post(f"{path}/check-ins", check_in_order(world)))
    accepted(await inspector.post(f"{path}/identifications", {"response": "acknowledged"}))
    left_at = api.clock.advance(timedelta(hours=1))
    accepted(await inspector.post(f"{path}/departures"))

    (card,) = (await inspector.get(path)).json()["check_ins"]

    assert (card["id"], card["visit_sequence"], card["means"]) == (checked_in["id"], 1, "printed_code")
    assert (card["identification"], card["visit_voided_at"]) == ("acknowledged", None)
    assert datetime.fromisoformat(card["departed_at"]) == left_at


async def test_an_urgent_inspection_tells_when_its_approval_is_due(api: Api, world: World) -> None:
    due_at = NOW + timedelta(days=1)
    urgent = await world.dispatch(approved_at=None, approved_by=None, is_urgent=True, approval_due_at=due_at)

    approval = (await api.as_(world.inspector).get(f"{LIST}/{urgent}")).json()["approval"]

    assert (approval["approved"], approval["is_urgent"]) == (False, True)
    assert datetime.fromisoformat(approval["supplement_due_at"]) == due_at


async def test_what_is_out_of_ones_field_is_not_there(api: Api, world: World) -> None:
    market_alone = await dispatch(api.parts, world.site, world.teams[:1])
    for principal in (world.emergency_inspector, world.emergency_manager, world.foreign_lead):
        refused(await api.as_(principal).get(f"{LIST}/{market_alone}"), 404, "not-found")
    for principal in (world.inspector, world.manager, world.lead):
        assert (await api.as_(principal).get(f"{LIST}/{market_alone}")).status_code == 200
    refused(await api.as_(world.lead).get(f"{LIST}/{uuid4()}"), 404, "not-found")


# What the lists cost


_FILL = """
CREATE TEMPORARY TABLE crew AS SELECT gen_random_uuid() AS id, n, {market}::uuid AS department
    FROM generate_series(0, 199) AS n;
INSERT INTO officer (id, name, department_id, organisation_name, resident_id_sealed, resident_id_index, gender,
        is_supervisor, is_team_leader, created_at, updated_at)
    SELECT id, 'n' || n, department, '', '', uuid_send(id), 'male', false, false, now(), now() FROM crew;
CREATE TEMPORARY TABLE made AS SELECT gen_random_uuid() AS id, n FROM generate_series(1, 4000) AS n;
INSERT INTO inspection (id, name, kind, source, basis, mode, state, scene_code, site_id, region,
        initiating_department_id, starts_on, due_on, approved_at, approved_by, is_urgent, completed_at, created_at)
    SELECT made.id, 'n' || n, 'routine', '', '', 'on_site', CASE n % 4 WHEN 0 THEN 'pending' ELSE 'completed' END,
        'S01', {site}, (SELECT path FROM region WHERE level = 'county' ORDER BY code OFFSET n % 100 LIMIT 1),
        {market}, '2026-01-01', date '2026-01-02' + n % 300, now(), '', false,
        CASE n % 4 WHEN 0 THEN NULL ELSE now() END, now()
    FROM made;
INSERT INTO inspection_party SELECT id, {market}, true FROM made;
INSERT INTO inspection_party SELECT id, {emergency}, false FROM made WHERE n % 40 = 0;
INSERT INTO inspection_officer SELECT made.id, crew.id, crew.department
    FROM made JOIN crew ON crew.n IN (made.n % 200, (made.n + 1) % 200);
INSERT INTO issued_number (department_code, kind, year, sequence, subject_id, issued_at)
    SELECT 'SJ01', kind, 2025, n, id, now() FROM made, (VALUES ('JC'), ('TZ')) AS kinds (kind);
INSERT INTO site_code (code_id, site_id, key_version, state, issued_at, ended_at)
    SELECT decode(lpad(to_hex(n), 16, '0'), 'hex'), {site}, 0, 'replaced', now(), now() FROM made;
ANALYZE
"""


async def fill(connection: asyncpg.Connection, world: World) -> None:
    """4,000 more inspections all over Guangxi, with the officers, departments, numbers and codes of as many."""
    known = {"market": world.market.id, "emergency": world.emergency.id, "site": world.site.id}
    await connection.execute(_FILL.format(**{name: f"'{value}'" for name, value in known.items()}))


async def plan(connection: asyncpg.Connection, query: Command, given: Mapping[str, Any]) -> str:
    """How PostgreSQL would carry `query` out, line by line."""
    lines = await connection.fetch(f"EXPLAIN (COSTS OFF) {query.text}", *query.arguments(given))
    return "\n".join(line for (line,) in lines)


async def test_lists_and_lookups_go_by_their_index(world: World, database: Database) -> None:
    of_due = {**PAGE, "after_due_on": date(2026, 8, 5), "due_to": date(2026, 8, 10)}
    connection = await asyncpg.connect(database.dsn)
    try:
        await fill(connection, world)
        officer = {"officer_id": await connection.fetchval("SELECT id FROM crew WHERE n = 7")}
        plans = {
            "officer": await plan(connection, store.LIST_OF_OFFICER, {**PAGE, **officer}),
            "officer, due soon": await plan(connection, store.LIST_OF_OFFICER, {**of_due, **officer}),
            "department": await plan(
                connection, store.LIST_OF_DEPARTMENT, {**PAGE, "department_id": world.emergency.id}
            ),
            "city": await plan(connection, store.LIST_OF_REGION, {**PAGE, "region": "450000.450100"}),
            "province, due soon": await plan(connection, store.LIST_OF_REGION, {**of_due, "region": "450000"}),
            "one": await plan(connection, store.INSPECTION_BY_ID, {"inspection_id": world.inspection}),
            "code": await plan(connection, store.CODE_SITE, {"code_id": b"12345678"}),
            "scanned": await plan(connection, SCANNED_SITE, {"code_id": b"12345678"}),
        }
    finally:
        await connection.close()

    for name, text in plans.items():
        for table in ("inspection", "inspection_officer", "inspection_party", "site_code", "issued_number"):
            assert f"Seq Scan on {table}\n" not in f"{text}\n", f"{name}:\n{text}"
    assert "ix_inspection_officer_officer_id" in plans["officer"]
    assert "ix_inspection_state_due" in plans["province, due soon"]
    assert "pk_site_code" in plans["code"]
    assert "pk_site_code" in plans["scanned"]
