"""Receipts over HTTP: who may report, on what, and what becomes of a message then."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from api.delivery.engine import deliver
from api.settings import Settings
from api.sms_receipts import KANNEL_PATH, receipt_urls
from notifications.sms.access import AliyunAccess, KannelAccess, SmsAccess, ZhiguitongSmsAccess
from tests.support.client import Api, api_client
from tests.support.clock import FixedClock
from tests.support.database import Database
from tests.support.factories import NOW
from tests.support.sending import FakeProvider, by_sms, state_of, waiting_messages

SECRET, OTHER = "a1b2c3d4e5f6a7b8c9d0e1f2", "f2e1d0c9b8a7f6e5d4c3b2a1"
ALIYUN = f"/api/v1/message-receipts/aliyun/{SECRET}"
ZHIGUITONG = f"/api/v1/message-receipts/zhiguitong/{OTHER}"
PROVIDERS = SmsAccess(
    providers=(
        KannelAccess(url="http://127.0.0.1:9", username="yima", password="a-password"),
        AliyunAccess(
            access_key_id="an-id", access_key_secret="a-key", sign_name="一码", templates={}, receipt_secret=SECRET
        ),
        ZhiguitongSmsAccess(
            url="http://127.0.0.1:9", app_code="yima", app_secret="a-secret", app_key="a-key", receipt_secret=OTHER
        ),
    )
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_api(
    database: Database, keys_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """The application with all three providers set up."""
    settings = Settings(var=tmp_path_factory.mktemp("var"), keys=keys_folder, sms=PROVIDERS)
    async with api_client(settings, database.dsn, FixedClock(NOW)) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


async def next_transaction(owner: asyncpg.Connection) -> int:
    """The id of the transaction that writes next."""
    return int(await owner.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text") or 0)


async def sent(api: Api, by: str, count: int = 1) -> tuple[list[UUID], list[UUID]]:
    """Messages that a provider of that name took, and their tries."""
    messages = await waiting_messages(api.parts, count)
    provider = FakeProvider(name=by)
    for message in messages:
        assert await deliver(api.parts, by_sms(provider), message) is None
    return messages, [sms.reference for sms in provider.taken]


def kannel_report(api: Api, attempt: UUID, kind: str, told: str = "") -> str:
    """The address that Kannel calls."""
    return receipt_urls(api.parts.keys, "")(attempt) + f"&status={kind}&at={int(NOW.timestamp()) - 5}&told={told}"


def aliyun_report(attempt: UUID | None, **changes: Any) -> dict[str, Any]:
    return {
        "phone_number": "13977100001",
        "report_time": "2026-08-05 10:00:00",
        "success": True,
        "err_code": "DELIVERED",
        "biz_id": "900001^0",
        "out_id": None if attempt is None else str(attempt),
        **changes,
    }


# Kannel


async def test_kannels_report_makes_a_message_delivered(api: Api, owner: asyncpg.Connection) -> None:
    [message], [attempt] = await sent(api, "kannel")
    for kind, told in (("8", "ACK/"), ("1", ""), ("1", ""), ("8", "ACK/")):
        response = await api.http.get(kannel_report(api, attempt, kind, told))
        assert (response.status_code, response.text) == (200, "")
    assert await state_of(owner, message) == ("delivered", 1, None)
    rows = await owner.fetch("SELECT state, provider_status FROM message_receipt ORDER BY state")
    assert [tuple(row) for row in rows] == [("delivered", "1"), ("taken", "8 ACK/")]


async def test_kannels_report_of_a_failure_is_shown_with_its_code(api: Api, owner: asyncpg.Connection) -> None:
    [message], [attempt] = await sent(api, "kannel")
    told = "id:7 stat:UNDELIV err:021 text:%E3%80%90%E9%82%95%E5%B7%9E%E3%80%91"
    assert (await api.http.get(kannel_report(api, attempt, "2", told))).status_code == 200
    assert await state_of(owner, message) == ("failed", 1, "unreachable")
    assert await owner.fetchval("SELECT last_error FROM message") == "2 UNDELIV 021"


async def test_what_the_carrier_refuses_after_kannel_took_it_did_not_arrive(
    api: Api, owner: asyncpg.Connection
) -> None:
    [message], [attempt] = await sent(api, "kannel")
    told = "NACK/0x0000000b/Invalid%20Destination%20Address"
    assert (await api.http.get(kannel_report(api, attempt, "16", told))).status_code == 200
    assert await state_of(owner, message) == ("failed", 1, "unreachable")
    assert str(await owner.fetchval("SELECT last_error FROM message")).startswith("16 NACK/0x0000000b/Invalid")


@pytest.mark.parametrize(("state", "status"), [("open", 503), ("refused", 200), ("unknown", 200)])
async def test_a_report_of_what_kannel_refused_at_once_takes_no_second_try_away(
    api: Api, owner: asyncpg.Connection, state: str, status: int
) -> None:
    [message], [attempt] = await sent(api, "kannel")
    await owner.execute("UPDATE message_attempt SET state = $1", state)
    await owner.execute("UPDATE message SET state = 'waiting'")
    assert (await api.http.get(kannel_report(api, attempt, "16", "NACK/no%20SMSC"))).status_code == status
    assert (await state_of(owner, message))[0] == "waiting"
    assert await owner.fetchval("SELECT state FROM message_attempt") == state


async def test_a_report_without_our_mac_is_nobodys(api: Api, owner: asyncpg.Connection) -> None:
    [message, _], [attempt, other] = await sent(api, "kannel", 2)
    good = kannel_report(api, attempt, "1")
    mac = good.partition("mac=")[2].partition("&")[0]
    forged = [
        good.replace(str(attempt), str(other)),
        good.replace(mac, mac[:-1]),
        good.replace(mac, ""),
        good.replace(f"&mac={mac}", ""),
        good.replace(str(attempt), "nobody"),
        KANNEL_PATH,
        kannel_report(api, attempt, "1").replace(mac, receipt_urls(api.parts.keys, "")(uuid4()).partition("mac=")[2]),
    ]
    for address in forged:
        assert (await api.http.get(address)).status_code == 404, address
    assert (await state_of(owner, message))[0] == "sent"
    assert await owner.fetchval("SELECT count(*) FROM message_receipt") == 0


async def test_a_report_that_cannot_be_read_is_a_bad_request(api: Api) -> None:
    _, [attempt] = await sent(api, "kannel")
    good = kannel_report(api, attempt, "1")
    for broken in (
        good.replace("status=1", "status=one"),
        good.replace("&at=", "&at=soon"),
        good.partition("&status")[0],
    ):
        assert (await api.http.get(broken)).status_code == 400, broken
    assert (await api.http.post(good)).status_code == 405


async def test_a_proven_report_on_a_try_that_is_gone_is_left_aside(api: Api, owner: asyncpg.Connection) -> None:
    assert (await api.http.get(kannel_report(api, uuid4(), "1"))).status_code == 200
    assert await owner.fetchval("SELECT count(*) FROM message_receipt") == 0


async def test_the_address_for_one_provider_cannot_report_for_another(api: Api, owner: asyncpg.Connection) -> None:
    [message], [attempt] = await sent(api, "aliyun")
    assert (await api.http.get(kannel_report(api, attempt, "1"))).status_code == 200
    assert (await state_of(owner, message))[0] == "sent"


# Providers that report many at once


async def test_the_vendors_list_is_taken_and_answered_as_it_asks(api: Api, owner: asyncpg.Connection) -> None:
    messages, attempts = await sent(api, "aliyun", 3)
    body = [
        aliyun_report(attempts[0]),
        aliyun_report(attempts[1], success=False, err_code="MOBILE_NOT_ON_SERVICE"),
        aliyun_report(None, biz_id="aliyun-3"),
        aliyun_report(uuid4(), biz_id="somebody else's"),
    ]
    for _ in range(2):
        response = await api.http.post(ALIYUN, json=body)
        assert (response.status_code, response.json()["code"]) == (200, 0)
    states = [(await state_of(owner, message))[0] for message in messages]
    assert states == ["delivered", "failed", "delivered"]
    assert await owner.fetchval("SELECT count(*) FROM message_receipt") == 3


async def test_zhiguitongs_list_is_taken(api: Api, owner: asyncpg.Connection) -> None:
    messages, attempts = await sent(api, "zhiguitong", 2)
    body = [{"extendId": str(attempts[0]), "status": "1"}, {"msgId": "zhiguitong-2", "status": 2, "errCode": "E7"}]
    response = await api.http.post(ZHIGUITONG, json=body)
    assert (response.status_code, response.json()) == (200, {"flag": True})
    assert [(await state_of(owner, message))[0] for message in messages] == ["delivered", "failed"]


@pytest.mark.parametrize(
    "address",
    [
        ALIYUN.replace(SECRET, OTHER),
        ALIYUN[:-1],
        ALIYUN + "0",
        ZHIGUITONG.replace(OTHER, SECRET),
        "/api/v1/message-receipts/aliyun/x",
        f"/api/v1/message-receipts/kannel/{SECRET}",
    ],
)
async def test_without_the_agreed_secret_nothing_is_taken(api: Api, owner: asyncpg.Connection, address: str) -> None:
    [message], [attempt] = await sent(api, "aliyun")
    response = await api.http.post(address, json=[aliyun_report(attempt)])
    assert response.status_code == 404
    assert (await state_of(owner, message))[0] == "sent"


@pytest.mark.parametrize("address", [ALIYUN, ZHIGUITONG])
@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[1]", b"\xff\xfe", b'[{"success": true', b"[" * 50_000])
async def test_what_is_no_list_is_a_bad_request(api: Api, address: str, body: bytes) -> None:
    assert (await api.http.post(address, content=body)).status_code == 400


async def test_an_empty_list_is_fine(api: Api) -> None:
    assert (await api.http.post(ALIYUN, json=[])).status_code == 200


async def test_a_body_beyond_all_measure_is_refused(api: Api) -> None:
    body = json.dumps([aliyun_report(uuid4(), err_code="A" * 150)] * 6000).encode()
    assert (await api.http.post(ALIYUN, content=body)).status_code in {400, 413}
    assert (await api.http.post(ALIYUN, content=b" " * 2_200_000)).status_code == 413


async def test_a_flood_of_a_thousand_is_one_transaction(api: Api, owner: asyncpg.Connection) -> None:
    [message], [attempt] = await sent(api, "aliyun")
    flood = [aliyun_report(uuid4(), biz_id=f"{number}^0") for number in range(999)]
    before = await next_transaction(owner)
    response = await api.http.post(ALIYUN, json=[*flood, aliyun_report(attempt)])
    assert response.status_code == 200
    assert await next_transaction(owner) - before <= 2
    assert (await state_of(owner, message))[0] == "delivered"
