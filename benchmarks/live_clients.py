"""Screens of leads in one process: as many WebSockets as it is told, each writing down what comes and when."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from pathlib import Path

import msgspec
import uvloop
from websockets.asyncio.client import ClientConnection, connect

_AT_ONCE = 40


class Lead(msgspec.Struct, frozen=True):
    """Who connects where, and the path of the region that they may see."""

    port: int
    token: str
    region: str


class Order(msgspec.Struct, frozen=True):
    """What a process of clients is told: it ends by itself after `most_seconds`."""

    leads: list[Lead]
    results: str
    most_seconds: float


class Heard(msgspec.Struct):
    """What one screen received: positions and instants (monotonic seconds), and whether any was not its own."""

    region: str
    positions: list[int] = []
    instants: list[float] = []
    foreign: int = 0
    closed: bool = False


class _Event(msgspec.Struct):
    position: int
    region: str


class _Frame(msgspec.Struct):
    type: str
    event: _Event | None = None


async def _listen(feed: ClientConnection, heard: Heard) -> None:
    decode = msgspec.json.Decoder(_Frame).decode
    below = heard.region + "."
    async for text in feed:
        now = time.monotonic()
        event = decode(text).event
        if event is not None:
            heard.positions.append(event.position)
            heard.instants.append(now)
            heard.foreign += not (event.region == heard.region or event.region.startswith(below))
    heard.closed = True


async def _watch(lead: Lead, heard: Heard, gate: asyncio.Semaphore, ready: asyncio.Queue[None]) -> None:
    async with gate:
        feed = await connect(
            f"ws://127.0.0.1:{lead.port}/api/v1/live",
            additional_headers={"Authorization": f"Bearer {lead.token}"},
            compression=None,
            ping_interval=None,
            open_timeout=60,
        )
        await feed.recv()  # ready
        await feed.recv()  # the snapshot, which is empty here
    ready.put_nowait(None)
    try:
        await _listen(feed, heard)
    finally:
        feed.transport.abort()


async def _run(order: Order) -> list[Heard]:
    heard = [Heard(lead.region) for lead in order.leads]
    gate, ready = asyncio.Semaphore(_AT_ONCE), asyncio.Queue[None]()
    watching = [
        asyncio.create_task(_watch(lead, each, gate, ready)) for lead, each in zip(order.leads, heard, strict=True)
    ]
    for _ in watching:
        waiting = asyncio.create_task(ready.get())
        await asyncio.wait({waiting, *watching}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise next(task.exception() for task in watching if task.done()) or ConnectionResetError
    gc.collect()
    gc.freeze()  # 650 connections stand still from here: looking through them would be measured as if Yima were slow
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return heard


def main() -> None:
    """Connect, say `ready`, listen until a line comes on standard input, and write down what was heard."""
    order = msgspec.json.decode(sys.stdin.readline(), type=Order)

    async def bounded() -> list[Heard]:
        async with asyncio.timeout(order.most_seconds):
            return await _run(order)

    heard = uvloop.run(bounded())
    Path(order.results).write_bytes(msgspec.json.encode(heard))
    print("done", flush=True)


if __name__ == "__main__":
    main()
