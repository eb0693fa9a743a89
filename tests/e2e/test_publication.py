"""公示 over HTTP (POST-06, D10): from the completed inspection to what anybody reads behind the code."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.live import Feed
from api.settings import Settings
from domain.identity.model import Principal
from domain.publication import store
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, api_client, refused, statements
from tests.support.clock import FixedClock
from tests.support.database import Database
from tests.support.factories import NOW, World
from tests.support.publishing import complete, publish
from tests.support.relaying import open_relay, running
from tests.support.visits import nothing_changes, rows

DUE_AT = datetime.fromisoformat("2026-08-13T00:00:00+08:00")
"""The start of the working day after five working days from `NOW`."""
LATEST_AT = datetime.fromisoformat("2026-09-02T00:00:00+08:00")
A_BROWSER = {"Accept": "text/html"}


async def change(api: Api, who: Principal, publication: UUID, what: str, body: object = None) -> Any:
    """One act on a publication."""
    return await api.as_(who).post(f"/api/v1/publications/{publication}/{what}", body)


async def withhold(api: Api, world: World, publication: UUID, reason: str = "privacy", note: str = "含个人信息") -> Any:
    """暂不公示 by the manager."""
    return await change(api, world.manager, publication, "withholding", {"reason": reason, "note": note})


async def object_to(api: Api, world: World, publication: UUID) -> Any:
    """提出结果异议 by the enterprise: the only way in which an objection comes about."""
    return await change(api, world.enterprise_user, publication, "objections", {"reasons": "现场已当场改正，请更正。"})


async def results(api: Api, world: World, who: Principal | None = None) -> list[dict[str, Any]]:
    """What the code tells of results."""
    actor = api.anyone if who is None else api.as_(who)
    return (await actor.get(f"/api/v1/codes/{world.code}")).json()["results"]


async def page(api: Api, world: World) -> str:
    """The page behind the code."""
    return (await api.anyone.get(f"/c/{world.code}", A_BROWSER)).text


async def read(api: Api, who: Principal, publication: UUID) -> dict[str, Any]:
    """One publication."""
    response = await api.as_(who).get(f"/api/v1/publications/{publication}")
    assert response.status_code == 200, response.text
    return response.json()


async def actions(api: Api) -> list[str]:
    """What publications left in the trace."""
    return [row["action"] for row in await rows(api, "trace") if row["subject"] == "publication"]


async def save_orders(database: Database, world: World, *states: str) -> None:
    """责令改正 of the world's inspection, as much as a publication reads of it: no paper stands behind."""
    connection = await asyncpg.connect(database.dsn)
    try:
        await connection.execute("SET session_replication_role = replica")  # foreign keys wait
        for state in states:
            await connection.execute(
                "INSERT INTO rectification_order (id, inspection_id, department_id, enterprise_id, site_id, region, "
                "document_id, state, round, issued_by, issued_at, due_on, re_inspection_due_on, closed_at) VALUES "
                "($1, $2, $3, $4, $5, $6::text::ltree, $7, $8, 1, $9, $10, $11, $11, $12)",
                uuid4(),
                world.inspection,
                world.market.id,
                world.enterprise.id,
                world.site.id,
                world.site.region,
                uuid4(),
                state,
                world.officer.id,
                NOW,
                NOW.date(),
                NOW if state in {"rectified", "transferred", "revoked"} else None,
            )
    finally:
        await connection.close()


# Pending, due, public


async def test_a_result_waits_for_its_embargo_and_is_public_then(api: Api, world: World) -> None:
    publication = await complete(api, world)
    assert await results(api, world) == []
    assert "没有公示中的检查结果" in await page(api, world)

    api.clock.now = DUE_AT - timedelta(seconds=1)
    assert await publish(api) == 0
    api.clock.now = DUE_AT
    assert await publish(api) == 1
    assert await publish(api) == 0
    api.forget()

    (result,) = await results(api, world)
    assert (result["id"], result["completed_on"], result["published_on"]) == (
        str(publication),
        "2026-08-05",
        "2026-08-13",
    )
    assert result["authorities"] == ["南宁市市场监督管理局", "南宁市应急管理局"]
    text = await page(api, world)
    for words in ("发现问题已责令改正", "日常检查", "南宁市应急管理局", "无需整改", "2026-08-05"):
        assert words in text, words
    assert await actions(api) == ["publication.opened", "publication.published"]


