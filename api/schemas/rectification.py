"""Orders to rectify on the wire: lists with their cursors, and the whole of one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from codes.phone import mask_phone
from domain.document.link.evidence import NoticeMessage
from domain.document.model import DocumentState
from domain.rectification import rules
from domain.rectification.acts import Attendant
from domain.rectification.model import (
    Consent,
    ConsentMeans,
    Extension,
    Feedback,
    OrderedItem,
    OrderMark,
    OrderState,
    OrderSummary,
    ReInspection,
    ServiceMeans,
    ServiceRecord,
    Transfer,
    TransferState,
)
from domain.rectification.reading import OrderCase, addresses_of, people_of
from domain.shared.vault import Vault


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """责令改正 in a list (POST-01, MOB-15); `number` is the 文号, None while the paper has none."""

    id: UUID
    number: str | None
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
    mark: OrderMark
    round: int
    item_count: int
    issued_at: datetime
    due_on: date
    re_inspection_due_on: date
    served_on: date | None
    fed_back_at: datetime | None
    closed_at: datetime | None


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, and the cursor of the next; no cursor means the end."""

    items: list[OrderLine]
    next_cursor: str | None


class ServiceCard(msgspec.Struct, frozen=True, kw_only=True):
    """送达记录."""

    id: UUID
    means: ServiceMeans
    served_on: date
    receiver: Attendant | None
    witness: Attendant | None
    note: str | None
    tracking_number: str | None
    evidence: list[str]
    done_at: datetime
    received_at: datetime


class ReInspectionCard(msgspec.Struct, frozen=True, kw_only=True):
    """整改复查 of one round."""

    id: UUID
    round: int
    result: str
    note: str
    items: list[dict[str, Any]]
    photos: list[str]
    officer_name: str
    second_officer_name: str
    next_due_on: date | None
    approved_by: str | None
    approval_reason: str | None
    done_at: datetime
    received_at: datetime


class TransferLine(msgspec.Struct, frozen=True, kw_only=True):
    """移交执法 in a list (POST-04)."""

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
    receiving_body: str
    reason: str
    state: TransferState
    receipt_number: str | None
    opened_at: datetime
    handed_over_at: datetime | None


class TransferPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, the newest first, and the cursor of the next."""

    items: list[TransferLine]
    next_cursor: str | None


class OrderDetail(OrderLine, frozen=True, kw_only=True):
    """责令改正 whole: items, service, messages with their receipts, feedback, extension, re-inspections, transfer."""

    items: list[OrderedItem]
    services: list[ServiceCard]
    messages: list[NoticeMessage]
    feedback: list[Feedback]
    extension: Extension | None
    re_inspections: list[ReInspectionCard]
    transfer: TransferLine | None


class RevokeOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the order is revoked."""

    reason: str


class ConsentCard(msgspec.Struct, frozen=True, kw_only=True):
    """送达地址确认书 in force; `means` is empty when there is none. Addresses are masked."""

    enterprise_id: UUID
    means: list[ConsentMeans]
    phone: str | None
    email: str | None
    given_at: datetime | None


def _line_fields(summary: OrderSummary, today: date) -> dict[str, Any]:
    derived = {"number", "mark"}
    fields = {name: getattr(summary, name) for name in OrderLine.__struct_fields__ if name not in derived}
    mark = rules.mark_of(summary.state, summary.due_on, summary.served_on, today)
    return {**fields, "number": summary.number, "mark": mark}


def to_line(summary: OrderSummary, today: date) -> OrderLine:
    """A list line of today."""
    return OrderLine(**_line_fields(summary, today))


def to_transfer_line(transfer: Transfer) -> TransferLine:
    """A transfer as a list shows it."""
    return TransferLine(**{name: getattr(transfer, name) for name in TransferLine.__struct_fields__})


def to_detail(case: OrderCase, messages: list[NoticeMessage], vault: Vault, today: date) -> OrderDetail:
    """The whole of it, as of today."""
    return OrderDetail(
        **_line_fields(case.summary, today),
        items=case.items,
        services=[_service(each, vault) for each in case.services],
        messages=messages,
        feedback=case.feedback,
        extension=case.extension,
        re_inspections=[_re_inspection(each) for each in case.re_inspections],
        transfer=None if case.transfer is None else to_transfer_line(case.transfer),
    )


def _service(record: ServiceRecord, vault: Vault) -> ServiceCard:
    people = people_of(vault, record)
    same = ("id", "means", "served_on", "note", "tracking_number", "done_at", "received_at")
    return ServiceCard(
        **{name: getattr(record, name) for name in same},
        receiver=people.receiver,
        witness=people.witness,
        evidence=[each.hex() for each in record.evidence],
    )


def _re_inspection(record: ReInspection) -> ReInspectionCard:
    own = {name: getattr(record, name) for name in ReInspectionCard.__struct_fields__ if name != "photos"}
    return ReInspectionCard(**own, photos=[each.hex() for each in record.evidence])


def to_consent_card(enterprise_id: UUID, consent: Consent | None, vault: Vault) -> ConsentCard:
    """The consent with its addresses masked."""
    if consent is None:
        return ConsentCard(enterprise_id=enterprise_id, means=[], phone=None, email=None, given_at=None)
    addresses = addresses_of(vault, consent)
    name, _, host = (addresses.email or "").partition("@")
    return ConsentCard(
        enterprise_id=enterprise_id,
        means=consent.means,
        phone=None if addresses.phone is None else mask_phone(addresses.phone),
        email=f"{name[:1]}***@{host}" if host else None,
        given_at=consent.given_at,
    )
