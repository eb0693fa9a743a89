"""督办单, step by step: issued by the second warning or by hand, answered, accepted or returned, or settled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.deadline import rules, store, supervision_store
from domain.deadline.events import (
    Addressees,
    SupervisionAnswerAccepted,
    SupervisionAnswerReturned,
    SupervisionEvent,
    SupervisionOrderAnswered,
    SupervisionOrderIssued,
    SupervisionOrderSettled,
    supervision_standing,
)
from domain.deadline.model import (
    Deadline,
    DeadlineKind,
    OrderSource,
    SupervisionAnswer,
    SupervisionEntry,
    SupervisionFeedback,
    SupervisionJudgement,
    SupervisionOrder,
    SupervisionState,
    SupervisionStep,
    UrgeOrder,
)
from domain.deadline.store import Desk
from domain.identity.model import Principal
from domain.shared.errors import NotFound
from domain.shared.events import Event
from domain.shared.numbers import NumberKind, NumberRequest
from domain.shared.transaction import Outcome, Transaction
from domain.shared.working_days import calendar_in_force

WORDS_LABEL: Final = "supervision.words"


class _Act(msgspec.Struct, frozen=True, kw_only=True):
    """What an act makes of an order: the line of its course, its words, and the event's class."""

    after: SupervisionOrder
    step: SupervisionStep
    event: Callable[..., SupervisionEvent]
    words: str | None = None
    account_id: UUID | None = None


async def urge(
    tx: Transaction, principal: Principal, deadline_id: UUID, order: UrgeOrder
) -> Outcome[SupervisionAnswer]:
    """在线督办 (POST-03): a lead urges an open matter of their scope by hand, whatever its stage.

    Raises `NotFound`, `DeadlineClosed`, `AlreadyUrged`, `SupervisionStepNotPossible` or `InvalidField`.
    """
    demand = rules.require_demand(order.demand)
    line = await store.LINE_BY_ID.first(tx.connection, deadline_id=deadline_id)
    if line is None or not rules.may_see(principal, line):
        raise NotFound("没有该期限事项。")
    found = await store.LOCK_DEADLINE.one(tx.connection, deadline_id=deadline_id)
    rules.require_urgeable(found, is_urged=bool(await urged_among(tx, [deadline_id])))
    own = await store.DESK_BY_ID.one(tx.connection, department_id=found.department_id)
    issuer = principal.department_id or found.department_id
    superior = await store.DESK_BY_ID.one(tx.connection, department_id=issuer)
    to = Addressees(
        department_id=found.department_id,
        department_name=found.department_name,
        hotline=found.hotline,
        officers=found.officers,
        account_id=found.account_id,
        department_accounts=tuple(own.leads),
        superior_id=superior.id,
        superior_accounts=tuple(superior.leads),
    )
    return await issue_order(
        tx, found, to, superior, source=OrderSource.BY_HAND, demand=demand, issued_by=principal.account_id
    )


async def issue_order(
    tx: Transaction,
    deadline: Deadline,
    to: Addressees,
    superior: Desk,
    *,
    source: OrderSource,
    demand: str,
    issued_by: UUID | None,
) -> Outcome[SupervisionAnswer]:
    """督办单 on a matter, with its number and its own deadline, under which nobody answering is red (D4, D13)."""
    issued = SupervisionOrder(
        id=tx.new_id(),
        deadline_id=deadline.id,
        source=source,
        state=SupervisionState.OPEN,
        is_open=True,
        department_id=deadline.department_id,
        superior_id=superior.id,
        region=deadline.region,
        account_id=deadline.account_id,
        officers=deadline.officers,
        issued_by=issued_by,
        issued_at=tx.now,
        due_on=rules.answer_due(tx.now),
        answered_by=None,
        ended_at=None,
    )
    await supervision_store.INSERT_SUPERVISION.run(tx.connection, **msgspec.structs.asdict(issued))
    await _write_step(tx, issued.id, SupervisionStep.ISSUE, demand, issued_by)
    await _set_answer_day(tx, issued, deadline)
    event = SupervisionOrderIssued(
        **_placed(issued),
        after=supervision_standing(issued, deadline.kind, deadline.subject_id, _digest(demand)),
        to=to,
    )
    number = NumberRequest(department_code=superior.code, kind=NumberKind.SUPERVISION, subject_id=issued.id)
    location = f"/api/v1/supervision-orders/{issued.id}"
    return Outcome(answer=_answer(issued), events=(event,), numbers=(number,), location=location)


async def answer_order(
    tx: Transaction, principal: Principal, order_id: UUID, feedback: SupervisionFeedback
) -> Outcome[SupervisionAnswer]:
    """督办反馈. Raises `NotFound`, `Forbidden`, `SupervisionStepNotPossible` or `InvalidField`."""
    words = rules.require_feedback(feedback.text)
    before = await _lock(tx, principal, order_id)
    rules.require_answerer(principal, before)
    rules.require_state(before, SupervisionState.OPEN, SupervisionState.RETURNED)
    after = msgspec.structs.replace(before, state=SupervisionState.ANSWERED, answered_by=principal.account_id)
    await _close_answer_day(tx, order_id)
    act = _Act(
        after=after,
        step=SupervisionStep.ANSWER,
        event=SupervisionOrderAnswered,
        words=words,
        account_id=principal.account_id,
    )
    return Outcome(answer=_answer(after), events=(await _save(tx, before, act),))