async def test_without_an_embargo_a_result_is_public_at_once(api: Api, world: World) -> None:
    await complete(api, world, days=0)
    assert len(await results(api, world)) == 1
    assert await actions(api) == ["publication.published"]


async def test_each_publication_leaves_its_own_trace_with_site_and_region(api: Api, world: World) -> None:
    done = [world.inspection, await world.dispatch(), await world.dispatch()]
    for inspection in done:
        await complete(api, world, inspection)
    api.clock.now = DUE_AT
    assert [await publish(api, 2), await publish(api, 2), await publish(api, 2)] == [2, 1, 0]

    placed = [row for row in await rows(api, "trace") if row["action"] == "publication.published"]
    assert {json.loads(row["after"])["inspection_id"] for row in placed} == {str(each) for each in done}
    assert {(row["site_id"], row["region"], row["department_id"]) for row in placed} == {
        (world.site.id, world.site.region, world.market.id)
    }
    assert {json.loads(row["before"])["state"] for row in placed} == {"pending"}


async def test_two_workers_publish_each_result_once(api: Api, world: World) -> None:
    for inspection in [world.inspection, *[await world.dispatch() for _ in range(5)]]:
        await complete(api, world, inspection)
    api.clock.now = DUE_AT
    assert sum(await asyncio.gather(*[publish(api, 2) for _ in range(4)])) + await publish(api) == 6
    assert (await actions(api)).count("publication.published") == 6


async def test_an_internal_outcome_is_never_public(api: Api, world: World) -> None:
    await complete(api, world, days=0, outcome="suspended")
    assert await results(api, world) == []
    assert "中止" not in await page(api, world)


async def test_orders_show_in_the_correction_state(api: Api, world: World, database: Database) -> None:
    await complete(api, world, days=0)
    assert (await results(api, world))[0]["correction"] == "not_required"
    await save_orders(database, world, "rectified", "to_rectify")
    api.forget()
    assert (await results(api, world))[0]["correction_label"] == "待整改"
    assert "待整改" in await page(api, world)


async def test_nobody_behind_the_code_learns_who_inspected_or_how_the_site_is_graded(api: Api, world: World) -> None:
    await complete(api, world, days=0)
    told = (await api.anyone.get(f"/api/v1/codes/{world.code}")).text + await page(api, world)
    for word in (world.officer.name, str(world.officer.id), "risk", "credit", "medium_high", str(world.inspection)):
        assert word not in told, word


async def test_every_audience_reads_the_same_results(api: Api, world: World) -> None:
    await complete(api, world, days=0)
    public = await results(api, world)
    for who in (world.enterprise_user, world.unassigned_inspector, world.lead, world.foreign_user, world.administrator):
        assert await results(api, world, who) == public
    register = await api.anyone.get(f"/api/v1/public/enterprises/{world.enterprise.uscc}")
    assert [site["results"] for site in register.json()["sites"]] == [public, []]


async def test_a_result_ends_with_its_last_day(api: Api, world: World) -> None:
    await complete(api, world, days=0)
    for path, accept in ((f"/api/v1/codes/{world.code}", "application/json"), (f"/c/{world.code}", "text/html")):
        api.clock.now = datetime.fromisoformat("2029-08-05T23:00:00+08:00")
        assert "责令改正" in (await api.anyone.get(path, {"Accept": accept})).text
        api.clock.now = datetime.fromisoformat("2029-08-06T00:00:00+08:00")
        assert "责令改正" not in (await api.anyone.get(path, {"Accept": accept})).text


# Withheld, released, withdrawn


