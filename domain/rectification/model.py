"""Values of orders to rectify, their service, feedback, re-inspections and transfers."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.document.model import DocumentState, NumberColumns


class OrderState(enum.StrEnum):
    """待整改 / 已反馈 / 已整改 / 已移交 / 已撤销 (catalogue 5.3)."""

    TO_RECTIFY = "to_rectify"
    FED_BACK = "fed_back"
    RECTIFIED = "rectified"
    TRANSFERRED = "transferred"
    REVOKED = "revoked"

    @property
    def is_open(self) -> bool:
        """Whether the order still asks for something."""
        return self in {OrderState.TO_RECTIFY, OrderState.FED_BACK}


class OrderMark(enum.StrEnum):
    """Where an order stands today; derived, never stored. 未送达 counts no term: terms run from lawful service."""

    NOT_SERVED = "not_served"
    ON_TIME = "on_time"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    CLOSED = "closed"


class ReInspectionResult(enum.StrEnum):
    """整改复查结果 (MOB-16, X9).

    未发现问题 / 发现问题做出行政指导 / 发现问题做出责令整改等行政命令 / 发现问题并具备移交执法线索条件.
    """

    NO_PROBLEM = "no_problem"
    ADMINISTRATIVE_GUIDANCE = "administrative_guidance"
    ORDER_TO_RECTIFY = "order_to_rectify"
    TRANSFER_CONDITIONS_MET = "transfer_conditions_met"


class ServiceMeans(enum.StrEnum):
    """送达方式: 直接 / 留置 / 邮寄 / 委托 / 公告 / 电子."""

    DIRECT = "direct"
    LIEN = "lien"
    POST = "post"
    ENTRUSTED = "entrusted"
    ANNOUNCEMENT = "announcement"
    ELECTRONIC = "electronic"


class ConsentMeans(enum.StrEnum):
    """By what an enterprise agreed to be served electronically (送达地址确认书)."""

    SMS = "sms"
    EMAIL = "email"


class ExtensionState(enum.StrEnum):
    """待审 / 同意 / 不同意."""

    PENDING = "pending"
    GRANTED = "granted"
    DECLINED = "declined"


class TransferState(enum.StrEnum):
    """待移交 / 已移交."""

    OPEN = "open"
    HANDED_OVER = "handed_over"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """责令改正通知书 as it stands: what an act on it needs to know."""

    id: UUID
    inspection_id: UUID
    department_id: UUID
    enterprise_id: UUID
    site_id: UUID
    region: str
    document_id: UUID
    state: OrderState
    round: int
    issued_by: UUID
    issued_at: datetime
    due_on: date
    re_inspection_due_on: date
    served_on: date | None
    fed_back_at: datetime | None
    closed_at: datetime | None


class OrderedItem(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be put right. No `due_on`: at once (立即改正)."""

    item_id: UUID
    place: int
    title: str
    facts: str
    clauses: str
    demand: str
    due_on: date | None
    penalty_if_overdue: bool


class AnsweredItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the list with its answer, and the unrevoked order that it stands in, if any."""

    item_id: UUID
    place: int
    department_id: UUID
    matter: str
    content: str
    severity: str
    penalty_if_overdue: bool
    legal_basis: list[dict[str, Any]]
    value: str
    measures: list[dict[str, Any]]
    remark: str | None
    photos: list[bytes]
    order_id: UUID | None

    @property
    def kinds(self) -> set[str]:
        """The kinds of the measures that were chosen."""
        return {str(measure.get("kind")) for measure in self.measures}


class OrderSummary(NumberColumns, frozen=True, kw_only=True):
    """One line of a list (POST-01, MOB-15)."""

    id: UUID
    inspection_id: UUID
    inspection_name: str
    scene_name: str
    department_id: UUID
    department_name: str
    enterprise_id: UUID
    enterprise_name: str
    uscc: str
    site_id: UUID
    site_name: str
    address: str | None
    document_id: UUID
    verification_code: str
    document_state: DocumentState
    state: OrderState
    round: int
    item_count: int
    issued_at: datetime
    due_on: date
    re_inspection_due_on: date
    served_on: date | None
    fed_back_at: datetime | None
    closed_at: datetime | None


class ServiceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """送达记录; who received and who witnessed it is sealed."""

    id: UUID
    means: ServiceMeans
    served_on: date
    people_sealed: bytes | None
    note: str | None
    tracking_number: str | None
    evidence: list[bytes]
    consent_id: UUID | None
    done_at: datetime
    received_at: datetime


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """整改反馈 of the enterprise (ENT-03), as stored: answers item by item, photos by digest."""

    id: UUID
    round: int
    note: str | None
    items: list[dict[str, Any]]
    done_at: datetime
    received_at: datetime


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """延期整改: asked once in the life of an order (D7)."""

    id: UUID
    days: int
    reason: str
    requested_at: datetime
    state: ExtensionState
    due_on_before: date
    due_on_after: date | None
    decided_at: datetime | None
    decision_reason: str | None


class ReInspection(msgspec.Struct, frozen=True, kw_only=True):
    """整改复查 of one round (POST-01)."""

    id: UUID
    round: int
    result: ReInspectionResult
    note: str
    items: list[dict[str, Any]]
    evidence: list[bytes]
    officer_id: UUID
    officer_name: str
    second_officer_id: UUID
    second_officer_name: str
    next_due_on: date | None
    approved_by: str | None
    approval_reason: str | None
    done_at: datetime
    received_at: datetime


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """送达地址确认书 in force; the addresses are sealed."""

    id: UUID
    enterprise_id: UUID
    means: list[ConsentMeans]
    addresses_sealed: bytes
    given_at: datetime


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """移交执法 (POST-04) with where it comes from."""

    id: UUID
    inspection_id: UUID
    inspection_name: str
    scene_name: str
    order_id: UUID | None
    department_id: UUID
    department_name: str
    enterprise_id: UUID
    enterprise_name: str
    uscc: str
    site_id: UUID
    region: str
    receiving_body: str
    reason: str
    state: TransferState
    receipt_number: str | None
    opened_at: datetime
    handed_over_at: datetime | None
