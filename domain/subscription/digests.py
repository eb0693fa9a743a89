"""摘要: what became public is noted with the act that made it so, and told once a day or a week to who asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import UUID

import msgspec

from domain.checklist.events import ChecklistPublished
from domain.exposure.events import ExposurePublished
from domain.manual.events import ManualPublished
from domain.publication.events import PublicationReleased, ResultPublished
from domain.publication.model import PublicationState
from domain.shared.clock import local_date
from domain.shared.events import Event
from domain.shared.sql import Command, Connection, Query
from domain.shared.transaction import Outcome, Transaction
from domain.subscription import news_store, rules, store
from domain.subscription.events import DigestFacts, DigestsMade, MadeDigest
from domain.subscription.links import NUMBER_BYTES
from domain.subscription.model import (
    DIGESTS_KEPT,
    MOST_ENTRIES,
    NEWS_KEPT,
    Ask,
    Digest,
    DigestEntry,
    News,
    Subscription,
    Topic,
)
from domain.subscription.rules import SubscriptionLinkOver

_NOTED: Final[Mapping[type[Event], Command]] = {
    ResultPublished: news_store.NOTE_RESULT,
    PublicationReleased: news_store.NOTE_RESULT,
    ExposurePublished: news_store.NOTE_EXPOSURE,
    ManualPublished: news_store.NOTE_MANUAL,
    ChecklistPublished: news_store.NOTE_CHECKLIST,
}
_MOST_REMEMBERED: Final = 5_000
_Asked = tuple[Ask, datetime, datetime]


async def note_news(tx: Transaction, event: Event) -> None:
    """Keep what `event` made public, after the search has taken it in: what the search knows not is not public."""
    note = _NOTED.get(type(event))
    if note is None or _was_public(event):
        return
    await note.run(tx.connection, news_id=tx.new_id(), entry_id=event.subject_id, now=tx.now)


def _was_public(event: Event) -> bool:
    """Whether a release only took the mark of an objection from what had been public all the time."""
    return (
        isinstance(event, PublicationReleased)
        and event.before is not None
        and event.before.state == PublicationState.PUBLISHED
    )


class Matches:
    """What is asked for, looked up once a round however many ask for it; its memory is bounded."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._known: dict[_Asked, Sequence[News]] = {}

    async def find(self, connection: Connection, subscription: Subscription, until: datetime) -> list[Sequence[News]]:
        """Of each thing that the subscription asks for the newest since it was told last, one more than are told."""
        since = subscription.covered_to or until
        # A scene within a region is one of thousands; a scene or a region alone one of some dozens.
        is_common = subscription.topic is Topic.REGION or (
            subscription.topic is Topic.SCENE and subscription.region_code is None
        )
        query = news_store.COMMON_NEWS if is_common else news_store.RARE_NEWS
        return [await self._find(connection, query, ask, since, until) for ask in rules.asks_of(subscription.subject)]

    async def _find(
        self, connection: Connection, query: Query[News], ask: Ask, since: datetime, until: datetime
    ) -> Sequence[News]:
        asked = (ask, since, until)
        known = self._known.get(asked)
        if known is None:
            known = await query.all(
                connection,
                keys=list(ask.keys),
                words=list(ask.words),
                since=since,
                until=until,
                today=local_date(until),
            )
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[asked] = known
        return known


async def make_digests(tx: Transaction, matches: Matches, at_once: int) -> Outcome[int]:
    """One page of the round: `at_once` subscribers whose day has come, none that another worker has in hand.

    Told they are of all that became public before this day. Whoever has nothing new gets no message. Gives how many
    subscribers were looked at; with fewer than `at_once` the round is over.
    """
    today = local_date(tx.now)
    due = await store.LOCK_DUE_SUBSCRIBERS.all(tx.connection, today=today, limit=at_once)
    if not due:
        return Outcome(answer=0)
    subscribers = [each.id for each in due]
    active = await store.ACTIVE_OF.all(tx.connection, subscribers=subscribers)
    by_subscriber = attrgetter("subscriber_id")
    held = {
        subscriber_id: list(group) for subscriber_id, group in groupby(sorted(active, key=by_subscriber), by_subscriber)
    }
    made: list[Digest] = []
    for subscriber_id in subscribers:
        digest = await _digest_of(tx, matches, subscriber_id, _due(held.get(subscriber_id, []), today))
        if digest is not None:
            made.append(digest)
    await store.INSERT_DIGEST.run_many(tx.connection, [msgspec.structs.asdict(each) for each in made])
    await _mark_told(tx, held, subscribers, today)
    channels = {each.id: each.channel for each in due}
    event = DigestsMade(
        subject_id=tx.new_id(),
        after=DigestFacts(on_day=today, told=len(made), without_news=len(due) - len(made)),
        digests=[
            MadeDigest(
                id=each.id,
                subscriber_id=each.subscriber_id,
                channel=channels[each.subscriber_id],
                count=count_text(len(each.news), has_more=each.has_more),
            )
            for each in made
        ],
    )
    return Outcome(answer=len(due), events=(event,))


