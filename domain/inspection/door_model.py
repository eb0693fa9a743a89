"""What people at a door are shown: who stands there, with which order, and what they may answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.inspection.conduct import ToldRule
from domain.inspection.model import IdentificationResponse, InspectionKind, PersonOnSite


class BadgeOfficer(msgspec.Struct, frozen=True, kw_only=True):
    """执法人员 as anybody may check them who was shown their badge."""

    id: UUID
    name: str
    certificate_number: str | None
    certificate_valid_from: date | None
    certificate_valid_to: date | None
    department_id: UUID
    department_name: str
    hotline: str | None


class OrderAtDoor(msgspec.Struct, frozen=True, kw_only=True):
    """检查任务 that brings the officer to a site of the enterprise that asks; areas only once the list is open."""

    inspection_id: UUID
    site_id: UUID
    site_name: str
    kind: InspectionKind
    basis: str
    authority: str
    notice_number: str | None
    starts_on: date
    due_on: date
    items: int
    is_list_open: bool
    areas: list[str]


class IdentificationReply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """亮证告知 answered on the enterprise's own phone, to the check-in of one department."""

    check_in_id: UUID
    response: IdentificationResponse
    person: PersonOnSite | None = None
    reason: Annotated[str, msgspec.Meta(max_length=400)] | None = None


class ScreenOfficer(msgspec.Struct, frozen=True, kw_only=True):
    """One of the officers on the screen; `is_here`: checked in at this visit."""

    id: UUID
    name: str
    certificate_number: str | None
    certificate_valid_to: date | None
    certificate_is_valid: bool
    is_here: bool


class ScreenParty(msgspec.Struct, frozen=True, kw_only=True):
    """A department at the door: its officers, its check-in if it has one, and how often it came this year.

    `visits_this_year` counts this one; `routine_visits_this_year` is what the cap is held against.
    """

    department_id: UUID
    name: str
    is_lead: bool
    hotline: str | None
    officers: list[ScreenOfficer]
    check_in_id: UUID | None
    arrived_at: datetime | None
    response: IdentificationResponse | None
    visits_this_year: int
    routine_visits_this_year: int


class ScreenButton(msgspec.Struct, frozen=True, kw_only=True):
    """What the enterprise may answer."""

    response: IdentificationResponse
    label: str
    needs_reason: bool


class IdentificationScreen(msgspec.Struct, frozen=True, kw_only=True):
    """亮证告知: everything the enterprise is told at the door. No photo: the register holds none."""

    inspection_id: UUID
    enterprise_name: str
    site_name: str
    notice_number: str | None
    kind: InspectionKind
    kind_label: str
    source: str
    basis: str
    items: int
    is_list_open: bool
    areas: list[str]
    parties: list[ScreenParty]
    visits_cap: int
    visits_cap_source: str
    rights: list[ToldRule]
    duties: list[ToldRule]
    prohibitions: list[ToldRule]
    buttons: list[ScreenButton]