async def test_a_manager_withholds_for_a_lawful_reason_and_releases(api: Api, world: World) -> None:
    publication = await complete(api, world)
    held = accepted(await withhold(api, world, publication))
    assert (held["state"], held["published_at"]) == ("withheld", None)
    api.clock.now = LATEST_AT + timedelta(days=60)
    assert await publish(api) == 0
    assert await results(api, world) == []

    free = accepted(await change(api, world.manager, publication, "release"))
    assert free["state"] == "published"
    api.forget()
    assert len(await results(api, world)) == 1
    assert await actions(api) == ["publication.opened", "publication.withheld", "publication.released"]
    after = json.loads((await rows(api, "trace"))[-2]["after"])
    assert (after["reason"], after["note"]) == ("privacy", "含个人信息")


async def test_an_objection_holds_for_twenty_working_days_and_no_longer(api: Api, world: World) -> None:
    publication = await complete(api, world)
    filed = accepted(await object_to(api, world, publication))
    api.clock.now = LATEST_AT - timedelta(seconds=1)
    assert await publish(api) == 0
    api.clock.now = LATEST_AT
    assert await publish(api) == 1

    (result,) = await results(api, world)
    assert result["is_contested"] is True
    assert "异议处理中" in await page(api, world)
    refused(await change(api, world.manager, publication, "release"), 409, "objection-decides")
    accepted(await api.as_(world.enterprise_user).post(f"/api/v1/objections/{filed['id']}/withdrawal"))
    api.forget()
    assert (await results(api, world))[0]["is_contested"] is False


async def test_a_withdrawn_result_leaves_a_tombstone(api: Api, world: World) -> None:
    publication = await complete(api, world, days=0)
    refused(await withhold(api, world, publication), 409, "already-published")
    gone = accepted(await change(api, world.manager, publication, "withdrawal", {"reason": "检查对象有误"}))
    assert gone["state"] == "withdrawn"

    (result,) = await results(api, world)
    assert (result["withdrawn_on"], result["outcome"], result["correction"]) == ("2026-08-05", None, None)
    text = await page(api, world)
    assert "已撤下" in text
    assert "责令改正" not in text
    assert "检查对象有误" not in text
    assert len(await rows(api, "publication")) == 1
    for what, body in (("release", None), ("withdrawal", {"reason": "再撤一次"})):
        refused(await change(api, world.manager, publication, what, body), 409, "publication-withdrawn")


async def test_what_is_refused_changes_nothing(api: Api, world: World) -> None:
    publication = await complete(api, world)
    async with nothing_changes(api):
        refused(await withhold(api, world, publication, note="无"), 422, "reason-missing", "note")
        refused(await withhold(api, world, publication, "unheard"), 422, "invalid-field", "reason")
        refused(await change(api, world.manager, publication, "release"), 409, "publication-not-withheld")
        gone = await change(api, world.manager, publication, "withdrawal", {"reason": "检查对象有误"})
        refused(gone, 409, "not-published")
        faked = await withhold(api, world, publication, "objection", "企业提出异议")
        refused(faked, 409, "objection-decides", "reason")
        api.clock.now = LATEST_AT
        refused(await object_to(api, world, publication), 409, "objection-term-over")


async def test_out_of_scope_is_not_found(api: Api, world: World) -> None:
    inspection = await world.dispatch()
    async with borrow(api.parts.pool) as connection:
        for table in ("inspection_officer", "inspection_party"):
            await connection.execute(
                f"DELETE FROM {table} WHERE inspection_id = $1 AND department_id = $2",  # noqa: S608
                inspection,
                world.emergency.id,
            )
    publication = await complete(api, world, inspection)
    for who in (world.foreign_lead, world.foreign_user, world.emergency_manager):
        refused(await api.as_(who).get(f"/api/v1/publications/{publication}"), 404, "not-found")
    foreign = await change(api, world.emergency_manager, publication, "release")
    refused(foreign, 404, "not-found")
    refused(await change(api, world.foreign_user, publication, "replies", {"text": "不是我家"}), 404, "not-found")
    refused(await api.as_(world.lead).get(f"/api/v1/publications/{uuid4()}"), 404, "not-found")
    assert (await api.as_(world.manager).get(f"/api/v1/publications/{publication}")).status_code == 200


# The enterprise


