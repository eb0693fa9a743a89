"""Values of inspections, visits and check-ins."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.enterprise.model import CreditGrade, RiskLevel
from domain.inspection.position import Datum, PositionFix
from domain.officer.model import CertifiedOfficer

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant as a phone sends it: one without its offset is refused."""
ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class InspectionKind(enum.StrEnum):
    """日常 / 专项 / 个案."""

    ROUTINE = "routine"
    SPECIAL = "special"
    CASE = "case"


class InspectionMode(enum.StrEnum):
    """现场 / 非现场."""

    ON_SITE = "on_site"
    OFF_SITE = "off_site"


class InspectionState(enum.StrEnum):
    """待反馈 / 已反馈 / 已取消 (catalogue 5.2)."""

    PENDING = "pending"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class DueMark(enum.StrEnum):
    """超期预警状态: 正常, 即将超期, 已超期 (MOB-07); derived, never stored."""

    ON_TIME = "on_time"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


class CheckInMeans(enum.StrEnum):
    """What proved presence."""

    PRINTED_CODE = "printed_code"
    LIVE_CODE = "live_code"
    BUSINESS_LICENCE = "business_licence"
    BACK_ENTRY = "back_entry"


class LateScanReason(enum.StrEnum):
    """Why work began before the scan: 紧急或证据可能灭失 / 网络或系统故障."""

    EMERGENCY = "emergency"
    SYSTEM_FAILURE = "system_failure"


class IdentificationResponse(enum.StrEnum):
    """亮证告知: 已知悉 / 申请回避 / 身份或单位不符."""

    ACKNOWLEDGED = "acknowledged"
    RECUSAL_REQUESTED = "recusal_requested"
    IDENTITY_MISMATCH = "identity_mismatch"


class ShownOn(enum.StrEnum):
    """Whose screen showed the 亮证告知."""

    OFFICER_SCREEN = "officer_screen"
    ENTERPRISE_PHONE = "enterprise_phone"


class InspectionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list (MOB-07)."""

    id: UUID
    name: str
    number: str | None
    kind: InspectionKind
    state: InspectionState
    scene_name: str
    enterprise_name: str
    site_id: UUID
    site_name: str
    address: str | None
    initiating_department: str
    starts_on: date
    due_on: date
    outcome: str | None


class Inspection(InspectionSummary, frozen=True, kw_only=True):
    """检查任务 whole: with its approval and what the check-in needs of the site."""

    mode: InspectionMode
    source: str
    basis: str
    notice_number: str | None
    approved_at: datetime | None
    approved_by: str | None
    is_urgent: bool
    approval_due_at: datetime | None
    completed_at: datetime | None
    created_at: datetime
    uscc: str
    enterprise_id: UUID
    region: str
    longitude: float | None
    latitude: float | None
    radius_m: int | None
    polygon: list[tuple[float, float]] | None


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """A department that takes part."""

    department_id: UUID
    name: str
    short_name: str
    code: str
    hotline: str | None
    is_lead: bool


class AssignedOfficer(CertifiedOfficer, frozen=True, kw_only=True):
    """An officer assigned to an inspection, for the department they act for in it."""

    acts_for: UUID


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """上门: one stay at the site."""

    id: UUID
    inspection_id: UUID
    sequence: int
    arrived_at: datetime
    departed_at: datetime | None
    voided_at: datetime | None


class CheckIn(msgspec.Struct, frozen=True, kw_only=True):
    """扫码报到 of one department at one visit; coordinates in degrees as sent, and converted to WGS-84."""

    id: UUID
    visit_id: UUID
    department_id: UUID
    officer_id: UUID
    second_officer_id: UUID
    means: CheckInMeans
    code_id: bytes | None
    longitude: float | None
    latitude: float | None
    accuracy_m: float | None
    fixed_at: datetime | None
    datum: Datum | None
    wgs84_longitude: float | None
    wgs84_latitude: float | None
    distance_outside_m: float | None
    flags: list[str]
    position_reason: str | None
    late_scan_reason: LateScanReason | None
    late_scan_note: str | None
    done_at: datetime
    received_at: datetime
    departed_at: datetime | None = None


class CheckInCard(msgspec.Struct, frozen=True, kw_only=True):
    """A check-in as the office and the phone show it."""

    id: UUID
    visit_id: UUID
    visit_sequence: int
    department_id: UUID
    officer_id: UUID
    second_officer_id: UUID
    means: CheckInMeans
    flags: list[str]
    distance_outside_m: float | None
    position_reason: str | None
    late_scan_reason: LateScanReason | None
    done_at: datetime
    received_at: datetime
    departed_at: datetime | None
    visit_voided_at: datetime | None
    identification: IdentificationResponse | None


class LateScan(msgspec.Struct, frozen=True, kw_only=True):
    """先检查后扫码: why, since when, and until when if they have left."""

    reason: LateScanReason
    note: str
    began_at: Instant
    ended_at: Instant | None = None


class CheckInOrder(msgspec.Struct, frozen=True, kw_only=True):
    """扫码报到 as the phone asks for it.

    `code` is what the scanner read: our URL, the bare token, a live code, or a licence QR.
    """

    second_officer_id: UUID | None = None
    code: str | None = None
    position: PositionFix | None = None
    position_reason: str | None = None
    late_scan: LateScan | None = None


class CheckInAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was stored of a check-in. `flags` not empty means 位置待核.

    `list_is_open`: the server opened the sealed list with this check-in, by live code; it can be read at once.
    """

    id: UUID
    inspection_id: UUID
    visit_id: UUID
    visit_sequence: int
    department_id: UUID
    officer_id: UUID
    second_officer_id: UUID
    means: CheckInMeans
    flags: list[str]
    distance_outside_m: float | None
    done_at: datetime
    received_at: datetime
    list_is_open: bool = False


