"""站内消息 and 待办 of whoever is signed in: for whom they read, what a message says, and what reading leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from api.message_events import ToDoClosed, ToDoFacts
from domain.document.store import search
from domain.document.tables import document
from domain.identity.model import Principal, Role
from domain.identity.tables import account
from domain.shared.errors import DomainError, NotFound
from domain.shared.sql import Command, Connection, Query, uuid_list
from domain.shared.transaction import Outcome, Transaction
from notifications import inbox
from notifications.inbox import Addressee, InboxMessage, LevelCount
from notifications.message import Purpose, Recipient
from notifications.tables import message_mark
from notifications.templates import (
    InAppText,
    TemplateMismatch,
    TemplateUnknown,
    compose_in_app,
    preview_values,
    template_of,
)

_PAPER: Final = "document_id"
_LAST: Final = UUID(int=2**128 - 1)
_FIRST: Final = UUID(int=0)
_LEADS: Final = frozenset({Role.LEAD, Role.DEPARTMENT_MANAGER})


class ToDoClosesWithItsSubject(DomainError):
    """A to-do that is closed by dealing with what it is about, not by hand."""


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """An account as it reads: for whom, which sites, since when it exists, and up to where everything is read."""

    account_id: UUID
    addressees: tuple[Addressee, ...]
    site_ids: tuple[UUID, ...] | None
    since_id: UUID
    read_to: UUID

    @property
    def arguments(self) -> dict[str, Any]:
        """What every statement of the inbox asks for."""
        return {
            **inbox.addressed(self.addressees),
            "account_id": self.account_id,
            "site_ids": self.site_ids,
            "since_id": self.since_id,
            "read_to": self.read_to,
        }


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Unread messages and open to-dos, by level."""

    unread: Sequence[LevelCount]
    to_dos: Sequence[LevelCount]


class _AccountMark(msgspec.Struct, frozen=True, kw_only=True):
    created_at: datetime
    read_to: UUID | None


_MARK = Query(
    sa.select(account.c.created_at, message_mark.c.read_to)
    .select_from(account.outerjoin(message_mark, message_mark.c.account_id == account.c.id))
    .where(account.c.id == sa.bindparam("of_account")),
    _AccountMark,
)
_LISTS: Final[Mapping[tuple[bool, inbox.ToDoState | None], Query[InboxMessage]]] = {
    (False, None): Query(inbox.LIST, InboxMessage),
    (True, None): Query(inbox.LIST_UNREAD, InboxMessage),
    (False, inbox.ToDoState.OPEN): Query(inbox.LIST_OPEN_TO_DOS, InboxMessage),
    (False, inbox.ToDoState.CLOSED): Query(inbox.LIST_CLOSED_TO_DOS, InboxMessage),
}
_ONE = Query(inbox.ONE, InboxMessage)
_LOCK_ONE = Query(inbox.LOCK_ONE, InboxMessage)
_COUNT_UNREAD = Query(inbox.COUNT_UNREAD, LevelCount)
_COUNT_TO_DOS = Query(inbox.COUNT_TO_DOS, LevelCount)
_MARK_ONE = Command(inbox.MARK_ONE_READ)
_MARK_NEWEST = Command(inbox.MARK_NEWEST_READ)
_MOVE_MARK = Command(inbox.MOVE_MARK)
_FORGET = Command(inbox.FORGET_BELOW_MARK)
_CLOSE_ONE = Command(inbox.CLOSE_ONE)
_PAPERS = search(document.c.id == sa.any_(uuid_list("ids")))


def addressees_of(principal: Principal) -> tuple[Addressee, ...]:
    """For whom the account reads: itself, its officer, its enterprise, or its department if it leads there."""
    found = [Addressee(Recipient.ACCOUNT, principal.account_id)]
    if principal.officer_id is not None:
        found.append(Addressee(Recipient.OFFICER, principal.officer_id))
    if principal.role in _LEADS and principal.department_id is not None:
        found.append(Addressee(Recipient.DEPARTMENT_LEADS, principal.department_id))
    if principal.role is Role.ENTERPRISE and principal.enterprise_id is not None:
        found.append(Addressee(Recipient.ENTERPRISE, principal.enterprise_id))
    return tuple(found)


async def reader_of(connection: Connection, principal: Principal, now: datetime) -> Reader:
    """The caller as a reader. What is older than the account is not theirs; an account that is gone has nothing."""
    known = await _MARK.first(connection, of_account=principal.account_id)
    since = _LAST if known is None else inbox.id_at(known.created_at)
    marked = None if known is None else known.read_to
    return Reader(
        account_id=principal.account_id,
        addressees=addressees_of(principal),
        site_ids=principal.site_ids,
        since_id=since,
        read_to=max(marked or _FIRST, inbox.id_at(now - inbox.UNREAD_FOR)),
    )


async def read_page(
    connection: Connection,
    reader: Reader,
    *,
    before_id: UUID,
    limit: int,
    unread: bool = False,
    to_dos: inbox.ToDoState | None = None,
    purpose: Purpose | None = None,
) -> list[InboxMessage]:
    """The newest before `before_id`."""
    which = _LISTS[unread and to_dos is None, to_dos]
    return await which.all(connection, **reader.arguments, before_id=before_id, purpose=purpose, limit=limit)


async def count(connection: Connection, reader: Reader) -> Counts:
    """How much waits, up to `MOST_COUNTED` of each."""
    given = {**reader.arguments, "limit": inbox.MOST_COUNTED}
    return Counts(
        unread=await _COUNT_UNREAD.all(connection, **_unread_since(given)),
        to_dos=await _COUNT_TO_DOS.all(connection, **given),
    )


