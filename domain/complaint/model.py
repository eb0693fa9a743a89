"""Values of complaints and tip-offs: kinds, types, states, and what is told of them to whom."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec

TEXT_BYTES: Final = 6000
"""What a citizen writes, at most; the rules count characters."""
CONSENT_VERSION: Final = "2026-11"
"""Of the 告知与同意 text beneath the forms."""


class GrievanceKind(enum.StrEnum):
    """投诉 is named and asks for one's own right; 举报 tells of a wrong and may be anonymous. They never mix."""

    COMPLAINT = "complaint"
    TIP_OFF = "tip_off"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return "投诉" if self is GrievanceKind.COMPLAINT else "举报"


class GrievanceType(enum.StrEnum):
    """投诉举报类型."""

    CONSUMER_DISPUTE = "consumer_dispute"
    FOOD_SAFETY = "food_safety"
    SERVICE_QUALITY = "service_quality"
    PRICE = "price"
    SAFETY_HAZARD = "safety_hazard"
    ENVIRONMENT = "environment"
    UNLICENSED = "unlicensed"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _TYPES[self]


_TYPES: Final = {
    GrievanceType.CONSUMER_DISPUTE: "消费纠纷",
    GrievanceType.FOOD_SAFETY: "食品安全",
    GrievanceType.SERVICE_QUALITY: "服务质量",
    GrievanceType.PRICE: "价格",
    GrievanceType.SAFETY_HAZARD: "安全隐患",
    GrievanceType.ENVIRONMENT: "环境卫生",
    GrievanceType.UNLICENSED: "无证经营",
    GrievanceType.OTHER: "其他",
}
CONSUMER_TYPES: Final = frozenset(
    {
        GrievanceType.CONSUMER_DISPUTE,
        GrievanceType.FOOD_SAFETY,
        GrievanceType.SERVICE_QUALITY,
        GrievanceType.PRICE,
    }
)
"""What market supervision takes up on 全国12315."""


class GrievanceState(enum.StrEnum):
    """How far the office has come (5.5)."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    HANDLING = "handling"
    REOPENED = "reopened"
    ANSWERED = "answered"
    CLOSED = "closed"
    DECLINED = "declined"
    NOT_HANDLED = "not_handled"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _STATES[self]


_STATES: Final = {
    GrievanceState.RECEIVED: "已收到",
    GrievanceState.ACCEPTED: "已受理",
    GrievanceState.HANDLING: "办理中",
    GrievanceState.REOPENED: "重新办理",
    GrievanceState.ANSWERED: "已答复",
    GrievanceState.CLOSED: "已办结",
    GrievanceState.DECLINED: "不予受理",
    GrievanceState.NOT_HANDLED: "不处理",
    GrievanceState.WITHDRAWN: "已撤回",
}
OPEN: Final = frozenset(
    {GrievanceState.RECEIVED, GrievanceState.ACCEPTED, GrievanceState.HANDLING, GrievanceState.REOPENED}
)
"""In these the office still owes something, and a term runs."""


class GrievanceTerm(enum.StrEnum):
    """Which term runs: until it is accepted or declined (举报: decided), or until it is answered."""

    DECISION = "decision"
    ANSWER = "answer"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return "受理期限" if self is GrievanceTerm.DECISION else "答复期限"


class GrievanceStep(enum.StrEnum):
    """What the office may do to one or to many at once (COG-06)."""

    ACCEPT = "accept"
    DECLINE = "decline"
    TAKE_OVER = "take_over"
    NOT_HANDLE = "not_handle"
    ANSWER = "answer"
    CLOSE = "close"
    EXTEND = "extend"


class HistoryKind(enum.StrEnum):
    """One line of the history; `TO_COMPLAINANT` says which of them the complainant reads."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    TAKEN_OVER = "taken_over"
    NOT_HANDLED = "not_handled"
    ANSWERED = "answered"
    CLOSED = "closed"
    EXTENDED = "extended"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"
    SUPPLEMENTED = "supplemented"
    STATED = "stated"
    MERGED = "merged"
    INSPECTION_STARTED = "inspection_started"
    ABUSE_SUSPECTED = "abuse_suspected"
    ABUSE_CLEARED = "abuse_cleared"
    IDENTITY_VIEWED = "identity_viewed"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _ENTRIES[self]


_ENTRIES: Final = {
    HistoryKind.ACCEPTED: "受理",
    HistoryKind.DECLINED: "不予受理",
    HistoryKind.TAKEN_OVER: "开始办理",
    HistoryKind.NOT_HANDLED: "不处理",
    HistoryKind.ANSWERED: "答复",
    HistoryKind.CLOSED: "办结",
    HistoryKind.EXTENDED: "延长期限",
    HistoryKind.REOPENED: "申请重新办理",
    HistoryKind.WITHDRAWN: "撤回",
    HistoryKind.SUPPLEMENTED: "补充材料",
    HistoryKind.STATED: "企业说明",
    HistoryKind.MERGED: "并案",
    HistoryKind.INSPECTION_STARTED: "发起检查",
    HistoryKind.ABUSE_SUSPECTED: "疑似滥用标记",
    HistoryKind.ABUSE_CLEARED: "取消滥用标记",
    HistoryKind.IDENTITY_VIEWED: "查看身份",
}
TO_COMPLAINANT: Final = frozenset(
    {
        HistoryKind.ACCEPTED,
        HistoryKind.DECLINED,
        HistoryKind.TAKEN_OVER,
        HistoryKind.NOT_HANDLED,
        HistoryKind.ANSWERED,
        HistoryKind.CLOSED,
        HistoryKind.EXTENDED,
        HistoryKind.REOPENED,
        HistoryKind.WITHDRAWN,
        HistoryKind.SUPPLEMENTED,
    }
)
"""What the complainant reads of the history: neither marks nor looks, nor what the enterprise said."""


