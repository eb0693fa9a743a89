"""办理: what the office does, one by one or many at once (COG-06), and what an inspection answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from domain.complaint import course, events, rules
from domain.complaint.events import IdentityFacts, IdentityViewed
from domain.complaint.grievance_store import STORES, GrievanceStore
from domain.complaint.keeping import Change, open_narrative, open_person, reply_of, save, seal_words
from domain.complaint.model import (
    ComplainantViewed,
    Grievance,
    GrievanceAnswer,
    GrievanceKind,
    GrievanceStep,
    GrievanceStepOrder,
    GrievanceStepOutcome,
    GrievanceStepsAnswer,
    HistoryKind,
    Narrative,
    Person,
)
from domain.enterprise.rules import require_reason
from domain.identity.model import Principal
from domain.shared.clock import local_date
from domain.shared.errors import DomainError, Forbidden, InvalidField, NotFound
from domain.shared.events import Event
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault

_EVENT_OF: Final[Mapping[GrievanceStep, Callable[..., Event]]] = {
    GrievanceStep.ACCEPT: events.GrievanceAccepted,
    GrievanceStep.DECLINE: events.GrievanceDeclined,
    GrievanceStep.TAKE_OVER: events.GrievanceTakenOver,
    GrievanceStep.NOT_HANDLE: events.GrievanceNotHandled,
    GrievanceStep.ANSWER: events.GrievanceAnswered,
    GrievanceStep.CLOSE: events.GrievanceClosed,
    GrievanceStep.EXTEND: events.TermExtended,
}
_MOST_STATEMENTS: Final = 3
_CLOSED_BY_ITSELF: Final = "申请重新办理的期限已过，自动办结。"


async def take_step(
    tx: Transaction, principal: Principal, kind: GrievanceKind, grievance_id: UUID, order: GrievanceStepOrder
) -> Outcome[GrievanceAnswer]:
    """One step on one. What was merged into it goes along.

    Raises `NotFound`, `Forbidden`, `FollowsAnother`, `StepNotPossible`, `AlreadyExtended`, `ReasonMissing`
    or `InvalidField`.
    """
    store = STORES[kind]
    before = await lock_handled(tx, principal, store, grievance_id)
    after = _after(tx, store, principal, before, order)
    changes = await with_followers(tx, store, [_change(before, after, order)])
    return Outcome(answer=reply_of(after), events=await save(tx, store, changes, principal.account_id))


async def take_steps(
    tx: Transaction,
    principal: Principal,
    kind: GrievanceKind,
    ids: Sequence[UUID],
    order: GrievanceStepOrder,
    problem_of: Callable[[DomainError], str],
) -> Outcome[GrievanceStepsAnswer]:
    """One step on many: each has an outcome of its own, a bad one never stops the others (COG-06).

    `problem_of` names a refusal. Raises `ReasonMissing` or `InvalidField` for the order itself.
    """
    store = STORES[kind]
    course.require_step_text(order.step, order.text)
    found = {each.id: each for each in await store.lock_many.all(tx.connection, ids=list(ids))}
    outcomes: list[GrievanceStepOutcome] = []
    changes: list[Change] = []
    for grievance_id in dict.fromkeys(ids):
        try:
            before = _require_handled(principal, found.get(grievance_id))
            after = _after(tx, store, principal, before, order)
        except DomainError as refusal:
            outcomes.append(GrievanceStepOutcome(id=grievance_id, problem=problem_of(refusal)))
        else:
            changes.append(_change(before, after, order))
            outcomes.append(GrievanceStepOutcome(id=grievance_id, state=after.state))
    told_events = await save(tx, store, await with_followers(tx, store, changes), principal.account_id)
    return Outcome(answer=GrievanceStepsAnswer(outcomes=outcomes), events=told_events)


def _after(
    tx: Transaction, store: GrievanceStore, principal: Principal, before: Grievance, order: GrievanceStepOrder
) -> Grievance:
    course.require_step_text(order.step, order.text)
    after = course.take_step(store.kind, before, order.step, principal, tx.now)
    if order.released_text is None:
        return after
    if order.step is not GrievanceStep.ACCEPT or store.kind is not GrievanceKind.COMPLAINT:
        raise InvalidField("只有受理投诉时可以填写告知企业的内容。", field="released_text")
    words = rules.require_words(order.released_text, "released_text")
    return msgspec.structs.replace(after, released_sealed=seal_words(tx.vault, store, words))


def _change(before: Grievance, after: Grievance, order: GrievanceStepOrder) -> Change:
    text = course.require_step_text(order.step, order.text)
    return Change(before=before, after=after, entry=course.ENTRY_OF[order.step], text=text, event=_EVENT_OF[order.step])


async def with_followers(tx: Transaction, store: GrievanceStore, changes: Sequence[Change]) -> list[Change]:
    """The changes, and the same for what was merged into each of theirs and still stands as that one did.

    One that was answered before the leading one was reopened keeps its answer: whoever wrote it does not learn that
    somebody else complained, too.
    """
    leading = {each.after.id: each for each in changes}
    if not leading:
        return []
    followers = await store.lock_followers.all(tx.connection, ids=sorted(leading))
    return [
        *changes,
        *[
            msgspec.structs.replace(change, before=each, after=course.follow(change.after, each))
            for each in followers
            if each.leading_id is not None
            and (change := leading[each.leading_id])
            and each.state is change.before.state
        ],
    ]


def _require_handled(principal: Principal, found: Grievance | None) -> Grievance:
    if found is None or not rules.may_read(principal, found):
        raise NotFound("没有该投诉或举报。")
    if not rules.may_handle(principal, found):
        raise Forbidden("由牵头部门办理。")
    return found


async def lock_handled(tx: Transaction, principal: Principal, store: GrievanceStore, grievance_id: UUID) -> Grievance:
    """The one that the principal handles. Raises `NotFound` or `Forbidden`."""
    return _require_handled(principal, await store.lock.first(tx.connection, grievance_id=grievance_id))


async def find_readable(
    connection: Connection, principal: Principal, kind: GrievanceKind, grievance_id: UUID
) -> Grievance:
    """The one that the office reads. Raises `NotFound`."""
    found = await STORES[kind].by_id.first(connection, grievance_id=grievance_id)
    if found is None or not rules.may_read(principal, found):
        raise NotFound("没有该投诉或举报。")
    return found


async def merge(
    tx: Transaction, principal: Principal, kind: GrievanceKind, leading_id: UUID, ids: Sequence[UUID]
) -> Outcome[GrievanceAnswer]:
    """并案: repeats of one matter get the leading one's answers. Raises `NotFound`, `Forbidden`, `NotTheSameMatter`,
    `FollowsAnother`, `StepNotPossible` or `InvalidField`.
    """
    store = STORES[kind]
    wanted = list(dict.fromkeys(ids))
    found = {each.id: each for each in await store.lock_many.all(tx.connection, ids=[leading_id, *wanted])}
    leading = _require_handled(principal, found.get(leading_id))
    course.require_leading(leading)
    if not leading.is_open:
        raise rules.StepNotPossible(f"主件已“{leading.state.label}”，不能并案。", state=leading.state.value)
    others = [_require_handled(principal, found.get(each)) for each in wanted]
    for each in others:
        course.require_mergeable(leading, each)
    # What followed one of these follows the leading one from now on.
    moved = await store.lock_followers.all(tx.connection, ids=wanted)
    changes = [
        Change(
            before=each,
            after=course.follow(leading, each),
            entry=HistoryKind.MERGED,
            event=events.GrievanceMerged,
        )
        for each in (*others, *moved)
    ]
    return Outcome(answer=reply_of(leading), events=await save(tx, store, changes, principal.account_id))


async def mark_abuse(
    tx: Transaction,
    principal: Principal,
    kind: GrievanceKind,
    grievance_id: UUID,
    reason: str,
    *,
    is_suspected: bool,
) -> Outcome[GrievanceAnswer]:
    """疑似滥用标记, or its end: internal, with a reason. Raises `NotFound`, `Forbidden` or `ReasonMissing`."""
    store = STORES[kind]
    why = require_reason(reason, "reason")
    before = await lock_handled(tx, principal, store, grievance_id)
    change = Change(
        before=before,
        after=msgspec.structs.replace(before, is_abusive=is_suspected),
        entry=HistoryKind.ABUSE_SUSPECTED if is_suspected else HistoryKind.ABUSE_CLEARED,
        text=why,
        event=events.AbuseMarked,
    )
    return Outcome(answer=reply_of(change.after), events=await save(tx, store, [change], principal.account_id))


async def view_identity(
    tx: Transaction, principal: Principal, kind: GrievanceKind, grievance_id: UUID, reason: str
) -> Outcome[ComplainantViewed]:
    """查看身份 by the handler, each time with a reason, each time in the trace. The answer itself holds no person.

    Raises `NotFound`, `Forbidden`, `ReasonMissing`, `NotTheHandler` or `NobodyNamed`.
    """
    store = STORES[kind]
    why = require_reason(reason, "reason")
    found = await lock_handled(tx, principal, store, grievance_id)
    _require_viewable(principal, found)
    change = Change(before=found, after=found, entry=HistoryKind.IDENTITY_VIEWED, text=why)
    await save(tx, store, [change], principal.account_id)
    event = IdentityViewed(
        subject_id=found.id,
        department_id=found.department_id,
        region=found.region,
        after=IdentityFacts(kind=kind, reason=why),
    )
    return Outcome(answer=ComplainantViewed(id=found.id, viewed_at=tx.now), events=(event,))


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who complains, and in which words, unmasked."""

    person: Person
    narrative: Narrative


