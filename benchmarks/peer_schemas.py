"""What the peer reads and answers, as pydantic models: field for field what Yima reads and answers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain.inspection.position import Datum


class Schema(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(from_attributes=True)


class Basics(Schema):
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


class Licence(Schema):
    """行政许可."""

    number: str
    name: str
    authority: str
    content: str | None
    valid_from: date | None
    valid_to: date | None


class Regulator(Schema):
    """监管部门."""

    name: str | None
    hotline: str | None


class Reply(Schema):
    """企业回应."""

    text: str
    submitted_on: date


class Result(Schema):
    """检查结果公示."""

    id: UUID
    authorities: list[str]
    kind: str
    kind_label: str
    completed_on: date
    published_on: date | None
    withdrawn_on: date | None = None
    outcome: str | None = None
    outcome_label: str | None = None
    unchecked_items: int = 0
    correction: str | None = None
    correction_label: str | None = None
    is_contested: bool = False
    reply: Reply | None = None


class Contact(Schema):
    """营业时间, 对外电话."""

    opening_hours: str | None
    phone: str | None


class ManualOfSite(Schema):
    """经营手册 of the site's 业态."""

    id: UUID
    name: str
    business_type: str
    version: int


class ComplaintCount(Schema):
    """办结的投诉 of one type."""

    type: str
    label: str
    count: int


class ScanView(Schema):
    """亮码告知 for a citizen."""

    audience: str
    site_id: UUID
    actions: list[str]
    basics: Basics
    licences: list[Licence]
    regulator: Regulator
    contact: Contact | None
    results: list[Result]
    manuals: list[ManualOfSite]
    complaint_counts: list[ComplaintCount]


class Claims(Schema):
    """The signed-in account, out of the bearer token."""

    account_id: UUID
    officer_id: UUID
    department_id: UUID
    name: str
    post: str
    role: str


class Position(Schema):
    """定位."""

    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)
    accuracy_m: float = Field(ge=0)
    fixed_at: datetime
    datum: Datum


class CheckInOrder(Schema):
    """扫码报到 as the phone asks for it."""

    second_officer_id: UUID
    code: str
    position: Position


class CheckInResult(Schema):
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
    list_is_open: bool = False


class Receipt(Schema):
    """回执."""

    id: UUID
    received_at: datetime
    digest: str


class Accepted(Schema):
    """The answer to an accepted write."""

    receipt: Receipt
    result: CheckInResult


class Measure(Schema):
    """处理措施."""

    kind: str
    note: str | None = Field(default=None, max_length=2000)


class AnswerOrder(Schema):
    """检查结果 as the phone records it."""

    value: Literal["no_problem", "problem", "not_applicable", "not_checked"]
    measures: list[Measure] = Field(default=[], max_length=6)
    reason: str | None = Field(default=None, max_length=2000)
    remark: str | None = Field(default=None, max_length=2000)
    photos: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(default=[], max_length=30)


class AnswerResult(Schema):
    """检查结果 as it stands."""

    item_id: UUID
    version: int
    value: str
    measures: list[Measure]
    reason: str | None
    remark: str | None
    photos: list[str]
    is_bulk: bool
    flags: list[str]
    officer_id: UUID
    done_at: datetime
    received_at: datetime
    order_id: UUID | None


class AcceptedAnswer(Schema):
    """The answer to an accepted answer."""

    receipt: Receipt
    result: AnswerResult


class EvidenceResult(Schema):
    """证据材料 as its upload is answered."""

    digest: str
    inspection_id: UUID
    media_type: str
    size: int
    width: int | None
    height: int | None
    is_quarantined: bool
    done_at: datetime
    received_at: datetime


class AcceptedEvidence(Schema):
    """The answer to an accepted photo."""

    receipt: Receipt
    result: EvidenceResult


class ListLine(Schema):
    """A drawn item, as it is sealed."""

    item_id: UUID
    place: int
    department_id: UUID
    code: str
    area: str
    matter: str
    sub_matter: str | None
    content: str
    method: str
    mode: str
    is_on_site: bool
    severity: str
    is_mandatory: bool
    penalty_if_overdue: bool
    guidance: str | None
    legal_basis: list[dict[str, Any]]


class PackedList(Schema):
    """The drawn list, sealed."""

    nonce: str
    iv: str
    ciphertext: str
    token_digest: str
    list_digest: str
    items: int


class PastResult(Schema):
    """An earlier inspection of the site."""

    completed_on: date
    outcome: str | None


class PackedOfficer(Schema):
    """执法人员."""

    id: UUID
    name: str
    department_id: UUID
    certificate_number: str | None
    certificate_valid_to: date | None


class PackedParty(Schema):
    """A department that takes part."""

    department_id: UUID
    name: str
    is_lead: bool
    hotline: str | None


class PackedInspection(Schema):
    """One inspection of the day."""

    id: UUID
    name: str
    kind: str
    mode: str
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
    manuals: list[UUID]
    history: list[PastResult]
    sealed_list: PackedList | None


class PackageEntry(Schema):
    """An inspection and the version of its content."""

    id: UUID
    version: str
    inspection: PackedInspection


class HeldNumber(Schema):
    """One leased number."""

    sequence: int
    text: str


class NumberBlock(Schema):
    """Numbers of one series that a phone holds."""

    kind: str
    year: int
    numbers: list[HeldNumber]


class Package(Schema):
    """当日任务包."""

    day: date
    made_at: datetime
    entries: list[PackageEntry]
    next_cursor: str | None
    numbers: list[NumberBlock]
