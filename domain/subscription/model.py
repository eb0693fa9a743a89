"""Values of subscriptions."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec

from domain.search.model import EntryKind

MOST_OF_AN_ADDRESS: Final = 20
MOST_PENDING: Final = 3
"""Confirmations under way to one address: whoever types another's address cannot fill its mailbox."""
MOST_KEYWORDS: Final = 5
CONFIRMATION_LIFETIME: Final = timedelta(days=3)
NEWS_KEPT: Final = timedelta(days=15)
"""A weekly digest that is a week late still tells all of it."""
DIGESTS_KEPT: Final = timedelta(days=30)
"""For as long a link to one opens it."""
MOST_ENTRIES: Final = 100
"""Of one digest; a mail lists the first of them, its page all."""


class DigestChannel(enum.StrEnum):
    """短信 or 邮件."""

    SMS = "sms"
    EMAIL = "email"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return {DigestChannel.SMS: "短信", DigestChannel.EMAIL: "邮件"}[self]


class Frequency(enum.StrEnum):
    """每日 or 每周."""

    DAILY = "daily"
    WEEKLY = "weekly"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return {Frequency.DAILY: "每日", Frequency.WEEKLY: "每周一"}[self]


class Topic(enum.StrEnum):
    """What a subscription is about: 企业, 场所, 场景, 地区, 关键词."""

    ENTERPRISE = "enterprise"
    SITE = "site"
    SCENE = "scene"
    REGION = "region"
    KEYWORDS = "keywords"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _TOPICS[self]


_TOPICS: Final[Mapping[Topic, str]] = {
    Topic.ENTERPRISE: "企业",
    Topic.SITE: "场所",
    Topic.SCENE: "场景",
    Topic.REGION: "地区",
    Topic.KEYWORDS: "关键词",
}


class SubscriptionState(enum.StrEnum):
    """待确认, 已生效. There is no third: what is ended is gone."""

    PENDING = "pending"
    ACTIVE = "active"


class NewSubscription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a citizen asks to be told of, and how.

    By `topic`: `uscc` of the enterprise, `site_id`, `scene_code`, `region_code`, or `keywords`. A scene and keywords
    may be narrowed to `region_code`. A mail needs `email`; an SMS goes to the phone that the pass was verified for.
    """

    topic: Topic
    channel: DigestChannel
    frequency: Frequency = Frequency.WEEKLY
    uscc: Annotated[str, msgspec.Meta(max_length=30)] | None = None
    site_id: UUID | None = None
    scene_code: Annotated[str, msgspec.Meta(max_length=10)] | None = None
    region_code: Annotated[str, msgspec.Meta(max_length=12)] | None = None
    keywords: Annotated[list[Annotated[str, msgspec.Meta(max_length=60)]], msgspec.Meta(max_length=20)] = []
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a subscription is about, checked; `label` names it to people, `key` is equal for equal subjects."""

    topic: Topic
    label: str
    enterprise_id: UUID | None = None
    site_id: UUID | None = None
    scene_code: str | None = None
    region_code: str | None = None
    keywords: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Equal for equal subjects, in whatever order the keywords were typed."""
        named = self.enterprise_id or self.site_id or self.scene_code or ",".join(sorted(self.keywords))
        return f"{self.topic}:{named}@{self.region_code or ''}"


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """订阅人: an address that is written to."""

    id: UUID
    channel: DigestChannel
    address_sealed: bytes
    next_on: date | None


class SubscriberAddress(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a subscriber as it is stored; it is opened only where a message is sent."""

    channel: DigestChannel
    address_sealed: bytes


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """订阅 as it is stored."""

    id: UUID
    subscriber_id: UUID
    topic: Topic
    topic_key: str
    enterprise_id: UUID | None
    site_id: UUID | None
    scene_code: str | None
    region_code: str | None
    keywords: list[str]
    label: str
    frequency: Frequency
    state: SubscriptionState
    created_at: datetime
    expires_at: datetime | None
    confirmed_at: datetime | None
    covered_to: datetime | None
    next_on: date | None

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return Subject(
            topic=self.topic,
            label=self.label,
            enterprise_id=self.enterprise_id,
            site_id=self.site_id,
            scene_code=self.scene_code,
            region_code=self.region_code,
            keywords=tuple(self.keywords),
        )


class SubscriptionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription that was asked for: `pending` until the link in the mail is followed, which is good for 3 days.

    To a mail address the answer is the same whether or not it has this subscription already.
    """

    id: UUID
    state: SubscriptionState
    channel: DigestChannel
    topic: Topic
    label: str
    frequency: Frequency
    expires_at: datetime | None


class OwnSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """订阅 as its owner sees it."""

    id: UUID
    topic: Topic
    topic_label: str
    label: str
    frequency: Frequency
    frequency_label: str
    confirmed_at: datetime


class OwnSubscriptions(msgspec.Struct, frozen=True, kw_only=True):
    """All that one address is told about; the address itself only masked."""

    channel: DigestChannel
    address_masked: str
    items: list[OwnSubscription]


class SubscriptionsEndedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How many subscriptions an ending took away; none where they were ended before."""

    ended: int


# ---- digests


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One subscriber whose digest is due, with the subscriptions that take part."""

    subscriber_id: UUID
    subscriptions: tuple[Subscription, ...]


class Ask(msgspec.Struct, frozen=True):
    """What an entry must have: all `keys` of the index, and all `words` somewhere in its text, as LIKE takes them."""

    keys: tuple[str, ...]
    words: tuple[str, ...] = ()


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Something that became public and still is."""

    id: UUID
    kind: EntryKind
    entry_id: UUID
    at: datetime


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """摘要 as it is stored: which news, the newest first; `has_more` where there were more than are kept."""

    id: UUID
    subscriber_id: UUID
    on_day: date
    number: bytes
    news: list[UUID]
    has_more: bool
    made_at: datetime


class DigestEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a digest, as anybody may read it."""

    kind: EntryKind
    id: UUID
    target: str
    title: str
    authority: str | None
    dated_on: date | None
