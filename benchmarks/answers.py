"""现场检查结果录入: officers at different places answer different items, one in five with a photo."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from benchmarks.contest import Contest, Prepared, bearer, hold
from benchmarks.results import Row
from benchmarks.seed_visits import ITEMS, PHOTOS, Answerable
from benchmarks.servers import Kind
from benchmarks.stage import Stage

NAME = "answer"
_PHOTO_EVERY = ITEMS // PHOTOS


def measure_answers(stage: Stage) -> Row:
    """The row `answer`. Raises `MeasurementFailed` or `StatementsDiffer`."""
    contest = Contest(
        name=NAME,
        prepare=_prepare,
        count=stage.size.answers,
        warm_up=200,
        compared=40,
        written=("answer", "trace", "message", "chore", "idempotency"),
    )
    return hold(stage, contest)


def _prepare(stage: Stage, kind: Kind, count: int) -> list[Prepared]:
    """The next `count` answers, exactly one in five with a photo; which places those are moves on with the bursts."""
    taken = stage.take_answers(count)
    shift = taken[0][1]
    return [
        _answer(stage, kind, visit, place, has_photo=(number + shift) % _PHOTO_EVERY == 0)
        for number, (visit, place) in enumerate(taken)
    ]


def _answer(stage: Stage, kind: Kind, visit: Answerable, place: int, *, has_photo: bool) -> Prepared:
    body: dict[str, Any] = {"value": "no_problem"}
    if has_photo:
        body = {
            "value": "problem",
            "measures": [{"kind": "corrected_on_spot", "note": "当场清洗消毒。"}],
            "remark": "后厨冷藏柜内生熟食品混放，已当场分开存放。",
            "photos": [visit.photos[place // _PHOTO_EVERY].hex()],
        }
    headers = {
        "Authorization": bearer(stage, kind, visit.officer, datetime.now(UTC)),
        "Idempotency-Key": str(uuid4()),
        "Content-Type": "application/json",
    }
    path = f"/api/v1/inspections/{visit.inspection_id}/answers/{visit.items[place]}"
    return Prepared("PUT", path, headers, msgspec.json.encode(body))
