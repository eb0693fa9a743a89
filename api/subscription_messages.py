"""What follows from acts on subscriptions: a mail that asks for confirmation, and each digest's message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from domain.shared.events import Event
from domain.subscription.events import DigestsMade, SubscriptionRequested
from notifications.message import Channel, Message, Recipient

CONFIRM: Final = "subscription_confirm"
DIGEST: Final = "subscription_digest"


def _ask(event: SubscriptionRequested) -> list[Message]:
    """What it is about and the link are looked up when it is sent: the outbox holds neither."""
    return [
        Message(
            template=CONFIRM,
            channel=Channel.EMAIL,
            recipient=Recipient.SUBSCRIPTION,
            recipient_id=event.subscriber_id,
            parameters={"subscription_id": str(event.subject_id)},
            subject=event.subject,
            subject_id=event.subject_id,
        )
    ]


def _tell(event: DigestsMade) -> list[Message]:
    return [
        Message(
            template=DIGEST,
            channel=Channel(digest.channel),
            recipient=Recipient.SUBSCRIPTION,
            recipient_id=digest.subscriber_id,
            parameters={"digest_id": str(digest.id), "count": digest.count},
            subject="subscription_digest",
            subject_id=digest.id,
        )
        for digest in event.digests
    ]


SUBSCRIPTION_REACTIONS: Mapping[type[Event], Callable[[Any], list[Message]]] = {
    SubscriptionRequested: _ask,
    DigestsMade: _tell,
}
