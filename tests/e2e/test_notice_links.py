"""短链接 over HTTP: opened without an account, recorded, bounded, over when they should be, and told to nobody."""

from __future__ import annotations

import asyncio
import html
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.guesses import WRONG_AT_MOST, Guesses
from api.paper_rendering import render_document
from domain.document.link.rules import DEFAULT_POLICY
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused, statements
from tests.support.factories import NOW, World
from tests.support.notices import about_to_go, consent, messages_of, notified, path_in, traced
from tests.support.problems import order_path, ordered
from tests.support.visits import nothing_changes, rows

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) MicroMessenger"}


async def render_all(api: Api) -> None:
    """The PDFs, as the worker makes them."""
    for document in await rows(api, "document"):
        await render_document(api.parts, document["id"].bytes)


async def press(api: Api, path: str) -> httpx.Response:
    """The button of the page at `path`, and the page that it leads to."""
    headers = {**PHONE, "Content-Type": "application/x-www-form-urlencoded"}
    return await api.http.post(path, headers=headers, follow_redirects=True)


def paper_of(page: httpx.Response) -> str:
    """Where the opened page leads for the PDF."""
    return html.unescape(page.text.partition('<a class="call" href="')[2].partition('"')[0])


async def opening_of(api: Api, path: str) -> httpx.Response:
    """The app opens the link."""
    return await api.anyone.post(f"/api/v1/notice-links/{path.removeprefix('/n/')}/openings", key="")


async def revoke(api: Api, world: World, document_id: str, link_id: object, **by: Any) -> httpx.Response:
    """短链接作废."""
    path = f"/api/v1/documents/{document_id}/notice-links/{link_id}/revocation"
    return await api.as_(by.get("who", world.manager)).post(path, {"reason": "发错了手机"})


async def test_the_link_first_shows_who_sent_what_and_keeps_the_rest(api: Api, world: World) -> None:
    order, _, path = await notified(api, world)
    assert len(path) == len("/n/") + 11

    async with nothing_changes(api):
        page = await api.http.get(path, headers=PHONE)

    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "责令改正通知书" in page.text
    assert "市场监督管理局" in page.text
    assert "<script" not in page.text
    for kept in (world.enterprise.name, "许可证未公示", order["verification_code"]):
        assert kept not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]


async def test_the_button_opens_the_paper_and_records_it(api: Api, world: World) -> None:
    _, message, path = await notified(api, world)
    api.clock.advance(timedelta(hours=3))

    page = await press(api, path)

    assert page.status_code == 200
    for shown in (
        "SJ01-2026-ZG-000001",
        world.enterprise.name,
        "许可证未公示。",
        "在醒目位置公示许可证。",
        "2026年8月20日前",
        "0771-12345",
        "反馈改正情况",
        "按确认的地址发送",
    ):
        assert shown in page.text
    (told,) = await traced(api, "document.notice_opened")
    facts = json.loads(told["after"])
    assert (told["operator_name"], facts["message_id"], facts["means"]) == ("公众", str(message["id"]), "sms")
    (opening,) = await rows(api, "notice_opening")
    assert opening["opened_at"] == NOW + timedelta(hours=3)
    assert (opening["address"].hex(), opening["device"].hex()) == (facts["address"], facts["device"])
    assert (len(opening["address"]), len(opening["device"])) == (32, 32)


async def test_the_opened_paper_can_be_gone_back_to_for_half_an_hour_and_is_recorded_once(
    api: Api, world: World
) -> None:
    _, _, path = await notified(api, world)
    pressed = await api.http.post(path, headers=PHONE)
    assert pressed.status_code == 303
    opened = pressed.headers["location"]
    assert pressed.headers["referrer-policy"] == "no-referrer"

    async with nothing_changes(api):
        for _ in range(2):
            assert "许可证未公示。" in (await api.http.get(opened, headers=PHONE)).text
        api.clock.advance(timedelta(minutes=31))
        later = await api.http.get(opened, headers=PHONE)

    assert "打开责令改正通知书" in later.text
    assert "许可证未公示" not in later.text
    assert len(await rows(api, "notice_opening")) == 1


async def test_who_reads_it_sees_at_once_until_when_and_whether_it_counts_as_served(api: Api, world: World) -> None:
    _, _, path = await notified(api, world)
    page = await press(api, path)
    assert "请在2026年8月20日前改正（含当日）" in page.text
    assert "到达之日即为送达日期" in page.text

    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE rectification_order SET served_on = '2026-08-06'")
    assert "已于2026年8月6日依法送达" in (await press(api, path)).text


async def test_neither_link_nor_address_nor_phone_is_kept_in_clear(api: Api, world: World) -> None:
    _, _, path = await notified(api, world)
    await press(api, path)
    for table in ("notice_link", "notice_opening", "trace", "message", "idempotency"):
        kept = str(await rows(api, table))
        for secret in (path.removeprefix("/n/"), "127.0.0.1", "MicroMessenger", "13877100001"):
            assert secret not in kept


