"""What was sent about one thing, as descriptions: the messages to the enterprise, their tries and receipts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa

from notifications.message import Channel, MessageState
from notifications.outcome import Reason
from notifications.sms.port import ReceiptState
from notifications.tables import message, message_attempt, message_receipt

_MESSAGES_AT_MOST = 100
_ROWS_AT_MOST = 1000


class FiledMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it stands, without its values."""

    id: UUID
    template: str
    template_version: int
    channel: Channel
    state: MessageState
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    address_masked: str | None
    reason: Reason | None


class FiledAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try."""

    message_id: UUID
    number: int
    provider: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    reason: Reason | None


class FiledReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """回执 of the try `number`."""

    message_id: UUID
    number: int
    state: ReceiptState
    at: datetime
    received_at: datetime


class Told(msgspec.Struct, frozen=True):
    """How many messages there were."""

    count: int


TOLD_OF_SUBJECT = sa.select(sa.func.count().label("count")).where(
    message.c.subject_id == sa.bindparam("subject_id"),
    message.c.recipient == sa.text("'enterprise'"),
    message.c.channel == sa.bindparam("channel"),
    message.c.template == sa.any_(sa.bindparam("templates", type_=sa.ARRAY(sa.Text))),
    message.c.created_at > sa.bindparam("since", type_=sa.DateTime(timezone=True)),
)
"""How often an enterprise was told of a thing by one way of late."""
MESSAGES_OF_SUBJECT = (
    sa.select(*[message.c[name] for name in FiledMessage.__struct_fields__])
    .where(message.c.subject_id == sa.bindparam("subject_id"), message.c.recipient == sa.text("'enterprise'"))
    .order_by(message.c.id)
    .limit(_MESSAGES_AT_MOST)
)
_of_messages = message_attempt.c.message_id == sa.any_(sa.bindparam("messages", type_=sa.ARRAY(sa.Uuid)))
ATTEMPTS_OF_MESSAGES = (
    sa.select(*[message_attempt.c[name] for name in FiledAttempt.__struct_fields__])
    .where(_of_messages)
    .order_by(message_attempt.c.message_id, message_attempt.c.number)
    .limit(_ROWS_AT_MOST)
)
RECEIPTS_OF_MESSAGES = (
    sa.select(
        message_attempt.c.message_id,
        message_attempt.c.number,
        message_receipt.c.state,
        message_receipt.c.at,
        message_receipt.c.received_at,
    )
    .select_from(message_receipt.join(message_attempt, message_attempt.c.id == message_receipt.c.attempt_id))
    .where(_of_messages)
    .order_by(message_receipt.c.received_at, message_receipt.c.id)
    .limit(_ROWS_AT_MOST)
)