async def find(connection: Connection, reader: Reader, message_id: UUID) -> InboxMessage:
    """One message of the reader's. Raises `NotFound`."""
    found = await _ONE.first(connection, **reader.arguments, message_id=message_id)
    if found is None:
        raise NotFound("没有该消息。")
    return found


def _unread_since(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What is older than the account counts as read."""
    return {**arguments, "read_to": max(arguments["read_to"], arguments["since_id"])}


async def texts_of(connection: Connection, messages: Sequence[InboxMessage]) -> list[InAppText]:
    """What each says; a paper's 文号, which came after the message, is looked up for all of them at once."""
    numbers = await _numbers(connection, {each.parameters[_PAPER] for each in messages if _PAPER in each.parameters})
    return [_text(each, numbers.get(each.parameters.get(_PAPER, ""), {})) for each in messages]


async def _numbers(connection: Connection, papers: Iterable[str]) -> dict[str, dict[str, str]]:
    ids = [UUID(paper) for paper in papers]
    if not ids:
        return {}
    found = await _PAPERS.all(connection, ids=ids, kind=None, words=None, before_id=_LAST, limit=len(ids))
    return {str(each.id): {"number": each.number or "", "sequence": str(each.number_sequence or "")} for each in found}


def _text(message: InboxMessage, known: Mapping[str, str]) -> InAppText:
    try:
        template = template_of(message.template, message.template_version)
        return compose_in_app(template, preview_values(template, {**message.parameters, **known}))
    except (TemplateUnknown, TemplateMismatch):  # of a version that is no more: the list must still open
        return InAppText(title="消息", text="")


def closes_by_hand(message: InboxMessage) -> bool:
    """Whether who has the to-do may close it themselves."""
    if not message.is_to_do or message.closed_at is not None:
        return False
    try:
        return template_of(message.template, message.template_version).closes_by_hand
    except TemplateUnknown:
        return True


class MessageRead(msgspec.Struct, frozen=True, kw_only=True):
    """已读 of one message."""

    id: UUID


class InboxRead(msgspec.Struct, frozen=True, kw_only=True):
    """已读 of all up to one; `unread` are left (newer ones), 1000 standing for that or more."""

    up_to: UUID
    unread: int


class ToDoDone(msgspec.Struct, frozen=True, kw_only=True):
    """办结 of one to-do."""

    id: UUID
    closed_at: datetime


async def mark_read(tx: Transaction, principal: Principal, message_id: UUID) -> Outcome[MessageRead]:
    """已读. Again changes nothing, and no trace is left: nobody's right turns on it. Raises `NotFound`."""
    reader = await reader_of(tx.connection, principal, tx.now)
    found = await find(tx.connection, reader, message_id)
    if not found.is_read:
        await _MARK_ONE.run(tx.connection, account_id=principal.account_id, message_id=found.id, read_at=tx.now)
    return Outcome(answer=MessageRead(id=found.id))


async def mark_all_read(tx: Transaction, principal: Principal, up_to: UUID) -> Outcome[InboxRead]:
    """全部已读 up to `up_to`, the newest that the screen showed. Again changes nothing. Raises `NotFound`.

    The mark stays behind by a few minutes, what is newer is marked one by one: whoever began to write before and
    commits only now has written something that nobody has read.
    """
    reader = await reader_of(tx.connection, principal, tx.now)
    newest = await find(tx.connection, reader, up_to)
    settled = min(newest.id, inbox.id_at(tx.now - inbox.SETTLED_AFTER))
    if settled > reader.read_to:
        await _MOVE_MARK.run(tx.connection, account_id=principal.account_id, read_to=settled, marked_at=tx.now)
        await _FORGET.run(tx.connection, of_account=principal.account_id, up_to=settled)
    after = _unread_since({**reader.arguments, "read_to": max(settled, reader.read_to)})
    await _MARK_NEWEST.run(tx.connection, **after, up_to=newest.id, read_at=tx.now, limit=inbox.MOST_MARKED)
    left = await _COUNT_UNREAD.all(tx.connection, **after, limit=inbox.MOST_COUNTED)
    return Outcome(answer=InboxRead(up_to=newest.id, unread=sum(each.count for each in left)))


async def close_to_do(tx: Transaction, principal: Principal, message_id: UUID) -> Outcome[ToDoDone]:
    """待办办结 by hand, for all who have it. One that is closed stays as it is.

    Raises `NotFound` and `ToDoClosesWithItsSubject`.
    """
    reader = await reader_of(tx.connection, principal, tx.now)
    found = await _LOCK_ONE.first(tx.connection, **reader.arguments, message_id=message_id)
    if found is None or not found.is_to_do:
        raise NotFound("没有该待办。")
    if found.closed_at is not None:
        return Outcome(answer=ToDoDone(id=found.id, closed_at=found.closed_at))
    if not closes_by_hand(found):
        raise ToDoClosesWithItsSubject("该待办在事项办结后自动办结。")
    await _CLOSE_ONE.run(tx.connection, message_id=found.id, now=tx.now)
    event = ToDoClosed(
        subject_id=found.id,
        department_id=found.department_id,
        region=found.region,
        after=ToDoFacts(template=found.template, subject=found.subject),
    )
    return Outcome(answer=ToDoDone(id=found.id, closed_at=tx.now), events=(event,))
