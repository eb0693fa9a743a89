"""How one message fared: its tries and receipts in the order of time, without its address or its text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from api.wiring import Parts
from domain.shared.clock import WORKING_ZONE
from domain.shared.sql import Query
from notifications.desk import PRIVATE
from notifications.message import MessageState
from notifications.outcome import Reason
from notifications.sms.port import ReceiptState
from notifications.tables import message, message_attempt, message_receipt

_TIME: Final = "%Y-%m-%d %H:%M:%S"
_TRY_LABELS: Final[Mapping[str, str]] = {
    "open": "结果待定",
    "accepted": "已受理",
    "refused": "未受理",
    "unknown": "结果未知，可能重复",
}
_RECEIPT_LABELS: Final[Mapping[ReceiptState, str]] = {
    ReceiptState.TAKEN: "已接收",
    ReceiptState.DELIVERED: "已送达",
    ReceiptState.FAILED: "未送达",
}


class MessageCourse(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message stands."""

    template: str
    template_version: int
    channel: str
    recipient: str
    recipient_id: UUID
    state: MessageState
    attempts: int
    created_at: datetime
    not_before: datetime | None
    address_masked: str | None
    segments: int | None
    reason: Reason | None


class TryCourse(msgspec.Struct, frozen=True, kw_only=True):
    """One try."""

    id: UUID
    number: int
    provider: str
    state: str
    started_at: datetime
    elapsed_ms: int | None
    reason: Reason | None
    error: str | None


class ReceiptCourse(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt."""

    attempt_id: UUID
    state: ReceiptState
    provider_status: str
    at: datetime


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A message with all that came of it."""

    message: MessageCourse
    tries: list[TryCourse]
    receipts: list[ReceiptCourse]


_MESSAGE = Query(
    sa.select(*[message.c[name] for name in MessageCourse.__struct_fields__]).where(
        message.c.id == sa.bindparam("message_id")
    ),
    MessageCourse,
)
_TRIES = Query(
    sa.select(*[message_attempt.c[name] for name in TryCourse.__struct_fields__])
    .where(message_attempt.c.message_id == sa.bindparam("message_id"))
    .order_by(message_attempt.c.number)
    .limit(200),
    TryCourse,
)
_RECEIPTS = Query(
    sa.select(*[message_receipt.c[name] for name in ReceiptCourse.__struct_fields__])
    .select_from(message_receipt.join(message_attempt, message_attempt.c.id == message_receipt.c.attempt_id))
    .where(message_attempt.c.message_id == sa.bindparam("message_id"))
    .order_by(message_receipt.c.received_at, message_receipt.c.id)
    .limit(600),
    ReceiptCourse,
)


async def read_history(parts: Parts, message_id: UUID) -> History | None:
    """The message's course; None when there is no such message."""
    async with parts.work.reading() as connection:
        found = await _MESSAGE.first(connection, message_id=message_id)
        if found is None:
            return None
        return History(
            message=found,
            tries=await _TRIES.all(connection, message_id=message_id),
            receipts=await _RECEIPTS.all(connection, message_id=message_id),
        )


def written_history(history: History | None) -> list[str]:
    """The course in lines to read; none when there is none."""
    if history is None:
        return []
    found = history.message
    lines = [
        f"{found.template} v{found.template_version} {found.channel} → {found.recipient}/{found.recipient_id}"
        f" {_shown_address(found)}".rstrip(),
        f"{_at(found.created_at)} 写入；{found.state.label}，{found.attempts}次"
        + ("" if found.segments is None else f"，每次{found.segments}条")
        + ("" if found.reason is None else f"，{found.reason.label}"),
    ]
    if found.state is MessageState.WAITING and found.not_before is not None:
        lines.append(f"{_at(found.not_before)} 前不发送")
    for each in history.tries:
        why = "" if each.reason is None else f"，{each.reason.label}（{each.error or each.reason.value}）"
        took = "" if each.elapsed_ms is None else f"，{each.elapsed_ms} ms"
        lines.append(f"{_at(each.started_at)} 第{each.number}次 {each.provider} {_TRY_LABELS[each.state]}{took}{why}")
        lines += [
            f"{_at(receipt.at)} 第{each.number}次 回执 {_RECEIPT_LABELS[receipt.state]} {receipt.provider_status}"
            for receipt in history.receipts
            if receipt.attempt_id == each.id
        ]
    return lines


def _shown_address(found: MessageCourse) -> str:
    """Masked, and of private persons not at all, as at the desk."""
    if found.address_masked is None:
        return ""
    return "***" if found.recipient in PRIVATE else found.address_masked


def _at(instant: datetime) -> str:
    return instant.astimezone(WORKING_ZONE).strftime(_TIME)
