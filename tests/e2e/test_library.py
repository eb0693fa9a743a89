"""经营手册 and 检查单 as everybody reads them (MAN-08, MAN-09, PUB-01, PUB-02, PUB-06, PUB-07), and how views count."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.schemas.cursor import write_cursor
from api.settings import Settings
from api.view_counts import ViewCounts
from api.work import DatabaseAway
from domain.manual.builtin import builtin_manuals, load_builtin_manuals
from domain.manual.model import Chapter, requirements_of
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, api_client, refused, statements
from tests.support.clock import FixedClock
from tests.support.database import Database
from tests.support.factories import (
    INSTALLATION,
    World,
)
from tests.support.manuals import (
    A_BROWSER,
    DESK,
    LISTS,
    PUBLIC,
    a_requirement,
    a_tree,
    create,
    flush,
    keeps,
    load_builtin,
    page_path,
    public_path,
    publish,
    views,
)
from tests.support.relaying import open_relay, running
from tests.support.visits import nothing_changes

# Reading


async def test_the_page_has_a_directory_and_a_switch_of_trades(api: Api, world: World) -> None:
    first = await create(api, world.manager)
    await publish(api, world.manager, first, a_requirement("a", text="<script>alert(1)</script>"))
    other = await create(api, world.emergency_manager, business_type="危险化学品经营", name="危化手册")
    await publish(api, world.emergency_manager, other)

    response = await api.anyone.get(page_path(first), A_BROWSER)
    listed = await api.anyone.get("/manuals", A_BROWSER)

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for piece in ('href="#c2s1"', 'id="c2s1"', f'href="{page_path(other)}"', "风险提示", "（待核）"):
        assert piece in response.text
    assert "<script" not in response.text
    assert "&lt;script&gt;" in response.text
    assert "unsafe" not in response.headers["content-security-policy"]
    assert f'href="{page_path(first)}"' in listed.text
    assert f'href="{page_path(other)}"' not in (await api.anyone.get("/manuals", business_type="餐饮服务")).text


async def test_elders_read_the_same_in_large_type(api: Api, world: World) -> None:
    path = page_path(await create(api, world.manager))
    await publish(api, world.manager, path.replace("/manuals", DESK))
    usual, large = await api.anyone.get(path), await api.anyone.get(f"{path}/elder")

    assert large.headers["content-type"] == usual.headers["content-type"] == "text/html; charset=utf-8"
    assert ('class="elder"' in large.text, 'class="elder"' in usual.text) == (True, False)
    assert (f'href="{path}/elder"' in usual.text, f'href="{path}"' in large.text) == (True, True)
    assert "进货时查验票证（a）。" in large.text
    assert (await api.anyone.get(f"{path}/elder", {"If-None-Match": large.headers["etag"]})).status_code == 304
    await load_builtin(api, world)
    listed = (await api.anyone.get(LISTS)).json()["items"]
    assert 'class="elder"' in (await api.anyone.get(f"/checklists/{listed[0]['id']}/elder")).text


async def test_the_desk_sees_a_draft_as_citizens_will(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    accepted(await api.as_(world.manager).put(f"{path}/draft/elements", a_tree()))
    draft = await api.as_(world.manager).get(f"{path}/preview")
    accepted(await api.as_(world.manager).post(f"{path}/publish"))
    preview = await api.as_(world.manager).get(f"{path}/preview")

    assert "第1版未在发布状态" in draft.text
    assert preview.text == (await api.anyone.get(page_path(path), A_BROWSER)).text
    refused(await api.as_(world.inspector).get(f"{path}/preview"), 403, "forbidden")


async def test_a_second_read_asks_no_database_and_answers_304(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    await publish(api, world.manager, path)
    await keeps(api)
    for where in (public_path(path), page_path(path), PUBLIC, "/manuals", LISTS, "/checklists"):
        first = await api.anyone.get(where)
        async with statements(api) as sent:
            again = await api.anyone.get(where)
            known = await api.anyone.get(where, {"If-None-Match": f"W/{first.headers['etag']}"})
        assert sent == []
        assert (again.content, known.status_code, known.content) == (first.content, 304, b"")
    assert not any(text.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) for text in sent)


async def test_every_process_shows_each_change_within_a_second(
    api: Api, world: World, database: Database, keys_folder: Path, tmp_path: Path
) -> None:
    settings = Settings(var=tmp_path, keys=keys_folder, public_url="http://yima.test")
    async with (
        api_client(settings, database.dsn, FixedClock(api.clock.now)) as other,
        open_relay(database, api.parts) as relay,
        running(relay),
    ):
        processes = (api, other)
        for process in processes:
            await keeps(process)
        path = await create(api, world.manager)
        await publish(api, world.manager, path)
        await asyncio.sleep(0.3)

        async def told_everywhere(words: str, *, shown: bool = True) -> float:
            began = time.monotonic()
            for process in processes:
                while (words in (await process.anyone.get(page_path(path), A_BROWSER)).text) is not shown:
                    assert time.monotonic() - began < 1, words
                    await asyncio.sleep(0.01)
            return time.monotonic() - began

        await told_everywhere("进货时查验")
        accepted(await other.as_(world.manager).post(f"{path}/versions"))
        await publish(other, world.manager, path, a_requirement("a", text="新的要求。"))
        took = [await told_everywhere("新的要求。")]
        accepted(await api.as_(world.manager).post(f"{path}/disabling", {"reason": "内容有误"}))
        took.append(await told_everywhere("没有找到"))
        accepted(await api.as_(world.manager).post(f"{path}/publish"))
        took.append(await told_everywhere("新的要求。"))
        print(f"manual: told by both processes after {max(took) * 1000:.0f} ms at most")  # noqa: T201 - a measurement


@pytest.mark.parametrize(
    "query",
    [
        {"business_type": "\x00"},
        {"business_type": "业" * 61},
        {"cursor": write_cursor([2**40, "0" * 32])},
        {"cursor": write_cursor(["x"])},
        {"region": "45010"},
        {"limit": 0},
        {"limit": 10**30},
    ],
)
@pytest.mark.parametrize("where", [PUBLIC, LISTS, "/manuals", "/checklists"])
async def test_bad_questions_are_refused_and_never_a_defect(
    api: Api, world: World, where: str, query: dict[str, Any]
) -> None:
    response = await api.anyone.get(where, **query)
    is_page = not where.startswith("/api")
    expected = {200, 422} if is_page or where == LISTS else {422}
    assert response.status_code in expected, response.text
    assert world.enterprise.name not in response.text


async def test_region_leads_count_as_staff(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    await publish(api, world.manager, path)
    await api.as_(world.foreign_lead).get(public_path(path))
    await flush(api)
    assert await views(api, world.manager) == [{"total": 1, "public": 0, "staff": 1}]


async def test_a_sites_page_names_its_manual_within_a_second(api: Api, world: World, database: Database) -> None:
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE site SET business_types = '{餐饮服务}' WHERE id = $1", world.site.id)
    async with open_relay(database, api.parts) as relay, running(relay):
        await keeps(api)
        await asyncio.sleep(0.3)
        path = await create(api, world.manager)

        async def is_named(*, wanted: bool) -> None:
            began = time.monotonic()
            while (page_path(path) in (await api.anyone.get(f"/c/{world.code}", A_BROWSER)).text) is not wanted:
                assert time.monotonic() - began < 1
                await asyncio.sleep(0.01)

        await is_named(wanted=False)
        await publish(api, world.manager, path)
        await is_named(wanted=True)
        accepted(await api.as_(world.manager).post(f"{path}/disabling", {"reason": "内容有误"}))
        await is_named(wanted=False)


# Counting views (MAN-09)


async def test_views_are_counted_by_audience_without_a_write_per_view(api: Api, world: World) -> None:
    path = await create(api, world.manager)
    await publish(api, world.manager, path)
    await flush(api)
    async with nothing_changes(api):
        for _ in range(3):
            await api.anyone.get(page_path(path), A_BROWSER)
        await api.anyone.get(public_path(path))
        await api.as_(world.enterprise_user).get(public_path(path))
        await api.as_(world.inspector).get(public_path(path))
        await api.as_(world.inspector).get(path)
        await api.anyone.get(public_path(path)[:-4] + "0000")
    assert await views(api, world.manager) == [{"total": 0, "public": 0, "staff": 0}]

    assert await flush(api) == 7
    assert await flush(api) == 0
    assert await views(api, world.manager) == [{"total": 7, "public": 5, "staff": 2}]
    await api.anyone.get(public_path(path))
    await flush(api)
    assert await views(api, world.manager) == [{"total": 8, "public": 6, "staff": 2}]


async def test_views_wait_for_a_database_that_is_away(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await create(api, world.manager)
    await publish(api, world.manager, path)
    await flush(api)
    await api.anyone.get(public_path(path))

    def away(*_: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as broken:
        broken.setattr("api.view_counts.borrow", away)
        with pytest.raises(DatabaseAway):
            await flush(api)
    await api.anyone.get(public_path(path))

    assert await flush(api) == 2
    assert await views(api, world.manager) == [{"total": 2, "public": 2, "staff": 0}]


async def test_what_was_counted_is_written_at_shutdown(
    api: Api, world: World, database: Database, keys_folder: Path, tmp_path: Path
) -> None:
    path = await create(api, world.manager)
    await publish(api, world.manager, path)
    settings = Settings(var=tmp_path, keys=keys_folder, public_url="http://yima.test")
    async with api_client(settings, database.dsn, FixedClock(api.clock.now)) as other:
        for _ in range(4):
            await other.anyone.get(public_path(path))
    await flush(api)
    assert await views(api, world.manager) == [{"total": 4, "public": 4, "staff": 0}]


async def test_counting_costs_a_view_next_to_nothing(api: Api, world: World) -> None:
    paths: list[str] = []
    for number in range(20):
        paths.append(await create(api, world.manager, business_type=f"业态{number}"))
        await publish(api, world.manager, paths[-1])
    await keeps(api)
    for path in paths:
        await api.anyone.get(page_path(path), A_BROWSER)
    counts: ViewCounts = api.app.state.view_counts
    ids = [UUID(path.rpartition("/")[2]) for path in paths]
    began = time.perf_counter()
    for _ in range(5000):
        for manual_id in ids:
            counts.count(manual_id, None)
    counting = time.perf_counter() - began
    began = time.perf_counter()
    written = await flush(api)
    flushing = time.perf_counter() - began
    async with statements(api) as sent:
        began = time.perf_counter()
        for path in paths * 10:
            await api.anyone.get(page_path(path), A_BROWSER)
        reading = time.perf_counter() - began
    print(  # noqa: T201 - a measurement
        f"view: counted in {counting / 100_000 * 1e6:.2f} us, {written} views of 20 manuals written in "
        f"{flushing * 1000:.1f} ms by one statement; a page with its count {reading / 200 * 1000:.2f} ms, 0 statements"
    )
    assert (written, sent) == (100_020, [])


# Checklists for everybody (PUB-06, PUB-07)


async def test_anybody_reads_enabled_checklists_without_the_inspectors_notes(api: Api, world: World) -> None:
    await load_builtin(api, world)
    lines = (await api.anyone.get(LISTS)).json()["items"]
    (travel,) = (await api.anyone.get(LISTS, business_type="旅行社")).json()["items"]
    shown = (await api.anyone.get(f"{LISTS}/{travel['id']}")).json()
    page = (await api.anyone.get(f"/checklists/{travel['id']}", A_BROWSER)).text
    listed = (await api.anyone.get("/checklists", A_BROWSER)).text

    assert {each["code"] for each in lines} == {"CYFW-01", "WHJY-01", "LXS-01"}
    assert (travel["code"], travel["lead_department"], travel["version"]) == ("LXS-01", "南宁市市场监督管理局", 1)
    assert len(shown["items"]) == 32
    assert not {"guidance", "grades", "is_mandatory", "department_code"} & shown["items"][0].keys()
    assert "核对许可证正副本" not in page
    assert "业务经营许可证合法有效" in page
    assert "（待核）" in page
    assert f'href="/checklists/{travel["id"]}"' in listed

    path = f"/api/v1/checklists/{travel['id']}/state"
    accepted(await api.as_(world.manager).post(path, {"state": "disabled"}))
    api.forget()
    refused(await api.anyone.get(f"{LISTS}/{travel['id']}"), 404, "not-found")
    assert (await api.anyone.get(f"/checklists/{travel['id']}", A_BROWSER)).status_code == 404
    assert len((await api.anyone.get(LISTS)).json()["items"]) == 2


async def test_a_checklist_that_is_disabled_leaves_each_process_within_a_second(
    api: Api, world: World, database: Database
) -> None:
    async with open_relay(database, api.parts) as relay, running(relay):
        await load_builtin(api, world)
        await keeps(api)
        await asyncio.sleep(0.3)
        (travel,) = (await api.anyone.get(LISTS, business_type="旅行社")).json()["items"]
        where = f"{LISTS}/{travel['id']}"
        assert (await api.anyone.get(where)).status_code == 200
        assert len((await api.anyone.get(LISTS)).json()["items"]) == 3
        path = f"/api/v1/checklists/{travel['id']}/state"
        accepted(await api.as_(world.manager).post(path, {"state": "disabled"}))
        began = time.monotonic()
        while (await api.anyone.get(where)).status_code == 200:
            assert time.monotonic() - began < 1
            await asyncio.sleep(0.01)
        assert len((await api.anyone.get(LISTS)).json()["items"]) == 2


async def test_the_builtin_manuals_are_loaded_once_and_read_whole(api: Api, world: World) -> None:
    await load_builtin(api, world)
    again = await api.parts.work.run(INSTALLATION, lambda tx: load_builtin_manuals(tx, world.market.id))
    lines = (await api.anyone.get(PUBLIC)).json()["items"]

    assert again == []
    assert [each["name"] for each in lines] == ["餐饮服务经营手册", "危险化学品经营手册", "旅行社经营手册"]
    for line, made in zip(lines, builtin_manuals(), strict=True):
        response = await api.anyone.get(f"{PUBLIC}/{line['id']}")
        page = await api.anyone.get(f"/manuals/{line['id']}", A_BROWSER)
        shown = [each for chapter in response.json()["chapters"] for each in _requirements(chapter)]
        assert [each["text"] for each in shown] == [each.text for each in requirements_of(made.chapters)]
        assert page.text.count("风险提示</span>") == len(shown)


def _requirements(chapter: dict[str, Any]) -> list[dict[str, Any]]:
    assert chapter.keys() == set(Chapter.__struct_fields__)
    return chapter["requirements"] + [each for section in chapter["sections"] for each in section["requirements"]]
