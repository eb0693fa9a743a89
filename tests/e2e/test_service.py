"""送达 over HTTP: every lawful kind, consents, and the messages that are reminders without one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from api.paper_rendering import render_document
from notifications.sms.segments import measure
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, World
from tests.support.inspecting import photo, upload
from tests.support.problems import PENAL, PLAIN, days, feed_back, issue, order_path, ordered, read_order, serve
from tests.support.sending import Sent, deliver_waiting
from tests.support.visits import nothing_changes, rows

RECEIVER = {"name": "韦秀英", "capacity": "店长"}
BY_PHONE = {"means": ["sms", "email"], "phone": "138 7710 0001", "email": "wei@laoyou.example"}


async def deliver_all(api: Api) -> Sent:
    """Everything that waits, as it is sent."""
    for document in await rows(api, "document"):
        await render_document(api.parts, document["id"].bytes)
    waiting = [message["id"] for message in await rows(api, "message") if message["state"] == "waiting"]
    return await deliver_waiting(api.parts, waiting)


async def consent(api: Api, world: World, **changes: Any) -> Any:
    """The enterprise agrees to electronic service."""
    path = f"/api/v1/enterprises/{world.enterprise.id}/service-consents"
    return await api.as_(world.enterprise_user).post(path, {**BY_PHONE, **changes})


@pytest.mark.parametrize(
    ("fields", "lacking"),
    [
        ({"means": "direct", "receiver": RECEIVER}, "evidence"),
        ({"means": "direct"}, "receiver"),
        ({"means": "lien", "note": "店长拒收。"}, "witness"),
        ({"means": "post"}, "tracking_number"),
        ({"means": "entrusted"}, "body"),
        ({"means": "announcement"}, "place"),
    ],
    ids=["no return receipt", "no receiver", "no witness", "no tracking number", "no body", "no place"],
)
async def test_each_kind_of_service_needs_its_own_proof(
    api: Api, world: World, fields: dict[str, Any], lacking: str
) -> None:
    _, order = await ordered(api, world)

    async with nothing_changes(api):
        response = await serve(api, world.inspector, order["id"], **fields)

    refused(response, 422, "invalid-field", lacking)


async def test_terms_run_from_the_earliest_lawful_service(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    proof = await upload(api, world.inspector, found.inspection, photo(30))
    api.clock.advance(timedelta(days=4))

    posted = await serve(api, world.manager, order["id"], means="post", tracking_number="EMS1", served_on=days(3))
    assert accepted(posted)["order_served_on"] == days(3).isoformat()
    direct = await serve(
        api, world.inspector, order["id"], means="direct", receiver=RECEIVER, evidence=[proof], served_on=days(1)
    )
    assert accepted(direct)["order_served_on"] == days(1).isoformat()

    detail = await read_order(api, world.enterprise_user, order["id"])
    assert (detail["served_on"], detail["mark"]) == (days(1).isoformat(), "on_time")
    assert [each["means"] for each in detail["services"]] == ["direct", "post"]
    assert detail["services"][0]["receiver"] == RECEIVER


async def test_people_stand_neither_in_the_rows_nor_in_the_trace(api: Api, world: World) -> None:
    found, order = await ordered(api, world)
    proof = await upload(api, world.inspector, found.inspection, photo(30))
    accepted(await serve(api, world.inspector, order["id"], means="direct", receiver=RECEIVER, evidence=[proof]))
    accepted(await consent(api, world))

    for table in ("service_record", "service_consent", "trace", "message", "idempotency"):
        kept = str(await rows(api, table))
        assert "13877100001" not in kept
        assert "wei@laoyou" not in kept
        if table != "trace":  # the 亮证告知 of the same person stands there under a key of its own
            assert "韦秀英" not in kept


async def test_an_announcement_serves_after_thirty_days(api: Api, world: World) -> None:
    _, order = await ordered(api, world)

    served = accepted(await serve(api, world.inspector, order["id"], means="announcement", place="机关网站"))

    assert (served["served_on"], served["is_after_term"]) == (days(30).isoformat(), True)
    assert (await read_order(api, world.lead, order["id"]))["mark"] == "not_served"


async def test_electronic_service_needs_consent_on_file(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    async with nothing_changes(api):
        bare = await serve(api, world.inspector, order["id"], means="electronic")
    refused(bare, 409, "service-consent-missing", "means")

    accepted(await consent(api, world))
    accepted(await serve(api, world.inspector, order["id"], means="electronic"))

    withdrawal = f"/api/v1/enterprises/{world.enterprise.id}/service-consents/withdrawal"
    accepted(await api.as_(world.enterprise_user).post(withdrawal))
    refused(await api.as_(world.enterprise_user).post(withdrawal), 409, "no-service-consent")
    api.clock.advance(timedelta(days=1))
    later = await serve(api, world.inspector, order["id"], means="electronic", served_on=days(1))
    refused(later, 409, "service-consent-missing", "means")
    detail = await read_order(api, world.inspector, order["id"])
    assert [each["means"] for each in detail["services"]] == ["electronic"]


async def test_service_is_neither_before_the_issue_nor_to_come(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    for day in (days(-1), days(1)):
        response = await serve(api, world.inspector, order["id"], means="post", tracking_number="1", served_on=day)
        refused(response, 422, "invalid-field", "served_on")


async def test_another_department_serves_nothing(api: Api, world: World) -> None:
    _, order = await ordered(api, world)
    response = await serve(api, world.emergency_inspector, order["id"], means="post", tracking_number="1")
    refused(response, 404, "not-found")


# Consent


async def test_a_new_consent_takes_the_place_of_the_former(api: Api, world: World) -> None:
    accepted(await consent(api, world))
    second = accepted(await consent(api, world, means=["sms"], email=None))

    path = f"/api/v1/enterprises/{world.enterprise.id}/service-consents"
    card = (await api.as_(world.enterprise_user).get(path)).json()
    assert (card["means"], card["phone"], card["email"]) == (["sms"], "138****0001", None)
    kept = {str(row["id"]): row["withdrawn_at"] for row in await rows(api, "service_consent")}
    assert [when is None for when in kept.values()].count(True) == 1
    assert kept[second["id"]] is None
    refused(await api.as_(world.foreign_user).get(path), 404, "not-found")


async def test_an_inspector_hands_in_the_signed_paper(api: Api, world: World) -> None:
    found, _ = await ordered(api, world)
    path = f"/api/v1/enterprises/{world.enterprise.id}/service-consents"
    inspector = api.as_(world.inspector)
    async with nothing_changes(api):
        refused(await inspector.post(path, BY_PHONE), 422, "invalid-field", "paper")
    paper = await upload(api, world.inspector, found.inspection, photo(31))
    signed = {**BY_PHONE, "inspection_id": found.inspection, "paper": paper}

    accepted(await inspector.post(path, signed))

    refused(await api.as_(world.unassigned_inspector).post(path, signed), 404, "not-found", "inspection_id")
    other = f"/api/v1/enterprises/{world.other_enterprise.id}/service-consents"
    refused(await inspector.post(other, signed), 404, "not-found", "inspection_id")


@pytest.mark.parametrize(
    ("changes", "field"), [({"phone": "0771-12345"}, "phone"), ({"email": "wei"}, "email")], ids=["phone", "email"]
)
async def test_an_address_must_be_one(api: Api, world: World, changes: dict[str, Any], field: str) -> None:
    refused(await consent(api, world, **changes), 422, "invalid-field", field)


async def test_papers_are_not_served_by_sms_to_a_landline(api: Api, world: World) -> None:
    answer = await consent(api, world, phone="0771-5812345")
    refused(answer, 422, "invalid-field", "phone")
    assert answer.json()["detail"] == "固定电话不能接收短信，请填写手机号码。"


# Messages


async def test_without_consent_a_message_only_reminds(api: Api, world: World) -> None:
    await ordered(api, world)

    sent = await deliver_all(api)

    (text,) = [text for text in sent.sms.texts if "责令改正" in text]
    assert text == (
        "【南宁市监】责令改正通知书(1号)纸质件另行送达,8月20日前改正。本短信仅作提醒,可在智桂通核对,核实电话0771-12345"
    )
    assert sent.mail.taken == []


async def test_with_consent_it_carries_number_and_link(api: Api, world: World) -> None:
    accepted(await consent(api, world))
    _, order = await ordered(api, world)

    sent = await deliver_all(api)

    (sms,) = [sms for sms in sent.sms.taken if "责令改正" in sms.text]
    (mail,) = sent.mail.taken
    assert (sms.number, mail.address) == ("13877100001", "wei@laoyou.example")
    assert measure(sms.text).segments == 1
    assert re.search(r"yima\.test/n/[A-Za-z0-9_-]{11}$", sms.text)
    assert "SJ01-2026-ZG-000001" in mail.subject
    assert re.search(r"http://yima\.test/n/[A-Za-z0-9_-]{11}\b", mail.text)
    assert [file.content[:4] for file in mail.attachments] == [b"%PDF"]
    assert (await read_order(api, world.manager, order["id"]))["served_on"] is None


# What happened stays


async def test_what_happened_to_an_order_stays_after_its_revocation(api: Api, world: World) -> None:
    found, order = await ordered(api, world, PLAIN)
    accepted(await serve(api, world.inspector, order["id"], means="post", tracking_number="EMS1"))
    accepted(await feed_back(api, world, found, order["id"]))
    accepted(await api.as_(world.manager).post(order_path(order["id"], "revocation"), {"reason": "文书有误"}))

    detail = await read_order(api, world.enterprise_user, order["id"])
    assert (detail["state"], len(detail["services"]), len(detail["feedback"])) == ("revoked", 1, 1)
    late = await serve(api, world.inspector, order["id"], means="post", tracking_number="EMS2")
    refused(late, 409, "order-already-closed")
    assert accepted(await issue(api, world.inspector, found, PENAL))
    assert api.clock.now == NOW
