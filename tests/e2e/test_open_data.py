"""开放数据 over HTTP: pages of published results as JSON and CSV, and the night's dump."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from api.open_data import dump_results, to_csv
from domain.search.open_data import rules
from domain.search.open_data.store import RESULTS, RESULTS_OF_ENTERPRISE
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import DISTRICT, NOW, OTHER_CITY, World
from tests.support.publishing import complete

RESULTS_AT = "/api/v1/public/results"
NIGHT = datetime(2026, 8, 5, 18, 30, tzinfo=UTC)
"""Half past two of the next morning in Nanning."""


async def publish_some(api: Api, world: World, many: int = 3) -> list[UUID]:
    """Results that are public at once, an hour between each and the next."""
    made = []
    for number in range(many):
        outcome = "no_problem" if number % 2 else "ordered_to_rectify"
        made.append(await complete(api, world, await world.dispatch(), days=0, outcome=outcome))
        api.clock.now += timedelta(hours=1)
    return made


async def page(api: Api, **query: object) -> dict[str, Any]:
    """One page."""
    response = await api.anyone.get(RESULTS_AT, **query)
    assert response.status_code == 200, response.text
    return response.json()


async def withdraw(api: Api, world: World, publication: UUID) -> None:
    """撤下公示."""
    path = f"/api/v1/publications/{publication}/withdrawal"
    accepted(await api.as_(world.manager).post(path, {"reason": "检查对象有误"}))


# Pages


async def test_what_is_public_is_there_the_newest_first_with_its_licence(api: Api, world: World) -> None:
    first, second, third = await publish_some(api, world)
    await complete(api, world)  # waits for its embargo

    found = await page(api)

    assert [each["id"] for each in found["items"]] == [str(third), str(second), str(first)]
    assert (found["total"], found["is_total_exact"], found["next"]) == (3, True, None)
    assert found["licence"]["url"] == "http://yima.test/open-data"
    newest = found["items"][0]
    assert (newest["enterprise_name"], newest["uscc"]) == (world.enterprise.name, world.enterprise.uscc)
    assert (newest["outcome"], newest["region_code"], newest["is_withdrawn"]) == ("ordered_to_rectify", DISTRICT, False)


async def test_of_a_withdrawn_result_a_tombstone_stays(api: Api, world: World) -> None:
    (publication,) = await publish_some(api, world, 1)
    await withdraw(api, world, publication)

    (tombstone,) = (await page(api))["items"]

    assert tombstone["is_withdrawn"] is True
    assert tombstone["withdrawn_on"] == "2026-08-05"
    for name in ("outcome", "outcome_label", "uscc", "enterprise_name", "site_name", "reply", "region_code"):
        assert tombstone[name] is None, name
    assert (await page(api, outcome="ordered_to_rectify"))["items"] == []
    assert (await page(api, outcome="ordered_to_rectify"))["total"] == 0


async def test_filters_choose(api: Api, world: World) -> None:
    await publish_some(api, world)

    async def count(**query: object) -> int:
        found = await page(api, **query)
        assert found["total"] == len(found["items"])
        return found["total"]

    assert await count(outcome="no_problem") == 1
    assert await count(kind="routine") == 3
    assert await count(kind="case") == 0
    assert await count(region="450100") == 3
    assert await count(region=OTHER_CITY) == 0
    assert await count(authority="南宁市应急管理局") == 3  # it took part
    assert await count(authority="柳州市市场监督管理局") == 0
    assert await count(uscc=world.enterprise.uscc.lower()) == 3
    assert await count(uscc=world.other_enterprise.uscc) == 0
    assert await count(**{"from": "2026-08-05", "to": "2026-08-05"}) == 3
    assert await count(**{"from": "2026-08-06"}) == 0
    assert await count(to="2026-08-04") == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"region": "999999"}, "region"),
        ({"outcome": "great"}, "outcome"),
        ({"from": "yesterday"}, "from"),
        ({"limit": "101"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"format": "xml"}, "format"),
    ],
)
async def test_a_filter_that_is_none_is_refused(api: Api, world: World, query: dict[str, str], field: str) -> None:
    assert world
    response = await api.anyone.get(RESULTS_AT, **query)
    assert response.status_code == 422, response.text
    assert response.json()["field"] in {field, f"published_{field}", f"file_{field}"}


async def test_pages_follow_each_other_by_their_links(api: Api, world: World) -> None:
    made = await publish_some(api, world, 5)
    seen: list[str] = []
    url: str | None = f"{RESULTS_AT}?kind=routine&limit=2"
    while url:
        response = await api.anyone.get(url)
        found = response.json()
        assert (found["total"], response.headers["yima-total"]) == (5, "5")
        seen += [each["id"] for each in found["items"]]
        url = found["next"]
        assert ('rel="next"' in response.headers["link"]) is (url is not None)
        assert 'rel="license"' in response.headers["link"]
        if url:
            assert url.startswith("http://yima.test/api/v1/public/results?")
            query = parse_qs(urlsplit(url).query)
            assert (query.keys(), query["kind"], query["limit"]) == ({"kind", "limit", "cursor"}, ["routine"], ["2"])
            assert f"<{url}>" in response.headers["link"]
    assert seen == [str(each) for each in reversed(made)]


async def test_who_has_it_already_is_not_sent_it_again(api: Api, world: World) -> None:
    await publish_some(api, world, 1)
    first = await api.anyone.get(RESULTS_AT)
    again = await api.anyone.get(RESULTS_AT, {"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


# CSV


@pytest.mark.parametrize("headers", [{"Accept": "text/csv"}, {}])
async def test_a_table_is_given_where_it_is_asked_for(api: Api, world: World, headers: dict[str, str]) -> None:
    await publish_some(api, world, 2)
    response = await api.anyone.get(RESULTS_AT, headers, **({} if headers else {"format": "csv"}))

    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["yima-total"] == "2"
    assert response.content.startswith("\ufeff".encode())
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert [row["检查结果"] for row in rows] == ["未发现问题", "发现问题已责令改正"]
    assert {row["企业名称"] for row in rows} == {world.enterprise.name}


async def test_no_cell_is_a_formula(api: Api, world: World) -> None:
    (publication,) = await publish_some(api, world, 1)
    reply = {"text": '=HYPERLINK("http://evil.example")'}
    accepted(await api.as_(world.enterprise_user).post(f"/api/v1/publications/{publication}/replies", reply))

    (row,) = csv.DictReader(io.StringIO((await api.anyone.get(RESULTS_AT, format="csv")).content.decode("utf-8-sig")))

    assert row["企业回应"] == "'" + reply["text"]


def test_a_table_without_rows_has_its_head() -> None:
    assert to_csv([]).decode("utf-8-sig").startswith("公示编号,是否已撤下,")


# The night's dump


async def dumps(api: Api) -> list[dict[str, Any]]:
    """The dumps that are listed."""
    return (await api.anyone.get(f"{RESULTS_AT}/dumps")).json()["items"]


async def test_a_dump_is_made_once_a_night_and_is_whole(api: Api, world: World) -> None:
    first, second = await publish_some(api, world, 2)
    await withdraw(api, world, first)
    refused(await api.anyone.get(f"{RESULTS_AT}/dump"), 404, "not-found")
    api.clock.now = NIGHT - timedelta(hours=1)
    await dump_results(api.parts)
    assert await dumps(api) == []  # the hour has not come

    api.clock.now = NIGHT
    await dump_results(api.parts)
    await dump_results(api.parts)

    (listed,) = await dumps(api)
    assert (listed["made_on"], listed["results"], listed["withdrawn"]) == ("2026-08-06", 1, 1)
    response = await api.anyone.get(listed["url"])
    assert response.headers["content-type"] == "application/gzip"
    digest = hashlib.sha256(response.content)
    assert (digest.hexdigest(), len(response.content)) == (listed["sha256"], listed["size"])
    assert response.headers["etag"] == f'"{digest.hexdigest()}"'
    assert response.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    lines = [json.loads(line) for line in gzip.decompress(response.content).splitlines()]
    assert [(line["id"], line["is_withdrawn"]) for line in lines] == [(str(second), False), (str(first), True)]
    assert lines == (await page(api))["items"]
    again = await api.anyone.get(f"{RESULTS_AT}/dump", {"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304
    assert "2026-08-06" in (await api.anyone.get("/open-data", {"Accept": "text/html"})).text


async def test_dumps_are_kept_for_seven_days_and_an_interrupted_one_is_never_shown(api: Api, world: World) -> None:
    await publish_some(api, world, 1)
    stray = rules.dump_key(uuid4())
    await api.parts.blobs.put(stray, b"half")
    for day in range(9):
        api.clock.now = NIGHT + timedelta(days=day)
        await dump_results(api.parts)
        kept = await dumps(api)
        assert len(kept) == min(day + 1, 7)
    refused(await api.anyone.get(f"{RESULTS_AT}/dump", on="2026-08-06"), 404, "not-found", "on")
    api.clock.now = datetime.now(UTC) + timedelta(days=3)  # the store's own clock tells how old a blob is
    await dump_results(api.parts)
    assert await api.parts.blobs.find(stray) is None
    assert len([blob async for blob in api.parts.blobs.list("dumps")]) == 1


async def test_a_thousand_and_more_results_are_dumped_page_by_page(api: Api, world: World) -> None:
    await _fill(api, world, 2500)
    api.clock.now = NIGHT
    await dump_results(api.parts)
    (listed,) = await dumps(api)
    assert listed["results"] == 2500
    lines = gzip.decompress((await api.anyone.get(listed["url"])).content).splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == 2500


# What it costs


async def _fill(api: Api, world: World, many: int) -> None:
    """So many published results of the world's site, their inspections copied from its own."""
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "CREATE TEMP TABLE IF NOT EXISTS made AS SELECT gen_random_uuid() AS id FROM generate_series(1, $1)", many
        )
        await connection.execute(
            "INSERT INTO inspection (id, name, kind, source, basis, mode, state, outcome, scene_code, site_id, region, "
            "initiating_department_id, starts_on, due_on, approved_at, approved_by, is_urgent, completed_at, "
            "created_at) "
            "SELECT made.id, name, kind, source, basis, mode, 'completed', 'no_problem', scene_code, site_id, region, "
            "initiating_department_id, starts_on, due_on, approved_at, approved_by, is_urgent, $2, created_at "
            "FROM inspection, made WHERE inspection.id = $1",
            world.inspection,
            NOW,
        )
        await connection.execute(
            "INSERT INTO inspection_party SELECT made.id, department_id, is_lead FROM inspection_party, made "
            "WHERE inspection_id = $1",
            world.inspection,
        )
        await connection.execute(
            "INSERT INTO publication (id, inspection_id, enterprise_id, site_id, state, due_at, latest_at, ends_on, "
            "published_at, is_contested) SELECT gen_random_uuid(), id, $1, $2, 'published', $3::timestamptz, $3, "
            "'2029-08-05', "
            "$3::timestamptz - row_number() OVER () * interval '1 second', false FROM made",
            world.enterprise.id,
            world.site.id,
            NOW,
        )
        await connection.execute("DROP TABLE made")


async def test_a_page_reads_its_index_and_no_more_than_it_shows(api: Api, world: World) -> None:
    await _fill(api, world, 20_000)
    given: dict[str, Any] = {
        "before_at": NOW,
        "before_id": UUID(int=0),
        "limit": 101,
        "today": NOW.date(),
        "region": None,
        "authority": None,
        "outcome": None,
        "kind": None,
        "uscc": world.enterprise.uscc,
    }
    async with borrow(api.parts.pool) as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        for statement, index in ((RESULTS, "ix_publication_published"), (RESULTS_OF_ENTERPRISE, "ix_publication")):
            rows = await connection.fetch(f"EXPLAIN {statement.text}", *statement.arguments(given))
            plan = "\n".join(row[0] for row in rows)
            assert index in plan, plan
        await connection.execute("RESET plan_cache_mode")
    found = await page(api)
    assert (found["total"], found["is_total_exact"]) == (10_000, False)
    response = await api.anyone.get(RESULTS_AT)
    assert response.headers["yima-total"] == ">=10000"
