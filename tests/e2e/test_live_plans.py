"""What the live feed asks of the database costs the same over the years: proved by plans, over rows that are there."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.live.rows import ABOUT, LATEST, NO_END, PLACED_AFTER
from api.live.snapshot import UNDER_WAY
from api.live.warnings import MATTERS, STANDING
from tests.support.client import Api, accepted
from tests.support.database import Database
from tests.support.factories import NOW, World
from tests.support.plans import explain
from tests.support.visits import check_in

pytestmark = pytest.mark.slow

OF_OLD, TODAY = 40_000, 300
"""Visits of the years before and of today, each of an inspection of its own; as many deadlines and acts."""
STANDS = 400
"""So many deadlines are open and overdue; others are done, or open without a warning, or with a blue one."""
LARGE = ("visit", "inspection", "check_in", "deadline", "trace", "trace_position")
MIDNIGHT = NOW.replace(hour=0, minute=0)

_COPY = """
INSERT INTO {table} {overriding} SELECT copy.* FROM {table} AS made, generate_series(1, $1) AS of(number),
LATERAL jsonb_populate_record(made, jsonb_build_object({changes})) AS copy WHERE made.id = $2
"""
_ID = "('{room}-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid"


async def copies(owner: asyncpg.Connection, table: str, made: UUID, overriding: str = "", **changes: str) -> None:
    """So many rows like the one that was made, but for what `changes` computes of their number."""
    told = ", ".join(f"'{name}', {value}" for name, value in changes.items())
    await owner.execute(_COPY.format(table=table, overriding=overriding, changes=told), OF_OLD + TODAY, made)


def of_number(room: int) -> str:
    return _ID.format(room=f"{room:08x}")


async def fill(owner: asyncpg.Connection, world: World) -> None:
    """Years of visits, deadlines and acts; the newest visits are those of today."""
    [made] = await owner.fetch("SELECT v.id, v.opened_by, v.arrived_at FROM visit AS v")
    began = f"timestamptz '{MIDNIGHT.isoformat()}'"
    arrived = f"{began} + CASE WHEN number > {OF_OLD} THEN interval '1 hour' ELSE -number * interval '1 hour' END"
    inspection, visit, there = of_number(1), of_number(2), of_number(3)
    await owner.execute("BEGIN")
    await copies(owner, "inspection", world.inspection, id=inspection)
    await copies(
        owner,
        "visit",
        made["id"],
        id=visit,
        inspection_id=inspection,
        opened_by=there,
        arrived_at=arrived,
        departed_at="NULL",
    )
    await copies(owner, "check_in", made["opened_by"], id=there, visit_id=visit)
    for table in ("inspection_party", "inspection_officer"):
        await owner.execute(
            f"INSERT INTO {table} SELECT copy.* FROM {table} AS made, generate_series(1, $1) AS of(number), "  # noqa: S608
            f"LATERAL jsonb_populate_record(made, jsonb_build_object('inspection_id', {inspection})) AS copy "
            "WHERE made.inspection_id = $2",
            OF_OLD + TODAY,
            world.inspection,
        )
    [deadline] = await owner.fetch("SELECT id FROM deadline WHERE subject_id = $1", world.inspection)
    stands = f"number <= {STANDS}"
    await copies(
        owner,
        "deadline",
        deadline["id"],
        id=of_number(4),
        subject_id=inspection,
        inspection_id=inspection,
        closed_at=f"CASE WHEN number <= {OF_OLD // 2} THEN NULL ELSE {began} END",
        stage=f"CASE WHEN {stands} THEN 'first_warning' WHEN number % 2 = 0 THEN 'due_soon' END",
        level=f"CASE WHEN {stands} THEN 3 WHEN number % 2 = 0 THEN 4 END",
        next_stage_at="NULL",
    )
    [act] = await owner.fetch("SELECT id FROM trace WHERE action = 'inspection.checked_in'")
    await copies(owner, "trace", act["id"], "OVERRIDING SYSTEM VALUE", id=of_number(5), n="1000000 + number")
    await owner.execute(
        "INSERT INTO trace_position SELECT row_number() OVER (ORDER BY n), id, tx, n, '\\x00', at FROM trace"
    )
    await owner.execute("COMMIT")
    await owner.execute("VACUUM ANALYZE")


async def test_a_snapshot_and_a_look_cost_what_they_give_and_not_what_is_stored(
    api: Api, world: World, database: Database
) -> None:
    accepted(await check_in(api, world))
    owner = await asyncpg.connect(database.dsn)
    await fill(owner, world)
    newest = await owner.fetchval("SELECT max(position) FROM trace_position")
    known = [row["id"] for row in await owner.fetch("SELECT id FROM inspection ORDER BY id LIMIT 50")]
    due = [row["id"] for row in await owner.fetch("SELECT id FROM deadline ORDER BY id LIMIT 50")]
    await owner.close()
    start = {"after_at": MIDNIGHT, "after_id": UUID(int=0)}
    last = {"after_at": MIDNIGHT + timedelta(days=1), "after_id": UUID(int=0)}
    gravest = {"after_level": 0, "after_due_on": date.min, "after_id": UUID(int=0)}
    mildest = {"after_level": 3, "after_due_on": date.max, "after_id": UUID(int=0)}
    for query, given, most in (
        (UNDER_WAY, start, 60 * (TODAY + 1)),
        (UNDER_WAY, last, 50),
        (STANDING, gravest, 30 * STANDS),
        (STANDING, mildest, 50),
        (LATEST, {}, 10),
        (PLACED_AFTER, {"after": newest - 10, "up_to": NO_END}, 100),
        (PLACED_AFTER, {"after": newest, "up_to": NO_END}, 20),
        (ABOUT, {"subjects": known}, 60 * len(known)),
        (ABOUT, {"subjects": [uuid4()]}, 40),
        (MATTERS, {"subjects": due}, 40 * len(due)),
    ):
        for mode in ("force_custom_plan", "force_generic_plan"):
            plan, buffers = await explain(api, query, mode, given)
            scanned = [name for name in LARGE if f"Seq Scan on {name} " in plan]
            assert scanned == [], plan
            assert buffers < most, plan
