"""Inspections on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from api.work import Receipt
from domain.inspection import rules
from domain.inspection.answers.model import ChecklistLine
from domain.inspection.model import (
    AssignedOfficer,
    CheckInCard,
    DueMark,
    Inspection,
    InspectionMode,
    InspectionSummary,
    Party,
)
from domain.officer.rules import certificate_is_valid


class InspectionLine(InspectionSummary, frozen=True, kw_only=True):
    """检查任务 in a list (MOB-07), with its 超期预警状态 and 超期预警天数 of today."""

    due_mark: DueMark
    days_overdue: int


class InspectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, and the cursor of the next; no cursor means the end."""

    items: list[InspectionLine]
    next_cursor: str | None


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """审批: by whom and when, or urgent with the supplement's due time."""

    approved: bool
    approved_at: datetime | None
    approved_by: str | None
    is_urgent: bool
    supplement_due_at: datetime | None


class OfficerCard(msgspec.Struct, frozen=True, kw_only=True):
    """执法人员 of the inspection, with the certificate as of today."""

    id: UUID
    name: str
    department_id: UUID
    certificate_number: str | None
    certificate_valid_to: date | None
    certificate_valid_today: bool


class InspectionDetail(InspectionLine, frozen=True, kw_only=True):
    """检查任务 whole (MOB-09): object, approval, 检查通知书, parties, officers, and who has checked in."""

    mode: InspectionMode
    source: str
    basis: str
    notice_number: str | None
    approval: Approval
    uscc: str
    enterprise_id: UUID
    longitude: float | None
    latitude: float | None
    parties: list[Party]
    officers: list[OfficerCard]
    check_ins: list[CheckInCard]


class ChecklistView(msgspec.Struct, frozen=True, kw_only=True):
    """检查单 of an inspection: the drawn items in order, and how many of them are answered."""

    inspection_id: UUID
    answered: int
    items: list[ChecklistLine]


class ReleasedList(msgspec.Struct, frozen=True, kw_only=True):
    """检查单解封: the list. Null in a repeated answer, too long to be kept: Location tells where it is read."""

    receipt: Receipt
    result: list[ChecklistLine] | None


class GivenReason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: Annotated[str, msgspec.Meta(max_length=400)]


class VoidVisit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the open visit is voided."""

    reason: Annotated[str, msgspec.Meta(max_length=400)]


def to_line(summary: InspectionSummary, today: date) -> InspectionLine:
    """A list line of today."""
    fields = {name: getattr(summary, name) for name in InspectionSummary.__struct_fields__}
    return InspectionLine(
        **fields,
        due_mark=rules.due_mark(summary.state, summary.due_on, today),
        days_overdue=rules.days_overdue(summary.state, summary.due_on, today),
    )


def to_detail(
    inspection: Inspection,
    parties: list[Party],
    officers: list[AssignedOfficer],
    check_ins: list[CheckInCard],
    today: date,
) -> InspectionDetail:
    """The whole of it, as of today."""
    own = {name: getattr(inspection, name) for name in ("mode", "source", "basis", "notice_number", "uscc")}
    return InspectionDetail(
        **msgspec.structs.asdict(to_line(inspection, today)),
        **own,
        enterprise_id=inspection.enterprise_id,
        longitude=inspection.longitude,
        latitude=inspection.latitude,
        approval=Approval(
            approved=inspection.approved_at is not None,
            approved_at=inspection.approved_at,
            approved_by=inspection.approved_by,
            is_urgent=inspection.is_urgent,
            supplement_due_at=inspection.approval_due_at,
        ),
        parties=parties,
        officers=[_officer(officer, today) for officer in officers],
        check_ins=check_ins,
    )


def _officer(officer: AssignedOfficer, today: date) -> OfficerCard:
    return OfficerCard(
        id=officer.id,
        name=officer.name,
        department_id=officer.acts_for,
        certificate_number=officer.certificate_number,
        certificate_valid_to=officer.certificate_valid_to,
        certificate_valid_today=certificate_is_valid(officer, today),
    )
