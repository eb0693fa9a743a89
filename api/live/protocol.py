"""What uvicorn needs to serve a feed well: connections that can be cut, and a word to readers before it stops."""

from __future__ import annotations

import socket
from typing import Final

import uvicorn
from litestar import Litestar
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.live.feed import Feed

INCOMING_BYTES: Final = 4096
"""What a client says is not listened to, so it need not say much."""
_LINGER: Final = 12.0  # longer than uvicorn waits for the answer to its close frame


class FeedSocketProtocol(WebSocketsSansIOProtocol):
    """A connection that ends also when its client reads nothing more: uvicorn would wait for it to take the rest."""

    async def run_asgi(self) -> None:
        """Serve, and see that nothing is left of the connection a little later."""
        try:
            await super().run_asgi()
        finally:
            self.loop.call_later(_LINGER, self.transport.abort)


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
