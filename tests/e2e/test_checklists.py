"""A checklist's life over HTTP: written, imported, published, enabled, read, exported, and told in its change log."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from api.routes.checklist import XLSX
from domain.checklist import store
from domain.checklist.builtin import builtin_checklists, load_builtin_checklists
from domain.checklist.columns import COLUMNS
from domain.checklist.rules import digest_of
from domain.identity.model import Principal, Role
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import DISTRICT, INSTALLATION, OTHER_CITY, World, make_account, make_department
from tests.support.visits import nothing_changes, rows

LISTS = "/api/v1/checklists"
FOOD = builtin_checklists()[0]


async def send(
    api: Api, who: Principal, method: str, path: str, body: object = None, *, key: str | None = None
) -> httpx.Response:
    """A write under `key`, or a new one; bytes go as they are, anything else as JSON."""
    headers = {**api.as_(who).bearer(), "Idempotency-Key": key or str(uuid4())}
    content = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
    if not isinstance(body, bytes):
        headers["Content-Type"] = "application/json"
    return await api.http.request(method, path, content=content, headers=headers)


def a_list(**changes: object) -> dict[str, Any]:
    """新建检查单 as the office sends it."""
    return {"code": "CY-2026", "name": "餐饮服务检查单", "business_type": "餐饮服务", **changes}


def an_item(code: str = "001", **changes: object) -> dict[str, Any]:
    """检查内容 as the office sends it."""
    return {
        "code": code,
        "area": "食品留样",
        "matter": "留样",
        "content": "每餐次食品成品按规定留样。",
        "method": "实地查验",
        "mode": "daily",
        "severity": "general",
        "grades": ["C", "D"],
        "legal_basis": [{"law": "中华人民共和国食品安全法实施条例", "article": "第二十八条"}],
        **changes,
    }


def a_csv(*lines: dict[str, str]) -> bytes:
    """A file as a spreadsheet program saves it."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [column.header for column in COLUMNS])
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode("gb18030")


def a_line(code: str, **changes: str) -> dict[str, str]:
    """A good row of a file."""
    return {
        "编号": code,
        "检查领域": "食品留样",
        "检查事项": "留样",
        "检查内容": "每餐次食品成品按规定留样。",
        "检查方法": "实地查验",
        "检查方式": "日常查",
        "严重程度": "一般",
        "D级": "是",
        **changes,
    }


async def create(api: Api, world: World, **changes: object) -> str:
    """A new list of the market department; gives its path."""
    made = accepted(await send(api, world.manager, "POST", LISTS, a_list(**changes)))
    return f"{LISTS}/{made['id']}"


async def publish(api: Api, world: World, path: str, *items: dict[str, Any]) -> dict[str, Any]:
    """Write `items` into the draft and publish it."""
    accepted(await send(api, world.manager, "PUT", f"{path}/draft/items", {"items": items or [an_item()]}))
    return accepted(await send(api, world.manager, "POST", f"{path}/publish"))


async def set_state(api: Api, world: World, path: str, state: str) -> httpx.Response:
    """启用 or 停用."""
    return await send(api, world.manager, "POST", f"{path}/state", {"state": state})


@asynccontextmanager
async def nothing_happens(api: Api) -> AsyncGenerator[None]:
    """What is done inside leaves no mark, on checklists neither."""
    tables = ("checklist", "checklist_version", "checklist_item", "checklist_change")
    before = [await rows(api, table) for table in tables]
    async with nothing_changes(api):
        yield
    assert [await rows(api, table) for table in tables] == before


async def foreign_manager(api: Api) -> Principal:
    """部门管理员 of a department in another city."""
    async with borrow(api.parts.pool) as connection:
        there = await make_department(
            connection, code="LZ01", name="柳州市市场监督管理局", short_name="柳州市监", region_code=OTHER_CITY
        )
        return await make_account(connection, Role.DEPARTMENT_MANAGER, of=there)


