"""What uvicorn needs to serve a feed well: connections that can be cut, and a word to readers before it stops."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.live.feed import Feed

INCOMING_BYTES: Final = 4096
"""What a client says is not listened to, so it need not say much."""
LINGER: Final = 12.0
"""Seconds until nothing is left of a connection whose feed ended: uvicorn awaits the answer to its close frame less."""
_CUT: Final = "yima.cut_later"


class FeedSocketProtocol(WebSocketsSansIOProtocol):
    """A connection that ends also when its client reads nothing more: uvicorn would wait for it to take the rest."""

    async def run_asgi(self) -> None:
        """Serve, and see that nothing is left of the connection a little later."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(LINGER, self.transport.abort)


class FeedHttpProtocol(HttpToolsProtocol):
    """An HTTP connection whose answer may ask that nothing be left of it a little later, read or not."""

    def on_message_begin(self) -> None:
        """Hand the way to cut the connection to whoever answers."""
        super().on_message_begin()
        self.scope["extensions"] = {_CUT: {"call": self._cut_later}}

    def _cut_later(self) -> None:
        self.loop.call_later(LINGER, self.transport.abort)


def cutting(scope: Mapping[str, Any]) -> Callable[[], None]:
    """Ends the connection of a request a little later, also when its client reads nothing more.

    To be called once the answer has ended, and only where the answer says that the connection closes with it.
    """
    offered = (scope.get("extensions") or {}).get(_CUT)
    return _leave if offered is None else offered["call"]


def _leave() -> None:
    """Not a connection of ours, as in a test without a server: whoever holds it ends it."""


class ServerThatTells(uvicorn.Server):
    """Tells the readers of the feed before it waits for open requests: a feed is a request without an end."""

    def __init__(self, config: uvicorn.Config, app: Litestar) -> None:
        """Serve by `config`; `app` has the feed."""
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the feed, then everything else."""
        feed = getattr(self._app.state, "feed", None)
        if isinstance(feed, Feed):
            feed.end()
        await super().shutdown(sockets)
