"""The live feed over WebSocket."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Router, WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from api.auth import bearer_token, permit, principal_of
from api.live import Feed, FeedEvent, SlowConsumer
from domain.identity.model import Role
from domain.identity.rules import ACCESS_LIFETIME

_HEARTBEAT = 20.0
_SIGN_IN_AGAIN = 4401
_TOO_SLOW = 4408
_BAD_CURSOR = 4400


class Ready(msgspec.Struct, frozen=True, tag_field="type", tag="ready"):
    """The first frame: the position from which the feed goes on."""

    position: int


class Heartbeat(msgspec.Struct, frozen=True, tag_field="type", tag="heartbeat"):
    """Sent when nothing happened for 20 s; `position` is the newest that this server has seen."""

    position: int


class EventFrame(msgspec.Struct, frozen=True, tag_field="type", tag="event"):
    """One event; keep its position."""

    event: FeedEvent


async def _send(socket: WebSocket[Any, Any, Any], feed: Feed, after: int) -> None:
    events = feed.follow(principal_of(socket), after)
    pending: asyncio.Task[FeedEvent] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({pending}, timeout=_HEARTBEAT)
            if not done:
                await socket.send_data(msgspec.json.encode(Heartbeat(feed.position)).decode())
                continue
            event, pending = pending.result(), None
            await socket.send_data(msgspec.json.encode(EventFrame(event)).decode())
    finally:
        if pending is not None:
            pending.cancel()
        await events.aclose()


async def _until_gone(socket: WebSocket[Any, Any, Any]) -> None:
    """What a client says is not listened to; that it left is."""
    try:
        while True:
            await socket.receive_data(mode="text")
    except WebSocketDisconnect:
        return


def _after(socket: WebSocket[Any, Any, Any]) -> int | None:
    text = socket.query_params.get("after")
    return None if text is None else int(text)


@websocket("/live", opt=permit(Role.LEAD, Role.DEPARTMENT_MANAGER))
async def watch_live(socket: WebSocket[Any, Any, Any]) -> None:
    """Check-ins and what follows, in order of position, within the caller's scope; `?after=` resumes.

    The token's time also bounds the connection: after it the socket closes with 4401 and the client comes again with
    a fresh token and its last position. 4408: the client read too slowly and may resume likewise.
    """
    feed: Feed = socket.app.state.feed
    chosen = f"bearer.{bearer_token(socket.scope)}" if "sec-websocket-protocol" in socket.headers else None
    await socket.accept(subprotocols=chosen)
    try:
        after = _after(socket)
    except ValueError:
        await socket.close(_BAD_CURSOR, "after")
        return
    start = await feed.present_end() if after is None else after
    await socket.send_data(msgspec.json.encode(Ready(start)).decode())
    sending = asyncio.create_task(_send(socket, feed, start))
    leaving = asyncio.create_task(_until_gone(socket))
    done, waiting = await asyncio.wait(
        {sending, leaving}, timeout=ACCESS_LIFETIME.total_seconds(), return_when=asyncio.FIRST_COMPLETED
    )
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    if leaving in done:
        return
    if not done:
        await socket.close(_SIGN_IN_AGAIN, "sign in again")
    elif isinstance(sending.exception(), SlowConsumer):
        await socket.close(_TOO_SLOW, "too slow; resume from the last position")
    else:
        await socket.close(1011, "try again")


live_router = Router("/", route_handlers=[watch_live], tags=["live"])
