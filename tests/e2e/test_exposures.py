"""曝光台 over HTTP (PUB-09, COG-07): drafted by one, published by another, read by anybody, gone when withdrawn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.identity.model import Role
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import DISTRICT, World, make_account, make_department
from tests.support.publishing import complete
from tests.support.visits import nothing_changes, rows

OFFICE = "/api/v1/exposures"
PUBLIC = "/api/v1/public/exposures"
A_BROWSER = {"Accept": "text/html"}


def an_order(**changes: object) -> dict[str, Any]:
    """What a department wants to expose."""
    order = {"title": "后厨卫生专项检查情况", "text": "第一段。\n第二段。", "ends_on": "2026-12-31"}
    return {**order, **changes}


async def draft(api: Api, world: World, **changes: object) -> str:
    """起草 by the manager; gives the id."""
    api.clock.now += timedelta(seconds=1)  # ids of one instant have no order
    return accepted(await api.as_(world.manager).post(OFFICE, an_order(**changes)))["id"]


async def publish(api: Api, world: World, exposure: str) -> None:
    """发布 by the lead, who is of the same department."""
    api.clock.now += timedelta(seconds=1)
    accepted(await api.as_(world.lead).post(f"{OFFICE}/{exposure}/publication"))


async def shown(api: Api, **query: object) -> list[dict[str, Any]]:
    """What anybody sees on the board."""
    return (await api.anyone.get(PUBLIC, **query)).json()["items"]


async def test_what_one_drafted_another_publishes_and_anybody_reads(api: Api, world: World) -> None:
    exposure = await draft(api, world)
    assert await shown(api) == []
    refused(await api.anyone.get(f"{PUBLIC}/{exposure}"), 404, "not-found")

    refused(await api.as_(world.manager).post(f"{OFFICE}/{exposure}/publication"), 403, "publisher-is-author")
    await publish(api, world, exposure)

    (line,) = await shown(api)
    assert (line["title"], line["department"], line["region_name"]) == (
        "后厨卫生专项检查情况",
        "南宁市市场监督管理局",
        "南宁市",
    )
    assert line["text"] is None
    assert (await api.anyone.get(f"{PUBLIC}/{exposure}")).json()["text"] == "第一段。\n第二段。"
    page = (await api.anyone.get(f"/exposures/{exposure}", A_BROWSER)).text
    assert "<p>第一段。</p>" in page
    board = (await api.anyone.get("/exposures", A_BROWSER)).text
    assert f'href="/exposures/{exposure}"' in board
    (found,) = (await api.anyone.get("/api/v1/public/search", q="后厨卫生", kind="exposure")).json()["items"]
    assert found["url"] == f"/exposures/{exposure}"


async def test_whoever_changed_it_does_not_publish_it_either(api: Api, world: World) -> None:
    exposure = await draft(api, world)
    accepted(await api.as_(world.lead).put(f"{OFFICE}/{exposure}", an_order(title="改过的标题")))

    refused(await api.as_(world.lead).post(f"{OFFICE}/{exposure}/publication"), 403, "publisher-is-author")
    async with borrow(api.parts.pool) as connection:
        third = await make_account(connection, Role.DEPARTMENT_MANAGER, of=world.market)
    detail = (await api.as_(third).get(f"{OFFICE}/{exposure}")).json()
    assert (detail["title"], detail["may_publish"]) == ("改过的标题", True)
    accepted(await api.as_(third).post(f"{OFFICE}/{exposure}/publication"))
    refused(await api.as_(world.manager).put(f"{OFFICE}/{exposure}", an_order()), 409, "exposure-not-draft")


async def test_what_was_withdrawn_leaves_no_text(api: Api, world: World) -> None:
    exposure = await draft(api, world)
    refused(
        await api.as_(world.manager).post(f"{OFFICE}/{exposure}/withdrawal", {"reason": "不实"}),
        409,
        "exposure-not-published",
    )
    await publish(api, world, exposure)
    refused(
        await api.as_(world.manager).post(f"{OFFICE}/{exposure}/withdrawal", {"reason": " "}),
        422,
        "reason-missing",
        "reason",
    )

    accepted(await api.as_(world.manager).post(f"{OFFICE}/{exposure}/withdrawal", {"reason": "内容不准确"}))

    assert await shown(api) == []
    refused(await api.anyone.get(f"{PUBLIC}/{exposure}"), 404, "not-found")
    gone = await api.anyone.get(f"/exposures/{exposure}", A_BROWSER)
    assert gone.status_code == 404
    for word in ("后厨卫生", "第一段", "不准确"):
        assert word not in gone.text
    assert (await api.anyone.get("/api/v1/public/search", q="后厨卫生")).json()["items"] == []


async def test_an_enterprise_is_named_only_for_what_is_public_of_it(api: Api, world: World) -> None:
    waiting = await complete(api, world)
    response = await api.as_(world.manager).post(OFFICE, an_order(publication_id=str(waiting)))
    refused(response, 409, "result-not-public", "publication_id")

    public = await complete(api, world, await world.dispatch(), days=0)
    exposure = await draft(api, world, publication_id=str(public))
    await publish(api, world, exposure)
    found = (await api.anyone.get(f"{PUBLIC}/{exposure}")).json()
    assert (found["enterprise_name"], found["uscc"]) == (world.enterprise.name, world.enterprise.uscc)

    withdrawal = {"reason": "检查对象有误"}
    accepted(await api.as_(world.manager).post(f"/api/v1/publications/{public}/withdrawal", withdrawal))
    assert await shown(api) == []
    actions = [row["action"] for row in await rows(api, "trace") if row["subject"] == "exposure"]
    assert actions == ["exposure.drafted", "exposure.published", "exposure.withdrawn"]


async def test_another_departments_result_exposes_nobody(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        other = await make_department(connection, code="WL01", name="南宁市文化局", short_name="南宁文化")
        manager = await make_account(connection, Role.DEPARTMENT_MANAGER, of=other)
    public = await complete(api, world, days=0)
    response = await api.as_(manager).post(OFFICE, an_order(publication_id=str(public)))
    refused(response, 409, "result-not-public", "publication_id")


async def test_a_department_handles_its_own_alone(api: Api, world: World) -> None:
    exposure = await draft(api, world)
    for who in (world.emergency_manager,):
        actor = api.as_(who)
        async with nothing_changes(api):
            refused(await actor.get(f"{OFFICE}/{exposure}"), 404, "not-found")
            refused(await actor.put(f"{OFFICE}/{exposure}", an_order()), 404, "not-found")
            refused(await actor.post(f"{OFFICE}/{exposure}/publication"), 404, "not-found")
        assert (await actor.get(OFFICE)).json()["items"] == []
    refused(await api.as_(world.foreign_lead).get(OFFICE), 403, "forbidden")
    refused(await api.as_(world.foreign_lead).post(OFFICE, an_order()), 403, "forbidden")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "一"}, "title"),
        ({"title": "分\n行"}, "title"),
        ({"text": ""}, "text"),
        ({"ends_on": "2026-08-04"}, "ends_on"),
        ({"ends_on": "2031-01-01"}, "ends_on"),
        ({"region_code": "450202"}, "region_code"),
        ({"region_code": "999999"}, "region_code"),
    ],
)
async def test_what_cannot_be_exposed_so_is_refused(
    api: Api, world: World, changes: dict[str, object], field: str
) -> None:
    refused(await api.as_(world.manager).post(OFFICE, an_order(**changes)), 422, "invalid-field", field)


async def test_filters_choose_and_the_end_takes_it_away(api: Api, world: World) -> None:
    city = await draft(api, world, title="全市通报")
    district = await draft(api, world, title="城区通报", region_code=DISTRICT, ends_on="2026-08-06")
    for each in (city, district):
        await publish(api, world, each)

    async def titles(**query: object) -> list[str]:
        return [each["title"] for each in await shown(api, **query)]

    assert await titles() == ["城区通报", "全市通报"]
    assert await titles(region=DISTRICT) == ["城区通报"]
    assert await titles(region="450202") == []
    assert await titles(keyword="全市") == ["全市通报"]
    assert await titles(department_id=world.market.id) == ["城区通报", "全市通报"]
    assert await titles(department_id=UUID(int=1)) == []
    first = (await api.anyone.get(PUBLIC, limit=1)).json()
    second = (await api.anyone.get(PUBLIC, limit=1, cursor=first["next_cursor"])).json()
    assert [each["title"] for each in (*first["items"], *second["items"])] == ["城区通报", "全市通报"]
    assert second["next_cursor"] is None
    board = await api.anyone.get("/exposures", A_BROWSER, department="nonsense", region="x", keyword="城区")
    assert ("城区通报" in board.text, "全市通报" in board.text) == (True, False)
    api.clock.now = api.clock.now.replace(day=7)
    assert await titles() == ["全市通报"]


async def test_the_desks_list_is_searched_by_title(api: Api, world: World) -> None:
    await draft(api, world, title="第一条")
    await draft(api, world, title="第二条")
    actor = api.as_(world.lead)
    assert [each["title"] for each in (await actor.get(OFFICE, title="二")).json()["items"]] == ["第二条"]
    page = (await actor.get(OFFICE, limit=1)).json()
    assert [each["title"] for each in page["items"]] == ["第二条"]
    rest = (await actor.get(OFFICE, limit=1, cursor=page["next_cursor"])).json()
    assert ([each["title"] for each in rest["items"]], rest["next_cursor"]) == (["第一条"], None)
    assert (await actor.get(OFFICE, state="published")).json()["items"] == []


async def test_the_text_stays_out_of_the_trace(api: Api, world: World) -> None:
    exposure = await draft(api, world, text="只在行里的正文")
    await publish(api, world, exposure)
    for row in await rows(api, "trace"):
        assert "只在行里的正文" not in (row["after"] or "")
