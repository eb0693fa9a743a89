"""Values of hazards (ENT-07, D24)."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.checklist.model import Severity
from domain.self_inspection.model import LongText, Photos

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class HazardState(enum.StrEnum):
    """未处理 / 已处理."""

    OPEN = "open"
    CLOSED = "closed"


class Hazard(msgspec.Struct, frozen=True, kw_only=True):
    """隐患 as an operation works on it; who is responsible is sealed."""

    id: UUID
    enterprise_id: UUID
    site_id: UUID
    region: str
    self_inspection_id: UUID | None
    item_id: UUID | None
    title: str
    description: str | None
    severity: Severity
    state: HazardState
    version: int
    found_at: datetime
    found_by: UUID
    due_on: date
    measures: str | None
    responsible_sealed: bytes | None
    photos_before: list[bytes]
    photos_after: list[bytes]
    closing_note: str | None
    closed_by: UUID | None
    closed_at: datetime | None
    reminders: int
    escalated_at: datetime | None
    escalated_to: UUID | None


class HazardSummary(msgspec.Struct, frozen=True, kw_only=True):
    """隐患 in the enterprise's list."""

    id: UUID
    site_id: UUID
    site_name: str
    self_inspection_id: UUID | None
    title: str
    severity: Severity
    state: HazardState
    found_at: datetime
    due_on: date
    closed_at: datetime | None
    escalated_at: datetime | None


class EscalatedHazard(msgspec.Struct, frozen=True, kw_only=True):
    """重大隐患 in the list of the department to which it was escalated."""

    id: UUID
    enterprise_id: UUID
    enterprise_name: str
    site_id: UUID
    site_name: str
    address: str | None
    title: str
    state: HazardState
    found_at: datetime
    due_on: date
    closed_at: datetime | None
    escalated_at: datetime
    escalated_to: UUID | None


class HazardReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """隐患 that an enterprise records by itself; without a term the suggested one holds."""

    site_id: UUID
    title: Title
    description: LongText | None = None
    severity: Severity
    due_on: date | None = None
    photos: Photos = []


class HandlingOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """隐患治理: what is done, by whom, until when."""

    measures: LongText
    responsible: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    due_on: date


class ClosingOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """隐患销号: how it was put right, with photos of afterwards."""

    note: LongText
    photos: Photos = []


class HazardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How a hazard stands after an act."""

    id: UUID
    version: int
    state: HazardState
    severity: Severity
    due_on: date
    closed_at: datetime | None
    escalated_at: datetime | None
