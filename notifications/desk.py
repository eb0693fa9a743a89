"""消息台: statements on what was sent, to whom and how that went, for those who answer for it.

Three views: everything (administrator), one department's, and a lead's, which is the department's and that of each
region below the lead's own. A page looks each of a lead's regions up by itself, so that the index gives the newest of
each and the page costs the same however much was sent elsewhere. Days are bounds on ids: an id begins with its time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from notifications.message import NAMELESS, Channel, MessageState, Purpose, Recipient
from notifications.outcome import Reason
from notifications.sms.port import ReceiptState
from notifications.tables import message, message_attempt, message_provider, message_receipt

PRIVATE: Final = frozenset(
    {
        *NAMELESS,
        Recipient.PHONE_VERIFICATION,
        Recipient.ENTERPRISE_MEMBER,
        Recipient.SUBSCRIPTION,
    }
)
"""Private persons: neither their number nor what leads to them is shown, not even masked."""
GIVEN_UP: Final = frozenset({MessageState.ABANDONED, MessageState.FAILED})
"""死信: what does not move unless somebody puts it back."""
FILTERS: Final = ("state", "channel", "template", "purpose", "reason", "provider")


class DeskMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the list of the desk."""

    id: UUID
    created_at: datetime
    template: str
    template_version: int
    purpose: Purpose
    channel: Channel
    recipient: Recipient
    recipient_id: UUID
    subject: str | None
    subject_id: UUID | None
    department_id: UUID | None
    region: str | None
    level: int | None
    state: MessageState
    attempts: int
    not_before: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    provider: str | None
    segments: int | None
    address_masked: str | None
    reason: Reason | None


class WholeMessage(DeskMessage, frozen=True, kw_only=True):
    """A message with what it was filled with."""

    parameters: dict[str, str]
    is_to_do: bool
    closed_at: datetime | None
    last_error: str | None


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One try to hand a message over."""

    id: UUID
    number: int
    provider: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    reason: Reason | None
    error: str | None
    provider_reference: str | None
    segments: int | None
    encoding: str | None
    elapsed_ms: int | None


class ToldLater(msgspec.Struct, frozen=True, kw_only=True):
    """回执 of one try."""

    attempt_id: UUID
    state: ReceiptState
    provider_status: str
    at: datetime
    received_at: datetime


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many of one kind went how on one day, and what they cost."""

    day: date
    template: str
    channel: Channel
    state: MessageState
    reason: Reason | None
    messages: int
    segments: int


