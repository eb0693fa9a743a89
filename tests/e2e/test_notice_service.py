"""Whether a message serves its paper, and what the order's file shows of it: by consent, once, as of its arrival."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from api.delivery.receipts import take_receipts
from domain.document.link import store
from domain.shared.sql import Command, borrow
from notifications import filed
from notifications.sms.port import ReceiptNote, ReceiptState
from notifications.tables import message_attempt, message_receipt
from tests.support.client import Api, accepted, refused
from tests.support.database import Database
from tests.support.factories import NOW, World
from tests.support.notices import about_to_go, arrived, consent, messages_of, notified, path_in, traced
from tests.support.problems import order_path, ordered, read_order, serve
from tests.support.sending import deliver_waiting
from tests.support.visits import rows

ARRIVED = NOW + timedelta(seconds=9)


async def services(api: Api, world: World, order: Mapping[str, Any]) -> list[dict[str, Any]]:
    """送达 of the order, as its file shows it."""
    return (await read_order(api, world.manager, order["id"]))["services"]


async def test_the_receipt_of_its_own_message_serves_an_order_as_of_its_arrival(api: Api, world: World) -> None:
    order, message, _ = await notified(api, world)
    api.clock.advance(timedelta(days=3))

    assert await arrived(api, message, NOW + timedelta(days=1)) == 1

    detail = await read_order(api, world.enterprise_user, order["id"])
    (service,) = detail["services"]
    assert (detail["served_on"], detail["mark"]) == ("2026-08-06", "on_time")
    assert (service["means"], service["served_on"]) == ("electronic", "2026-08-06")
    assert service["note"] == "短信送达，运营方回执时间2026-08-06 10:00:00；由系统按送达地址确认书登记"
    (told,) = await traced(api, "rectification.served")
    facts = json.loads(told["after"])
    (given,) = await rows(api, "service_consent")
    assert (told["operator_name"], facts["means"], facts["consent_id"]) == ("系统", "electronic", str(given["id"]))
    assert len(await traced(api, "document.notice_delivered")) == 1


async def test_told_twice_it_is_served_once(api: Api, world: World) -> None:
    order, message, _ = await notified(api, world)
    api.clock.advance(timedelta(minutes=5))

    assert await arrived(api, message, ARRIVED) == 1
    assert await arrived(api, message, ARRIVED + timedelta(days=1)) == 0

    assert len(await services(api, world, order)) == 1
    assert len(await traced(api, "document.notice_delivered")) == 1


async def test_told_twice_at_once_it_is_served_once(api: Api, world: World) -> None:
    order, message, _ = await notified(api, world)

    counts = await asyncio.gather(*(arrived(api, message, ARRIVED) for _ in range(4)))

    assert sorted(counts) == [0, 0, 0, 1]
    assert len(await services(api, world, order)) == 1


async def test_sms_and_mail_of_one_day_serve_once_and_an_earlier_arrival_counts(api: Api, world: World) -> None:
    order, sms, _ = await notified(api, world)
    (mail,) = [row for row in await messages_of(api, "order_issued") if row["channel"] == "email"]
    await path_in(api, mail["id"])
    api.clock.advance(timedelta(days=3))

    await arrived(api, mail, NOW + timedelta(days=2), means="email")
    assert [each["served_on"] for each in await services(api, world, order)] == ["2026-08-07"]
    await arrived(api, sms, NOW + timedelta(days=1))

    detail = await read_order(api, world.manager, order["id"])
    assert [each["served_on"] for each in detail["services"]] == ["2026-08-06", "2026-08-07"]
    assert detail["served_on"] == "2026-08-06"


async def test_after_an_electronic_service_by_hand_a_receipt_adds_none(api: Api, world: World) -> None:
    order, message, _ = await notified(api, world)
    accepted(await serve(api, world.inspector, order["id"], means="electronic"))
    api.clock.advance(timedelta(minutes=5))

    await arrived(api, message, ARRIVED)

    assert [each["means"] for each in await services(api, world, order)] == ["electronic"]
    assert len(await traced(api, "document.notice_delivered")) == 1


async def test_without_consent_a_receipt_is_nothing_but_evidence(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    (reminder,) = await messages_of(api, "order_issued_reminder")
    await about_to_go(api, reminder["id"])

    assert await arrived(api, reminder, ARRIVED) == 0

    detail = await read_order(api, world.manager, order["id"])
    assert (detail["served_on"], detail["services"]) == (None, [])


async def test_a_consent_that_was_withdrawn_before_it_arrived_serves_nothing(api: Api, world: World) -> None:
    order, message, _ = await notified(api, world)
    api.clock.advance(timedelta(minutes=1))
    path = f"/api/v1/enterprises/{world.enterprise.id}/service-consents/withdrawal"
    accepted(await api.as_(world.enterprise_user).post(path))
    api.clock.advance(timedelta(minutes=1))

    assert await arrived(api, message, api.clock.now) == 1, "the arrival is told all the same"

    assert await services(api, world, order) == []


async def test_a_consent_that_was_withdrawn_before_it_goes_leaves_a_message_that_serves_nothing(
    api: Api, world: World
) -> None:
    order, sms, link = await notified(api, world)
    (mail,) = [row for row in await messages_of(api, "order_issued") if row["channel"] == "email"]
    path = f"/api/v1/enterprises/{world.enterprise.id}/service-consents/withdrawal"
    accepted(await api.as_(world.enterprise_user).post(path))
    api.clock.advance(timedelta(minutes=1))

    assert await about_to_go(api, mail["id"]) is None, "the mail says that it comes by consent"
    assert await path_in(api, sms["id"]) == link

    assert "不算送达" in (await api.http.post(link, follow_redirects=True)).text
    await arrived(api, sms, api.clock.now)
    assert await services(api, world, order) == []


async def test_a_consent_given_after_it_was_sent_serves_nothing(api: Api, world: World) -> None:
    order, message, _ = await notified(api, world)
    api.clock.advance(timedelta(minutes=1))
    await consent(api, world, phone="138 7710 0002")
    api.clock.advance(timedelta(minutes=1))

    await arrived(api, message, api.clock.now)

    assert await services(api, world, order) == [], "it went to the address of the former consent"


async def test_a_consent_to_mail_alone_is_none_to_an_sms(api: Api, world: World) -> None:
    order, message, _ = await notified(api, world)
    api.clock.advance(timedelta(minutes=1))
    await consent(api, world, means=["email"], phone=None)
    api.clock.advance(timedelta(minutes=1))
    await path_in(api, message["id"])

    await arrived(api, message, api.clock.now)

    assert await services(api, world, order) == []


async def test_a_revoked_order_is_served_no_more(api: Api, world: World) -> None:
    order, message, _ = await notified(api, world)
    accepted(await api.as_(world.manager).post(order_path(order["id"], "revocation"), {"reason": "文书有误"}))

    await arrived(api, message, ARRIVED)

    assert await services(api, world, order) == []


async def test_an_opened_link_serves_nothing(api: Api, world: World) -> None:
    order, _, path = await notified(api, world)
    assert (await api.http.post(path, follow_redirects=True)).status_code == 200
    assert await services(api, world, order) == []


async def test_a_clock_that_is_wrong_serves_neither_before_it_went_nor_in_future(api: Api, world: World) -> None:
    order, message, _ = await notified(api, world)
    await arrived(api, message, NOW + timedelta(days=400))
    (service,) = await services(api, world, order)
    assert service["served_on"] == NOW.date().isoformat()


# The order's file


def _try(message: Mapping[str, Any], number: int, at: datetime, **fields: object) -> dict[str, object]:
    """A row of one try."""
    row: dict[str, object] = {column.name: None for column in message_attempt.columns}
    common = {"message_id": message["id"], "number": number, "channel": "sms"}
    return {**row, **common, "id": uuid4(), "started_at": at, "lease_until": at, "ended_at": at, **fields}


async def handed_over(api: Api, message: Mapping[str, Any], at: datetime) -> None:
    """One provider refuses the message, the next takes it and tells that it arrived."""
    refusal = _try(message, 1, at, provider="aliyun", state="refused", reason="throttled")
    taken = _try(message, 2, at, provider="kannel", state="accepted")
    receipt = {"id": uuid4(), "attempt_id": taken["id"], "state": "delivered", "provider_status": "1"}
    async with borrow(api.parts.pool) as connection:
        await _INSERT_ATTEMPT.run(connection, **refusal)
        await _INSERT_ATTEMPT.run(connection, **taken)
        await _INSERT_RECEIPT.run(connection, **receipt, at=at, received_at=at)
        await connection.execute(
            "UPDATE message SET state = 'delivered', sent_at = $1, delivered_at = $1, address_masked = '138****0001' "
            "WHERE id = $2",
            at,
            message["id"],
        )


_INSERT_ATTEMPT = Command(message_attempt.insert())
_INSERT_RECEIPT = Command(message_receipt.insert())


async def test_the_file_shows_every_message_state_by_state(api: Api, world: World) -> None:
    order, sms, path = await notified(api, world)
    await handed_over(api, sms, ARRIVED)
    api.clock.advance(timedelta(hours=1))
    await api.http.post(path)

    for who in (world.inspector, world.manager, world.lead, world.enterprise_user):
        shown = {each["channel"]: each for each in (await read_order(api, who, order["id"]))["messages"]}
        assert shown.keys() == {"sms", "email"}
        told = shown["sms"]
        assert (told["title"], told["is_notice"], told["address"]) == ("责令改正通知书送达", True, "138****0001")
        assert (told["state"], told["state_label"], told["delivered_at"]) == ("delivered", "已送达", _text(ARRIVED))
        assert [(each["provider"], each["state"], each["reason"]) for each in told["tries"]] == [
            ("aliyun", "refused", "服务商限流"),
            ("kannel", "accepted", None),
        ]
        assert [(each["number"], each["state"], each["at"]) for each in told["receipts"]] == [
            (2, "delivered", _text(ARRIVED))
        ]
        assert told["openings"] == [_text(NOW + timedelta(hours=1))]
        assert (shown["email"]["state"], shown["email"]["tries"]) == ("waiting", [])
    refused(await api.as_(world.foreign_user).get(order_path(order["id"])), 404, "not-found")


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def test_what_its_department_is_told_of_the_order_is_not_in_its_file(api: Api, world: World) -> None:
    order, _, _ = await notified(api, world)
    await api.as_(world.enterprise_user).post(
        order_path(order["id"], "extension"), {"days": 5, "reason": "配件需要定制"}
    )
    written = await messages_of(api, "extension_requested")

    shown = (await read_order(api, world.enterprise_user, order["id"]))["messages"]

    assert written
    assert {each["id"] for each in shown}.isdisjoint(str(each["id"]) for each in written)


_MANY = """
SET session_replication_role = replica;
INSERT INTO message (id, trace_id, template, channel, recipient, recipient_id, parameters, subject, subject_id, state,
    created_at)
