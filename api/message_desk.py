"""消息台: which messages somebody answers for, how one of them went, and how what was given up is put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from api.delivery import retrying
from api.delivery.retrying import Wanted
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.identity.tables import region
from domain.shared.clock import WORKING_ZONE
from domain.shared.errors import InvalidField, NotFound
from domain.shared.sql import Connection, Ltree, Query
from domain.shared.transaction import Outcome, Transaction
from notifications import desk
from notifications.desk import DeskMessage, Tally, ToldLater, Try, WholeMessage
from notifications.inbox import id_at
from notifications.message import Channel
from notifications.outbox import GivenUp
from notifications.templates import (
    TemplateMismatch,
    TemplateUnknown,
    compose_in_app,
    compose_mail,
    compose_sms,
    preview_values,
    template_of,
)

SHOWN_AT_FIRST: Final = timedelta(days=31)
"""A list without a first day goes back so far from its last one."""
MOST_DAYS: Final = 366
MOST_DAYS_TALLIED: Final = 31
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = UUID(int=0)


class _Path(msgspec.Struct, frozen=True):
    path: str


_REGIONS_BELOW = Query(
    sa.select(sa.cast(region.c.path, sa.Text).label("path")).where(
        region.c.path.op("<@")(sa.bindparam("region", type_=Ltree))
    ),
    _Path,
)
"""A region and everything below it: 140 rows for the whole of Guangxi."""


class _View(msgspec.Struct, frozen=True):
    """What one kind of reader asks with."""

    page: Query[DeskMessage]
    dead: Query[DeskMessage]
    about: Query[DeskMessage]
    tally: Query[Tally]


_ALL = _View(
    Query(desk.LIST_OF_ALL, DeskMessage),
    Query(desk.DEAD_OF_ALL, DeskMessage),
    Query(desk.SUBJECTS_OF_ALL, DeskMessage),
    Query(desk.TALLY_OF_ALL, Tally),
)
_DEPARTMENT = _View(
    Query(desk.LIST_OF_DEPARTMENT, DeskMessage),
    Query(desk.DEAD_OF_DEPARTMENT, DeskMessage),
    Query(desk.SUBJECTS_OF_DEPARTMENT, DeskMessage),
    Query(desk.TALLY_OF_DEPARTMENT, Tally),
)
_LEAD = _View(
    Query(desk.LIST_OF_LEAD, DeskMessage),
    Query(desk.DEAD_OF_LEAD, DeskMessage),
    Query(desk.SUBJECTS_OF_LEAD, DeskMessage),
    Query(desk.TALLY_OF_LEAD, Tally),
)
_WHOLE = Query(desk.MESSAGE_BY_ID, WholeMessage)
_TRIES = Query(desk.TRIES, Try)
_RECEIPTS = Query(desk.RECEIPTS, ToldLater)
PROVIDERS = Query(desk.PROVIDERS, desk.ProviderHealth)


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Days of the region's calendar, both of them in it."""

    first_on: date
    last_on: date

    @property
    def since_id(self) -> UUID:
        """The least id of these days."""
        return id_at(_midnight(self.first_on))

    @property
    def before_id(self) -> UUID:
        """What all ids of these days are less than."""
        return id_at(_midnight(self.last_on + timedelta(days=1)))


def period_of(first_on: date | None, last_on: date | None, today: date, *, most_days: int = MOST_DAYS) -> Period:
    """The days asked for. Raises `InvalidField` where they go backwards, or over too many days."""
    last = min(last_on or today, today)
    first = first_on or max(date(1970, 1, 2), last - SHOWN_AT_FIRST + timedelta(days=1))
    if first > last:
        raise InvalidField("起始日期晚于截止日期。", field="from")
    if (last - first).days >= most_days:
        raise InvalidField(f"一次最多查询 {most_days} 天。", field="from")
    return Period(first_on=first, last_on=last)


def _midnight(day: date) -> datetime:
    return max(datetime.combine(day, time(), WORKING_ZONE), _EARLIEST)


async def _view_of(connection: Connection, principal: Principal) -> tuple[_View, Mapping[str, Any]]:
    if principal.role is Role.ADMINISTRATOR:
        return _ALL, {}
    if principal.role is Role.DEPARTMENT_MANAGER:
        return _DEPARTMENT, {"department_id": principal.department_id}
    below = [] if principal.region is None else await _REGIONS_BELOW.all(connection, region=principal.region)
    return _LEAD, {"department_id": principal.department_id, "regions": [each.path for each in below]}


