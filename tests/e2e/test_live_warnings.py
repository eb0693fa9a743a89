"""期限预警 on the live feed: who sees one, as it is told and as it stands; blue ones are pushed to nobody (D13)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio

from api.live.desk import LiveDesk
from api.live.warnings import OpenWarning
from api.live_commands import line_of_warning
from api.relay import Relay
from domain.identity.model import Principal, Role
from domain.shared.sql import borrow
from tests.support.acts import principal
from tests.support.client import Api
from tests.support.deadlines import at, sweep_at
from tests.support.factories import World
from tests.support.live_screens import WAYS, LiveServer, Screen, live_server
from tests.support.relaying import place_all

BLUE, YELLOW, ORANGE, RED = "2026-08-17T08:00", "2026-08-21T08:00", "2026-08-26T08:00", "2026-08-31T08:00"
"""When an inspection due on 20 August comes to each; red is its 督办单, which nobody answers."""


@pytest_asyncio.fixture(loop_scope="module")
async def server(api: Api) -> AsyncGenerator[LiveServer]:
    """The application on a port of its own."""
    async with live_server(api) as server:
        yield server


async def sweep(api: Api, relay: Relay, *hours: str) -> None:
    """The sweep at those hours, and what it told placed."""
    for hour in hours:
        await sweep_at(api, hour)
    await place_all(relay)


async def standing(server: LiveServer, way: str, who: Principal, **query: Any) -> list[dict[str, Any]]:
    """The warnings with which that screen begins, of a snapshot that is taken anew."""
    desk: LiveDesk = server.api.app.state.live_desk
    desk._snapshots.forget()  # pyright: ignore[reportPrivateUsage]
    async with server.screen(way, server.api.as_(who), **query) as screen:
        _, pages = await screen.begin()
    return [warning for page in pages for warning in page["warnings"]]


async def warned(screen: Screen, count: int) -> list[tuple[str, int | None]]:
    return [(event["action"], event["facts"].get("level")) for event in await screen.events(count)]


async def handlers(api: Api, world: World) -> list[UUID]:
    """The officers who have to do with the world's deadline."""
    async with borrow(api.parts.pool) as connection:
        [row] = await connection.fetch("SELECT officers FROM deadline WHERE subject_id = $1", world.inspection)
    return list(row["officers"])


@pytest.mark.parametrize("way", WAYS)
async def test_a_blue_warning_is_pushed_to_nobody_and_every_graver_one_is(
    api: Api, world: World, relay: Relay, server: LiveServer, way: str
) -> None:
    await place_all(relay)
    async with server.screen(way, api.as_(world.lead)) as screen:
        await screen.begin()
        await sweep(api, relay, BLUE, YELLOW, ORANGE)
        assert await warned(screen, 3) == [
            ("deadline.warned", 3),
            ("deadline.warned", 2),
            ("supervision.issued", None),
        ]


async def test_a_blue_warning_is_no_more_told_to_who_comes_again_than_to_who_stayed(
    api: Api, world: World, relay: Relay, server: LiveServer
) -> None:
    await sweep(api, relay, BLUE)
    async with server.screen("websocket", api.as_(world.lead), after=0) as screen:
        await screen.next()
        await sweep(api, relay, YELLOW)
        events = await screen.events(1)
        while events[-1]["subject"] != "deadline":
            events += await screen.events(1)
    assert events[-1]["facts"]["stage"] == "first_warning"


@pytest.mark.parametrize("way", WAYS)
async def test_a_screen_begins_with_the_warnings_that_stand(
    api: Api, world: World, relay: Relay, server: LiveServer, way: str
) -> None:
    await sweep(api, relay, BLUE)
    assert await standing(server, way, world.lead) == []
    await sweep(api, relay, YELLOW)
    [warning] = await standing(server, way, world.lead)
    assert warning["subject_id"] == warning["inspection_id"] == str(world.inspection)
    assert (warning["kind"], warning["stage"], warning["level"]) == ("inspection", "first_warning", 3)
    assert (warning["department_id"], warning["region"]) == (str(world.market.id), world.site.region)
    assert warning["due_on"] == "2026-08-20"
    assert warning["scene"] == "S01"
    await sweep(api, relay, ORANGE, RED)
    [gravest, other] = await standing(server, way, world.lead)
    assert (gravest["kind"], gravest["stage"], gravest["level"]) == ("supervision_order", "order_unanswered", 1)
    assert (other["kind"], other["level"]) == ("inspection", 2)


