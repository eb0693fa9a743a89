"""What happens to an order, from the paper to the closed file."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class _OrderEvent(Event, frozen=True, kw_only=True):
    """An act on an order; `subject_id` is the order's id, `document_id` that of its paper."""

    business: ClassVar[str] = "责令改正"
    power: ClassVar[str] = "行政检查权"
    subject: ClassVar[str] = "rectification_order"

    enterprise_id: UUID
    document_id: UUID


class OrderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the trace tells it."""

    inspection_id: UUID
    document_id: UUID
    state: str
    round: int
    due_on: date
    re_inspection_due_on: date
    items: list[UUID]
    leased_number: str | None
    late_reason: str | None
    issued_at: datetime


class RectificationOrderIssued(_OrderEvent, frozen=True, kw_only=True):
    """责令改正通知书 issued. `consents`: by what the enterprise agreed to be served; none: messages only remind."""

    duty: ClassVar[str] = "责令改正通知书制发"
    action: ClassVar[str] = "rectification.order_issued"

    before: None = None
    after: OrderFacts
    consents: list[str]
    department_name: str
    hotline: str | None
    due_on: date


class TellingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """By which way an order was told again, and whether the enterprise agreed to be served by it."""

    means: str
    has_consent: bool
    issued_at: datetime


class RectificationOrderToldAgain(_OrderEvent, frozen=True, kw_only=True):
    """再次告知: an officer has the message of the order sent again."""

    duty: ClassVar[str] = "责令改正通知书再次告知"
    action: ClassVar[str] = "rectification.told_again"

    before: None = None
    after: TellingFacts
    department_name: str
    hotline: str | None
    due_on: date


class StateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order stands."""

    state: str
    round: int
    due_on: date
    re_inspection_due_on: date
    served_on: date | None
    reason: str | None = None


class RectificationOrderRevoked(_OrderEvent, frozen=True, kw_only=True):
    """责令改正通知书撤销: the number stays."""

    duty: ClassVar[str] = "责令改正通知书撤销"
    action: ClassVar[str] = "rectification.order_revoked"

    before: StateFacts
    after: StateFacts


class PaperServiceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A service without the people who took part in it."""

    service_id: UUID
    document_id: UUID
    means: str
    served_on: date
    tracking_number: str | None
    evidence: list[str]
    consent_id: UUID | None


class ServiceFacts(PaperServiceFacts, frozen=True, kw_only=True):
    """The same of an order, which counts as served from its earliest service."""

    order_served_on: date


class PaperServed(_OrderEvent, frozen=True, kw_only=True):
    """送达."""

    duty: ClassVar[str] = "文书送达"
    action: ClassVar[str] = "rectification.served"

    before: StateFacts
    after: ServiceFacts


class NoticeServed(Event, frozen=True, kw_only=True):
    """检查通知书送达: a visit that is announced (decision 0005); its site's people see the task from now on."""

    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "行政检查权"
    duty: ClassVar[str] = "检查通知书送达"
    action: ClassVar[str] = "inspection.notice_served"
    subject: ClassVar[str] = "inspection"

    before: None = None
    after: PaperServiceFacts


class FeedbackFacts(msgspec.Struct, frozen=True, kw_only=True):
    """整改反馈: which items were answered, with how many photos."""

    feedback_id: UUID
    state: str
    round: int
    items: list[UUID]
    photos: list[str]
    re_inspection_due_on: date


class RectificationFedBack(_OrderEvent, frozen=True, kw_only=True):
    """整改反馈 (ENT-03)."""

    power: ClassVar[str] = "监管对象"
    duty: ClassVar[str] = "整改反馈"
    action: ClassVar[str] = "rectification.fed_back"

    before: StateFacts
    after: FeedbackFacts


class ExtensionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """延期整改 as it stands."""

    extension_id: UUID
    state: str
    days: int
    reason: str
    due_on: date


class ExtensionRequested(_OrderEvent, frozen=True, kw_only=True):
    """延期整改申请."""

    power: ClassVar[str] = "监管对象"
    duty: ClassVar[str] = "延期整改申请"
    action: ClassVar[str] = "rectification.extension_requested"

    before: None = None
    after: ExtensionFacts


class ExtensionDecided(_OrderEvent, frozen=True, kw_only=True):
    """延期整改审批."""

    duty: ClassVar[str] = "延期整改审批"
    action: ClassVar[str] = "rectification.extension_decided"

    before: ExtensionFacts
    after: ExtensionFacts


class ReInspectionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """整改复查 and what became of the order."""

    re_inspection_id: UUID
    result: str
    state: str
    round: int
    officer_id: UUID
    second_officer_id: UUID
    failed_items: list[UUID]
    due_on: date
    approved_by: str | None
    approval_reason: str | None
    done_at: datetime


class RectificationReInspected(_OrderEvent, frozen=True, kw_only=True):
    """整改复查 (POST-01, MOB-16, MOB-17)."""

    duty: ClassVar[str] = "整改复查"
    action: ClassVar[str] = "rectification.re_inspected"

    before: StateFacts
    after: ReInspectionFacts


class ConsentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """送达地址确认书 without the addresses."""

    consent_id: UUID
    means: list[str]
    paper: str | None


class _ConsentEvent(Event, frozen=True, kw_only=True):
    """`subject_id` is the enterprise's id."""

    business: ClassVar[str] = "文书送达"
    power: ClassVar[str] = "监管对象"
    subject: ClassVar[str] = "enterprise"


class ServiceConsentGiven(_ConsentEvent, frozen=True, kw_only=True):
    """送达地址确认; `before` is the consent that it takes the place of."""

    duty: ClassVar[str] = "送达地址确认"
    action: ClassVar[str] = "rectification.service_consent_given"

    before: ConsentFacts | None
    after: ConsentFacts


class ServiceConsentWithdrawn(_ConsentEvent, frozen=True, kw_only=True):
    """送达地址确认撤回."""

    duty: ClassVar[str] = "送达地址确认"
    action: ClassVar[str] = "rectification.service_consent_withdrawn"

    before: ConsentFacts
    after: None = None


class TransferFacts(msgspec.Struct, frozen=True, kw_only=True):
    """移交执法 as it stands."""

    inspection_id: UUID
    order_id: UUID | None
    state: str
    receiving_body: str
    reason: str
    receipt_number: str | None = None
    receipt: str | None = None


class _TransferEvent(Event, frozen=True, kw_only=True):
    """`subject_id` is the transfer's id."""

    business: ClassVar[str] = "移交执法"
    power: ClassVar[str] = "行政检查权"
    subject: ClassVar[str] = "enforcement_transfer"

    enterprise_id: UUID


class TransferOpened(_TransferEvent, frozen=True, kw_only=True):
    """移交执法 opened."""

    duty: ClassVar[str] = "移交执法"
    action: ClassVar[str] = "rectification.transfer_opened"

    before: None = None
    after: TransferFacts


class TransferHandedOver(_TransferEvent, frozen=True, kw_only=True):
    """移交执法: the receiving body gave its receipt."""

    duty: ClassVar[str] = "移交执法"
    action: ClassVar[str] = "rectification.transfer_handed_over"

    before: TransferFacts
    after: TransferFacts


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """移交案卷 as it was handed out."""

    files: int
    missing: int
    digest: str
    size: int


class TransferFileRead(_TransferEvent, frozen=True, kw_only=True):
    """移交案卷调阅."""

    duty: ClassVar[str] = "移交案卷调阅"
    action: ClassVar[str] = "rectification.transfer_file_read"

    before: None = None
    after: FileFacts
