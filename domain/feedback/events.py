"""What happens to a feedback."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class FeedbackFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A feedback as the trace tells it: what was written is sealed in its row."""

    kind: str
    about: str
    about_id: UUID
    item_code: str | None
    state: str


class _FeedbackEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "信息反馈"
    power: ClassVar[str] = "公共服务"
    subject: ClassVar[str] = "feedback"


class FeedbackGiven(_FeedbackEvent, frozen=True, kw_only=True):
    """提交反馈, by a citizen or an enterprise."""

    duty: ClassVar[str] = "信息反馈提交"
    action: ClassVar[str] = "feedback.given"

    before: None = None
    after: FeedbackFacts


class FeedbackAnswered(_FeedbackEvent, frozen=True, kw_only=True):
    """答复反馈."""

    duty: ClassVar[str] = "信息反馈答复"
    action: ClassVar[str] = "feedback.answered"

    before: FeedbackFacts
    after: FeedbackFacts