@pytest.mark.parametrize("way", WAYS)
async def test_a_warning_is_seen_by_those_whose_it_is_as_it_is_told_and_as_it_stands(
    api: Api, world: World, relay: Relay, server: LiveServer, way: str
) -> None:
    assert world.inspector.officer_id in await handlers(api, world)
    elsewhere = principal(Role.LEAD, region="450000.450200")
    cases: list[tuple[Principal, dict[str, Any], bool]] = [
        (world.lead, {}, True),
        (world.lead, {"scene": "S01"}, True),
        (world.lead, {"scene": "S35"}, False),
        (world.lead, {"department": world.market.id}, True),
        (elsewhere, {}, False),
        (world.manager, {}, True),
        (world.emergency_manager, {}, False),
        (world.inspector, {}, True),
        (world.unassigned_inspector, {}, False),
    ]
    await sweep(api, relay, YELLOW)
    for who, query, sees in cases:
        assert bool(await standing(server, way, who, **query)) is sees, (who.role, query)
        async with server.screen(way, api.as_(who), **query, after=0) as screen:
            await screen.next()
            seen = await everything(screen)
        assert any(event["action"] == "deadline.warned" for event in seen) is sees, (who.role, query)


async def everything(screen: Screen) -> list[dict[str, Any]]:
    """What comes until nothing comes for a while."""
    seen: list[dict[str, Any]] = []
    while True:
        try:
            frame = await screen.next(0.3)
        except TimeoutError:
            return seen
        seen += [frame["event"]] if frame["type"] == "event" else []


async def test_a_supervision_order_is_seen_by_both_its_sides_and_by_who_has_to_answer(
    api: Api, world: World, relay: Relay, server: LiveServer
) -> None:
    await sweep(api, relay, YELLOW, ORANGE)
    async with borrow(api.parts.pool) as connection:
        [order] = await connection.fetch("SELECT superior_id, officers FROM supervision_order")
    superior = msgspec.structs.replace(world.manager, account_id=uuid4(), department_id=order["superior_id"])
    for who in (superior, world.manager, world.inspector):
        async with server.screen("websocket", api.as_(who), after=0) as screen:
            await screen.next()
            [issued] = [event for event in await everything(screen) if event["action"] == "supervision.issued"]
        assert (issued["inspection_id"], issued["scene"]) == (str(world.inspection), "S01")


async def test_what_is_done_stands_no_more(api: Api, world: World, relay: Relay, server: LiveServer) -> None:
    await sweep(api, relay, YELLOW)
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE deadline SET closed_at = $1, next_stage_at = NULL", at(YELLOW))
    assert await standing(server, "websocket", world.lead) == []


async def test_many_warnings_come_in_pages_the_gravest_first(
    api: Api, world: World, relay: Relay, server: LiveServer
) -> None:
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "INSERT INTO deadline (id, kind, subject_id, department_id, region, officers, due_on, set_at, stage, "
            "level, calendar_edition) SELECT gen_random_uuid(), 'enterprise_request', gen_random_uuid(), $1, "
            "$2::text::ltree, '{}', date '2026-07-01' + n % 30, $3, "
            "CASE n % 4 WHEN 0 THEN 'due_soon' WHEN 1 THEN 'order_unanswered' WHEN 2 THEN 'second_warning' "
            "ELSE 'first_warning' END, CASE n % 4 WHEN 0 THEN 4 ELSE n % 4 END, 0 FROM generate_series(1, 1600) AS n",
            world.market.id,
            world.site.region,
            api.clock.now - timedelta(days=40),
        )
    await place_all(relay)
    async with server.screen("websocket", api.as_(world.lead)) as screen:
        _, pages = await screen.begin()
    warnings = [warning for page in pages for warning in page["warnings"]]
    assert [len(page["warnings"]) for page in pages] == [100] * 12
    assert [page["is_last"] for page in pages] == [False] * 11 + [True]
    assert {page["is_whole"] for page in pages} == {True}
    order = [(each["level"], each["due_on"], each["deadline_id"]) for each in warnings]
    assert order == sorted(order)
    assert {level for level, _, _ in order} == {1, 2, 3}
    assert len({deadline for _, _, deadline in order}) == 1200


async def test_the_terminal_shows_a_standing_warning(api: Api, world: World, relay: Relay, server: LiveServer) -> None:
    await sweep(api, relay, YELLOW)
    [warning] = await standing(server, "websocket", world.lead)
    line = line_of_warning(msgspec.convert(warning, OpenWarning))
    assert line.startswith("期限2026-08-20  青秀区  ")
    assert "检查任务一次预警（黄色）" in line
