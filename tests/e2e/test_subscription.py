"""订阅 over HTTP (PUB-11): asked for, confirmed, told of what became public, ended by one click."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.address_blocks import take_answer
from api.digest_round import forget_subscriptions, send_digests
from domain.shared.sql import borrow
from domain.subscription.links import LinkPurpose, SubscriptionLinks
from notifications.sms.segments import measure
from tests.support.citizens import PHONE, anonymous, code_of, verified
from tests.support.client import Api, accepted, refused
from tests.support.factories import DISTRICT, INSTALLATION, World, make_enterprise, make_site
from tests.support.inspecting import prepare_list
from tests.support.publishing import complete
from tests.support.subscribing import (
    A_BROWSER,
    MAILBOX,
    PUBLIC,
    an_order,
    asks,
    by_sms,
    confirm_link,
    link_in,
    mails,
    subscribed,
    subscribed_by_sms,
    texts,
    the_next_morning,
    waiting,
)
from tests.support.visits import nothing_changes, rows

OFFICE = "/api/v1/exposures"


async def expose(api: Api, world: World, title: str = "后厨油烟扰民专项检查") -> str:
    """An exposure of the market department, published just now."""
    order = {"title": title, "text": "正文。", "ends_on": "2026-12-31"}
    exposure = accepted(await api.as_(world.manager).post(OFFICE, order))["id"]
    accepted(await api.as_(world.lead).post(f"{OFFICE}/{exposure}/publication"))
    return exposure


async def withdraw(api: Api, world: World, exposure: str) -> None:
    """It is public no more."""
    accepted(await api.as_(world.lead).post(f"{OFFICE}/{exposure}/withdrawal", {"reason": "事实有误，予以撤下"}))


async def entries(api: Api) -> list[str]:
    """What the only mail that waits lists."""
    (mail,) = await mails(api, "subscription_digest")
    return [line.removeprefix("· ") for line in mail.text.splitlines() if line.startswith("· ")]


# Asked for and confirmed


async def test_a_mailbox_is_written_to_only_after_its_owner_says_so(api: Api, world: World) -> None:
    asked = await asks(api)
    assert (asked["state"], asked["label"], asked["frequency"]) == ("pending", "乳品安全", "daily")
    (mail,) = await mails(api, "subscription_confirm")
    assert (mail.address, mail.subject) == (MAILBOX, "请确认您的订阅")
    assert "场景“乳品安全”，每日发送" in mail.text
    path = link_in(mail.text, r"/subscriptions/confirm/[\w-]{40}")

    await complete(api, world, days=0)
    await the_next_morning(api)
    assert await waiting(api, "subscription_digest") == []

    async with nothing_changes(api):
        page = await api.http.get(path, headers=A_BROWSER)
    assert page.status_code == 200
    assert "确认订阅" in page.text
    assert "订阅已生效" in (await api.http.post(path)).text
    assert (await rows(api, "subscription"))[0]["state"] == "active"
    assert "订阅已生效" in (await api.http.post(path)).text
    assert [each["action"] for each in await rows(api, "trace") if each["subject"] == "subscription"] == [
        "subscription.requested",
        "subscription.begun",
    ]


async def test_what_is_not_confirmed_in_three_days_is_forgotten_with_its_address(api: Api, world: World) -> None:
    assert world
    asked = await asks(api)
    await subscribed(api, email="other@example.com")
    api.clock.advance(timedelta(days=3))
    path = f"{PUBLIC}/subscription-links/{confirm_link(api, asked['id'])}/confirmation"
    refused(await api.http.post(path), 410, "subscription-link-over")
    await forget_subscriptions(api.parts)
    assert len(await rows(api, "subscription")) == len(await rows(api, "subscriber")) == 1
    assert await mails(api, "subscription_confirm") == []


async def test_asking_again_sends_no_second_mail_and_a_third_party_cannot_fill_a_mailbox(
    api: Api, world: World
) -> None:
    assert world
    first = await asks(api)
    assert await asks(api) == first
    assert await asks(api, email=MAILBOX.upper().replace("EXAMPLE.COM", "example.com")) == first
    for scene in ("S02", "S03"):
        await asks(api, scene_code=scene)
    citizen = await anonymous(api)
    order = an_order(scene_code="S04")
    refused(await citizen.post(f"{PUBLIC}/subscriptions", order), 409, "too-many-confirmations")
    assert len(await waiting(api, "subscription_confirm")) == 3


async def test_the_answer_does_not_tell_whether_a_mailbox_subscribes_already(api: Api, world: World) -> None:
    assert world
    await subscribed(api)
    again = await asks(api, frequency="weekly")
    assert again["state"] == "pending"
    await api.http.post(f"{PUBLIC}/subscription-links/{confirm_link(api, again['id'])}/confirmation")
    (only,) = await rows(api, "subscription")
    assert (str(only["id"]), only["frequency"]) == (again["id"], "weekly")


async def test_an_sms_needs_the_verified_phone_and_nothing_else(api: Api, world: World) -> None:
    assert world
    refused(await (await anonymous(api)).post(f"{PUBLIC}/subscriptions", by_sms()), 403, "phone-not-verified", "phone")
    begun = await subscribed_by_sms(api)
    assert begun["state"] == "active"
    assert (await subscribed_by_sms(api, frequency="weekly"))["id"] == begun["id"]
    (only,) = await rows(api, "subscription")
    assert only["frequency"] == "weekly"


async def test_a_citizen_without_a_pass_is_refused_and_one_key_has_one_effect(api: Api, world: World) -> None:
    assert world
    refused(await api.anyone.post(f"{PUBLIC}/subscriptions", an_order()), 401, "pass-required")
    citizen, key = await verified(api), str(uuid4())
    first = accepted(await citizen.post(f"{PUBLIC}/subscriptions", by_sms(), key=key))
    again = await citizen.post(f"{PUBLIC}/subscriptions", by_sms(), key=key)
    assert accepted(again) == first
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"topic": "enterprise", "scene_code": None, "uscc": "91450103MA5KQ00X99"}, "uscc"),
        ({"topic": "site", "scene_code": None, "site_id": str(uuid4())}, "site_id"),
        ({"topic": "site", "scene_code": None}, "site_id"),
        ({"topic": "region", "scene_code": None, "region_code": "110000"}, "region_code"),
        ({"topic": "keywords", "scene_code": None, "keywords": ["油"]}, "keywords"),
        ({"scene_code": "S99"}, "scene_code"),
        ({"email": "nobody"}, "email"),
        ({"uscc": "91450103MA5KQ00X99"}, "uscc"),
        ({"channel": "sms"}, "email"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_field(
    api: Api, world: World, changes: dict[str, Any], field: str
) -> None:
    assert world
    citizen = await verified(api)
    refused(await citizen.post(f"{PUBLIC}/subscriptions", an_order(**changes)), 422, "invalid-field", field)
    assert await rows(api, "subscription") == []


async def test_a_natural_person_cannot_be_followed(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        person = await make_enterprise(connection, api.parts.vault, name="韦秀英", object_type="自然人")
        site = await make_site(connection, person, world.market)
    citizen = await anonymous(api)
    for order, field in (
        (an_order(topic="enterprise", scene_code=None, uscc=person.uscc), "uscc"),
        (an_order(topic="site", scene_code=None, site_id=str(site.id)), "site_id"),
    ):
        refused(await citizen.post(f"{PUBLIC}/subscriptions", order), 422, "invalid-field", field)


async def test_the_twenty_first_subscription_of_a_phone_is_refused(api: Api, world: World) -> None:
    assert world
    await subscribed_by_sms(api)
    async with borrow(api.parts.pool) as connection:
        await connection.execute(_NINETEEN_MORE)
    citizen = await verified(api)
    more = by_sms(scene_code="S30")
    refused(await citizen.post(f"{PUBLIC}/subscriptions", more), 409, "too-many-subscriptions")
    accepted(await citizen.post(f"{PUBLIC}/subscriptions", by_sms(frequency="weekly")))
    (one, *_) = await rows(api, "subscription")
    accepted(await citizen.post(f"{PUBLIC}/subscriptions/endings", {"subscription_id": str(one["id"])}))
    accepted(await citizen.post(f"{PUBLIC}/subscriptions", more))


_NINETEEN_MORE = """
INSERT INTO subscription (id, subscriber_id, topic, topic_key, scene_code, keywords, label, frequency, state,
    created_at, confirmed_at, covered_to, next_on)
