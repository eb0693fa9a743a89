"""现场动态 as screens meet it, by WebSocket and by server-sent events alike, over a real server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio

from api.live import Feed, Placed, Reach
from api.live.desk import MOST_CONNECTIONS, LiveDesk
from api.relay import Relay
from api.supervisor import UNHEARD_MS, listen
from domain.identity.model import Principal, Role
from domain.identity.rules import ACCESS_LIFETIME
from domain.shared.transaction import Outcome, Transaction
from tests.support.acts import OPERATOR, noted, principal
from tests.support.client import Api, accepted
from tests.support.factories import NOW, World
from tests.support.live_screens import WAYS, LiveServer, Refused, Screen, live_server
from tests.support.relaying import place_all
from tests.support.visits import check_in

NANNING, QINGXIU = "450000.450100", "450000.450100.450103"
either_way = pytest.mark.parametrize("way", WAYS)


@pytest_asyncio.fixture(loop_scope="module")
async def server(api: Api) -> AsyncGenerator[LiveServer]:
    """The application on a port of its own."""
    async with live_server(api) as server:
        yield server


async def tell(api: Api, relay: Relay, *notes: str, region: str = QINGXIU, subject: UUID | None = None) -> None:
    """One placed event for each note, on inspections of their own unless one is given."""
    events = [noted(note, region=region) for note in notes]
    if subject is not None:
        events = [msgspec.structs.replace(event, subject_id=subject) for event in events]

    async def operation(_tx: Transaction) -> Outcome[None]:
        return Outcome(answer=None, events=tuple(events))

    await api.parts.work.run(OPERATOR, operation)
    await place_all(relay)


async def notes_of(screen: Screen, count: int) -> list[str]:
    return [event["facts"]["note"] for event in await screen.events(count)]


async def until_nobody_watches(api: Api, seconds: float = 10) -> None:
    feed: Feed = api.app.state.feed
    async with asyncio.timeout(seconds):
        while feed.readers:
            await asyncio.sleep(0.02)


def lead(region: str = NANNING) -> Principal:
    return principal(Role.LEAD, region=region)


# Snapshot first, then changes


@either_way
async def test_a_screen_begins_with_what_is_under_way_and_goes_on_with_what_changes(
    api: Api, world: World, relay: Relay, server: LiveServer, way: str
) -> None:
    accepted(await check_in(api, world))
    await place_all(relay)
    async with server.screen(way, api.as_(lead())) as screen:
        ready, [page] = await screen.begin()
        await tell(api, relay, "一", subject=world.inspection)
        [event] = await screen.events(1)
    [visit] = page["visits"]
    assert (page["reason"], page["is_whole"], page["position"]) == ("start", True, ready["position"])
    assert (visit["inspection_id"], visit["standing"]) == (str(world.inspection), "on_site")
    [presence] = visit["presences"]
    assert str(world.inspector.officer_id) in {officer["id"] for officer in presence["officers"]}
    assert presence["is_in_doubt"] is bool(presence["flags"])
    assert event["position"] > ready["position"]
    assert (event["inspection_id"], event["scene"]) == (str(world.inspection), visit["scene"])


@either_way
async def test_the_snapshot_is_cut_by_the_same_scope_as_the_events(
    api: Api, world: World, relay: Relay, server: LiveServer, way: str
) -> None:
    accepted(await check_in(api, world))
    await place_all(relay)
    elsewhere = lead("450000.450200")
    stranger = msgspec.structs.replace(world.inspector, officer_id=uuid4(), account_id=uuid4())
    cases: list[tuple[Principal, dict[str, Any], bool]] = [
        (lead(), {}, True),
        (elsewhere, {}, False),
        (world.inspector, {}, True),
        (stranger, {}, False),
        (lead(), {"scene": "S35"}, False),
    ]
    for who, query, sees in cases:
        async with server.screen(way, api.as_(who), **query) as screen:
            _, [page] = await screen.begin()
            assert bool(page["visits"]) is sees, (who, query)
            await tell(api, relay, "一", region=NANNING, subject=world.inspection)
            if sees:
                assert await notes_of(screen, 1) == ["一"]
            else:
                assert await screen.is_silent()


@either_way
async def test_who_comes_again_gets_exactly_what_was_missed_and_no_snapshot(
    api: Api, relay: Relay, server: LiveServer, way: str
) -> None:
    await tell(api, relay, *"一二三四")
    for after in range(4):
        async with server.screen(way, api.as_(lead()), after=after) as screen:
            assert await screen.next() == {"type": "ready", "position": after}
            assert await notes_of(screen, 4 - after) == list("一二三四"[after:])
            await tell(api, relay, "五", region="450000.450200")
            assert await screen.is_silent(0.1)


async def test_the_last_event_id_resumes_as_a_browser_sends_it(api: Api, relay: Relay, server: LiveServer) -> None:
    await tell(api, relay, *"一二三")
    async with server.screen("events", api.as_(lead()), headers={"Last-Event-ID": "2"}, after=0) as screen:
        assert await screen.next() == {"type": "ready", "position": 2}
        assert await notes_of(screen, 1) == ["三"]


@either_way
async def test_who_is_too_far_behind_gets_a_snapshot_that_says_so(
    api: Api, relay: Relay, server: LiveServer, way: str
) -> None:
    await tell(api, relay, *"一二三四")
    desk: LiveDesk = api.app.state.live_desk
    desk.most_behind = 2
    async with server.screen(way, api.as_(lead()), after=1) as screen:
        ready, [page] = await screen.begin()
        assert (ready["position"], page["reason"]) == (4, "too_old")
        await tell(api, relay, "五")
        assert await notes_of(screen, 1) == ["五"]


@either_way
async def test_a_position_that_is_none_of_ours_is_no_promise_of_silence(
    api: Api, relay: Relay, server: LiveServer, way: str
) -> None:
    await tell(api, relay, "一")
    async with server.screen(way, api.as_(lead()), after=10**15) as screen:
        ready, [page] = await screen.begin()
        assert (ready["position"], page["reason"]) == (1, "unknown_position")


# Who is let in


@either_way
@pytest.mark.parametrize(
    ("who", "query", "status", "kind"),
    [
        (None, {}, 401, "not-signed-in"),
        (principal(Role.ADMINISTRATOR), {}, 403, "forbidden"),
        (principal(Role.ENTERPRISE), {}, 403, "forbidden"),
        (principal(Role.LEAD), {}, 403, "forbidden"),
        (lead(), {"region": "450200"}, 403, "forbidden"),
        (lead(), {"region": "450000"}, 403, "forbidden"),
        (lead(), {"department": UUID(int=9)}, 403, "forbidden"),
        (lead(), {"scene": "S99"}, 422, "invalid-field"),
    ],
)
async def test_what_lies_outside_is_refused_before_anything_is_sent(
    api: Api, server: LiveServer, way: str, who: Principal | None, query: dict[str, Any], status: int, kind: str
) -> None:
    actor = api.anyone if who is None else api.as_(who)
    with pytest.raises(Refused) as refused:
        async with server.screen(way, actor, **query):
            raise AssertionError
    assert (refused.value.status, refused.value.problem["type"]) == (status, f"urn:yima:problem:{kind}")


@pytest.mark.parametrize("after", ["yesterday", "-1", "1e3", "9" * 40])
async def test_a_position_that_is_no_number_is_told_of(api: Api, server: LiveServer, after: str) -> None:
    async with server.screen("websocket", api.as_(lead()), after=after) as screen:
        assert await screen.closing() == 4400
    with pytest.raises(Refused) as refused:
        async with server.screen("events", api.as_(lead()), after=after):
            raise AssertionError
    assert (refused.value.status, refused.value.problem["field"]) == (422, "after")


@either_way
async def test_an_account_holds_so_many_connections_and_gets_a_place_again_when_it_leaves_one(
    api: Api, server: LiveServer, way: str
) -> None:
    who, other = api.as_(lead()), api.as_(lead())

    async def hold(more: int) -> None:
        if more:
            async with server.screen(way, who) as screen:
                await screen.begin()
                await hold(more - 1)
            return
        with pytest.raises(Refused) as refused:
            async with server.screen(way, who):
                raise AssertionError
        assert (refused.value.status, refused.value.problem["type"]) == (429, "urn:yima:problem:too-many-connections")
        async with server.screen(way, other) as screen:
            await screen.begin()

    await hold(MOST_CONNECTIONS)
    await until_nobody_watches(api)
    async with server.screen(way, who) as screen:
        await screen.begin()


# How it ends


@either_way
async def test_silence_is_told_with_a_position_that_is_good_to_come_again_with(
    api: Api, relay: Relay, server: LiveServer, way: str
) -> None:
    desk: LiveDesk = api.app.state.live_desk
    desk.quiet_seconds = 0.1
    async with server.screen(way, api.as_(lead())) as screen:
        await screen.begin()
        await tell(api, relay, "一", region="450000.450200")
        async with asyncio.timeout(5):
            while await screen.next() != {"type": "heartbeat", "position": 1}:
                pass


@either_way
async def test_the_tokens_time_bounds_the_connection(api: Api, server: LiveServer, way: str) -> None:
    api.clock.now = NOW - ACCESS_LIFETIME + timedelta(seconds=1)
    who = api.as_(lead())
    token = who.bearer()
    api.clock.now = NOW
    async with server.screen(way, api.anyone, headers=token) as screen:
        await screen.begin()
        assert await screen.closing() == 4401


@either_way
async def test_who_reads_too_slowly_is_cut_off_with_a_reason_and_resumes(
    api: Api, server: LiveServer, way: str
) -> None:
    feed: Feed = api.app.state.feed
    async with server.screen(way, api.as_(lead()), after=0) as screen:
        await screen.next()
        long = "x" * 200_000
        for position in range(1, 1200):  # more than its queue and every buffer on the way hold
            text = f'{{"type":"event","event":{{"position":{position},"long":"{long}"}}}}'
            feed._fanout.spread(Placed(position, Reach(region=QINGXIU), text))  # pyright: ignore[reportPrivateUsage]
        got: list[int] = []
        async with asyncio.timeout(20):
            while (frame := await screen.next(10))["type"] == "event":
                got.append(frame["event"]["position"])
    assert frame["code"] == 4408
    assert got == list(range(1, len(got) + 1)), "what came is without gap"
    assert len(got) < 1199
    await until_nobody_watches(api)


@pytest.mark.parametrize("way", WAYS)
async def test_of_who_takes_nothing_more_not_even_the_connection_is_left(
    api: Api, server: LiveServer, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.live.stream.STUCK_SECONDS", 0.3)
    monkeypatch.setattr("api.routes.live.STUCK_SECONDS", 0.3)
    monkeypatch.setattr("api.live.protocol.LINGER", 1.0)
    feed: Feed = api.app.state.feed
    with socket.create_connection(("127.0.0.1", server.port)) as stuck:
        stuck.sendall(request_of(way, api.as_(lead()).bearer()))
        async with asyncio.timeout(5):
            while not feed.readers:
                await asyncio.sleep(0.02)
        frame = Placed(1, Reach(region=QINGXIU), "x" * 200_000)
        for position in range(1, 200):  # more than every buffer on the way holds
            told = msgspec.structs.replace(frame, position=position)
            feed._fanout.spread(told)  # pyright: ignore[reportPrivateUsage]
        assert server.connections == 1
        async with asyncio.timeout(10):
            while server.connections:
                await asyncio.sleep(0.05)
    assert not feed.readers


def request_of(way: str, headers: dict[str, str]) -> bytes:
    """What a client sends to watch, by hand: a socket that is never read from."""
    path = "/api/v1/live" if way == "websocket" else "/api/v1/live/events"
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    if way == "websocket":
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    return "\r\n".join([*lines, "", ""]).encode()


def test_each_connection_of_a_client_that_is_gone_ends_within_a_minute() -> None:
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()) as client:
        accepted_one, _ = listening.accept()
        with accepted_one, client:
            assert accepted_one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNHEARD_MS
    assert UNHEARD_MS <= 60_000


@either_way
async def test_a_server_that_stops_says_so_and_does_not_wait_for_its_readers(api: Api, way: str) -> None:
    async with live_server(api) as server, server.screen(way, api.as_(lead())) as screen:
        await screen.begin()
        feed: Feed = api.app.state.feed
        feed.end()
        assert await screen.closing() == 1012
    await until_nobody_watches(api)


@either_way
async def test_who_left_is_forgotten(api: Api, server: LiveServer, way: str) -> None:
    async with server.screen(way, api.as_(lead())) as screen:
        await screen.begin()
    await until_nobody_watches(api)
