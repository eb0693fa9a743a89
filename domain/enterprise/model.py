"""Values of enterprises, sites and the one code."""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class CodeState(enum.StrEnum):
    """A code at a door is valid, replaced by a newer one, or revoked."""

    ISSUED = "issued"
    REPLACED = "replaced"
    REVOKED = "revoked"


class RiskLevel(enum.StrEnum):
    """风险等级 (D3)."""

    LOW = "low"
    MEDIUM_LOW = "medium_low"
    MEDIUM_HIGH = "medium_high"
    HIGH = "high"


class CreditGrade(enum.StrEnum):
    """信用等级 (D3)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class SiteCode(msgspec.Struct, frozen=True, kw_only=True):
    """One code of a site."""

    code_id: bytes
    site_id: UUID
    key_version: int
    state: CodeState
    issued_at: datetime
    ended_at: datetime | None = None
    end_reason: str | None = None


class LicenceCard(msgspec.Struct, frozen=True, kw_only=True):
    """行政许可 as anybody may see it."""

    number: str
    name: str
    authority: str
    content: str | None
    valid_from: date | None
    valid_to: date | None


class SiteCard(msgspec.Struct, frozen=True, kw_only=True):
    """经营场所 with what the register says of its enterprise, licences and regulator: all that a scan starts from.

    Of personal data it holds only the legal representative's name, which the public register shows.
    """

    site_id: UUID
    site_name: str
    address: str | None
    region: str
    region_name: str
    longitude: float | None
    latitude: float | None
    regulator: str | None
    hotline: str | None
    enterprise_id: UUID
    uscc: str
    name: str
    object_type: str
    industry_type: str | None
    legal_representative: str | None
    registered_capital: Decimal | None
    capital_currency: str | None
    domicile: str | None
    business_scope: str | None
    registration_authority: str | None
    established_on: date | None
    term_from: date | None
    term_to: date | None
    revoked_on: date | None
    risk_level: RiskLevel | None
    credit_grade: CreditGrade | None
    licences: list[LicenceCard]


class ScannedSite(SiteCard, frozen=True, kw_only=True):
    """A site reached by its code, and how the code stands."""

    code_state: CodeState
    code_ended_at: datetime | None