SELECT gen_random_uuid(), s.subscriber_id, s.topic, 'scene:X' || n || '@', 'X', '{}', '另一项', s.frequency, s.state,
    s.created_at, s.confirmed_at, s.covered_to, s.next_on
FROM subscription s, generate_series(1, 19) n
"""


# Told


async def test_each_topic_is_told_of_what_is_its_own(api: Api, world: World) -> None:
    own = {
        "enterprise@example.com": {"topic": "enterprise", "scene_code": None, "uscc": world.enterprise.uscc},
        "site@example.com": {"topic": "site", "scene_code": None, "site_id": str(world.site.id)},
        "scene@example.com": {"scene_code": "S01"},
        "region@example.com": {"topic": "region", "scene_code": None, "region_code": DISTRICT},
        "city@example.com": {"topic": "region", "scene_code": None, "region_code": "450100"},
        "words@example.com": {"topic": "keywords", "scene_code": None, "keywords": ["无关", "老友餐饮"]},
        "narrowed@example.com": {"region_code": DISTRICT},
    }
    other = {
        "other1@example.com": {"topic": "enterprise", "scene_code": None, "uscc": world.other_enterprise.uscc},
        "other2@example.com": {"scene_code": "S02"},
        "other3@example.com": {"topic": "region", "scene_code": None, "region_code": "450200"},
        "other4@example.com": {"topic": "keywords", "scene_code": None, "keywords": ["无关的词"]},
        "other5@example.com": {"region_code": "450200"},
    }
    for number, (email, changes) in enumerate((own | other).items()):
        if number % 4 == 0:
            api.clock.advance(timedelta(hours=2))
        await subscribed(api, email=email, **changes)
    await complete(api, world, days=0)

    assert await the_next_morning(api) == len(own) + len(other)

    taken = await mails(api, "subscription_digest")
    assert {mail.address for mail in taken} == set(own)
    assert {mail.subject for mail in taken} == {"您订阅的内容有1条更新"}
    assert all(world.enterprise.name in mail.text and f"/e/{world.enterprise.uscc}#r" in mail.text for mail in taken)


async def test_exposures_lists_and_manuals_are_told_too_and_a_pair_of_characters_is_no_word(
    api: Api, world: World
) -> None:
    await subscribed(api, topic="keywords", scene_code=None, keywords=["油烟扰民", "餐饮服务", "烟油"])
    await expose(api, world)
    await expose(api, world, title="烟花与食用油专项检查")
    await prepare_list(api.parts, world)
    await the_next_morning(api)
    told = await entries(api)
    assert [line.partition("（")[0] for line in sorted(told)] == [
        "【曝光】后厨油烟扰民专项检查",
        "【检查单】餐饮服务检查单",
    ]


async def test_all_of_an_address_comes_in_one_message_and_each_entry_once(api: Api, world: World) -> None:
    await subscribed(api)
    await subscribed(api, topic="region", scene_code=None, region_code="450000")
    await subscribed(api, topic="keywords", scene_code=None, keywords=["老友"])
    await complete(api, world, days=0)
    await expose(api, world)
    await the_next_morning(api)
    assert len(await entries(api)) == 2


async def test_nothing_new_is_no_message_and_nothing_is_told_twice(api: Api, world: World) -> None:
    await subscribed(api)
    await the_next_morning(api)
    assert await waiting(api, "subscription_digest") == []
    await complete(api, world, days=0)
    await the_next_morning(api)
    assert len(await mails(api, "subscription_digest")) == 1
    for _ in range(3):
        assert await send_digests(api.parts) == 0
    await the_next_morning(api)
    assert await waiting(api, "subscription_digest") == []


async def test_nothing_is_sent_before_eight_and_a_missed_morning_is_made_good(api: Api, world: World) -> None:
    await subscribed(api)
    await complete(api, world, days=0)
    assert await the_next_morning(api, hour=8) == 1
    assert len(await mails(api, "subscription_digest")) == 1
    await expose(api, world)
    await subscribed_by_sms(api, topic="region", scene_code=None, region_code="450100")
    api.clock.advance(timedelta(hours=23, minutes=59))
    assert await send_digests(api.parts) == 0
    assert await the_next_morning(api, days=3) == 2
    (sms,) = await texts(api)
    assert sms.text.startswith("【一码】您订阅的内容有1条更新")


async def test_a_weekly_digest_comes_on_monday_with_all_of_the_week(api: Api, world: World) -> None:
    await subscribed(api, topic="region", scene_code=None, region_code="450100", frequency="weekly")
    await complete(api, world, days=0)
    for _ in range(4):
        await the_next_morning(api)
        await expose(api, world, title=f"第{api.clock.now.day}日的曝光")
    assert await waiting(api, "subscription_digest") == []
    await the_next_morning(api)
    assert api.clock.now.weekday() == 0
    assert len(await entries(api)) == 5


async def test_what_was_withdrawn_before_it_is_read_is_gone(api: Api, world: World) -> None:
    await subscribed(api, topic="region", scene_code=None, region_code="450100")
    await subscribed_by_sms(api, topic="region", scene_code=None, region_code="450100")
    first, second = await expose(api, world), await expose(api, world, title="另一起曝光")
    await withdraw(api, world, first)
    await the_next_morning(api)
    (sms,) = await texts(api)
    path = link_in(sms.text, r"/d/[\w-]{11}")
    assert "另一起曝光" in (await api.http.get(path, headers=A_BROWSER)).text
    await withdraw(api, world, second)
    page = (await api.http.get(path, headers=A_BROWSER)).text
    assert "另一起曝光" not in page
    assert "已不再公开" in page
    assert await mails(api, "subscription_digest") == []
    (message,) = [row for row in await rows(api, "message") if row["channel"] == "email" and row["purpose"] == "digest"]
    assert (message["state"], message["reason"]) == ("abandoned", "outdated")


async def test_an_sms_is_one_segment_with_a_count_and_a_link_to_public_entries(api: Api, world: World) -> None:
    begun = await subscribed_by_sms(api)
    await complete(api, world, days=0)
    await the_next_morning(api)
    (sms,) = await texts(api)
    assert sms.number == PHONE
    assert measure(sms.text).segments == 1
    path = link_in(sms.text, r"/d/[\w-]{11}")
    async with nothing_changes(api):
        page = await api.http.get(path, headers=A_BROWSER)
    assert world.enterprise.name in page.text
    assert page.headers["x-robots-tag"].startswith("noindex")
    for secret in (begun["id"], "乳品安全", "5555"):
        assert secret not in page.text
    view = (await api.http.get(path.replace("/d/", f"{PUBLIC}/digests/"))).json()
    assert [each["url"].partition("#")[0] for each in view["items"]] == [f"/e/{world.enterprise.uscc}"]
    api.clock.advance(timedelta(days=31))
    assert (await api.http.get(path, headers=A_BROWSER)).status_code == 410


async def test_a_mail_lists_twenty_and_its_page_a_hundred(api: Api, world: World) -> None:
    assert world
    await subscribed(api, topic="region", scene_code=None, region_code="450100")
    async with borrow(api.parts.pool) as connection:
        await connection.execute(_MANY_NEWS, 130, api.clock())
    await the_next_morning(api)
    (mail,) = await mails(api, "subscription_digest")
    assert mail.subject == "您订阅的内容有100余条更新"
    assert sum(line.startswith("· ") for line in mail.text.splitlines()) == 20
    view = (await api.http.get(link_in(mail.text, r"/d/[\w-]{11}").replace("/d/", f"{PUBLIC}/digests/"))).json()
    assert (len(view["items"]), view["has_more"]) == (100, True)


_MANY_NEWS = """
WITH entry AS (
    INSERT INTO search_entry (kind, id, target, title, body, region, business_types, terms)
    SELECT 'exposure', gen_random_uuid(), n::text, '第' || n || '起曝光', '', '450000.450100', '{}',
        search_terms('exposure', '第' || n || '起曝光', '', '450000.450100', '{}')
    FROM generate_series(1, $1::int) n RETURNING id, terms
)
INSERT INTO news_entry (id, kind, entry_id, at, keys) SELECT gen_random_uuid(), 'exposure', id, $2, terms FROM entry
"""


async def test_several_workers_tell_each_subscriber_once(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        await connection.execute(_MANY_SUBSCRIBERS, 450, api.clock())
    await complete(api, world, days=0)
    api.clock.advance(timedelta(days=1))
    await asyncio.gather(*[send_digests(api.parts) for _ in range(4)])
    while await send_digests(api.parts):
        continue
    made = await rows(api, "subscription_digest")
    assert len(made) == len({row["subscriber_id"] for row in made}) == 450
    assert len(await waiting(api, "subscription_digest")) == 450


async def test_a_round_that_is_killed_goes_on_where_it_was(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        await connection.execute(_MANY_SUBSCRIBERS, 700, api.clock())
    await complete(api, world, days=0)
    api.clock.advance(timedelta(days=1))
    for seconds in (0.02, 0.05, 0.1, 0.15, 0.2):
        task = asyncio.create_task(send_digests(api.parts))
        await asyncio.wait({task}, timeout=seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    while await send_digests(api.parts):
        continue
    made = await rows(api, "subscription_digest")
    told = {row["recipient_id"] for row in await rows(api, "message") if row["template"] == "subscription_digest"}
    assert len(made) == len(told) == len(await waiting(api, "subscription_digest")) == 700


_MANY_SUBSCRIBERS = """
WITH new AS (
    INSERT INTO subscriber (id, channel, address_sealed, address_index, next_on, created_at)
    SELECT gen_random_uuid(), 'email', '\\x00', int4send(n), $2::timestamptz::date + 1, $2
    FROM generate_series(1, $1::int) n RETURNING id
)
INSERT INTO subscription (id, subscriber_id, topic, topic_key, scene_code, keywords, label, frequency, state,
    created_at, confirmed_at, covered_to, next_on)
