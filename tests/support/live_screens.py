"""Screens that watch live over a real server, by WebSocket or by server-sent events, with one set of words for both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode

import httpx
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.live.protocol import INCOMING_BYTES, FeedHttpProtocol, FeedSocketProtocol, ServerThatTells
from api.public_lane import public_lane
from api.supervisor import listen
from tests.support.client import Actor, Api
from tests.support.installation import free_port

WAYS = ("websocket", "events")
Json = dict[str, Any]


class Refused(Exception):
    """The server did not let the screen in; `problem` says why."""

    def __init__(self, status: int, problem: Json) -> None:
        """Keep what was answered."""
        super().__init__(status, problem)
        self.status = status
        self.problem = problem


class Screen:
    """What one screen receives."""

    def __init__(self, frames: AsyncIterator[Json]) -> None:
        """Read out of `frames`."""
        self._frames = frames
        self.position = 0

    async def next(self, seconds: float = 5) -> Json:
        """The next frame, whatever it is."""
        async with asyncio.timeout(seconds):
            return await anext(self._frames)

    async def begin(self) -> tuple[Json, list[Json]]:
        """Ready, and the pages of the snapshot."""
        ready, pages = await self.next(), [await self.next()]
        assert ready["type"] == "ready"
        while not pages[-1]["is_last"]:
            pages.append(await self.next())
        return ready, pages

    async def events(self, count: int, seconds: float = 5) -> list[Json]:
        """So many events; heartbeats are passed over."""
        got: list[Json] = []
        while len(got) < count:
            frame = await self.next(seconds)
            if frame["type"] != "heartbeat":
                assert frame["type"] == "event", frame
                got.append(frame["event"])
        return got

    async def is_silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while; the screen is over after this."""
        try:
            await self.next(seconds)
        except TimeoutError:
            return True
        return False

    async def closing(self, seconds: float = 10) -> int:
        """Why the server ended it; what comes before is passed over."""
        while True:
            frame = await self.next(seconds)
            if frame["type"] == "closing":
                return int(frame["code"])


class LiveServer:
    """A real server process's worth of uvicorn over the application of a test."""

    def __init__(self, api: Api, port: int, serving: uvicorn.Server) -> None:
        """Reach `api`, which `serving` serves, at `port`."""
        self.api = api
        self.port = port
        self._serving = serving

    @property
    def connections(self) -> int:
        """How many the server holds, whatever became of their clients."""
        return len(self._serving.server_state.connections)

    @asynccontextmanager
    async def screen(
        self, way: str, who: Actor, *, headers: dict[str, str] | None = None, **query: object
    ) -> AsyncGenerator[Screen]:
        """A screen of `who`. Raises `Refused`."""
        text = "?" + urlencode({name: str(value) for name, value in query.items()}) if query else ""
        opened = self._websocket if way == "websocket" else self._events
        async with opened(text, {**who.bearer(), **(headers or {})}) as frames:
            yield Screen(frames)

    @asynccontextmanager
    async def _websocket(self, query: str, headers: dict[str, str]) -> AsyncGenerator[AsyncIterator[Json]]:
        url = f"ws://127.0.0.1:{self.port}/api/v1/live{query}"
        try:
            async with connect(url, additional_headers=headers, max_size=None) as socket:

                async def frames() -> AsyncIterator[Json]:
                    try:
                        async for text in socket:
                            yield json.loads(text)
                    except ConnectionClosed:
                        pass
                    yield {"type": "closing", "code": socket.close_code, "reason": socket.close_reason}

                yield frames()
        except InvalidStatus as refused:
            raise Refused(refused.response.status_code, json.loads(refused.response.body or b"{}")) from refused

    @asynccontextmanager
    async def _events(self, query: str, headers: dict[str, str]) -> AsyncGenerator[AsyncIterator[Json]]:
        url = f"http://127.0.0.1:{self.port}/api/v1/live/events{query}"
        async with (
            httpx.AsyncClient(timeout=30) as http,
            http.stream("GET", url, headers=headers) as answer,
        ):
            if not answer.is_success:
                raise Refused(answer.status_code, json.loads(await answer.aread()))
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield _read_events(answer)


async def _read_events(answer: httpx.Response) -> AsyncIterator[Json]:
    """As a browser reads them (HTML, 9.2): fields until an empty line; what has no data is a heartbeat here."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name or "comment"] = value
            continue
        if "data" in fields:
            frame = json.loads(fields["data"])
            assert frame["type"] == fields["event"]
            yield frame
        elif fields.get("comment") == "heartbeat" or "" in fields or "id" in fields:
            yield {"type": "heartbeat", "position": int(fields["id"])}
        fields = {}


@asynccontextmanager
async def live_server(api: Api) -> AsyncGenerator[LiveServer]:
    """The application of `api` on a free port of 127.0.0.1, served as an installation serves it."""
    listening = listen("127.0.0.1", free_port())
    config = uvicorn.Config(
        public_lane(api.app),
        http=FeedHttpProtocol,
        ws=FeedSocketProtocol,
        ws_max_size=INCOMING_BYTES,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = ServerThatTells(config, api.app)
    config.load()
    server.lifespan = config.lifespan_class(config)
    serving = asyncio.create_task(_serve(server, listening))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield LiveServer(api, listening.getsockname()[1], server)
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(serving, 20)
        listening.close()


async def _serve(server: uvicorn.Server, listening: Any) -> None:
    """Without its signal handlers, which are the test run's own."""
    await server.startup(sockets=[listening])
    await server.main_loop()
    await server.shutdown(sockets=[listening])
