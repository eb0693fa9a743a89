"""Values of feedback."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec


class FeedbackKind(enum.StrEnum):
    """疑问, 建议."""

    QUESTION = "question"
    SUGGESTION = "suggestion"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _KINDS[self]


_KINDS: Final = {FeedbackKind.QUESTION: "疑问", FeedbackKind.SUGGESTION: "建议"}


class FeedbackState(enum.StrEnum):
    """待答复, 已答复."""

    OPEN = "open"
    ANSWERED = "answered"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _STATES[self]


_STATES: Final = {FeedbackState.OPEN: "待答复", FeedbackState.ANSWERED: "已答复"}


class About(enum.StrEnum):
    """On what: 检查单 or 经营手册."""

    CHECKLIST = "checklist"
    MANUAL = "manual"


class FeedbackOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """信息反馈 as it is handed in: on a checklist or manual, or on the item or requirement of that code in it."""

    kind: FeedbackKind
    about: About
    about_id: UUID
    item_code: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    text: Annotated[str, msgspec.Meta(max_length=4000)]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What the feedback is on, while anybody may read it."""

    name: str
    department_id: UUID
    region: str
    has_item: bool


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """信息反馈 as it is stored."""

    id: UUID
    kind: FeedbackKind
    about: About
    about_id: UUID
    about_name: str
    item_code: str | None
    department_id: UUID
    text_sealed: bytes
    enterprise_id: UUID | None
    state: FeedbackState
    given_at: datetime
    answer: str | None = None
    answered_by: UUID | None = None
    answered_at: datetime | None = None


class FeedbackSummary(msgspec.Struct, frozen=True, kw_only=True):
    """信息反馈 in the department's list; `enterprise_name` where an enterprise wrote it, a citizen has no name here."""

    id: UUID
    kind: FeedbackKind
    about: About
    about_id: UUID
    about_name: str
    item_code: str | None
    enterprise_name: str | None
    state: FeedbackState
    given_at: datetime
    answered_at: datetime | None


class FeedbackGivenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the answer to a feedback: its 查询码 is not."""

    id: UUID
    given_at: datetime


class FeedbackReceipt(FeedbackGivenAnswer, frozen=True, kw_only=True):
    """回执: with the 查询码 the answer can be read."""

    query_code: str


class FeedbackAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How a feedback stands after it was answered."""

    id: UUID
    state: FeedbackState
    answered_at: datetime | None


class FeedbackStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the 查询码 tells: never what was written, which whoever finds the code need not read."""

    about_name: str
    item_code: str | None
    kind: FeedbackKind
    state: FeedbackState
    state_label: str
    given_at: datetime
    answer: str | None
    department: str
    answered_at: datetime | None