# ---- what citizens send


class Narrative(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, when and where, and what is wished for; sealed as one text."""

    description: str
    happened_on: date | None = None
    place: str | None = None
    wish: str | None = None


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who complains: sealed, masked for everybody but the handler."""

    name: str
    phone: str


class NewGrievance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """投诉 or 举报 as it is handed in: about the site of `code` (scanned) or of `site_id` (found by search).

    `name` is required for a 投诉; a 举报 without it is anonymous. `attachments` are SHA-256 digests, hexadecimal.
    `consent_version` names the text that the citizen agreed to.
    """

    type: GrievanceType
    description: Annotated[str, msgspec.Meta(max_length=TEXT_BYTES)]
    consent_version: Annotated[str, msgspec.Meta(max_length=20)]
    code: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    site_id: UUID | None = None
    happened_on: date | None = None
    place: Annotated[str, msgspec.Meta(max_length=400)] | None = None
    wish: Annotated[str, msgspec.Meta(max_length=TEXT_BYTES)] | None = None
    name: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    attachments: Annotated[
        list[Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]], msgspec.Meta(max_length=9)
    ] = []


class GrievanceFiled(msgspec.Struct, frozen=True, kw_only=True):
    """回执 of what was filed, before its number is known; of the query code nothing is kept here."""

    id: UUID
    kind: GrievanceKind
    state: GrievanceState
    filed_at: datetime
    due_on: date
    department: str
    hotline: str | None
    likely_duplicates: int


# ---- as operations work on them


class Grievance(msgspec.Struct, frozen=True, kw_only=True):
    """投诉 or 举报 as an operation works on it; the last four fields are its department's and its site's."""

    id: UUID
    site_id: UUID
    enterprise_id: UUID
    department_id: UUID
    region: str
    type: GrievanceType
    state: GrievanceState
    is_open: bool
    term: GrievanceTerm
    due_on: date
    filed_at: datetime
    accepted_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    is_reopened: bool
    is_extended: bool
    is_abusive: bool
    handler_id: UUID | None
    leading_id: UUID | None
    inspection_id: UUID | None
    content_sealed: bytes
    person_sealed: bytes | None
    released_sealed: bytes | None
    department_code: str
    department_name: str
    hotline: str | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history, its words sealed."""

    id: UUID
    grievance_id: UUID
    kind: HistoryKind
    at: datetime
    text_sealed: bytes | None
    account_id: UUID | None


class GrievanceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """投诉 or 举报 in the office's list."""

    id: UUID
    number: str
    type: GrievanceType
    state: GrievanceState
    term: GrievanceTerm
    due_on: date
    filed_at: datetime
    site_id: UUID
    site_name: str
    enterprise_name: str
    handler_name: str | None
    leading_id: UUID | None
    inspection_id: UUID | None
    is_reopened: bool
    is_abusive: bool
    is_named: bool


class AcceptedComplaint(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted 投诉 in the list of the enterprise it is about: of the complainant not a word."""

    id: UUID
    number: str
    type: GrievanceType
    state: GrievanceState
    site_id: UUID
    site_name: str
    filed_on: date
    accepted_on: date
    due_on: date


class ConcludedCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many 投诉 of one type were concluded at a site."""

    type: GrievanceType
    count: int


class GrievanceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How one stands after a step."""

    id: UUID
    state: GrievanceState
    term: GrievanceTerm
    due_on: date
    handler_id: UUID | None = None
    leading_id: UUID | None = None
    inspection_id: UUID | None = None


class GrievanceStepOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step. `text`: the reason or the answer, which the complainant reads.

    `released_text`, with accept and for 投诉 only: what the enterprise may read of it, in the handler's words.
    """

    step: GrievanceStep
    text: Annotated[str, msgspec.Meta(max_length=TEXT_BYTES)] | None = None
    released_text: Annotated[str, msgspec.Meta(max_length=TEXT_BYTES)] | None = None


class GrievanceStepOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one of many: its state now, or the problem's slug."""

    id: UUID
    state: GrievanceState | None = None
    problem: str | None = None


class GrievanceStepsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each, in the order asked."""

    outcomes: list[GrievanceStepOutcome]


class CaseInspectionOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """发起检查任务 over complaints or tip-offs about one site: who goes, and when."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=100)]
    name: Annotated[str, msgspec.Meta(max_length=200)]
    basis: Annotated[str, msgspec.Meta(max_length=400)]
    scene_code: Annotated[str, msgspec.Meta(max_length=10)]
    officer_ids: Annotated[list[UUID], msgspec.Meta(min_length=2, max_length=20)]
    starts_on: date
    due_on: date
    checklist_version_id: UUID | None = None


class CaseInspectionStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The inspection, and what is linked to it."""

    inspection_id: UUID
    linked: list[UUID]


class ComplainantViewed(msgspec.Struct, frozen=True, kw_only=True):
    """That the handler looked at who complains; what they saw is read after this stands in the trace."""

    id: UUID
    viewed_at: datetime