async def open_identity(
    connection: Connection, vault: Vault, principal: Principal, kind: GrievanceKind, grievance_id: UUID
) -> Identity:
    """What the handler sees once the look stands in the trace. Raises `NotFound`, `NotTheHandler` or `NobodyNamed`."""
    store = STORES[kind]
    found = await find_readable(connection, principal, kind, grievance_id)
    _require_viewable(principal, found)
    person = open_person(vault, store, found.person_sealed)
    if person is None:
        raise rules.NobodyNamed("该举报为匿名举报。")
    return Identity(person=person, narrative=open_narrative(vault, store, found))


def _require_viewable(principal: Principal, found: Grievance) -> None:
    if not rules.may_handle(principal, found) or found.handler_id != principal.account_id:
        raise rules.NotTheHandler("只有承办人可以查看身份，请先承办。")
    if found.person_sealed is None:
        raise rules.NobodyNamed("该举报为匿名举报。")


async def give_statement(
    tx: Transaction, principal: Principal, complaint_id: UUID, text: str
) -> Outcome[GrievanceAnswer]:
    """企业说明 on an accepted 投诉 about it. Raises `NotFound`, `StepNotPossible` or `InvalidField`."""
    store = STORES[GrievanceKind.COMPLAINT]
    words = rules.require_words(text)
    found = await store.lock.first(tx.connection, grievance_id=complaint_id)
    if found is None or not rules.concerns(principal, found):
        raise NotFound("没有该投诉。")
    if not found.is_open:
        raise rules.StepNotPossible(f"该投诉为“{found.state.label}”，不能再说明。", state=found.state.value)
    given = await store.count_entries.one(tx.connection, grievance_id=found.id, kind=HistoryKind.STATED.value)
    if given.count >= _MOST_STATEMENTS:
        raise InvalidField(f"最多说明{_MOST_STATEMENTS}次。", field="text")
    change = Change(before=found, after=found, entry=HistoryKind.STATED, text=words, event=events.StatementGiven)
    return Outcome(answer=reply_of(found), events=await save(tx, store, [change], principal.account_id))


