"""The application as its clients meet it: HTTP in, HTTP out, by people who are signed in or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import msgspec
from litestar import Litestar

from api.app import create_app
from api.live import Feed
from api.live.desk import LiveDesk
from api.page_cache import PageCache
from api.public_lane import public_lane
from api.settings import Settings
from api.wiring import Parts
from domain.identity.model import Principal
from tests.support.clock import FixedClock

_PROBLEM = "urn:yima:problem:"


class Actor:
    """A person with a phone: who they are goes with every request, a fresh Idempotency-Key with every write."""

    def __init__(self, http: httpx.AsyncClient, parts: Parts, principal: Principal | None) -> None:
        """Act as `principal`; None is nobody signed in."""
        self._http = http
        self._parts = parts
        self.principal = principal

    def bearer(self) -> dict[str, str]:
        """The Authorization header of a token made this instant."""
        if self.principal is None:
            return {}
        token = self._parts.session_tokens.issue_access(self.principal, self._parts.clock())
        return {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, headers: Mapping[str, str] | None = None, /, **query: object) -> httpx.Response:
        """Read `path`, with `query` where it is not None."""
        params = {name: str(value) for name, value in query.items() if value is not None}
        # No query at all, not an empty one: that would take away what stands in `path`.
        return await self._http.get(path, headers={**self.bearer(), **(headers or {})}, params=params or None)

    async def post(
        self,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        after: str | None = None,
        done_at: datetime | str | None = None,
    ) -> httpx.Response:
        """Write to `path` under `key`, a new one unless given; an empty text sends none."""
        headers = self.bearer()
        if key != "":
            headers["Idempotency-Key"] = key or str(uuid4())
        if after is not None:
            headers["Yima-After"] = after
        if done_at is not None:
            headers["Yima-Done-At"] = done_at.isoformat() if isinstance(done_at, datetime) else done_at
        content = b"" if body is None else msgspec.json.encode(body)
        return await self._http.post(path, content=content, headers={**headers, "Content-Type": "application/json"})

    async def put(
        self,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        after: str | None = None,
        done_at: datetime | str | None = None,
        if_match: int | None = None,
    ) -> httpx.Response:
        """Put `body` at `path`, over version `if_match` where there was one."""
        headers = self.bearer() | {"Idempotency-Key": key or str(uuid4()), "Content-Type": "application/json"}
        if after is not None:
            headers["Yima-After"] = after
        if done_at is not None:
            headers["Yima-Done-At"] = done_at.isoformat() if isinstance(done_at, datetime) else done_at
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        return await self._http.put(path, content=msgspec.json.encode(body), headers=headers)

    async def delete(self, path: str) -> httpx.Response:
        """End what is at `path`."""
        return await self._http.delete(path, headers=self.bearer())


class Api(msgspec.Struct, frozen=True):
    """A running application with its parts, its clock, and a way to talk to it."""

    app: Litestar
    http: httpx.AsyncClient
    parts: Parts
    clock: FixedClock

    @property
    def anyone(self) -> Actor:
        """Somebody who is not signed in."""
        return Actor(self.http, self.parts, None)

    def as_(self, principal: Principal) -> Actor:
        """`principal`, signed in."""
        return Actor(self.http, self.parts, principal)

    def forget(self) -> None:
        """Begin anew over a database that was emptied: no page is kept, the trace starts at its beginning, the feed
        remembers nothing, and nobody holds a seat.
        """
        cache: PageCache = self.app.state.page_cache
        feed: Feed = self.app.state.feed
        cache.evict_all()
        feed.position = 0
        feed._recent.clear()  # pyright: ignore[reportPrivateUsage]
        feed._remembers_after = 0  # pyright: ignore[reportPrivateUsage]
        self.app.state.live_desk = LiveDesk(self.parts, feed)


@asynccontextmanager
async def api_client(settings: Settings, dsn: str, clock: FixedClock) -> AsyncGenerator[Api]:
    """The whole application over the database at `dsn`, started and stopped in this event loop.

    Litestar's own test client runs the application in a thread and holds up the caller's loop meanwhile: a relay or
    a second request beside the first could not go on. The lifespan is entered and left in one task, as it asks.
    """
    app = create_app(settings, dsn, clock=clock)
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await stop.wait()

    living = asyncio.create_task(live())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait({living, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if living.done():
        living.result()
    transport = httpx.ASGITransport(public_lane(app))  # type: ignore[arg-type] - Litestar's stricter ASGI types
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://yima.test") as http:
            yield Api(app, http, app.state.parts, clock)
    finally:
        stop.set()
        await living


@asynccontextmanager
async def statements(api: Api) -> AsyncGenerator[list[str]]:
    """The texts that the application's pool sends to PostgreSQL meanwhile, in order; the feed has its own line."""
    sent: list[str] = []

    def note(logged: Any) -> None:
        sent.append(logged.query)

    lines = open_lines(api)
    for line in lines:
        line.add_query_logger(note)
    try:
        yield sent
    finally:
        for line in lines:
            line.remove_query_logger(note)


def open_lines(api: Api) -> list[asyncpg.Connection]:
    """The connections that the application's pool holds open."""
    holders: list[Any] = api.parts.pool._holders  # pyright: ignore[reportPrivateUsage] - asyncpg tells it nowhere else
    return [holder._con for holder in holders if holder._con is not None]


def accepted(response: httpx.Response) -> dict[str, Any]:
    """The result of a write that was accepted."""
    assert response.status_code == 201, response.text
    return response.json()["result"]


def refused(response: httpx.Response, status: int, kind: str, field: str | None = None) -> dict[str, Any]:
    """The problem of a request that was refused as it should be; gives its facts."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    told = (response.status_code, problem["status"], problem["type"], problem.get("field"))
    assert told == (status, status, _PROBLEM + kind, field), response.text
    assert problem["title"]
    return problem.get("facts", {})
