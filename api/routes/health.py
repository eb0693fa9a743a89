"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

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
    """`unplaced` counts committed trace rows that the relay has not placed yet, up to 10,000."""

    status: str
    database: bool
    feed: bool
    unplaced: int | None


class _Backlog(msgspec.Struct, frozen=True):
    unplaced: int


_waiting = (
    sa.select(trace.c.n)
    .where(sa.tuple_(trace.c.tx, trace.c.n) > sa.select(trace_cursor.c.tx, trace_cursor.c.n).scalar_subquery())
    .limit(10_000)
    .subquery()
)
_BACKLOG = Query(sa.select(sa.func.count().label("unplaced")).select_from(_waiting), _Backlog)


@get("/health/live", opt=permit_anyone(), operation_id="healthLive")
async def live() -> Alive:
    """The process answers; nothing else is asked."""
    return Alive()


@get("/health/ready", opt=permit_anyone(), operation_id="healthReady")
async def ready(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[Readiness]:
    """200 when database and feed answer, else 503, with what is missing."""
    feed: Feed = request.app.state.feed
    try:
        async with parts.work.reading() as connection:
            unplaced = (await _BACKLOG.one(connection)).unplaced
    except DatabaseAway:
        return Response(
            Readiness(status="unavailable", database=False, feed=feed.is_current, unplaced=None), status_code=503
        )
    good = feed.is_current
    body = Readiness(status="ok" if good else "unavailable", database=True, feed=good, unplaced=unplaced)
    return Response(body, status_code=200 if good else 503)


health_router = Router("/", route_handlers=[live, ready], tags=["health"])
