"""任务分发: an approved inspection reaches the officers who carry it out, with its items drawn and frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from domain.checklist.model import ChecklistItem
from domain.checklist.store import ITEMS_OF_VERSION
from domain.document.model import DocumentKind
from domain.document.operations import issue_document
from domain.document.template_operations import find_usable_template
from domain.document.template_rules import NoUsableTemplate
from domain.inspection import store
from domain.inspection.answers import store as answer_store
from domain.inspection.answers.content import list_text
from domain.inspection.events import DispatchedFacts, InspectionDispatched
from domain.inspection.model import DispatchedParty, DispatchOrder
from domain.inspection.papers import Dossier, notice_order
from domain.inspection.record import store as record_store
from domain.inspection.record.model import RecordFacts
from domain.selection.model import ItemCandidate
from domain.selection.operations import keep_draw
from domain.selection.policy import supervision_grade
from domain.selection.rules import draw_items
from domain.shared.clock import local_date
from domain.shared.events import Event
from domain.shared.numbers import NumberKind, NumberRequest
from domain.shared.transaction import Outcome, Transaction

_NONCE_BYTES: Final = 16
_SECRET_BYTES: Final = 32


class _Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """What the trace keeps of a drawn list."""

    list_digest: bytes | None = None
    draw_digest: bytes | None = None
    items: int = 0


async def dispatch_inspection(tx: Transaction, order: DispatchOrder) -> Outcome[UUID]:
    """任务分发: the inspection with parties, officers, drawn items, and the numbers of the task and its 检查通知书.

    Items are drawn here and frozen: nobody chooses them, draws again, or knows them before the scan.
    """
    inspection_id = tx.new_id()
    lead = order.parties[0]
    await _insert(tx, inspection_id, order)
    frozen = await _freeze_list(tx, inspection_id, order)
    event = InspectionDispatched(
        subject_id=inspection_id,
        department_id=lead.department_id,
        region=order.region,
        site_id=order.site_id,
        after=DispatchedFacts(
            name=order.name,
            kind=order.kind,
            starts_on=order.starts_on,
            due_on=order.due_on,
            officers=[officer for party in order.parties for officer in party.officer_ids],
            checklist_version_id=order.checklist_version_id,
            items=frozen.items,
            list_digest=None if frozen.list_digest is None else frozen.list_digest.hex(),
            draw_digest=None if frozen.draw_digest is None else frozen.draw_digest.hex(),
        ),
        joined=tuple(party.department_id for party in order.parties[1:]),
    )
    events: tuple[Event, ...] = (event, *await _issue_notice(tx, inspection_id, frozen.items))
    numbers = tuple(
        NumberRequest(department_code=lead.department_code, kind=kind, subject_id=inspection_id)
        for kind in (NumberKind.INSPECTION, NumberKind.NOTICE)
    )
    return Outcome(answer=inspection_id, events=events, numbers=numbers)


async def _insert(tx: Transaction, inspection_id: UUID, order: DispatchOrder) -> None:
    fields = msgspec.structs.asdict(order)
    del fields["parties"]
    lead = order.parties[0]
    await store.INSERT_INSPECTION.run(
        tx.connection,
        **fields,
        id=inspection_id,
        state="pending",
        outcome=None,
        completed_at=None,
        list_digest=None,
        nonce=None,
        initiating_department_id=lead.department_id,
        created_at=tx.now,
    )
    await store.FREEZE_PARTY.run(tx.connection, of_inspection=inspection_id)
    await store.INSERT_PARTY.run_many(
        tx.connection,
        [
            {"inspection_id": inspection_id, "department_id": party.department_id, "is_lead": party is lead}
            for party in order.parties
        ],
    )
    await store.INSERT_OFFICER.run_many(
        tx.connection,
        [
            {"inspection_id": inspection_id, "officer_id": officer_id, "department_id": party.department_id}
            for party in order.parties
            for officer_id in party.officer_ids
        ],
    )


async def _issue_notice(tx: Transaction, inspection_id: UUID, items: int) -> tuple[Event, ...]:
    """检查通知书 of the lead department, where a reviewed template of it is in use."""
    parties = await store.PARTIES.all(tx.connection, inspection_id=inspection_id)
    lead = parties[0]
    try:
        template = await find_usable_template(tx.connection, DocumentKind.INSPECTION_NOTICE, lead.department_id)
    except NoUsableTemplate:
        return ()
    dossier = Dossier(
        inspection=await store.INSPECTION_BY_ID.one(tx.connection, inspection_id=inspection_id),
        department=lead,
        party=await record_store.PARTY.one(tx.connection, inspection_id=inspection_id),
        officers=await store.ASSIGNED_OFFICERS.all(tx.connection, inspection_id=inspection_id, as_of=tx.now),
        presences=[],
        lines=[],
        facts=RecordFacts(),
        digest=None,
        signatures=[],
        on=local_date(tx.now),
    )
    return ((await issue_document(tx, notice_order(dossier, template, items))).event,)


async def _freeze_list(tx: Transaction, inspection_id: UUID, order: DispatchOrder) -> _Frozen:
    """Draw the items, store them, and fix the digest of their text and the nonce that seals it."""
    if order.checklist_version_id is None:
        return _Frozen()
    items = await ITEMS_OF_VERSION.all(tx.connection, version_id=order.checklist_version_id)
    grades = await store.GRADES_OF_SITE.one(tx.connection, site_id=order.site_id)
    drawn = draw_items(
        [_candidate(item) for item in items],
        supervision_grade(grades.risk_level, grades.credit_grade),
        tx.random(_SECRET_BYTES),
        tx.new_id(),
        inspection_id=inspection_id,
        credit=grades.credit_grade,
        drawn_at=tx.now,
    )
    draw_digest = await keep_draw(tx, drawn.record)
    chosen = {item_id: place for place, item_id in enumerate(drawn.items, start=1)}
    await answer_store.INSERT_ITEM.run_many(
        tx.connection,
        [
            {
                "inspection_id": inspection_id,
                "item_id": item.id,
                "place": chosen[item.id],
                "department_id": _department_of(item, order.parties),
            }
            for item in items
            if item.id in chosen
        ],
    )
    lines = await answer_store.LINES.all(tx.connection, inspection_id=inspection_id)
    list_digest = hashlib.sha256(list_text(lines)).digest()
    await store.SEAL_LIST.run(
        tx.connection, of_inspection=inspection_id, digest=list_digest, new_nonce=tx.random(_NONCE_BYTES)
    )
    return _Frozen(list_digest=list_digest, draw_digest=draw_digest, items=len(chosen))


def _candidate(item: ChecklistItem) -> ItemCandidate:
    return ItemCandidate(
        id=item.id,
        is_mandatory=item.is_mandatory,
        grades=frozenset(grade.value for grade in item.grades),
        severity=item.severity.value,
    )


def _department_of(item: ChecklistItem, parties: Sequence[DispatchedParty]) -> UUID:
    """The item's own department where it takes part, else the lead."""
    named = (party.department_id for party in parties if party.department_code == item.department_code)
    return next(named, parties[0].department_id)
