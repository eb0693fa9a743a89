"""One suite for every way to the carriers: what is taken, and every way to fail, over real HTTP on this machine.

The refusals are recorded from the providers' documentation, and Kannel's from Kannel itself (test_real_kannel.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime
from uuid import uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio

from notifications.outcome import Accepted, Reason
from notifications.sms import exchange
from notifications.sms.access import AliyunAccess, AliyunTemplate, ProviderAccess
from notifications.sms.acs3 import Acs3Key, canonical_query, signed_headers
from notifications.sms.exchange import sms_client
from notifications.sms.port import Found, SmsProvider
from tests.support.installation import free_port
from tests.support.sms_gateways import (
    NUMBER,
    SECRET,
    TEXT,
    Gateway,
    HangUp,
    Reply,
    Silence,
    SimulatedAliyun,
    SimulatedKannel,
    SimulatedZhiguitongSms,
    Trouble,
    answer_of,
    driver_of,
    outgoing,
    refusal,
    running,
)

TODAY = date(2026, 11, 22)
VENDORS = AliyunTemplate(code="SMS_1001", version=1, values=("department", "number", "link_end"))


def _zhiguitong(code: str, message: str = "…") -> Reply:
    return answer_of(200, {"flag": False, "data": None, "errCode": code, "errMsg": message})


def _aliyun(code: str, message: str = "…", status: int = 200) -> Reply:
    return answer_of(status, {"Code": code, "Message": message, "RequestId": "819BE656-D2E0-4858-8B21-B2E477085AAF"})


NAMES = ("kannel", "aliyun", "zhiguitong")
RECORDED: Mapping[str, Mapping[str, tuple[Reply, Reason]]] = {
    "kannel": {
        "throttled": (Reply(status=503, body=b"Temporal failure, try again later."), Reason.THROTTLED),
        "bad number": (
            Reply(status=400, body=b"Number(s) has/have been denied by white- and/or black-lists."),
            Reason.BAD_ADDRESS,
        ),
        "no number": (Reply(status=400, body=b"Empty receiver number not allowed, rejected"), Reason.BAD_ADDRESS),
        "no way": (Reply(status=403, body=b"Not routable. Do not try again."), Reason.UNREACHABLE),
        "no credit": (Reply(status=402), Reason.NO_CREDIT),
        "unauthorised": (Reply(status=403, body=b"Authorization failed for sendsms"), Reason.UNAUTHORISED),
        "no sender": (Reply(status=400, body=b"Sender missing and no global set, rejected"), Reason.UNAUTHORISED),
        "bad text": (Reply(status=400, body=b"Charset or body misformed, rejected"), Reason.CONTENT_REFUSED),
        "unknown": (Reply(status=400, body=b"Something new, rejected"), Reason.PROVIDER_AWAY),
        "malformed": (Reply(status=202, body=b"<html>welcome</html>"), Reason.MALFORMED_ANSWER),
        "taken, by another's words": (Reply(status=200, body=b"OK"), Reason.MALFORMED_ANSWER),
    },
    "aliyun": {
        "throttled": (_aliyun("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1"), Reason.THROTTLED),
        "throttled at the gate": (_aliyun("Throttling.User", status=400), Reason.THROTTLED),
        "over the day's limit": (_aliyun("isv.DAY_LIMIT_CONTROL"), Reason.THROTTLED),
        "bad number": (_aliyun("isv.MOBILE_NUMBER_ILLEGAL", f"{NUMBER}invalid mobile number"), Reason.BAD_ADDRESS),
        "no credit": (_aliyun("isv.AMOUNT_NOT_ENOUGH", "账户余额不足"), Reason.NO_CREDIT),
        "out of service": (_aliyun("isv.OUT_OF_SERVICE"), Reason.NO_CREDIT),
        "unauthorised": (_aliyun("InvalidAccessKeyId.NotFound", status=404), Reason.UNAUTHORISED),
        "denied": (_aliyun("isp.RAM_PERMISSION_DENY"), Reason.UNAUTHORISED),
        "no such template": (_aliyun("isv.SMS_TEMPLATE_ILLEGAL"), Reason.TEMPLATE_MISMATCH),
        "a value is missing": (_aliyun("isv.TEMPLATE_MISSING_PARAMETERS"), Reason.TEMPLATE_MISMATCH),
        "bad text": (_aliyun("isv.SMS_CONTENT_ILLEGAL", f"含有禁止内容:{TEXT}"), Reason.CONTENT_REFUSED),
        "bad signature": (_aliyun("isv.SMS_SIGNATURE_ILLEGAL"), Reason.CONTENT_REFUSED),
        "its own fault": (_aliyun("isp.SYSTEM_ERROR"), Reason.NO_ANSWER),
        "its own fault, by status": (_aliyun("InternalError", status=500), Reason.NO_ANSWER),
        "away": (_aliyun("ServiceUnavailable", status=503), Reason.PROVIDER_AWAY),
        "unknown": (_aliyun("isv.SOMETHING_NEW"), Reason.PROVIDER_AWAY),
        "malformed": (Reply(body=b"<html>welcome</html>"), Reason.MALFORMED_ANSWER),
        "half an answer": (Reply(body=b'{"Code": "O'), Reason.MALFORMED_ANSWER),
        "another answer": (answer_of(200, {"code": 0}), Reason.MALFORMED_ANSWER),
    },
    "zhiguitong": {
        "throttled": (_zhiguitong("429"), Reason.THROTTLED),
        "bad number": (_zhiguitong("1003", f"{NUMBER} 号码无效"), Reason.BAD_ADDRESS),
        "no credit": (_zhiguitong("402"), Reason.NO_CREDIT),
        "unauthorised": (
            answer_of(401, {"flag": False, "data": None, "errCode": "401", "errMsg": "应用认证失败"}),
            Reason.UNAUTHORISED,
        ),
        "denied": (_zhiguitong("403"), Reason.UNAUTHORISED),
        "bad text": (_zhiguitong("1004", TEXT), Reason.CONTENT_REFUSED),
        "a value is missing": (_zhiguitong("1001"), Reason.TEMPLATE_MISMATCH),
        "its own fault": (_zhiguitong("-1"), Reason.NO_ANSWER),
        "unknown": (_zhiguitong("4711"), Reason.PROVIDER_AWAY),
        "malformed": (Reply(body=b"<html>welcome</html>"), Reason.MALFORMED_ANSWER),
        "another answer": (answer_of(200, {"code": 0}), Reason.MALFORMED_ANSWER),
    },
}
EVERYWHERE: Mapping[str, tuple[Trouble, Reason]] = {
    "HTTP 500": (Reply(status=500, body=b"<html>oops</html>"), Reason.NO_ANSWER),
    "HTTP 502": (Reply(status=502), Reason.NO_ANSWER),
    "HTTP 504": (Reply(status=504), Reason.NO_ANSWER),
    "HTTP 429": (Reply(status=429, headers={"Retry-After": "17"}), Reason.THROTTLED),
    "HTTP 401": (Reply(status=401), Reason.UNAUTHORISED),
    "HTTP 404": (Reply(status=404, body=b"nothing here"), Reason.PROVIDER_AWAY),
    "a redirect": (Reply(status=307, headers={"Location": "http://127.0.0.1:9/"}), Reason.PROVIDER_AWAY),
    "time-out after sending": (Silence(), Reason.NO_ANSWER),
    "the line is cut": (HangUp(), Reason.NO_ANSWER),
    "beyond all measure": (Reply(body=bytes(300_000)), Reason.MALFORMED_ANSWER),
}
RECORDED_CASES = [(name, case) for name in NAMES for case in RECORDED[name]]
EVERYWHERE_CASES = [(name, case) for name in NAMES for case in EVERYWHERE]


class Ways(msgspec.Struct, frozen=True):
    """The simulated gateways by name, and a client of all."""

    gateways: Mapping[str, Gateway]
    client: httpx.AsyncClient

    def driver(self, name: str) -> SmsProvider:
        """The driver of that gateway."""
        access: ProviderAccess = self.gateways[name].access  # type: ignore[attr-defined]
        return driver_of(access, self.client)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def all_ways() -> AsyncIterator[Ways]:
    gateways = {
        "kannel": SimulatedKannel(),
        "aliyun": SimulatedAliyun({"order_issued": VENDORS}),
        "zhiguitong": SimulatedZhiguitongSms(),
    }
    async with AsyncExitStack() as stack:
        for gateway in gateways.values():
            await stack.enter_async_context(running(gateway))
        yield Ways(gateways, await stack.enter_async_context(sms_client()))


@pytest.fixture
def ways(all_ways: Ways, monkeypatch: pytest.MonkeyPatch) -> Ways:
    monkeypatch.setattr(exchange, "WHOLE_SECONDS", 0.5)
    for gateway in all_ways.gateways.values():
        gateway.troubles.clear()
        gateway.requests.clear()
        gateway.taken.clear()
    return all_ways


# Every way


@pytest.mark.parametrize("name", NAMES)
async def test_what_is_handed_over_is_taken_with_our_reference(ways: Ways, name: str) -> None:
    sms = outgoing()
    accepted = await ways.driver(name).send(sms)
    (taken,) = ways.gateways[name].taken
    assert (taken.number, taken.reference) == (NUMBER, str(sms.reference))
    if name == "aliyun":
        words = {"department": "邕州市监局", "number": "桂市监责改〔2026〕12号 &+%~*", "link_end": "AbCdEfGhIjk"}
        assert (taken.template, taken.values) == ("SMS_1001", words)
    else:
        assert taken.text == TEXT
    assert accepted == Accepted(provider_reference={"kannel": None, "aliyun": "900001^0", "zhiguitong": "m1"}[name])


@pytest.mark.parametrize(("name", "case"), RECORDED_CASES)
async def test_a_recorded_refusal_has_its_reason(ways: Ways, name: str, case: str) -> None:
    reply, reason = RECORDED[name][case]
    ways.gateways[name].troubles.append(reply)
    refused = await refusal(ways.driver(name), outgoing())
    assert refused.reason is reason
    assert NUMBER not in str(refused)
    assert "改正" not in str(refused)


@pytest.mark.parametrize(("name", "case"), EVERYWHERE_CASES)
async def test_what_befalls_every_way_has_the_same_reason(ways: Ways, name: str, case: str) -> None:
    trouble, reason = EVERYWHERE[case]
    ways.gateways[name].troubles.append(trouble)
    refused = await refusal(ways.driver(name), outgoing())
    assert refused.reason is reason
    assert refused.retry_after == (17 if case == "HTTP 429" else None)
    assert len(ways.gateways[name].requests) == 1  # whether to try again is not a driver's to decide


@pytest.mark.parametrize("name", NAMES)
async def test_where_nobody_listens_nothing_was_sent(ways: Ways, name: str) -> None:
    access: ProviderAccess = ways.gateways[name].access  # type: ignore[attr-defined]
    nowhere = msgspec.structs.replace(access, url=f"http://127.0.0.1:{free_port()}")
    refused = await refusal(driver_of(nowhere, ways.client), outgoing())
    assert refused.reason is Reason.PROVIDER_AWAY
    assert refused.reason.is_certain


@pytest.mark.parametrize("name", NAMES)
async def test_after_a_trouble_the_next_message_goes(ways: Ways, name: str) -> None:
    driver = ways.driver(name)
    ways.gateways[name].troubles += [HangUp(), Reply(status=500), Silence()]
    for _ in range(3):
        await refusal(driver, outgoing())
    ways.gateways[name].taken.clear()
    await driver.send(outgoing())
    assert len(ways.gateways[name].taken) == 1


@pytest.mark.parametrize("name", NAMES)
async def test_two_hundred_at_once_share_twenty_connections(
    ways: Ways, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "WHOLE_SECONDS", 10.0)
    messages = [outgoing() for _ in range(200)]
    driver = ways.driver(name)
    await asyncio.gather(*(driver.send(each) for each in messages))
    assert {each.reference for each in ways.gateways[name].taken} == {str(each.reference) for each in messages}


@pytest.mark.parametrize("name", NAMES)
async def test_neither_number_nor_text_nor_secret_comes_into_the_log(
    ways: Ways, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.INFO, logger="notifications"):
        driver, sms = ways.driver(name), outgoing()
        await driver.send(sms)
        ways.gateways[name].troubles += [RECORDED[name]["bad number"][0], RECORDED[name]["bad text"][0], HangUp()]
        for _ in range(3):
            await refusal(driver, sms)
        await driver.find(sms.reference, NUMBER, TODAY)
    told = caplog.text + repr(sms) + repr(driver) + repr(ways.gateways[name].access)  # type: ignore[attr-defined]
    assert str(sms.reference) in caplog.text
    for secret in (NUMBER, "改正", SECRET, "an-id", "a-key"):
        assert secret not in told


@pytest.mark.parametrize("name", ["kannel", "zhiguitong"])
async def test_who_keeps_no_register_cannot_tell(ways: Ways, name: str) -> None:
    sms = outgoing()
    driver = ways.driver(name)
    await driver.send(sms)
    assert await driver.find(sms.reference, NUMBER, TODAY) is Found.CANNOT_TELL


# 阿里云


async def test_the_published_example_of_the_signature_comes_out() -> None:
    query = canonical_query(
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
    )
    headers = signed_headers(
        Acs3Key(access_key_id="YourAccessKeyId", secret="YourAccessKeySecret"),
        action="RunInstances",
        version="2014-05-26",
        host="ecs.cn-shanghai.aliyuncs.com",
        query=query,
        now=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
    )
    assert headers["Authorization"].endswith(
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


async def test_a_wrong_secret_is_found_out_by_the_vendor(ways: Ways) -> None:
    access: AliyunAccess = ways.driver("aliyun")._access  # type: ignore[attr-defined]
    wrong = msgspec.structs.replace(access, access_key_secret="another")
    assert (await refusal(driver_of(wrong, ways.client), outgoing())).reason is Reason.UNAUTHORISED
    assert ways.gateways["aliyun"].taken == []


async def test_no_two_requests_bear_the_same_nonce(ways: Ways) -> None:
    driver = ways.driver("aliyun")
    for _ in range(5):
        await driver.send(outgoing())
    nonces = [request.headers["x-acs-signature-nonce"] for request in ways.gateways["aliyun"].requests]
    assert len(set(nonces)) == 5


async def test_a_template_that_the_vendor_has_not_is_left_to_others(ways: Ways) -> None:
    driver = ways.driver("aliyun")
    for other in (outgoing(template="arrival"), outgoing(template_version=2), outgoing(values={"department": "某局"})):
        refused = await refusal(driver, other)
        assert refused.reason is Reason.PROVIDER_AWAY
        assert refused.reason.is_certain
        assert not refused.reason.is_final
    assert ways.gateways["aliyun"].requests == []
    assert [driver.carries(template) for template in ("order_issued", "arrival")] == [True, False]
    assert ways.driver("kannel").carries("arrival")


async def test_what_was_taken_without_an_answer_is_found_by_our_reference(ways: Ways) -> None:
    driver, sms = ways.driver("aliyun"), outgoing()
    ways.gateways["aliyun"].troubles.append(Silence())
    assert (await refusal(driver, sms)).reason is Reason.NO_ANSWER
    assert await driver.find(sms.reference, NUMBER, TODAY) is Found.TAKEN
    asked = ways.gateways["aliyun"].requests[-1].query
    assert "SendDate=20261122" in asked


async def test_what_was_never_taken_is_unknown_there(ways: Ways) -> None:
    driver = ways.driver("aliyun")
    assert await driver.find(uuid4(), NUMBER, TODAY) is Found.UNKNOWN_THERE
    await driver.send(outgoing())
    assert await driver.find(uuid4(), NUMBER, TODAY) is Found.UNKNOWN_THERE


async def test_it_is_found_on_a_later_page(ways: Ways) -> None:
    driver, sms = ways.driver("aliyun"), outgoing()
    for _ in range(120):
        await driver.send(outgoing())
    await driver.send(sms)
    assert await driver.find(sms.reference, NUMBER, TODAY) is Found.TAKEN
    assert await driver.find(uuid4(), NUMBER, TODAY) is Found.UNKNOWN_THERE


async def test_a_register_that_counts_what_it_does_not_list_tells_nothing(ways: Ways) -> None:
    gateway = ways.gateways["aliyun"]
    assert isinstance(gateway, SimulatedAliyun)
    gateway.unlisted = 1
    try:
        assert await ways.driver("aliyun").find(uuid4(), NUMBER, TODAY) is Found.CANNOT_TELL
    finally:
        gateway.unlisted = 0


@pytest.mark.parametrize("trouble", [HangUp(), Reply(status=500), Reply(body=b"?"), _aliyun("Throttling.User")])
async def test_a_register_that_does_not_answer_tells_nothing(ways: Ways, trouble: Trouble) -> None:
    driver = ways.driver("aliyun")
    ways.gateways["aliyun"].troubles.append(trouble)
    assert await driver.find(uuid4(), NUMBER, TODAY) is Found.CANNOT_TELL
