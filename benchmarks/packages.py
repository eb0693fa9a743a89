"""当日任务包: a day of inspections with their lists, whole, as a phone fetches it in the morning."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks.contest import Contest, Prepared, bearer, hold
from benchmarks.results import Row
from benchmarks.servers import Kind
from benchmarks.stage import Stage

NAME = "package.today"


def measure_packages(stage: Stage) -> Row:
    """The row `package.today`. Raises `MeasurementFailed` or `StatementsDiffer`."""
    everybody = len(stage.seeded.packed)
    contest = Contest(
        name=NAME,
        prepare=_prepare,
        count=everybody,
        warm_up=everybody,
        compared=everybody // 5,
        limit_answers_alike=False,
        seconds=stage.size.package_seconds,
    )
    return hold(stage, contest)


def _prepare(stage: Stage, kind: Kind, count: int) -> list[Prepared]:
    now = datetime.now(UTC)
    return [
        Prepared(
            "GET",
            f"/api/v1/packages/today?device_id={each.device_id}",
            {"Authorization": bearer(stage, kind, each.officer, now)},
        )
        for each in stage.seeded.packed[:count]
    ]
