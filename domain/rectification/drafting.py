"""What an order is drafted from: who orders, what may be ordered, and the template with its values put in (MOB-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from domain.document.model import DocumentKind
from domain.document.template_operations import find_usable_template
from domain.document.templates import MarkedField, fields_of, standard_edits
from domain.inspection.model import AssignedOfficer, Inspection
from domain.inspection.rules import NotAssigned, NotCheckedIn, bounded_done_at
from domain.inspection.store import ASSIGNED_OFFICERS, INSPECTION_BY_ID
from domain.rectification import paper, rules, service_store, store
from domain.rectification.model import AnsweredItem, ConsentMeans
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.sql import Connection


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Who orders for which department, after which arrival, at which instant: checked."""

    inspection: Inspection
    officer: AssignedOfficer
    colleagues: Sequence[AssignedOfficer]
    head: paper.PaperHead
    arrived_at: datetime
    issued_at: datetime

    @property
    def department_id(self) -> UUID:
        """The department that orders."""
        return self.officer.acts_for

    @property
    def issued_on(self) -> date:
        """The paper's day."""
        return local_date(self.issued_at)


async def open_desk(connection: Connection, inspection: Inspection, officer_id: UUID, done_at: datetime) -> Desk:
    """Authority as of `done_at`, which is never before the arrival.

    Raises `NotAssigned`, `NotCheckedIn`, `CertificateInvalid` or `SecondOfficerRequired`.
    """
    assigned = await ASSIGNED_OFFICERS.all(connection, inspection_id=inspection.id, as_of=done_at)
    mine = next((each for each in assigned if each.id == officer_id), None)
    if mine is None:
        raise NotAssigned("你不是该检查任务的执法人员。")
    arrival = await store.FIRST_CHECK_IN.one(connection, inspection_id=inspection.id, department_id=mine.acts_for)
    if arrival.done_at is None:
        raise NotCheckedIn("本部门尚未报到，不能签发责令改正通知书。")
    issued_at = max(bounded_done_at(done_at, inspection), arrival.done_at)
    officer = rules.require_certified_pair(assigned, officer_id, local_date(issued_at))
    head = await store.PAPER_HEAD.one(connection, inspection_id=inspection.id, department_id=officer.acts_for)
    return Desk(
        inspection=inspection,
        officer=officer,
        colleagues=[officer, *(each for each in assigned if each.acts_for == officer.acts_for and each is not officer)],
        head=head,
        arrived_at=arrival.done_at,
        issued_at=issued_at,
    )


async def answered_items(connection: Connection, desk: Desk) -> Mapping[UUID, AnsweredItem]:
    """The problems of the desk's department by item."""
    items = await store.ANSWERED_ITEMS.all(
        connection, inspection_id=desk.inspection.id, department_id=desk.department_id
    )
    return {item.item_id: item for item in items}


class OrderableItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item that may be ordered. `suggested_due_on`: a proposal only, none where the hazard is severe (D7)."""

    item_id: UUID
    place: int
    title: str
    severity: str
    facts: str | None
    clauses: str
    at_once: bool
    penalty_if_overdue: bool
    suggested_due_on: date | None


class OrderDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What the phone shows before an order is issued: items, the template's values, and what may be edited."""

    inspection_id: UUID
    department_id: UUID
    items: list[OrderableItem]
    template_id: UUID
    fields: list[MarkedField]
    values: dict[str, str]
    suggested_term_source: str
    consents: list[ConsentMeans]


async def draft_order(
    connection: Connection, officer_id: UUID, inspection_id: UUID, now: datetime, template_id: UUID | None
) -> OrderDraft:
    """责令改正通知书 before it is issued. Raises what `open_desk` raises, `NotFound` or `NoUsableTemplate`."""
    inspection = await INSPECTION_BY_ID.first(connection, inspection_id=inspection_id)
    if inspection is None:
        raise NotFound("没有该检查任务。")
    desk = await open_desk(connection, inspection, officer_id, now)
    found = await answered_items(connection, desk)
    items = [each for each in found.values() if each.order_id is None and each.kinds & rules.ORDERING_MEASURES]
    kind = DocumentKind.RECTIFICATION_ORDER
    template = await find_usable_template(connection, kind, desk.department_id, template_id)
    consent = await service_store.CONSENT_IN_FORCE.first(connection, enterprise_id=inspection.enterprise_id)
    values = paper.automatic_values(
        desk.head,
        desk.colleagues,
        [],
        contact=paper.contact_of(desk.head, desk.officer),
        arrived_at=desk.arrived_at,
        issued_on=desk.issued_on,
        due_on=desk.issued_on,
    )
    return OrderDraft(
        inspection_id=inspection_id,
        department_id=desk.department_id,
        items=[_orderable(each, desk.issued_on) for each in items],
        template_id=template.id,
        fields=fields_of(template.body),
        values=standard_edits(template.body, values),
        suggested_term_source=rules.SUGGESTED_TERM.source,
        consents=[] if consent is None else consent.means,
    )


def _orderable(item: AnsweredItem, on: date) -> OrderableItem:
    at_once = "rectify_within" not in item.kinds
    return OrderableItem(
        item_id=item.item_id,
        place=item.place,
        title=item.content,
        severity=item.severity,
        facts=item.remark,
        clauses=rules.clauses_of(item.legal_basis),
        at_once=at_once,
        penalty_if_overdue=item.penalty_if_overdue,
        suggested_due_on=None if at_once else rules.suggested_due_on(item.severity, on),
    )
