"""What happens to a subscription. Who subscribes to what is told to nobody: the trace has neither address nor words."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class SubscriptionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription as the trace tells it."""

    topic: str
    frequency: str
    channel: str
    state: str
    expires_at: datetime | None = None


class _SubscriptionEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "公众服务"
    power: ClassVar[str] = "公众参与"
    subject: ClassVar[str] = "subscription"

    before: SubscriptionFacts | None = None
    after: SubscriptionFacts | None
    subscriber_id: UUID


class SubscriptionRequested(_SubscriptionEvent, frozen=True, kw_only=True):
    """订阅申请 by mail: nothing is sent to the address but the request to confirm it."""

    duty: ClassVar[str] = "订阅申请"
    action: ClassVar[str] = "subscription.requested"

    after: SubscriptionFacts


class SubscriptionBegun(_SubscriptionEvent, frozen=True, kw_only=True):
    """订阅生效: by the link in the mail, or by a phone that was just verified."""

    duty: ClassVar[str] = "订阅生效"
    action: ClassVar[str] = "subscription.begun"

    after: SubscriptionFacts


class SubscriptionEnded(_SubscriptionEvent, frozen=True, kw_only=True):
    """退订: the row is gone, and with the last of an address the address."""

    duty: ClassVar[str] = "退订"
    action: ClassVar[str] = "subscription.ended"

    after: None = None


class DigestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How many subscribers a page of the round told, and how many had nothing new."""

    on_day: date
    told: int
    without_news: int


class MadeDigest(msgspec.Struct, frozen=True, kw_only=True):
    """One digest that is to be sent."""

    id: UUID
    subscriber_id: UUID
    channel: str
    count: str


class DigestsMade(Event, frozen=True, kw_only=True):
    """订阅摘要 of one page of subscribers; the outbox tells to whom, by id."""

    business: ClassVar[str] = "公众服务"
    power: ClassVar[str] = "信息公开"
    duty: ClassVar[str] = "订阅摘要推送"
    action: ClassVar[str] = "subscription.digests_made"
    subject: ClassVar[str] = "digest_round"

    before: DigestFacts | None = None
    after: DigestFacts
    digests: list[MadeDigest]
