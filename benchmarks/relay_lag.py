"""From commit to notice: writers at a steady pace, the real relay process, and one listener."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec

from api.cluster_home import dies_with_parent
from api.live.signals import CHANNEL
from api.settings import Settings
from api.wiring import open_parts
from benchmarks.apart import Figures
from benchmarks.paced_events import Written, figures_of, last_position, placed_after, write_events
from domain.evidence.model import BlobPlace

_WRITERS = 16
_REGION = "450000.450100.450103"


class _Heard(msgspec.Struct):
    """Notices as they came: position and instant (monotonic seconds), both rising."""

    positions: list[int] = []
    instants: list[float] = []

    def hear(self, _connection: object, _pid: object, _channel: object, payload: object) -> None:
        self.positions.append(int(str(payload)))
        self.instants.append(time.monotonic())


async def measure(dsn: str, keys_folder: Path, rate: int = 1000, seconds: int = 15) -> Figures:
    """Milliseconds from a row's commit to the notice of its position; also whether any row is missing or doubled."""
    listener = await asyncpg.connect(dsn)
    blobs = BlobPlace(str(keys_folder.parent / "blobs"))
    try:
        async with (
            _relay(dsn, keys_folder),
            open_parts(dsn, keys_folder, blobs=blobs, pool_size=_WRITERS, application="benchmark writers") as parts,
        ):
            start = await last_position(listener)
            heard = _Heard()
            await listener.add_listener(CHANNEL, heard.hear)
            began = time.monotonic()
            committed = await write_events(parts, [_REGION], rate=rate, seconds=seconds, writers=_WRITERS)
            elapsed = time.monotonic() - began
            await last_position(listener)
            placed = await placed_after(listener, start)
    finally:
        await listener.close()
    return {"rate": len(committed) / elapsed, **_judge(committed, placed, heard, start)}


@asynccontextmanager
async def _relay(dsn: str, keys: Path) -> AsyncGenerator[None]:
    settings = Settings(var=keys.parent, keys=keys, database_url=dsn)
    process = subprocess.Popen(  # noqa: ASYNC220 - before the clock starts
        [sys.executable, "-m", "api.cli", "relay"],
        env={**os.environ, **settings.environment()},
        preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - only prctl and getppid
    )
    try:
        yield
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 15)


def _judge(committed: Mapping[UUID, Written], placed: Sequence[tuple[int, UUID]], heard: _Heard, start: int) -> Figures:
    """Lags, and the gap check: every position once, every row once, nothing else."""
    without_gap = [position for position, _ in placed] == list(range(start + 1, start + 1 + len(placed)))
    complete = len(placed) == len(committed) and {trace_id for _, trace_id in placed} == set(committed)
    lags = [
        (at := committed[trace_id].at, heard.instants[bisect_left(heard.positions, position)] - at)
        for position, trace_id in placed
        if trace_id in committed
    ]
    return {**figures_of(lags), "placed": len(placed), "without_gap": without_gap and complete}