async def test_the_enterprise_sees_before_what_will_be_public(api: Api, world: World) -> None:
    publication = await complete(api, world)
    view = (await api.as_(world.enterprise_user).get(f"/api/v1/codes/{world.code}")).json()
    (waiting,) = view["own_pending_publications"]
    assert (waiting["id"], waiting["state"]) == (str(publication), "pending")
    assert datetime.fromisoformat(waiting["due_at"]) == DUE_AT
    detail = await read(api, world.enterprise_user, publication)
    assert detail["result"] == waiting["result"]
    assert "own_pending_publications" not in (await api.as_(world.lead).get(f"/api/v1/codes/{world.code}")).json()

    api.clock.now = DUE_AT
    await publish(api)
    (public,) = await results(api, world)
    assert {**public, "published_on": None} == waiting["result"]


async def test_the_enterprise_is_told_the_reason_and_not_the_note(api: Api, world: World) -> None:
    publication = await complete(api, world)
    accepted(await withhold(api, world, publication))
    own, official = await read(api, world.enterprise_user, publication), await read(api, world.lead, publication)
    assert (own["withheld_label"], own["withheld_note"]) == ("个人隐私", None)
    assert official["withheld_note"] == "含个人信息"


async def test_a_reply_stands_beside_the_result_until_it_is_withdrawn(api: Api, world: World) -> None:
    publication = await complete(api, world, days=0)
    reply = accepted(
        await change(api, world.enterprise_user, publication, "replies", {"text": " 已更换<冷藏柜>，欢迎监督。 "})
    )
    again = await change(api, world.enterprise_user, publication, "replies", {"text": "再说一句"})
    refused(again, 409, "reply-in-force")

    assert (await results(api, world))[0]["reply"] == {
        "text": "已更换<冷藏柜>，欢迎监督。",
        "submitted_on": "2026-08-05",
    }
    text = await page(api, world)
    assert "企业回应" in text
    assert "已更换&lt;冷藏柜&gt;" in text
    assert "冷藏柜" not in json.dumps([row["after"] for row in await rows(api, "trace")], ensure_ascii=False)

    path = f"replies/{reply['id']}/withdrawal"
    refused(await change(api, world.manager, publication, path, {}), 422, "reason-missing", "reason")
    accepted(await change(api, world.enterprise_user, publication, path, {}))
    refused(await change(api, world.enterprise_user, publication, path, {}), 404, "not-found")
    api.forget()
    assert (await results(api, world))[0]["reply"] is None
    accepted(await change(api, world.enterprise_user, publication, "replies", {"text": "新的回应"}))
    assert {row["withdrawn_reason"] for row in await rows(api, "public_reply")} == {None, "企业自行撤回"}


async def test_a_department_takes_an_unlawful_reply_down_with_a_reason(api: Api, world: World) -> None:
    publication = await complete(api, world, days=0)
    reply = accepted(await change(api, world.enterprise_user, publication, "replies", {"text": "某某的电话是"}))
    path = f"replies/{reply['id']}/withdrawal"
    accepted(await change(api, world.manager, publication, path, {"reason": "含他人个人信息"}))
    assert (await results(api, world))[0]["reply"] is None
    assert (await actions(api))[-1] == "publication.reply_withdrawn"


@pytest.mark.parametrize("text", ["", " 改 ", "改" * 501])
async def test_a_reply_has_two_to_five_hundred_characters(api: Api, world: World, text: str) -> None:
    publication = await complete(api, world)
    async with nothing_changes(api):
        answer = await change(api, world.enterprise_user, publication, "replies", {"text": text})
        refused(answer, 422, "invalid-field", "text")


# The list


