"""Rules of deadlines: when which stage comes (D4), what is skipped, who urges whom, and who answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Final

import msgspec

from domain.deadline.model import (
    CalendarDay,
    Deadline,
    DeadlineKind,
    DeadlineLine,
    DeadlineStage,
    SupervisionJudgement,
    SupervisionOrder,
    SupervisionState,
)
from domain.enterprise.rules import require_reason
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.shared.clock import WORKING_ZONE, local_date
from domain.shared.errors import DomainError, Forbidden, InvalidField
from domain.shared.fields import require_text
from domain.shared.working_days import add_working_days, working_days_before

_DEMAND: Final = range(2, 201)
_WORDS: Final = range(2, 1001)
_NOTE: Final = range(1, 101)
_YEARS: Final = range(2004, 2101)
DEFAULT_DEMAND: Final = "该事项已超期，请查明原因，尽快办结，并在期限内反馈办理情况。"


class DeadlinePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of warning (D4), in working days, and the hour of the day from which a stage is told."""

    due_soon_working_days: int = 3
    second_warning_working_days: int = 3
    answer_working_days: int = 2
    hour: int = 8


DEFAULT_POLICY: Final = DeadlinePolicy()


class DeadlineClosed(DomainError):
    """What was due is done: there is nothing to urge any more."""


class AlreadyUrged(DomainError):
    """A supervision order on it is open already."""


class SupervisionStepNotPossible(DomainError):
    """The supervision order's state does not allow that step."""


# ---- stages


