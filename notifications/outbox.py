"""Statements of the outbox, as descriptions: the edge compiles and runs them in its own transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa

from notifications.deliver import ATTEMPTS
from notifications.message import Channel, Message, MessageState, Purpose, Recipient
from notifications.outcome import Reason
from notifications.tables import message
from notifications.templates import current

_WRITTEN = (
    "id",
    "trace_id",
    "template",
    "template_version",
    "purpose",
    "channel",
    "recipient",
    "recipient_id",
    "parameters",
    "subject",
    "subject_id",
    "department_id",
    "region",
    "site_id",
    "level",
    "is_to_do",
    "state",
    "created_at",
    "sent_at",
    "delivered_at",
)
INSERT = sa.insert(message).values({name: sa.bindparam(name, type_=message.c[name].type) for name in _WRITTEN})

IDS_OF_TRACES = sa.select(message.c.id, message.c.purpose).where(
    message.c.trace_id == sa.any_(sa.bindparam("traces", type_=sa.ARRAY(sa.Uuid))),
    message.c.state == "waiting",
)
"""What waits: a message in the app has arrived when it is written, and needs no job."""


_PRIORITIES: Mapping[Purpose, int] = {
    Purpose.VERIFICATION: 4,
    Purpose.WARNING: 3,
    Purpose.LEGAL_NOTICE: 3,
    Purpose.SERVICE: 2,
}
CHORE_PRIORITY = 1
"""Of jobs that are no messages."""


class DueMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that needs a job."""

    id: UUID
    purpose: Purpose

    @property
    def priority(self) -> int:
        """Who waits for a code does not stand behind ten thousand digests."""
        return _PRIORITIES.get(self.purpose, 0)


class MessageId(msgspec.Struct, frozen=True):
    """Only its id."""

    id: UUID


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the outbox as it is sent."""

    id: UUID
    template: str
    template_version: int
    purpose: Purpose
    channel: Channel
    recipient: Recipient
    recipient_id: UUID
    parameters: dict[str, str]
    attempts: int
    created_at: datetime
    not_before: datetime | None = None
    level: int | None = None


_STORED = [message.c[name] for name in StoredMessage.__struct_fields__]
_BY_ID = message.c.id == sa.bindparam("id")
MESSAGE_BY_ID = sa.select(*_STORED).where(_BY_ID)
LOCK_WAITING = (
    sa.select(*_STORED).where(_BY_ID, message.c.state == "waiting").with_for_update(skip_locked=True, key_share=True)
)

GIVE_UP = (
    sa.update(message)
    .where(message.c.id == sa.bindparam("message_id"), message.c.state == "waiting")
    .values(
        state="abandoned",
        reason=sa.bindparam("reason"),
        last_error=sa.bindparam("error"),
        address_masked=sa.func.coalesce(sa.bindparam("masked", type_=sa.Text), message.c.address_masked),
    )
)
NOTE_BROKEN = (
    sa.update(message)
    .where(message.c.id == sa.bindparam("message_id"), message.c.state == "waiting")
    .values(
        attempts=message.c.attempts + 1,
        state=sa.case(
            (message.c.attempts + 1 >= ATTEMPTS, sa.literal_column("'abandoned'")), else_=sa.literal_column("'waiting'")
        ),
        reason=sa.case((message.c.attempts + 1 >= ATTEMPTS, sa.literal_column(f"'{Reason.DEFECT}'"))),
        last_error=sa.bindparam("error"),
    )
)
"""A defect of ours stood in its way: it comes again, in case that is mended meanwhile."""
MARK_ARRIVED = (
    sa.update(message)
    .where(message.c.id == sa.bindparam("message_id"), message.c.state == "waiting")
    .values(state="delivered", sent_at=sa.bindparam("now"), delivered_at=sa.bindparam("now"))
)
"""For a message in the app that was written when these still had jobs."""
PUT_OFF = (
    sa.update(message)
    .where(message.c.id == sa.bindparam("message_id"), message.c.state == "waiting")
    .values(not_before=sa.bindparam("at"))
)

CLOSE_TO_DOS = (
    sa.update(message)
    .where(
        message.c.subject_id == sa.bindparam("of_id"),
        message.c.subject == sa.bindparam("of_subject"),
        message.c.is_to_do,
        message.c.closed_at.is_(None),
    )
    .values(closed_at=sa.bindparam("now"))
)
"""The to-dos about a thing are done once it is dealt with."""


def _wanted(name: str, column: sa.ColumnElement[object]) -> sa.ColumnElement[bool]:
    wanted = sa.bindparam(name, type_=column.type)
    return sa.or_(wanted.is_(None), column == wanted)


class GivenUp(msgspec.Struct, frozen=True, kw_only=True):
    """死信: a message that does not move unless it is put back."""

    id: UUID
    template: str
    channel: Channel
    state: MessageState
    reason: Reason | None
    department_id: UUID | None
    region: str | None
    created_at: datetime
    attempts: int


_given_up = (
    sa.select(*[message.c[name] for name in GivenUp.__struct_fields__])
    .where(
        message.c.state.in_([sa.literal_column("'abandoned'"), sa.literal_column("'failed'")]),
        message.c.id > sa.bindparam("after_id"),
        _wanted("of_message", message.c.id),
        _wanted("of_template", message.c.template),
        _wanted("of_reason", message.c.reason),
        message.c.created_at >= sa.bindparam("since", type_=sa.DateTime(timezone=True)),
    )
    .order_by(message.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
LIST_GIVEN_UP = _given_up
LOCK_GIVEN_UP = _given_up.with_for_update(skip_locked=True, key_share=True)
"""A page of what is to be tried again; `ix_message_abandoned` in the order of ids."""
PUT_BACK = (
    sa.update(message)
    .where(message.c.id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid))))
    .values(
        state="waiting",
        attempts=0,
        reason=None,
        last_error=None,
        not_before=sa.bindparam("now", type_=sa.DateTime(timezone=True)),
    )
)
"""Their term begins anew: `not_before` is the instant at which they were put back."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A message with what it comes from: the act's trace, the department and region in whose view it stands, the site
    it is about.
    """

    id: UUID
    trace_id: UUID
    message: Message
    department_id: UUID | None = None
    region: str | None = None
    site_id: UUID | None = None


def dealt_with(messages: Sequence[Written], subject: str, subject_id: UUID) -> list[Written]:
    """The messages of an act that itself dealt with that thing: of it nothing is left to do, only to know."""
    return [
        msgspec.structs.replace(each, message=msgspec.structs.replace(each.message, is_to_do=False))
        if (each.message.subject, each.message.subject_id) == (subject, subject_id)
        else each
        for each in messages
    ]


def insert_arguments(messages: Sequence[Written], created_at: datetime) -> list[dict[str, object]]:
    """Rows for `INSERT`. Raises `TemplateUnknown` for a template that does not exist: a defect of ours."""
    return [_row(each, created_at) for each in messages]


def _row(written: Written, created_at: datetime) -> dict[str, object]:
    template = current(written.message.template)
    arrived = created_at if written.message.channel is Channel.IN_APP else None
    return {
        **msgspec.structs.asdict(written.message),
        "id": written.id,
        "trace_id": written.trace_id,
        "department_id": written.department_id,
        "region": written.region,
        "site_id": written.site_id or written.message.site_id,
        "template_version": template.version,
        "purpose": template.purpose,
        "state": "waiting" if arrived is None else "delivered",
        "created_at": created_at,
        "sent_at": arrived,
        "delivered_at": arrived,
    }