async def test_the_pdf_is_there_for_half_an_hour_after_an_opening(api: Api, world: World) -> None:
    _, _, path = await notified(api, world)
    waiting = await press(api, path)
    assert "文书正在生成" in waiting.text
    await render_all(api)
    page = await press(api, path)

    async with nothing_changes(api):
        paper = await api.http.get(paper_of(page))
        bare = await api.http.get(f"{path}/paper.pdf")
        forged = await api.http.get(f"{path}/paper.pdf", params={"ticket": "A" * 23})
        api.clock.advance(timedelta(minutes=31))
        late = await api.http.get(paper_of(page))

    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    assert paper.content.startswith(b"%PDF")
    assert paper.headers["cache-control"] == "no-store"
    assert [answer.status_code for answer in (bare, forged, late)] == [403, 403, 403]
    assert f'href="{path}"' in late.text


async def test_a_ticket_of_one_link_opens_no_other(api: Api, world: World) -> None:
    _, _, path = await notified(api, world)
    (mail,) = [row for row in await messages_of(api, "order_issued") if row["channel"] == "email"]
    other = await path_in(api, mail["id"])
    assert other != path
    await render_all(api)
    ticket = paper_of(await press(api, path)).partition("?")[2]

    answer = await api.http.get(f"{other}/paper.pdf?{ticket}")

    assert answer.status_code == 403


async def test_the_app_opens_it_without_an_account_too(api: Api, world: World) -> None:
    _, _, path = await notified(api, world)
    await render_all(api)

    answer = await opening_of(api, path)

    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    view = answer.json()
    assert (view["kind"], view["number"], view["state"]) == ("rectification_order", "SJ01-2026-ZG-000001", "to_rectify")
    assert (view["due_on"], [item["due_on"] for item in view["items"]]) == ("2026-08-20", ["2026-08-20"])
    assert (await api.http.get(view["paper_path"])).content.startswith(b"%PDF")
    assert len(await rows(api, "notice_opening")) == 1


async def test_openings_are_recorded_ten_times_a_day_and_shown_every_time(api: Api, world: World) -> None:
    _, _, path = await notified(api, world)
    most = DEFAULT_POLICY.openings_a_day

    for _ in range(most + 5):
        assert (await press(api, path)).status_code == 200
    assert len(await rows(api, "notice_opening")) == len(await traced(api, "document.notice_opened")) == most

    api.clock.advance(timedelta(days=1))
    assert (await press(api, path)).status_code == 200
    assert len(await rows(api, "notice_opening")) == most + 1


async def test_many_who_open_at_once_all_see_it_and_none_is_recorded_beyond_the_bound(api: Api, world: World) -> None:
    _, _, path = await notified(api, world)

    pages = await asyncio.gather(*(press(api, path) for _ in range(30)))

    assert {page.status_code for page in pages} == {200}
    recorded = len(await rows(api, "notice_opening"))
    assert 1 <= recorded <= DEFAULT_POLICY.openings_a_day
    assert len(await traced(api, "document.notice_opened")) == recorded


async def test_a_look_sends_nothing_but_reading(api: Api, world: World) -> None:
    _, _, path = await notified(api, world)
    await render_all(api)
    paper = paper_of(await press(api, path))

    async with statements(api) as sent:
        for address in (path, paper, f"{path}/paper.pdf", "/n/AAAAAAAAAAA"):
            await api.http.get(address)
            await api.http.head(address)

    assert {text.split()[0] for text in sent} <= {"SELECT", "BEGIN", "COMMIT;", "ROLLBACK;"}
    assert any(text.startswith("SELECT") for text in sent)


async def test_a_message_that_is_tried_again_keeps_its_link(api: Api, world: World) -> None:
    _, message, path = await notified(api, world)
    api.clock.advance(timedelta(minutes=7))

    assert await path_in(api, message["id"]) == path

    (link,) = await rows(api, "notice_link")
    assert (link["made_at"], link["asked_at"]) == (NOW, NOW + timedelta(minutes=7))


# What leads nowhere


@pytest.mark.parametrize("token", ["AAAAAAAAAAA", "x", "一二三", "A" * 200, "..%2F..%2Fv"])
async def test_what_is_no_link_of_ours_is_told_in_plain_words(api: Api, world: World, token: str) -> None:
    assert world.enterprise.name
    async with nothing_changes(api):
        answers = [
            await api.http.get(f"/n/{token}"),
            await press(api, f"/n/{token}"),
            await api.http.get(f"/n/{token}/paper.pdf"),
        ]
        opened = await opening_of(api, f"/n/{token}")
    if token.startswith(".."):  # never comes as far as the pages
        assert {answer.status_code for answer in (*answers, opened)} <= {404, 405}
        return
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert all("链接无效或已失效" in answer.text and "企业空间" in answer.text for answer in answers)
    refused(opened, 404, "notice-link-unknown")


async def nowhere(api: Api, path: str) -> str:
    """What a link that is over says, by every way the same."""
    async with nothing_changes(api):
        answers = [await api.http.get(path), await press(api, path), await api.http.get(f"{path}/paper.pdf")]
        opened = await opening_of(api, path)
    assert [answer.status_code for answer in answers] == [410, 410, 410]
    refused(opened, 410, "notice-link-over")
    (text,) = {answer.text for answer in answers}
    return text