def may_see(principal: Principal, message: DeskMessage) -> bool:
    """Whether they answer for the message: their department's, a lead their region's, the administrator each."""
    if principal.role is Role.ADMINISTRATOR:
        return True
    if message.department_id is not None and message.department_id == principal.department_id:
        return True
    return principal.role is Role.LEAD and within_region(principal, message.region)


async def list_page(
    connection: Connection,
    principal: Principal,
    period: Period,
    *,
    before_id: UUID,
    limit: int,
    filters: Mapping[str, str | None],
) -> list[DeskMessage]:
    """The newest of `period` before `before_id` that fit `filters`, each of which may be None."""
    view, scope = await _view_of(connection, principal)
    page = view.dead if filters.get("state") in desk.GIVEN_UP else view.page
    given = {name: filters.get(name) for name in desk.FILTERS}
    before = min(before_id, period.before_id)
    return await page.all(connection, **scope, **given, before_id=before, since_id=period.since_id, limit=limit)


async def list_about(
    connection: Connection,
    principal: Principal,
    subject_id: UUID,
    *,
    before_id: UUID,
    limit: int,
    filters: Mapping[str, str | None],
) -> list[DeskMessage]:
    """The same of one thing, from whatever day."""
    view, scope = await _view_of(connection, principal)
    given = {name: filters.get(name) for name in desk.FILTERS}
    return await view.about.all(
        connection, **scope, **given, subject_id=subject_id, before_id=before_id, since_id=_FIRST, limit=limit
    )


async def tally(connection: Connection, principal: Principal, period: Period) -> list[Tally]:
    """How many went how, day by day and template by template."""
    view, scope = await _view_of(connection, principal)
    return await view.tally.all(connection, **scope, before_id=period.before_id, since_id=period.since_id)


class MessageFile(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its tries and what was told of them later."""

    message: WholeMessage
    text: str
    tries: Sequence[Try]
    receipts: Sequence[ToldLater]


async def open_file(connection: Connection, principal: Principal, message_id: UUID) -> MessageFile:
    """One message whole. Raises `NotFound`."""
    message = await _in_scope(connection, principal, message_id)
    return MessageFile(
        message=message,
        text=text_of(message),
        tries=await _TRIES.all(connection, message_id=message_id),
        receipts=await _RECEIPTS.all(connection, message_id=message_id),
    )


async def _in_scope(connection: Connection, principal: Principal, message_id: UUID) -> WholeMessage:
    found = await _WHOLE.first(connection, message_id=message_id)
    if found is None or not may_see(principal, found):
        raise NotFound("没有该消息。")
    return found


def text_of(message: WholeMessage) -> str:
    """What it says, but for secrets, and for what was looked up only when it was sent."""
    try:
        template = template_of(message.template, message.template_version)
        values = preview_values(template, message.parameters)
        match message.channel:
            case Channel.SMS:
                return compose_sms(template, values)
            case Channel.EMAIL:
                return compose_mail(template, values).text
            case Channel.IN_APP:
                return compose_in_app(template, values).text
    except (TemplateUnknown, TemplateMismatch):  # of a version that is no more: the rest of its file must still open
        return ""


class PutBack(msgspec.Struct, frozen=True, kw_only=True):
    """重发: those that wait again, and those that had not been given up."""

    put_back: list[UUID]
    left: list[UUID]


async def put_back(tx: Transaction, principal: Principal, ids: Sequence[UUID]) -> Outcome[PutBack]:
    """死信重发: what was given up waits again, as if it were new. Raises `NotFound` for one that is not theirs.

    In the order of ids, so that two who do this at once wait for each other.
    """
    found: list[GivenUp] = []
    left: list[UUID] = []
    for message_id in sorted(set(ids)):
        await _in_scope(tx.connection, principal, message_id)
        locked = await retrying.lock_given_up(tx, Wanted(message_id=message_id), 1)
        found += locked
        if not locked:
            left.append(message_id)
    events = await retrying.put_back(tx, found)
    return Outcome(answer=PutBack(put_back=[each.id for each in found], left=left), events=events)