SELECT gen_random_uuid(), id, 'scene', 'scene:S01@', 'S01', '{}', '乳品安全', 'daily', 'active', $2::timestamptz, $2,
    $2::timestamptz - interval '10 hours', $2::timestamptz::date + 1
FROM new
"""


# Ended


async def test_every_mail_ends_by_one_click_and_no_get_ends_anything(api: Api, world: World) -> None:
    await subscribed(api)
    await subscribed(api, scene_code="S02")
    await complete(api, world, days=0)
    await the_next_morning(api)
    (mail,) = await mails(api, "subscription_digest")
    assert mail.unsubscribe
    path = link_in(mail.unsubscribe, r"/subscriptions/[\w-]{40}")
    async with nothing_changes(api):
        page = await api.http.get(path, headers=A_BROWSER)
    assert page.text.count("退订这一项") == 2
    assert "l***@example.com" in page.text

    clicked = await api.http.post(path, data={"List-Unsubscribe": "One-Click"})

    assert clicked.status_code == 200
    assert await rows(api, "subscription") == await rows(api, "subscriber") == []
    again = await api.http.post(path, data={"List-Unsubscribe": "One-Click"})
    assert "已退订" in again.text
    assert "已退订" in (await api.http.get(path, headers=A_BROWSER)).text


async def test_one_of_several_is_ended_and_the_others_go_on(api: Api, world: World) -> None:
    assert world
    first, second = await subscribed(api), await subscribed(api, scene_code="S02")
    token = await manage_token(api)
    page = await api.http.post(f"/subscriptions/{token}", data={"subscription": first["id"]})
    assert "已退订。" in page.text
    own = (await api.http.get(f"{PUBLIC}/subscription-links/{token}")).json()
    assert [each["id"] for each in own["items"]] == [second["id"]]
    wrong = await api.http.post(f"/subscriptions/{token}", data={"subscription": "that one"})
    assert wrong.status_code == 422
    ended = await api.http.post(f"{PUBLIC}/subscription-links/{token}/endings", json={})
    assert ended.json() == {"ended": 1}
    refused(await api.http.get(f"{PUBLIC}/subscription-links/{token}"), 404, "not-found")
    assert (await api.http.post(f"{PUBLIC}/subscription-links/{token}/endings", json={})).json() == {"ended": 0}


async def manage_token(api: Api) -> str:
    """The link that the only subscriber's digests carry."""
    (subscriber,) = await rows(api, "subscriber")
    return SubscriptionLinks(api.parts.keys).write(LinkPurpose.MANAGE, subscriber["id"])


