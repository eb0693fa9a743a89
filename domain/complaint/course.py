"""办理流程: from state to state, what is merged, and what an inspection answers (COG-06, section 5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

import msgspec

from domain.complaint.model import (
    OPEN,
    Grievance,
    GrievanceKind,
    GrievanceState,
    GrievanceStep,
    GrievanceTerm,
    HistoryKind,
)
from domain.complaint.rules import (
    DEFAULT_POLICY,
    AlreadyExtended,
    AlreadyReopened,
    FollowsAnother,
    GrievancePolicy,
    NotTheSameMatter,
    ReopeningTermOver,
    StepNotPossible,
    answer_due,
    reopened_due,
    require_words,
)
from domain.enterprise.rules import require_reason
from domain.identity.model import Principal
from domain.shared.clock import WORKING_ZONE, local_date
from domain.shared.errors import DomainError, InvalidField
from domain.shared.working_days import add_working_days

_FROM: Final[Mapping[GrievanceStep, frozenset[GrievanceState]]] = {
    GrievanceStep.ACCEPT: frozenset({GrievanceState.RECEIVED}),
    GrievanceStep.DECLINE: frozenset({GrievanceState.RECEIVED}),
    GrievanceStep.TAKE_OVER: OPEN,
    GrievanceStep.NOT_HANDLE: OPEN,
    GrievanceStep.ANSWER: OPEN - {GrievanceState.RECEIVED},
    GrievanceStep.CLOSE: frozenset({GrievanceState.ANSWERED}),
    GrievanceStep.EXTEND: frozenset({GrievanceState.RECEIVED}),
}
ENTRY_OF: Final[Mapping[GrievanceStep, HistoryKind]] = {
    GrievanceStep.ACCEPT: HistoryKind.ACCEPTED,
    GrievanceStep.DECLINE: HistoryKind.DECLINED,
    GrievanceStep.TAKE_OVER: HistoryKind.TAKEN_OVER,
    GrievanceStep.NOT_HANDLE: HistoryKind.NOT_HANDLED,
    GrievanceStep.ANSWER: HistoryKind.ANSWERED,
    GrievanceStep.CLOSE: HistoryKind.CLOSED,
    GrievanceStep.EXTEND: HistoryKind.EXTENDED,
}


def require_step_text(step: GrievanceStep, text: str | None) -> str | None:
    """The reason or the answer where the step needs one. Raises `ReasonMissing` or `InvalidField`."""
    if step in {GrievanceStep.DECLINE, GrievanceStep.NOT_HANDLE, GrievanceStep.EXTEND}:
        return require_reason(text, "text")
    if step is GrievanceStep.ANSWER:
        return require_words(text)
    return None if not (text or "").strip() else require_words(text)


def require_leading(grievance: Grievance) -> None:
    """Raises `FollowsAnother`."""
    if grievance.leading_id is not None:
        raise FollowsAnother("该件已并案，请办理主件。", leading_id=str(grievance.leading_id))


def take_step(  # noqa: PLR0911 - one way out for each step
    kind: GrievanceKind,
    grievance: Grievance,
    step: GrievanceStep,
    principal: Principal,
    now: datetime,
    policy: GrievancePolicy = DEFAULT_POLICY,
) -> Grievance:
    """The grievance after `step`. Raises `FollowsAnother`, `StepNotPossible` or `AlreadyExtended`."""
    require_leading(grievance)
    if grievance.state not in _FROM[step] or (step is GrievanceStep.EXTEND and kind is GrievanceKind.COMPLAINT):
        raise StepNotPossible(f"当前为“{grievance.state.label}”，不能执行该操作。", state=grievance.state.value)
    match step:
        case GrievanceStep.ACCEPT:
            return accept(kind, grievance, now, policy)
        case GrievanceStep.TAKE_OVER:
            return _take_over(kind, grievance, principal, now, policy)
        case GrievanceStep.ANSWER:
            return answer(grievance, now)
        case GrievanceStep.DECLINE:
            return _end(grievance, GrievanceState.DECLINED, now)
        case GrievanceStep.NOT_HANDLE:
            return _end(grievance, GrievanceState.NOT_HANDLED, now)
        case GrievanceStep.CLOSE:
            return close(grievance, now)
        case GrievanceStep.EXTEND:
            return _extend(grievance, policy)


def accept(
    kind: GrievanceKind, grievance: Grievance, now: datetime, policy: GrievancePolicy = DEFAULT_POLICY
) -> Grievance:
    """受理: from now on the term of the answer runs."""
    return msgspec.structs.replace(
        grievance,
        state=GrievanceState.ACCEPTED,
        accepted_at=now,
        term=GrievanceTerm.ANSWER,
        due_on=answer_due(kind, now, policy),
    )


def _take_over(
    kind: GrievanceKind, grievance: Grievance, principal: Principal, now: datetime, policy: GrievancePolicy
) -> Grievance:
    begun = (
        begin_handling(kind, grievance, now, policy) if grievance.state is not GrievanceState.RECEIVED else grievance
    )
    return msgspec.structs.replace(begun, handler_id=principal.account_id)


def begin_handling(
    kind: GrievanceKind, grievance: Grievance, now: datetime, policy: GrievancePolicy = DEFAULT_POLICY
) -> Grievance:
    """办理中; what was only received is accepted by this."""
    begun = accept(kind, grievance, now, policy) if grievance.state is GrievanceState.RECEIVED else grievance
    return msgspec.structs.replace(begun, state=GrievanceState.HANDLING)


def answer(grievance: Grievance, now: datetime) -> Grievance:
    """答复: no term runs any more; the complainant may have it reopened."""
    return msgspec.structs.replace(grievance, state=GrievanceState.ANSWERED, is_open=False, answered_at=now)


def _end(grievance: Grievance, state: GrievanceState, now: datetime) -> Grievance:
    return msgspec.structs.replace(grievance, state=state, is_open=False, closed_at=now)


def answered_before_to_close(today: date, policy: GrievancePolicy = DEFAULT_POLICY) -> datetime:
    """What was answered before this instant cannot be reopened any more today, and is closed by itself (5.5)."""
    last_day = today - timedelta(days=policy.reopening_days)
    return datetime.combine(last_day, time.min, WORKING_ZONE)


def close(grievance: Grievance, now: datetime) -> Grievance:
    """办结 of what was answered."""
    return _end(grievance, GrievanceState.CLOSED, now)


def _extend(grievance: Grievance, policy: GrievancePolicy) -> Grievance:
    if grievance.is_extended:
        raise AlreadyExtended("该举报的办理期限已延长过一次。")
    due_on = add_working_days(grievance.due_on, policy.tip_off_extension_working_days)
    return msgspec.structs.replace(grievance, is_extended=True, due_on=due_on)


def withdraw(grievance: Grievance, now: datetime) -> Grievance:
    """撤回 by the complainant; what was merged is by itself again. Raises `StepNotPossible`."""
    if grievance.state not in OPEN:
        raise StepNotPossible(f"当前为“{grievance.state.label}”，不能撤回。", state=grievance.state.value)
    return msgspec.structs.replace(_end(grievance, GrievanceState.WITHDRAWN, now), leading_id=None)


def require_supplementable(grievance: Grievance) -> None:
    """Raises `StepNotPossible`."""
    if grievance.state not in OPEN:
        raise StepNotPossible(f"当前为“{grievance.state.label}”，不能再补充。", state=grievance.state.value)


def reopen(
    kind: GrievanceKind, grievance: Grievance, now: datetime, policy: GrievancePolicy = DEFAULT_POLICY
) -> Grievance:
    """重新办理, once, within 15 days. Raises `StepNotPossible`, `AlreadyReopened` or `ReopeningTermOver`."""
    if grievance.is_reopened:
        raise AlreadyReopened("已申请过一次重新办理。")
    ended = {GrievanceState.ANSWERED, GrievanceState.CLOSED}
    if grievance.state not in ended or grievance.answered_at is None:
        raise StepNotPossible(f"当前为“{grievance.state.label}”，不能申请重新办理。", state=grievance.state.value)
    if local_date(now) > local_date(grievance.answered_at) + timedelta(days=policy.reopening_days):
        raise ReopeningTermOver(f"已超过答复后{policy.reopening_days}日的期限。")
    return msgspec.structs.replace(
        grievance,
        state=GrievanceState.REOPENED,
        is_open=True,
        is_reopened=True,
        closed_at=None,
        leading_id=None,
        inspection_id=None,
        term=GrievanceTerm.ANSWER,
        due_on=reopened_due(kind, now, policy),
    )


def may_reopen(kind: GrievanceKind, grievance: Grievance, now: datetime) -> bool:
    """Whether the complainant can still have it reopened."""
    try:
        reopen(kind, grievance, now)
    except DomainError:
        return False
    return True


def follow(leading: Grievance, follower: Grievance) -> Grievance:
    """并案: the follower stands as the leading one does; its own term, handler and inspection are the leading one's."""
    return msgspec.structs.replace(
        follower,
        leading_id=leading.id,
        state=leading.state,
        is_open=leading.is_open,
        term=leading.term,
        due_on=leading.due_on,
        accepted_at=leading.accepted_at,
        answered_at=leading.answered_at,
        closed_at=leading.closed_at,
        handler_id=leading.handler_id,
        inspection_id=leading.inspection_id,
    )


