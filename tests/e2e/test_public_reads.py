"""Public reads over HTTP: they write nothing, HEAD answers as GET, pages stay small, large type needs no script."""

from __future__ import annotations

import asyncio
import gzip
import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
from litestar.routes import HTTPRoute

from api.auth import permitted
from api.live import Feed
from api.settings import Settings
from domain.manual.builtin import load_builtin_manuals
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, api_client, statements
from tests.support.clock import FixedClock
from tests.support.database import Database
from tests.support.factories import INSTALLATION, World, make_licence
from tests.support.inspecting import prepare_list
from tests.support.linked_pages import links
from tests.support.publishing import complete
from tests.support.relaying import open_relay, running

A_BROWSER = {"Accept": "text/html"}


async def enrich(api: Api, world: World) -> None:
    """The richest site that there may be: long words everywhere, more results and licences than are shown."""
    await prepare_list(api.parts, world)
    await api.parts.work.run(INSTALLATION, lambda tx: load_builtin_manuals(tx, world.market.id))
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "UPDATE enterprise SET business_scope = $1, registered_capital = 1000, capital_currency = '人民币', "
            "industry_type = '餐饮业', domicile = '南宁市青秀区民族大道1号' WHERE id = $2",
            "餐饮服务；食品销售；" * 60,
            world.enterprise.id,
        )
        await connection.execute(
            "UPDATE site SET business_types = '{餐饮服务,危险化学品经营,旅行社}' WHERE id = $1", world.site.id
        )
        for number in range(20):
            await make_licence(connection, world.enterprise, name=f"第{number}号许可证", valid_to=date(2025, 1, 1))
    for number in range(9):
        publication = await complete(api, world, await world.dispatch(), days=0)
        reply = {"text": f"第{number}次已经全部整改，欢迎监督。" * 25}
        accepted(await api.as_(world.enterprise_user).post(f"/api/v1/publications/{publication}/replies", reply))


def places(world: World, publication: object, checklist: object) -> list[str]:
    """Every address that anybody may read, with one that is not there now and then."""
    nobody = uuid4()
    return [
        "/",
        f"/c/{world.code}",
        f"/c/{world.code}/elder",
        f"/c/{world.code[:-1]}/elder",
        f"/api/v1/codes/{world.code}",
        f"/e/{world.enterprise.uscc}",
        "/e/91450100NOBODY0000",
        f"/api/v1/public/enterprises/{world.enterprise.uscc}",
        "/search",
        "/search?q=老友",
        "/api/v1/public/search?q=老友",
        "/open-data",
        "/api/v1/public/results",
        "/api/v1/public/results?format=csv",
        "/api/v1/public/results/dumps",
        "/api/v1/public/results/dump",
        "/exposures",
        f"/exposures/{nobody}",
        "/api/v1/public/exposures",
        "/manuals",
        "/checklists",
        f"/checklists/{checklist}",
        "/api/v1/public/manuals",
        "/api/v1/public/checklists",
        f"/api/v1/public/checklists/{checklist}",
        f"/feedback/new?checklist={checklist}",
        "/feedback/follow-up",
        f"/c/{world.code}/complaint",
        f"/c/{world.code}/tip-off",
        f"/api/v1/public/results?uscc={world.enterprise.uscc}&kind={'routine' if publication else ''}",
        f"/s/{world.site.id}/complaint",
        f"/s/{world.site.id}/tip-off",
        "/complaints/follow-up",
        "/subscriptions/new",
        f"/subscriptions/new?uscc={world.enterprise.uscc}",
        f"/subscriptions/new?site={world.site.id}&q=老友",
        "/subscriptions/own",
        "/api/v1/public/subscriptions",
        "/api/v1/public/challenges",
        "/health/live",
        "/health/ready",
        f"/v/{world.code}",
        f"/b/{world.code}",
        f"/checklists/{checklist}/elder",
        *(f"{of}/{nobody}{more}" for of in ("/manuals",) for more in ("", "/elder", "/file")),
        *(f"/api/v1/public/{of}/{nobody}" for of in ("exposures", "manuals")),
    ]


NO_READS = {"/api/v1/message-receipts/kannel"}
"""Kannel can only GET: its report is a write, which the MAC in its address lets in."""