async def test_nobody_ends_a_subscription_of_somebody_else(api: Api, world: World) -> None:
    assert world
    mine = await subscribed(api)
    await subscribed_by_sms(api)
    other = await verified(api, "13877155556")
    refused(await other.post(f"{PUBLIC}/subscriptions/endings", {}), 404, "not-found")
    await subscribed_by_sms(api, "13877155556", scene_code="S03")
    ended = accepted(await other.post(f"{PUBLIC}/subscriptions/endings", {"subscription_id": mine["id"]}))
    assert ended == {"ended": 0}
    assert len(await rows(api, "subscription")) == 3


async def test_a_phone_sees_and_ends_its_own_by_its_pass(api: Api, world: World) -> None:
    assert world
    await subscribed_by_sms(api)
    await subscribed_by_sms(api, scene_code="S02")
    citizen = await verified(api)
    own = (await api.http.get(f"{PUBLIC}/subscriptions", headers={"Yima-Pass": citizen.token})).json()
    assert own["address_masked"] == "138****5555"
    assert {each["label"] for each in own["items"]} == {"乳品安全", "危化品安全"}
    body = {"subscription_id": own["items"][0]["id"]}
    assert accepted(await citizen.post(f"{PUBLIC}/subscriptions/endings", body)) == {"ended": 1}
    assert accepted(await citizen.post(f"{PUBLIC}/subscriptions/endings", {})) == {"ended": 1}
    assert await rows(api, "subscriber") == []
    unverified = (await anonymous(api)).token
    refused(
        await api.http.get(f"{PUBLIC}/subscriptions", headers={"Yima-Pass": unverified}),
        403,
        "phone-not-verified",
        "phone",
    )


