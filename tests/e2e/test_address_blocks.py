"""退订 and 黑名单 over HTTP, and what phones answer: once each, by blind index, traced, and asked before sending."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import uvicorn

from api import address_blocks
from api.answer_commands import sms_service
from domain.shared.sql import Query, borrow
from notifications.attempts import STANDING_OF_ADDRESS, StandingAddress
from notifications.blocks import ADDRESS_LABELS, BlockKind
from notifications.message import Channel, Purpose
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, World
from tests.support.kannel import running_kannel
from tests.support.visits import nothing_changes, rows

PATH = "/api/v1/address-blocks"
PHONE = "13877120001"
_STANDING = Query(STANDING_OF_ADDRESS, StandingAddress)


def order(kind: str = "opted_out", address: str = PHONE, **changes: Any) -> dict[str, Any]:
    """What the office sends."""
    return {"channel": "sms", "address": address, "kind": kind, **changes}


async def standing(api: Api, address: str = PHONE, channel: Channel = Channel.SMS) -> set[BlockKind]:
    """What is asked before anything is sent to the address."""
    index = api.parts.vault.blind_index(ADDRESS_LABELS[channel], address)
    async with borrow(api.parts.pool) as connection:
        found = await _STANDING.one(
            connection,
            address_index=index,
            channel=channel,
            purpose=Purpose.REMINDER,
            message_id=uuid4(),
            hour_ago=NOW - timedelta(hours=1),
            day_ago=NOW - timedelta(days=1),
        )
    return {BlockKind(kind) for kind in found.blocks}


async def answer_sms(
    api: Api, text: str, sender: str = PHONE, secret: str | None = None, charset: str = "utf-16-be"
) -> Any:
    """What Kannel hands on of a phone's answer."""
    told = secret or address_blocks.incoming_secret(api.parts.keys)
    return await api.http.post(
        f"/api/v1/message-receipts/kannel/incoming/{told}",
        params={"from": sender},
        content=text.encode(charset),
        headers={"content-type": f'text/plain; charset="{charset}"'},
    )


# ---- by the office


async def test_whoever_asks_the_office_is_left_alone_until_the_office_lifts_it(api: Api, world: World) -> None:
    set_ = accepted(await api.as_(world.manager).post(PATH, order(address="+86 138-7712-0001", note="来电要求")))
    assert (set_["kind"], set_["is_new"]) == ("opted_out", True)
    assert await standing(api) == {BlockKind.OPTED_OUT}
    again = accepted(await api.as_(world.lead).post(PATH, order()))
    assert again == {**set_, "is_new": False}
    found = await api.as_(world.manager).post(f"{PATH}/lookups", {"channel": "sms", "address": PHONE})
    (line,) = found.json()["items"]
    assert (line["address"], line["kind_label"], line["note"]) == ("138****0001", "已退订", "来电要求")
    accepted(await api.as_(world.manager).post(f"{PATH}/{set_['id']}/lifting"))
    assert await standing(api) == set()
    refused(await api.as_(world.manager).post(f"{PATH}/{set_['id']}/lifting"), 409, "block-already-lifted")
    accepted(await api.as_(world.manager).post(PATH, order()))
    assert await standing(api) == {BlockKind.OPTED_OUT}
    assert len(await rows(api, "address_block")) == 2


async def test_the_blacklist_is_the_administrators(api: Api, world: World) -> None:
    for who in (world.manager, world.lead):
        async with nothing_changes(api):
            refused(await api.as_(who).post(PATH, order("blacklisted")), 403, "forbidden")
    made = accepted(await api.as_(world.administrator).post(PATH, order("blacklisted")))
    refused(await api.as_(world.lead).post(f"{PATH}/{made['id']}/lifting"), 403, "forbidden")
    listed = (await api.as_(world.administrator).get(PATH, kind="blacklisted")).json()["items"]
    assert [each["id"] for each in listed] == [made["id"]]
    assert (await api.as_(world.administrator).get(PATH, kind="opted_out")).json()["items"] == []
    refused(await api.as_(world.lead).get(PATH), 403, "forbidden")
    accepted(await api.as_(world.administrator).post(f"{PATH}/{made['id']}/lifting"))
    assert (await api.as_(world.administrator).get(PATH)).json()["items"] == []


async def test_the_list_comes_in_pages_the_newest_first(api: Api, world: World) -> None:
    made: list[str] = []
    for number in range(5):
        block = order(address=f"1387712000{number}")
        made.append(accepted(await api.as_(world.administrator).post(PATH, block))["id"])
    first = (await api.as_(world.administrator).get(PATH, limit=3)).json()
    rest = (await api.as_(world.administrator).get(PATH, limit=3, cursor=first["next_cursor"])).json()
    assert {each["id"] for each in first["items"] + rest["items"]} == set(made)
    assert (len(first["items"]), rest["next_cursor"]) == (3, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (order(address="0771-5812345"), "address"),
        (order(address="nobody"), "address"),
        (order(channel="email", address="nobody"), "address"),
        (order(channel="in_app"), "channel"),
        (order("bounced"), "kind"),
    ],
)
async def test_what_is_no_address_is_refused(api: Api, world: World, body: dict[str, Any], field: str) -> None:
    async with nothing_changes(api):
        refused(await api.as_(world.administrator).post(PATH, body), 422, "invalid-field", field)
    assert await rows(api, "address_block") == []


