"""`yima live watch`: what a terminal shows, over breaks of the line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest

from api import live_commands
from api.live import Feed
from api.live_commands import Watcher
from api.relay import Relay
from domain.identity.model import Principal
from tests.support.client import Api, accepted
from tests.support.factories import PASSWORD, World, login_of
from tests.support.live_screens import live_server
from tests.support.relaying import place_all
from tests.support.visits import act, check_in


class Terminal:
    """What was printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Print here instead."""
        self.lines: list[str] = []
        monkeypatch.setattr(live_commands.click, "echo", self._echo)
        monkeypatch.setattr(live_commands, "_FIRST_WAIT", 0.1)

    def _echo(self, line: str, *, err: bool = False) -> None:
        self.lines.append(f"! {line}" if err else line)

    async def shows(self, words: str, seconds: float = 10) -> str:
        """The first line with these words, waited for."""
        async with asyncio.timeout(seconds):
            while not any(words in line for line in self.lines):
                await asyncio.sleep(0.02)
        return next(line for line in self.lines if words in line)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of its own."""
    return Terminal(monkeypatch)


def watcher(port: int, who: Principal, password: str = PASSWORD, **query: str) -> Watcher:
    """`yima live watch` of `who`."""
    return Watcher(f"http://127.0.0.1:{port}", login_of(who), password, query, None)


@asynccontextmanager
async def watching(of: Watcher) -> AsyncGenerator[asyncio.Task[int]]:
    """As long as the context lasts; ended as Ctrl-C ends it."""
    task = asyncio.create_task(of.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_it_shows_time_region_person_and_act_and_goes_on_after_a_break(
    api: Api, world: World, relay: Relay, terminal: Terminal
) -> None:
    accepted(await check_in(api, world))
    await place_all(relay)
    async with live_server(api) as server, watching(watcher(server.port, world.lead)):
        under_way = await terminal.shows("在场")
        accepted(await act(api, world, "departures", {}))
        await place_all(relay)
        departed = await terminal.shows("离场登记")
        feed: Feed = api.app.state.feed
        feed.end()
        await terminal.shows("! 连接中断")
        accepted(await check_in(api, world, world.emergency_inspector, second_officer_id=world.emergency_partner.id))
        await place_all(relay)
        arrived = await terminal.shows("扫码报到")
    assert world.inspector.name in departed
    assert world.emergency_inspector.name in arrived
    assert world.officer.name in under_way
    assert [line for line in terminal.lines if "在场" in line] == [under_way], "after a break no second snapshot comes"
    assert sum("离场登记" in line for line in terminal.lines) == 1


async def test_a_wrong_password_ends_it_with_a_reason(api: Api, world: World, terminal: Terminal) -> None:
    async with live_server(api) as server:
        code = await asyncio.wait_for(watcher(server.port, world.lead, "not-this-one").run(), 10)
    assert code == 1
    assert terminal.lines[0].startswith("! 登录失败：")


async def test_what_may_not_be_watched_ends_it_with_a_reason(api: Api, world: World, terminal: Terminal) -> None:
    async with live_server(api) as server:
        code = await asyncio.wait_for(watcher(server.port, world.lead, scene="S99").run(), 10)
    assert (code, terminal.lines) == (1, ["! 被拒绝：没有这个场景。"])


async def test_a_server_that_is_away_is_awaited(api: Api, world: World, relay: Relay, terminal: Terminal) -> None:
    accepted(await check_in(api, world))
    await place_all(relay)
    async with live_server(api) as gone:
        port = gone.port
    async with watching(watcher(port, world.lead)) as task:
        await terminal.shows("! 连接中断")
        assert not task.done()
