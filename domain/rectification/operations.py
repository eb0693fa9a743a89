"""责令改正通知书: issued, revoked, and which are open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from domain.document.model import DocumentKind, DocumentOrder
from domain.document.operations import issue_document, revoke_document
from domain.document.template_operations import find_usable_template
from domain.enterprise.rules import require_reason
from domain.inspection.model import Inspection, InspectionState
from domain.inspection.rules import InspectionAlreadyClosed
from domain.inspection.store import LOCK_INSPECTION
from domain.rectification import paper, rules, service_store, store
from domain.rectification.acts import IssueOrder, LeasedNumber, OrderIssued, OrderRevoked
from domain.rectification.drafting import Desk, answered_items, open_desk
from domain.rectification.events import OrderFacts, RectificationOrderIssued, RectificationOrderRevoked, StateFacts
from domain.rectification.model import ConsentMeans, Order, OrderedItem, OrderState
from domain.rectification.store import OpenOrder
from domain.shared.errors import NotFound
from domain.shared.numbers import NumberKind, internal_number
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction


async def issue_rectification_order(
    tx: Transaction, officer_id: UUID, inspection_id: UUID, asked: IssueOrder
) -> Outcome[OrderIssued]:
    """责令改正 (MOB-12): the officer's department orders what its own items demand.

    Authority is judged as of the act, state as of the receipt. Raises `NotFound`, `NotAssigned`, `NotCheckedIn`,
    `CertificateInvalid`, `SecondOfficerRequired`, `InspectionAlreadyClosed`, `ReasonMissing`, `ItemNotOrderable`,
    `ItemAlreadyOrdered`, `InvalidField`, `FieldNotEditable`, `NoUsableTemplate` or `NumberNotLeased`.
    """
    rules.require_version_7(asked.id)
    inspection = await LOCK_INSPECTION.first(tx.connection, inspection_id=inspection_id)
    if inspection is None:
        raise NotFound("没有该检查任务。")
    desk = await open_desk(tx.connection, inspection, officer_id, tx.done_at)
    late_reason = _late_reason(inspection, asked)
    rules.require_term(asked.due_on, desk.issued_on, "due_on")
    found = await answered_items(tx.connection, desk)
    items = rules.ordered_items(asked.items, found, desk.department_id, desk.issued_on, asked.due_on)
    order = _order(asked, tx.new_id(), desk)
    if asked.leased_number is not None:
        await _claim(tx, desk, asked.leased_number, order.document_id)
    issued = await issue_document(tx, await _document_order(tx, desk, order, asked, items))
    consent = await service_store.CONSENT_IN_FORCE.first(tx.connection, enterprise_id=order.enterprise_id)
    means = [] if consent is None else consent.means
    await store.INSERT_ORDER.run(tx.connection, **msgspec.structs.asdict(order))
    await store.INSERT_ITEM.run_many(
        tx.connection, [{**msgspec.structs.asdict(item), "order_id": order.id} for item in items]
    )
    item_ids = [item.item_id for item in items]
    await store.BIND_ANSWERS.run(tx.connection, of_inspection=inspection_id, items=item_ids, bound_to=order.id)
    event = _issued(desk, order, asked, items, late_reason, means)
    answer = OrderIssued(
        **{name: getattr(order, name) for name in _ANSWERED},
        verification_code=issued.verification_code,
        items=item_ids,
        consents=means,
    )
    return Outcome(
        answer=answer,
        events=(issued.event, event),
        numbers=issued.numbers,
        location=f"/api/v1/rectification-orders/{order.id}",
    )


_ANSWERED = (
    "id",
    "inspection_id",
    "department_id",
    "document_id",
    "state",
    "issued_at",
    "due_on",
    "re_inspection_due_on",
)


def _late_reason(inspection: Inspection, asked: IssueOrder) -> str | None:
    """After completion a paper may still follow, with its reason; after cancellation none may."""
    if inspection.state is InspectionState.CANCELLED:
        raise InspectionAlreadyClosed("该检查任务已取消。", state=inspection.state)
    if inspection.state is InspectionState.PENDING:
        return None
    return require_reason(asked.late_reason, "late_reason")


def _order(asked: IssueOrder, document_id: UUID, desk: Desk) -> Order:
    return Order(
        id=asked.id,
        inspection_id=desk.inspection.id,
        department_id=desk.department_id,
        enterprise_id=desk.inspection.enterprise_id,
        site_id=desk.inspection.site_id,
        region=desk.inspection.region,
        document_id=document_id,
        state=OrderState.TO_RECTIFY,
        round=1,
        issued_by=desk.officer.id,
        issued_at=desk.issued_at,
        due_on=asked.due_on,
        re_inspection_due_on=rules.re_inspection_due_on(asked.due_on),
        served_on=None,
        fed_back_at=None,
        closed_at=None,
    )


async def _claim(tx: Transaction, desk: Desk, leased: LeasedNumber, document_id: UUID) -> None:
    """Use a number of the block that the phone holds. Raises `NumberNotLeased`."""
    claimed = await store.CLAIM_LEASED_NUMBER.run(
        tx.connection,
        code=desk.head.department_code,
        number_year=leased.year,
        number_sequence=leased.sequence,
        device=leased.device_id,
        document_id=document_id,
    )
    if not claimed:
        raise rules.NumberNotLeased("该文号不在本设备领取的号段内，或已使用、作废。", field="leased_number")


async def _document_order(
    tx: Transaction, desk: Desk, order: Order, asked: IssueOrder, items: Sequence[OrderedItem]
) -> DocumentOrder:
    kind = DocumentKind.RECTIFICATION_ORDER
    template = await find_usable_template(tx.connection, kind, desk.department_id, asked.template_id)
    values = paper.automatic_values(
        desk.head,
        desk.colleagues,
        items,
        contact=asked.contact,
        arrived_at=desk.arrived_at,
        issued_on=desk.issued_on,
        due_on=order.due_on,
    )
    return DocumentOrder(
        kind=kind,
        subject_id=order.id,
        inspection_id=order.inspection_id,
        department_id=order.department_id,
        department_code=desk.head.department_code,
        enterprise_id=order.enterprise_id,
        site_id=order.site_id,
        region=order.region,
        paper=paper.order_paper(template.body, values, paper.edits_of(asked), items, order.due_on),
        template_id=template.id,
        id=order.document_id,
        is_numbered=asked.leased_number is None,
    )


def place_of(order: Order) -> dict[str, Any]:
    """Where an act on the order took place, for its event."""
    return {
        "subject_id": order.id,
        "department_id": order.department_id,
        "region": order.region,
        "site_id": order.site_id,
        "enterprise_id": order.enterprise_id,
        "document_id": order.document_id,
    }


def standing_of(order: Order, reason: str | None = None) -> StateFacts:
    """The order as the trace tells it, before or after an act."""
    return StateFacts(
        state=order.state,
        round=order.round,
        due_on=order.due_on,
        re_inspection_due_on=order.re_inspection_due_on,
        served_on=order.served_on,
        reason=reason,
    )


def _issued(
    desk: Desk,
    order: Order,
    asked: IssueOrder,
    items: Sequence[OrderedItem],
    late_reason: str | None,
    means: Sequence[ConsentMeans],
) -> RectificationOrderIssued:
    leased = asked.leased_number
    return RectificationOrderIssued(
        **place_of(order),
        after=OrderFacts(
            inspection_id=order.inspection_id,
            document_id=order.document_id,
            state=order.state,
            round=order.round,
            due_on=order.due_on,
            re_inspection_due_on=order.re_inspection_due_on,
            items=[item.item_id for item in items],
            leased_number=None
            if leased is None
            else internal_number(desk.head.department_code, leased.year, NumberKind.RECTIFICATION, leased.sequence),
            late_reason=late_reason,
            issued_at=order.issued_at,
        ),
        consents=[each.value for each in means],
        department_name=desk.head.short_name,
        hotline=desk.head.hotline,
        due_on=order.due_on,
    )


async def lock_order(tx: Transaction, order_id: UUID) -> Order:
    """The order, to be changed by this transaction alone. Raises `NotFound`."""
    order = await store.LOCK_ORDER.first(tx.connection, order_id=order_id)
    if order is None:
        raise NotFound("没有该责令改正通知书。")
    return order


async def revoke_order(
    tx: Transaction, department_id: UUID | None, order_id: UUID, reason: str
) -> Outcome[OrderRevoked]:
    """撤销 by a manager of the department: the paper is revoked with it, the number stays.

    Raises `NotFound`, `OrderAlreadyClosed` or `ReasonMissing`.
    """
    why = require_reason(reason, "reason")
    order = await lock_order(tx, order_id)
    if order.department_id != department_id:
        raise NotFound("没有该责令改正通知书。")
    rules.require_open(order)
    revoked = await revoke_document(tx, order.document_id, why)
    state = OrderState.REVOKED
    await store.CLOSE_ORDER.run(tx.connection, order_id=order.id, state_after=state, now=tx.now)
    await store.RELEASE_ANSWERS.run(tx.connection, of_inspection=order.inspection_id, bound_to=order.id)
    after = msgspec.structs.replace(order, state=state, closed_at=tx.now)
    event = RectificationOrderRevoked(
        **place_of(order), before=standing_of(order), after=standing_of(after, reason=why)
    )
    answer = OrderRevoked(id=order.id, document_id=order.document_id, state=state, closed_at=tx.now)
    return Outcome(answer=answer, events=(revoked, event))


async def orders_open(connection: Connection, inspection_id: UUID) -> list[OpenOrder]:
    """The orders that keep an inspection from being archived (归档)."""
    return await store.ORDERS_OPEN.all(connection, inspection_id=inspection_id)
