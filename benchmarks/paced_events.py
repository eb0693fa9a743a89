"""Events that writers commit at a steady pace, and how long after its commit each was noticed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec

from api.wiring import Parts
from benchmarks.apart import Figures
from benchmarks.load import percentile
from domain.inspection.events import Departed, DepartureFacts
from domain.shared import trace
from domain.shared.events import Circumstances, Operator
from domain.shared.ids import new_id

_WINDOWS = 3
_PATIENCE = 60.0
_OPERATOR = Operator(id=UUID(int=1), name="执法人员", post="执法岗")
_UNPLACED = "SELECT (SELECT count(*) FROM trace) - (SELECT count(*) FROM trace_position)"
_PLACED = "SELECT position, trace_id FROM trace_position WHERE position > $1 ORDER BY position"


class Written(msgspec.Struct, frozen=True):
    """One event: where, and when it was known to be committed (monotonic seconds)."""

    region: str
    at: float


async def write_events(
    parts: Parts, regions: Sequence[str], *, rate: int, seconds: int, writers: int
) -> dict[UUID, Written]:
    """Rows of the trace at their appointed instants, each its own transaction, one of `regions` after another."""
    written: dict[UUID, Written] = {}
    numbers = iter(range(rate * seconds))
    began = time.monotonic() + 0.1

    async def write() -> None:
        async with parts.pool.acquire() as connection:
            for number in numbers:
                await asyncio.sleep(began + number / rate - time.monotonic())
                region = regions[number % len(regions)]
                row = _row(parts, region)
                await connection.execute(trace.INSERT.text, *trace.INSERT.arguments(msgspec.structs.asdict(row)))
                written[row.id] = Written(region, time.monotonic())

    async with asyncio.timeout(seconds + _PATIENCE), asyncio.TaskGroup() as tasks:
        for _ in range(writers):
            tasks.create_task(write())
    return written


def _row(parts: Parts, region: str) -> trace.TraceRow:
    now = datetime.now(UTC)
    event = Departed(
        subject_id=new_id(now, parts.random),
        region=region,
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


async def last_position(connection: asyncpg.Connection) -> int:
    """The newest position of the trace, once every row has one. Raises TimeoutError."""
    async with asyncio.timeout(_PATIENCE):
        while await connection.fetchval(_UNPLACED):  # noqa: ASYNC110 - the event is another process's
            await asyncio.sleep(0.1)
    newest: int | None = await connection.fetchval("SELECT max(position) FROM trace_position")
    return newest or 0


async def placed_after(connection: asyncpg.Connection, position: int) -> list[tuple[int, UUID]]:
    """Position and row of all that came after `position`, in their order."""
    return [(row["position"], row["trace_id"]) for row in await connection.fetch(_PLACED, position)]


def figures_of(lags: Sequence[tuple[float, float]]) -> Figures:
    """Of pairs (committed at, noticed after; seconds) the quantiles in milliseconds, whole and by thirds of the run.

    A writer may hear of its own commit later than somebody else: such a lag is none.
    """
    milliseconds = [max(0.0, lag) * 1000 for _, lag in sorted(lags)]
    size = len(milliseconds) // _WINDOWS
    return {
        "p50_ms": percentile(milliseconds, 0.50),
        "p99_ms": percentile(milliseconds, 0.99),
        "max_ms": max(milliseconds),
        "p99_of_windows": [percentile(milliseconds[n * size : (n + 1) * size], 0.99) for n in range(_WINDOWS)],
    }