async def test_the_page_of_an_sms_ends_all_by_a_button(api: Api, world: World) -> None:
    await subscribed_by_sms(api)
    await complete(api, world, days=0)
    await the_next_morning(api)
    (sms,) = await texts(api)
    path = link_in(sms.text, r"/d/[\w-]{11}")
    assert f'href="{path}/end"' in (await api.http.get(path, headers=A_BROWSER)).text
    async with nothing_changes(api):
        assert "全部退订" in (await api.http.get(f"{path}/end", headers=A_BROWSER)).text
    assert "已退订" in (await api.http.post(f"{path}/end")).text
    assert await rows(api, "subscription") == await rows(api, "subscription_digest") == []
    assert "已退订" in (await api.http.post(f"{path}/end")).text


async def test_a_digest_that_waits_is_not_sent_once_all_is_ended(api: Api, world: World) -> None:
    await subscribed(api)
    await complete(api, world, days=0)
    await the_next_morning(api)
    await api.http.post(f"{PUBLIC}/subscription-links/{await manage_token(api)}/endings", json={})
    assert await mails(api, "subscription_digest") == []


async def test_a_phone_that_answered_td_is_told_again_once_it_asks_anew(api: Api, world: World) -> None:
    await subscribed_by_sms(api)
    await api.parts.work.run(INSTALLATION, lambda tx: take_answer(tx, PHONE, "TD"))
    await complete(api, world, days=0)
    await the_next_morning(api)
    assert await texts(api) == []
    (message,) = [row for row in await rows(api, "message") if row["template"] == "subscription_digest"]
    assert (message["state"], message["reason"]) == ("abandoned", "opted_out")

    await subscribed_by_sms(api)

    await expose(api, world)
    await subscribed_by_sms(api, topic="region", scene_code=None, region_code="450100")
    await the_next_morning(api)
    assert len(await texts(api)) == 1