class Advance(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep makes of one deadline: the stage to tell of now, those overtaken, and when to look again.

    `stage` is where it stands from now on, which may have been told of before.
    """

    reached: DeadlineStage | None
    skipped: tuple[DeadlineStage, ...]
    stage: DeadlineStage | None
    next_stage_at: datetime | None


def schedule(
    kind: DeadlineKind, due_on: date, set_at: datetime, policy: DeadlinePolicy = DEFAULT_POLICY
) -> tuple[tuple[DeadlineStage, datetime], ...]:
    """The stages of a deadline in their order, each with its instant.

    即将到期 comes only after the day on which the due day was set: who has just been told of a short term need not be
    reminded of it. A 督办单 has one stage alone: the day after it should have been answered.
    """
    overdue_on = due_on + timedelta(days=1)
    if kind is DeadlineKind.SUPERVISION_ORDER:
        return ((DeadlineStage.ORDER_UNANSWERED, _morning(overdue_on, policy)),)
    soon_on = working_days_before(due_on, policy.due_soon_working_days)
    second_on = add_working_days(overdue_on, policy.second_warning_working_days)
    late = (
        (DeadlineStage.FIRST_WARNING, _morning(overdue_on, policy)),
        (DeadlineStage.SECOND_WARNING, _morning(second_on, policy)),
    )
    if soon_on <= local_date(set_at):
        return late
    return ((DeadlineStage.DUE_SOON, _morning(soon_on, policy)), *late)


def _morning(day: date, policy: DeadlinePolicy) -> datetime:
    return datetime.combine(day, time(policy.hour), WORKING_ZONE)


def first_stage_at(
    kind: DeadlineKind, due_on: date, set_at: datetime, policy: DeadlinePolicy = DEFAULT_POLICY
) -> datetime:
    """When a deadline that was just set is looked at first; an instant that has passed means at once."""
    return schedule(kind, due_on, set_at, policy)[0][1]


def advance(
    deadline: Deadline,
    recorded: Collection[DeadlineStage],
    now: datetime,
    policy: DeadlinePolicy = DEFAULT_POLICY,
) -> Advance:
    """Only the newest stage that has come is told of; what it overtook is skipped, and neither comes again."""
    stages = schedule(deadline.kind, deadline.due_on, deadline.set_at, policy)
    come = [stage for stage, at in stages if at <= now]
    waiting = [at for _, at in stages if at > now]
    newest = come[-1] if come else None
    return Advance(
        reached=newest if newest not in recorded else None,
        skipped=tuple(stage for stage in come[:-1] if stage not in recorded),
        stage=newest,
        next_stage_at=waiting[0] if waiting else None,
    )


def next_stage_at(
    deadline: Deadline, recorded: Collection[DeadlineStage], policy: DeadlinePolicy = DEFAULT_POLICY
) -> datetime | None:
    """When the first stage comes that follows on the last one recorded; None after the last of all."""
    stages = schedule(deadline.kind, deadline.due_on, deadline.set_at, policy)
    told = [place for place, (stage, _) in enumerate(stages) if stage in recorded]
    waiting = stages[told[-1] + 1 :] if told else stages
    return waiting[0][1] if waiting else None


def answer_due(issued_at: datetime, policy: DeadlinePolicy = DEFAULT_POLICY) -> date:
    """By when a 督办单 is to be answered."""
    return add_working_days(local_date(issued_at), policy.answer_working_days)


# ---- who may


def may_see(principal: Principal, deadline: DeadlineLine) -> bool:
    """A lead the region's and the department's, a manager the department's, an inspector what they have to do."""
    is_own = principal.department_id is not None and principal.department_id == deadline.department_id
    match principal.role:
        case Role.LEAD:
            return is_own or within_region(principal, deadline.region)
        case Role.DEPARTMENT_MANAGER:
            return is_own
        case Role.INSPECTOR:
            return principal.officer_id is not None and principal.officer_id in deadline.officers
        case Role.ENTERPRISE | Role.ADMINISTRATOR:
            return False


def may_see_order(principal: Principal, order: SupervisionOrder) -> bool:
    """Who has to answer it, who issued it, and who may see the region."""
    sides = {order.department_id, order.superior_id}
    match principal.role:
        case Role.LEAD:
            return principal.department_id in sides or within_region(principal, order.region)
        case Role.DEPARTMENT_MANAGER:
            return principal.department_id in sides
        case Role.INSPECTOR:
            return principal.officer_id is not None and principal.officer_id in order.officers
        case Role.ENTERPRISE | Role.ADMINISTRATOR:
            return False


def require_urgeable(deadline: Deadline, *, is_urged: bool) -> None:
    """Raises `DeadlineClosed`, `AlreadyUrged` or, of a 督办单's own day, `SupervisionStepNotPossible`."""
    if deadline.closed_at is not None:
        raise DeadlineClosed("该事项已办结，无需督办。")
    if deadline.kind is DeadlineKind.SUPERVISION_ORDER:
        raise SupervisionStepNotPossible("督办单不能再次督办，请督办原事项。")
    if is_urged:
        raise AlreadyUrged("该事项已有未办结的督办单。")


def require_answerer(principal: Principal, order: SupervisionOrder) -> None:
    """Raises `Forbidden`: the officers to whom it went answer it, or the department's leads and managers."""
    if principal.role is not Role.INSPECTOR and principal.department_id != order.department_id:
        raise Forbidden("该督办单由承办部门反馈。")


def require_judge(principal: Principal, order: SupervisionOrder) -> None:
    """Raises `Forbidden`: the lead of the issuing department judges an answer that they did not give themselves."""
    is_issuer = principal.role is Role.LEAD and (
        principal.department_id == order.superior_id or principal.account_id == order.issued_by
    )
    if not is_issuer:
        raise Forbidden("督办反馈由发出督办的上级审核。")
    if principal.account_id == order.answered_by:
        raise Forbidden("不能审核本人提交的反馈。")


def require_state(order: SupervisionOrder, *states: SupervisionState) -> None:
    """Raises `SupervisionStepNotPossible`."""
    if order.state not in states:
        raise SupervisionStepNotPossible(f"督办单{order.state.label}，不能执行该操作。", state=order.state.value)


def require_demand(text: str) -> str:
    """What a lead demands, trimmed. Raises `InvalidField`."""
    return require_text(text, _DEMAND, "demand", "督办要求应为2至200字。")


def require_feedback(text: str) -> str:
    """What is answered, trimmed. Raises `InvalidField`."""
    return require_text(text, _WORDS, "text", "反馈内容应为2至1000字。")


def require_judgement(judgement: SupervisionJudgement) -> str | None:
    """The reason, which returning needs. Raises `ReasonMissing` or `InvalidField`."""
    if not judgement.accepted:
        require_reason(judgement.reason, "reason")
    if not (judgement.reason or "").strip():
        return None
    return require_text(judgement.reason or "", _WORDS, "reason", "意见应为2至1000字。")


# ---- the calendar


def require_days(days: Collection[CalendarDay]) -> list[CalendarDay]:
    """The days with their notes trimmed, each once. Raises `InvalidField`."""
    if len({day.on for day in days}) != len(days):
        raise InvalidField("同一日期出现两次。", field="days")
    if any(day.on.year not in _YEARS for day in days):
        raise InvalidField("年份应在2004至2100之间。", field="days")
    return [
        CalendarDay(
            on=day.on,
            is_working=day.is_working,
            note=require_text(day.note, _NOTE, "days", "每个日期应写明依据，1至100字。"),
        )
        for day in sorted(days, key=lambda day: day.on)
    ]