def unvisited(api: Api, visited: list[str]) -> set[str]:
    """Public GET routes of the application that none of the addresses leads to."""
    left: set[str] = set()
    for route in api.app.routes:
        if not isinstance(route, HTTPRoute) or route.path in NO_READS:
            continue
        is_public = any("GET" in each.http_methods and permitted(each.opt) is None for each in route.route_handlers)
        pattern = re.compile(re.sub(r"\{\w+:\w+\}", "[^/]+", route.path) + r"(\?.*)?", re.IGNORECASE)
        if is_public and not any(pattern.fullmatch(each) for each in visited):
            left.add(route.path)
    return left


# Nothing is written


async def test_no_public_read_writes_anything(api: Api, world: World, database: Database) -> None:
    linked = await links(api, world)
    publication = await complete(api, world, await world.dispatch(), days=0)
    async with borrow(api.parts.pool) as connection:
        checklist = await connection.fetchval("SELECT id FROM checklist")  # type: ignore[attr-defined]
    visited = places(world, publication, checklist) + linked
    assert unvisited(api, visited) == set()
    for place in visited:  # what is prepared once, is
        await api.http.get(place, headers=A_BROWSER)
    observer = await asyncpg.connect(database.dsn)
    try:
        before = await _every_row(observer)
        for _ in range(2):
            for place in visited:
                response = await api.http.get(place, headers=A_BROWSER)
                assert response.status_code < 500, place
                api.app.state.page_cache.evict_all()
        assert await _every_row(observer) == before
    finally:
        await observer.close()