async def test_a_list_is_written_published_enabled_and_read(api: Api, world: World) -> None:
    path = await create(api, world, participants=[world.emergency.id, world.market.id], scene_code="S13")
    items = [an_item("001"), an_item("002", is_mandatory=True, department_code="YJ01")]
    published = await publish(api, world, path, *items)
    accepted(await set_state(api, world, path, "enabled"))

    shown = (await api.as_(world.inspector).get(path)).json()

    assert (shown["state"], shown["current_version_number"], shown["shown_version"]) == ("enabled", 1, 1)
    assert (shown["lead_department"], shown["participant_names"]) == ("南宁市市场监督管理局", ["南宁市应急管理局"])
    assert [(item["place"], item["code"], item["department_code"]) for item in shown["items"]] == [
        (1, "001", None),
        (2, "002", "YJ01"),
    ]
    assert shown["items"][0]["legal_basis"] == [
        {"law": "中华人民共和国食品安全法实施条例", "article": "第二十八条", "verified": False}
    ]
    (version,) = shown["versions"]
    assert version["digest"] == published["digest"]
    assert (version["is_current"], version["published_by"]) == (True, world.manager.name)


async def test_a_published_version_never_changes(api: Api, world: World) -> None:
    path = await create(api, world)
    await publish(api, world, path)
    for method, where, body in (
        ("PUT", "draft/items", {"items": [an_item(content="另一内容")]}),
        ("POST", "draft/import", a_csv(a_line("001"))),
        ("POST", "publish", None),
    ):
        async with nothing_happens(api):
            refused(await send(api, world.manager, method, f"{path}/{where}", body), 409, "no-checklist-draft")
    before = await rows(api, "checklist_item")

    accepted(await send(api, world.manager, "POST", f"{path}/versions"))
    async with nothing_happens(api):
        problem = await send(api, world.manager, "POST", f"{path}/versions")
    await publish(api, world, path, an_item(content="另一内容"), an_item("002"))

    assert refused(problem, 409, "checklist-draft-exists") == {"number": 2}
    assert [row for row in await rows(api, "checklist_item") if row["id"] == before[0]["id"]] == before
    first = (await api.as_(world.manager).get(path, version=1)).json()
    now = (await api.as_(world.manager).get(path)).json()
    assert [item["content"] for item in first["items"]] == ["每餐次食品成品按规定留样。"]
    assert (now["shown_version"], now["items"][0]["content"]) == (2, "另一内容")
    assert [(each["number"], each["is_current"]) for each in now["versions"]] == [(2, True), (1, False)]


async def test_a_new_version_begins_with_the_rows_of_the_current_one(api: Api, world: World) -> None:
    path = await create(api, world)
    published = await publish(api, world, path, an_item("001"), an_item("002"))

    begun = accepted(await send(api, world.manager, "POST", f"{path}/versions"))

    assert (begun["number"], begun["item_count"], begun["digest"]) == (2, 2, published["digest"])


async def test_a_draft_is_seen_by_the_departments_that_write_it_only(api: Api, world: World) -> None:
    path = await create(api, world, participants=[world.emergency.id])
    await publish(api, world, path)
    accepted(await send(api, world.manager, "POST", f"{path}/versions"))
    async with borrow(api.parts.pool) as connection:
        below = await make_department(
            connection, code="QX01", name="青秀区市场监督管理局", short_name="青秀市监", region_code=DISTRICT
        )
        district_manager = await make_account(connection, Role.DEPARTMENT_MANAGER, of=below)

    async def seen(who: Principal) -> list[int]:
        return [version["number"] for version in (await api.as_(who).get(path)).json()["versions"]]

    assert await seen(world.emergency_manager) == await seen(world.inspector) == [2, 1]
    assert await seen(district_manager) == [1]
    refused(await api.as_(district_manager).get(path, version=2), 404, "not-found", "version")


