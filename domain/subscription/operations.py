"""订阅: ask for it, confirm it, see it, end it. Every act locks the subscriber first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from domain.shared.errors import InvalidField, NotFound
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault
from domain.subscription import rules, store
from domain.subscription.events import SubscriptionBegun, SubscriptionEnded, SubscriptionFacts, SubscriptionRequested
from domain.subscription.model import (
    CONFIRMATION_LIFETIME,
    DigestChannel,
    NewSubscription,
    OwnSubscription,
    OwnSubscriptions,
    Subject,
    Subscriber,
    Subscription,
    SubscriptionAnswer,
    SubscriptionsEndedAnswer,
    SubscriptionState,
    Topic,
)
from domain.visitor.model import CitizenPass
from domain.visitor.operations import PHONE_LABEL, verified_phone
from domain.visitor.rules import PhoneNotVerified

ADDRESS_LABEL: Final = "subscription.address"
"""Under which a subscriber's address is sealed, and a mailbox indexed."""
_NOTHING: Final = "没有生效的订阅。"


async def address_of(connection: Connection, vault: Vault, subscriber_id: UUID) -> str | None:
    """The phone or mailbox of a subscriber; None once the last subscription is ended. For messages being sent only."""
    found = await store.ADDRESS_OF_SUBSCRIBER.first(connection, subscriber_id=subscriber_id)
    return None if found is None else vault.open(ADDRESS_LABEL, found.address_sealed)


# ---- asked for


async def subscribe(tx: Transaction, citizen: CitizenPass, new: NewSubscription) -> Outcome[SubscriptionAnswer]:
    """订阅: in force at once for the pass's verified phone; a mail address is asked to confirm it first.

    What is subscribed to already changes its frequency. Raises `InvalidField`, `PhoneNotVerified`,
    `TooManySubscriptions` or `TooManyConfirmations`.
    """
    rules.require_fitting(new)
    subject = await find_subject(tx.connection, new)
    is_mail = new.channel is DigestChannel.EMAIL
    address = rules.mailbox_of(new.email) if is_mail else await verified_phone(tx, citizen)
    subscriber = await store.KEEP_SUBSCRIBER.one(
        tx.connection,
        id=tx.new_id(),
        channel=new.channel,
        address_sealed=tx.vault.seal(ADDRESS_LABEL, address),
        address_index=_index_of(tx.vault, new.channel, address),
        created_at=tx.now,
    )
    await store.DELETE_UNCONFIRMED_OF.run(tx.connection, subscriber_id=subscriber.id, now=tx.now)
    held = await store.OF_SUBSCRIBER.all(tx.connection, subscriber_id=subscriber.id)
    asked = _asked(tx, subscriber, subject, new)
    return await (_request if is_mail else _begin)(tx, subscriber, held, asked)


async def find_subject(connection: Connection, new: NewSubscription) -> Subject:
    """What it is about, with its name. Raises `InvalidField` for what nobody may find."""
    if new.topic not in {Topic.ENTERPRISE, Topic.SITE}:
        return rules.subject_without_register(new)
    if new.topic is Topic.ENTERPRISE:
        found = await store.ENTERPRISE_NAMED.first(connection, uscc=(new.uscc or "").strip().upper())
        if found is None:
            raise InvalidField("没有查到该企业，请核对统一社会信用代码。", field="uscc")
        return Subject(topic=new.topic, label=found.name, enterprise_id=found.id)
    site = None if new.site_id is None else await store.SITE_NAMED.first(connection, site_id=new.site_id)
    if site is None:
        raise InvalidField("没有查到该场所。", field="site_id")
    return Subject(topic=new.topic, label=site.name, site_id=site.id)


def _asked(tx: Transaction, subscriber: Subscriber, subject: Subject, new: NewSubscription) -> Subscription:
    return Subscription(
        id=tx.new_id(),
        subscriber_id=subscriber.id,
        topic=subject.topic,
        topic_key=subject.key,
        enterprise_id=subject.enterprise_id,
        site_id=subject.site_id,
        scene_code=subject.scene_code,
        region_code=subject.region_code,
        keywords=list(subject.keywords),
        label=subject.label,
        frequency=new.frequency,
        state=SubscriptionState.PENDING,
        created_at=tx.now,
        expires_at=tx.now + CONFIRMATION_LIFETIME,
        confirmed_at=None,
        covered_to=None,
        next_on=None,
    )


