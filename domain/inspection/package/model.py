"""Values of the package of the day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.inspection.model import InspectionKind, InspectionMode

Hex = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$")]


class PackedList(msgspec.Struct, frozen=True, kw_only=True):
    """The drawn list, sealed: AES-256-GCM under HKDF-SHA256 of the site's token (mobile_contract/test_vectors).

    `list_digest` is the SHA-256 of what is inside, traced since dispatch; `token_digest` tells the phone offline
    whether it scanned the right code. All in hexadecimal.
    """

    nonce: Hex
    iv: Hex
    ciphertext: Hex
    token_digest: Hex
    list_digest: Hex
    items: int


class PastResult(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier inspection of the site: conclusion and date, nothing else crosses scenes (D8)."""

    completed_on: date
    outcome: str | None


class PackedOfficer(msgspec.Struct, frozen=True, kw_only=True):
    """执法人员 of the inspection, for the 亮证告知 screen."""

    id: UUID
    name: str
    department_id: UUID
    certificate_number: str | None
    certificate_valid_to: date | None


class PackedParty(msgspec.Struct, frozen=True, kw_only=True):
    """A department that takes part."""

    department_id: UUID
    name: str
    is_lead: bool
    hotline: str | None


class InspectionOfDay(msgspec.Struct, frozen=True, kw_only=True):
    """One inspection with what the phone needs at the door, positions in WGS-84 degrees."""

    id: UUID
    name: str
    kind: InspectionKind
    mode: InspectionMode
    source: str
    basis: str
    scene_code: str
    number: str | None
    notice_number: str | None
    starts_on: date
    due_on: date
    created_at: datetime
    approved_at: datetime | None
    is_urgent: bool
    site_id: UUID
    site_name: str
    address: str | None
    enterprise_name: str
    uscc: str
    representative: str | None
    longitude: float | None
    latitude: float | None
    radius_m: int | None
    polygon: list[tuple[float, float]] | None
    parties: list[PackedParty]
    officers: list[PackedOfficer]
    history: list[PastResult]


class PackedInspection(InspectionOfDay, frozen=True, kw_only=True):
    """The same with the manuals that belong to it, and its list, sealed."""

    manuals: list[UUID]
    sealed_list: PackedList | None


class PackageEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`version` names the content; `inspection` is absent where the phone says that it has that version already."""

    id: UUID
    version: Hex
    inspection: PackedInspection | None = None


class HeldNumber(msgspec.Struct, frozen=True, kw_only=True):
    """One leased number, and the 文号 to print for it."""

    sequence: int
    text: str


class NumberBlock(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of one series that this device holds and has not used."""

    kind: str
    year: int
    numbers: list[HeldNumber]


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """当日任务包. `made_at` is the server's clock, by which a phone corrects its own; `next_cursor`: there is more."""

    day: date
    made_at: datetime
    entries: list[PackageEntry]
    next_cursor: str | None
    numbers: list[NumberBlock]


class LeaseOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A block of numbers for papers that are issued where there is no network."""

    device_id: UUID
    count: Annotated[int, msgspec.Meta(ge=1, le=20)] = 5


class LeaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The block as it was given."""

    device_id: UUID
    block: NumberBlock
