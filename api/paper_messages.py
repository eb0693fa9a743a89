"""What a message says and could not hold when it was written: the 文号 of a paper comes last in its transaction, its
short link leads to it without an account, and a code for a phone stands in no outbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from api.digest_words import words_of_subscription
from api.wiring import Parts
from domain.document.link.model import LinkMeans, LinkOrder
from domain.document.link.operations import link_for
from domain.document.model import Document, DocumentKind
from domain.document.operations import find_document
from domain.rectification.service_store import CONSENT_IN_FORCE
from domain.rectification.store import ORDER_BY_ID
from domain.shared.sql import Connection
from domain.visitor.operations import code_to_send
from notifications.message import Channel, Recipient
from notifications.outbox import StoredMessage
from notifications.templates import template_of

_PAPER: Final = "document_id"
OF_ISSUE: Final = frozenset({"order_issued", "order_issued_reminder"})
"""They tell of a paper as it is issued: once it is revoked there is nothing to tell."""
SERVING: Final = frozenset({"order_issued"})
"""The paper's own message, sent under consent; whether it serves is decided when its receipt comes."""
_LINKS: Final = frozenset({"link", "bare_link"})
_MEANS: Final = {Channel.SMS: LinkMeans.SMS, Channel.EMAIL: LinkMeans.EMAIL}


async def known_of(parts: Parts, connection: Connection, message: StoredMessage) -> Mapping[str, str] | None:
    """Number and link of the paper that the message names by `document_id`, the code for a phone, else nothing.

    None: what it was to say is of no use any more, so it need not be sent. Called in the transaction that is about to
    send the message: the short link that it carries is made there.
    """
    if message.recipient == Recipient.PHONE_VERIFICATION:
        code = await code_to_send(connection, parts.vault, message.recipient_id, parts.clock())
        return None if code is None else {"code": code}
    if message.recipient == Recipient.SUBSCRIPTION:
        return await words_of_subscription(parts, connection, message)
    named = message.parameters.get(_PAPER)
    if named is None:
        return {}
    document = await find_document(connection, UUID(named))
    if document.revoked_at is not None and message.template in OF_ISSUE:
        return None
    serves = await _serves(connection, message, document)
    if message.template in SERVING and message.channel is Channel.EMAIL and not serves:
        return None  # it says that it comes by the party's consent, which was withdrawn meanwhile
    link = await _link(parts, connection, message, document, serves=serves)
    return paper_words(document.number, document.number_sequence, link)


async def _serves(connection: Connection, message: StoredMessage, document: Document) -> bool:
    """Whether the message may serve the paper: it is the paper's own, and consent to its means is in force now."""
    if message.template not in SERVING:
        return False
    consent = await CONSENT_IN_FORCE.first(connection, enterprise_id=document.enterprise_id)
    return consent is not None and message.channel.value in consent.means


async def _link(
    parts: Parts, connection: Connection, message: StoredMessage, document: Document, *, serves: bool
) -> str:
    """The short link for the paper's addressee, if the words have room for one; else where anybody may verify it."""
    means = _MEANS.get(message.channel)
    words = template_of(message.template, message.template_version).placeholders(message.channel)
    is_addressee = message.recipient == Recipient.ENTERPRISE and message.recipient_id == document.enterprise_id
    if means is None or not is_addressee or _LINKS.isdisjoint(words):
        return f"{parts.public_url}/v/{document.verification_code}"
    is_order = document.kind is DocumentKind.RECTIFICATION_ORDER
    order = await ORDER_BY_ID.first(connection, order_id=document.subject_id) if is_order else None
    wanted = LinkOrder(
        document_id=document.id,
        enterprise_id=document.enterprise_id,
        message_id=message.id,
        means=means,
        serves=serves,
        due_on=None if order is None else order.due_on,
    )
    return short_url(parts.public_url, await link_for(connection, parts.keys, parts.random, wanted, parts.clock()))


def short_url(public_url: str, token: str) -> str:
    """短链接: `<public url>/n/<11 characters>`."""
    return f"{public_url}/n/{token}"


def paper_words(number: str | None, sequence: int | None, link: str) -> dict[str, str]:
    """文号 whole and short, and the link with and without its scheme."""
    return {
        "number": number or "",
        "sequence": "" if sequence is None else str(sequence),
        "link": link,
        "bare_link": link.partition("://")[2] or link,
    }
