"""Statements on subscriptions: who is written to, what about, and which digests are due."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.enterprise.tables import enterprise, site
from domain.shared.sql import Command, Query, uuid_list
from domain.subscription.model import Digest, Subscriber, SubscriberAddress, Subscription
from domain.subscription.tables import subscriber, subscription, subscription_digest


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An enterprise or a site that anybody may find, and what it is called."""

    id: UUID
    name: str


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The id of a row."""

    id: UUID


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A subscriber, and how messages reach them."""

    id: UUID
    channel: str


def _given(name: str, kind: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind)


_INSTANT = sa.DateTime(timezone=True)

# ---- what can be subscribed to: no natural person, whom nobody finds by search either

_FINDABLE = enterprise.c.object_type != sa.literal_column("'自然人'")
ENTERPRISE_NAMED = Query(
    sa.select(enterprise.c.id, enterprise.c.name).where(enterprise.c.uscc == sa.bindparam("uscc"), _FINDABLE), Named
)
SITE_NAMED = Query(
    sa.select(
        site.c.id,
        sa.case(
            (site.c.name == enterprise.c.name, enterprise.c.name),
            else_=sa.func.concat(enterprise.c.name, sa.literal_column("'（'"), site.c.name, sa.literal_column("'）'")),
        ).label("name"),
    )
    .select_from(site.join(enterprise, enterprise.c.id == site.c.enterprise_id))
    .where(site.c.id == sa.bindparam("site_id"), _FINDABLE),
    Named,
)

# ---- subscribers. Whoever changes what one is told locks the subscriber first.

ADDRESS_OF_SUBSCRIBER = Query(
    sa.select(subscriber.c.channel, subscriber.c.address_sealed).where(
        subscriber.c.id == sa.bindparam("subscriber_id")
    ),
    SubscriberAddress,
)
"""Whither a message of `Recipient.SUBSCRIPTION` goes: its recipient's id is a subscriber's."""
_SUBSCRIBER = [subscriber.c[name] for name in Subscriber.__struct_fields__]
SUBSCRIBER_BY_ADDRESS = Query(
    sa.select(*_SUBSCRIBER).where(
        subscriber.c.address_index == sa.bindparam("address_index"), subscriber.c.channel == sa.bindparam("channel")
    ),
    Subscriber,
)
SUBSCRIBER_BY_ID = Query(sa.select(*_SUBSCRIBER).where(subscriber.c.id == sa.bindparam("subscriber_id")), Subscriber)
LOCK_SUBSCRIBER = Query(
    sa.select(*_SUBSCRIBER).where(subscriber.c.id == sa.bindparam("subscriber_id")).with_for_update(), Subscriber
)
_new_subscriber = upsert(subscriber).values(
    {name: sa.bindparam(name) for name in ("id", "channel", "address_sealed", "address_index", "created_at")}
)
KEEP_SUBSCRIBER = Query(
    _new_subscriber.on_conflict_do_update(
        # What is known already is set once more, which locks the row.
        index_elements=["address_index", "channel"],
        set_={"address_index": _new_subscriber.excluded.address_index},
    ).returning(*_SUBSCRIBER),
    Subscriber,
)
SCHEDULE_SUBSCRIBER = Command(
    sa.update(subscriber)
    .where(subscriber.c.id == sa.bindparam("of_subscriber"))
    .values(next_on=sa.func.least(subscriber.c.next_on, _given("next_on", sa.Date)))
)
DELETE_IF_IDLE = Command(
    sa.delete(subscriber).where(
        subscriber.c.id == sa.any_(uuid_list("subscribers")),
        ~sa.exists().where(subscription.c.subscriber_id == subscriber.c.id),
    )
)

# ---- subscriptions

