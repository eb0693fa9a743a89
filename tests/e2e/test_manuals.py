"""经营手册 at the desk, over HTTP (MAN-01 to MAN-07): drafts, versions, files, and who may do what."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from PIL import Image

from domain.enterprise.tables import site
from domain.identity.model import Principal, Role
from domain.manual import store
from domain.manual.model import ManualOfSite
from domain.shared.sql import Query, borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import (
    DISTRICT,
    OTHER_CITY,
    World,
    make_account,
    make_department,
)
from tests.support.manuals import (
    A_BROWSER,
    DESK,
    PUBLIC,
    a_requirement,
    a_tree,
    create,
    page_path,
    public_path,
    publish,
)
from tests.support.visits import nothing_changes, rows

MANUALS_AT_A_DOOR = Query(
    sa.select(store.MANUALS_OF_SITE.label("manuals")).where(site.c.id == sa.bindparam("id")), ManualOfSite
)

# The desk


async def test_a_manual_is_written_published_and_read_by_anybody(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    refused(await api.anyone.get(public_path(path)), 404, "not-found")
    published = await publish(api, world.lead, path)

    (line,) = (await api.anyone.get(PUBLIC)).json()["items"]
    shown = (await api.anyone.get(public_path(path))).json()

    assert (line["name"], line["business_type"], line["department"]) == (
        "餐饮服务经营手册",
        "餐饮服务",
        "南宁市市场监督管理局",
    )
    assert (shown["version"], shown["has_file"], shown["object_scope"]) == (1, False, "餐饮店")
    assert shown["chapters"][0]["requirements"][0]["hint"] == "没有票证会被罚款（a）。"
    assert shown["chapters"][1]["sections"][0]["requirements"][0]["legal_basis"][0]["verified"] is False
    assert published["requirement_count"] == 2
    (version,) = (await api.as_(world.inspector).get(path)).json()["versions"]
    assert (version["digest"], version["is_current"]) == (published["digest"], True)


async def test_a_requirement_without_its_hint_is_not_published(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    refused(await api.as_(world.manager).post(f"{path}/publish"), 409, "manual-empty")
    accepted(await api.as_(world.manager).put(f"{path}/draft/elements", a_tree(a_requirement("a", hint=None))))
    async with nothing_changes(api):
        facts = refused(await api.as_(world.manager).post(f"{path}/publish"), 409, "risk-hint-missing")
    assert facts == {"count": 1, "codes": ["a"]}


async def test_a_published_version_never_changes(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    await publish(api, world.manager, path)
    desk = api.as_(world.manager)
    async with nothing_changes(api):
        refused(await desk.put(f"{path}/draft/elements", a_tree()), 409, "no-manual-draft")
        refused(await desk.post(f"{path}/publish"), 409, "no-manual-draft")
    before = await rows(api, "manual_element")

    begun = accepted(await desk.post(f"{path}/versions"))
    refused(await desk.post(f"{path}/versions"), 409, "manual-draft-exists")
    await publish(api, world.manager, path, a_requirement("a", text="改了。"))

    assert (begun["number"], begun["requirement_count"]) == (2, 2)
    kept = [row for row in await rows(api, "manual_element") if row["version_id"] == before[0]["version_id"]]
    assert sorted(kept, key=lambda row: row["place"]) == sorted(before, key=lambda row: row["place"])
    old = (await desk.get(path, version=1)).json()
    assert old["chapters"][0]["requirements"][0]["text"] == "进货时查验票证（a）。"
    assert (await desk.get(path)).json()["shown_version"] == 2


async def test_two_versions_are_compared_word_by_word(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    await publish(api, world.manager, path, a_requirement("a"), a_requirement("b"))
    accepted(await api.as_(world.manager).post(f"{path}/versions"))
    changed = a_requirement("a", text="进货时查验、留存票证（a）。")
    await publish(api, world.manager, path, changed, a_requirement("c"))

    told = (await api.as_(world.inspector).get(f"{path}/comparison", before=1, after=2)).json()

    assert [each["code"] for each in told["added"]] == ["c"]
    assert [each["code"] for each in told["removed"]] == ["b"]
    (change,) = told["changed"]
    assert [(part["kind"], part["text"]) for part in change["fields"][0]["parts"]] == [
        ("same", "进货时查验"),
        ("added", "、留存"),
        ("same", "票证（a）。"),
    ]
    refused(await api.as_(world.inspector).get(f"{path}/comparison", before=1, after=9), 404, "not-found", "after")


async def test_a_disabled_manual_is_gone_and_comes_back(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    refused(await api.as_(world.manager).post(f"{path}/disabling", {"reason": "尚未发布"}), 409, "manual-not-in-force")
    await publish(api, world.manager, path)
    refused(await api.as_(world.manager).post(f"{path}/disabling", {"reason": " "}), 422, "reason-missing", "reason")
    accepted(await api.as_(world.manager).post(f"{path}/disabling", {"reason": "内容有误"}))
    api.forget()

    refused(await api.anyone.get(public_path(path)), 404, "not-found")
    gone = await api.anyone.get(page_path(path), A_BROWSER)
    assert (gone.status_code, "没有找到" in gone.text) == (404, True)
    assert (await api.anyone.get(PUBLIC)).json()["items"] == []
    assert (await api.as_(world.inspector).get(path)).json()["state"] == "disabled"

    again = accepted(await api.as_(world.lead).post(f"{path}/publish"))
    api.forget()
    assert again["number"] == 1
    assert (await api.anyone.get(public_path(path))).status_code == 200


async def test_one_department_has_one_manual_of_a_trade(api: Api, world: World) -> None:
    await create(api, world.manager)
    response = await api.as_(world.lead).post(DESK, {"name": "另一册", "business_type": "餐饮服务"})
    refused(response, 409, "manual-exists", "business_type")
    await create(api, world.emergency_manager)


async def test_basics_are_edited_and_order_the_list(api: Api, world: World) -> None:
    first = await create(api, world.manager, place=5)
    second = await create(api, world.manager, business_type="旅行社", name="旅行社经营手册", place=7)
    accepted(await api.as_(world.manager).put(first, {"name": "餐饮手册", "place": 9}))

    shown = (await api.as_(world.manager).get(DESK)).json()["items"]
    by_name = (await api.as_(world.manager).get(DESK, name="餐饮")).json()["items"]
    drafts = (await api.as_(world.manager).get(DESK, state="published")).json()["items"]

    assert [(each["name"], each["place"], each["object_scope"]) for each in shown] == [
        ("旅行社经营手册", 7, "餐饮店"),
        ("餐饮手册", 9, None),
    ]
    assert [each["name"] for each in by_name] == ["餐饮手册"]
    assert drafts == []
    assert second.endswith(shown[0]["id"])


async def test_lists_go_on_where_they_ended(api: Api, world: World) -> None:
    for number in range(5):
        api.clock.now += timedelta(seconds=1)
        path = await create(api, world.manager, business_type=f"业态{number}", place=number % 2)
        await publish(api, world.manager, path)
    for where, who in ((DESK, api.as_(world.inspector)), (PUBLIC, api.anyone)):
        seen: list[str] = []
        cursor: str | None = None
        for _ in range(3):
            part = (await who.get(where, cursor=cursor, limit=2)).json()
            seen += [each["business_type"] for each in part["items"]]
            cursor = part["next_cursor"]
        assert cursor is None
        assert seen == ["业态0", "业态2", "业态4", "业态1", "业态3"]
    refused(await api.anyone.get(PUBLIC, cursor="!"), 422, "invalid-field", "cursor")
    refused(await api.anyone.get(PUBLIC, region="990000"), 422, "invalid-field", "region")
    assert len((await api.anyone.get(PUBLIC, region=DISTRICT)).json()["items"]) == 5
    assert (await api.anyone.get(PUBLIC, region=OTHER_CITY)).json()["items"] == []


async def test_a_draft_is_its_departments_alone(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    async with borrow(api.parts.pool) as connection:
        there = await make_department(
            connection, code="LZ01", name="柳州市市场监督管理局", short_name="柳州市监", region_code=OTHER_CITY
        )
        foreign = await make_account(connection, Role.DEPARTMENT_MANAGER, of=there)
    for who in (world.emergency_manager, world.emergency_inspector, foreign):
        refused(await api.as_(who).get(path), 404, "not-found", "manual_id")
        assert (await api.as_(who).get(DESK)).json()["items"] == []
    await publish(api, world.manager, path)
    accepted(await api.as_(world.manager).post(f"{path}/versions"))

    seen = (await api.as_(world.emergency_manager).get(path)).json()["versions"]
    refused(await api.as_(world.emergency_manager).get(path, version=2), 404, "not-found", "version")
    refused(await api.as_(foreign).get(path), 404, "not-found", "manual_id")

    assert [each["number"] for each in seen] == [1]


async def test_only_its_own_desk_changes_a_manual(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    await publish(api, world.manager, path)
    async with nothing_changes(api):
        for method, where, body in (
            ("put", path, {"name": "改名"}),
            ("post", f"{path}/versions", None),
            ("put", f"{path}/draft/elements", a_tree()),
            ("put", f"{path}/draft/file", {"digest": None}),
            ("post", f"{path}/publish", None),
            ("post", f"{path}/disabling", {"reason": "某因"}),
        ):
            response = await getattr(api.as_(world.emergency_manager), method)(where, body)
            refused(response, 403, "forbidden")
        refused(await api.as_(world.foreign_lead).post(f"{path}/publish"), 403, "forbidden")


async def test_bad_elements_are_refused_where_they_stand(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    desk = api.as_(world.manager)
    async with nothing_changes(api):
        twice = await desk.put(f"{path}/draft/elements", a_tree(a_requirement("a"), a_requirement("a")))
        blank = await desk.put(f"{path}/draft/elements", a_tree(a_requirement("a", text=" \n")))
        nul = await desk.put(f"{path}/draft/elements", a_tree(a_requirement("a", text="有\u0000字")))
        deep = await desk.put(f"{path}/draft/elements", {"chapters": [{"code": "x", "title": "y", "sections": 5}]})
    refused(twice, 422, "invalid-field", "chapters[0].requirements[1].code")
    refused(blank, 422, "invalid-field", "chapters[0].requirements[0].text")
    refused(nul, 422, "invalid-field", "chapters[0].requirements[0].text")
    assert deep.status_code == 422


async def test_each_act_is_in_the_trace(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    await publish(api, world.manager, path)
    accepted(await api.as_(world.manager).post(f"{path}/disabling", {"reason": "内容有误"}))
    told = [row for row in await rows(api, "trace") if row["subject"] == "manual"]
    assert [row["action"] for row in told] == [
        "manual.created",
        "manual.content_replaced",
        "manual.published",
        "manual.disabled",
    ]
    assert {row["department_id"] for row in told} == {world.market.id}
    assert json.loads(told[-1]["after"]) == {"state": "disabled", "reason": "内容有误"}


# A file (X14)


async def hand_in(api: Api, who: Principal, picture: bytes) -> str:
    """附件上传; gives the digest."""
    digest = hashlib.sha256(picture).hexdigest()
    headers = {**api.as_(who).bearer(), "Content-Type": "image/png"}
    response = await api.http.put(f"/api/v1/attachments/{digest}", content=picture, headers=headers)
    assert response.status_code in {200, 201}, response.text
    return digest


def a_picture(folder: Path, colour: str) -> bytes:
    """A small PNG."""
    Image.new("RGB", (40, 40), colour).save(folder / "page.png")
    return (folder / "page.png").read_bytes()


async def test_a_file_belongs_to_a_version_and_is_read_when_it_is_in_force(
    api: Api, world: World, tmp_path: Path
) -> None:
    path = await create(api, world.manager)
    desk = api.as_(world.manager)
    unknown = {"digest": "ab" * 32}
    refused(await desk.put(f"{path}/draft/file", unknown), 409, "attachment-missing", "digest")
    first = await hand_in(api, world.manager, a_picture(tmp_path, "red"))
    accepted(await desk.put(f"{path}/draft/file", {"digest": first}))
    second = await hand_in(api, world.manager, a_picture(tmp_path, "blue"))
    set_again = accepted(await desk.put(f"{path}/draft/file", {"digest": second}))
    refused(await api.anyone.get(f"{page_path(path)}/file"), 404, "not-found")

    await publish(api, world.manager, path)
    public = await api.anyone.get(f"{page_path(path)}/file")
    own = await api.as_(world.inspector).get(f"{path}/file", version=1)
    accepted(await desk.post(f"{path}/versions"))
    bare = await desk.get(f"{path}/file", version=2)

    assert set_again["file_digest"] == second
    assert (public.status_code, public.headers["content-type"]) == (200, "image/jpeg")
    assert public.headers["cache-control"] == "no-cache"
    assert own.content == public.content
    refused(bare, 404, "not-found")
    assert "下载手册文件" in (await api.anyone.get(page_path(path), A_BROWSER)).text


# The package of the day


async def test_the_package_names_the_manuals_of_the_sites_trades(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    await publish(api, world.manager, path)
    other = await create(api, world.manager, business_type="旅行社", name="旅行社手册")
    await publish(api, world.manager, other)
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE site SET business_types = '{餐饮服务}' WHERE id = $1", world.site.id)

    async def packed() -> tuple[list[str], str]:
        package = (await api.as_(world.inspector).get("/api/v1/packages/today")).json()
        (entry,) = [each for each in package["entries"] if each["id"] == str(world.inspection)]
        return entry["inspection"]["manuals"], entry["version"]

    named, version = await packed()
    accepted(await api.as_(world.manager).post(f"{path}/disabling", {"reason": "内容有误"}))
    api.clock.now += timedelta(minutes=1)

    assert named == [path.rpartition("/")[2]]
    assert (await packed())[0] == []
    assert (await packed())[1] != version


# Plans


async def test_lists_are_read_by_their_indexes(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "INSERT INTO manual (id, name, business_type, department_id, place, state, created_at, updated_at) "
            "SELECT gen_random_uuid(), '手册' || n, '业态' || n, $1, n % 100, 'draft', now(), now() "
            "FROM generate_series(1, 20000) n",
            world.market.id,
        )
        await connection.execute(
            "INSERT INTO manual_version (id, manual_id, number, created_at, created_by, digest, published_at, "
            "published_by) SELECT gen_random_uuid(), id, 1, now(), '安装', '\\x00', now(), '安装' FROM manual"
        )
        await connection.execute(
            "UPDATE manual SET state = 'published', current_version_id = v.id FROM manual_version v "
            "WHERE v.manual_id = manual.id"
        )
        await connection.execute("ANALYZE manual, manual_version, department, site, manual_view")

        async def plan(query: Query[Any], **given: object) -> str:
            arguments = query.arguments(given)
            lines = await connection.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {query.text}", *arguments)
            return "\n".join(line[0] for line in lines)

        start = {"after_place": 50, "after_id": UUID(int=0), "limit": 21}
        desk = await plan(
            store.LIST_MANUALS,
            region=world.market.region,
            department_id=world.market.id,
            state=None,
            name=None,
            business_type=None,
            **start,
        )
        public = await plan(store.LIST_PUBLISHED, business_type=None, region=None, **start)
        of_site = await plan(MANUALS_AT_A_DOOR, id=world.site.id)

    assert "Index Scan using ix_manual_place" in desk, desk
    assert "Index Scan using ix_manual_published" in public, public
    assert "uq_manual_of_business" in of_site, of_site
    for each in (desk, public, of_site):
        assert "Seq Scan on manual " not in each, each
