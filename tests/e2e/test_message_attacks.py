"""Hostile use of messages, links and receipts: numbers tried out, other people's words, other branches, odd letters."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

from api import address_blocks
from api.delivery.history import read_history, written_history
from api.guesses import WRONG_AT_MOST
from domain.identity.model import EnterprisePost, Principal, Role
from domain.shared.sql import borrow
from tests.support.citizens import PHONE, anonymous, send_code
from tests.support.client import Api, accepted, refused
from tests.support.complaining import complain
from tests.support.deadlines import sweep_at
from tests.support.factories import World, make_account
from tests.support.sending import deliver_waiting
from tests.support.subscribing import A_BROWSER, MAILBOX, an_order, asks, confirm_link, mails, waiting
from tests.support.visits import nothing_changes, rows

LOOKUPS = "/api/v1/address-blocks/lookups"
DEEP = b'{"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
NOBODY = uuid4()
TYPED = (
    "a@b.cn\r\nBcc: victim@example.com",
    "a@b.cn\nSubject: x",
    "a@b.cn, victim@example.com",
    "<a@b.cn>",
    '"a b"@b.cn',
    "a@b.cn\x00",
    "a\u2028@b.cn",
    "a@[127.0.0.1]",
    "а@б.рф\u202e",
)
QUERIES = (
    "message-log?template=%00",
    "message-log?provider=%00",
    "message-log?from=0001-01-01&to=0001-01-02",
    "message-log?to=9999-12-31",
    "message-log?cursor=%00",
    "message-log/statistics?from=0001-01-01&to=0001-01-02",
    "message-templates/%00",
    "message-templates/%2e%2e%2fpyproject",
    "working-calendar/999999999999999999999999",
    "working-calendar/-1",
    "deadlines?cursor=%00",
    "deadlines?level=99999999999",
    "supervision-orders?cursor=AAAA",
    "live/events?region=%00",
    "live/events?after=99999999999999999999",
    "live/events?scene=%00",
    "messages?cursor=%00",
    "to-dos?state=%00",
)
ADDRESSES = (
    "/subscriptions/new?uscc=%00&site=%00&q=%00&region=%00",
    "/subscriptions/%00",
    "/subscriptions/confirm/%00",
    "/d/%00",
    "/d/%00/end",
    "/n/%00",
    "/n/%00/paper.pdf?ticket=%00",
    "/api/v1/public/digests/%00",
    "/api/v1/public/subscription-links/%00",
    "/api/v1/message-receipts/kannel?reference=%00&mac=%00",
    "/api/v1/message-receipts/kannel?reference=x&mac=%FF",
)
BODIES = (
    "address-blocks/lookups",
    "address-blocks",
    "message-templates/phone_code/preview",
    f"supervision-orders/{NOBODY}/answers",
    f"supervision-orders/{NOBODY}/judgements",
    f"deadlines/{NOBODY}/supervision-orders",
    "message-log/retries",
    "messages/readings",
    "public/subscriptions",
    "public/subscriptions/endings",
    f"public/subscription-links/{'A' * 40}/endings",
)


# ---- numbers tried out


async def test_who_tries_numbers_out_is_not_answered_for_a_while(api: Api, world: World) -> None:
    blocked = {"channel": "sms", "address": "13877120001"}
    accepted(await api.as_(world.manager).post("/api/v1/address-blocks", {**blocked, "kind": "opted_out"}))
    for number in range(WRONG_AT_MOST):
        assert (await api.as_(world.manager).post(LOOKUPS, blocked)).status_code == 200, "what is there is no guess"
        other = {"channel": "sms", "address": f"138771300{number:02}"}
        assert (await api.as_(world.manager).post(LOOKUPS, other)).json()["items"] == []
    refused(await api.as_(world.manager).post(LOOKUPS, blocked), 429, "too-many-writes")
    assert (await api.as_(world.lead).post(LOOKUPS, blocked)).status_code == 200, "nobody else is held up"


# ---- words to somebody who did not ask


async def test_nobodys_own_words_reach_a_mailbox_whose_owner_has_not_said_yes(api: Api, world: World) -> None:
    assert world
    words = ["您已中奖请加微信", "退款客服热线", "evil example"]
    asked = await asks(api, topic="keywords", scene_code=None, keywords=words)
    (mail,) = await mails(api, "subscription_confirm")
    for said in (mail.subject, mail.text, mail.html):
        assert not any(word in said for word in (*words, "微信", "evil"))
    assert "3个关键词" in mail.text
    page = await api.http.get(f"/subscriptions/confirm/{confirm_link(api, asked['id'])}", headers=A_BROWSER)
    assert "退款客服热线" in page.text, "who follows the link sees what they confirm"


async def test_nothing_gets_into_a_mails_head_by_an_address(api: Api, world: World) -> None:
    assert world
    citizen = await anonymous(api)
    for typed in TYPED:
        answer = await citizen.post("/api/v1/public/subscriptions", an_order(email=typed))
        refused(answer, 422, "invalid-field", "email")
    assert await waiting(api, "subscription_confirm") == []


async def test_a_subscriptions_link_does_what_it_is_for_and_nothing_else(api: Api, world: World) -> None:
    assert world
    asked = await asks(api)
    token = confirm_link(api, asked["id"])
    async with nothing_changes(api):
        for path in (
            f"/subscriptions/{token}",
            f"/d/{token}/end",
            f"/subscriptions/confirm/{token[:-1]}{'B' if token.endswith('A') else 'A'}",
            f"/subscriptions/confirm/{'A' * 40}",
        ):
            assert (await api.http.post(path, data={"subscription": "all"})).status_code == 404, path
        for path in (f"subscription-links/{token}/endings", f"digests/{token}/ending"):
            answer = await api.http.post(f"/api/v1/public/{path}", json={"subscription_id": asked["id"]})
            assert answer.status_code == 404, path
        citizen = await anonymous(api)
        ending = await citizen.post("/api/v1/public/subscriptions/endings", {"subscription_id": asked["id"]})
        refused(ending, 403, "phone-not-verified", "phone")


async def test_links_lead_to_our_own_host_whatever_the_request_calls_it(api: Api, world: World) -> None:
    assert world
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    asked = await asks(api)
    token = confirm_link(api, asked["id"])
    for path in ("/subscriptions/new", f"/subscriptions/confirm/{token}"):
        page = await api.http.get(path, headers={**A_BROWSER, **evil})
        assert page.status_code == 200
        assert "evil.example" not in page.text + str(page.headers)
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
    (mail,) = await mails(api, "subscription_confirm")
    assert f"http://yima.test/subscriptions/confirm/{token}" in mail.text
    assert mail.address == MAILBOX


# ---- complainants


async def test_of_a_complainants_number_no_digit_stands_unsealed(api: Api, world: World) -> None:
    await complain(api, world)
    sent = await deliver_waiting(api.parts, await waiting(api, "grievance_filed"))
    assert sent.sms.numbers == [PHONE]
    (message,) = [row for row in await rows(api, "message") if row["template"] == "grievance_filed"]
    (tried,) = [row for row in await rows(api, "message_attempt") if row["message_id"] == message["id"]]
    assert (message["address_masked"], tried["address_masked"]) == ("***", "***")
    shown = "\n".join(written_history(await read_history(api.parts, message["id"])))
    assert "complainant" in shown
    for part in (PHONE, PHONE[:3] + "*", PHONE[-4:]):
        assert part not in shown


async def test_the_command_shows_of_a_private_person_no_digit(api: Api, world: World) -> None:
    assert world
    await send_code(api)
    await deliver_waiting(api.parts, await waiting(api, "phone_code"))
    (message,) = [row for row in await rows(api, "message") if row["template"] == "phone_code"]
    shown = "\n".join(written_history(await read_history(api.parts, message["id"])))
    assert "phone_verification" in shown
    assert PHONE[-4:] not in shown


# ---- other branches


async def a_clerk(api: Api, world: World, site: UUID) -> Principal:
    """Somebody of the world's enterprise who acts for one site."""
    async with borrow(api.parts.pool) as connection:
        return await make_account(
            connection,
            Role.ENTERPRISE,
            enterprise_id=world.enterprise.id,
            enterprise_post=EnterprisePost.CLERK,
            site_ids=(site,),
        )