async def _every_row(observer: asyncpg.Connection) -> dict[str, list[tuple[str, ...]]]:
    """Where each row of each table stands, and which transaction wrote it: whatever is put in, changed or taken away
    shows. The number of the next transaction does not do: the database's own upkeep takes one too.
    """
    names = [row[0] for row in await observer.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {
        name: [tuple(row) for row in await observer.fetch(f'SELECT ctid::text, xmin::text FROM "{name}"')]  # noqa: S608 - our own tables
        for name in names
    }


# HEAD


async def test_head_answers_as_get_does_without_the_body(api: Api, world: World) -> None:
    for place in (
        f"/c/{world.code}",
        f"/C/{world.code}/elder",
        f"/c/{world.code[:-1]}X",
        f"/api/v1/codes/{world.code}",
        f"/e/{world.enterprise.uscc}",
        "/search?q=老友",
        "/open-data",
        "/api/v1/public/results",
        "/exposures",
        "/manuals",
    ):
        get = await api.http.get(place, headers=A_BROWSER)
        head = await api.http.head(place, headers=A_BROWSER)
        assert (head.status_code, head.content) == (get.status_code, b""), place
        assert dict(head.headers) == dict(get.headers), place
    assert (await api.http.head("/c/" + world.code)).headers["content-length"] != "0"
    known = {"If-None-Match": (await api.http.get(f"/c/{world.code}")).headers["etag"]}
    assert (await api.http.head(f"/c/{world.code}", headers=known)).status_code == 304
    assert (await api.http.post(f"/c/{world.code}")).status_code == 405


# The page


async def test_the_richest_page_is_at_most_fifteen_kilobytes(api: Api, world: World) -> None:
    await enrich(api, world)
    for place in (f"/c/{world.code}", f"/c/{world.code}/elder"):
        response = await api.anyone.get(place, A_BROWSER)
        assert "仅列最近 8 次" in response.text
        assert len(gzip.compress(response.content, 6)) <= 15 * 1024
        # Nothing more is fetched: no picture, script, font or sheet.
        assert not re.search(r"<(img|script|link rel=.stylesheet|iframe)", response.text)


async def test_the_page_tells_what_a_citizen_may_know_and_do(api: Api, world: World) -> None:
    await enrich(api, world)
    text = (await api.anyone.get(f"/c/{world.code}", A_BROWSER)).text
    for link in ("complaint", "tip-off", "elder"):
        assert f'href="/c/{world.code}/{link}"' in text
    for words in ("合规经营手册", "已办结的投诉", "没有已办结的投诉", "企业回应", "0771-12345"):
        assert words in text
    manuals = re.findall(r'href="(/manuals/[0-9a-f-]+)"', text)
    assert manuals
    for each in manuals:
        assert (await api.anyone.get(each, A_BROWSER)).status_code == 200


async def test_shared_it_reads_well_in_a_chat(api: Api, world: World) -> None:
    text = (await api.anyone.get(f"/c/{world.code.lower()}", A_BROWSER)).text
    address = f"http://yima.test/c/{world.code}"
    assert f'<link rel="canonical" href="{address}">' in text
    assert f'<meta property="og:url" content="{address}">' in text
    assert f"<title>{world.enterprise.name}：检查结果与许可证照 · 一码</title>" in text
    assert f'<meta property="og:title" content="{world.enterprise.name}：检查结果与许可证照">' in text
    assert 'content="没有公示中的检查结果；许可证照2项；监督电话0771-12345"' in text
    assert f"网址：{address}" in text  # shown on paper only


async def test_large_type_is_a_page_of_its_own_that_is_kept_likewise(api: Api, world: World) -> None:
    feed: Feed = api.app.state.feed
    while not feed.is_current:
        await asyncio.sleep(0.01)
    plain = await api.anyone.get(f"/c/{world.code}", A_BROWSER)
    first = await api.anyone.get(f"/c/{world.code}/elder", {"Accept": "application/json"})
    async with statements(api) as sent:
        again = await api.anyone.get(f"/C/{world.code.lower()}/elder", A_BROWSER)
    assert sent == []
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert plain.headers["etag"] != first.headers["etag"]
    assert '<html lang="zh-CN" class="elder">' in first.text
    assert 'class="elder"' not in plain.text
    assert f'href="/c/{world.code}">标准版' in first.text
    # 125 % of 16 px is 20 px; the smallest words are 0.9 of that. Places to tap are 60 px high.
    assert ".elder{font-size:125%}" in first.text
    assert re.search(r"\.elder \.call[^}]*min-height:60px", first.text)
    assert (await api.anyone.get("/c/NOTACODE/elder", A_BROWSER)).status_code == 404


async def test_the_enterprises_page_lists_its_sites_and_no_code(api: Api, world: World) -> None:
    await enrich(api, world)
    response = await api.anyone.get(f"/e/{world.enterprise.uscc.lower()}", A_BROWSER)
    assert response.status_code == 200
    for words in ("总店", "分店", "发现问题已责令改正", world.enterprise.uscc):
        assert words in response.text
    for code in (world.code, world.second_code):
        assert code not in response.text.upper()
    assert len(gzip.compress(response.content, 6)) <= 15 * 1024
    missing = await api.anyone.get("/e/91450100NOBODY0000", A_BROWSER)
    assert (missing.status_code, "没有查到该企业" in missing.text) == (404, True)


# Within a second, on every process


@asynccontextmanager
async def second_process(api: Api, database: Database, keys_folder: Path, var: Path) -> AsyncGenerator[Api]:
    """Another server over the same database, with a cache of its own."""
    settings = Settings(var=var, keys=keys_folder, public_url="http://yima.test")
    async with api_client(settings, database.dsn, FixedClock(api.clock.now)) as other:
        yield other


async def test_a_manual_that_is_disabled_leaves_every_kept_page_within_a_second(
    api: Api, world: World, database: Database, keys_folder: Path, tmp_path: Path
) -> None:
    await enrich(api, world)
    async with (
        second_process(api, database, keys_folder, tmp_path) as other,
        open_relay(database, api.parts) as relay,
        running(relay),
    ):
        place = f"/c/{world.code}/elder"
        for process in (api, other):
            feed: Feed = process.app.state.feed
            while not feed.is_current:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)  # what the world's making left in the trace is placed by now
        for process in (api, other):
            assert "合规经营手册</h2>" in (await process.anyone.get(place, A_BROWSER)).text
        async with borrow(api.parts.pool) as connection:
            manuals = await connection.fetch("SELECT id FROM manual")
        for row in manuals:
            path = f"/api/v1/manuals/{row['id']}/disabling"
            response = await api.as_(world.manager).post(path, {"reason": "内容过期"})
            assert response.status_code == 201, response.text
        disabled_at = time.monotonic()
        for process in (api, other):
            while "合规经营手册</h2>" in (await process.anyone.get(place, A_BROWSER)).text:
                assert time.monotonic() - disabled_at < 1
                await asyncio.sleep(0.02)


async def test_a_page_of_yesterday_is_not_shown_today(api: Api, world: World) -> None:
    publication = await complete(api, world, days=0)
    assert "发现问题已责令改正" in (await api.anyone.get(f"/c/{world.code}", A_BROWSER)).text
    api.clock.now += timedelta(days=4 * 366)
    assert "没有公示中的检查结果" in (await api.anyone.get(f"/c/{world.code}", A_BROWSER)).text
    assert (await api.anyone.get("/api/v1/public/results")).json()["items"] == []
    assert (await api.anyone.get("/api/v1/public/search", q="老友", kind="result")).json()["items"] == []
    assert publication
