"""What the peer reads and answers, as pydantic models: field for field what Yima reads and answers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.inspection.position import Datum


class _Schema(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Basics(_Schema):
    """经营信息."""

    name: str
    uscc: str
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
    site_name: str
    address: str | None
    region_name: str


class Licence(_Schema):
    """行政许可."""

    number: str
    name: str
    authority: str
    content: str | None
    valid_from: date | None
    valid_to: date | None


class Regulator(_Schema):
    """监管部门."""

    name: str | None
    hotline: str | None


class ScanView(_Schema):
    """亮码告知 for a citizen."""

    audience: str
    site_id: UUID
    actions: list[str]
    basics: Basics
    licences: list[Licence]
    regulator: Regulator


class Claims(_Schema):
    """The signed-in account, out of the bearer token."""

    account_id: UUID
    officer_id: UUID
    name: str
    post: str
    role: str


class Position(_Schema):
    """定位."""

    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)
    accuracy_m: float = Field(ge=0)
    fixed_at: datetime
    datum: Datum


class CheckInOrder(_Schema):
    """扫码报到 as the phone asks for it."""

    second_officer_id: UUID
    code: str
    position: Position


class CheckInResult(_Schema):
    """What was stored of a check-in."""

    id: UUID
    inspection_id: UUID
    visit_id: UUID
    visit_sequence: int
    department_id: UUID
    officer_id: UUID
    second_officer_id: UUID
    means: str
    flags: list[str]
    distance_outside_m: float | None
    done_at: datetime
    received_at: datetime


class Receipt(_Schema):
    """回执."""

    id: UUID
    received_at: datetime
    digest: str


class Accepted(_Schema):
    """The answer to an accepted write."""

    receipt: Receipt
    result: CheckInResult