# Nobody else's affair


async def test_addresses_and_words_are_nowhere_in_clear(api: Api, world: World) -> None:
    assert world
    secret = "泔水回收站"
    await subscribed(api, topic="keywords", scene_code=None, keywords=[secret])
    await subscribed_by_sms(api)
    await mails(api, "subscription_confirm")
    for table in ("subscriber", "trace", "message", "message_attempt", "idempotency", "subscription_digest"):
        for row in await rows(api, table):
            told = " ".join(str(value) for value in row.values())
            assert MAILBOX not in told
            assert PHONE not in told
            if table != "idempotency":
                assert secret not in told, table


async def test_links_that_are_none_are_refused_and_guessing_is_slow(api: Api, world: World) -> None:
    assert world
    for path in ("/d/AAAAAAAAAAA", "/subscriptions/" + "A" * 40, "/subscriptions/confirm/" + "A" * 40):
        page = await api.http.get(path, headers=A_BROWSER)
        assert page.status_code == 404
        assert "链接无效或已失效" in page.text
    statuses = [(await api.http.get(f"{PUBLIC}/digests/AAAAAAAAA{n:02}")).status_code for n in range(80)]
    assert statuses[0] == 404
    assert statuses[-1] == 429
    api.clock.advance(timedelta(minutes=11))