async def inbox(api: Api, who: Principal) -> list[str]:
    """The templates of what they find, the newest first."""
    answer = await api.as_(who).get("/api/v1/messages")
    assert answer.status_code == 200, answer.text
    return [each["template"] for each in answer.json()["items"]]


async def test_a_branch_hears_nothing_of_what_another_site_let_lie(api: Api, world: World) -> None:
    here, elsewhere = await a_clerk(api, world, world.site.id), await a_clerk(api, world, world.second_site.id)
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "INSERT INTO deadline (id, kind, subject_id, department_id, region, site_id, enterprise_id, officers, "
            "due_on, set_at, next_stage_at, calendar_edition) VALUES (gen_random_uuid(), 'rectification', "
            "gen_random_uuid(), $1, $2::text::ltree, $3, $4, '{}', '2026-08-20', '2026-08-03', "
            "'2026-08-17 00:00+00', 0)",
            world.market.id,
            world.site.region,
            world.site.id,
            world.enterprise.id,
        )
    await sweep_at(api, "2026-08-17T08:00")
    assert await inbox(api, here) == ["rectification_due_soon"]
    assert await inbox(api, world.enterprise_user) == ["rectification_due_soon"]
    assert await inbox(api, elsewhere) == []
    sent = [row for row in await rows(api, "trace") if row["action"] == "deadline.warned"]
    assert [row["site_id"] for row in sent] == [None] * len(sent), "the public page of the site stays as it is"


