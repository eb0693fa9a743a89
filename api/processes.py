"""What each child process of `yima serve` runs, and how the parent starts them."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable

import uvicorn
import uvloop

from api.app import create_app
from api.delivery.opening import open_senders
from api.jobs import run_worker
from api.live.protocol import INCOMING_BYTES, FeedHttpProtocol, FeedSocketProtocol, ServerThatTells
from api.live.signals import announcements_of
from api.public_lane import public_lane
from api.relay import Relay
from api.settings import Settings
from api.supervisor import Child
from api.wiring import RELAY_ROLE, open_parts
from domain.shared.sql import open_pool

_GRACE_SECONDS = 8
_ALLOCATION = {
    # A decoded picture goes back to the system once it is done with. As glibc comes it learns to keep such pieces, in
    # each thread's own arena: after a few large pictures a server held 280 MB for nothing (measured), with this 155.
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(512 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(512 * 1024),
}


def children_of(settings: Settings, listening: int) -> list[Child]:
    """Servers, workers and a relay; `settings.database_url` is set. `listening` is the bound socket's descriptor."""
    environment = settings.environment() | _ALLOCATION

    def child(name: str, stage: int, *arguments: str, fds: tuple[int, ...] = ()) -> Child:
        argv = [sys.executable, "-m", "api.cli", *arguments]
        return Child(name=name, argv=argv, environment=environment, pass_fds=fds, stage=stage)

    servers = [
        child(f"server {number}", 0, "server", "--fd", str(listening), fds=(listening,))
        for number in range(1, settings.servers + 1)
    ]
    workers = [child(f"worker {number}", 1, "worker") for number in range(1, settings.workers + 1)]
    return [*servers, *workers, child("relay", 2, "relay")]


def serve_http(settings: Settings, dsn: str, listening: int) -> None:
    """One server process on the inherited socket, until SIGTERM; requests under way are finished."""
    app = create_app(settings, dsn)
    config = uvicorn.Config(
        public_lane(app),
        loop="uvloop",
        http=FeedHttpProtocol,
        ws=FeedSocketProtocol,
        ws_max_size=INCOMING_BYTES,
        ws_per_message_deflate=False,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    # Handed over as a socket, not as a descriptor: uvicorn takes a descriptor for a Unix socket and leaves Nagle's
    # algorithm on, which costs 40 ms an answer.
    ServerThatTells(config, app).run(sockets=[socket.socket(fileno=listening)])


def _until_told(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await main(stop)

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    uvloop.run(run())


def work_jobs(settings: Settings, dsn: str) -> None:
    """The worker process, until SIGTERM."""

    async def main(stop: asyncio.Event) -> None:
        async with open_parts(
            dsn,
            settings.keys,
            blobs=settings.blob_place,
            pool_size=8,
            application="yima worker",
            public_url=settings.public_url,
        ) as parts:
            queue_pool = await open_pool(
                dsn, size=6, role="yima_app", application="yima worker queue", json_values=False
            )
            senders = open_senders(settings, parts)
            try:
                await run_worker(parts, queue_pool, senders, stop)
            finally:
                await senders.close()
                await queue_pool.close()

    _until_told(main)


def relay_trace(settings: Settings, dsn: str) -> None:
    """The relay process, until SIGTERM."""

    async def main(stop: asyncio.Event) -> None:
        async with open_parts(
            dsn, settings.keys, blobs=settings.blob_place, pool_size=2, application="yima relay"
        ) as parts:
            pool = await open_pool(dsn, size=2, role=RELAY_ROLE, application="yima relay", json_values=False)
            announcements = announcements_of(settings.redis)
            try:
                await Relay(pool, parts.seal, parts.clock, announcements).run(stop)
            finally:
                await announcements.close()
                await pool.close()

    _until_told(main)