# Without JavaScript


async def test_the_form_takes_a_phone_by_its_code(api: Api, world: World) -> None:
    page = (await api.http.get(f"/subscriptions/new?uscc={world.enterprise.uscc}", headers=A_BROWSER)).text
    assert world.enterprise.name in page
    form = hidden(page) | {"topic": "enterprise", "frequency": "weekly", "channel": "sms", "phone": PHONE}
    sent = await api.http.post("/subscriptions/new", data=form | {"act": "send_code"})
    assert "验证码已发送" in sent.text
    form |= hidden(sent.text)
    wrong = await api.http.post("/subscriptions/new", data=form | {"act": "submit", "code": "000000"})
    assert wrong.status_code == 422
    assert 'id="code-error"' in wrong.text
    form |= hidden(wrong.text)
    code = await code_sent(api, form["verification"])
    done = await api.http.post("/subscriptions/new", data=form | {"act": "submit", "code": code})
    assert done.status_code == 201, done.text
    assert "订阅已生效" in done.text
    (only,) = await rows(api, "subscription")
    assert (only["topic"], only["enterprise_id"]) == ("enterprise", world.enterprise.id)


async def test_the_form_takes_a_mailbox_and_comes_back_as_it_was_typed(api: Api, world: World) -> None:
    assert world
    page = (await api.http.get("/subscriptions/new?q=油烟&region=450103", headers=A_BROWSER)).text
    assert 'value="油烟"' in page
    form = hidden(page) | {
        "topic": "keywords",
        "keywords": "油烟，燃气瓶",
        "region_code": "450103",
        "frequency": "daily",
        "channel": "email",
        "email": "nobody",
    }
    wrong = await api.http.post("/subscriptions/new", data=form)
    assert wrong.status_code == 422
    assert 'value="油烟，燃气瓶"' in wrong.text
    assert 'id="email-error"' in wrong.text
    done = await api.http.post("/subscriptions/new", data=form | {"email": MAILBOX})
    assert "请到邮箱确认" in done.text
    (only,) = await rows(api, "subscription")
    assert (only["keywords"], only["label"]) == (["油烟", "燃气瓶"], "油烟、燃气瓶（青秀区）")


async def test_a_phone_sees_its_own_behind_its_code(api: Api, world: World) -> None:
    assert world
    await subscribed_by_sms(api)
    api.clock.advance(timedelta(minutes=2))
    assert 'href="/subscriptions/own"' in (await api.http.get("/subscriptions/new", headers=A_BROWSER)).text
    form = hidden((await api.http.get("/subscriptions/own", headers=A_BROWSER)).text) | {"phone": PHONE}
    sent = await api.http.post("/subscriptions/own", data=form | {"act": "send_code"})
    assert re.search(r'name="code"[^>]* autofocus', sent.text), "the code is typed where the page opens"
    form |= hidden(sent.text)
    nobody = await api.http.post("/subscriptions/own", data=form | {"act": "own"})
    assert nobody.status_code == 403
    assert "<title>没有提交：" in nobody.text
    code = await code_sent(api, form["verification"])
    own = await api.http.post("/subscriptions/own", data=form | {"act": "own", "code": code})
    assert "138****5555" in own.text
    assert "退订这一项" in own.text


async def test_pages_of_enterprises_and_searches_lead_to_the_form(api: Api, world: World) -> None:
    link = f'href="/subscriptions/new?uscc={world.enterprise.uscc}"'
    assert link in (await api.http.get(f"/e/{world.enterprise.uscc}", headers=A_BROWSER)).text
    assert link in (await api.http.get(f"/c/{world.code}", headers=A_BROWSER)).text
    assert "/subscriptions/new?q=" in (await api.http.get("/search?q=老友", headers=A_BROWSER)).text


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


async def code_sent(api: Api, verification: str) -> str:
    """What the SMS says."""
    return await code_of(api, str(UUID(verification)))
