"""Values of deadlines: what is due, to whom, how far its warnings have come (D4, D13), and 督办单."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec

DEMAND_BYTES: Final = 1200
WORDS_BYTES: Final = 6000
MOST_DAYS: Final = 400


class DeadlineKind(enum.StrEnum):
    """期限种类: what has to be done by the day."""

    COMPLAINT = "complaint"
    TIP_OFF = "tip_off"
    REQUEST = "enterprise_request"
    OBJECTION = "objection"
    RECTIFICATION = "rectification"
    RE_INSPECTION = "re_inspection"
    INSPECTION = "inspection"
    SUPERVISION_ORDER = "supervision_order"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _KINDS[self]

    @property
    def subject(self) -> str:
        """What its `subject_id` names, in the trace's words."""
        return _SUBJECTS.get(self, self.value)

    @property
    def is_enterprises(self) -> bool:
        """Whether the enterprise has to act, and the office only sees to it."""
        return self is DeadlineKind.RECTIFICATION

    @property
    def is_leads_own(self) -> bool:
        """Whether the department's lead handles it: who is above them is then the department above (D4)."""
        return self in {DeadlineKind.COMPLAINT, DeadlineKind.TIP_OFF}


_KINDS: Final = {
    DeadlineKind.COMPLAINT: "投诉办理",
    DeadlineKind.TIP_OFF: "举报办理",
    DeadlineKind.REQUEST: "企业诉求办理",
    DeadlineKind.OBJECTION: "结果异议处理",
    DeadlineKind.RECTIFICATION: "责令改正",
    DeadlineKind.RE_INSPECTION: "整改复查",
    DeadlineKind.INSPECTION: "检查任务",
    DeadlineKind.SUPERVISION_ORDER: "督办单反馈",
}
_SUBJECTS: Final = {
    DeadlineKind.COMPLAINT: "grievance",
    DeadlineKind.TIP_OFF: "grievance",
    DeadlineKind.RECTIFICATION: "rectification_order",
    DeadlineKind.RE_INSPECTION: "rectification_order",
}


class WarningLevel(enum.IntEnum):
    """预警等级 (D13): 红 1, 橙 2, 黄 3, 蓝 4."""

    RED = 1
    ORANGE = 2
    YELLOW = 3
    BLUE = 4

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return {1: "红色", 2: "橙色", 3: "黄色", 4: "蓝色"}[self.value]


class DeadlineStage(enum.StrEnum):
    """预警阶段 (D4): 即将到期, 一次预警, 二次预警, and of a 督办单 that nobody answers: 督办逾期."""

    DUE_SOON = "due_soon"
    FIRST_WARNING = "first_warning"
    SECOND_WARNING = "second_warning"
    ORDER_UNANSWERED = "order_unanswered"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _STAGES[self][0]

    @property
    def level(self) -> WarningLevel:
        """How grave it is (D13)."""
        return _STAGES[self][1]


_STAGES: Final = {
    DeadlineStage.DUE_SOON: ("即将到期", WarningLevel.BLUE),
    DeadlineStage.FIRST_WARNING: ("一次预警", WarningLevel.YELLOW),
    DeadlineStage.SECOND_WARNING: ("二次预警", WarningLevel.ORANGE),
    DeadlineStage.ORDER_UNANSWERED: ("督办逾期", WarningLevel.RED),
}


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """Where a matter belongs and who has to act. Nobody named: the department itself, its leads and managers.

    `inspection_id` names the inspection that it hangs on, so that replacing an officer reaches it; `superior_id` the
    department that watches over it, where that is not the next one above.
    """

    department_id: UUID
    region: str
    site_id: UUID | None = None
    enterprise_id: UUID | None = None
    inspection_id: UUID | None = None
    account_id: UUID | None = None
    officers: tuple[UUID, ...] = ()
    superior_id: UUID | None = None


class Deadline(Charge, frozen=True, kw_only=True):
    """期限 as the sweep works on it. `set_at` is when this due day was set; the last two are its department's."""

    id: UUID
    kind: DeadlineKind
    subject_id: UUID
    due_on: date
    set_at: datetime
    closed_at: datetime | None
    stage: DeadlineStage | None
    department_name: str
    hotline: str | None


