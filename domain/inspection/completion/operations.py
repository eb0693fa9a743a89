"""Completing, suspending, and handing over to another officer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from domain.document.model import DocumentKind, DocumentOrder
from domain.document.operations import issue_document
from domain.document.template_operations import find_usable_template
from domain.enterprise.rules import require_reason
from domain.evidence.operations import require_evidence
from domain.inspection import rules as inspection_rules
from domain.inspection import store as inspection_store
from domain.inspection.answers import store as answer_store
from domain.inspection.completion import rules, store
from domain.inspection.completion.events import (
    InspectionCompleted,
    InspectionSuspended,
    OfficerReplaced,
    OutcomeFacts,
    ReplacedFacts,
)
from domain.inspection.completion.model import (
    CompletionAnswer,
    CompletionOrder,
    InspectionOutcome,
    ReplacementAnswer,
    ReplacementOrder,
    TransferReceipt,
)
from domain.inspection.model import AssignedOfficer, Inspection, InspectionState, Party
from domain.inspection.papers import Dossier, record_order, result_order
from domain.inspection.posts import lock_own
from domain.inspection.record import store as record_store
from domain.inspection.record.model import SignatureRole
from domain.inspection.record.operations import open_signatory, read_draft, require_current
from domain.inspection.record.rules import still_to_sign
from domain.officer.rules import require_certificate
from domain.shared.clock import local_date
from domain.shared.errors import InvalidField, NotFound
from domain.shared.events import Event
from domain.shared.numbers import NumberRequest
from domain.shared.transaction import Outcome, Transaction


async def complete(
    tx: Transaction, officer_id: UUID, inspection_id: UUID, order: CompletionOrder
) -> Outcome[CompletionAnswer]:
    """完成检查 (MOB-14) with one of eight outcomes; 中止待续 leaves it open for another visit.

    Raises `NotFound`, `NotAssigned`, `InspectionAlreadyClosed`, `VisitStillOpen`, `DepartmentNotCheckedIn`,
    `OutcomeReasonRequired`, `OutcomePhotosRequired`, `EvidenceMissing`, `OutcomeDiffersFromAnswers`, `OrderMissing`,
    `MeasureIncomplete`, `SignaturesMissing`, `RecordDiffers`, `InvalidField`, `NoUsableTemplate` or `ValueMissing`.
    """
    inspection, mine = await lock_own(tx, officer_id, inspection_id)
    done_at = inspection_rules.bounded_done_at(tx.done_at, inspection)
    inspection_rules.require_open(inspection, done_at)
    parties = await inspection_store.PARTIES.all(tx.connection, inspection_id=inspection_id)
    check_ins = await inspection_store.CHECK_INS.all(tx.connection, inspection_id=inspection_id)
    rules.require_visited(parties, check_ins, order.outcome)
    reason = rules.require_reason_and_photos(order)
    photos = [bytes.fromhex(each) for each in order.photos]
    await require_evidence(tx, inspection_id, photos, field="photos")
    if order.outcome is InspectionOutcome.SUSPENDED:
        return await _suspend(tx, inspection, mine, reason, photos)
    dossiers = _with_receipts(await _dossiers(tx, inspection, parties, local_date(done_at)), order.receipts)
    if order.outcome.needs_list:
        rules.require_consistent(order.outcome, [line for each in dossiers for line in each.lines])
        rules.require_signed({each.department.department_id: _missing(each) for each in dossiers}, parties)
    closed = msgspec.structs.replace(
        inspection, state=InspectionState.COMPLETED, outcome=order.outcome.value, completed_at=done_at
    )
    await _set_outcome(tx, closed, reason, photos)
    await _keep_receipts(tx, inspection_id, dossiers, order.receipts)
    events, numbers, ids = await _issue(tx, await _papers(tx, dossiers, order.outcome, reason))
    completed = _completed(inspection, closed, mine, order, dossiers)
    answer = CompletionAnswer(
        inspection_id=inspection_id,
        state=InspectionState.COMPLETED,
        outcome=order.outcome,
        completed_at=done_at,
        documents=ids,
    )
    return Outcome(answer=answer, events=(completed, *events), numbers=tuple(numbers))


def _with_receipts(dossiers: Sequence[Dossier], receipts: Sequence[TransferReceipt]) -> list[Dossier]:
    """接收回执 put into the answers that they belong to, whichever department's."""
    lines = rules.with_receipts([line for each in dossiers for line in each.lines], receipts)
    return [
        msgspec.structs.replace(
            each, lines=[line for line in lines if line.department_id == each.department.department_id]
        )
        for each in dossiers
    ]


