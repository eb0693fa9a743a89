"""Self-inspections and hazards on the wire."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from domain.checklist.model import Severity
from domain.self_inspection.hazard.model import EscalatedHazard, Hazard, HazardState, HazardSummary
from domain.self_inspection.model import (
    ScheduledSelfInspection,
    SelfCheckLine,
    SelfInspectionSummary,
)


class SelfInspectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some records, and the cursor of the next; no cursor means the end."""

    items: list[SelfInspectionSummary]
    next_cursor: str | None


class SelfInspectionDetail(SelfInspectionSummary, frozen=True, kw_only=True):
    """自查记录 whole: every item with its answer so far."""

    items: list[SelfCheckLine]


class SelfInspectionSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """季度自查 of an enterprise's sites."""

    quarter: str
    due_on: date
    items: list[ScheduledSelfInspection]


class HazardPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some hazards, and the cursor of the next; no cursor means the end."""

    items: list[HazardSummary]
    next_cursor: str | None


class EscalatedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some 重大隐患, and the cursor of the next; no cursor means the end."""

    items: list[EscalatedHazard]
    next_cursor: str | None


class HazardDetail(msgspec.Struct, frozen=True, kw_only=True):
    """隐患 whole. Who is responsible is told to the enterprise alone."""

    id: UUID
    enterprise_id: UUID
    site_id: UUID
    self_inspection_id: UUID | None
    item_id: UUID | None
    title: str
    description: str | None
    severity: Severity
    state: HazardState
    version: int
    found_at: datetime
    due_on: date
    measures: str | None
    responsible: str | None
    photos_before: list[str]
    photos_after: list[str]
    closing_note: str | None
    closed_at: datetime | None
    escalated_at: datetime | None


def to_hazard(found: Hazard, responsible: str | None) -> HazardDetail:
    """The whole of it; `responsible` None where the reader is not told."""
    plain = {"responsible", "photos_before", "photos_after"}
    return HazardDetail(
        **{name: getattr(found, name) for name in HazardDetail.__struct_fields__ if name not in plain},
        responsible=responsible,
        photos_before=[photo.hex() for photo in found.photos_before],
        photos_after=[photo.hex() for photo in found.photos_after],
    )
