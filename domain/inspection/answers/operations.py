"""Recording what was found, item by item or a whole section at once."""

from __future__ import annotations

from uuid import UUID

import msgspec

from domain.enterprise.rules import require_reason
from domain.evidence.operations import require_evidence
from domain.identity.model import Principal, Role
from domain.inspection import rules as inspection_rules
from domain.inspection.answers import rules, store
from domain.inspection.answers.events import (
    AnswerFacts,
    AnswerRecorded,
    AnswersMarkedInBulk,
    BulkFacts,
    ListReleased,
    ReleaseFacts,
)
from domain.inspection.answers.model import (
    Answer,
    AnswerContext,
    AnswerOrder,
    BulkAnswer,
    BulkOrder,
    ChecklistLine,
)
from domain.inspection.posts import lock_own
from domain.officer.model import CertifiedOfficer
from domain.officer.rules import require_certificate
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction


async def record_answer(
    tx: Transaction, officer_id: UUID, inspection_id: UUID, item_id: UUID, order: AnswerOrder, expected: int
) -> Outcome[Answer]:
    """现场检查结果录入 (TASK-12, MOB-11) of one item; `expected` is the version the officer saw, 0 for none.

    Raises `NotAssigned`, `ListStillSealed`, `ItemNotDrawn`, `ItemOfAnotherDepartment`, `RecordAlreadySigned`,
    `InspectionAlreadyClosed`, `InspectionNotApproved`, `InspectionNotBegun`, `CertificateInvalid`,
    `LateScanReasonRequired`, `AnswerReasonRequired`, `MeasureRequired`, `EvidenceMissing`, `AnswerConflict`,
    `AnswerBoundByOrder` or `InvalidField`.
    """
    rules.require_complete(order)
    context = rules.require_answerer(await _context(tx, officer_id, inspection_id, item_id))
    done_at = inspection_rules.bounded_done_at(tx.done_at, context)
    inspection_rules.require_open(context, done_at)
    require_certificate(_officer(context, officer_id), local_date(done_at), "officer")
    flags = rules.judge_time(context, done_at, tx.now, order.before_check_in)
    rules.require_own_item(context)
    rules.require_unsigned(context)
    former = None if context.former is None else msgspec.convert(context.former, Answer)
    if (0 if former is None else former.version) != expected:
        raise conflict(former, order)
    rules.require_unbound(former, order)
    photos = [bytes.fromhex(each) for each in order.photos]
    await require_evidence(tx, inspection_id, photos, field="photos")
    answer = Answer(
        item_id=item_id,
        version=expected + 1,
        value=order.value,
        measures=order.measures,
        reason=order.reason,
        remark=order.remark,
        photos=order.photos,
        is_bulk=False,
        flags=flags,
        officer_id=officer_id,
        done_at=done_at,
        received_at=tx.now,
        order_id=None if former is None else former.order_id,
    )
    saved = await store.SAVE_ANSWER.first(
        tx.connection,
        **(msgspec.structs.asdict(answer) | {"photos": photos, "flags": [flag.value for flag in flags]}),
        inspection_id=inspection_id,
        expected=expected,
    )
    if saved is None:
        raise await _overtaken(tx, inspection_id, officer_id, item_id, order)
    event = AnswerRecorded(
        subject_id=inspection_id,
        department_id=context.acts_for,
        region=context.region,
        site_id=context.site_id,
        before=None if former is None else _facts(former),
        after=msgspec.structs.replace(
            _facts(answer),
            excuse=None if order.before_check_in is None else order.before_check_in.reason,
            excuse_note=None if order.before_check_in is None else order.before_check_in.note,
        ),
    )
    return Outcome(answer=answer, events=(event,))


async def _context(tx: Transaction, officer_id: UUID, inspection_id: UUID, item_id: UUID) -> AnswerContext | None:
    """All that decides it, in one statement; the officer's post as of the act."""
    return await store.CONTEXT.first(
        tx.connection, inspection_id=inspection_id, officer_id=officer_id, item_id=item_id, as_of=tx.done_at
    )


def _officer(context: AnswerContext, officer_id: UUID) -> CertifiedOfficer:
    return CertifiedOfficer(
        id=officer_id,
        name=context.officer_name,
        department_id=context.acts_for,
        certificate_number=context.certificate_number,
        certificate_valid_from=context.certificate_valid_from,
        certificate_valid_to=context.certificate_valid_to,
    )


