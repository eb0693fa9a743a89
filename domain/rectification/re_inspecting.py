"""整改复查 (POST-01, MOB-16, MOB-17): passed, guided, ordered once more, or transferred."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from domain.evidence.operations import require_evidence
from domain.inspection.rules import SecondOfficerRequired
from domain.officer.rules import require_certificate
from domain.rectification import rules, store
from domain.rectification.acts import ReInspect, ReInspected
from domain.rectification.events import RectificationReInspected, ReInspectionFacts, TransferOpened
from domain.rectification.model import Order, OrderedItem, OrderState, ReInspectionResult
from domain.rectification.operations import lock_order, place_of, standing_of
from domain.rectification.transferring import NewTransfer, insert_transfer
from domain.shared.clock import local_date
from domain.shared.errors import Forbidden
from domain.shared.transaction import Outcome, Transaction


async def re_inspect(tx: Transaction, officer_id: UUID, order_id: UUID, asked: ReInspect) -> Outcome[ReInspected]:
    """整改复查 of the order's present round, by two certified officers of its department.

    Raises `NotFound`, `Forbidden`, `OrderAlreadyClosed`, `SecondOfficerRequired`, `CertificateInvalid`,
    `InvalidField`, `ResultContradictsItems`, `TermStillRuns`, `PenaltyItemsRemain`, `FurtherRoundNotApproved` or
    `EvidenceMissing`.
    """
    rules.require_version_7(asked.id)
    order = await lock_order(tx, order_id)
    rules.require_open(order)
    done_at = max(tx.done_at, order.issued_at)
    done_on = local_date(done_at)
    await _require_officers(tx, order, officer_id, asked.second_officer_id)
    items = {each.item_id: each for each in await store.ITEMS_OF_ORDER.all(tx.connection, order_id=order_id)}
    rules.require_re_inspection(order, items, asked, done_on)
    photos = [bytes.fromhex(each) for each in (*asked.photos, *(each for item in asked.items for each in item.photos))]
    await require_evidence(tx, order.inspection_id, photos, field="photos")
    await _insert(tx, order, officer_id, asked)
    after = await _apply(tx, order, items, asked)
    transfer = await _transfer(tx, order, asked)
    event = _event(order, after, officer_id, asked, done_at)
    answer = ReInspected(
        id=asked.id,
        order_id=order_id,
        round=order.round,
        result=asked.result,
        state=after.state,
        due_on=after.due_on,
        re_inspection_due_on=after.re_inspection_due_on,
        closed_at=after.closed_at,
        transfer_id=None if transfer is None else transfer.subject_id,
    )
    return Outcome(answer=answer, events=(event,) if transfer is None else (event, transfer))


def _event(
    order: Order, after: Order, officer_id: UUID, asked: ReInspect, done_at: datetime
) -> RectificationReInspected:
    return RectificationReInspected(
        **place_of(order),
        before=standing_of(order),
        after=ReInspectionFacts(
            re_inspection_id=asked.id,
            result=asked.result,
            state=after.state,
            round=order.round,
            officer_id=officer_id,
            second_officer_id=asked.second_officer_id,
            failed_items=[each.item_id for each in asked.items if not each.is_corrected],
            due_on=after.due_on,
            approved_by=asked.approved_by,
            approval_reason=asked.approval_reason,
            done_at=done_at,
        ),
    )


async def _require_officers(tx: Transaction, order: Order, officer_id: UUID, second_officer_id: UUID) -> None:
    found = await store.OFFICERS_OF_DEPARTMENT.all(
        tx.connection,
        officers=[officer_id, second_officer_id],
        department_id=order.department_id,
        inspection_id=order.inspection_id,
    )
    by_id = {each.id: each for each in found}
    if officer_id not in by_id:
        raise Forbidden("该责令改正通知书由其他部门签发。")
    second = by_id.get(second_officer_id)
    if second is None or second.id == officer_id:
        raise SecondOfficerRequired("复查须有本部门两名以上执法人员。", field="second_officer_id")
    on = local_date(tx.done_at)
    require_certificate(by_id[officer_id], on, "officer")
    require_certificate(second, on, "second_officer_id")


async def _insert(tx: Transaction, order: Order, officer_id: UUID, asked: ReInspect) -> None:
    is_further = asked.result is ReInspectionResult.ORDER_TO_RECTIFY
    await store.INSERT_RE_INSPECTION.run(
        tx.connection,
        id=asked.id,
        order_id=order.id,
        round=order.round,
        result=asked.result,
        note=asked.note,
        items=msgspec.to_builtins(asked.items),
        evidence=[bytes.fromhex(each) for each in asked.photos],
        officer_id=officer_id,
        second_officer_id=asked.second_officer_id,
        next_due_on=asked.next_due_on if is_further else None,
        approved_by=asked.approved_by if is_further else None,
        approval_reason=asked.approval_reason if is_further else None,
        done_at=max(tx.done_at, order.issued_at),
        received_at=tx.now,
    )


async def _apply(tx: Transaction, order: Order, items: Mapping[UUID, OrderedItem], asked: ReInspect) -> Order:
    """The order as the result leaves it."""
    state = rules.STATE_AFTER[asked.result]
    if state is not OrderState.TO_RECTIFY or asked.next_due_on is None:
        await store.CLOSE_ORDER.run(tx.connection, order_id=order.id, state_after=state, now=tx.now)
        return msgspec.structs.replace(order, state=state, closed_at=tx.now)
    due_on = asked.next_due_on
    re_inspect_by = rules.re_inspection_due_on(due_on)
    await store.NEXT_ROUND.run(tx.connection, order_id=order.id, due_by=due_on, re_inspect_by=re_inspect_by)
    failed = [each.item_id for each in asked.items if not each.is_corrected and each.item_id in items]
    await store.DATE_ITEMS.run(tx.connection, of_order=order.id, items=failed, due_by=due_on)
    return msgspec.structs.replace(
        order,
        state=state,
        round=order.round + 1,
        due_on=due_on,
        re_inspection_due_on=re_inspect_by,
        fed_back_at=None,
    )


async def _transfer(tx: Transaction, order: Order, asked: ReInspect) -> TransferOpened | None:
    if asked.result is not ReInspectionResult.TRANSFER_CONDITIONS_MET or asked.receiving_body is None:
        return None
    new = NewTransfer(
        id=tx.new_id(),
        inspection_id=order.inspection_id,
        order_id=order.id,
        department_id=order.department_id,
        receiving_body=asked.receiving_body,
        reason=asked.note,
    )
    return await insert_transfer(tx, new, region=order.region, site_id=order.site_id, enterprise_id=order.enterprise_id)