async def _request(
    tx: Transaction, subscriber: Subscriber, held: Sequence[Subscription], asked: Subscription
) -> Outcome[SubscriptionAnswer]:
    """One mail a subject that asks for confirmation; asked again while it is under way, there is no second mail."""
    under_way = _same(held, asked, SubscriptionState.PENDING)
    if under_way is not None:
        return Outcome(answer=_answer(subscriber, under_way))
    rules.require_room(held, SubscriptionState.PENDING)
    await store.INSERT_SUBSCRIPTION.run(tx.connection, **msgspec.structs.asdict(asked))
    event = SubscriptionRequested(subject_id=asked.id, subscriber_id=subscriber.id, after=_facts(subscriber, asked))
    return Outcome(answer=_answer(subscriber, asked), events=(event,))


async def _begin(
    tx: Transaction, subscriber: Subscriber, held: Sequence[Subscription], asked: Subscription
) -> Outcome[SubscriptionAnswer]:
    known = _same(held, asked, SubscriptionState.ACTIVE)
    begun = rules.activated(asked, tx.now)
    if known is None:
        rules.require_room(held, SubscriptionState.ACTIVE)
        await store.INSERT_SUBSCRIPTION.run(tx.connection, **msgspec.structs.asdict(begun))
    else:
        begun = msgspec.structs.replace(known, frequency=begun.frequency, next_on=begun.next_on)
        await _save(tx, begun)
    await store.SCHEDULE_SUBSCRIBER.run(tx.connection, of_subscriber=subscriber.id, next_on=begun.next_on)
    event = SubscriptionBegun(
        subject_id=begun.id,
        subscriber_id=subscriber.id,
        before=None if known is None else _facts(subscriber, known),
        after=_facts(subscriber, begun),
    )
    return Outcome(answer=_answer(subscriber, begun), events=(event,))


# ---- confirmed


async def read_unconfirmed(connection: Connection, subscription_id: UUID) -> Subscription | None:
    """The subscription that a link asks to confirm; None once there is none."""
    return await store.SUBSCRIPTION_BY_ID.first(connection, subscription_id=subscription_id)


async def confirm(tx: Transaction, subscription_id: UUID) -> Outcome[SubscriptionAnswer]:
    """确认订阅, twice to one effect. It takes the place of one to the same subject, from where that one had come.

    Raises `SubscriptionLinkOver` or `TooManySubscriptions`.
    """
    found = await store.SUBSCRIPTION_BY_ID.first(tx.connection, subscription_id=subscription_id)
    if found is None:
        raise rules.SubscriptionLinkOver
    subscriber = await store.LOCK_SUBSCRIBER.first(tx.connection, subscriber_id=found.subscriber_id)
    if subscriber is None:
        raise rules.SubscriptionLinkOver
    held = await store.OF_SUBSCRIBER.all(tx.connection, subscriber_id=subscriber.id)
    asked = next((each for each in held if each.id == subscription_id), None)
    if asked is not None and asked.state is SubscriptionState.ACTIVE:
        return Outcome(answer=_answer(subscriber, asked))
    if asked is None or asked.expires_at is None or asked.expires_at <= tx.now:
        raise rules.SubscriptionLinkOver
    begun = rules.activated(asked, tx.now)
    former = _same(held, asked, SubscriptionState.ACTIVE)
    if former is None:
        rules.require_room(held, SubscriptionState.ACTIVE)
    else:
        begun = msgspec.structs.replace(begun, covered_to=former.covered_to)
        await store.DELETE_SUBSCRIPTIONS.run(tx.connection, subscriptions=[former.id])
    await _save(tx, begun)
    await store.SCHEDULE_SUBSCRIBER.run(tx.connection, of_subscriber=subscriber.id, next_on=begun.next_on)
    event = SubscriptionBegun(
        subject_id=begun.id,
        subscriber_id=subscriber.id,
        before=_facts(subscriber, asked),
        after=_facts(subscriber, begun),
    )
    return Outcome(answer=_answer(subscriber, begun), events=(event,))


# ---- seen and ended


async def subscriber_of_phone(connection: Connection, citizen: CitizenPass) -> UUID:
    """Who is told by SMS to the phone that the pass was verified for. Raises `PhoneNotVerified` or `NotFound`."""
    if citizen.phone_index is None:
        raise PhoneNotVerified("请先发送验证码，再填写短信里的6位数字。", field="phone")
    found = await store.SUBSCRIBER_BY_ADDRESS.first(
        connection, address_index=citizen.phone_index, channel=DigestChannel.SMS
    )
    if found is None:
        raise NotFound(_NOTHING)
    return found.id


