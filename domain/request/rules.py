"""Rules of enterprise requests: who may take which step, and by when an answer is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

import msgspec

from codes.phone import parse_phone
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.membership.rules import acts_for
from domain.request.model import EnterpriseRequest, RequestState, RequestStep
from domain.shared.clock import local_date
from domain.shared.errors import DomainError, Forbidden, InvalidField
from domain.shared.working_days import add_working_days

TITLE_LENGTH: Final = range(2, 101)
NAME_LENGTH: Final = range(1, 51)
WORDS_LENGTH: Final = range(2, 2001)
MOST_ATTACHMENTS: Final = 27
"""Files of one request: nine with each of a few steps."""


class RequestPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of requests. `source` says where a figure comes from; 待核 until a department has checked it."""

    answer_working_days: int = 7
    source: str = "待核"


DEFAULT_POLICY: Final = RequestPolicy()


class RequestStepNotPossible(DomainError):
    """The request stands where this step does not lead on from."""


_STEPS: Final[Mapping[RequestStep, tuple[frozenset[RequestState], RequestState]]] = {
    RequestStep.ACCEPT: (frozenset({RequestState.SUBMITTED}), RequestState.ACCEPTED),
    RequestStep.ANSWER: (frozenset({RequestState.SUBMITTED, RequestState.ACCEPTED}), RequestState.ANSWERED),
    RequestStep.RETURN: (frozenset({RequestState.SUBMITTED, RequestState.ACCEPTED}), RequestState.RETURNED),
    RequestStep.TRANSFER: (frozenset({RequestState.SUBMITTED, RequestState.ACCEPTED}), RequestState.SUBMITTED),
    RequestStep.CLOSE: (frozenset({RequestState.ANSWERED}), RequestState.CLOSED),
    RequestStep.SUPPLEMENT: (frozenset({RequestState.RETURNED}), RequestState.SUBMITTED),
    RequestStep.CONFIRM: (frozenset({RequestState.ANSWERED}), RequestState.CLOSED),
    RequestStep.WITHDRAW: (
        frozenset({RequestState.SUBMITTED, RequestState.ACCEPTED, RequestState.RETURNED}),
        RequestState.WITHDRAWN,
    ),
}
_OF_ENTERPRISE: Final = frozenset({RequestStep.SUPPLEMENT, RequestStep.CONFIRM, RequestStep.WITHDRAW})
_WITH_WORDS: Final = frozenset({RequestStep.ANSWER, RequestStep.RETURN, RequestStep.TRANSFER, RequestStep.SUPPLEMENT})
_ENDED: Final = frozenset({RequestState.CLOSED, RequestState.WITHDRAWN})
OPEN: Final = frozenset({RequestState.SUBMITTED, RequestState.ACCEPTED})
"""What waits for the department."""


def due_on(now: datetime, policy: RequestPolicy = DEFAULT_POLICY) -> date:
    """By when an answer is due for what came at `now`."""
    return add_working_days(local_date(now), policy.answer_working_days)


def is_overdue(state: RequestState, due: date, today: date) -> bool:
    """Whether the department is late."""
    return state in OPEN and due < today


def may_see(principal: Principal, request: EnterpriseRequest) -> bool:
    """A manager sees the department's, a lead the region's (D8), an enterprise its own."""
    match principal.role:
        case Role.DEPARTMENT_MANAGER:
            return principal.department_id == request.department_id
        case Role.LEAD:
            return within_region(principal, request.region)
        case Role.ENTERPRISE:
            return acts_for(principal, request.enterprise_id, request.site_id)
        case Role.INSPECTOR | Role.ADMINISTRATOR:
            return False


def knows_contact(principal: Principal, request: EnterpriseRequest) -> bool:
    """Whether they read name and number in full: the enterprise itself, and the department that must call back."""
    return principal.role is Role.ENTERPRISE or principal.department_id == request.department_id


def require_step(principal: Principal, request: EnterpriseRequest, step: RequestStep) -> RequestState:
    """Where `step` leads. Raises `Forbidden` for another's step, `RequestStepNotPossible` or `InvalidField`."""
    if step is RequestStep.SUBMIT:
        raise InvalidField("诉求已提交。", field="step")
    is_enterprise = principal.role is Role.ENTERPRISE
    if is_enterprise is not (step in _OF_ENTERPRISE):
        raise Forbidden("该步骤由另一方办理。")
    if not is_enterprise and principal.department_id != request.department_id:
        raise Forbidden("该诉求由其他部门办理。")
    allowed, after = _STEPS[step]
    if request.state not in allowed:
        raise RequestStepNotPossible(
            f"诉求{request.state.label}，不能{step.label}。", field="step", state=request.state
        )
    return after


def require_words(step: RequestStep, words: str | None) -> str | None:
    """What is said with the step, without surrounding blanks. Raises `InvalidField`."""
    said = (words or "").strip()
    if step in _WITH_WORDS and len(said) not in WORDS_LENGTH:
        raise InvalidField("应为2至2000字。", field="words")
    if len(said) >= WORDS_LENGTH.stop:
        raise InvalidField("最多2000字。", field="words")
    return said or None


def ends(state: RequestState) -> bool:
    """Whether nothing follows any more."""
    return state in _ENDED


def require_contact(text: str) -> str:
    """The telephone number as it is dialled. Raises `InvalidField`."""
    phone = parse_phone(text)
    if phone is None:
        raise InvalidField("请填写手机号码，或带区号的固定电话。", field="contact")
    return f"{phone.number}转{phone.extension}" if phone.extension else phone.number
