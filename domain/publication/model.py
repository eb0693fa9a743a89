"""Values of publications: states, lawful reasons, and what the public sees of a result."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec


class PublicationState(enum.StrEnum):
    """待公示, 已公示, 暂不公示, 已撤下."""

    PENDING = "pending"
    PUBLISHED = "published"
    WITHHELD = "withheld"
    WITHDRAWN = "withdrawn"


class WithholdingReason(enum.StrEnum):
    """不予公开的法定理由."""

    STATE_SECRET = "state_secret"  # noqa: S105 - a reason, no password
    TRADE_SECRET = "trade_secret"  # noqa: S105 - likewise
    PRIVACY = "privacy"
    SAFETY = "safety"
    OBJECTION = "objection"
    OBJECTION_UPHELD = "objection_upheld"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _REASONS[self]


_REASONS: Final = {
    WithholdingReason.STATE_SECRET: "国家秘密",
    WithholdingReason.TRADE_SECRET: "商业秘密",
    WithholdingReason.PRIVACY: "个人隐私",
    WithholdingReason.SAFETY: "危及安全",
    WithholdingReason.OBJECTION: "结果异议处理中",
    WithholdingReason.OBJECTION_UPHELD: "结果异议成立",
    WithholdingReason.OTHER: "其他依法不予公开",
}


class Correction(enum.StrEnum):
    """整改情况 of an inspection, out of its orders."""

    NOT_REQUIRED = "not_required"
    PENDING = "pending"
    DONE = "done"
    TRANSFERRED = "transferred"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _CORRECTIONS[self]


_CORRECTIONS: Final = {
    Correction.NOT_REQUIRED: "无需整改",
    Correction.PENDING: "待整改",
    Correction.DONE: "已整改",
    Correction.TRANSFERRED: "已移交",
}
OUTCOME_LABELS: Final[Mapping[str, str]] = {
    "no_problem": "未发现问题",
    "ordered_to_rectify": "发现问题已责令改正",
    "problem_pending": "发现问题待后续处理",
    "not_reachable": "无法联系",
    "no_business_found": "未发现相关经营活动",
    "closed_down": "已停业或注销",
    "uncooperative": "不配合检查",
}
"""What may be public; 中止待续 (suspended) is internal and not in it."""
KIND_LABELS: Final[Mapping[str, str]] = {"routine": "日常检查", "special": "专项检查", "case": "个案检查"}


class StoredReply(msgspec.Struct, frozen=True, kw_only=True):
    """企业回应 in force."""

    id: UUID
    text: str
    submitted_at: datetime


class StoredResult(msgspec.Struct, frozen=True, kw_only=True):
    """A finished inspection as its publication reads it, before the rules decide what of it is shown."""

    id: UUID
    state: PublicationState
    due_at: datetime
    ends_on: date
    published_at: datetime | None
    withdrawn_at: datetime | None
    is_contested: bool
    kind: str
    outcome: str | None
    completed_at: datetime | None
    authorities: list[str]
    orders: list[str]
    unchecked_items: int
    reply: StoredReply | None


class PublicReply(msgspec.Struct, frozen=True, kw_only=True):
    """企业回应 as anybody reads it."""

    text: str
    submitted_on: date


class PublicResult(msgspec.Struct, frozen=True, kw_only=True):
    """检查结果公示 as anybody reads it. Of a withdrawn one only that it was, and when, remains.

    `unchecked_items` were on the list and not checked: a result without problems does not speak for them.
    """

    id: UUID
    authorities: list[str]
    kind: str
    kind_label: str
    completed_on: date
    published_on: date | None
    withdrawn_on: date | None = None
    outcome: str | None = None
    outcome_label: str | None = None
    unchecked_items: int = 0
    correction: Correction | None = None
    correction_label: str | None = None
    is_contested: bool = False
    reply: PublicReply | None = None


class PendingPublication(msgspec.Struct, frozen=True, kw_only=True):
    """What will be public of an own inspection, and from when, as the enterprise sees it before (D10)."""

    id: UUID
    state: PublicationState
    due_at: datetime
    result: PublicResult


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """公示 as an operation works on it. `departments` are all that took part, `department_id` the lead."""

    id: UUID
    inspection_id: UUID
    enterprise_id: UUID
    site_id: UUID
    region: str
    department_id: UUID
    departments: list[UUID]
    state: PublicationState
    due_at: datetime
    latest_at: datetime
    ends_on: date
    published_at: datetime | None
    withheld_at: datetime | None
    withheld_reason: WithholdingReason | None
    withheld_note: str | None
    is_contested: bool
    withdrawn_at: datetime | None
    withdrawn_reason: str | None


class PublicationSummary(msgspec.Struct, frozen=True, kw_only=True):
    """公示 in a list."""

    id: UUID
    inspection_id: UUID
    inspection_name: str
    enterprise_name: str
    site_id: UUID
    site_name: str
    outcome: str | None
    state: PublicationState
    due_at: datetime
    ends_on: date
    published_at: datetime | None
    withheld_reason: WithholdingReason | None
    is_contested: bool
    withdrawn_at: datetime | None


class WithholdingOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """暂不公示: the lawful reason, and in words why it holds here."""

    reason: WithholdingReason
    note: Annotated[str, msgspec.Meta(max_length=400)]


class PublicationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How a publication stands after an act."""

    id: UUID
    state: PublicationState
    due_at: datetime
    published_at: datetime | None
    is_contested: bool


class ReplyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """企业回应 that was submitted or withdrawn."""

    id: UUID
    publication_id: UUID
    submitted_at: datetime
    withdrawn_at: datetime | None = None