class ProviderHealth(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as all workers see it."""

    name: str
    failures: int
    closed_until: datetime | None
    last_accepted_at: datetime | None
    last_refused_at: datetime | None
    last_reason: Reason | None
    last_elapsed_ms: int | None
    accepted: int
    refused: int


def _columns(table: sa.Table, row: type[msgspec.Struct]) -> list[sa.ColumnElement[Any]]:
    return [table.c[name] for name in row.__struct_fields__]


def _wanted(name: str) -> sa.ColumnElement[bool]:
    wanted = sa.bindparam(name, type_=sa.Text)
    return sa.or_(wanted.is_(None), message.c[name] == wanted)


_IS_DEAD = message.c.state.in_([sa.literal_column(f"'{state}'") for state in sorted(GIVEN_UP)])
"""Written out, not bound: only so does PostgreSQL see that the partial indexes hold them."""
_WINDOW = (
    message.c.id < sa.bindparam("before_id", type_=sa.Uuid),
    message.c.id >= sa.bindparam("since_id", type_=sa.Uuid),
)
_limit = sa.bindparam("limit", type_=sa.Integer)
_IS_DEPARTMENTS = message.c.department_id == sa.bindparam("department_id", type_=sa.Uuid)
_regions = sa.bindparam("regions", type_=sa.ARRAY(sa.Text))
_below = sa.func.unnest(_regions).table_valued(sa.column("path", sa.Text), name="below").render_derived()
Ids = sa.Select[*tuple[Any, ...]]


def _newest_ids(*conditions: sa.ColumnElement[bool]) -> Ids:
    return sa.select(message.c.id).where(*conditions).order_by(message.c.id.desc()).limit(_limit)


def _ids_of_lead(*conditions: sa.ColumnElement[bool]) -> Ids:
    of_region = _newest_ids(message.c.region == _below.c.path, *conditions).lateral("of_region")
    of_department = _newest_ids(_IS_DEPARTMENTS, *conditions).subquery("of_department")
    either = sa.union(
        sa.select(of_region.c.id).select_from(_below.join(of_region, sa.true())), sa.select(of_department.c.id)
    ).subquery("either")
    return sa.select(either.c.id).order_by(either.c.id.desc()).limit(_limit)


def _page(ids: Ids) -> sa.Select[*tuple[Any, ...]]:
    """The ids are found first and once: as a join, PostgreSQL may look for them anew for each message."""
    found = sa.func.array(ids.scalar_subquery(), type_=sa.ARRAY(sa.Uuid))
    return (
        sa.select(*_columns(message, DeskMessage)).where(message.c.id == sa.any_(found)).order_by(message.c.id.desc())
    )


_PAGE: Final = (*_WINDOW, *map(_wanted, FILTERS))
LIST_OF_ALL = _page(_newest_ids(*_PAGE))
LIST_OF_DEPARTMENT = _page(_newest_ids(_IS_DEPARTMENTS, *_PAGE))
LIST_OF_LEAD = _page(_ids_of_lead(*_PAGE))
DEAD_OF_ALL = _page(_newest_ids(_IS_DEAD, *_PAGE))
DEAD_OF_DEPARTMENT = _page(_newest_ids(_IS_DEPARTMENTS, _IS_DEAD, *_PAGE))
DEAD_OF_LEAD = _page(_ids_of_lead(_IS_DEAD, *_PAGE))

_IS_LEADS = sa.or_(message.c.region == sa.any_(_regions), _IS_DEPARTMENTS)
_IS_ABOUT = message.c.subject_id == sa.bindparam("subject_id", type_=sa.Uuid)
SUBJECTS_OF_ALL = _page(_newest_ids(_IS_ABOUT, *_PAGE))
SUBJECTS_OF_DEPARTMENT = _page(_newest_ids(_IS_ABOUT, _IS_DEPARTMENTS, *_PAGE))
SUBJECTS_OF_LEAD = _page(_newest_ids(_IS_ABOUT, _IS_LEADS, *_PAGE))

MESSAGE_BY_ID = sa.select(*_columns(message, WholeMessage)).where(message.c.id == sa.bindparam("message_id"))
TRIES = (
    sa.select(*_columns(message_attempt, Try))
    .where(message_attempt.c.message_id == sa.bindparam("message_id"))
    .order_by(message_attempt.c.number)
    .limit(100)
)
RECEIPTS = (
    sa.select(*_columns(message_receipt, ToldLater))
    .select_from(message_receipt.join(message_attempt, message_attempt.c.id == message_receipt.c.attempt_id))
    .where(message_attempt.c.message_id == sa.bindparam("message_id"))
    .order_by(message_receipt.c.at, message_receipt.c.id)
    .limit(300)
)

_day = sa.cast(sa.func.timezone(sa.literal_column("'Asia/Shanghai'"), message.c.created_at), sa.Date).label("day")
_carried = (
    sa.select(sa.func.sum(message_attempt.c.segments))
    .where(message_attempt.c.message_id == message.c.id, message_attempt.c.state != sa.literal_column("'refused'"))
    .correlate(message)
    .scalar_subquery()
)
"""What the tries of one message cost: each that a provider took, or may have taken."""
_GROUPS = (message.c.template, message.c.channel, message.c.state, message.c.reason)


def _tallied(*conditions: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            _day,
            *_GROUPS,
            sa.func.count().label("messages"),
            sa.cast(sa.func.coalesce(sa.func.sum(_carried), 0), sa.BigInteger).label("segments"),
        )
        .where(*_WINDOW, *conditions)
        .group_by(_day, *_GROUPS)
    )


TALLY_OF_ALL = _tallied()
TALLY_OF_DEPARTMENT = _tallied(_IS_DEPARTMENTS)
TALLY_OF_LEAD = _tallied(_IS_LEADS)

PROVIDERS = sa.select(*_columns(message_provider, ProviderHealth)).order_by(message_provider.c.name).limit(100)


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of tallies adds up to."""

    messages: int = 0
    segments: int = 0
    delivered: int = 0
    given_up: int = 0

    def with_tally(self, tally: Tally) -> Sums:
        """With one more."""
        return Sums(
            messages=self.messages + tally.messages,
            segments=self.segments + tally.segments,
            delivered=self.delivered + (tally.messages if tally.state is MessageState.DELIVERED else 0),
            given_up=self.given_up + (tally.messages if tally.state in GIVEN_UP else 0),
        )


def add_up(tallies: Sequence[Tally], name: str) -> Mapping[Any, Sums]:
    """The tallies added up by one of their fields, in the order of its values; None comes last."""
    sums: dict[Any, Sums] = {}
    for tally in tallies:
        key = getattr(tally, name)
        sums[key] = sums.get(key, Sums()).with_tally(tally)
    return dict(sorted(sums.items(), key=lambda entry: (entry[0] is None, str(entry[0]))))