async def test_a_branch_hears_nothing_of_another_sites_request(api: Api, world: World) -> None:
    here, elsewhere = await a_clerk(api, world, world.site.id), await a_clerk(api, world, world.second_site.id)
    order = {
        "site_id": world.site.id,
        "title": "请说明油烟净化设备要求",
        "submitter": "韦秀英",
        "contact": "13877123456",
        "category": "consultation",
        "description": "店内准备更换油烟净化设备，请问有哪些要求？",
    }
    request = accepted(await api.as_(world.enterprise_user).post("/api/v1/enterprise-requests", order))["id"]
    answer = {"step": "return", "words": "请补充现有设备的照片。"}
    accepted(await api.as_(world.manager).post(f"/api/v1/enterprise-requests/{request}/steps", answer))
    assert await inbox(api, here) == ["request_returned"]
    assert await inbox(api, elsewhere) == []
    (message,) = [row for row in await rows(api, "message") if row["template"] == "request_returned"]
    path = f"/api/v1/to-dos/{message['id']}/closing"
    refused(await api.as_(elsewhere).post(path), 404, "not-found")
    refused(await api.as_(elsewhere).post(f"/api/v1/messages/{message['id']}/reading"), 404, "not-found")
    refused(await api.as_(elsewhere).post("/api/v1/messages/readings", {"up_to": message["id"]}), 404, "not-found")


# ---- odd letters, odd bodies


async def test_no_query_of_the_office_is_a_defect(api: Api, world: World) -> None:
    for query in QUERIES:
        answer = await asyncio.wait_for(api.http.get(f"/api/v1/{query}", headers=api.as_(world.lead).bearer()), 10)
        assert answer.status_code in {200, 404, 422}, (query, answer.text)


async def test_no_address_that_anybody_may_type_is_a_defect(api: Api, world: World) -> None:
    assert world
    async with nothing_changes(api):
        for path in ADDRESSES:
            assert (await api.http.get(path)).status_code in {200, 404}, path


async def test_no_body_nested_without_end_is_a_defect(api: Api, world: World) -> None:
    async with nothing_changes(api):
        for path in BODIES:
            headers = {**api.as_(world.lead).bearer(), "Content-Type": "application/json"}
            headers["Idempotency-Key"] = str(uuid4())
            answer = await api.http.post(f"/api/v1/{path}", content=DEEP, headers=headers)
            assert answer.status_code in {401, 404, 422}, (path, answer.text)


async def test_a_phones_answer_in_whatever_letters_is_no_defect(api: Api, world: World) -> None:
    assert world
    path = f"/api/v1/message-receipts/kannel/incoming/{address_blocks.incoming_secret(api.parts.keys)}"
    for charset in ("\x00", "idna", "undefined", "rot13", "zlib", "punycode", "utf-7", "a" * 5000):
        headers = {"content-type": f"text/plain; charset={charset}"}
        answer = await api.http.post(path, params={"from": PHONE}, content=b"xn--" * 200, headers=headers)
        assert (answer.status_code, answer.content) == (200, b""), charset
    assert await rows(api, "address_block") == []


async def test_a_phones_answer_is_short(api: Api, world: World) -> None:
    assert world
    path = f"/api/v1/message-receipts/kannel/incoming/{address_blocks.incoming_secret(api.parts.keys)}"
    headers = {"content-type": "text/plain; charset=utf-16-be"}
    answer = await api.http.post(path, params={"from": PHONE}, content=b"\0T" * 100_000, headers=headers)
    assert answer.status_code == 413


async def test_the_head_of_a_stream_is_not_waited_for(api: Api, world: World) -> None:
    answer = await asyncio.wait_for(api.http.head("/api/v1/live/events", headers=api.as_(world.lead).bearer()), 5)
    assert answer.status_code == 405
