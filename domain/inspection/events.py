"""What happens during an inspection."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class _InspectionEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "行政检查权"
    subject: ClassVar[str] = "inspection"

    before: None = None


class DispatchedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was dispatched; digests in hexadecimal, of the drawn list and of the draw's record."""

    name: str
    kind: str
    starts_on: date
    due_on: date
    officers: list[UUID]
    checklist_version_id: UUID | None = None
    items: int = 0
    list_digest: str | None = None
    draw_digest: str | None = None


class InspectionDispatched(_InspectionEvent, frozen=True, kw_only=True):
    """任务分发: an approved inspection reaches its officers; `joined` are the departments beside the leading one."""

    duty: ClassVar[str] = "检查任务分发"
    action: ClassVar[str] = "inspection.dispatched"

    after: DispatchedFacts
    joined: tuple[UUID, ...] = ()


class CheckInFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A check-in as trace and live feed tell it."""

    check_in_id: UUID
    visit_id: UUID
    visit_sequence: int
    department_id: UUID
    officer_id: UUID
    second_officer_id: UUID
    means: str
    flags: list[str]
    distance_outside_m: float | None
    done_at: datetime


class CheckedIn(_InspectionEvent, frozen=True, kw_only=True):
    """扫码报到 (ONE-01). `is_news` while the officers may still be there: what is entered days later is none."""

    duty: ClassVar[str] = "扫码报到"
    action: ClassVar[str] = "inspection.checked_in"

    after: CheckInFacts
    enterprise_id: UUID
    is_news: bool
    department_name: str
    officer_count: int
    notice_number: str | None
    hotline: str | None


class IdentificationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """亮证告知 as the trace tells it; the person's name is under the person's own key."""

    check_in_id: UUID
    response: str
    shown_on: str
    reason: str | None
    person_id: UUID | None
    person_name_sealed: str | None
    person_post: str | None


class OfficersIdentified(_InspectionEvent, frozen=True, kw_only=True):
    """亮证告知: shown, and acknowledged or refused."""

    duty: ClassVar[str] = "亮证告知"
    action: ClassVar[str] = "inspection.officers_identified"

    after: IdentificationFacts


class DepartureFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Who left when, and whether that ended the visit."""

    visit_id: UUID
    department_id: UUID
    departed_at: datetime
    visit_ended: bool


class Departed(_InspectionEvent, frozen=True, kw_only=True):
    """离场."""

    duty: ClassVar[str] = "离场登记"
    action: ClassVar[str] = "inspection.departed"

    after: DepartureFacts


class VoidFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which visit was voided, and why."""

    visit_id: UUID
    reason: str


class VisitVoided(_InspectionEvent, frozen=True, kw_only=True):
    """作废走错场所的上门记录."""

    duty: ClassVar[str] = "报到作废"
    action: ClassVar[str] = "inspection.visit_voided"

    after: VoidFacts
