"""One sweep, however many run and however often they are killed: each stage is told exactly once (D4)."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from api.deadline_rounds import sweep_deadlines
from domain.deadline import store
from domain.deadline.operations import warn_of_deadlines
from domain.shared.sql import Connection, Query, borrow
from tests.support.client import Api
from tests.support.database import Database
from tests.support.deadlines import at, sweep_at
from tests.support.factories import INSTALLATION, World

MANY = 400
_SWEEP = """
import asyncio, json, sys
from datetime import datetime
from pathlib import Path

from api.deadline_rounds import sweep_deadlines
from api.wiring import open_parts
from domain.evidence.model import BlobPlace

dsn, keys, now = sys.argv[1:]


async def main() -> None:
    blobs = BlobPlace(keys + "/blobs")
    clock = lambda: datetime.fromisoformat(now)
    async with open_parts(dsn, Path(keys), blobs=blobs, pool_size=2, application="a sweep", clock=clock) as parts:
        print("begun", flush=True)
        print(json.dumps(await sweep_deadlines(parts, 20)), flush=True)


asyncio.run(main())
"""


async def make_deadlines(api: Api, world: World, many: int = MANY) -> None:
    """So many requests of one desk, due on `date(2026, 8, 20)`: told of as a whole, one message each."""
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "INSERT INTO deadline (id, kind, subject_id, department_id, region, officers, due_on, set_at, "
            "next_stage_at, calendar_edition) SELECT gen_random_uuid(), 'enterprise_request', gen_random_uuid(), $1, "
            "$2::text::ltree, '{}', $3, $4, $4, 0 FROM generate_series(1, $5)",
            world.market.id,
            world.site.region,
            date(2026, 8, 20),
            at("2026-08-03T08:30"),
            many,
        )


async def counts(api: Api) -> dict[str, Counter[int]]:
    """How often each request was told of, by template: so many times, so many of them."""
    async with borrow(api.parts.pool) as connection:
        found = await connection.fetch(
            "SELECT m.template, m.channel, d.id, count(*) AS times FROM message m "
            "JOIN deadline d ON d.subject_id = m.subject_id WHERE d.kind = 'enterprise_request' GROUP BY 1, 2, 3"
        )
    told: dict[str, Counter[int]] = {}
    for row in found:
        told.setdefault(f"{row['template']} {row['channel']}", Counter())[row["times"]] += 1
    return told


async def traced(api: Api) -> int:
    """How many warnings stand in the trace."""
    async with borrow(api.parts.pool) as connection:
        return (await connection.fetchrow("SELECT count(*) FROM trace WHERE action = 'deadline.warned'"))[0]


@pytest.fixture
def sweeping(database: Database, keys_folder: Path) -> Any:
    """Starts a process of its own that sweeps at an instant."""

    async def start(now: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _SWEEP,
            database.dsn,
            str(keys_folder),
            at(now).isoformat(),
            stdout=asyncio.subprocess.PIPE,
        )

    return start


async def test_four_sweeps_at_once_tell_of_each_once(api: Api, world: World) -> None:
    await make_deadlines(api, world)
    api.clock.now = at("2026-08-17T08:00")
    await asyncio.gather(*(sweep_deadlines(api.parts, 20) for _ in range(4)))
    await sweep_deadlines(api.parts)
    assert await counts(api) == {"deadline_due_soon in_app": Counter({1: MANY})}
    assert await traced(api) == MANY + 1, "the inspection of the world has its own"


@pytest.mark.slow
async def test_processes_that_are_killed_in_between_leave_each_told_of_once(
    api: Api, world: World, sweeping: Any
) -> None:
    await make_deadlines(api, world)
    by_chance, killed = Random(20260817), 0
    for now in ("2026-08-17T08:00", "2026-08-21T08:00", "2026-08-26T08:00"):
        processes = [await sweeping(now) for _ in range(4)]
        for process in processes[:3]:
            await process.stdout.readline()
            await asyncio.sleep(by_chance.uniform(0.0, 0.25))
            if process.returncode is None:
                process.kill()
                killed += 1
        for process in processes:
            await process.wait()
        # What a killed process held is given back when the server has seen it gone.
        await sweep_at(api, now)
        await sweep_until_none_is_left(api)
    assert killed >= 3
    told = await counts(api)
    for template in ("deadline_due_soon in_app", "deadline_overdue in_app", "deadline_second_warning in_app"):
        assert told[template] == Counter({1: MANY}), template
    async with borrow(api.parts.pool) as connection:
        orders = await connection.fetch("SELECT deadline_id, count(*) FROM supervision_order GROUP BY 1")
    assert Counter(row["count"] for row in orders) == Counter({1: MANY + 1})


async def sweep_until_none_is_left(api: Api) -> None:
    """Sweep again until nothing waits that has come, however long a dead process still holds its rows."""
    async with asyncio.timeout(30):
        while await sweep_deadlines(api.parts) > 0:
            await asyncio.sleep(0.1)
        while (await waiting(api)) > 0:
            await asyncio.sleep(0.1)
            await sweep_deadlines(api.parts)


async def waiting(api: Api) -> int:
    """How many deadlines have come and were not looked at."""
    async with borrow(api.parts.pool) as connection:
        return (await connection.fetchrow("SELECT count(*) FROM deadline WHERE next_stage_at <= $1", api.clock.now))[0]


async def test_a_sweep_that_fails_midway_has_told_of_nothing(api: Api, world: World) -> None:
    await make_deadlines(api, world, 30)
    api.clock.now = at("2026-08-17T08:00")

    async def fail(tx: Any) -> Any:
        await warn_of_deadlines(tx, 100)
        raise asyncpg.AdminShutdownError

    with pytest.raises(Exception, match="系统暂时繁忙"):
        await api.parts.work.run(INSTALLATION, fail)
    assert await counts(api) == {}
    assert await sweep_deadlines(api.parts) == 31
    assert await counts(api) == {"deadline_due_soon in_app": Counter({1: 30})}


async def test_one_sweep_leaves_to_another_what_that_one_holds(api: Api, world: World) -> None:
    await make_deadlines(api, world, 10)
    api.clock.now = at("2026-08-17T08:00")
    async with borrow(api.parts.pool) as other, other.transaction():
        await other.fetch("SELECT FROM deadline WHERE kind = 'enterprise_request' FOR UPDATE")
        assert await sweep_deadlines(api.parts) == 1, "the inspection"
    assert await sweep_deadlines(api.parts) == 10


async def test_the_sweep_and_the_lists_read_by_their_indexes(api: Api, world: World, database: Database) -> None:
    await make_deadlines(api, world, 5000)
    page = {"kind": None, "level": None, "due_to": date.max, "after_due_on": date.min, "after_id": UUID(int=0)}
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE deadline SET next_stage_at = next_stage_at + random() * interval '90 days'")
        await connection.execute(
            "UPDATE deadline SET due_on = due_on + (random() * 90)::int, officers = ARRAY[gen_random_uuid()]"
        )
    owner = await asyncpg.connect(database.dsn)
    await owner.execute("VACUUM ANALYZE deadline")
    await owner.close()
    async with borrow(api.parts.pool) as connection:
        plans = {
            name: await plan(connection, query, **given)
            for name, query, given in (
                ("sweep", store.LOCK_DUE, {"now": at("2026-08-04T08:30"), "limit": 100}),
                ("planning", store.LOCK_OUTDATED, {"edition": 0, "limit": 100}),
                (
                    "department",
                    store.LIST_OF_DEPARTMENT,
                    {**page, "department_id": world.market.id, "limit": 21},
                ),
                ("region", store.LIST_OF_REGION, {**page, "region": world.site.region, "limit": 21}),
                ("officer", store.LIST_OF_OFFICER, {**page, "officers": [world.officer.id], "limit": 21}),
            )
        }
    assert "ix_deadline_next_stage" in plans["sweep"]
    assert "ix_deadline_calendar" in plans["planning"]
    assert "ix_deadline_officers" in plans["officer"]
    assert {name: "Seq Scan on deadline" in text for name, text in plans.items()} == dict.fromkeys(plans, False)


async def plan(connection: Connection, query: Query[Any], **given: object) -> str:
    """How PostgreSQL would carry it out."""
    lines = await connection.fetch(f"EXPLAIN (COSTS OFF) {query.text}", *query.arguments(given))
    return "\n".join(line[0] for line in lines)