async def read_own(connection: Connection, vault: Vault, subscriber_id: UUID) -> OwnSubscriptions:
    """我的订阅, those that are in force. Raises `NotFound` once there are none."""
    subscriber = await store.SUBSCRIBER_BY_ID.first(connection, subscriber_id=subscriber_id)
    if subscriber is None:
        raise NotFound(_NOTHING)
    held = await store.OF_SUBSCRIBER.all(connection, subscriber_id=subscriber_id)
    return OwnSubscriptions(
        channel=subscriber.channel,
        address_masked=rules.mask(subscriber.channel, vault.open(ADDRESS_LABEL, subscriber.address_sealed)),
        items=[
            OwnSubscription(
                id=each.id,
                topic=each.topic,
                topic_label=each.topic.label,
                label=each.label,
                frequency=each.frequency,
                frequency_label=each.frequency.label,
                confirmed_at=each.confirmed_at,
            )
            for each in held
            if each.confirmed_at is not None
        ],
    )


async def end_own(
    tx: Transaction, citizen: CitizenPass, subscription_id: UUID | None
) -> Outcome[SubscriptionsEndedAnswer]:
    """退订 by the pass of the phone that is told by SMS. Raises `PhoneNotVerified` or `NotFound`."""
    return await end(tx, await subscriber_of_phone(tx.connection, citizen), subscription_id)


async def end(
    tx: Transaction, subscriber_id: UUID, subscription_id: UUID | None = None
) -> Outcome[SubscriptionsEndedAnswer]:
    """退订 of one, or of all with whatever waits to be confirmed. With the last one the address is forgotten.

    What is ended already is no error: the end was meant, and there it is.
    """
    subscriber = await store.LOCK_SUBSCRIBER.first(tx.connection, subscriber_id=subscriber_id)
    if subscriber is None:
        return Outcome(answer=SubscriptionsEndedAnswer(ended=0))
    held = await store.OF_SUBSCRIBER.all(tx.connection, subscriber_id=subscriber_id)
    ending = [each for each in held if subscription_id in {None, each.id}]
    await store.DELETE_SUBSCRIPTIONS.run(tx.connection, subscriptions=[each.id for each in ending])
    await store.DELETE_IF_IDLE.run(tx.connection, subscribers=[subscriber_id])
    events = tuple(
        SubscriptionEnded(subject_id=each.id, subscriber_id=subscriber_id, before=_facts(subscriber, each))
        for each in ending
    )
    return Outcome(answer=SubscriptionsEndedAnswer(ended=len(ending)), events=events)


async def forget_unconfirmed(tx: Transaction, at_once: int) -> Outcome[int]:
    """What nobody confirmed in three days, with its address; gives of how many subscribers."""
    found = await store.LOCK_UNCONFIRMED.all(tx.connection, now=tx.now, limit=at_once)
    subscribers = [each.id for each in found]
    await store.DELETE_UNCONFIRMED.run(tx.connection, subscribers=subscribers, now=tx.now)
    await store.DELETE_IF_IDLE.run(tx.connection, subscribers=subscribers)
    return Outcome(answer=len(subscribers))


async def _save(tx: Transaction, changed: Subscription) -> None:
    await store.UPDATE_SUBSCRIPTION.run(tx.connection, **msgspec.structs.asdict(changed), of_subscription=changed.id)


def _index_of(vault: Vault, channel: DigestChannel, address: str) -> bytes:
    """A phone is found as its pass knows it; two spellings of one mailbox are one address."""
    if channel is DigestChannel.SMS:
        return vault.blind_index(PHONE_LABEL, address)
    return vault.blind_index(ADDRESS_LABEL, address.lower())


def _same(held: Sequence[Subscription], asked: Subscription, state: SubscriptionState) -> Subscription | None:
    return next((each for each in held if each.topic_key == asked.topic_key and each.state is state), None)


def _facts(subscriber: Subscriber, subscription: Subscription) -> SubscriptionFacts:
    return SubscriptionFacts(
        topic=subscription.topic,
        frequency=subscription.frequency,
        channel=subscriber.channel,
        state=subscription.state,
        expires_at=subscription.expires_at,
    )


def _answer(subscriber: Subscriber, subscription: Subscription) -> SubscriptionAnswer:
    return SubscriptionAnswer(
        id=subscription.id,
        state=subscription.state,
        channel=subscriber.channel,
        topic=subscription.topic,
        label=subscription.label,
        frequency=subscription.frequency,
        expires_at=subscription.expires_at,
    )