class DeadlineLine(msgspec.Struct, frozen=True, kw_only=True):
    """期限 in a list."""

    id: UUID
    kind: DeadlineKind
    subject_id: UUID
    department_id: UUID
    department_name: str
    site_id: UUID | None
    site_name: str | None
    enterprise_name: str | None
    account_id: UUID | None
    officers: list[UUID]
    due_on: date
    stage: DeadlineStage | None
    level: WarningLevel | None
    next_stage_at: datetime | None
    has_order: bool
    region: str


class RecordedStage(msgspec.Struct, frozen=True, kw_only=True):
    """A stage that has come; a skipped one was overtaken before anybody was told."""

    deadline_id: UUID
    due_on: date
    stage: DeadlineStage
    is_skipped: bool
    reached_at: datetime


# ---- 督办单


class OrderSource(enum.StrEnum):
    """How a 督办单 came about: by the second warning, or by a lead's own hand (在线督办)."""

    SECOND_WARNING = "second_warning"
    BY_HAND = "by_hand"


class SupervisionState(enum.StrEnum):
    """待反馈, 已反馈, 已退回, 已办结, 事项已办结."""

    OPEN = "open"
    ANSWERED = "answered"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    SETTLED = "settled"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _STATES[self]

    @property
    def awaits_answer(self) -> bool:
        """Whether an answer is due."""
        return self in {SupervisionState.OPEN, SupervisionState.RETURNED}

    @property
    def is_over(self) -> bool:
        """Whether nothing follows any more."""
        return self in {SupervisionState.ACCEPTED, SupervisionState.SETTLED}


_STATES: Final = {
    SupervisionState.OPEN: "待反馈",
    SupervisionState.ANSWERED: "已反馈",
    SupervisionState.RETURNED: "已退回",
    SupervisionState.ACCEPTED: "已办结",
    SupervisionState.SETTLED: "事项已办结",
}


class SupervisionStep(enum.StrEnum):
    """One line of its course."""

    ISSUE = "issue"
    ANSWER = "answer"
    RETURN = "return"
    ACCEPT = "accept"
    SETTLE = "settle"


class SupervisionOrder(msgspec.Struct, frozen=True, kw_only=True):
    """督办单 as an operation works on it: to `department_id` (or its `officers`), from `superior_id`'s lead."""

    id: UUID
    deadline_id: UUID
    source: OrderSource
    state: SupervisionState
    is_open: bool
    department_id: UUID
    superior_id: UUID
    region: str
    account_id: UUID | None
    officers: tuple[UUID, ...]
    issued_by: UUID | None
    issued_at: datetime
    due_on: date
    answered_by: UUID | None
    ended_at: datetime | None


class SupervisionLine(msgspec.Struct, frozen=True, kw_only=True):
    """督办单 in a list, with what it urges."""

    id: UUID
    number: str
    source: OrderSource
    state: SupervisionState
    department_id: UUID
    department_name: str
    superior_id: UUID
    superior_name: str
    issued_at: datetime
    due_on: date
    deadline_id: UUID
    matter: DeadlineKind
    subject_id: UUID
    matter_due_on: date
    site_name: str | None


class SupervisionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of its course, its words sealed."""

    id: UUID
    order_id: UUID
    step: SupervisionStep
    words_sealed: bytes | None
    account_id: UUID | None
    done_at: datetime


class SupervisionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How a 督办单 stands after an act."""

    id: UUID
    state: SupervisionState
    due_on: date


class UrgeOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """在线督办 (POST-03): what the lead demands, 2 to 200 characters."""

    demand: Annotated[str, msgspec.Meta(max_length=DEMAND_BYTES)]


class SupervisionFeedback(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """督办反馈: what was done, or what stands in the way; 2 to 1000 characters."""

    text: Annotated[str, msgspec.Meta(max_length=WORDS_BYTES)]


class SupervisionJudgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The superior accepts the answer, or returns it with a reason."""

    accepted: bool
    reason: Annotated[str, msgspec.Meta(max_length=WORDS_BYTES)] | None = None


# ---- the calendar


class CalendarDay(msgspec.Struct, frozen=True, kw_only=True):
    """日历调整: one day that is worked, or free, whatever the notices known to the library say."""

    on: date
    is_working: bool
    note: Annotated[str, msgspec.Meta(max_length=400)]


class CalendarOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """日历调整 of some days at once."""

    days: Annotated[list[CalendarDay], msgspec.Meta(min_length=1, max_length=MOST_DAYS)]


class CalendarChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a change came to: the calendar's edition, and how many days differ from before."""

    edition: int
    changed: int