def require_mergeable(leading: Grievance, other: Grievance) -> None:
    """Raises `NotTheSameMatter`, `FollowsAnother` or `InvalidField`."""
    if other.id == leading.id:
        raise InvalidField("主件不能并入自身。", field="ids")
    if other.site_id != leading.site_id or other.department_id != leading.department_id:
        raise NotTheSameMatter("只有同一场所的件可以并案。", field="ids", id=str(other.id))
    if not other.is_open:
        raise NotTheSameMatter(f"有件已“{other.state.label}”，不能并案。", field="ids", id=str(other.id))
    if other.leading_id not in {None, leading.id}:
        raise FollowsAnother("有件已并入其他主件。", field="ids", id=str(other.id))


# ---- what an inspection answers

_FOUND: Final[Mapping[str, str]] = {
    "no_problem": "未发现问题",
    "ordered_to_rectify": "发现问题，已责令改正",
    "problem_pending": "发现问题，将依法作后续处理",
    "not_reachable": "未能联系到该单位，已记录在案",
    "no_business_found": "现场未发现相关经营活动",
    "closed_down": "该单位已停业或注销",
    "uncooperative": "该单位不配合检查，将依法处理",
}


def answer_of_inspection(kind: GrievanceKind, outcome: str | None, completed_on: date) -> str:
    """答复 in public words: that an inspection took place and what it came to, and nothing of what was seen there."""
    found = _FOUND.get(outcome or "", "已依法处理")
    when = f"{completed_on.year}年{completed_on.month}月{completed_on.day}日"
    return f"针对您的{kind.label}，执法人员已于{when}完成检查，结果为：{found}。"
