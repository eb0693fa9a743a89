"""站内消息 and 待办: statements on what an account finds in the app, by whom it stands for.

A message is addressed to an enterprise, a department's leads, an officer or an account; each account reads it for
itself. Read is what stands in `message_read`, and all that is not newer than the account's mark (`message_mark`): who
has read everything once keeps one row, not a hundred thousand.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from notifications.message import Purpose, Recipient
from notifications.tables import message, message_mark, message_read

MOST_COUNTED: Final = 1000
"""Counting stops here: a screen says "999+"."""
MOST_MARKED: Final = 1000
"""So many of the newest messages get a row each when everything is read; what is older falls under the mark."""
SETTLED_AFTER: Final = timedelta(minutes=5)
"""No transaction is open for so long. A mark stays behind by it: a message that is committed late is not born read."""
UNREAD_FOR: Final = timedelta(days=180)
"""What is older counts as read."""


class ToDoState(enum.StrEnum):
    """待办状态: open until what it is about is dealt with."""

    OPEN = "open"
    CLOSED = "closed"


class Addressee(msgspec.Struct, frozen=True):
    """One of the recipients that an account stands for."""

    kind: Recipient
    id: UUID


class InboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the app, as one account sees it."""

    id: UUID
    created_at: datetime
    template: str
    template_version: int
    purpose: Purpose
    parameters: dict[str, str]
    subject: str | None
    subject_id: UUID | None
    department_id: UUID | None
    region: str | None
    level: int | None
    is_to_do: bool
    closed_at: datetime | None
    is_read: bool


class LevelCount(msgspec.Struct, frozen=True):
    """How many of one level; None where a message has none."""

    level: int | None
    count: int


def id_at(instant: datetime) -> UUID:
    """Less than every id made at `instant` or later, greater than every one made before (UUIDv7)."""
    milliseconds = (instant.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return UUID(int=max(milliseconds, 0) << 80)


def addressed(addressees: Sequence[Addressee]) -> dict[str, object]:
    """The arguments by which every statement here knows whose messages are asked for."""
    return {"kinds": [each.kind.value for each in addressees], "recipients": [each.id for each in addressees]}


_TRUE = sa.true()
_addressee = (
    sa.func.unnest(sa.bindparam("kinds", type_=sa.ARRAY(sa.Text)), sa.bindparam("recipients", type_=sa.ARRAY(sa.Uuid)))
    .table_valued(sa.column("kind", sa.Text), sa.column("id", sa.Uuid), name="addressee")
    .render_derived()
)
_limit = sa.bindparam("limit", type_=sa.Integer)
_account = sa.bindparam("account_id", type_=sa.Uuid)
_read_to = sa.bindparam("read_to", type_=sa.Uuid)
_site_ids = sa.bindparam("site_ids", type_=sa.ARRAY(sa.Uuid))
_IS_MARKED = sa.exists().where(message_read.c.account_id == _account, message_read.c.message_id == message.c.id)
_IS_READ = sa.or_(message.c.id <= _read_to, _IS_MARKED)
_IS_OPEN = sa.and_(message.c.is_to_do, message.c.closed_at.is_(None))
_COLUMNS = [(_IS_READ if name == "is_read" else message.c[name]).label(name) for name in InboxMessage.__struct_fields__]


def _of_addressee() -> tuple[sa.ColumnElement[bool], ...]:
    """What the caller may see at all; of a branch's people only what concerns no other site."""
    return (
        message.c.channel == sa.literal_column("'in_app'"),
        message.c.recipient_id == _addressee.c.id,
        message.c.recipient == _addressee.c.kind,
        sa.or_(message.c.site_id.is_(None), _site_ids.is_(None), message.c.site_id == sa.any_(_site_ids)),
    )


def _newest(
    columns: Sequence[sa.ColumnElement[Any]], *conditions: sa.ColumnElement[bool]
) -> sa.Select[*tuple[Any, ...]]:
    """The newest of all addressees' under `conditions`, each looked up by itself: every index gives them in order."""
    each = (
        sa.select(*columns)
        .where(*_of_addressee(), *conditions)
        .order_by(message.c.id.desc())
        .limit(_limit)
        .lateral("newest")
    )
    return sa.select(*each.c).select_from(_addressee.join(each, _TRUE)).order_by(each.c.id.desc()).limit(_limit)


_purpose = sa.bindparam("purpose", type_=sa.Text)
_PAGE = (
    message.c.id < sa.bindparam("before_id", type_=sa.Uuid),
    message.c.id >= sa.bindparam("since_id", type_=sa.Uuid),
    sa.or_(_purpose.is_(None), message.c.purpose == _purpose),
)

LIST = _newest(_COLUMNS, *_PAGE)
LIST_UNREAD = _newest(_COLUMNS, *_PAGE, message.c.id > _read_to, ~_IS_MARKED)
LIST_OPEN_TO_DOS = _newest(_COLUMNS, *_PAGE, _IS_OPEN)
LIST_CLOSED_TO_DOS = _newest(_COLUMNS, *_PAGE, message.c.is_to_do, message.c.closed_at.is_not(None))


def _counted(*conditions: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    each = _newest([message.c.id, message.c.level], *conditions).subquery("counted")
    return sa.select(each.c.level, sa.func.count().label("count")).group_by(each.c.level)


_UNREAD = (message.c.id > _read_to, ~_IS_MARKED)
COUNT_UNREAD = _counted(*_UNREAD)
"""Rows: `LevelCount`, of the newest `limit` unread ones at most."""
COUNT_TO_DOS = _counted(_IS_OPEN, message.c.id >= sa.bindparam("since_id", type_=sa.Uuid))
"""Rows: `LevelCount`, of the newest `limit` open ones at most."""

_one = (
    sa.select(*_COLUMNS)
    .select_from(message.join(_addressee, sa.and_(*_of_addressee())))
    .where(
        message.c.id == sa.bindparam("message_id", type_=sa.Uuid),
        message.c.id >= sa.bindparam("since_id", type_=sa.Uuid),
    )
)
ONE = _one
LOCK_ONE = _one.with_for_update(of=message)

MARK_ONE_READ = (
    upsert(message_read)
    .values({name: sa.bindparam(name) for name in ("account_id", "message_id", "read_at")})
    .on_conflict_do_nothing()
)

_newly_read = _newest([message.c.id], *_UNREAD, message.c.id <= sa.bindparam("up_to", type_=sa.Uuid)).subquery()
MARK_NEWEST_READ = (
    upsert(message_read)
    .from_select(
        ["account_id", "message_id", "read_at"],
        sa.select(_account, _newly_read.c.id, sa.bindparam("read_at", type_=sa.DateTime(timezone=True))),
    )
    .on_conflict_do_nothing()
)
"""What is newer than the mark and not than `up_to`, a row each."""

_mark = upsert(message_mark).values({name: sa.bindparam(name) for name in ("account_id", "read_to", "marked_at")})
MOVE_MARK = _mark.on_conflict_do_update(
    index_elements=["account_id"],
    set_={"read_to": _mark.excluded.read_to, "marked_at": _mark.excluded.marked_at},
    where=message_mark.c.read_to < _mark.excluded.read_to,
)
FORGET_BELOW_MARK = sa.delete(message_read).where(
    message_read.c.account_id == sa.bindparam("of_account"), message_read.c.message_id <= sa.bindparam("up_to")
)

CLOSE_ONE = (
    sa.update(message)
    .where(message.c.id == sa.bindparam("message_id"), message.c.closed_at.is_(None))
    .values(closed_at=sa.bindparam("now"))
)
