"""Statements of the outbox, as descriptions: the edge compiles and runs them in its own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa

from notifications.message import Channel, Message, Recipient
from notifications.tables import message

INSERT = sa.insert(message).values(
    {
        name: sa.bindparam(name, type_=message.c[name].type)
        for name in (
            "id",
            "trace_id",
            "template",
            "channel",
            "recipient",
            "recipient_id",
            "parameters",
            "created_at",
        )
    }
)

IDS_OF_TRACES = sa.select(message.c.id).where(
    message.c.trace_id == sa.any_(sa.bindparam("traces", type_=sa.ARRAY(sa.Uuid))),
    message.c.state == "waiting",
)


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message waiting in the outbox."""

    id: UUID
    template: str
    channel: Channel
    recipient: Recipient
    recipient_id: UUID
    parameters: dict[str, str]
    attempts: int


LOCK_WAITING = (
    sa.select(*[message.c[name] for name in StoredMessage.__struct_fields__])
    .where(message.c.id == sa.bindparam("id"), message.c.state == "waiting")
    .with_for_update(skip_locked=True)
)

MARK_DELIVERED = (
    sa.update(message)
    .where(message.c.id == sa.bindparam("message_id"))
    .values(state="delivered", attempts=message.c.attempts + 1, delivered_at=sa.bindparam("now"), last_error=None)
)

MARK_FAILED = (
    sa.update(message)
    .where(message.c.id == sa.bindparam("message_id"))
    .values(
        state=sa.bindparam("state_after"),
        attempts=message.c.attempts + 1,
        last_error=sa.bindparam("error"),
    )
)


def insert_arguments(messages: Sequence[tuple[UUID, UUID, Message]], created_at: datetime) -> list[dict[str, object]]:
    """Rows for `INSERT` out of (id, trace id, message)."""
    return [
        {**msgspec.structs.asdict(each), "id": message_id, "trace_id": trace_id, "created_at": created_at}
        for message_id, trace_id, each in messages
    ]