def count_text(count: int, *, has_more: bool) -> str:
    """How many are new, as a message says it."""
    return f"{count}余" if has_more else str(count)


def _due(held: Sequence[Subscription], today: date) -> list[Subscription]:
    return [each for each in held if each.next_on is not None and each.next_on <= today]


async def _digest_of(
    tx: Transaction, matches: Matches, subscriber_id: UUID, due: Sequence[Subscription]
) -> Digest | None:
    today = local_date(tx.now)
    until = rules.start_of(today)
    news, has_more = rules.merge([found for each in due for found in await matches.find(tx.connection, each, until)])
    if not news:
        return None
    return Digest(
        id=tx.new_id(),
        subscriber_id=subscriber_id,
        on_day=today,
        number=tx.random(NUMBER_BYTES),
        news=[each.id for each in news],
        has_more=has_more,
        made_at=tx.now,
    )


async def _mark_told(
    tx: Transaction, held: Mapping[UUID, Sequence[Subscription]], subscribers: Sequence[UUID], today: date
) -> None:
    """Each subscription to its next day, each subscriber to the first of those; who has none left is not due again."""
    told = {each.id: rules.next_on(each.frequency, today) for group in held.values() for each in _due(group, today)}
    await store.MARK_TOLD.run(
        tx.connection, subscriptions=list(told), days=list(told.values()), until=rules.start_of(today)
    )
    first = {
        subscriber_id: min(
            (day for each in held.get(subscriber_id, []) if (day := told.get(each.id, each.next_on)) is not None),
            default=None,
        )
        for subscriber_id in subscribers
    }
    await store.SCHEDULE_SUBSCRIBERS.run(tx.connection, subscribers=list(first), next_days=list(first.values()))


# ---- what a digest shows


class OpenDigest(msgspec.Struct, frozen=True, kw_only=True):
    """A digest as it is read: what of it is public still, the newest first."""

    digest: Digest
    entries: list[DigestEntry]


async def read_digest(connection: Connection, digest_id: UUID, now: datetime) -> OpenDigest | None:
    """The digest of a message that is just being sent; None once it is gone."""
    digest = await store.DIGEST_BY_ID.first(connection, digest_id=digest_id)
    return None if digest is None else await _open(connection, digest, now)


async def read_digest_numbered(connection: Connection, number: bytes, now: datetime) -> OpenDigest:
    """The digest that a short link names. Raises `SubscriptionLinkOver` after thirty days, or once it is gone."""
    digest = await store.DIGEST_BY_NUMBER.first(connection, number=number, since=now - DIGESTS_KEPT)
    if digest is None:
        raise SubscriptionLinkOver
    return await _open(connection, digest, now)


async def _open(connection: Connection, digest: Digest, now: datetime) -> OpenDigest:
    entries = await news_store.ENTRIES_OF_NEWS.all(connection, news=digest.news[:MOST_ENTRIES], today=local_date(now))
    return OpenDigest(digest=digest, entries=entries)


async def forget_old(tx: Transaction, at_once: int) -> Outcome[int]:
    """Digests after thirty days, news after fifteen days, some at a time; gives how many news were forgotten."""
    await store.DELETE_OLD_DIGESTS.run(tx.connection, before=tx.now - DIGESTS_KEPT)
    forgotten = await news_store.DELETE_OLD_NEWS.run(tx.connection, before=tx.now - NEWS_KEPT, limit=at_once)
    return Outcome(answer=forgotten)
