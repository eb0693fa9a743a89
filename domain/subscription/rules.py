"""Rules of subscriptions: what may be asked for, under which keys it is found, and when a digest is due. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

import msgspec

from codes.divisions import resolve_division
from codes.phone import mask_phone
from domain.scene.catalogue import scenes
from domain.search.rules import read_words, words_of
from domain.shared.clock import WORKING_ZONE, local_date
from domain.shared.errors import DomainError, InvalidField, NotFound
from domain.subscription.model import (
    MOST_ENTRIES,
    MOST_KEYWORDS,
    MOST_OF_AN_ADDRESS,
    MOST_PENDING,
    Ask,
    DigestChannel,
    Frequency,
    News,
    NewSubscription,
    Subject,
    Subscription,
    SubscriptionState,
    Topic,
)

DIGESTS_FROM: Final = time(8, 0)
"""No digest is made before that hour of Asia/Shanghai."""
_KEYWORD: Final = range(2, 21)
_MONDAY: Final = 0
_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_LONGEST_MAIL: Final = 254
_NARROWED: Final = frozenset({Topic.SCENE, Topic.KEYWORDS})


class TooManySubscriptions(DomainError):
    """The address is told about as much as one address can be: end one first."""


class TooManyConfirmations(DomainError):
    """Confirmations are under way to that address: follow the link in one of those mails first."""


class SubscriptionLinkUnknown(DomainError):
    """The link is none of ours, or was cut."""


class SubscriptionLinkOver(DomainError):
    """What the link led to is over: ended, forgotten or too old."""


# ---- what is asked for


def mailbox_of(text: str | None) -> str:
    """The mail address as it is written to, its host in small letters. Raises `InvalidField`."""
    typed = (text or "").strip()
    if len(typed) > _LONGEST_MAIL or not _MAILBOX.fullmatch(typed):
        raise InvalidField("请填写有效的邮箱地址。", field="email")
    local, _, host = typed.rpartition("@")
    return f"{local}@{host.lower()}"


def mask(channel: DigestChannel, address: str) -> str:
    """The address as its owner recognises it."""
    if channel is DigestChannel.SMS:
        return mask_phone(address)
    local, _, host = address.rpartition("@")
    return f"{local[:1]}***@{host}"


def tidy_keywords(typed: Iterable[str]) -> tuple[str, ...]:
    """Each once, in one width and case, its words a blank apart. Raises `InvalidField`."""
    tidied = tuple(dict.fromkeys(" ".join(words_of(each)) for each in typed if each.strip()))
    if not 1 <= len(tidied) <= MOST_KEYWORDS:
        raise InvalidField(f"请填写1至{MOST_KEYWORDS}个关键词。", field="keywords")
    for each in tidied:
        if len(each) not in _KEYWORD:
            raise InvalidField("每个关键词应为2至20字。", field="keywords")
        try:
            read_words(each)
        except InvalidField as vague:
            raise InvalidField("关键词中没有可以查找的内容。", field="keywords") from vague
    return tidied


def subject_without_register(new: NewSubscription) -> Subject:
    """场景, 地区 or 关键词, which need no look into the register. Raises `InvalidField`."""
    region = _region(new.region_code, needed=new.topic is Topic.REGION)
    place = "" if region is None else f"（{region[1]}）"
    code = None if region is None else region[0]
    match new.topic:
        case Topic.SCENE:
            name = next((each.name for each in scenes() if each.code == new.scene_code), None)
            if name is None:
                raise InvalidField("请选择监管领域（场景）。", field="scene_code")
            return Subject(topic=new.topic, label=name + place, scene_code=new.scene_code, region_code=code)
        case Topic.KEYWORDS:
            keywords = tidy_keywords(new.keywords)
            return Subject(topic=new.topic, label="、".join(keywords) + place, keywords=keywords, region_code=code)
        case Topic.REGION:
            return Subject(topic=new.topic, label="" if region is None else region[1], region_code=code)
        case Topic.ENTERPRISE | Topic.SITE:
            raise NotFound


def _region(code: str | None, *, needed: bool) -> tuple[str, str] | None:
    if not code and not needed:
        return None
    division = resolve_division(code or "")
    if division is None or division.successor_code is not None:
        raise InvalidField("请选择现行的行政区划。" if code else "请选择地区。", field="region_code")
    return division.code, division.name


def require_fitting(new: NewSubscription) -> None:
    """Raises `InvalidField` where something is said that the topic or the channel has no use for."""
    given = {
        "uscc": (new.uscc, {Topic.ENTERPRISE}),
        "site_id": (new.site_id, {Topic.SITE}),
        "scene_code": (new.scene_code, {Topic.SCENE}),
        "region_code": (new.region_code, {Topic.REGION, *_NARROWED}),
        "keywords": (new.keywords, {Topic.KEYWORDS}),
    }
    for field, (said, topics) in given.items():
        if said and new.topic not in topics:
            raise InvalidField("与所选的订阅内容不符。", field=field)
    if new.email and new.channel is not DigestChannel.EMAIL:
        raise InvalidField("短信订阅不需要邮箱。", field="email")


def require_room(held: Sequence[Subscription], state: SubscriptionState) -> None:
    """Raises `TooManySubscriptions` or `TooManyConfirmations`."""
    active = sum(each.state is SubscriptionState.ACTIVE for each in held)
    if state is SubscriptionState.ACTIVE and active >= MOST_OF_AN_ADDRESS:
        raise TooManySubscriptions(f"一个号码或邮箱最多订阅{MOST_OF_AN_ADDRESS}项，请先退订不需要的。")
    if state is SubscriptionState.PENDING and len(held) - active >= MOST_PENDING:
        raise TooManyConfirmations("该邮箱已有确认邮件待处理，请先打开邮件确认。")


# ---- when it is told


def activated(pending: Subscription, now: datetime) -> Subscription:
    """已生效: told of all that becomes public from this day on."""
    today = local_date(now)
    return msgspec.structs.replace(
        pending,
        state=SubscriptionState.ACTIVE,
        expires_at=None,
        confirmed_at=now,
        covered_to=start_of(today),
        next_on=next_on(pending.frequency, today),
    )


def next_on(frequency: Frequency, today: date) -> date:
    """The next day of a digest after `today`: each day, or Monday."""
    if frequency is Frequency.DAILY:
        return today + timedelta(days=1)
    return today + timedelta(days=(_MONDAY - today.weekday() - 1) % 7 + 1)


def start_of(day: date) -> datetime:
    """The first instant of the day, of Asia/Shanghai: so far a digest of that day tells.

    That is hours before it is made, so that whatever was then still being committed has long been there.
    """
    return datetime.combine(day, time.min, WORKING_ZONE)


def is_time(now: datetime) -> bool:
    """Whether digests may be made: from eight in the morning on."""
    return now.astimezone(WORKING_ZONE).time() >= DIGESTS_FROM


# ---- what matches


def asks_of(subject: Subject) -> list[Ask]:
    """What an entry that is meant fulfils, one of these in full."""
    within = (f"r:{subject.region_code}",) if subject.region_code else ()
    match subject.topic:
        case Topic.ENTERPRISE:
            return [Ask((f"e:{subject.enterprise_id}",))]
        case Topic.SITE:
            return [Ask((f"s:{subject.site_id}",))]
        case Topic.SCENE:
            return [Ask((f"c:{subject.scene_code}", *within))]
        case Topic.REGION:
            return [Ask(within)]
        case Topic.KEYWORDS:
            # No word holds a sign that LIKE reads as its own: they part words.
            return [
                Ask((*read_words(each).exact, *within), tuple(f"%{word}%" for word in words_of(each)))
                for each in subject.keywords
            ]


def merge(found: Iterable[Sequence[News]]) -> tuple[list[News], bool]:
    """The newest entries of all topics, each once however often it was published; and whether there were more."""
    newest: dict[tuple[str, object], News] = {}
    is_cut = False
    for news in found:
        is_cut = is_cut or len(news) > MOST_ENTRIES
        for each in news:
            place = (each.kind, each.entry_id)
            known = newest.get(place)
            if known is None or (known.at, known.id.int) < (each.at, each.id.int):
                newest[place] = each
    ordered = sorted(newest.values(), key=lambda each: (each.at, each.id.int), reverse=True)
    return ordered[:MOST_ENTRIES], is_cut or len(ordered) > MOST_ENTRIES