class PersonOnSite(msgspec.Struct, frozen=True, kw_only=True):
    """被检查方现场人员."""

    name: ShortText
    post: ShortText


class IdentificationOrder(msgspec.Struct, frozen=True, kw_only=True):
    """亮证告知 as it went: the response, on whose screen, by whom, and the reason of a refusal."""

    response: IdentificationResponse
    shown_on: ShownOn = ShownOn.OFFICER_SCREEN
    person: PersonOnSite | None = None
    reason: str | None = None


class IdentificationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was stored of an 亮证告知."""

    id: UUID
    inspection_id: UUID
    check_in_id: UUID
    response: IdentificationResponse
    responded_at: datetime


class DepartureAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who left when; `visit_ended` once every department has left."""

    inspection_id: UUID
    visit_id: UUID
    department_id: UUID
    departed_at: datetime
    visit_ended: bool


class VoidAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Which visit was voided."""

    inspection_id: UUID
    visit_id: UUID
    voided_at: datetime


class DispatchedParty(msgspec.Struct, frozen=True, kw_only=True):
    """A department taking part, with its officers."""

    department_id: UUID
    department_code: str
    officer_ids: list[UUID]


class SiteGrades(msgspec.Struct, frozen=True, kw_only=True):
    """风险等级 and 信用等级 of whose site it is."""

    risk_level: RiskLevel | None
    credit_grade: CreditGrade | None


class DispatchOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An approved inspection to be carried out at one site; the first party leads.

    Items are drawn out of `checklist_version_id`; without one the inspection has no list.
    """

    name: str
    kind: InspectionKind
    source: str
    basis: str
    scene_code: str
    site_id: UUID
    region: str
    parties: list[DispatchedParty]
    starts_on: date
    due_on: date
    approved_at: datetime | None
    approved_by: str | None
    mode: InspectionMode = InspectionMode.ON_SITE
    is_urgent: bool = False
    approval_due_at: datetime | None = None
    checklist_version_id: UUID | None = None
