"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from api.auth import permit_anyone
from api.live import Feed
from api.wiring import Parts
from api.work import DatabaseAway
from domain.shared.sql import Query
from domain.shared.tables import trace, trace_cursor


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this server can serve; `degraded` is served, but the relay is behind: no live feed, no messages.

    `unplaced` counts trace rows that wait for their position, up to 10,000; `oldest_unplaced_s` is the age of the
    oldest of them in seconds.
    """

    status: str
    database: bool
    feed: bool
    unplaced: int | None
    oldest_unplaced_s: float | None


class _Backlog(msgspec.Struct, frozen=True):
    unplaced: int
    oldest_at: datetime | None


_BEHIND_SECONDS = 10.0
_waiting = (
    sa.select(trace.c.at)
    .where(sa.tuple_(trace.c.tx, trace.c.n) > sa.select(trace_cursor.c.tx, trace_cursor.c.n).scalar_subquery())
    .order_by(trace.c.tx, trace.c.n)
    .limit(10_000)
    .subquery()
)
_BACKLOG = Query(sa.select(sa.func.count().label("unplaced"), sa.func.min(_waiting.c.at).label("oldest_at")), _Backlog)


@get("/health/live", opt=permit_anyone(), operation_id="healthLive")
async def live() -> Alive:
    """The process answers; nothing else is asked."""
    return Alive()


@get("/health/ready", opt=permit_anyone(), operation_id="healthReady")
async def ready(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Readiness]:
    """200 when database and feed answer, else 503; what is missing or behind is told either way."""
    feed: Feed = request.app.state.feed
    try:
        async with parts.work.reading() as connection:
            backlog = await _BACKLOG.one(connection)
    except DatabaseAway:
        body = Readiness(
            status="unavailable", database=False, feed=feed.is_current, unplaced=None, oldest_unplaced_s=None
        )
        return Response(body, status_code=503)
    age = None if backlog.oldest_at is None else max(0.0, (parts.clock() - backlog.oldest_at).total_seconds())
    body = Readiness(
        status=_status(feed.is_current, age),
        database=True,
        feed=feed.is_current,
        unplaced=backlog.unplaced,
        oldest_unplaced_s=age,
    )
    return Response(body, status_code=200 if feed.is_current else 503)


def _status(feed_is_current: bool, age: float | None) -> str:
    if not feed_is_current:
        return "unavailable"
    return "degraded" if age is not None and age > _BEHIND_SECONDS else "ok"


health_router = Router("/", route_handlers=[live, ready], tags=["health"])
