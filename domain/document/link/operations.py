"""Notice links: made when their message is about to go, opened, prolonged, revoked; and their messages' arrival."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from domain.document.link import rules, store
from domain.document.link.events import (
    DeliveryFacts,
    LinkRevocationFacts,
    NoticeDelivered,
    NoticeLinkRevoked,
    NoticeOpened,
    OpeningFacts,
)
from domain.document.link.model import LinkMeans, LinkOrder, NoticeLink, Opener, RevokedLink
from domain.document.link.tokens import NUMBER_BYTES, read_token, write_token
from domain.document.model import SealedDocument
from domain.document.operations import find_document
from domain.enterprise.rules import require_reason
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.events import Event
from domain.shared.ids import new_id
from domain.shared.keys import KeyRing
from domain.shared.random import Random
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction


async def link_for(connection: Connection, keys: KeyRing, random: Random, order: LinkOrder, now: datetime) -> str:
    """The token of the message's link, made in the caller's transaction; a message that is tried again keeps its own.

    The message goes out after this transaction, so the link exists before anybody can open it.
    """
    saved = await store.SAVE_LINK.one(
        connection,
        id=new_id(now, random),
        number=random(NUMBER_BYTES),
        document_id=order.document_id,
        enterprise_id=order.enterprise_id,
        message_id=order.message_id,
        means=order.means,
        serves=order.serves,
        made_at=now,
        asked_at=now,
        expires_at=rules.expires_at(now, order.due_on),
    )
    return write_token(keys, saved.number)


async def note_delivery(
    tx: Transaction, *, document_id: UUID, means: str, message_id: UUID, delivered_at: datetime
) -> Sequence[Event]:
    """文书送达回执: the message with the paper has arrived, told by its provider. Told twice it is one event.

    Whether that serves the paper is decided by the rooms above, which react to the event. Without a link, such as in a
    text that only reminds, there is nothing to tell: the receipt itself stands beside its message.
    """
    link = await store.UNDELIVERED_LINK.first(tx.connection, message_id=message_id, document_id=document_id)
    if link is None:
        return ()
    document = await find_document(tx.connection, document_id)
    arrived_at = rules.delivered_at(link, delivered_at, tx.now)
    await store.MARK_LINK_DELIVERED.run(tx.connection, link_id=link.id, arrived_at=arrived_at)
    event = NoticeDelivered(
        subject_id=document.id,
        department_id=document.department_id,
        region=document.region,
        site_id=document.site_id,
        enterprise_id=link.enterprise_id,
        after=DeliveryFacts(
            link_id=link.id,
            message_id=message_id,
            means=LinkMeans(means),
            serves=link.serves,
            sent_at=link.asked_at,
            delivered_at=arrived_at,
        ),
        document_kind=document.kind,
        about_id=document.subject_id,
    )
    return (event,)


class OpenNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A usable link and the paper that it leads to."""

    link: NoticeLink
    document: SealedDocument


async def find_notice(connection: Connection, keys: KeyRing, token: str, now: datetime) -> OpenNotice:
    """The paper behind a link; reads only. Raises `NoticeLinkUnknown` or `NoticeLinkOver`."""
    number = read_token(keys, token)
    link = None if number is None else await store.LINK_BY_NUMBER.first(connection, number=number)
    if link is None:
        raise rules.unknown()
    document = await find_document(connection, link.document_id)
    rules.require_usable(link, document, now)
    return OpenNotice(link=link, document=document)


async def open_notice(tx: Transaction, keys: KeyRing, token: str, opener: Opener) -> Outcome[OpenNotice]:
    """打开文书: recorded as evidence of receipt, up to a bound a day; beyond it the paper is shown all the same.

    Two who open at the very same moment may be recorded as one. Raises `NoticeLinkUnknown` or `NoticeLinkOver`.
    """
    found = await find_notice(tx.connection, keys, token, tx.now)
    recorded = await store.RECORD_OPENING.run(
        tx.connection,
        link_id=found.link.id,
        opened_on=local_date(tx.now),
        opened_at=tx.now,
        address=opener.address,
        device=opener.device,
        most=rules.DEFAULT_POLICY.openings_a_day,
    )
    return Outcome(answer=found, events=(_opened(found, opener, tx.now),) if recorded else ())


def _opened(found: OpenNotice, opener: Opener, now: datetime) -> NoticeOpened:
    return NoticeOpened(
        subject_id=found.document.id,
        department_id=found.document.department_id,
        region=found.document.region,
        site_id=found.document.site_id,
        enterprise_id=found.link.enterprise_id,
        after=OpeningFacts(
            link_id=found.link.id,
            message_id=found.link.message_id,
            means=found.link.means,
            opened_at=now,
            address=opener.address.hex(),
            device=None if opener.device is None else opener.device.hex(),
        ),
    )


async def prolong_links(tx: Transaction, document_id: UUID, due_on: date) -> None:
    """The paper asks for something by another day now: its links outlive that day, too. None is shortened."""
    await store.PROLONG_LINKS.run(tx.connection, of_document=document_id, until=rules.until_after(due_on))


async def revoke_link(
    tx: Transaction, document_id: UUID, link_id: UUID, department_id: UUID | None, reason: str
) -> Outcome[RevokedLink]:
    """短链接作废 by the department that issued the paper. Raises `NotFound`, `ReasonMissing`, `LinkAlreadyRevoked`."""
    why = require_reason(reason, "reason")
    link = await store.LINK_OF_DOCUMENT.first(tx.connection, link_id=link_id, document_id=document_id)
    document = None if link is None else await find_document(tx.connection, document_id)
    if link is None or document is None or document.department_id != department_id:
        raise NotFound("没有该链接。")
    if link.revoked_at is not None:
        raise rules.LinkAlreadyRevoked("该链接已作废。")
    await store.REVOKE_LINK.run(tx.connection, link_id=link_id, now=tx.now, reason=why)
    event = NoticeLinkRevoked(
        subject_id=document_id,
        department_id=document.department_id,
        region=document.region,
        site_id=document.site_id,
        enterprise_id=link.enterprise_id,
        after=LinkRevocationFacts(link_id=link_id, reason=why),
    )
    return Outcome(answer=RevokedLink(id=link_id, document_id=document_id, revoked_at=tx.now), events=(event,))