async def judge_answer(
    tx: Transaction, principal: Principal, order_id: UUID, judgement: SupervisionJudgement
) -> Outcome[SupervisionAnswer]:
    """The superior accepts the answer, which ends the order, or returns it: two working days more.

    Raises `NotFound`, `Forbidden`, `SupervisionStepNotPossible`, `ReasonMissing` or `InvalidField`.
    """
    words = rules.require_judgement(judgement)
    before = await _lock(tx, principal, order_id)
    rules.require_judge(principal, before)
    rules.require_state(before, SupervisionState.ANSWERED)
    if judgement.accepted:
        step, event = SupervisionStep.ACCEPT, SupervisionAnswerAccepted
        after = msgspec.structs.replace(before, state=SupervisionState.ACCEPTED, is_open=False, ended_at=tx.now)
    else:
        step, event = SupervisionStep.RETURN, SupervisionAnswerReturned
        after = msgspec.structs.replace(before, state=SupervisionState.RETURNED, due_on=rules.answer_due(tx.now))
        deadline = await store.DEADLINE_BY_ID.one(tx.connection, deadline_id=before.deadline_id)
        await _set_answer_day(tx, after, deadline)
    act = _Act(after=after, step=step, event=event, words=words, account_id=principal.account_id)
    return Outcome(answer=_answer(after), events=(await _save(tx, before, act),))


async def settle_orders(tx: Transaction, deadlines: Sequence[UUID]) -> tuple[Event, ...]:
    """事项已办结: open orders on matters that are done need no answer any more."""
    events: list[Event] = []
    for before in await supervision_store.LOCK_OPEN_OF_DEADLINES.all(tx.connection, deadlines=deadlines):
        after = msgspec.structs.replace(before, state=SupervisionState.SETTLED, is_open=False, ended_at=tx.now)
        await _close_answer_day(tx, before.id)
        act = _Act(after=after, step=SupervisionStep.SETTLE, event=SupervisionOrderSettled)
        events.append(await _save(tx, before, act))
    return tuple(events)


async def urged_among(tx: Transaction, deadlines: Sequence[UUID]) -> frozenset[UUID]:
    """Those that have an open order already. Whoever issues one holds its deadline's row: none comes in between."""
    if not deadlines:
        return frozenset()
    found = await supervision_store.OPEN_OF_DEADLINES.all(tx.connection, deadlines=deadlines)
    return frozenset(each.deadline_id for each in found)


async def _lock(tx: Transaction, principal: Principal, order_id: UUID) -> SupervisionOrder:
    found = await supervision_store.LOCK_SUPERVISION.first(tx.connection, order_id=order_id)
    if found is None or not rules.may_see_order(principal, found):
        raise NotFound("没有该督办单。")
    return found


async def _save(tx: Transaction, before: SupervisionOrder, act: _Act) -> SupervisionEvent:
    after = act.after
    await supervision_store.UPDATE_SUPERVISION.run(tx.connection, **msgspec.structs.asdict(after), of_order=after.id)
    await _write_step(tx, after.id, act.step, act.words, act.account_id)
    deadline = await store.DEADLINE_BY_ID.one(tx.connection, deadline_id=after.deadline_id)
    to = Addressees(
        department_id=after.department_id,
        department_name=deadline.department_name,
        hotline=deadline.hotline,
        officers=after.officers,
        account_id=after.account_id,
        superior_id=after.superior_id,
    )
    return act.event(
        **_placed(after),
        before=supervision_standing(before, deadline.kind, deadline.subject_id),
        after=supervision_standing(after, deadline.kind, deadline.subject_id, _digest(act.words)),
        to=to,
    )


async def _write_step(
    tx: Transaction, order_id: UUID, step: SupervisionStep, words: str | None, account_id: UUID | None
) -> None:
    entry = SupervisionEntry(
        id=tx.new_id(),
        order_id=order_id,
        step=step,
        words_sealed=None if words is None else tx.vault.seal(WORDS_LABEL, words),
        account_id=account_id,
        done_at=tx.now,
    )
    await supervision_store.INSERT_STEP.run(tx.connection, **msgspec.structs.asdict(entry))


async def _set_answer_day(tx: Transaction, order: SupervisionOrder, matter: Deadline) -> None:
    """The order's own deadline, in the charge of who has to answer, watched over by who issued it."""
    kind = DeadlineKind.SUPERVISION_ORDER
    await store.OPEN_DEADLINE.run(
        tx.connection,
        id=tx.new_id(),
        kind=kind,
        subject_id=order.id,
        department_id=order.department_id,
        region=order.region,
        site_id=matter.site_id,
        enterprise_id=None,
        inspection_id=matter.inspection_id,
        account_id=order.account_id,
        officers=order.officers,
        superior_id=order.superior_id,
        due_on=order.due_on,
        set_at=tx.now,
        next_stage_at=rules.first_stage_at(kind, order.due_on, tx.now),
        calendar_edition=calendar_in_force().edition,
    )


async def _close_answer_day(tx: Transaction, order_id: UUID) -> None:
    kinds = [DeadlineKind.SUPERVISION_ORDER]
    await store.CLOSE_DEADLINES.all(tx.connection, of_subject=order_id, kinds=kinds, now=tx.now)


def _placed(order: SupervisionOrder) -> dict[str, Any]:
    return {"subject_id": order.id, "department_id": order.department_id, "region": order.region}


def _answer(order: SupervisionOrder) -> SupervisionAnswer:
    return SupervisionAnswer(id=order.id, state=order.state, due_on=order.due_on)


def _digest(words: str | None) -> str | None:
    return None if words is None else hashlib.sha256(words.encode()).hexdigest()