def _facts(answer: Answer) -> AnswerFacts:
    return AnswerFacts(
        **{name: getattr(answer, name) for name in ("item_id", "version", "value", "measures", "reason", "remark")},
        photos=answer.photos,
        flags=[flag.value for flag in answer.flags],
    )


def conflict(current: Answer | None, order: AnswerOrder) -> rules.AnswerConflict:
    """Both versions, for the officer to choose."""
    return rules.AnswerConflict(
        "该检查项已有其他人录入的结果，请对照后重新提交。",
        field="If-Match",
        current=None if current is None else msgspec.to_builtins(current),
        yours=msgspec.to_builtins(order),
    )


async def _overtaken(
    tx: Transaction, inspection_id: UUID, officer_id: UUID, item_id: UUID, order: AnswerOrder
) -> rules.AnswerConflict:
    """Somebody answered between our reading and our writing."""
    context = await _context(tx, officer_id, inspection_id, item_id)
    return conflict(
        None if context is None or context.former is None else msgspec.convert(context.former, Answer), order
    )


async def mark_in_bulk(tx: Transaction, officer_id: UUID, inspection_id: UUID, order: BulkOrder) -> Outcome[BulkAnswer]:
    """一键未发现问题: the department's unanswered items of one 检查领域, but for the mandatory ones.

    Raises `NotFound` for an 检查领域 that has no open item, and what `record_answer` raises of the inspection's state.
    """
    context = rules.require_answerer(await _context(tx, officer_id, inspection_id, inspection_id))
    done_at = inspection_rules.bounded_done_at(tx.done_at, context)
    inspection_rules.require_open(context, done_at)
    require_certificate(_officer(context, officer_id), local_date(done_at), "officer")
    flags = [flag.value for flag in rules.judge_time(context, done_at, tx.now, None)]
    rules.require_unsigned(context)
    lines = await store.LINES.all(tx.connection, inspection_id=inspection_id)
    if all(line.area != order.area for line in lines):
        raise NotFound("检查单内没有该检查领域。", field="area")
    waiting, mandatory = rules.open_in_area(lines, order.area, context.acts_for)
    marked = await store.MARK_IN_BULK.all(
        tx.connection,
        inspection_id=inspection_id,
        item_ids=waiting,
        flags=flags,
        officer_id=officer_id,
        done_at=done_at,
        received_at=tx.now,
    )
    done = {each.item_id for each in marked}
    items = [item_id for item_id in waiting if item_id in done]
    event = AnswersMarkedInBulk(
        subject_id=inspection_id,
        department_id=context.acts_for,
        region=context.region,
        site_id=context.site_id,
        after=BulkFacts(area=order.area, items=items, flags=flags),
    )
    answer = BulkAnswer(inspection_id=inspection_id, marked=items, mandatory_open=mandatory)
    return Outcome(answer=answer, events=(event,))


async def read_list(connection: Connection, principal: Principal, inspection_id: UUID) -> list[ChecklistLine]:
    """The drawn list, to who may read the inspection, once it is open to them.

    An inspector's opens with the check-in of the own department, everybody else's with the first one; before that
    nobody can know it early. Raises `ListStillSealed`.
    """
    opening = await store.OPENING.one(connection, inspection_id=inspection_id)
    came = opening.departments
    is_open = principal.department_id in came if principal.role is Role.INSPECTOR else bool(came)
    if opening.list_digest is not None and opening.list_released_at is None and not is_open:
        raise rules.ListStillSealed("检查单已封存，扫码报到后开启。")
    return await store.LINES.all(connection, inspection_id=inspection_id)


async def release_list(
    tx: Transaction, officer_id: UUID, inspection_id: UUID, reason: str
) -> Outcome[list[ChecklistLine]]:
    """检查单解封 for a damaged sticker: opened by the server, with a reason that the lead sees.

    Raises `NotFound`, `NotAssigned`, `InspectionAlreadyClosed` or `ReasonMissing`.
    """
    why = require_reason(reason, "reason")
    inspection, mine = await lock_own(tx, officer_id, inspection_id)
    inspection_rules.require_open(inspection, tx.done_at)
    await store.RELEASE_LIST.run(tx.connection, of_inspection=inspection_id, now=tx.now)
    event = ListReleased(
        subject_id=inspection_id,
        department_id=mine.acts_for,
        region=inspection.region,
        site_id=inspection.site_id,
        after=ReleaseFacts(reason=why),
    )
    lines = await store.LINES.all(tx.connection, inspection_id=inspection_id)
    return Outcome(answer=lines, events=(event,), location=f"/api/v1/inspections/{inspection_id}/checklist")
