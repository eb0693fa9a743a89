"""Values of what an enterprise and its sites say of themselves."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec

_Short = Annotated[str, msgspec.Meta(max_length=60)]
_Phone = Annotated[str, msgspec.Meta(max_length=30)]


class EnterpriseWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the enterprise says of itself, whole: what is left out is said no more."""

    liaison_name: _Short | None = None
    liaison_phone: _Phone | None = None
    email: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    brand_name: _Short | None = None


class SiteWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it says of one site, whole. The business phone is public only where `is_phone_public`."""

    opening_hours: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    business_phone: _Phone | None = None
    is_phone_public: bool = False
    contact_name: _Short | None = None
    contact_phone: _Phone | None = None


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What the register says; nobody changes it here (ENT-02)."""

    id: UUID
    uscc: str
    name: str
    object_type: str
    legal_representative: str | None
    registered_capital: Decimal | None
    capital_currency: str | None
    established_on: date | None
    approved_on: date | None
    term_from: date | None
    term_to: date | None
    domicile: str | None
    business_scope: str | None
    industry_type: str | None
    registration_authority: str | None
    region_code: str


class StoredProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What the enterprise said, as it lies there."""

    version: int
    liaison_name_sealed: bytes | None
    liaison_phone_sealed: bytes | None
    email_sealed: bytes | None
    brand_name: str | None
    updated_at: datetime


class RegisteredSite(msgspec.Struct, frozen=True, kw_only=True):
    """经营场所 with what was said of it; `version` 0: nothing yet."""

    id: UUID
    name: str
    is_main: bool
    address: str | None
    business_types: list[str]
    version: int
    opening_hours: str | None
    business_phone_sealed: bytes | None
    public_phone: str | None
    contact_name_sealed: bytes | None
    contact_phone_sealed: bytes | None


class ProfileStands(msgspec.Struct, frozen=True, kw_only=True):
    """Which version holds now; the values are read where they are kept."""

    id: UUID
    version: int
    updated_at: datetime