async def test_what_is_over_does_not_tell_why(api: Api, world: World) -> None:
    order, message, path = await notified(api, world)
    (mail,) = [row for row in await messages_of(api, "order_issued") if row["channel"] == "email"]
    other = await path_in(api, mail["id"])
    (link,) = [row for row in await rows(api, "notice_link") if row["message_id"] == message["id"]]

    accepted(await revoke(api, world, order["document_id"], link["id"]))
    by_hand = await nowhere(api, path)
    assert (await api.http.get(other)).status_code == 200, "only that link is revoked"
    api.clock.advance(timedelta(days=76))
    expired = await nowhere(api, other)

    unknown = (await api.http.get("/n/AAAAAAAAAAA")).text
    assert by_hand == expired == unknown


async def test_the_links_of_a_revoked_order_are_over_with_it(api: Api, world: World) -> None:
    order, message, path = await notified(api, world)
    accepted(await api.as_(world.manager).post(order_path(order["id"], "revocation"), {"reason": "文书有误"}))

    await nowhere(api, path)
    assert await about_to_go(api, message["id"]) is None, "nor is the message sent any more"


async def test_a_link_outlives_the_order_by_sixty_days_also_when_it_is_given_more_time(api: Api, world: World) -> None:
    order, _, path = await notified(api, world)
    asked = await api.as_(world.enterprise_user).post(
        order_path(order["id"], "extension"), {"days": 30, "reason": "配件需要定制"}
    )
    accepted(asked)
    decision = {"granted": True, "reason": "情况属实"}
    granted = accepted(await api.as_(world.manager).post(order_path(order["id"], "extension/decision"), decision))
    assert granted["due_on"] == "2026-09-19"

    api.clock.advance(timedelta(days=45 + 60))
    assert (await api.http.get(path)).status_code == 200
    api.clock.advance(timedelta(days=1))
    assert (await api.http.get(path)).status_code == 410


async def test_who_guesses_is_not_answered_for_a_while(api: Api, world: World) -> None:
    _, _, path = await notified(api, world)
    api.app.state.guesses = Guesses()
    for _ in range(WRONG_AT_MOST):
        assert (await api.http.get("/n/AAAAAAAAAAA")).status_code == 404

    page, opened = await api.http.get(path), await opening_of(api, path)

    assert page.status_code == 429
    assert refused(opened, 429, "too-many-writes")["retry_after"] == 600
    api.clock.advance(timedelta(minutes=10))
    assert (await api.http.get(path)).status_code == 200


# The desk


async def test_the_office_sees_openings_and_never_the_link(api: Api, world: World) -> None:
    order, message, path = await notified(api, world)
    await press(api, path)
    address = f"/api/v1/documents/{order['document_id']}/notice-links"

    for who in (world.inspector, world.manager, world.lead):
        answer = await api.as_(who).get(address)
        assert answer.status_code == 200
        (card,) = answer.json()["items"]
        assert (card["message_id"], card["openings"], card["serves"]) == (str(message["id"]), 1, True)
        assert path.removeprefix("/n/") not in answer.text
    refused(await api.as_(world.foreign_lead).get(address), 404, "not-found")
    refused(await api.as_(world.enterprise_user).get(address), 403, "forbidden")
    refused(await api.as_(world.manager).get(f"/api/v1/documents/{uuid4()}/notice-links"), 404, "not-found")


async def test_a_link_is_revoked_once_and_by_the_department_that_issued_the_paper(api: Api, world: World) -> None:
    order, _, _ = await notified(api, world)
    (link,) = await rows(api, "notice_link")
    of = order["document_id"]

    refused(await revoke(api, world, of, link["id"], who=world.emergency_manager), 404, "not-found")
    refused(await revoke(api, world, str(uuid4()), link["id"]), 404, "not-found")
    accepted(await revoke(api, world, of, link["id"]))
    refused(await revoke(api, world, of, link["id"]), 409, "link-already-revoked")

    (told,) = await traced(api, "document.notice_link_revoked")
    assert json.loads(told["after"])["reason"] == "发错了手机"


# Which messages carry one


async def test_a_reminder_carries_no_link(api: Api, world: World) -> None:
    await ordered(api, world)
    (reminder,) = await messages_of(api, "order_issued_reminder")

    known = await about_to_go(api, reminder["id"])

    assert known is not None
    assert known["sequence"] == "1"
    assert await rows(api, "notice_link") == []


async def test_with_consent_to_mail_alone_the_sms_only_reminds(api: Api, world: World) -> None:
    await consent(api, world, means=["email"], phone=None)
    await ordered(api, world)

    (mail,), (reminder,) = await messages_of(api, "order_issued"), await messages_of(api, "order_issued_reminder")

    assert (mail["channel"], reminder["channel"]) == ("email", "sms")
    page = await press(api, await path_in(api, mail["id"]))
    assert page.status_code == 200
    await about_to_go(api, reminder["id"])
    assert [row["means"] for row in await rows(api, "notice_link")] == ["email"]