_FIELDS = Subscription.__struct_fields__
_SUBSCRIPTION = [subscription.c[name] for name in _FIELDS]
_PENDING = subscription.c.state == sa.literal_column("'pending'")
_ACTIVE = subscription.c.state == sa.literal_column("'active'")
INSERT_SUBSCRIPTION = Command(sa.insert(subscription).values({name: sa.bindparam(name) for name in _FIELDS}))
SUBSCRIPTION_BY_ID = Query(
    sa.select(*_SUBSCRIPTION).where(subscription.c.id == sa.bindparam("subscription_id")), Subscription
)
OF_SUBSCRIBER = Query(
    sa.select(*_SUBSCRIPTION)
    .where(subscription.c.subscriber_id == sa.bindparam("subscriber_id"))
    .order_by(subscription.c.id)
    .limit(200),
    Subscription,
)
_CHANGING = ("frequency", "state", "expires_at", "confirmed_at", "covered_to", "next_on")
UPDATE_SUBSCRIPTION = Command(
    sa.update(subscription)
    .where(subscription.c.id == sa.bindparam("of_subscription"))
    .values({name: sa.bindparam(name) for name in _CHANGING})
)
DELETE_SUBSCRIPTIONS = Command(sa.delete(subscription).where(subscription.c.id == sa.any_(uuid_list("subscriptions"))))
DELETE_UNCONFIRMED_OF = Command(
    sa.delete(subscription).where(
        subscription.c.subscriber_id == sa.bindparam("subscriber_id"),
        _PENDING,
        subscription.c.expires_at <= _given("now", _INSTANT),
    )
)

# ---- what is forgotten

LOCK_UNCONFIRMED = Query(
    sa.select(subscriber.c.id)
    .where(
        subscriber.c.id.in_(
            sa.select(subscription.c.subscriber_id)
            .where(_PENDING, subscription.c.expires_at <= _given("now", _INSTANT))
            .order_by(subscription.c.expires_at)
            .limit(_given("limit", sa.Integer))
        )
    )
    .with_for_update(skip_locked=True),
    Known,
)
"""Subscribers of whom some subscription was never confirmed, some at a time."""
DELETE_UNCONFIRMED = Command(
    sa.delete(subscription).where(
        subscription.c.subscriber_id == sa.any_(uuid_list("subscribers")),
        _PENDING,
        subscription.c.expires_at <= _given("now", _INSTANT),
    )
)
DELETE_OLD_DIGESTS = Command(
    sa.delete(subscription_digest).where(subscription_digest.c.made_at < _given("before", _INSTANT))
)

# ---- digests

LOCK_DUE_SUBSCRIBERS = Query(
    sa.select(subscriber.c.id, subscriber.c.channel)
    .where(subscriber.c.next_on <= _given("today", sa.Date))
    .order_by(subscriber.c.next_on, subscriber.c.id)
    .limit(_given("limit", sa.Integer))
    .with_for_update(skip_locked=True),
    Reached,
)
"""What is done leaves the range, and what another worker has in hand is passed over: so there is no cursor."""
ACTIVE_OF = Query(
    sa.select(*_SUBSCRIPTION).where(subscription.c.subscriber_id == sa.any_(uuid_list("subscribers")), _ACTIVE),
    Subscription,
)
_told = (
    sa.func.unnest(uuid_list("subscriptions"), sa.bindparam("days", type_=sa.ARRAY(sa.Date)))
    .table_valued(sa.column("id", sa.Uuid), sa.column("day", sa.Date))
    .render_derived()
)
MARK_TOLD = Command(
    sa.update(subscription)
    .where(subscription.c.id == _told.c.id)
    .values(covered_to=_given("until", _INSTANT), next_on=_told.c.day)
)
"""The subscriptions were told of all until then; each is due again on its day."""
_next = (
    sa.func.unnest(uuid_list("subscribers"), sa.bindparam("next_days", type_=sa.ARRAY(sa.Date)))
    .table_valued(sa.column("id", sa.Uuid), sa.column("day", sa.Date))
    .render_derived()
)
SCHEDULE_SUBSCRIBERS = Command(sa.update(subscriber).where(subscriber.c.id == _next.c.id).values(next_on=_next.c.day))
_DIGEST = Digest.__struct_fields__
INSERT_DIGEST = Command(sa.insert(subscription_digest).values({name: sa.bindparam(name) for name in _DIGEST}))
_digest = sa.select(*[subscription_digest.c[name] for name in _DIGEST])
DIGEST_BY_ID = Query(_digest.where(subscription_digest.c.id == sa.bindparam("digest_id")), Digest)
DIGEST_BY_NUMBER = Query(
    _digest.where(
        subscription_digest.c.number == sa.bindparam("number"),
        subscription_digest.c.made_at >= _given("since", _INSTANT),
    ),
    Digest,
)