SELECT md5('m' || n)::uuid, md5('t' || n)::uuid, 'order_issued', 'sms', 'enterprise', md5('e' || n)::uuid, '{}',
    'rectification_order', md5('o' || n)::uuid, 'delivered', now()
FROM generate_series(1, 20000) AS n;
INSERT INTO message_attempt (id, message_id, number, channel, provider, state, started_at, lease_until)
SELECT md5('a' || n)::uuid, md5('m' || n)::uuid, 1, 'sms', 'kannel', 'accepted', now(), now()
FROM generate_series(1, 20000) AS n;
INSERT INTO message_receipt (id, attempt_id, state, provider_status, at, received_at)
SELECT md5('r' || n)::uuid, md5('a' || n)::uuid, 'delivered', '1', now(), now() FROM generate_series(1, 20000) AS n;
INSERT INTO notice_link (id, number, document_id, enterprise_id, message_id, means, serves, made_at, asked_at,
    expires_at)
SELECT md5('l' || n)::uuid, substr(decode(md5('n' || n), 'hex'), 1, 5), md5('d' || n)::uuid, md5('e' || n)::uuid,
    md5('m' || n)::uuid, 'sms', true, now(), now(), now()
FROM generate_series(1, 20000) AS n;
INSERT INTO notice_opening (link_id, opened_on, place, opened_at, address)
SELECT md5('l' || n)::uuid, current_date, 1, now(), 'x' FROM generate_series(1, 20000) AS n;
ANALYZE;
"""


async def test_among_many_messages_the_file_of_one_order_is_found_by_index(api: Api, database: Database) -> None:
    assert api.clock.now == NOW
    one = uuid4()
    asked: dict[Command, dict[str, object]] = {
        Command(filed.MESSAGES_OF_SUBJECT): {"subject_id": one},
        Command(filed.ATTEMPTS_OF_MESSAGES): {"messages": [one]},
        Command(filed.RECEIPTS_OF_MESSAGES): {"messages": [one]},
        store.OPENINGS_OF_MESSAGES: {"messages": [one]},
        store.LINKS_OF_DOCUMENT: {"document_id": one},
        store.LINK_BY_NUMBER: {"number": b"12345"},
        store.UNDELIVERED_LINK: {"message_id": one, "document_id": one},
    }
    connection = await asyncpg.connect(database.dsn)
    try:
        await connection.execute(_MANY)
        for query, given in asked.items():
            lines = await connection.fetch(f"EXPLAIN (COSTS OFF) {query.text}", *query.arguments(given))
            plan = "\n".join(line for (line,) in lines)
            assert "Seq Scan" not in plan, plan
    finally:
        await connection.close()


# The whole way


async def test_from_the_order_to_the_phone_and_back_into_its_file(api: Api, world: World) -> None:
    await consent(api, world, means=["sms"], email=None)
    _, order = await ordered(api, world)
    (message,) = await messages_of(api, "order_issued")
    sent = await deliver_waiting(api.parts, [message["id"]])
    (sms,) = sent.sms.taken
    assert sms.number == "13877100001"
    api.clock.advance(timedelta(minutes=2))

    note = ReceiptNote(
        attempt_id=sms.reference,
        provider=sent.sms.name,
        provider_reference=None,
        state=ReceiptState.DELIVERED,
        provider_status="1",
        at=ARRIVED,
    )
    assert await take_receipts(api.parts, [note, note]) == 2
    page = await api.http.post(sms.text.partition("yima.test")[2], follow_redirects=True)
    assert "SJ01-2026-ZG-000001" in page.text

    detail = await read_order(api, world.enterprise_user, order["id"])
    assert (detail["served_on"], [each["means"] for each in detail["services"]]) == ("2026-08-05", ["electronic"])
    (told,) = detail["messages"]
    assert (told["state"], told["delivered_at"], told["address"]) == ("delivered", _text(ARRIVED), "138****0001")
    assert [each["state"] for each in told["receipts"]] == ["delivered"]
    assert len(told["openings"]) == 1
