"""Rules of subscriptions: what may be asked for, what matches, when a digest is due, and links that nobody forges."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.search.model import EntryKind
from domain.shared.errors import InvalidField
from domain.shared.keys import KeyPurpose, KeyRing, KeyState, KeyVersion, first_version, next_version
from domain.subscription import rules
from domain.subscription.links import LinkPurpose, SubscriptionLinks
from domain.subscription.model import (
    MOST_ENTRIES,
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

MONDAY = date(2026, 8, 3)
NOON = datetime(2026, 8, 5, 4, 0, tzinfo=UTC)


def asked(topic: Topic = Topic.KEYWORDS, **said: Any) -> NewSubscription:
    """What a citizen asks for by mail."""
    return NewSubscription(topic=topic, channel=DigestChannel.EMAIL, **said)


def held(state: SubscriptionState = SubscriptionState.PENDING, **changes: Any) -> Subscription:
    """A subscription as it is stored."""
    fields: dict[str, Any] = {
        "id": uuid4(),
        "subscriber_id": uuid4(),
        "topic": Topic.SCENE,
        "topic_key": "scene:S01@",
        "enterprise_id": None,
        "site_id": None,
        "scene_code": "S01",
        "region_code": None,
        "keywords": [],
        "label": "乳品安全",
        "frequency": Frequency.WEEKLY,
        "state": state,
        "created_at": NOON,
        "expires_at": NOON + timedelta(days=3),
        "confirmed_at": None,
        "covered_to": None,
        "next_on": None,
    }
    return Subscription(**{**fields, **changes})


def news(at: datetime = NOON, entry: UUID | None = None) -> News:
    """Something that became public."""
    return News(id=uuid4(), kind=EntryKind.RESULT, entry_id=entry or uuid4(), at=at)


# What may be asked for


def test_keywords_are_tidied_and_said_once() -> None:
    assert rules.tidy_keywords(["  油烟 ", "ＬＮＧ气瓶", "lng气瓶", "", "后厨，卫生"]) == (
        "油烟",
        "lng气瓶",
        "后厨 卫生",
    )


@pytest.mark.parametrize(
    "typed", [[], ["  "], ["油"], ["长" * 21], ["a b"], ["，。"], [f"关键{number}" for number in range(6)]]
)
def test_keywords_that_say_nothing_or_too_much_are_refused(typed: list[str]) -> None:
    with pytest.raises(InvalidField) as refused:
        rules.tidy_keywords(typed)
    assert refused.value.field == "keywords"


@pytest.mark.parametrize("typed", ["li@example.com", " li.hua+yima@mail.Example.COM "])
def test_a_mailbox_is_taken_with_its_host_in_small_letters(typed: str) -> None:
    assert rules.mailbox_of(typed).rpartition("@")[2] in {"example.com", "mail.example.com"}


@pytest.mark.parametrize(
    "typed",
    [
        None,
        "",
        "li",
        "li@",
        "@example.com",
        "li@localhost",
        "li@example.com\nBcc: x@y.cn",
        "li hua@example.com",
        "李@例子.中国",
    ],
)
def test_what_is_no_mailbox_is_refused(typed: str | None) -> None:
    with pytest.raises(InvalidField) as refused:
        rules.mailbox_of(typed)
    assert refused.value.field == "email"


def test_a_scene_and_a_region_are_those_of_the_catalogues() -> None:
    subject = rules.subject_without_register(asked(Topic.SCENE, scene_code="S01", region_code="450103"))
    assert (subject.label, subject.key) == ("乳品安全（青秀区）", "scene:S01@450103")
    assert rules.subject_without_register(asked(Topic.REGION, region_code="450100")).label == "南宁市"
    for field, wrong in (
        ("scene_code", asked(Topic.SCENE, scene_code="S99")),
        ("region_code", asked(Topic.REGION)),
        ("region_code", asked(Topic.REGION, region_code="110000")),
        ("region_code", asked(Topic.KEYWORDS, keywords=["油烟"], region_code="999999")),
    ):
        with pytest.raises(InvalidField) as refused:
            rules.subject_without_register(wrong)
        assert refused.value.field == field


def test_what_the_topic_has_no_use_for_is_refused() -> None:
    for field, wrong in (
        ("uscc", asked(Topic.SCENE, scene_code="S01", uscc="91450103MA5KQ00X07")),
        ("keywords", asked(Topic.REGION, region_code="450100", keywords=["油烟"])),
        ("region_code", asked(Topic.SITE, site_id=uuid4(), region_code="450100")),
        ("email", NewSubscription(topic=Topic.SCENE, channel=DigestChannel.SMS, scene_code="S01", email="a@b.cn")),
    ):
        with pytest.raises(InvalidField) as refused:
            rules.require_fitting(wrong)
        assert refused.value.field == field


def test_the_same_keywords_in_another_order_are_the_same_subject() -> None:
    one = Subject(topic=Topic.KEYWORDS, label="", keywords=("油烟", "燃气"))
    other = Subject(topic=Topic.KEYWORDS, label="", keywords=("燃气", "油烟"))
    assert one.key == other.key != Subject(topic=Topic.KEYWORDS, label="", keywords=("油烟",)).key


def test_an_address_has_room_for_twenty_and_three_under_way() -> None:
    active = [held(SubscriptionState.ACTIVE) for _ in range(20)]
    with pytest.raises(rules.TooManySubscriptions):
        rules.require_room(active, SubscriptionState.ACTIVE)
    rules.require_room(active[1:], SubscriptionState.ACTIVE)
    with pytest.raises(rules.TooManyConfirmations):
        rules.require_room([held()] * 3, SubscriptionState.PENDING)
    rules.require_room([*active, held(), held()], SubscriptionState.PENDING)


@pytest.mark.parametrize(
    ("channel", "address", "masked"),
    [(DigestChannel.SMS, "13877155555", "138****5555"), (DigestChannel.EMAIL, "lihua@example.com", "l***@example.com")],
)
def test_an_address_is_shown_masked(channel: DigestChannel, address: str, masked: str) -> None:
    assert rules.mask(channel, address) == masked


# When it is told


def test_a_daily_digest_comes_the_next_day_and_a_weekly_one_on_monday() -> None:
    for days in range(7):
        today = MONDAY + timedelta(days=days)
        assert rules.next_on(Frequency.DAILY, today) == today + timedelta(days=1)
        assert rules.next_on(Frequency.WEEKLY, today) == MONDAY + timedelta(days=7)


def test_digests_are_made_from_eight_in_the_morning_of_the_region() -> None:
    assert not rules.is_time(datetime(2026, 8, 4, 23, 59, tzinfo=UTC))
    assert rules.is_time(datetime(2026, 8, 5, 0, 0, tzinfo=UTC))
    assert rules.is_time(datetime(2026, 8, 5, 15, 59, tzinfo=UTC))
    assert not rules.is_time(datetime(2026, 8, 5, 16, 0, tzinfo=UTC))


def test_a_confirmed_subscription_is_told_of_all_from_that_day_on() -> None:
    begun = rules.activated(held(frequency=Frequency.DAILY), NOON)
    assert begun.state is SubscriptionState.ACTIVE
    assert begun.expires_at is None
    assert begun.covered_to == datetime(2026, 8, 4, 16, 0, tzinfo=UTC)
    assert begun.next_on == date(2026, 8, 6)


# What matches


def test_each_topic_asks_by_its_own_keys() -> None:
    enterprise, site = uuid4(), uuid4()

    def asks(topic: Topic, **of: Any) -> list[Ask]:
        return rules.asks_of(Subject(topic=topic, label="", **of))

    assert asks(Topic.ENTERPRISE, enterprise_id=enterprise) == [Ask((f"e:{enterprise}",))]
    assert asks(Topic.SITE, site_id=site) == [Ask((f"s:{site}",))]
    assert asks(Topic.SCENE, scene_code="S02", region_code="450100") == [Ask(("c:S02", "r:450100"))]
    assert asks(Topic.REGION, region_code="450100") == [Ask(("r:450100",))]


def test_one_keyword_is_enough_and_each_of_its_words_must_stand_in_the_text() -> None:
    subject = Subject(topic=Topic.KEYWORDS, label="", keywords=("燃气瓶", "后厨 卫生"), region_code="450100")
    assert rules.asks_of(subject) == [
        Ask(("燃气", "气瓶", "r:450100"), ("%燃气瓶%",)),
        Ask(("后厨", "卫生", "r:450100"), ("%后厨%", "%卫生%")),
    ]


def test_what_two_topics_share_is_told_once_the_newest_first() -> None:
    old, new = news(NOON), news(NOON + timedelta(hours=1))
    again = news(NOON + timedelta(hours=2), entry=old.entry_id)
    assert rules.merge([[old, new], [new, again]]) == ([again, new], False)


def test_a_digest_holds_a_hundred_and_says_when_there_were_more() -> None:
    many = [news(NOON + timedelta(minutes=number)) for number in range(MOST_ENTRIES + 1)]
    told, has_more = rules.merge([many])
    assert (len(told), has_more) == (MOST_ENTRIES, True)
    assert rules.merge([many[:60], many[60:100]])[1] is False


# Links


def ring(*versions: int) -> KeyRing:
    """A ring whose link key has been rolled."""
    root = b"k" * 32
    rows = [first_version(root, KeyPurpose.LINK)]
    for _ in versions:
        rows = [*[_verifying(row) for row in rows], next_version(root, KeyPurpose.LINK, rows[-1].version)]
    return KeyRing(root, rows)


def _verifying(row: KeyVersion) -> KeyVersion:
    return msgspec.structs.replace(row, state=KeyState.VERIFYING)


def test_a_link_opens_what_it_was_made_for_and_nothing_else() -> None:
    links, named = SubscriptionLinks(ring()), uuid4()
    token = links.write(LinkPurpose.CONFIRM, named)
    assert len(token) == 40
    assert links.read(LinkPurpose.CONFIRM, token) == named
    with pytest.raises(rules.SubscriptionLinkUnknown):
        links.read(LinkPurpose.MANAGE, token)


def test_a_short_link_fits_a_message_and_opens_its_digest() -> None:
    links, number = SubscriptionLinks(ring()), os.urandom(6)
    assert len(links.write_short(number)) == 11
    assert links.read_short(links.write_short(number)) == number


def test_links_outlive_a_rolled_key() -> None:
    old, named, number = SubscriptionLinks(ring()), uuid4(), os.urandom(6)
    rolled = SubscriptionLinks(ring(2))
    assert rolled.read(LinkPurpose.MANAGE, old.write(LinkPurpose.MANAGE, named)) == named
    assert rolled.read_short(old.write_short(number)) == number


def test_no_changed_letter_of_a_link_opens_anything() -> None:
    links = SubscriptionLinks(ring())
    long, short = links.write(LinkPurpose.MANAGE, uuid4()), links.write_short(bytes(range(6)))
    for token, read in ((long, partial(links.read, LinkPurpose.MANAGE)), (short, links.read_short)):
        for place, letter in enumerate(token):
            changed = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
            with pytest.raises(rules.SubscriptionLinkUnknown):
                read(changed)
        for broken in ("", token[:-1], token + "A", "链接", "%00", "A" * 500):
            with pytest.raises(rules.SubscriptionLinkUnknown):
                read(broken)