async def test_a_mailbox_is_known_however_its_letters_are_written(api: Api, world: World) -> None:
    accepted(await api.as_(world.manager).post(PATH, order(channel="email", address="Wei@Example.CN")))
    assert await standing(api, "wei@example.cn", Channel.EMAIL) == {BlockKind.OPTED_OUT}
    found = await api.as_(world.manager).post(f"{PATH}/lookups", {"channel": "email", "address": "wei@example.cn"})
    assert [each["address"] for each in found.json()["items"]] == ["w***@example.cn"]


async def test_no_address_stands_in_clear_anywhere(api: Api, world: World) -> None:
    accepted(await api.as_(world.manager).post(PATH, order()))
    await answer_sms(api, "TD", sender="13877120002")
    for table in ("address_block", "trace", "idempotency", "message"):
        stored = str(await rows(api, table))
        assert PHONE not in stored
        assert "13877120002" not in stored
    traced = [row for row in await rows(api, "trace") if row["action"] == "address_block.set"]
    assert len(traced) == 2


# ---- by the phone itself


@pytest.mark.parametrize("text", ["TD", " td。", "退订", "Ｔ", "【退订】", "stop", "t d"])
async def test_a_phone_that_answers_with_a_word_that_ends_it_is_left_alone(api: Api, world: World, text: str) -> None:
    del world
    answer = await answer_sms(api, text, sender="+8613877120001")
    assert (answer.status_code, answer.content) == (200, b"")
    assert await standing(api) == {BlockKind.OPTED_OUT}


@pytest.mark.parametrize("text", ["", "谢谢", "不要退订", "TDX", "1"])
async def test_any_other_answer_changes_nothing(api: Api, world: World, text: str) -> None:
    del world
    async with nothing_changes(api):
        assert (await answer_sms(api, text)).content == b""
    assert await standing(api) == set()


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "UTF-16BE"])
async def test_an_answer_is_read_by_the_letters_that_come_with_it(api: Api, world: World, charset: str) -> None:
    del world
    await answer_sms(api, "退订", charset=charset)
    assert await standing(api) == {BlockKind.OPTED_OUT}


@pytest.mark.parametrize("told", ["text/plain; charset=klingon", "text/plain; charset=utf-16", "", "nonsense"])
async def test_letters_that_nobody_knows_are_no_answer_and_no_defect(api: Api, world: World, told: str) -> None:
    del world
    path = f"/api/v1/message-receipts/kannel/incoming/{address_blocks.incoming_secret(api.parts.keys)}"
    for body in (b"\xff\xfe\x00", b"\xd8", b""):
        answer = await api.http.post(path, params={"from": PHONE}, content=body, headers={"content-type": told})
        assert (answer.status_code, answer.content) == (200, b"")
    assert await standing(api) == set()


async def test_a_landline_and_nonsense_are_nobody(api: Api, world: World) -> None:
    del world
    for sender in ("0771-5812345", "10690000", "", "x" * 40):
        assert (await answer_sms(api, "TD", sender=sender)).status_code == 200
    assert await rows(api, "address_block") == []


async def test_only_the_gateway_hands_answers_on(api: Api, world: World) -> None:
    del world
    for secret in ("x", "0" * 32, address_blocks.incoming_secret(api.parts.keys)[:-1]):
        refused(await answer_sms(api, "TD", secret=secret), 404, "not-found")
    assert await rows(api, "address_block") == []


async def test_of_many_answers_at_once_one_block_stands(api: Api, world: World) -> None:
    del world
    answers = await asyncio.gather(*(answer_sms(api, "TD") for _ in range(8)))
    assert {each.status_code for each in answers} == {200}
    assert len(await rows(api, "address_block")) == 1


# ---- through the real gateway


@pytest.mark.slow
@pytest.mark.parametrize("text", ["退订", "TD"])
async def test_what_a_phone_answers_comes_through_the_real_gateway(api: Api, world: World, text: str) -> None:
    del world
    with socket.create_server(("127.0.0.1", 0)) as line:
        config = uvicorn.Config(api.app, lifespan="off", log_level="warning", access_log=False, ws="none")  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([line]))  # pyright: ignore[reportPrivateUsage] - without its signals
        group = sms_service(f"http://127.0.0.1:{line.getsockname()[1]}", address_blocks.incoming_secret(api.parts.keys))
        address = re.findall('"(.*)"', group)[0]
        try:
            await asyncio.to_thread(_say, address, text)
        finally:
            server.should_exit = True
            await serving
    assert await standing(api) == {BlockKind.OPTED_OUT}


def _say(address: str, text: str) -> None:
    """A phone answers; the gateway lives until it was heard."""
    with running_kannel(incoming_url=address) as gateway:
        gateway.say(PHONE, text)
        time.sleep(3)
