"""提交投诉 by citizens with a pass and a verified phone, each from an address of their own, each at another site."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from benchmarks.contest import Contest, Prepared, hold
from benchmarks.peer_complaint_schemas import Pass
from benchmarks.peer_session import peer_pass
from benchmarks.results import Row
from benchmarks.seed_public import Complainant
from benchmarks.servers import Kind
from benchmarks.stage import COMPARED, EFFECTS, WARM_UP, Stage
from domain.complaint.model import CONSENT_VERSION

NAME = "complaint.file"
_WORDS = "6月18日晚在该店用餐，点了三份凉菜，其中一份有明显异味，同行两人夜间腹泻。与店员交涉，对方拒绝提供进货凭证。"


def measure_complaints(stage: Stage) -> Row:
    """The row `complaint.file`. Raises `MeasurementFailed` or `StatementsDiffer`."""
    contest = Contest(
        name=NAME,
        prepare=_prepare,
        count=stage.size.complaints,
        warm_up=WARM_UP,
        compared=COMPARED,
        effects=EFFECTS,
        written=("complaint", "trace", "message", "chore", "deadline", "idempotency", "issued_number", "write_count"),
    )
    return hold(stage, contest)


def _prepare(stage: Stage, kind: Kind, count: int) -> list[Prepared]:
    now = datetime.now(UTC)
    return [_filing(stage, kind, each, now) for each in stage.take_complainants(count)]


def _filing(stage: Stage, kind: Kind, who: Complainant, now: datetime) -> Prepared:
    headers = {
        "Yima-Pass": _pass(stage, kind, who, now),
        "Idempotency-Key": str(uuid4()),
        # As the proxy before Yima says it: one address may not file hundreds.
        "X-Forwarded-For": f"10.{int(who.phone) >> 16 & 255}.{int(who.phone) >> 8 & 255}.{int(who.phone) & 255}",
        "Content-Type": "application/json",
    }
    order = {
        "type": "food_safety",
        "description": f"{_WORDS}（{who.phone[-6:]}）",
        "consent_version": CONSENT_VERSION,
        "code": who.token,
        "name": "韦某某",
        "place": "一楼大厅",
        "wish": "请核查进货来源，并退还餐费。",
    }
    return Prepared("POST", "/api/v1/public/complaints", headers, msgspec.json.encode(order))


def _pass(stage: Stage, kind: Kind, who: Complainant, now: datetime) -> str:
    """Yima's, the peer's, or for the limit, which believes everybody, a mere claim."""
    if kind is Kind.LIMIT:
        return f"{uuid4()}/{who.verification_id}/{who.phone_index.hex()}"
    if kind is Kind.PEER:
        return peer_pass(Pass(id=uuid4(), verification_id=who.verification_id, phone_index=who.phone_index.hex()))
    made = stage.passes.make(now, verification_id=who.verification_id, phone_index=who.phone_index)
    return stage.passes.write(made)
