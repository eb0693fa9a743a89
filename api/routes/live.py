"""现场动态 What a lead, a department or an inspector watches live: over a WebSocket, or as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, WebSocket, get, websocket
from litestar.di import NamedDependency
from litestar.exceptions import WebSocketDisconnect
from litestar.params import HeaderParameter, QueryParameter

from api.auth import bearer_token, permit, principal_of
from api.live.desk import CloseCode, LiveDesk, close_code_of, read_position
from api.live.protocol import cutting
from api.live.scope import Scope
from api.live.stream import MEDIA_TYPE, STUCK_SECONDS, EventStream
from api.live.upgrade import refuse_upgrade
from api.wiring import Parts
from domain.identity.model import Role
from domain.shared.errors import DomainError, InvalidField

_WATCHERS = permit(Role.LEAD, Role.DEPARTMENT_MANAGER, Role.INSPECTOR)
_RETRY_MS = 2000
"""A client waits so long, and up to half as long again, before it comes back: not all of them at once."""


async def _until_gone(socket: WebSocket[Any, Any, Any]) -> None:
    """What a client says is not listened to; that it left is."""
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_data(mode="text")


async def _send(socket: WebSocket[Any, Any, Any], desk: LiveDesk, scope: Scope, after: int | None) -> None:
    async with aclosing(desk.frames(scope, after)) as frames:
        async for frame in frames:
            async with asyncio.timeout(STUCK_SECONDS):
                await socket.send_data(frame.text)


async def _watch(socket: WebSocket[Any, Any, Any], desk: LiveDesk, scope: Scope, seconds: float) -> CloseCode | None:
    """Serve an accepted connection; gives why it has to be closed, None when the client left."""
    try:
        after = read_position(socket.query_params.get("after"))
    except InvalidField:
        return CloseCode.BAD_CURSOR
    sending = asyncio.create_task(_send(socket, desk, scope, after))
    leaving = asyncio.create_task(_until_gone(socket))
    try:
        done, _ = await asyncio.wait({sending, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        results = await asyncio.gather(sending, leaving, return_exceptions=True)
    if leaving in done:
        return None
    return close_code_of(results[0]) if sending in done else CloseCode.SIGN_IN_AGAIN


@websocket("/live", opt=_WATCHERS)
async def watch_live(socket: WebSocket[Any, Any, Any]) -> None:
    """Check-ins and what follows, in order of position, within the caller's scope; `?after=` resumes.

    The token's time also bounds the connection: after it the socket closes with 4401 and the client comes again with
    a fresh token and its last position. 4408: the client read too slowly and may resume likewise.
    """
    desk: LiveDesk = socket.app.state.live_desk
    principal, token = principal_of(socket), bearer_token(socket.scope) or ""
    try:
        scope = await desk.scope(principal, socket.query_params)
        desk.take_seat(principal.account_id)
    except DomainError as refused:
        await refuse_upgrade(socket.scope, socket.send, refused)
        return
    try:
        chosen = f"bearer.{token}" if "sec-websocket-protocol" in socket.headers else None
        await socket.accept(subprotocols=chosen)
        code = await _watch(socket, desk, scope, desk.seconds_left(token))
    finally:
        desk.leave_seat(principal.account_id)
    if code is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(STUCK_SECONDS):
                await socket.close(int(code), code.reason)


@get("/live/events", opt=_WATCHERS, operation_id="watchLiveEvents", media_type=MEDIA_TYPE)
async def watch_live_events(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    after: Annotated[str | None, QueryParameter(description="Go on after this position.")] = None,
    region: Annotated[str | None, QueryParameter(description="行政区划代码, six digits.")] = None,
    department: Annotated[UUID | None, QueryParameter(description="部门.")] = None,
    scene: Annotated[str | None, QueryParameter(description="场景, `S01` to `S35`.")] = None,
    last_event_id: Annotated[str | None, HeaderParameter(name="Last-Event-ID")] = None,
) -> EventStream:
    """现场动态 as server-sent events: the same frames as over the WebSocket, in the same order, within the same scope.

    Each event's id is its position; `Last-Event-ID` (or `?after=`) resumes. A comment every 20 s shows that the line
    is alive. The stream ends with a `closing` event when the token's time is over.
    """
    desk: LiveDesk = request.app.state.live_desk
    principal = principal_of(request)
    position = read_position(last_event_id or after)
    wish: Mapping[str, str | None] = {
        "region": region,
        "department": None if department is None else str(department),
        "scene": scene,
    }
    scope = await desk.scope(principal, {name: value for name, value in wish.items() if value is not None})
    desk.take_seat(principal.account_id)
    cut_later = cutting(request.scope)

    def ended() -> None:
        desk.leave_seat(principal.account_id)
        cut_later()

    return EventStream(
        desk.frames(scope, position),
        seconds=desk.seconds_left(bearer_token(request.scope) or ""),
        retry_ms=_RETRY_MS + int.from_bytes(parts.random(2), "big") * _RETRY_MS // 131_072,
        ended=ended,
    )


live_router = Router("/", route_handlers=[watch_live, watch_live_events], tags=["live"])
