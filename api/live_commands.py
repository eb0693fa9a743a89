"""`yima live watch`: the live feed in a terminal, over any number of breaks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from random import SystemRandom
from typing import Any, Final
from urllib.parse import urlencode

import click
import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from api.live.actions import LIVE_EVENTS
from api.live.model import Closing, EventFrame, FeedEvent, Heartbeat, Ready
from api.live.snapshot import SnapshotFrame, VisitStanding, VisitUnderWay
from api.live.warnings import OpenWarning
from codes.divisions import resolve_division
from domain.deadline.model import WarningLevel
from domain.shared.clock import WORKING_ZONE

_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 30.0
_SILENCE: Final = 45.0
_UNAUTHORISED: Final = 401
_REFUSED: Final = frozenset({400, 403, 404, 422})
_DUTIES: Final[Mapping[str, str]] = {kind.action: kind.duty for kind in LIVE_EVENTS}
_STANDINGS: Final[Mapping[VisitStanding, str]] = {
    VisitStanding.ON_SITE: "在场",
    VisitStanding.LEFT: "已离场",
    VisitStanding.COMPLETED: "已完成",
}
_random: Final = SystemRandom()
_Frame = Ready | SnapshotFrame | EventFrame | Heartbeat | Closing
_decode: Final = msgspec.json.Decoder(_Frame).decode


@click.group("live")
def live_group() -> None:
    """Watch what happens, as it happens."""


@live_group.command("watch")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where the installation answers.")
@click.option("--login", required=True, help="The account: a lead, a department manager or an inspector.")
@click.option("--region", help="行政区划代码 within the account's own region.")
@click.option("--department", help="部门, by its id.")
@click.option("--scene", help="场景, S01 to S35.")
@click.option("--after", type=click.IntRange(min=0), help="Go on after this position instead of with a snapshot.")
def watch(url: str, login: str, after: int | None, **wish: str | None) -> None:
    """Show the feed until Ctrl-C. The password is asked for, or read from standard input."""
    password = click.prompt("密码", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    query = {name: value for name, value in wish.items() if value is not None}
    watcher = Watcher(url.rstrip("/"), login, password, query, after)
    with suppress(KeyboardInterrupt):
        sys.exit(asyncio.run(watcher.run()))


class Watcher:
    """A client as a screen should be one: it keeps its position, and comes back after every break."""

    def __init__(self, url: str, login: str, password: str, query: Mapping[str, str], after: int | None) -> None:
        """Watch `url` as `login`; `query` narrows, `after` resumes."""
        self._url = url
        self._account = {"name": login, "password": password}
        self._query = query
        self._position = after
        self._wait = _FIRST_WAIT
        self._refresh_token: str | None = None

    async def run(self) -> int:
        """Watch until cancelled; gives an exit code where coming again is of no use."""
        while True:
            try:
                await self._watch_once(await self._sign_in())
            except InvalidStatus as refused:
                if refused.response.status_code in _REFUSED:
                    click.echo(f"被拒绝：{_detail(refused.response.body)}", err=True)
                    return 1
            except httpx.HTTPStatusError as refused:
                if refused.response.status_code == _UNAUTHORISED:
                    click.echo(f"登录失败：{_detail(refused.response.content)}", err=True)
                    return 1
            except BrokenPipeError:  # whoever read what we say is gone: click ends quietly
                raise
            except (OSError, httpx.HTTPError, InvalidHandshake, ConnectionClosed):
                click.echo("连接中断，正在重连…", err=True)
            await asyncio.sleep(self._wait * (0.5 + _random.random()))
            self._wait = min(self._wait * 2, _LONGEST_WAIT)

    async def _sign_in(self) -> str:
        """An access token: by the session that there is, as long as it lasts."""
        async with httpx.AsyncClient(timeout=10, base_url=self._url) as http:
            answer: httpx.Response | None = None
            if self._refresh_token is not None:
                answer = await http.post("/api/v1/sessions/refresh", json={"refresh_token": self._refresh_token})
            if answer is None or answer.status_code == _UNAUTHORISED:
                answer = await http.post("/api/v1/sessions", json=self._account)
        answer.raise_for_status()
        tokens = answer.json()
        self._refresh_token = str(tokens["refresh_token"])
        return str(tokens["access_token"])

    async def _watch_once(self, token: str) -> None:
        query = dict(self._query) if self._position is None else {**self._query, "after": str(self._position)}
        address = self._url.replace("http", "ws", 1) + "/api/v1/live" + ("?" + urlencode(query) if query else "")
        async with connect(
            address, additional_headers={"Authorization": f"Bearer {token}"}, compression=None, max_size=None
        ) as feed:
            await self._show_all(feed)

    async def _show_all(self, feed: ClientConnection) -> None:
        """Until the line breaks, or is dead without having been cut."""
        while True:
            async with asyncio.timeout(_SILENCE):
                text = await feed.recv()
            frame = _decode(text)
            self._wait = _FIRST_WAIT
            match frame:
                case EventFrame(event):
                    click.echo(line_of(event))
                    self._position = event.position
                case SnapshotFrame():
                    for visit in frame.visits:
                        click.echo(line_of_visit(visit))
                    for warning in frame.warnings:
                        click.echo(line_of_warning(warning))
                    if frame.is_last:
                        self._position = frame.position
                case Heartbeat(position):
                    self._position = position
                case _:
                    pass


def line_of(event: FeedEvent) -> str:
    """时间, 地区, 人员, 事项: one event for people."""
    marks = _marks(event.facts)
    what = _DUTIES.get(event.action, event.action)
    return "  ".join(filter(None, [_time(event.at), _region(event.region), event.operator, what, marks]))


def line_of_visit(visit: VisitUnderWay) -> str:
    """One inspection under way for people."""
    officers = "、".join(officer.name for presence in visit.presences for officer in presence.officers)
    doubt = "位置待核" if any(presence.is_in_doubt for presence in visit.presences) else ""
    standing = f"{_STANDINGS[visit.standing]}：{visit.enterprise} {visit.site}"
    return "  ".join(filter(None, [_time(visit.arrived_at), _region(visit.region), officers, standing, doubt]))


def line_of_warning(warning: OpenWarning) -> str:
    """One warning that stands for people."""
    level, stage = WarningLevel(warning.level).label, warning.stage.label
    what = f"{warning.kind.label}{stage}（{level}）"
    where = " ".join(filter(None, [warning.enterprise, warning.site]))
    return "  ".join(filter(None, [f"期限{warning.due_on}", _region(warning.region), warning.department, what, where]))


def _marks(facts: msgspec.Raw) -> str:
    told = msgspec.json.decode(facts)
    return "位置待核" if isinstance(told, dict) and told.get("flags") else ""


def _time(at: datetime) -> str:
    return at.astimezone(WORKING_ZONE).strftime("%m-%d %H:%M:%S")


def _region(path: str | None) -> str:
    division = None if path is None else resolve_division(path.rpartition(".")[2])
    return "" if division is None else division.name


def _detail(body: bytes | bytearray | None) -> str:
    try:
        problem: Any = msgspec.json.decode(body or b"")
    except msgspec.DecodeError:
        return "服务器未说明原因。"
    return str(problem.get("detail") or problem.get("title"))
