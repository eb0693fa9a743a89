"""Subscriptions and digests as tests meet them: asked for, confirmed, told; what the messages said."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from api.digest_round import send_digests
from domain.shared.sql import borrow
from domain.subscription.links import LinkPurpose, SubscriptionLinks
from notifications.mail.port import OutgoingMail
from notifications.sms.port import OutgoingSms
from tests.support.citizens import anonymous, verified
from tests.support.client import Api, accepted
from tests.support.sending import deliver_waiting

PUBLIC = "/api/v1/public"
MAILBOX = "lihua@example.com"
A_BROWSER = {"Accept": "text/html"}


def an_order(**changes: object) -> dict[str, Any]:
    """A scene by mail, daily."""
    return {"topic": "scene", "scene_code": "S01", "channel": "email", "email": MAILBOX, "frequency": "daily"} | changes


def by_sms(**changes: object) -> dict[str, Any]:
    """A scene by SMS, daily."""
    order = an_order(channel="sms", **changes)
    del order["email"]
    return order


async def asks(api: Api, **changes: object) -> dict[str, Any]:
    """What a citizen is answered who asks for a subscription."""
    citizen = await anonymous(api)
    return accepted(await citizen.post(f"{PUBLIC}/subscriptions", an_order(**changes)))


def confirm_link(api: Api, subscription: str) -> str:
    """The token of the mail that asks for confirmation."""
    return SubscriptionLinks(api.parts.keys).write(LinkPurpose.CONFIRM, UUID(subscription))


async def subscribed(api: Api, **changes: object) -> dict[str, Any]:
    """A subscription by mail that was confirmed."""
    asked = await asks(api, **changes)
    response = await api.http.post(f"{PUBLIC}/subscription-links/{confirm_link(api, asked['id'])}/confirmation")
    assert response.status_code == 200, response.text
    return response.json()


async def subscribed_by_sms(api: Api, phone: str = "13877155555", **changes: object) -> dict[str, Any]:
    """A subscription of a phone that was verified just now."""
    citizen = await verified(api, phone)
    return accepted(await citizen.post(f"{PUBLIC}/subscriptions", by_sms(**changes)))


async def waiting(api: Api, template: str, channel: str | None = None) -> list[UUID]:
    """The messages of that template that nobody has sent yet."""
    async with borrow(api.parts.pool) as connection:
        found = await connection.fetch(
            "SELECT id FROM message WHERE template = $1 AND state = 'waiting' AND coalesce(channel = $2, true)",
            template,
            channel,
        )
    return [row["id"] for row in found]


async def mails(api: Api, template: str) -> list[OutgoingMail]:
    """What mailboxes get of the messages that wait."""
    return (await deliver_waiting(api.parts, await waiting(api, template, "email"))).mail.taken


async def texts(api: Api, template: str = "subscription_digest") -> list[OutgoingSms]:
    """What phones get of the messages that wait."""
    return (await deliver_waiting(api.parts, await waiting(api, template, "sms"))).sms.taken


async def the_next_morning(api: Api, days: int = 1, hour: int = 9) -> int:
    """The round of a later day, at that hour of the region; gives how many subscribers it looked at."""
    later = api.clock.now + timedelta(days=days)
    api.clock.now = datetime(later.year, later.month, later.day, hour - 8, tzinfo=later.tzinfo)
    return await send_digests(api.parts)


def link_in(text: str, pattern: str) -> str:
    """The path of the first link of that kind in a message."""
    found = re.search(rf"yima\.test({pattern})", text)
    assert found, text
    return found[1]