async def answer_from_inspection(tx: Transaction, inspection_id: UUID, outcome: str | None) -> Sequence[Event]:
    """检查完成后答复: every complaint and tip-off that the inspection was started for, in public words."""
    answered: list[Event] = []
    for kind, store in STORES.items():
        text = course.answer_of_inspection(kind, outcome, local_date(tx.now))
        linked = await store.lock_of_inspection.all(tx.connection, inspection_id=inspection_id)
        changes = [
            Change(
                before=each,
                after=course.answer(each, tx.now),
                entry=HistoryKind.ANSWERED,
                text=text,
                event=events.GrievanceAnswered,
            )
            for each in linked
        ]
        answered.extend(await save(tx, store, changes, None))
    return answered


async def close_answered(tx: Transaction, kind: GrievanceKind, limit: int) -> Outcome[int]:
    """自动办结 of what was answered and can no longer be reopened, with what follows it; answers how many led."""
    store = STORES[kind]
    before = course.answered_before_to_close(local_date(tx.now))
    found = await store.lock_to_close.all(tx.connection, answered_before=before, limit=limit)
    changes = [
        Change(
            before=each,
            after=course.close(each, tx.now),
            entry=HistoryKind.CLOSED,
            text=_CLOSED_BY_ITSELF,
            event=events.GrievanceClosed,
        )
        for each in found
    ]
    closed = await save(tx, store, await with_followers(tx, store, changes), None)
    return Outcome(answer=len(found), events=closed)
