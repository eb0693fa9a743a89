"""What a message to a subscriber says and no outbox holds: links that confirm or end, and what is public just now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from api.schemas.search import url_of
from api.wiring import Parts
from domain.document.templates import chinese_date
from domain.shared.sql import Connection
from domain.subscription import digests, operations
from domain.subscription.links import LinkPurpose, SubscriptionLinks
from domain.subscription.model import DigestEntry, Subscription, SubscriptionState, Topic
from notifications.outbox import StoredMessage

_LISTED: Final = 20
"""Of a mail; the digest's page lists all."""
_LONGEST_TITLE: Final = 60


async def words_of_subscription(
    parts: Parts, connection: Connection, message: StoredMessage
) -> Mapping[str, str] | None:
    """What the templates of subscriptions know only at sending; None where there is nothing to say any more."""
    subscription_id = message.parameters.get("subscription_id")
    if subscription_id is not None:
        return await _confirmation(parts, connection, UUID(subscription_id))
    return await _digest(parts, connection, UUID(message.parameters["digest_id"]))


async def _confirmation(parts: Parts, connection: Connection, subscription_id: UUID) -> Mapping[str, str] | None:
    found = await operations.read_unconfirmed(connection, subscription_id)
    if found is None or found.state is not SubscriptionState.PENDING:
        return None
    token = SubscriptionLinks(parts.keys).write(LinkPurpose.CONFIRM, found.id)
    return {
        "topic": _topic_of(found),
        "frequency": found.frequency.label,
        "link": f"{parts.public_url}/subscriptions/confirm/{token}",
    }


def _topic_of(found: Subscription) -> str:
    """What was asked for. Nobody's own words go to a mailbox whose owner has not said yes: they could be anything."""
    if found.topic is Topic.KEYWORDS:
        return f"{len(found.keywords)}个{found.topic.label}"
    return f"{found.topic.label}“{found.label}”"


async def _digest(parts: Parts, connection: Connection, digest_id: UUID) -> Mapping[str, str] | None:
    found = await digests.read_digest(connection, digest_id, parts.clock())
    if found is None or not found.entries:
        return None
    links = SubscriptionLinks(parts.keys)
    link = f"{parts.public_url}/d/{links.write_short(found.digest.number)}"
    manage = links.write(LinkPurpose.MANAGE, found.digest.subscriber_id)
    return {
        "entries": list_entries(found.entries[:_LISTED], parts.public_url),
        "link": link,
        "bare_link": link.partition("://")[2] or link,
        "unsubscribe": f"{parts.public_url}/subscriptions/{manage}",
    }


def list_entries(entries: Sequence[DigestEntry], public_url: str) -> str:
    """A line an entry, its address behind a tabulator, as a mail's template takes a list."""
    return "\n".join(f"{line_of(each)}\t{public_url}{url_of(each.kind, each.target, each.id)}" for each in entries)


def line_of(entry: DigestEntry) -> str:
    """An entry in one line: what kind, its title, who published it and when."""
    title = " ".join(entry.title.split())
    cut = title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"
    told = [entry.authority or "", chinese_date(entry.dated_on) if entry.dated_on else ""]
    whence = "，".join(filter(None, told))
    return f"【{entry.kind.label}】{cut}" + (f"（{whence}）" if whence else "")
