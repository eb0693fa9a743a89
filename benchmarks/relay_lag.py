"""From commit to notice: writers at a steady pace, the real relay process, and one listener."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec

from api.cluster_home import dies_with_parent
from api.live.signals import CHANNEL
from api.settings import Settings
from api.wiring import Parts, open_parts
from benchmarks.apart import Figures
from benchmarks.load import percentile
from domain.evidence.model import BlobPlace
from domain.inspection.events import Departed, DepartureFacts
from domain.shared import trace
from domain.shared.events import Circumstances, Operator
from domain.shared.ids import new_id

_WRITERS = 16
_WINDOWS = 3
_PATIENCE = 30.0
_OPERATOR = Operator(id=UUID(int=1), name="执法人员", post="执法岗")
_UNPLACED = "SELECT (SELECT count(*) FROM trace) - (SELECT count(*) FROM trace_position)"
_PLACED = "SELECT position, trace_id FROM trace_position WHERE position > $1 ORDER BY position"


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
            await _until_all_placed(listener)
            start = int(await listener.fetchval("SELECT coalesce(max(position), 0) FROM trace_position"))
            heard = _Heard()
            await listener.add_listener(CHANNEL, heard.hear)
            began = time.monotonic()
            committed = await _write(parts, rate, seconds)
            elapsed = time.monotonic() - began
            await _until_all_placed(listener)
            placed = [(row["position"], row["trace_id"]) for row in await listener.fetch(_PLACED, start)]
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


async def _until_all_placed(connection: asyncpg.Connection) -> None:
    async with asyncio.timeout(_PATIENCE):
        while await connection.fetchval(_UNPLACED):  # noqa: ASYNC110 - the event is another process's
            await asyncio.sleep(0.1)


async def _write(parts: Parts, rate: int, seconds: int) -> dict[UUID, float]:
    """Rows at their appointed instants, each its own transaction; gives when each was known to be committed."""
    committed: dict[UUID, float] = {}
    numbers = iter(range(rate * seconds))
    began = time.monotonic() + 0.1

    async def write() -> None:
        async with parts.pool.acquire() as connection:
            for number in numbers:
                await asyncio.sleep(began + number / rate - time.monotonic())
                row = _row(parts)
                await connection.execute(trace.INSERT.text, *trace.INSERT.arguments(msgspec.structs.asdict(row)))
                committed[row.id] = time.monotonic()

    async with asyncio.timeout(seconds + _PATIENCE), asyncio.TaskGroup() as writers:
        for _ in range(_WRITERS):
            writers.create_task(write())
    return committed


def _row(parts: Parts) -> trace.TraceRow:
    now = datetime.now(UTC)
    event = Departed(
        subject_id=new_id(now, parts.random),
        region="450000.450100.450103",
        after=DepartureFacts(visit_id=UUID(int=2), department_id=UUID(int=3), departed_at=now, visit_ended=True),
    )
    return trace.write_down(
        event,
        trace_id=new_id(now, parts.random),
        at=now,
        operator=_OPERATOR,
        circumstances=Circumstances(request_id=new_id(now, parts.random)),
        seal=parts.seal,
    )


def _judge(committed: dict[UUID, float], placed: Sequence[tuple[int, UUID]], heard: _Heard, start: int) -> Figures:
    """Lags, and the gap check: every position once, every row once, nothing else."""
    without_gap = [position for position, _ in placed] == list(range(start + 1, start + 1 + len(placed)))
    complete = len(placed) == len(committed) and {trace_id for _, trace_id in placed} == committed.keys()
    lags = sorted(
        (committed[trace_id], heard.instants[bisect_left(heard.positions, position)] - committed[trace_id])
        for position, trace_id in placed
        if trace_id in committed
    )
    # A writer may hear of its own commit after the relay did; such a lag is none.
    milliseconds = [max(0.0, lag) * 1000 for _, lag in lags]
    size = len(milliseconds) // _WINDOWS
    return {
        "p50_ms": percentile(milliseconds, 0.50),
        "p99_ms": percentile(milliseconds, 0.99),
        "max_ms": max(milliseconds),
        "p99_of_windows": [percentile(milliseconds[n * size : (n + 1) * size], 0.99) for n in range(_WINDOWS)],
        "placed": len(placed),
        "without_gap": without_gap and complete,
    }
