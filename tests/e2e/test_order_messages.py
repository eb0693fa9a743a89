"""文书发放 (MOB-12): an officer looks at what an order's message says, and has it sent again or by another way."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx

from domain.identity.model import Principal
from notifications.sms.segments import measure
from tests.support.client import Api, accepted, refused
from tests.support.factories import World
from tests.support.notices import arrived, consent, messages_of, path_in, traced
from tests.support.problems import order_path, ordered, read_order
from tests.support.sending import deliver_waiting
from tests.support.visits import nothing_changes, rows


async def send(api: Api, who: Principal, order: dict[str, Any], means: str = "sms") -> httpx.Response:
    """再次告知."""
    return await api.as_(who).post(order_path(order["id"], "messages"), {"means": means})


async def preview(api: Api, who: Principal, order: dict[str, Any], means: str = "sms") -> httpx.Response:
    """文书发放预览."""
    return await api.as_(who).get(order_path(order["id"], "messages/preview"), means=means)


async def shown(api: Api, who: Principal, order: dict[str, Any], means: str = "sms") -> dict[str, Any]:
    """What the preview says; it changes nothing."""
    async with nothing_changes(api):
        response = await preview(api, who, order, means)
    assert response.status_code == 200, response.text
    return response.json()


async def test_what_was_sent_at_issue_is_sent_again_and_stands_in_the_orders_file(api: Api, world: World) -> None:
    await consent(api, world)
    _, order = await ordered(api, world)
    told = accepted(await send(api, world.inspector, order))
    assert (told["means"], told["is_notice"]) == ("sms", True)
    first, again = [each for each in await messages_of(api, "order_issued") if each["channel"] == "sms"]
    assert (again["parameters"], again["subject_id"]) == (first["parameters"], first["subject_id"])
    assert await path_in(api, first["id"]) != await path_in(api, again["id"])

    sent = await deliver_waiting(api.parts, [first["id"], again["id"]])

    assert len(sent.sms.texts) == 2
    assert [measure(text).segments for text in sent.sms.texts] == [1, 1]
    filed = (await read_order(api, world.manager, order["id"]))["messages"]
    assert [each["state"] for each in filed if each["channel"] == "sms"] == ["sent", "sent"]
    [event] = await traced(api, "rectification.told_again")
    assert event["operator_name"] == world.inspector.name
    facts = json.loads(event["after"])
    assert (facts["means"], facts["has_consent"]) == ("sms", True)


async def test_by_mail_goes_the_paper_to_who_agreed_and_its_arrival_serves(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    await consent(api, world)
    assert accepted(await send(api, world.manager, order, "email"))["is_notice"]
    [mail] = await messages_of(api, "order_issued")
    assert mail["channel"] == "email"
    await path_in(api, mail["id"])
    await arrived(api, mail, api.clock(), means="email")
    [service] = (await read_order(api, world.manager, order["id"]))["services"]
    assert service["means"] == "electronic"


async def test_without_consent_an_sms_reminds_and_no_mail_goes(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    assert not accepted(await send(api, world.inspector, order))["is_notice"]
    assert len(await messages_of(api, "order_issued_reminder")) == 2
    for asked in (send, preview):
        refused(await asked(api, world.inspector, order, "email"), 409, "service-consent-missing", "means")
    assert {each["channel"] for each in await messages_of(api, "order_issued_reminder")} == {"sms"}


async def test_the_preview_says_what_will_be_read_and_where_it_goes(api: Api, world: World) -> None:
    await consent(api, world)
    _, order = await ordered(api, world)
    by_sms = await shown(api, world.inspector, order)
    assert (by_sms["is_notice"], by_sms["address"], by_sms["obstacle"]) == (True, "138****0001", None)
    assert by_sms["message"]["text"].startswith("【")
    assert "8月20日前" in by_sms["message"]["text"]
    assert by_sms["message"]["segments"] == 1
    accepted(await send(api, world.inspector, order))
    again = [each for each in await messages_of(api, "order_issued") if each["channel"] == "sms"][-1]
    [text] = (await deliver_waiting(api.parts, [again["id"]])).sms.texts
    token = (await path_in(api, again["id"])).removeprefix("/n/")
    assert by_sms["message"]["text"].replace("…" * 11, token) == text
    by_mail = await shown(api, world.inspector, order, "email")
    assert (by_mail["address"], by_mail["message"]["channel"]) == ("w***@laoyou.example", "email")
    assert "责令改正通知书" in by_mail["message"]["subject"]


async def test_a_preview_tells_why_nothing_would_arrive(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    await world_without_phone(api, world)
    told = await shown(api, world.inspector, order)
    assert (told["address"], told["obstacle"]) == (None, "没有联系方式")


async def world_without_phone(api: Api, world: World) -> None:
    """The enterprise's liaison has left no number."""
    async with api.parts.pool.acquire() as connection:
        await connection.execute(
            "UPDATE enterprise SET liaison_phone_sealed = NULL, liaison_phone_index = NULL WHERE id = $1",
            world.enterprise.id,
        )


async def test_three_a_day_by_each_way_and_then_it_is_enough(api: Api, world: World) -> None:
    await consent(api, world)
    _, order = await ordered(api, world)
    for _ in range(2):
        accepted(await send(api, world.inspector, order))
    refused(await send(api, world.inspector, order), 409, "order-told-too-often", "means")
    accepted(await send(api, world.inspector, order, "email"))
    api.clock.advance(timedelta(hours=24))
    accepted(await send(api, world.inspector, order))


async def test_only_the_department_that_issued_an_open_order_has_it_told(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    before = len(await rows(api, "message"))
    for asked in (send, preview):
        for who in (world.enterprise_user, world.lead):
            assert (await asked(api, who, order)).status_code == 403
    accepted(await api.as_(world.manager).post(order_path(order["id"], "revocation"), {"reason": "认定有误"}))
    for asked in (send, preview):
        refused(await asked(api, world.inspector, order), 409, "order-already-closed")
    assert len(await rows(api, "message")) == before
