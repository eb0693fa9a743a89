"""What is due by when follows from what happens: rows of `api/reactions.py` that open, move and close deadlines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.complaint.events import GrievanceEvent
from domain.complaint.grievance_store import STORES
from domain.complaint.model import OPEN as OPEN_GRIEVANCES
from domain.complaint.model import GrievanceKind, GrievanceState
from domain.deadline.model import Charge, DeadlineKind
from domain.deadline.operations import close_deadline, move_deadline, open_deadline, replace_officer
from domain.inspection.completion.events import InspectionCompleted, OfficerReplaced
from domain.inspection.events import InspectionDispatched
from domain.inspection.tables import inspection_officer
from domain.publication.objection.events import ObjectionDecided, ObjectionFiled, ObjectionWithdrawn
from domain.rectification.events import (
    ExtensionDecided,
    PaperServed,
    RectificationFedBack,
    RectificationOrderIssued,
    RectificationOrderRevoked,
    RectificationReInspected,
)
from domain.rectification.model import ExtensionState, OrderState
from domain.rectification.rules import re_inspection_due_on
from domain.rectification.store import ORDER_BY_ID
from domain.rectification.tables import rectification_order
from domain.request.events import RequestMoved, RequestSubmitted
from domain.request.model import RequestState
from domain.request.rules import OPEN as OPEN_REQUESTS
from domain.shared.clock import local_date
from domain.shared.events import Event
from domain.shared.sql import Query
from domain.shared.transaction import Transaction

_OF_GRIEVANCE: Final = {
    GrievanceKind.COMPLAINT: DeadlineKind.COMPLAINT,
    GrievanceKind.TIP_OFF: DeadlineKind.TIP_OFF,
}
_INSTANT_BEFORE: Final = timedelta(microseconds=1)


class _PostRow(msgspec.Struct, frozen=True):
    inspection_id: UUID
    officer_id: UUID


_OFFICERS_OF_ORDER = Query(
    sa.select(inspection_officer.c.inspection_id, inspection_officer.c.officer_id)
    .select_from(
        rectification_order.join(
            inspection_officer,
            sa.and_(
                inspection_officer.c.inspection_id == rectification_order.c.inspection_id,
                inspection_officer.c.department_id == rectification_order.c.department_id,
            ),
        )
    )
    .where(rectification_order.c.id == sa.bindparam("order_id", type_=sa.Uuid))
    .order_by(inspection_officer.c.officer_id),
    _PostRow,
)
"""Those of the order's department who are assigned to its inspection today."""


async def keep_deadlines(tx: Transaction, event: Event) -> Sequence[Event]:
    """What `event` makes due, moves or ends, in its own transaction; gives what follows from that."""
    match event:
        case GrievanceEvent():
            return await _of_grievance(tx, event)
        case RequestSubmitted() | RequestMoved():
            return await _of_request(tx, event)
        case ObjectionFiled() | ObjectionDecided() | ObjectionWithdrawn():
            return await _of_objection(tx, event)
        case InspectionDispatched() | InspectionCompleted() | OfficerReplaced():
            return await _of_inspection(tx, event)
        case (
            RectificationOrderIssued()
            | PaperServed()
            | ExtensionDecided()
            | RectificationFedBack()
            | RectificationReInspected()
            | RectificationOrderRevoked()
        ):
            return await _of_order(tx, event)
        case _:
            return ()


def _charge(event: Event, **more: object) -> Charge | None:
    """Whose it is; None where no department is named: then there is nobody to warn."""
    if event.department_id is None or event.region is None:
        return None
    known = {"department_id": event.department_id, "region": event.region, "site_id": event.site_id}
    return msgspec.convert({**known, **more}, Charge)


async def _keep(tx: Transaction, kind: DeadlineKind, subject_id: UUID, due_on: date, charge: Charge | None) -> None:
    if charge is not None:
        await open_deadline(tx, kind, subject_id, due_on, charge)


async def _of_grievance(tx: Transaction, event: GrievanceEvent) -> Sequence[Event]:
    """The term that runs, of one that leads: what follows another is done with that one."""
    before, after = event.before, event.after
    kind = _OF_GRIEVANCE[after.kind]
    if GrievanceState(after.state) not in OPEN_GRIEVANCES or after.leading_id is not None:
        return await close_deadline(tx, event.subject_id, kind)
    if before is not None and _runs_alike(event):
        return ()
    kept = await STORES[after.kind].by_id.one(tx.connection, grievance_id=event.subject_id)
    charge = _charge(event, site_id=kept.site_id, account_id=after.handler_id)
    await _keep(tx, kind, event.subject_id, after.due_on, charge)
    return ()


def _runs_alike(event: GrievanceEvent) -> bool:
    before, after = event.before, event.after
    if before is None or GrievanceState(before.state) not in OPEN_GRIEVANCES:
        return False
    return (before.due_on, before.handler_id, before.leading_id) == (after.due_on, after.handler_id, after.leading_id)