async def test_someone_from_elsewhere_sees_nothing(api: Api, world: World) -> None:
    path = await create(api, world)
    await publish(api, world, path)
    accepted(await send(api, world.manager, "POST", f"{path}/versions"))
    stranger = await foreign_manager(api)

    for who in (stranger, world.foreign_lead):
        assert (await api.as_(who).get(LISTS)).json() == {"items": [], "next_cursor": None}
        for what in ("", "/changes", "/preview", "/export.xlsx"):
            refused(await api.as_(who).get(path + what), 404, "not-found", "checklist_id")
    for method, what, body in (
        ("PUT", "", {"name": "另一名称", "business_type": "餐饮服务"}),
        ("POST", "/versions", None),
        ("PUT", "/draft/items", {"items": [an_item()]}),
        ("POST", "/draft/import", a_csv(a_line("001"))),
        ("POST", "/publish", None),
        ("POST", "/state", {"state": "enabled"}),
        ("DELETE", "", None),
    ):
        async with nothing_happens(api):
            refused(await send(api, stranger, method, path + what, body), 404, "not-found", "checklist_id")
            refused(await send(api, world.emergency_manager, method, path + what, body), 403, "forbidden")
            refused(await send(api, world.inspector, method, path + what, body), 403, "forbidden")
    refused(
        await send(api, stranger, "POST", LISTS, a_list(code="X", copy_of=path[-36:])), 404, "not-found", "checklist_id"
    )


async def test_good_rows_of_a_file_are_kept_and_every_fault_is_told(api: Api, world: World) -> None:
    path = await create(api, world)
    body = a_csv(
        a_line("001", 责任部门="南宁市应急管理局"),
        a_line("002", 严重程度="很重", 检查内容=""),
        a_line("003", 责任部门="没有的局"),
        a_line("004"),
    )
    key = str(uuid4())

    answer = accepted(await send(api, world.manager, "POST", f"{path}/draft/import", body, key=key))

    assert (answer["accepted"], answer["rejected"], answer["item_count"]) == (2, 2, 2)
    assert [(fault["line"], fault["field"]) for fault in answer["faults"]] == [
        (3, "严重程度"),
        (3, "检查内容"),
        (4, "责任部门"),
    ]
    shown = (await api.as_(world.manager).get(path)).json()
    assert [(item["code"], item["department_code"]) for item in shown["items"]] == [("001", "YJ01"), ("004", None)]
    again = await send(api, world.manager, "POST", f"{path}/draft/import", body, key=key)
    assert (accepted(again), again.headers["Idempotency-Replayed"]) == (answer, "true")


async def test_a_file_without_a_good_row_leaves_the_draft_alone(api: Api, world: World) -> None:
    path = await create(api, world)
    accepted(await send(api, world.manager, "PUT", f"{path}/draft/items", {"items": [an_item()]}))

    async with nothing_happens(api):
        bad = await send(api, world.manager, "POST", f"{path}/draft/import", a_csv(a_line("001", 严重程度="很重")))
        none = await send(api, world.manager, "POST", f"{path}/draft/import", b"PK\x03\x04 nothing")

    (fault,) = refused(bad, 422, "checklist-rows-unusable")["faults"]
    assert (fault["line"], fault["field"], fault["value"]) == (2, "严重程度", "很重")
    refused(none, 422, "checklist-file-unreadable")
    assert len((await api.as_(world.manager).get(path)).json()["items"]) == 1


async def test_a_file_may_be_larger_than_other_bodies_up_to_5_mb(api: Api, world: World) -> None:
    path = await create(api, world)
    lines = [a_line(f"{n:03d}", 检查指引="看" * 900) for n in range(500)]
    body = a_csv(*lines)
    assert len(body) > 256 * 1024

    answer = accepted(await send(api, world.manager, "POST", f"{path}/draft/import", body))
    assert answer["accepted"] == 500
    refused(
        await send(api, world.manager, "POST", f"{path}/draft/import", b"x" * (5 * 1024 * 1024 + 1)), 413, "too-large"
    )
    read = (await api.as_(world.manager).get(path)).json()["items"]
    back = accepted(await send(api, world.manager, "PUT", f"{path}/draft/items", {"items": read}))
    assert back["digest"] == answer["digest"]


async def test_an_export_comes_back_as_it_was(api: Api, world: World) -> None:
    path = await create(api, world)
    items = [
        an_item("001", guidance="=1+1\n第二行", grades=["A", "B", "C", "D"]),
        an_item("002", department_code="YJ01"),
    ]
    published = await publish(api, world, path, *items)

    exported = await api.as_(world.inspector).get(f"{path}/export.xlsx")
    accepted(await send(api, world.manager, "POST", f"{path}/versions"))
    back = accepted(await send(api, world.manager, "POST", f"{path}/draft/import", exported.content))

    assert exported.headers["content-type"] == XLSX
    assert "filename*=UTF-8''" in exported.headers["content-disposition"]
    assert (back["accepted"], back["faults"], back["unknown_columns"]) == (2, [], [])
    assert back["digest"] == published["digest"]


