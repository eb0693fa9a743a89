"""Values of enterprise requests (诉求上报)."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256 of a file, in hexadecimal."""


class RequestState(enum.StrEnum):
    """已提交, 已受理, 已答复, 已办结, 退回补充, 已撤回."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    CLOSED = "closed"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _STATES[self]


class RequestCategory(enum.StrEnum):
    """诉求类别."""

    CONSULTATION = "consultation"
    DIFFICULTY = "difficulty"
    SUGGESTION = "suggestion"
    ENFORCEMENT = "enforcement"
    SERVICE = "service"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _CATEGORIES[self]


class Urgency(enum.StrEnum):
    """紧急程度."""

    NORMAL = "normal"
    URGENT = "urgent"
    CRITICAL = "critical"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _URGENCIES[self]


class RequestStep(enum.StrEnum):
    """办理步骤: of the department 受理, 答复, 退回补充, 转办, 办结; of the enterprise 提交, 补充, 确认办结, 撤回."""

    SUBMIT = "submit"
    ACCEPT = "accept"
    ANSWER = "answer"
    RETURN = "return"
    TRANSFER = "transfer"
    CLOSE = "close"
    SUPPLEMENT = "supplement"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _STEPS[self]


_STATES: Final = {
    RequestState.SUBMITTED: "已提交",
    RequestState.ACCEPTED: "已受理",
    RequestState.ANSWERED: "已答复",
    RequestState.CLOSED: "已办结",
    RequestState.RETURNED: "退回补充",
    RequestState.WITHDRAWN: "已撤回",
}
_CATEGORIES: Final = {
    RequestCategory.CONSULTATION: "政策咨询",
    RequestCategory.DIFFICULTY: "困难求助",
    RequestCategory.SUGGESTION: "意见建议",
    RequestCategory.ENFORCEMENT: "执法行为",
    RequestCategory.SERVICE: "服务办事",
    RequestCategory.OTHER: "其他",
}
_URGENCIES: Final = {Urgency.NORMAL: "一般", Urgency.URGENT: "紧急", Urgency.CRITICAL: "特急"}
_STEPS: Final = {
    RequestStep.SUBMIT: "提交",
    RequestStep.ACCEPT: "受理",
    RequestStep.ANSWER: "答复",
    RequestStep.RETURN: "退回补充",
    RequestStep.TRANSFER: "转办",
    RequestStep.CLOSE: "办结",
    RequestStep.SUPPLEMENT: "补充",
    RequestStep.CONFIRM: "确认办结",
    RequestStep.WITHDRAW: "撤回",
}


class NewRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """诉求 as the enterprise sends it (PUB-16). Without `department_id` it goes to the site's regulator."""

    site_id: UUID
    title: Annotated[str, msgspec.Meta(max_length=200)]
    submitter: Annotated[str, msgspec.Meta(max_length=100)]
    contact: Annotated[str, msgspec.Meta(max_length=50)]
    category: RequestCategory
    urgency: Urgency = Urgency.NORMAL
    description: Annotated[str, msgspec.Meta(max_length=8000)]
    attachments: Annotated[list[Digest], msgspec.Meta(max_length=9)] = []
    department_id: UUID | None = None


class StepOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step: `words` are the answer, the reason or the supplement; `department_id` to whom it is transferred."""

    step: RequestStep
    words: Annotated[str, msgspec.Meta(max_length=8000)] | None = None
    department_id: UUID | None = None
    attachments: Annotated[list[Digest], msgspec.Meta(max_length=9)] = []


class EnterpriseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """诉求 as an operation works on it."""

    id: UUID
    enterprise_id: UUID
    site_id: UUID
    region: str
    department_id: UUID
    state: RequestState
    title: str
    category: RequestCategory
    urgency: Urgency
    submitter_sealed: bytes
    contact_sealed: bytes
    description_sealed: bytes
    submitted_by: UUID
    submitted_at: datetime
    due_on: date
    answered_at: datetime | None
    ended_at: datetime | None


class RequestSummary(msgspec.Struct, frozen=True, kw_only=True):
    """诉求 in a list."""

    id: UUID
    number: str | None
    enterprise_id: UUID
    enterprise_name: str
    site_id: UUID
    site_name: str
    department_id: UUID
    department_name: str
    state: RequestState
    title: str
    category: RequestCategory
    urgency: Urgency
    submitted_at: datetime
    due_on: date
    answered_at: datetime | None


class StoredStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the 办理经过 as it is kept."""

    step: RequestStep
    state: RequestState
    department_name: str
    words_sealed: bytes | None
    done_at: datetime


class RequestAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How a request stands after a step. Its number is read with it: it is given last."""

    id: UUID
    state: RequestState
    department_id: UUID
    due_on: date
