"""What ends, interrupts or hands over an inspection."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class _CompletionEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "行政检查权"
    subject: ClassVar[str] = "inspection"


class OutcomeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """State and outcome of an inspection; photos by digest, 接收回执 by item."""

    state: str
    outcome: str | None
    reason: str | None = None
    photos: list[str] = []
    record_digests: list[str] = []
    receipts: dict[str, str] = {}
    completed_at: datetime | None = None


class InspectionCompleted(_CompletionEvent, frozen=True, kw_only=True):
    """完成检查 (MOB-14): 待反馈 becomes 已反馈; what is published follows from it."""

    duty: ClassVar[str] = "检查完成"
    action: ClassVar[str] = "inspection.completed"

    enterprise_id: UUID
    before: OutcomeFacts
    after: OutcomeFacts


class InspectionSuspended(_CompletionEvent, frozen=True, kw_only=True):
    """中止待续: the visit is over, the inspection goes on another day."""

    duty: ClassVar[str] = "检查中止"
    action: ClassVar[str] = "inspection.suspended"

    before: OutcomeFacts
    after: OutcomeFacts


class ReplacedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which officer is assigned; and on replacing, why."""

    officer_id: UUID
    reason: str | None = None


class OfficerReplaced(_CompletionEvent, frozen=True, kw_only=True):
    """人员替换 (TASK-13); the inspection's name and days are for whom it is now."""

    duty: ClassVar[str] = "执法人员替换"
    action: ClassVar[str] = "inspection.officer_replaced"

    before: ReplacedFacts
    after: ReplacedFacts
    name: str
    starts_on: date
    due_on: date