async def test_lists_go_by_scope_state_and_cursor(api: Api, world: World) -> None:
    made = [
        await complete(api, world, inspection)
        for inspection in [world.inspection, await world.dispatch(), await world.dispatch()]
    ]
    accepted(await withhold(api, world, made[1]))

    async def listed(who: Principal, **query: object) -> list[str]:
        seen: list[str] = []
        cursor: str | None = None
        while True:
            answer = (await api.as_(who).get("/api/v1/publications", limit=1, cursor=cursor, **query)).json()
            seen += [line["id"] for line in answer["items"]]
            cursor = answer["next_cursor"]
            if cursor is None:
                return seen

    pending = sorted(str(made[each]) for each in (0, 2))
    for who in (world.manager, world.emergency_manager, world.lead, world.enterprise_user):
        assert sorted(await listed(who)) == pending
        assert await listed(who, state="withheld") == [str(made[1])]
        assert await listed(who, state="published") == []
    for who in (world.foreign_lead, world.foreign_user):
        assert await listed(who) == []
    line = (await api.as_(world.lead).get("/api/v1/publications", state="withheld")).json()["items"][0]
    assert (line["withheld_label"], line["enterprise_name"]) == ("个人隐私", world.enterprise.name)
    broken = await api.as_(world.lead).get("/api/v1/publications", cursor="nonsense")
    refused(broken, 422, "invalid-field", "cursor")


async def test_a_list_costs_one_statement_and_a_detail_three(api: Api, world: World) -> None:
    publication = await complete(api, world)
    async with statements(api) as sent:
        await api.as_(world.lead).get("/api/v1/publications")
    assert sent == [store.LIST_OF_REGION.text]
    async with statements(api) as sent:
        await read(api, world.enterprise_user, publication)
    assert sent == [store.PUBLICATION_BY_ID.text, store.RESULT_BY_ID.text, store.REPLY_IN_FORCE.text]


# The page, and how fresh it is everywhere


async def test_the_page_stays_small_and_under_its_policy_with_many_results(api: Api, world: World) -> None:
    for number in range(12):
        publication = await complete(api, world, await world.dispatch(), days=0)
        api.clock.advance(timedelta(hours=1))
        if number % 4 == 0:
            accepted(await change(api, world.enterprise_user, publication, "replies", {"text": "已经整改完毕。" * 20}))
    response = await api.anyone.get(f"/c/{world.code}", A_BROWSER)
    assert response.text.count("<li>2026-08-05") == 8
    assert "仅列最近 8 次" in response.text
    assert len(response.content) <= 15 * 1024
    assert "<script" not in response.text
    assert "unsafe" not in response.headers["content-security-policy"]
    assert len(await results(api, world)) == 12


@asynccontextmanager
async def second_process(api: Api, database: Database, keys_folder: Path, var: Path) -> AsyncGenerator[Api]:
    """Another server over the same database, with a cache of its own."""
    settings = Settings(var=var, keys=keys_folder, public_url="http://yima.test")
    async with api_client(settings, database.dsn, FixedClock(api.clock.now)) as other:
        yield other


async def kept(*processes: Api) -> None:
    """Wait until each process keeps pages."""
    for process in processes:
        feed: Feed = process.app.state.feed
        while not feed.is_current:
            await asyncio.sleep(0.01)


async def test_every_process_shows_each_change_within_a_second(
    api: Api, world: World, database: Database, keys_folder: Path, tmp_path: Path
) -> None:
    async with (
        second_process(api, database, keys_folder, tmp_path) as other,
        open_relay(database, api.parts) as relay,
        running(relay),
    ):
        processes = (api, other)
        await kept(*processes)
        await asyncio.sleep(0.3)  # what the world's making left in the trace is placed by now

        async def told_everywhere(words: str, *, shown: bool = True) -> None:
            began = time.monotonic()
            for process in processes:
                while (words in await page(process, world)) is not shown:
                    assert time.monotonic() - began < 1, words
                    await asyncio.sleep(0.01)

        async def is_kept() -> None:
            for process in processes:
                await page(process, world)
                async with statements(process) as sent:
                    await page(process, world)
                assert sent == []

        await is_kept()
        publication = await complete(api, world, days=0)
        await told_everywhere("发现问题已责令改正")
        await is_kept()
        accepted(await change(other, world.enterprise_user, publication, "replies", {"text": "已整改，欢迎监督"}))
        await told_everywhere("已整改，欢迎监督")
        await is_kept()
        accepted(await object_to(other, world, publication))
        await told_everywhere("异议处理中")
        await is_kept()
        accepted(await change(other, world.manager, publication, "withdrawal", {"reason": "检查对象有误"}))
        await told_everywhere("已撤下")
        await told_everywhere("发现问题已责令改正", shown=False)
