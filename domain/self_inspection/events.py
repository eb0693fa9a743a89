"""What happens to self-inspections.

None of these names a region, a department or a site: the trace keeps that it was done and a digest that proves what,
and nobody follows live what an enterprise finds in its own house (D24: honesty is not punished).
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class SelfInspectionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A self-inspection as the trace tells it; `digest` is the SHA-256 of all its answers."""

    state: str
    business_type: str
    checklist_version_id: UUID
    items: int
    quarter: str | None = None
    digest: str | None = None


class SelfAnswerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One answer in the trace: which version of it, and the SHA-256 of what it says."""

    item_id: UUID
    version: int
    digest: str


class _SelfInspectionEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "企业自查"
    power: ClassVar[str] = "企业自查"
    subject: ClassVar[str] = "self_inspection"

    before: SelfInspectionFacts | None = None
    after: SelfInspectionFacts


class SelfInspectionBegun(_SelfInspectionEvent, frozen=True, kw_only=True):
    """开始自查: the items are frozen."""

    duty: ClassVar[str] = "企业自查开始"
    action: ClassVar[str] = "self_inspection.begun"


class SelfInspectionHandedIn(_SelfInspectionEvent, frozen=True, kw_only=True):
    """提交自查."""

    duty: ClassVar[str] = "企业自查提交"
    action: ClassVar[str] = "self_inspection.submitted"


class SelfInspectionGivenUp(_SelfInspectionEvent, frozen=True, kw_only=True):
    """放弃自查, before it was submitted."""

    duty: ClassVar[str] = "企业自查放弃"
    action: ClassVar[str] = "self_inspection.discarded"


class SelfCheckAnswered(Event, frozen=True, kw_only=True):
    """填写一项自查结果."""

    business: ClassVar[str] = "企业自查"
    power: ClassVar[str] = "企业自查"
    duty: ClassVar[str] = "自查结果填写"
    action: ClassVar[str] = "self_inspection.answered"
    subject: ClassVar[str] = "self_inspection"

    before: SelfAnswerFacts | None = None
    after: SelfAnswerFacts


class ReminderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One page of reminders in the trace: of which quarter, and how many enterprises were told."""

    quarter: str
    enterprises: int


class SelfInspectionsReminded(Event, frozen=True, kw_only=True):
    """季度自查提醒 to the enterprises of one page; the trace tells how many, the outbox whom."""

    business: ClassVar[str] = "企业自查"
    power: ClassVar[str] = "行政指导"
    duty: ClassVar[str] = "季度自查提醒"
    action: ClassVar[str] = "self_inspection.reminded"
    subject: ClassVar[str] = "self_inspection_round"

    before: ReminderFacts | None = None
    after: ReminderFacts
    enterprises: list[UUID]
    quarter: str
    due: str
