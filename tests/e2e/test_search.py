"""搜索 over HTTP (PUB-03): what is found, how it is marked, and that it is in step with every act."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import Any

import asyncpg
import pytest

from domain.search.store import ENTRIES_NEAR, ENTRIES_WITH
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.database import Database
from tests.support.factories import DISTRICT, OTHER_CITY, World, make_enterprise, make_site
from tests.support.inspecting import prepare_list
from tests.support.publishing import complete

SEARCH = "/api/v1/public/search"


async def found(api: Api, q: str, **filters: object) -> list[dict[str, Any]]:
    """What is found for `q`."""
    response = await api.anyone.get(SEARCH, q=q, **filters)
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def titles(api: Api, q: str, **filters: object) -> list[str]:
    """Only the titles."""
    return [each["title"] for each in await found(api, q, **filters)]


# What is found


@pytest.mark.parametrize("q", ["老友", "老友餐饮", "南宁市老友餐饮有限公司", "老友 公司", "老 友", "民族大道"])
async def test_an_enterprise_is_found_by_words_of_its_name_or_address(api: Api, world: World, q: str) -> None:
    assert world.enterprise.name in await titles(api, q, kind="enterprise")


async def test_two_characters_are_enough_and_one_finds_titles(api: Api, world: World) -> None:
    assert await titles(api, "螺香") == [world.other_enterprise.name]
    assert await titles(api, "螺") == [world.other_enterprise.name]


@pytest.mark.parametrize("q", ["螺湘食品", "罗香食品", "螺香食", "螺香食品厂", "柳州螺香食品有限公司"])
async def test_a_mistyped_name_is_found(api: Api, world: World, q: str) -> None:
    assert world.other_enterprise.name in await titles(api, q)


async def test_what_shares_too_little_is_not_found(api: Api, world: World) -> None:
    assert await titles(api, "完全无关的内容") == []
    assert world.enterprise.name not in await titles(api, "螺香")


async def test_a_credit_code_is_found_whole(api: Api, world: World) -> None:
    assert await titles(api, world.other_enterprise.uscc.lower()) == [world.other_enterprise.name]
    assert await titles(api, world.other_enterprise.uscc[:-1]) == []


async def test_a_checklist_is_found_by_its_items_with_the_place_marked(api: Api, world: World) -> None:
    await prepare_list(api.parts, world)

    (hit,) = await found(api, "垃圾桶加盖", kind="checklist")

    assert hit["title"] == "餐饮服务检查单"
    (start, end), *_ = hit["excerpt_marks"]
    assert hit["excerpt"][start:end] == "垃圾桶加盖"
    assert hit["url"] == f"/checklists/{hit['id']}"
    assert (hit["kind"], hit["kind_label"], hit["authority"]) == ("checklist", "检查单", "南宁市市场监督管理局")


async def test_filters_narrow_what_is_found(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        shop = await make_enterprise(connection, api.parts.vault, name="柳州老友粉店")
        await make_site(connection, shop, world.market, region_code="450202", business_types=["餐饮服务"])

    both = {world.enterprise.name, shop.name}
    assert set(await titles(api, "老友")) == both
    assert set(await titles(api, "老友", region="450000")) == both
    assert set(await titles(api, "老友", region=OTHER_CITY)) == {shop.name}
    assert set(await titles(api, "老友", region=DISTRICT)) == {world.enterprise.name}
    assert set(await titles(api, "老友", business_type="餐饮服务")) == {shop.name}
    assert await titles(api, "老友", kind="manual") == []
    assert await titles(api, "老友", **{"from": "2020-01-01"}) == []
    assert set(await titles(api, "老友", **{"from": "2019-01-01", "to": "2019-12-31"})) == both
    refused(await api.anyone.get(SEARCH, q="老友", region="999999"), 422, "invalid-field", "region")


@pytest.mark.parametrize("q", ["", "   ", "，。", "a", "长" * 61])
async def test_what_says_nothing_is_refused(api: Api, world: World, q: str) -> None:
    assert world
    refused(await api.anyone.get(SEARCH, q=q), 422, "invalid-field", "q")


async def test_pages_follow_each_other(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        for number in range(7):
            shop = await make_enterprise(connection, api.parts.vault, name=f"分页小吃{number}号店")
            await make_site(connection, shop, world.market)
    names: list[str] = []
    cursor = None
    while True:
        page = (await api.anyone.get(SEARCH, q="分页小吃", limit=3, cursor=cursor)).json()
        names += [each["title"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert page["found"] == 7
    assert len(set(names)) == len(names) == 7
    refused(await api.anyone.get(SEARCH, q="分页", cursor="nonsense"), 422, "invalid-field", "cursor")


# In step with every act


async def test_a_result_is_found_while_it_is_public_and_never_before_or_after(api: Api, world: World) -> None:
    publication = await complete(api, world)
    assert await titles(api, "老友", kind="result") == []

    second = await complete(api, world, await world.dispatch(), days=0, outcome="no_problem")
    (hit,) = await found(api, "未发现问题", kind="result")
    assert hit["title"] == world.enterprise.name
    assert hit["url"] == f"/e/{world.enterprise.uscc}#r{second}"

    withdrawal = {"reason": "检查对象有误"}
    accepted(await api.as_(world.manager).post(f"/api/v1/publications/{second}/withdrawal", withdrawal))
    assert await titles(api, "老友", kind="result") == []
    assert publication != second


async def test_a_renamed_enterprise_is_found_by_its_new_name_alone(api: Api, world: World) -> None:
    await complete(api, world, days=0)
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE enterprise SET name = '南宁市新味酒楼' WHERE id = $1", world.enterprise.id)

    assert await titles(api, "老友") == []
    assert {each["kind"] for each in await found(api, "新味")} == {"enterprise", "result"}


async def test_a_disabled_checklist_is_found_no_more(api: Api, world: World) -> None:
    await prepare_list(api.parts, world)
    (hit,) = await found(api, "餐饮服务检查单")
    path = f"/api/v1/checklists/{hit['id']}/state"
    accepted(await api.as_(world.manager).post(path, {"state": "disabled"}))
    assert await found(api, "餐饮服务检查单") == []


async def test_natural_persons_and_the_addresses_of_small_traders_are_not_looked_for(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        person = await make_enterprise(connection, api.parts.vault, name="覃隐私", object_type="自然人")
        await make_site(connection, person, world.market)
        trader = await make_enterprise(connection, api.parts.vault, name="巷口米粉", object_type="个体工商户")
        await make_site(connection, trader, world.market)
    assert await titles(api, "覃隐私") == []
    assert trader.name in await titles(api, "巷口米粉")
    assert trader.name not in await titles(api, "民族大道")


# The page


async def test_the_page_marks_words_and_escapes_the_rest(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        odd = await make_enterprise(connection, api.parts.vault, name="<b>粗体</b>螺蛳粉")
        await make_site(connection, odd, world.market)

    response = await api.anyone.get("/search", {"Accept": "text/html"}, q="螺蛳粉")

    assert "&lt;b&gt;粗体&lt;/b&gt;<mark>螺蛳粉</mark>" in response.text
    assert "<b>" not in response.text
    policy = response.headers["content-security-policy"]
    assert "script-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert "connect-src" not in policy  # what was searched for can be sent nowhere


@pytest.mark.parametrize("q", ["", "<script>", "，", "长" * 100, "'; --"])
async def test_the_page_bears_whatever_is_typed(api: Api, world: World, q: str) -> None:
    assert world
    query = {"q": q, "kind": "nonsense", "region": "x", "from": "y", "to": "2026-02-31"}
    response = await api.anyone.get("/search", {"Accept": "text/html"}, **query)
    assert response.status_code == 200
    assert "<script>alert" not in response.text


# What it costs


async def _plan(connection: Any, statement: Any, given: dict[str, Any]) -> str:
    rows = await connection.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}", *statement.arguments(given))
    return json.dumps(json.loads(rows[0][0]), ensure_ascii=False)


async def _fill(connection: asyncpg.Connection, many: int) -> None:
    """Entries of so many enterprises, ten names among them, each with three characters of its own."""
    names = "老友,螺香,桂味,邕江,青秀,朱槿,壮乡,金桂,荔浦,阳朔"
    await connection.execute(
        "INSERT INTO search_entry (kind, id, target, title, body, region, business_types, dated_on, terms) "
        "SELECT 'enterprise', gen_random_uuid(), n::text, title, '民族大道' || n || '号', '450000.450100', '{}', "
        "'2020-01-01', search_terms('enterprise', title, '民族大道' || n || '号', '450000.450100', '{}') "
        "FROM generate_series(1, $1) n, LATERAL (SELECT '南宁市' || "
        "(string_to_array($2, ','))[1 + n % 10] || chr(19968 + n * 7 % 5000) || chr(19968 + n * 13 % 6000) || "
        "chr(20000 + n * 31 % 4000) || '餐饮有限公司' AS title) t",
        many,
        names,
    )
    await connection.execute("VACUUM ANALYZE search_entry")


async def test_among_many_a_search_uses_its_index(api: Api, world: World, database: Database) -> None:
    """YIMA_SEARCH_ROWS says among how many; the figures are printed, they depend on the machine."""
    assert world
    many = int(os.environ.get("YIMA_SEARCH_ROWS", "20000"))
    connection = await asyncpg.connect(database.dsn)
    try:
        await _fill(connection, many)
        none = {"word": "老友", "date_from": None, "date_to": None, "today": api.clock().date()}
        exact = await _plan(connection, ENTRIES_WITH, {**none, "terms": ["老友", "友一", "k:enterprise"]})
        near = {f"near_{place}": ["t:老", f"t:{letter}"] for place, letter in enumerate("一丁七万丈三上下")}
        nearly = await _plan(connection, ENTRIES_NEAR, {**none, **near})
    finally:
        await connection.close()
    for plan in (exact, nearly):
        assert "ix_search_entry_terms" in plan
        assert "Seq Scan" not in plan
    times: dict[str, list[float]] = {}
    for q in ("老友", "餐饮", "桂味餐饮", "南宁市餐饮有限公司", "螺湘餐饮", "不在此处的词", "民族大道777"):
        for _ in range(6):
            began = time.perf_counter()
            await found(api, q)
            times.setdefault(q, []).append((time.perf_counter() - began) * 1000)
    every = sorted(each for several in times.values() for each in several)
    lines = [
        f"search among {many}: median {statistics.median(every):.1f} ms, p95 {every[int(len(every) * 0.95)]:.1f} ms"
    ]
    lines += [f"  {q}: median {statistics.median(several):.1f} ms" for q, several in times.items()]
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
