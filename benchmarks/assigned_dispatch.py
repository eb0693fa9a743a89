"""下派 of one assigned task to everybody of a risk level: pages of objects, each with its trace and its messages."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from api.self_inspection_rounds import assign_task
from api.wiring import Parts, open_parts
from benchmarks.apart import Figures, MeasurementFailed, peak_mb
from domain.enterprise.model import RiskLevel
from domain.evidence.model import BlobPlace
from domain.identity.model import Principal, Role
from domain.self_inspection.assigned import operations
from domain.self_inspection.assigned.model import NewRow, ObjectsOrder, RowsOrder, TaskFields
from domain.shared.clock import local_date

_DISPATCHED = "SELECT state, objects_assigned FROM assigned_task WHERE id = $1"


async def measure(dsn: str, keys_folder: Path, objects: int = 50_000) -> Figures:
    """Objects a second, and the peak of the process, MB of 10^6 bytes; a quarter of all sites are of that level."""
    connection = await asyncpg.connect(dsn)
    blobs = BlobPlace(str(keys_folder / "blobs"))
    try:
        async with open_parts(dsn, keys_folder, blobs=blobs, pool_size=2, application="benchmark") as parts:
            maker = await connection.fetchval("SELECT id FROM department WHERE code = 'BMGX'")
            task_id = await _ready(parts, maker)
            began = time.monotonic()
            await assign_task(parts, task_id.bytes)
            seconds = time.monotonic() - began
        state, assigned = await connection.fetchrow(_DISPATCHED, task_id)
        rows = await connection.fetchval("SELECT count(*) FROM assigned_task_object WHERE task_id = $1", task_id)
        messages = await connection.fetchval("SELECT count(*) FROM message WHERE template = 'task_assigned'")
    finally:
        await connection.close()
    if state != "dispatched" or assigned != rows or rows < objects:
        raise MeasurementFailed(f"not dispatched to all: {state}, {assigned} told, {rows} there")
    return {
        "objects_per_second": rows / seconds,
        "objects": rows,
        "messages": messages,
        "seconds": seconds,
        "peak_mb": peak_mb(),
    }


async def _ready(parts: Parts, maker: UUID) -> UUID:
    """The id of a task that is confirmed and let go."""
    today = local_date(datetime.now(UTC))
    lead = Principal(
        account_id=maker,
        session_id=maker,
        name="牵头处室",
        role=Role.LEAD,
        post="牵头岗",
        department_id=maker,
        region="450000",
        officer_id=None,
    )
    fields = TaskFields(
        name="季节性自巡查",
        patrol_type="专项自巡查",
        object_type="企业",
        starts_on=today,
        ends_on=today + timedelta(days=30),
    )
    run = parts.work.run
    task = await run(lead.operator, lambda tx: operations.create_task(tx, lead, fields))
    rows = RowsOrder(rows=[NewRow(content="检查燃气软管是否老化。"), NewRow(content="检查疏散通道是否畅通。")])
    added = await run(lead.operator, lambda tx: operations.add_rows(tx, lead, task.id, rows))
    chosen = ObjectsOrder(risk_levels=[RiskLevel.LOW])
    await run(lead.operator, lambda tx: operations.choose_objects(tx, lead, task.id, chosen, added.version))
    await run(lead.operator, lambda tx: operations.confirm_task(tx, lead, task.id))
    await run(lead.operator, lambda tx: operations.dispatch_task(tx, lead, task.id))
    return task.id
