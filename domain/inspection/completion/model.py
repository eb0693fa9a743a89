"""Outcomes of an inspection (X9)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.inspection.answers.model import Digest, LongText
from domain.inspection.model import InspectionState


class InspectionOutcome(enum.StrEnum):
    """检查结论: three with the list, four without it, and 中止待续, which is internal; `label` has their names."""

    NO_PROBLEM = "no_problem"
    ORDERED_TO_RECTIFY = "ordered_to_rectify"
    PROBLEM_PENDING = "problem_pending"
    NOT_REACHABLE = "not_reachable"
    NO_BUSINESS_FOUND = "no_business_found"
    CLOSED_DOWN = "closed_down"
    UNCOOPERATIVE = "uncooperative"
    SUSPENDED = "suspended"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _LABELS[self]

    @property
    def needs_list(self) -> bool:
        """Whether the list was gone through and the record signed; the others need officers, photos and a reason."""
        return self in _WITH_LIST


_LABELS = {
    InspectionOutcome.NO_PROBLEM: "未发现问题",
    InspectionOutcome.ORDERED_TO_RECTIFY: "发现问题已责令改正",
    InspectionOutcome.PROBLEM_PENDING: "发现问题待后续处理",
    InspectionOutcome.NOT_REACHABLE: "无法联系",
    InspectionOutcome.NO_BUSINESS_FOUND: "未发现相关经营活动",
    InspectionOutcome.CLOSED_DOWN: "已停业或注销",
    InspectionOutcome.UNCOOPERATIVE: "不配合检查",
    InspectionOutcome.SUSPENDED: "中止待续",
}
_WITH_LIST = frozenset(
    {InspectionOutcome.NO_PROBLEM, InspectionOutcome.ORDERED_TO_RECTIFY, InspectionOutcome.PROBLEM_PENDING}
)


class TransferReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """接收回执 of 转行政处罚 at one item: it comes after the record was signed, and is no part of it."""

    item_id: UUID
    receipt_number: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class CompletionOrder(msgspec.Struct, frozen=True, kw_only=True):
    """完成检查 (MOB-14) as the phone asks for it."""

    outcome: InspectionOutcome
    reason: LongText | None = None
    photos: Annotated[list[Digest], msgspec.Meta(max_length=30)] = []
    receipts: Annotated[list[TransferReceipt], msgspec.Meta(max_length=200)] = []


class CompletionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How the inspection stands now, and the papers that are being made."""

    inspection_id: UUID
    state: InspectionState
    outcome: InspectionOutcome
    completed_at: datetime | None
    documents: list[UUID]


class ReplacementOrder(msgspec.Struct, frozen=True, kw_only=True):
    """人员替换 (TASK-13): who takes over whose place, and why."""

    former_officer_id: UUID
    officer_id: UUID
    reason: Annotated[str, msgspec.Meta(max_length=400)]


class ReplacementAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who is assigned now."""

    inspection_id: UUID
    department_id: UUID
    former_officer_id: UUID
    officer_id: UUID
    replaced_at: datetime
