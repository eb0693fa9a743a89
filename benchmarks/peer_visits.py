"""The peer on a visit: answers, and the published results behind a code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Header, HTTPException, Request, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

from benchmarks import peer_schemas as schemas
from benchmarks import peer_tables as tables
from benchmarks.peer_session import Session, SignedIn, claim, keep, new_row, receipt_of, stored, trace_row
from domain.publication.model import KIND_LABELS, OUTCOME_LABELS

_ZONE = ZoneInfo("Asia/Shanghai")
_SHOWN = 20
_NEEDS_REASON = {"not_applicable", "not_checked"}
_CORRECTIONS = {"pending": "待整改", "transferred": "已移交", "done": "已整改", "not_required": "无需整改"}
_ANSWERED = (
    select(tables.Inspection)
    .options(
        selectinload(tables.Inspection.officers).joinedload(tables.InspectionOfficer.officer),
        selectinload(tables.Inspection.visits).selectinload(tables.Visit.check_ins),
        selectinload(tables.Inspection.record_parts),
    )
    .with_for_update(read=True, key_share=True, of=tables.Inspection)
)
_DRAWN = select(tables.InspectionItem).options(joinedload(tables.InspectionItem.item, innerjoin=True))


async def put_answer(
    request: Request,
    inspection_id: UUID,
    item_id: UUID,
    order: schemas.AnswerOrder,
    session: Session,
    who: SignedIn,
    idempotency_key: Annotated[str, Header(min_length=8, max_length=128)],
    if_match: Annotated[int, Header()] = 0,
) -> schemas.AcceptedAnswer | Response:
    """检查结果录入."""
    if who.role != "inspector":
        raise HTTPException(403)
    _require_complete(order)
    now = datetime.now(UTC)
    row = await new_row(request, who, idempotency_key, now)
    async with session.begin():
        if not await claim(session, row):
            return await stored(session, row)
        inspection = await session.scalar(_ANSWERED.where(tables.Inspection.id == inspection_id))
        if inspection is None:
            raise HTTPException(404, "没有该检查任务。")
        department_id = await _require_answerer(session, inspection, item_id, who, now)
        answer = await session.get(tables.Answer, (inspection_id, item_id))
        if (answer.version if answer else 0) != if_match:
            raise HTTPException(409, "该检查项已有其他人录入的结果。")
        if order.photos:
            await _refer(session, inspection_id, [bytes.fromhex(each) for each in order.photos], now)
        if answer is None:
            answer = tables.Answer(inspection_id=inspection_id, item_id=item_id, order_id=None)
            session.add(answer)
        _fill(answer, order, who, if_match + 1, now)
        result = _result(answer)
        session.add(
            trace_row(
                who=who,
                at=now,
                action="inspection.answer_recorded",
                duty="检查结果录入",
                inspection=inspection,
                department_id=department_id,
                after=result.model_dump(mode="json"),
            )
        )
        accepted = schemas.AcceptedAnswer(receipt=receipt_of(row), result=result)
        await keep(session, row, accepted.model_dump_json().encode())
    return accepted


def _require_complete(order: schemas.AnswerOrder) -> None:
    if order.value in _NEEDS_REASON and not (order.reason or "").strip():
        raise HTTPException(422, "请填写原因。")
    if (order.value == "problem") != bool(order.measures):
        raise HTTPException(422, "发现问题须选择处理措施。")
    if len(set(order.photos)) != len(order.photos):
        raise HTTPException(422, "同一张照片只附一次。")


async def _require_answerer(
    session: AsyncSession, inspection: tables.Inspection, item_id: UUID, who: schemas.Claims, now: datetime
) -> UUID:
    """The department that the officer acts for."""
    own = next((each for each in inspection.officers if each.officer_id == who.officer_id), None)
    if own is None:
        raise HTTPException(403, "你不是该检查任务的执法人员。")
    drawn = tables.InspectionItem
    item = await session.scalar(_DRAWN.where(drawn.inspection_id == inspection.id, drawn.item_id == item_id))
    if item is None or item.department_id != own.department_id:
        raise HTTPException(404, "该检查项不在本部门的检查单内。")
    if any(part.department_id == own.department_id and part.digest for part in inspection.record_parts):
        raise HTTPException(409, "检查笔录已签字。")
    today = now.astimezone(_ZONE).date()
    if inspection.state != "pending" or inspection.starts_on > today:
        raise HTTPException(409, "该检查任务不可实施。")
    if own.officer.certificate_valid_to is None or own.officer.certificate_valid_to < today:
        raise HTTPException(409, "没有有效执法证件。")
    arrivals = [
        each.done_at
        for visit in inspection.visits
        if visit.voided_at is None
        for each in visit.check_ins
        if each.department_id == own.department_id
    ]
    if not arrivals or now < min(arrivals):
        raise HTTPException(409, "请先扫码报到。")
    return own.department_id


async def _refer(session: AsyncSession, inspection_id: UUID, digests: Sequence[bytes], now: datetime) -> None:
    found = await session.scalars(
        select(tables.Evidence).where(
            tables.Evidence.inspection_id == inspection_id, tables.Evidence.digest.in_(digests)
        )
    )
    rows = found.all()
    if {row.digest for row in rows} != set(digests):
        raise HTTPException(409, "所引用的证据材料尚未上传。")
    for row in rows:
        row.referenced_at = row.referenced_at or now


def _fill(answer: tables.Answer, order: schemas.AnswerOrder, who: schemas.Claims, version: int, now: datetime) -> None:
    answer.version = version
    answer.value = order.value
    answer.measures = [measure.model_dump(mode="json", exclude_none=True) for measure in order.measures]
    answer.reason = order.reason
    answer.remark = order.remark
    answer.photos = [bytes.fromhex(each) for each in order.photos]
    answer.is_bulk = False
    answer.flags = []
    answer.officer_id = who.officer_id
    answer.done_at = now
    answer.received_at = now


def _result(answer: tables.Answer) -> schemas.AnswerResult:
    same = ("item_id", "version", "value", "reason", "remark", "is_bulk", "flags", "officer_id", "order_id")
    return schemas.AnswerResult(
        **{name: getattr(answer, name) for name in same},
        measures=[schemas.Measure.model_validate(each) for each in answer.measures],
        photos=[each.hex() for each in answer.photos],
        done_at=answer.done_at,
        received_at=answer.received_at,
    )


async def shown_results(session: AsyncSession, published: Sequence[tables.Publication]) -> list[schemas.Result]:
    """What anybody sees of the results of a site."""
    today = datetime.now(_ZONE).date()
    shown = [each for each in published if each.ends_on >= today and each.inspection.outcome in OUTCOME_LABELS]
    if not shown:
        return []
    shown.sort(key=lambda each: each.inspection.completed_at or datetime.now(UTC) - timedelta(days=9999), reverse=True)
    answered = tables.Answer
    counted = await session.execute(
        select(answered.inspection_id, func.count())
        .where(answered.inspection_id.in_([each.inspection_id for each in shown]), answered.value == "not_checked")
        .group_by(answered.inspection_id)
    )
    unchecked = dict(counted.tuples().all())
    return [_shown(each, unchecked.get(each.inspection_id, 0)) for each in shown[:_SHOWN]]


def _shown(each: tables.Publication, unchecked: int) -> schemas.Result:
    inspection = each.inspection
    assert inspection.completed_at is not None
    parties = sorted(inspection.parties, key=lambda party: (not party.is_lead, party.department.code))
    result = schemas.Result(
        id=each.id,
        authorities=[party.department.name for party in parties],
        kind=inspection.kind,
        kind_label=KIND_LABELS[inspection.kind],
        completed_on=inspection.completed_at.astimezone(_ZONE).date(),
        published_on=each.published_at.astimezone(_ZONE).date() if each.published_at else None,
        withdrawn_on=each.withdrawn_at.astimezone(_ZONE).date() if each.withdrawn_at else None,
    )
    if each.state == "withdrawn":
        return result
    result.outcome = inspection.outcome
    result.outcome_label = OUTCOME_LABELS[inspection.outcome or ""]
    result.unchecked_items = unchecked
    result.correction = _correction({order.state for order in inspection.orders} - {"revoked"})
    result.correction_label = _CORRECTIONS[result.correction]
    result.is_contested = each.is_contested
    reply = next((reply for reply in each.replies if reply.withdrawn_at is None), None)
    if reply is not None:
        result.reply = schemas.Reply(text=reply.text, submitted_on=reply.submitted_at.astimezone(_ZONE).date())
    return result


def _correction(states: set[str]) -> str:
    if states & {"to_rectify", "fed_back"}:
        return "pending"
    if "transferred" in states:
        return "transferred"
    return "done" if states else "not_required"