async def test_each_change_is_logged_and_traced(api: Api, world: World) -> None:
    path = await create(api, world)
    await publish(api, world, path)
    accepted(await set_state(api, world, path, "enabled"))
    accepted(await send(api, world.manager, "PUT", path, {"name": "新名称", "business_type": "餐饮服务"}))
    accepted(await set_state(api, world, path, "disabled"))

    log = (await api.as_(world.inspector).get(f"{path}/changes", limit=4)).json()
    rest = (await api.as_(world.inspector).get(f"{path}/changes", cursor=log["next_cursor"])).json()

    changes = log["items"] + rest["items"]
    kinds = ["created", "edited", "disabled", "enabled", "items_replaced", "published"]
    assert sorted(change["action"] for change in changes) == sorted(kinds)
    assert rest["next_cursor"] is None
    assert {(change["department"], change["operator_name"]) for change in changes} == {
        ("南宁市市场监督管理局", world.manager.name)
    }
    traced = [row for row in await rows(api, "trace") if row["subject"] == "checklist"]
    assert [row["action"].removeprefix("checklist.") for row in traced] == [
        "created",
        "content_replaced",
        "published",
        "state_changed",
        "edited",
        "state_changed",
    ]
    assert {(row["department_id"], row["region"]) for row in traced} == {(world.market.id, world.market.region)}
    edited = traced[4]
    assert msgspec.json.decode(edited["before"])["name"] == "餐饮服务检查单"
    assert msgspec.json.decode(edited["after"])["name"] == "新名称"


async def test_an_enabled_list_is_disabled_before_it_is_deleted_and_then_gone(api: Api, world: World) -> None:
    path = await create(api, world)
    async with nothing_happens(api):
        refused(await set_state(api, world, path, "enabled"), 409, "checklist-not-published")
        refused(await send(api, world.manager, "POST", f"{path}/publish"), 409, "checklist-empty")
    await publish(api, world, path)
    accepted(await set_state(api, world, path, "enabled"))
    async with nothing_happens(api):
        refused(await set_state(api, world, path, "enabled"), 409, "checklist-state-unchanged")
        refused(await set_state(api, world, path, "draft"), 422, "invalid-field", "state")
        refused(await send(api, world.manager, "DELETE", path), 409, "checklist-still-enabled")
    accepted(await set_state(api, world, path, "disabled"))

    accepted(await send(api, world.manager, "DELETE", path))

    refused(await api.as_(world.manager).get(path), 404, "not-found", "checklist_id")
    assert (await api.as_(world.manager).get(LISTS)).json()["items"] == []
    assert len(await rows(api, "checklist_item")) == 1
    refused(await send(api, world.manager, "POST", LISTS, a_list()), 409, "checklist-code-taken", "code")


async def test_lists_are_found_page_by_page(api: Api, world: World) -> None:
    for number in range(3):
        await create(api, world, code=f"CY-{number}", name=f"餐饮{number}号")
    other = await create(api, world, code="ML-1", name="加油站", business_type="成品油", is_default=True)
    await publish(api, world, other)
    accepted(await set_state(api, world, other, "enabled"))
    reader = api.as_(world.lead)

    async def found(**query: object) -> set[str]:
        return {line["code"] for line in (await reader.get(LISTS, **query)).json()["items"]}

    first = (await reader.get(LISTS, limit=3)).json()
    second = (await reader.get(LISTS, limit=3, cursor=first["next_cursor"])).json()
    assert {line["code"] for line in first["items"] + second["items"]} == {"CY-0", "CY-1", "CY-2", "ML-1"}
    assert (len(first["items"]), second["next_cursor"]) == (3, None)
    assert (
        await found(state="enabled")
        == await found(business_type="成品油")
        == await found(is_default="true")
        == {"ML-1"}
    )
    assert await found(name="餐饮", code="-1") == {"CY-1"}
    assert await found(name="%") == set()
    refused(await reader.get(LISTS, cursor="x"), 422, "invalid-field", "cursor")


