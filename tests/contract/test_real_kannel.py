"""The real Kannel: what it carries and refuses, and what becomes of messages while it is killed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from random import Random
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio

from notifications.outcome import Reason, Refused
from notifications.sms import exchange
from notifications.sms.exchange import sms_client
from notifications.sms.kannel import incoming_text
from notifications.sms.port import SmsProvider
from tests.support.kannel import BLACKLISTED, REFUSED_PREFIX, Box, RunningKannel, running_kannel
from tests.support.sms_gateways import (
    NUMBER,
    TEXT,
    Gateway,
    Reply,
    Request,
    driver_of,
    outgoing,
    refusal,
    running,
)


@pytest.fixture(scope="module")
def kannel() -> Iterator[RunningKannel]:
    with running_kannel(queue_limit=3) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="module")
async def real(kannel: RunningKannel) -> AsyncIterator[SmsProvider]:
    kannel.restart()
    async with sms_client() as client:
        yield driver_of(kannel.access, client)


async def test_the_real_kannel_carries_chinese_and_latin_as_they_are(real: SmsProvider, kannel: RunningKannel) -> None:
    before = len(kannel.received())
    for text in (TEXT, "【邕州】😀 100% & +", "Code 1234 @ {~} €", "【邕州】" + "甲乙丙丁戊己庚辛壬癸" * 15):
        await real.send(outgoing(text=text))
    first, emoji, latin, long = kannel.wait_for(before + 4)[before:]
    assert (first.sender, first.number, first.text, first.encoding) == ("10690123", NUMBER, TEXT, "ucs2")
    assert (emoji.text, emoji.encoding, emoji.parts) == ("【邕州】😀 100% & +", "ucs2", 1)
    assert (latin.text, latin.encoding, latin.parts) == ("Code 1234 @ {~} €", "gsm7", 1)
    assert (long.text, long.parts) == ("【邕州】" + "甲乙丙丁戊己庚辛壬癸" * 15, 3)


async def test_the_real_kannel_refuses_as_recorded(real: SmsProvider, kannel: RunningKannel) -> None:
    assert (await refusal(real, outgoing(BLACKLISTED))).reason is Reason.BAD_ADDRESS
    assert (await refusal(real, outgoing(REFUSED_PREFIX + "1234"))).reason is Reason.UNREACHABLE
    assert (await refusal(real, outgoing(text=""))).reason is Reason.CONTENT_REFUSED
    async with sms_client() as client:
        wrong = msgspec.structs.replace(kannel.access, password="another")
        assert (await refusal(driver_of(wrong, client), outgoing())).reason is Reason.UNAUTHORISED


async def test_the_real_kannel_with_a_full_queue_throttles(real: SmsProvider, kannel: RunningKannel) -> None:
    before = len(kannel.received())
    kannel.kill("fakesmsc")
    accepted, throttled = 0, 0
    for _ in range(8):
        try:
            await real.send(outgoing())
            accepted += 1
        except Refused as refused:
            throttled += refused.reason is Reason.THROTTLED
    assert accepted >= 3
    assert throttled == 8 - accepted > 0
    kannel.restart("fakesmsc")
    assert len(kannel.wait_for(before + accepted)) == before + accepted


async def test_a_real_kannel_that_is_dead_was_sent_nothing(real: SmsProvider, kannel: RunningKannel) -> None:
    kannel.kill()
    assert (await refusal(real, outgoing())).reason is Reason.PROVIDER_AWAY


async def test_of_a_real_kannel_that_stands_still_nobody_knows(
    real: SmsProvider, kannel: RunningKannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "WHOLE_SECONDS", 0.5)
    kannel.freeze("smsbox")
    assert (await refusal(real, outgoing())).reason is Reason.NO_ANSWER
    kannel.kill("smsbox")


async def test_a_real_kannel_killed_with_messages_in_its_queue_delivers_them_later(
    real: SmsProvider, kannel: RunningKannel
) -> None:
    before = len(kannel.received())
    kannel.kill("fakesmsc")
    text = f"【邕州】{uuid4()}"
    await real.send(outgoing(text=text))
    kannel.kill()
    kannel.restart()
    assert kannel.wait_for(before + 1)[-1].text == text


class Inbox(Gateway):
    """Takes what phones send."""

    async def answer(self, request: Request) -> Reply:
        """Nothing goes back."""
        assert request.path == "/incoming"
        return Reply(headers={"Content-Type": "text/plain"})


async def test_what_a_phone_sends_comes_in_by_the_real_kannel_as_it_was_typed() -> None:
    inbox = Inbox()
    async with running(inbox):
        with running_kannel(incoming_url=f"{inbox.url}/incoming?from=%p") as gateway:
            for count, text in enumerate(("TD", "退订，谢谢", "回复 T 😀"), start=1):
                await asyncio.to_thread(gateway.say, NUMBER, text)
                async with asyncio.timeout(10):
                    while len(inbox.requests) < count:
                        await asyncio.sleep(0.02)
    assert [request.query for request in inbox.requests] == [f"from={NUMBER}"] * 3
    typed = [incoming_text(request.headers["content-type"], request.body) for request in inbox.requests]
    assert typed == ["TD", "退订，谢谢", "回复 T 😀"]
    assert incoming_text("text/plain", b"TD") == "TD"
    assert incoming_text("text/plain; charset=UTF-7", b"TD") == "TD"
    assert incoming_text("", b"TD") == "TD"


@pytest.mark.slow
async def test_while_the_real_kannel_is_killed_nothing_taken_is_lost_and_nothing_refused_for_certain_goes() -> None:
    """What `Reason.is_certain` promises, against the gateway itself: six kills among some hundred messages."""
    accepted: set[str] = set()
    uncertain: set[str] = set()
    refused: set[str] = set()
    random = Random(20261122)

    async def send(driver: SmsProvider) -> None:
        for _ in range(80):
            text = f"【邕州】{uuid4()}"
            try:
                await driver.send(outgoing(text=text))
                accepted.add(text)
            except Refused as failure:
                (refused if failure.reason.is_certain else uncertain).add(text)
                await asyncio.sleep(0.03)

    victims: Sequence[Sequence[Box]] = (("bearerbox",), (), ("smsbox",), ("bearerbox",), ("smsbox",), ())

    async def kill(gateway: RunningKannel) -> None:
        for boxes in victims:
            await asyncio.sleep(random.uniform(0.1, 0.3))
            await asyncio.to_thread(gateway.kill, *boxes)
            await asyncio.to_thread(gateway.restart)

    with running_kannel() as gateway:
        async with sms_client() as client:
            driver = driver_of(gateway.access, client)
            await asyncio.gather(kill(gateway), *(send(driver) for _ in range(6)))
        async with asyncio.timeout(30):
            while not accepted <= {carried.text for carried in gateway.received()}:
                await asyncio.sleep(0.1)
        carried = Counter(each.text for each in gateway.received())
    assert len(accepted) + len(uncertain) + len(refused) == 480
    assert len(accepted) > 50
    assert refused
    assert not refused & set(carried)
    assert set(carried) <= accepted | uncertain
