"""What people ask for, as a phone or a browser sends it, and what they are answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.rectification.model import (
    ConsentMeans,
    ExtensionState,
    OrderState,
    ReInspectionResult,
    ServiceMeans,
    TransferState,
)

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of a file handed in, hexadecimal")]
Digests = Annotated[list[Digest], msgspec.Meta(max_length=60)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
LongText = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
Phone = Annotated[str, msgspec.Meta(min_length=5, max_length=30)]


class ItemDemand(msgspec.Struct, frozen=True, kw_only=True):
    """整改事项. `facts` default to the answer's remark; no `due_on`: at once. Severe items need `term_reason`."""

    item_id: UUID
    demand: Text
    facts: Text | None = None
    due_on: date | None = None
    term_reason: str | None = None


class LeasedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number of the block that the phone holds."""

    device_id: UUID
    year: Annotated[int, msgspec.Meta(ge=2000, le=2999)]
    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """联系人 of the authority."""

    name: Line
    phone: Phone


class IssueOrder(msgspec.Struct, frozen=True, kw_only=True):
    """责令改正通知书 as the officer issues it. `late_reason` once the inspection is completed."""

    id: UUID
    items: Annotated[list[ItemDemand], msgspec.Meta(min_length=1, max_length=200)]
    due_on: date
    contact: Contact
    fields: dict[str, Annotated[str, msgspec.Meta(max_length=4000)]] = {}
    template_id: UUID | None = None
    leased_number: LeasedNumber | None = None
    court: Line | None = None
    review_authority: Line | None = None
    late_reason: str | None = None


class OrderIssued(msgspec.Struct, frozen=True, kw_only=True):
    """What was stored of an order, and where its paper is; `consents` by which it may be served electronically."""

    id: UUID
    inspection_id: UUID
    department_id: UUID
    document_id: UUID
    verification_code: str
    state: OrderState
    items: list[UUID]
    issued_at: datetime
    due_on: date
    re_inspection_due_on: date
    consents: list[ConsentMeans]


class OrderRevoked(msgspec.Struct, frozen=True, kw_only=True):
    """已撤销."""

    id: UUID
    document_id: UUID
    state: OrderState
    closed_at: datetime


class TellAgain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """再次告知: by which way."""

    means: ConsentMeans


class OrderToldAgain(msgspec.Struct, frozen=True, kw_only=True):
    """已安排发送. `is_notice`: by consent it is the paper's own message, and may serve; else it only reminds."""

    id: UUID
    means: ConsentMeans
    is_notice: bool
    told_at: datetime


class Attendant(msgspec.Struct, frozen=True, kw_only=True):
    """Who received a paper, or witnessed that it was left."""

    name: Line
    capacity: Line


class RecordService(msgspec.Struct, frozen=True, kw_only=True):
    """送达. `served_on`: the day of lawful service; of an announcement its first day.

    `body` of 委托, `place` of 公告, `tracking_number` of 邮寄, `receiver` of 直接, `witness` or `evidence` of 留置.
    """

    means: ServiceMeans
    served_on: date
    receiver: Attendant | None = None
    witness: Attendant | None = None
    tracking_number: Line | None = None
    body: Line | None = None
    place: Text | None = None
    note: Text | None = None
    evidence: Digests = []


class ServiceRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """What was stored: when this service counts, and when the order counts as served."""

    id: UUID
    order_id: UUID
    means: ServiceMeans
    served_on: date
    order_served_on: date
    is_after_term: bool


class NoticeServiceRecorded(msgspec.Struct, frozen=True, kw_only=True):
    """What was stored. `is_announced`: it was recorded before anybody came, and is told at the door."""

    id: UUID
    inspection_id: UUID
    document_id: UUID
    means: ServiceMeans
    served_on: date
    is_announced: bool


class GiveConsent(msgspec.Struct, frozen=True, kw_only=True):
    """送达地址确认书. An inspector hands in the signed `paper`, for the inspection it was signed at."""

    means: Annotated[list[ConsentMeans], msgspec.Meta(min_length=1, max_length=2)]
    phone: str | None = None
    email: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    inspection_id: UUID | None = None
    paper: Digest | None = None


class ConsentGiven(msgspec.Struct, frozen=True, kw_only=True):
    """The consent in force; the addresses are not repeated."""

    id: UUID
    enterprise_id: UUID
    means: list[ConsentMeans]
    given_at: datetime


class ConsentWithdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """From then on, what is sent is a reminder only."""

    id: UUID
    enterprise_id: UUID
    withdrawn_at: datetime


class ItemFeedback(msgspec.Struct, frozen=True, kw_only=True):
    """How one item was put right, with photos of before and after."""

    item_id: UUID
    answer: Text
    before: Digests = []
    after: Digests = []


class GiveFeedback(msgspec.Struct, frozen=True, kw_only=True):
    """整改反馈 (ENT-03)."""

    items: Annotated[list[ItemFeedback], msgspec.Meta(min_length=1, max_length=200)]
    note: LongText | None = None


class FeedbackGiven(msgspec.Struct, frozen=True, kw_only=True):
    """What was stored of a feedback."""

    id: UUID
    order_id: UUID
    round: int
    state: OrderState
    fed_back_at: datetime
    re_inspection_due_on: date


class RequestExtension(msgspec.Struct, frozen=True, kw_only=True):
    """延期整改申请."""

    days: Annotated[int, msgspec.Meta(ge=1, le=90)]
    reason: str


class DecideExtension(msgspec.Struct, frozen=True, kw_only=True):
    """延期整改审批."""

    granted: bool
    reason: str


class ExtensionStands(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request for more time stands, and when the order is due."""

    id: UUID
    order_id: UUID
    days: int
    state: ExtensionState
    due_on: date
    re_inspection_due_on: date


class ItemResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the re-inspection found of one item."""

    item_id: UUID
    is_corrected: bool
    note: Text | None = None
    photos: Digests = []


class ReInspect(msgspec.Struct, frozen=True, kw_only=True):
    """整改复查 as the officer records it; `id` is made by the phone.

    Another round needs `next_due_on`, `approved_by` and `approval_reason`; a transfer its `receiving_body`.
    """

    id: UUID
    result: ReInspectionResult
    second_officer_id: UUID
    note: LongText
    items: Annotated[list[ItemResult], msgspec.Meta(min_length=1, max_length=200)]
    photos: Digests = []
    next_due_on: date | None = None
    approved_by: Line | None = None
    approval_reason: str | None = None
    receiving_body: Line | None = None


class ReInspected(msgspec.Struct, frozen=True, kw_only=True):
    """What was stored of a re-inspection, and what became of the order."""

    id: UUID
    order_id: UUID
    round: int
    result: ReInspectionResult
    state: OrderState
    due_on: date
    re_inspection_due_on: date
    closed_at: datetime | None
    transfer_id: UUID | None


class OpenTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """移交执法 out of an answer's measure 转行政处罚; `id` is made by the phone."""

    id: UUID
    receiving_body: Line
    reason: str


class HandOver(msgspec.Struct, frozen=True, kw_only=True):
    """The receiving body's receipt: its number, and its scan by digest."""

    receipt_number: Line
    receipt: Digest


class TransferStands(msgspec.Struct, frozen=True, kw_only=True):
    """Where a transfer stands."""

    id: UUID
    inspection_id: UUID
    order_id: UUID | None
    department_id: UUID
    receiving_body: str
    state: TransferState
    opened_at: datetime
    handed_over_at: datetime | None