async def test_a_list_is_copied_for_another_department(api: Api, world: World) -> None:
    path = await create(api, world)
    published = await publish(api, world, path)
    order = a_list(code="YJ-1", copy_of=path[-36:])

    made = accepted(await send(api, world.emergency_manager, "POST", LISTS, order))

    shown = (await api.as_(world.emergency_manager).get(f"{LISTS}/{made['id']}")).json()
    assert (shown["lead_department_id"], shown["state"]) == (str(world.emergency.id), "draft")
    assert len(shown["items"]) == 1
    again = accepted(await send(api, world.emergency_manager, "POST", f"{LISTS}/{made['id']}/publish"))
    assert again["digest"] == published["digest"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (a_list(scene_code="S99"), "scene_code"),
        (a_list(participants=[UUID(int=7)]), "participants"),
        (a_list(name=" "), "name"),
    ],
)
async def test_basic_fields_that_cannot_be_are_told(api: Api, world: World, body: dict[str, Any], field: str) -> None:
    async with nothing_happens(api):
        refused(await send(api, world.manager, "POST", LISTS, body), 422, "invalid-field", field)


async def test_rows_that_cannot_be_are_told(api: Api, world: World) -> None:
    path = await create(api, world)
    for item, field in (
        (an_item(department_code="没有"), "items[1].department_code"),
        (an_item("000"), "items[1].code"),
    ):
        async with nothing_happens(api):
            body = {"items": [an_item("000"), item]}
            refused(await send(api, world.manager, "PUT", f"{path}/draft/items", body), 422, "invalid-field", field)
    for body in ({"items": [an_item(grades=[])]}, {"items": [an_item(f"{n}") for n in range(501)]}):
        response = await send(api, world.manager, "PUT", f"{path}/draft/items", body)
        assert response.status_code == 422


async def test_the_preview_has_the_form_of_the_paper(api: Api, world: World) -> None:
    path = await create(api, world)
    await publish(api, world, path, an_item("1", area="甲"), an_item("2", area="甲"), an_item("3", area="乙"))

    preview = (await api.as_(world.inspector).get(f"{path}/preview")).json()

    assert preview["header"]["areas"] == ["甲", "乙"]
    assert (preview["header"]["title"], preview["header"]["uscc"]) == ("餐饮服务检查单", None)
    assert [(each["area"], [row["place"] for row in each["rows"]]) for each in preview["areas"]] == [
        ("甲", [1, 2]),
        ("乙", [3]),
    ]
    assert preview["areas"][0]["rows"][0]["legal_basis"] == ["《中华人民共和国食品安全法实施条例》第二十八条（待核）"]


async def test_the_list_that_comes_with_it_is_loaded_once_and_in_force_where_its_department_is(
    api: Api, world: World
) -> None:
    work, market = api.parts.work, world.market.id
    words = {"燃气管理": "YJ01"}

    made, *others = await work.run(INSTALLATION, lambda tx: load_builtin_checklists(tx, market, departments=words))
    assert len(others) == 2
    assert await work.run(INSTALLATION, lambda tx: load_builtin_checklists(tx, market)) == []

    shown = (await api.as_(world.inspector).get(f"{LISTS}/{made}")).json()
    assert (shown["state"], len(shown["items"])) == ("enabled", len(FOOD.items))
    assert {item["department_code"] for item in shown["items"]} == {None, "YJ01"}
    async with borrow(api.parts.pool) as connection:

        async def in_force(region: str, business_type: str = "餐饮服务") -> Any:
            return await store.ENABLED_CHECKLIST.first(
                connection, business_type=business_type, region=region, department_id=market
            )

        found = await in_force(world.site.region)
        assert (found.checklist_id, found.version_id) == (made, UUID(shown["current_version_id"]))
        items = await store.ITEMS_OF_VERSION.all(connection, version_id=found.version_id)
        assert digest_of(items) == found.digest
        assert await in_force(world.other_site.region) is None
        assert await in_force(world.site.region, "成品油") is None
