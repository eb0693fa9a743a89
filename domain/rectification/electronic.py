"""电子送达 proved by a receipt: the order's own message arrived where the party had agreed to be served."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.document.link.events import NoticeDelivered
from domain.document.link.model import LinkMeans
from domain.document.model import DocumentKind
from domain.rectification import service_rules, service_store, store
from domain.rectification.events import PaperServed, ServiceFacts
from domain.rectification.model import Consent, OrderState, ServiceMeans
from domain.rectification.operations import place_of, standing_of
from domain.rectification.serving import insert_service
from domain.shared.clock import local_date
from domain.shared.events import Event
from domain.shared.transaction import Transaction

RECORDED_BY: Final = UUID(int=0)
"""The installation: nobody records what a receipt proves."""
_AT_ONCE: Final = timedelta(microseconds=1)


async def serve_by_message(tx: Transaction, delivered: NoticeDelivered) -> Sequence[Event]:
    """电子送达 of an order by the receipt of its own message, as of the day on which it arrived; told once.

    Nothing is served by a message that only reminds, nor without consent to its means from before it was sent until
    it arrived: then the receipt is evidence only. Nor anew, where an electronic service of that day or an earlier one
    is on record.
    """
    facts = delivered.after
    if delivered.document_kind != DocumentKind.RECTIFICATION_ORDER or not facts.serves:
        return ()
    order = await store.LOCK_ORDER.first(tx.connection, order_id=delivered.about_id)
    if order is None or order.state is OrderState.REVOKED:
        return ()
    consent = await _consent(tx, delivered)
    served_on = local_date(facts.delivered_at)
    recorded = await service_store.ELECTRONIC_SERVICE_BY.first(tx.connection, order_id=order.id, day=served_on)
    if consent is None or recorded is not None:
        return ()
    service = ServiceFacts(
        service_id=tx.new_id(),
        document_id=order.document_id,
        means=ServiceMeans.ELECTRONIC,
        served_on=served_on,
        order_served_on=served_on if order.served_on is None else min(order.served_on, served_on),
        tracking_number=None,
        evidence=[],
        consent_id=consent.id,
    )
    note = service_rules.receipt_note(LinkMeans(facts.means).label, facts.delivered_at)
    await insert_service(tx, order.id, service, recorded_by=RECORDED_BY, note=note)
    await store.SERVE_ORDER.run(tx.connection, order_id=order.id, served_by=served_on)
    return (PaperServed(**place_of(order), before=standing_of(order), after=service),)


async def _consent(tx: Transaction, delivered: NoticeDelivered) -> Consent | None:
    """The consent to the message's means that stood when it was sent and still when it arrived."""
    facts = delivered.after
    consent = await service_store.CONSENT_ON.first(
        tx.connection,
        enterprise_id=delivered.enterprise_id,
        since=facts.delivered_at,
        until=facts.sent_at + _AT_ONCE,
    )
    return consent if consent is not None and facts.means in consent.means else None