async def _keep_receipts(
    tx: Transaction, inspection_id: UUID, dossiers: Sequence[Dossier], receipts: Sequence[TransferReceipt]
) -> None:
    received = {each.item_id for each in receipts}
    rows = [
        {"of_inspection": inspection_id, "of_item": line.item_id, "filled": line.answer.measures}
        for each in dossiers
        for line in each.lines
        if line.item_id in received and line.answer is not None
    ]
    if rows:
        await answer_store.FILL_MEASURES.run_many(tx.connection, rows)


async def _dossiers(tx: Transaction, inspection: Inspection, parties: Sequence[Party], on: date) -> list[Dossier]:
    """What each department's papers are made of, the lead's first; who was replaced since stands there too."""
    officers = await inspection_store.ASSIGNED_OFFICERS.all(
        tx.connection, inspection_id=inspection.id, as_of=inspection.created_at
    )
    signatures = await record_store.SIGNATURES.all(tx.connection, inspection_id=inspection.id)
    dossiers: list[Dossier] = []
    for party in parties:
        draft = await read_draft(tx.connection, tx.vault, inspection, party.department_id)
        require_current(draft)
        dossiers.append(
            Dossier(
                inspection=inspection,
                department=party,
                party=draft.party,
                officers=[each for each in officers if each.acts_for == party.department_id],
                presences=draft.presences,
                lines=draft.lines,
                facts=draft.facts,
                digest=None if draft.part is None else draft.part.digest,
                signatures=[
                    (each, open_signatory(tx.vault, each))
                    for each in signatures
                    if each.department_id == party.department_id
                ],
                on=on,
            )
        )
    return dossiers


def _missing(dossier: Dossier) -> list[SignatureRole]:
    if dossier.digest is None:
        return [SignatureRole.OFFICER, SignatureRole.INSPECTED_PARTY, SignatureRole.RECORDER]
    return still_to_sign([each for each, _ in dossier.signatures], dossier.presences, dossier.facts)


async def _papers(
    tx: Transaction, dossiers: Sequence[Dossier], outcome: InspectionOutcome, reason: str | None
) -> list[DocumentOrder]:
    """检查结果告知书 of the lead department, and the record of each department that signed one."""
    lead = dossiers[0]
    notice = await find_usable_template(tx.connection, DocumentKind.RESULT_NOTICE, lead.department.department_id)
    found = [line for each in dossiers for line in each.lines]
    papers = [result_order(msgspec.structs.replace(lead, lines=found), notice, outcome, reason)]
    for each in dossiers:
        if each.digest is not None:
            template = await find_usable_template(
                tx.connection, DocumentKind.INSPECTION_RECORD, each.department.department_id
            )
            papers.append(record_order(each, template, each.digest))
    return papers


async def _issue(tx: Transaction, papers: list[DocumentOrder]) -> tuple[list[Event], list[NumberRequest], list[UUID]]:
    events: list[Event] = []
    numbers: list[NumberRequest] = []
    ids: list[UUID] = []
    for paper in papers:
        issued = await issue_document(tx, paper)
        events.append(issued.event)
        numbers += issued.numbers
        ids.append(issued.id)
    return events, numbers, ids


async def _set_outcome(tx: Transaction, inspection: Inspection, reason: str | None, photos: list[bytes]) -> None:
    await store.SET_OUTCOME.run(
        tx.connection,
        of_inspection=inspection.id,
        new_state=inspection.state,
        new_outcome=inspection.outcome,
        new_outcome_reason=reason,
        new_outcome_evidence=photos,
        new_completed_at=inspection.completed_at,
    )


def _completed(
    before: Inspection,
    closed: Inspection,
    mine: AssignedOfficer,
    order: CompletionOrder,
    dossiers: Sequence[Dossier],
) -> InspectionCompleted:
    digests = [each.digest.hex() for each in dossiers if each.digest is not None]
    return InspectionCompleted(
        subject_id=closed.id,
        department_id=mine.acts_for,
        region=closed.region,
        site_id=closed.site_id,
        enterprise_id=closed.enterprise_id,
        before=OutcomeFacts(state=before.state, outcome=before.outcome),
        after=OutcomeFacts(
            state=closed.state,
            outcome=closed.outcome,
            reason=order.reason,
            photos=order.photos,
            record_digests=digests,
            receipts={str(each.item_id): each.receipt_number for each in order.receipts},
            completed_at=closed.completed_at,
        ),
    )


