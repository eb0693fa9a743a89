"""再次告知 of an order: what would be sent to whom, and how often it has been sent of late (MOB-12)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from api.delivery.addresses import open_address
from api.paper_messages import OF_ISSUE, paper_words, short_url
from api.reactions import tell_again
from api.template_previews import ComposedText, compose
from api.wiring import Parts
from domain.document.link.tokens import TOKEN_LENGTH
from domain.document.operations import find_document
from domain.identity.model import Principal
from domain.rectification import telling
from domain.rectification.acts import OrderToldAgain
from domain.rectification.model import ConsentMeans
from domain.rectification.operations import lock_order
from domain.rectification.reading import find_order
from domain.rectification.rules import require_own
from domain.shared.sql import Connection, Query
from domain.shared.transaction import Outcome, Transaction
from notifications import filed
from notifications.filed import Told
from notifications.message import Message
from notifications.outbox import StoredMessage
from notifications.outcome import Refused
from notifications.templates import Template, current

_TOLD: Final = Query(filed.TOLD_OF_SUBJECT, Told)
_LINK_TO_COME: Final = "…" * TOKEN_LENGTH
"""A link is made when its message goes; one of the same length stands for it."""


class OrderMessagePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What would be sent: `is_notice` by consent, else a reminder. Without an `address`, `obstacle` says why nothing
    would arrive.
    """

    means: ConsentMeans
    is_notice: bool
    address: str | None
    obstacle: str | None
    message: ComposedText


async def preview_message(
    parts: Parts, connection: Connection, principal: Principal, order_id: UUID, means: ConsentMeans
) -> OrderMessagePreview:
    """Raises `NotFound`, `Forbidden`, `OrderAlreadyClosed` or `ServiceConsentMissing`."""
    order = await find_order(connection, principal, order_id)
    require_own(order, principal.department_id)
    event = await telling.telling_of(connection, order, means)
    [message] = tell_again(event)
    template = current(message.template)
    document = await find_document(connection, order.document_id)
    link = short_url(parts.public_url, _LINK_TO_COME)
    words = {**message.parameters, **paper_words(document.number, document.number_sequence, link)}
    address, obstacle = await _address(parts, connection, message, template)
    return OrderMessagePreview(
        means=means,
        is_notice=event.after.has_consent,
        address=address,
        obstacle=obstacle,
        message=compose(template, message.channel, {name: words[name] for name in template.variables}),
    )


async def _address(
    parts: Parts, connection: Connection, message: Message, template: Template
) -> tuple[str | None, str | None]:
    """Where it would go today, masked, or what stands in the way."""
    stored = StoredMessage(
        id=message.recipient_id,
        template=message.template,
        template_version=template.version,
        purpose=template.purpose,
        channel=message.channel,
        recipient=message.recipient,
        recipient_id=message.recipient_id,
        parameters=message.parameters,
        attempts=0,
        created_at=parts.clock(),
    )
    try:
        return (await open_address(parts, connection, stored)).masked, None
    except Refused as refused:
        return None, refused.reason.label


async def send_again(
    tx: Transaction, principal: Principal, order_id: UUID, means: ConsentMeans
) -> Outcome[OrderToldAgain]:
    """再次告知. Two who do this at once wait for each other at the order.

    Raises `NotFound`, `Forbidden`, `OrderAlreadyClosed`, `ServiceConsentMissing` or `OrderToldTooOften`.
    """
    await find_order(tx.connection, principal, order_id)
    order = await lock_order(tx, order_id)
    told = await _told(tx.connection, order_id, means, tx.now - telling.TOLD_WITHIN)
    return await telling.tell_again(tx, principal.department_id, order, means, told)


async def _told(connection: Connection, order_id: UUID, means: ConsentMeans, since: datetime) -> int:
    found = await _TOLD.one(
        connection, subject_id=order_id, channel=means.value, templates=sorted(OF_ISSUE), since=since
    )
    return found.count
