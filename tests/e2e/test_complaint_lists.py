"""投诉 by the thousand: the office's and the enterprise's lists and the round of warnings go by their indexes."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest_asyncio

from domain.complaint.grievance_store import STORES
from domain.complaint.model import GrievanceKind
from domain.complaint.store import ACCEPTED_OF_ENTERPRISE
from domain.shared.sql import Command
from tests.support.client import Api
from tests.support.complaining import COMPLAINT, path
from tests.support.database import Database
from tests.support.factories import World

_FILL = """
INSERT INTO department (id, code, name, short_name, parent_id, path, region_code, region, hotline)
SELECT gen_random_uuid(), 'D' || n, '部门' || n, '部门' || n, NULL, ('D' || n)::ltree, '450200', '450000.450200', NULL
FROM generate_series(1, 20) n;
WITH known AS (SELECT array_agg(id ORDER BY code) AS departments FROM department)
INSERT INTO complaint (id, site_id, enterprise_id, department_id, region, type, state, is_open, term, due_on, filed_at,
    accepted_at, answered_at, closed_at, is_reopened, is_extended, is_abusive, content_sealed, person_sealed, sketch,
    query_code_index, consent_version)
SELECT gen_random_uuid(), s.id, s.enterprise_id, known.departments[1 + n % cardinality(known.departments)],
    ('450000.4501.' || n % 50)::ltree, 'price', states.state, states.state IN ('received', 'accepted', 'handling'),
    'decision', date '2026-08-01' + n % 60, now() - n * interval '1 minute',
    CASE WHEN states.state <> 'received' THEN now() - n * interval '1 second' END, NULL, NULL, FALSE, FALSE, FALSE,
    '\\x00', '\\x00', '{}', decode(md5(n::text), 'hex'), '2026-11'
FROM generate_series(1, 20000) n
CROSS JOIN known
JOIN (SELECT id, enterprise_id, row_number() OVER (ORDER BY id) - 1 AS place FROM site) s ON s.place = n % 3
JOIN (VALUES (0, 'received'), (1, 'accepted'), (2, 'handling'), (3, 'closed'), (4, 'closed'), (5, 'closed'),
    (6, 'closed'), (7, 'declined'), (8, 'closed'), (9, 'closed')) AS states (place, state) ON states.place = n % 10;
ANALYZE
"""
PAGE: dict[str, Any] = {
    "is_open": True,
    "state": None,
    "type": None,
    "site_id": None,
    "only_id": None,
    "due_to": date.max,
    "after_due_on": date.min,
    "after_id": UUID(int=0),
    "limit": 21,
}
STORE = STORES[GrievanceKind.COMPLAINT]


@pytest_asyncio.fixture(loop_scope="module")
async def connection(database: Database, world: World) -> Any:
    """Over 20,000 complaints of many departments; plans are those of a statement prepared long ago."""
    del world
    made = await asyncpg.connect(database.dsn)
    await made.execute(_FILL)
    await made.execute("SET plan_cache_mode = force_generic_plan")
    yield made
    await made.close()


async def plan(connection: asyncpg.Connection, query: Command, given: dict[str, Any]) -> str:
    """How PostgreSQL would carry `query` out, line by line."""
    lines = await connection.fetch(f"EXPLAIN (COSTS OFF) {query.text}", *query.arguments(given))
    return "\n".join(line for (line,) in lines)


async def test_every_list_goes_by_its_index(connection: asyncpg.Connection, world: World) -> None:
    newest = {"before_at": datetime.max.replace(tzinfo=UTC), "before_id": UUID(int=2**128 - 1), "limit": 21}
    enterprise = {"enterprise_id": world.enterprise.id, "site_ids": None}
    since = {"since": datetime(2026, 7, 6, tzinfo=UTC), "but": None, "limit": 200}
    plans = {
        "ix_complaint_department_id": await plan(
            connection, STORE.list_of_department, {**PAGE, "department_id": world.market.id}
        ),
        "ix_complaint_enterprise_id": await plan(connection, ACCEPTED_OF_ENTERPRISE, {**enterprise, **newest}),
        "ix_complaint_site_id": await plan(connection, STORE.sketches, {"site_id": world.site.id, **since}),
        "uq_complaint_query_code_index": await plan(connection, STORE.by_query_code, {"query_code_index": b"x"}),
    }
    for index, told in plans.items():
        assert index in told, told
        assert "Seq Scan on complaint" not in told, told
    assert "Sort" not in plans["ix_complaint_department_id"]
    region = await plan(connection, STORE.list_of_region, {**PAGE, "region": "450000.450100"})
    assert "is_open = true" in region, region  # what is closed is not looked at
    assert "Seq Scan on complaint" not in region, region
    answered_before = {"answered_before": datetime(2026, 7, 21, tzinfo=UTC), "limit": 200}
    closed = await plan(connection, STORE.lock_to_close, answered_before)
    assert "ix_complaint_answered" in closed, closed


async def test_a_page_of_the_desk_comes_at_once(connection: asyncpg.Connection, api: Api, world: World) -> None:
    del connection
    taken: list[float] = []
    for _ in range(20):
        began = time.perf_counter()
        response = await api.as_(world.lead).get(path(COMPLAINT), limit=20)
        taken.append(time.perf_counter() - began)
        assert len(response.json()["items"]) == 20
    print(f"a page among 20,000: median {sorted(taken)[10] * 1000:.1f} ms")  # noqa: T201 - measured, not asserted