async def _suspend(
    tx: Transaction, inspection: Inspection, mine: AssignedOfficer, reason: str | None, photos: list[bytes]
) -> Outcome[CompletionAnswer]:
    """中止待续: the next check-in takes it up again."""
    suspended = msgspec.structs.replace(inspection, outcome=InspectionOutcome.SUSPENDED.value)
    await _set_outcome(tx, suspended, reason, photos)
    event = InspectionSuspended(
        subject_id=inspection.id,
        department_id=mine.acts_for,
        region=inspection.region,
        site_id=inspection.site_id,
        before=OutcomeFacts(state=inspection.state, outcome=inspection.outcome),
        after=OutcomeFacts(
            state=suspended.state,
            outcome=suspended.outcome,
            reason=reason,
            photos=[each.hex() for each in photos],
        ),
    )
    answer = CompletionAnswer(
        inspection_id=inspection.id,
        state=inspection.state,
        outcome=InspectionOutcome.SUSPENDED,
        completed_at=None,
        documents=[],
    )
    return Outcome(answer=answer, events=(event,))


async def replace_officer(
    tx: Transaction, manager_id: UUID, department_id: UUID, inspection_id: UUID, order: ReplacementOrder
) -> Outcome[ReplacementAnswer]:
    """人员替换 (TASK-13) by the manager of the department; what the former officer did stays theirs.

    Raises `NotFound`, `InspectionAlreadyClosed`, `CertificateInvalid`, `InvalidField` or `ReasonMissing`.
    """
    why = require_reason(order.reason, "reason")
    inspection = await inspection_store.LOCK_INSPECTION.first(tx.connection, inspection_id=inspection_id)
    parties: list[Party] = await inspection_store.PARTIES.all(tx.connection, inspection_id=inspection_id)
    if inspection is None or all(party.department_id != department_id for party in parties):
        raise NotFound("没有该检查任务。")
    if inspection.state is not InspectionState.PENDING:
        raise inspection_rules.InspectionAlreadyClosed("该检查任务已办结或取消。", state=inspection.state)
    officers = await inspection_store.ASSIGNED_OFFICERS.all(tx.connection, inspection_id=inspection_id, as_of=tx.now)
    former = next((each for each in officers if each.id == order.former_officer_id), None)
    if former is None or former.acts_for != department_id:
        raise InvalidField("被替换人员不在本部门的检查人员中。", field="former_officer_id")
    successor = await store.CERTIFIED_OFFICER.first(tx.connection, officer_id=order.officer_id)
    if successor is None or successor.department_id != department_id:
        raise InvalidField("接替人员不是本部门的执法人员。", field="officer_id")
    if any(each.id == successor.id for each in officers):
        raise InvalidField("接替人员已在本次检查的人员中。", field="officer_id")
    require_certificate(successor, local_date(tx.now), "officer_id")
    await store.REMOVE_OFFICER.run(tx.connection, of_inspection=inspection_id, of_officer=former.id)
    await inspection_store.INSERT_OFFICER.run(
        tx.connection, inspection_id=inspection_id, officer_id=successor.id, department_id=department_id
    )
    await store.INSERT_REPLACEMENT.run(
        tx.connection,
        id=tx.new_id(),
        inspection_id=inspection_id,
        department_id=department_id,
        former_officer_id=former.id,
        officer_id=successor.id,
        reason=why,
        replaced_by=manager_id,
        replaced_at=tx.now,
    )
    event = OfficerReplaced(
        subject_id=inspection_id,
        department_id=department_id,
        region=inspection.region,
        site_id=inspection.site_id,
        before=ReplacedFacts(officer_id=former.id),
        after=ReplacedFacts(officer_id=successor.id, reason=why),
        name=inspection.name,
        starts_on=inspection.starts_on,
        due_on=inspection.due_on,
    )
    answer = ReplacementAnswer(
        inspection_id=inspection_id,
        department_id=department_id,
        former_officer_id=former.id,
        officer_id=successor.id,
        replaced_at=tx.now,
    )
    return Outcome(answer=answer, events=(event,))