async def _of_request(tx: Transaction, event: RequestSubmitted | RequestMoved) -> Sequence[Event]:
    """Due while the department has it; returned to the enterprise, it waits there without a term."""
    if RequestState(event.after.state) not in OPEN_REQUESTS:
        return await close_deadline(tx, event.subject_id, DeadlineKind.REQUEST)
    charge = _charge(event, department_id=event.after.department_id, enterprise_id=event.enterprise_id)
    await _keep(tx, DeadlineKind.REQUEST, event.subject_id, event.after.due_on, charge)
    return ()


async def _of_objection(
    tx: Transaction, event: ObjectionFiled | ObjectionDecided | ObjectionWithdrawn
) -> Sequence[Event]:
    """Until the result is published in spite of it (D10): the day before is the last whole one."""
    if not isinstance(event, ObjectionFiled):
        return await close_deadline(tx, event.subject_id, DeadlineKind.OBJECTION)
    charge = _charge(event, inspection_id=event.after.inspection_id)
    await _keep(tx, DeadlineKind.OBJECTION, event.subject_id, _last_day(event.after.due_at), charge)
    return ()


def _last_day(due_at: datetime) -> date:
    return local_date(due_at - _INSTANT_BEFORE)


async def _of_inspection(
    tx: Transaction, event: InspectionDispatched | InspectionCompleted | OfficerReplaced
) -> Sequence[Event]:
    match event:
        case InspectionDispatched(after=after):
            charge = _charge(event, inspection_id=event.subject_id, officers=tuple(after.officers))
            await _keep(tx, DeadlineKind.INSPECTION, event.subject_id, after.due_on, charge)
        case OfficerReplaced():
            await replace_officer(tx, event.subject_id, event.before.officer_id, event.after.officer_id)
        case InspectionCompleted():
            return await close_deadline(tx, event.subject_id, DeadlineKind.INSPECTION)
    return ()


_OrderAct = (
    RectificationOrderIssued
    | PaperServed
    | ExtensionDecided
    | RectificationFedBack
    | RectificationReInspected
    | RectificationOrderRevoked
)


async def _of_order(tx: Transaction, event: _OrderAct) -> Sequence[Event]:
    """责令改正 is the enterprise's to do, from lawful service on; 整改复查 is the officers', from the first day."""
    order_id, kinds = event.subject_id, (DeadlineKind.RECTIFICATION, DeadlineKind.RE_INSPECTION)
    match event:
        case RectificationOrderIssued(after=issued):
            charge = await _charge_of_order(tx, event)
            await _keep(tx, DeadlineKind.RE_INSPECTION, order_id, issued.re_inspection_due_on, charge)
        case PaperServed():
            await _run_term(tx, event)
        case ExtensionDecided(after=decided) if decided.state == ExtensionState.GRANTED:
            await _prolong(tx, order_id)
        case RectificationFedBack(after=given):
            await move_deadline(tx, DeadlineKind.RE_INSPECTION, order_id, given.re_inspection_due_on)
            return await close_deadline(tx, order_id, DeadlineKind.RECTIFICATION)
        case RectificationReInspected(after=after) if after.state == OrderState.TO_RECTIFY:
            await move_deadline(tx, DeadlineKind.RECTIFICATION, order_id, after.due_on, reopens=True)
            due_on = re_inspection_due_on(after.due_on)
            await move_deadline(tx, DeadlineKind.RE_INSPECTION, order_id, due_on, reopens=True)
        case RectificationReInspected() | RectificationOrderRevoked():
            return await close_deadline(tx, order_id, *kinds)
        case _:
            pass
    return ()


async def _prolong(tx: Transaction, order_id: UUID) -> None:
    """More time moves both, served or not; what was answered meanwhile is re-inspected on its own day."""
    order = await ORDER_BY_ID.one(tx.connection, order_id=order_id)
    await move_deadline(tx, DeadlineKind.RECTIFICATION, order_id, order.due_on)
    if order.fed_back_at is None:
        await move_deadline(tx, DeadlineKind.RE_INSPECTION, order_id, order.re_inspection_due_on)


async def _run_term(tx: Transaction, event: PaperServed) -> None:
    """A paper that was served only after its term counts none (one-code.md, Service)."""
    before = event.before
    if before.state != OrderState.TO_RECTIFY or event.after.order_served_on > before.due_on:
        return
    await _keep(tx, DeadlineKind.RECTIFICATION, event.subject_id, before.due_on, await _charge_of_order(tx, event))


async def _charge_of_order(tx: Transaction, event: RectificationOrderIssued | PaperServed) -> Charge | None:
    posts = await _OFFICERS_OF_ORDER.all(tx.connection, order_id=event.subject_id)
    return _charge(
        event,
        enterprise_id=event.enterprise_id,
        inspection_id=posts[0].inspection_id if posts else None,
        officers=tuple(each.officer_id for each in posts),
    )
