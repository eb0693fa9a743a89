"""扫码报到, whole: idempotency, state, trace and outbox in one durable transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from benchmarks.contest import Contest, Prepared, bearer, hold
from benchmarks.results import Row
from benchmarks.seed_visits import Visitable
from benchmarks.servers import Kind
from benchmarks.stage import Stage

NAME = "check_in"


def measure_check_ins(stage: Stage) -> Row:
    """The row `check_in`. Raises `MeasurementFailed` or `StatementsDiffer`."""
    contest = Contest(
        name=NAME,
        prepare=_prepare,
        count=stage.size.check_ins,
        warm_up=200,
        compared=40,
        written=("visit", "check_in", "trace", "message", "idempotency"),
    )
    return hold(stage, contest)


def _prepare(stage: Stage, kind: Kind, count: int) -> list[Prepared]:
    """The next `count` check-ins, with fixes and access tokens of this minute."""
    return [_check_in(stage, kind, visitable) for visitable in stage.take_visitables(count)]


def _check_in(stage: Stage, kind: Kind, visitable: Visitable) -> Prepared:
    now = datetime.now(UTC)
    body = {
        "second_officer_id": visitable.second_officer_id,
        "code": f"HTTPS://YM.GXZF.GOV.CN/C/{visitable.token}",
        "position": {
            "longitude": visitable.longitude,
            "latitude": visitable.latitude,
            "accuracy_m": 12.5,
            "fixed_at": now,
            "datum": "wgs84",
        },
    }
    headers = {
        "Authorization": bearer(stage, kind, visitable.officer, now),
        "Idempotency-Key": str(uuid4()),
        "Content-Type": "application/json",
    }
    path = f"/api/v1/inspections/{visitable.inspection_id}/check-ins"
    return Prepared("POST", path, headers, msgspec.json.encode(body))
