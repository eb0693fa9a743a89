"""The enterprise's side: 整改反馈, and once in an order's life more time (ENT-03, D7)."""

from __future__ import annotations

from uuid import UUID

import msgspec

from domain.enterprise.rules import require_reason
from domain.evidence.operations import require_evidence
from domain.identity.model import Principal
from domain.rectification import rules, store
from domain.rectification.acts import (
    DecideExtension,
    ExtensionStands,
    FeedbackGiven,
    GiveFeedback,
    RequestExtension,
)
from domain.rectification.events import (
    ExtensionDecided,
    ExtensionFacts,
    ExtensionRequested,
    FeedbackFacts,
    RectificationFedBack,
)
from domain.rectification.model import Extension, ExtensionState, Order, OrderState
from domain.rectification.operations import lock_order, place_of, standing_of
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.transaction import Outcome, Transaction


async def give_feedback(
    tx: Transaction, principal: Principal, order_id: UUID, asked: GiveFeedback
) -> Outcome[FeedbackGiven]:
    """整改反馈: it may come again until the re-inspection; the first of a round sets the re-inspection's term.

    Raises `NotFound`, `OrderAlreadyClosed`, `InvalidField` or `EvidenceMissing`.
    """
    order = rules.require_party(await store.LOCK_ORDER.first(tx.connection, order_id=order_id), principal)
    rules.require_open(order)
    ordered = await store.ITEMS_OF_ORDER.all(tx.connection, order_id=order_id)
    rules.require_known_items([each.item_id for each in asked.items], [each.item_id for each in ordered])
    photos = rules.photos_of(asked.items)
    await require_evidence(
        tx, order.inspection_id, [bytes.fromhex(each) for each in photos], field="items", by_enterprise=True
    )
    given_at = order.fed_back_at or tx.now  # by our clock: terms do not hang on that of the party's phone
    due_on = order.re_inspection_due_on
    if order.fed_back_at is None:
        due_on = min(due_on, rules.re_inspection_due_on(local_date(given_at)))
    feedback_id = tx.new_id()
    await store.INSERT_FEEDBACK.run(
        tx.connection,
        id=feedback_id,
        order_id=order_id,
        round=order.round,
        note=asked.note,
        items=msgspec.to_builtins(asked.items),
        submitted_by=principal.account_id,
        done_at=tx.done_at,
        received_at=tx.now,
    )
    await store.FEED_BACK.run(tx.connection, order_id=order_id, given_at=given_at, re_inspect_by=due_on)
    event = RectificationFedBack(
        **place_of(order),
        before=standing_of(order),
        after=FeedbackFacts(
            feedback_id=feedback_id,
            state=OrderState.FED_BACK,
            round=order.round,
            items=[each.item_id for each in asked.items],
            photos=photos,
            re_inspection_due_on=due_on,
        ),
    )
    answer = FeedbackGiven(
        id=feedback_id,
        order_id=order_id,
        round=order.round,
        state=OrderState.FED_BACK,
        fed_back_at=given_at,
        re_inspection_due_on=due_on,
    )
    return Outcome(answer=answer, events=(event,))


async def request_extension(
    tx: Transaction, principal: Principal, order_id: UUID, asked: RequestExtension
) -> Outcome[ExtensionStands]:
    """延期整改申请, once in the life of an order, before its term is over.

    Raises `NotFound`, `OrderAlreadyClosed`, `ExtensionAlreadyRequested`, `TermAlreadyOver`, `ReasonMissing` or
    `InvalidField`.
    """
    reason = require_reason(asked.reason, "reason")
    order = rules.require_party(await store.LOCK_ORDER.first(tx.connection, order_id=order_id), principal)
    due_on = rules.require_extendable(order, asked.days, local_date(tx.now))
    rules.require_term(due_on, local_date(order.issued_at), "days")
    if await store.EXTENSION_OF_ORDER.first(tx.connection, order_id=order_id) is not None:
        raise rules.ExtensionAlreadyRequested("该通知书已申请过一次延期。")
    extension_id = tx.new_id()
    await store.INSERT_EXTENSION.run(
        tx.connection,
        id=extension_id,
        order_id=order_id,
        days=asked.days,
        reason=reason,
        requested_by=principal.account_id,
        requested_at=tx.now,
        state=ExtensionState.PENDING,
        due_on_before=order.due_on,
    )
    facts = ExtensionFacts(
        extension_id=extension_id, state=ExtensionState.PENDING, days=asked.days, reason=reason, due_on=order.due_on
    )
    event = ExtensionRequested(**place_of(order), after=facts)
    return Outcome(answer=_stands(order, facts), events=(event,))


def _stands(order: Order, facts: ExtensionFacts) -> ExtensionStands:
    return ExtensionStands(
        id=facts.extension_id,
        order_id=order.id,
        days=facts.days,
        state=ExtensionState(facts.state),
        due_on=order.due_on,
        re_inspection_due_on=order.re_inspection_due_on,
    )


async def decide_extension(
    tx: Transaction, department_id: UUID | None, account_id: UUID, order_id: UUID, asked: DecideExtension
) -> Outcome[ExtensionStands]:
    """延期整改审批 by a manager of the department: granted, it moves the term and the re-inspection's.

    Raises `NotFound`, `OrderAlreadyClosed`, `ExtensionAlreadyDecided` or `ReasonMissing`.
    """
    why = require_reason(asked.reason, "reason")
    order = await lock_order(tx, order_id)
    if order.department_id != department_id:
        raise NotFound("没有该责令改正通知书。")
    rules.require_open(order)
    request = await store.EXTENSION_OF_ORDER.first(tx.connection, order_id=order_id)
    if request is None or request.state is not ExtensionState.PENDING:
        raise rules.ExtensionAlreadyDecided("没有待审批的延期申请。")
    after = await _extend(tx, order, request) if asked.granted else order
    state = ExtensionState.GRANTED if asked.granted else ExtensionState.DECLINED
    await store.DECIDE_EXTENSION.run(
        tx.connection,
        request_id=request.id,
        state_after=state,
        due_by=after.due_on if asked.granted else None,
        decider=account_id,
        now=tx.now,
        why=why,
    )
    before = ExtensionFacts(
        extension_id=request.id, state=request.state, days=request.days, reason=request.reason, due_on=order.due_on
    )
    decided = msgspec.structs.replace(before, state=state, reason=why, due_on=after.due_on)
    event = ExtensionDecided(**place_of(order), before=before, after=decided)
    return Outcome(answer=_stands(after, decided), events=(event,))


async def _extend(tx: Transaction, order: Order, request: Extension) -> Order:
    """The order with its term moved; what was answered meanwhile keeps the re-inspection's day."""
    due_on = rules.extended(order.due_on, request.days)
    re_inspect_by = order.re_inspection_due_on if order.fed_back_at else rules.re_inspection_due_on(due_on)
    await store.EXTEND_ORDER.run(tx.connection, order_id=order.id, due_by=due_on, re_inspect_by=re_inspect_by)
    await store.EXTEND_ITEMS.run(tx.connection, of_order=order.id, days=request.days)
    return msgspec.structs.replace(order, due_on=due_on, re_inspection_due_on=re_inspect_by)
