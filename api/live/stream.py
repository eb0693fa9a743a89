"""Server-sent events: the second way, for proxies and networks that break WebSockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Final

import msgspec
from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from api.live.desk import CloseCode, Frame, close_code_of
from api.live.model import Closing

MEDIA_TYPE: Final = "text/event-stream"
STUCK_SECONDS: Final = 5.0
"""Who accepts nothing for so long is cut off."""
_HEADERS: Final = (
    (b"content-type", f"{MEDIA_TYPE}; charset=utf-8".encode()),
    (b"cache-control", b"no-store"),
    (b"connection", b"close"),  # what is left of it may be cut, since nothing else will be asked over it
    (b"x-accel-buffering", b"no"),  # a proxy that gathers the answer first would never pass it on
)


def to_wire(frame: Frame) -> bytes:
    """The frame as an event; its id is there only where it is safe to come again with it."""
    number = "" if frame.position is None else f"id: {frame.position}\n"
    if frame.kind == "heartbeat":  # an id without data moves the client's last id and fires nothing
        return f": heartbeat\n{number}\n".encode()
    return f"{number}event: {frame.kind}\ndata: {frame.text}\n\n".encode()


class EventStream(Response[bytes]):
    """An answer that goes on until the client leaves, is too slow, or its token's time is over."""

    def __init__(
        self,
        frames: AsyncGenerator[Frame],
        *,
        seconds: float,
        retry_ms: int,
        ended: Callable[[], None],
    ) -> None:
        """Send `frames` for at most `seconds`, then call `ended`; the client comes again after `retry_ms`.

        What `ended` does must see that the connection ends also when the client reads nothing more.
        """
        super().__init__(b"")
        self._frames = frames
        self._seconds = seconds
        self._retry_ms = retry_ms
        self._ended = ended

    def to_asgi_response(self, *_arguments: Any, **_named: Any) -> ASGIResponse:
        """The answer itself, which needs nothing of the application."""
        return _Stream(self._send)

    async def _send(self, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send_frames(send))
        leaving = asyncio.create_task(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            done, _ = await asyncio.wait({sending, leaving}, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            results = await asyncio.gather(sending, leaving, return_exceptions=True)
            self._ended()
        if leaving not in done:
            failure = results[0] if sending in done else None
            code = CloseCode.SIGN_IN_AGAIN if sending not in done else close_code_of(failure)
            await _end(send, receive, code)

    async def _send_frames(self, send: Send) -> None:
        await _pass_on(send, f"retry: {self._retry_ms}\n\n".encode())
        async with aclosing(self._frames) as frames:
            async for frame in frames:
                await _pass_on(send, to_wire(frame))


class _Stream(ASGIResponse):
    def __init__(self, act: Callable[[Receive, Send], Any]) -> None:
        super().__init__(media_type=MEDIA_TYPE)
        self._act = act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI calls it
        await self._act(receive, send)


async def _pass_on(send: Send, body: bytes) -> None:
    async with asyncio.timeout(STUCK_SECONDS):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _end(send: Send, receive: Receive, code: CloseCode) -> None:
    """Tell why, and end. Who is stuck hears nothing of it, and is awaited until the connection is cut."""
    frame = Frame("closing", msgspec.json.encode(Closing(int(code), code.reason)).decode())
    try:
        async with asyncio.timeout(STUCK_SECONDS):
            await send({"type": "http.response.body", "body": to_wire(frame), "more_body": False})
    except TimeoutError:
        await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
