"""Values of answers: four values, six measures, and what each must say (MOB-11, X9)."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from domain.checklist.model import LegalBasis
from domain.inspection.model import InspectionState, Instant, LateScanReason

LongText = Annotated[str, msgspec.Meta(max_length=2000)]
ShortLine = Annotated[str, msgspec.Meta(max_length=200)]
Digest = Annotated[
    str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of a file of evidence, hexadecimal")
]


class AnswerValue(enum.StrEnum):
    """未发现问题 / 发现问题 / 不涉及 / 未检查."""

    NO_PROBLEM = "no_problem"
    PROBLEM = "problem"
    NOT_APPLICABLE = "not_applicable"
    NOT_CHECKED = "not_checked"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _VALUE_LABELS[self]


class MeasureKind(enum.StrEnum):
    """当场改正 / 限期改正 / 行政指导 / 转行政处罚 / 行政强制措施 / 其他."""

    CORRECTED_ON_SPOT = "corrected_on_spot"
    RECTIFY_WITHIN = "rectify_within"
    GUIDANCE = "guidance"
    TRANSFER_FOR_PENALTY = "transfer_for_penalty"
    COERCIVE = "coercive"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _MEASURE_LABELS[self]


_VALUE_LABELS = {
    AnswerValue.NO_PROBLEM: "未发现问题",
    AnswerValue.PROBLEM: "发现问题",
    AnswerValue.NOT_APPLICABLE: "不涉及",
    AnswerValue.NOT_CHECKED: "未检查",
}
_MEASURE_LABELS = {
    MeasureKind.CORRECTED_ON_SPOT: "当场改正",
    MeasureKind.RECTIFY_WITHIN: "限期改正",
    MeasureKind.GUIDANCE: "行政指导",
    MeasureKind.TRANSFER_FOR_PENALTY: "转行政处罚",
    MeasureKind.COERCIVE: "行政强制措施",
    MeasureKind.OTHER: "其他处理措施",
}


class AnswerFlag(enum.StrEnum):
    """What is told of an answer beside its content; shown, never in the way."""

    BEFORE_CHECK_IN = "before_check_in"
    AFTER_DEPARTURE = "after_departure"
    LATE = "late"


class Measure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """处理措施. 行政强制措施 records its paper, approval, time and inventory; 转行政处罚 its receipt."""

    kind: MeasureKind
    note: LongText | None = None
    document_number: ShortLine | None = None
    approved_by: ShortLine | None = None
    taken_at: Instant | None = None
    inventory: Annotated[list[ShortLine], msgspec.Meta(max_length=200)] = []
    receipt_number: ShortLine | None = None


class BeforeCheckIn(msgspec.Struct, frozen=True, kw_only=True):
    """Why it was answered before the scan: 紧急或证据可能灭失, or 网络或系统故障."""

    reason: LateScanReason
    note: Annotated[str, msgspec.Meta(min_length=2, max_length=200)]


class AnswerOrder(msgspec.Struct, frozen=True, kw_only=True):
    """检查结果 of one item as the phone records it; `reason` is needed for 不涉及 and 未检查."""

    value: AnswerValue
    measures: Annotated[list[Measure], msgspec.Meta(max_length=6)] = []
    reason: LongText | None = None
    remark: LongText | None = None
    photos: Annotated[list[Digest], msgspec.Meta(max_length=30)] = []
    before_check_in: BeforeCheckIn | None = None


class BulkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """一键未发现问题: every open item of one 检查领域, but for the mandatory ones."""

    area: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """检查结果 of one item as it stands; `order_id` once a 责令改正通知书 takes the problem up."""

    item_id: UUID
    version: int
    value: AnswerValue
    measures: list[Measure]
    reason: str | None
    remark: str | None
    photos: list[Digest]
    is_bulk: bool
    flags: list[AnswerFlag]
    officer_id: UUID
    done_at: datetime
    received_at: datetime
    order_id: UUID | None = None


class BulkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Which items were marked, each now at version 1, and which mandatory ones still want their own answer."""

    inspection_id: UUID
    marked: list[UUID]
    mandatory_open: list[UUID]


class AnswerContext(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides whether an officer may answer an item now; read in one statement.

    `is_sealed`: the list opens only with a scan. `arrived_at` and `departed_at` are of the department's visits that
    count: the first arrival, and the last departure once nobody of it is there any more.
    """

    state: InspectionState
    approved_at: datetime | None
    is_urgent: bool
    starts_on: date
    created_at: datetime
    region: str
    site_id: UUID
    officer_name: str
    certificate_number: str | None
    certificate_valid_from: date | None
    certificate_valid_to: date | None
    acts_for: UUID
    item_department_id: UUID | None
    is_sealed: bool
    is_signed: bool
    arrived_at: datetime | None
    departed_at: datetime | None
    is_present: bool
    former: dict[str, Any] | None


class DrawnItem(msgspec.Struct, frozen=True, kw_only=True):
    """One drawn item with its text as frozen at dispatch."""

    item_id: UUID
    place: int
    department_id: UUID
    code: str
    area: str
    matter: str
    sub_matter: str | None
    content: str
    method: str
    mode: str
    is_on_site: bool
    severity: str
    is_mandatory: bool
    penalty_if_overdue: bool
    guidance: str | None
    legal_basis: list[LegalBasis]


class ChecklistLine(DrawnItem, frozen=True, kw_only=True):
    """A drawn item and its answer so far."""

    answer: Answer | None = None
