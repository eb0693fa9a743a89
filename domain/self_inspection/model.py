"""Values of self-inspections and their answers (ENT-05, ENT-06, D24)."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.checklist.model import LegalBasis, Severity

LongText = Annotated[str, msgspec.Meta(max_length=2000)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of an attachment, hexadecimal")]
Photos = Annotated[list[Digest], msgspec.Meta(max_length=9)]
BusinessType = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class SelfInspectionState(enum.StrEnum):
    """填写中 / 已提交 / 已放弃."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    DISCARDED = "discarded"


class SelfAnswerValue(enum.StrEnum):
    """未发现问题 / 发现问题 / 不涉及."""

    NO_PROBLEM = "no_problem"
    PROBLEM = "problem"
    NOT_APPLICABLE = "not_applicable"


class HazardFilter(enum.StrEnum):
    """自查记录的筛选 (ENT-06): 所有, 有隐患, 无隐患."""

    ALL = "all"
    WITH = "with"
    WITHOUT = "without"


class SelfAnswerOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One answer as it is handed in; 不涉及 needs its reason."""

    value: SelfAnswerValue
    reason: LongText | None = None
    remark: LongText | None = None
    photos: Photos = []


class SelfAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer as it stands. `answered_at` is when it was given by the phone's clock."""

    version: int
    value: SelfAnswerValue
    reason: str | None
    remark: str | None
    photos: list[str]
    answered_at: datetime
    received_at: datetime


class ItemAnswer(SelfAnswer, frozen=True, kw_only=True):
    """自查结果 of one item, as it was kept."""

    item_id: UUID


class StartOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """开始自查: where, and by which 业态 of the site."""

    site_id: UUID
    business_type: BusinessType


class SelfInspection(msgspec.Struct, frozen=True, kw_only=True):
    """企业自查 as an operation works on it."""

    id: UUID
    enterprise_id: UUID
    site_id: UUID
    region: str
    business_type: str
    checklist_version_id: UUID
    state: SelfInspectionState
    item_count: int
    problem_count: int
    started_at: datetime
    submitted_at: datetime | None
    quarter: str | None


class SelfInspectionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """自查记录 in a list (ENT-06). `problem_count` is 0 until it is submitted."""

    id: UUID
    site_id: UUID
    site_name: str
    business_type: str
    checklist_name: str
    state: SelfInspectionState
    quarter: str | None
    item_count: int
    answered: int
    problem_count: int
    started_at: datetime
    submitted_at: datetime | None


class SelfCheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """自查项 with its answer, if there is one. What guides inspectors is not in it."""

    item_id: UUID
    code: str
    area: str
    matter: str
    sub_matter: str | None
    content: str
    method: str
    severity: Severity
    legal_basis: list[LegalBasis]
    answer: SelfAnswer | None


class SelfInspectionStarted(msgspec.Struct, frozen=True, kw_only=True):
    """企业自查 that was begun."""

    id: UUID
    site_id: UUID
    business_type: str
    checklist_version_id: UUID
    item_count: int
    started_at: datetime


class FoundHazard(msgspec.Struct, frozen=True, kw_only=True):
    """隐患 that a submission recorded, with the term suggested for it."""

    id: UUID
    item_id: UUID
    severity: Severity
    due_on: date


class SelfInspectionSubmitted(msgspec.Struct, frozen=True, kw_only=True):
    """企业自查 that was submitted, for which quarter, and what it found."""

    id: UUID
    quarter: str
    submitted_at: datetime
    hazards: list[FoundHazard]


class SelfInspectionDiscarded(msgspec.Struct, frozen=True, kw_only=True):
    """企业自查 that was given up before it was submitted."""

    id: UUID
    state: SelfInspectionState


class ScheduledSelfInspection(msgspec.Struct, frozen=True, kw_only=True):
    """季度自查 of one site and 业态: due on the quarter's last day, done or not."""

    site_id: UUID
    site_name: str
    business_type: str
    quarter: str
    due_on: date
    submitted_at: datetime | None
    draft_id: UUID | None
