"""统一身份认证 What any 智桂通 must do for us (8.1): the simulated one always, a real one where its address is given.

`YIMA_TEST_ZHIGUITONG_URL` with `…_APP_CODE`, `…_APP_SECRET`, `…_APP_KEY`, `…_ROLE_CODE` and the token of a person, who
is logged in there at this moment, in `…_TOKEN`.
"""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic

import msgspec
import pytest
import pytest_asyncio

from api.identity_port import IdentityProvider, IdentityProviderAway, IdentityTokenInvalid, NoIdentityProvider
from api.settings import ZhiguitongAccess
from api.zhiguitong import Circuit, Zhiguitong
from domain.membership.model import UserType
from tests.support.zhiguitong import ACCESS, LU, VALID_TOKEN, Identity, identity_service, legal_person

_REAL = "YIMA_TEST_ZHIGUITONG_"
_needs_real = pytest.mark.skipif(not os.environ.get(_REAL + "URL"), reason="no address of a real 智桂通 is given")


@pytest_asyncio.fixture(params=["simulated", pytest.param("real", marks=_needs_real)], loop_scope="module")
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[tuple[IdentityProvider, str]]:
    """A provider, and the token of a person that it knows."""
    if request.param == "simulated":
        async with identity_service() as identity:
            yield identity.client, VALID_TOKEN
        return
    given = {name: os.environ.get(_REAL + name.upper()) for name in ZhiguitongAccess.__struct_fields__}
    access = ZhiguitongAccess(**{name: value for name, value in given.items() if value})
    client = Zhiguitong(access)
    yield client, os.environ[_REAL + "TOKEN"]
    await client.close()


@pytest_asyncio.fixture(loop_scope="module")
async def identity() -> AsyncIterator[Identity]:
    """The simulated service, which does as the test says."""
    async with identity_service() as running:
        yield running


# What both must do


async def test_a_token_tells_a_person(provider: tuple[IdentityProvider, str]) -> None:
    client, token = provider
    user = await client.user_of(token)
    assert user.user_type is UserType.PERSON
    assert user.user_id_code
    assert user.name
    assert user.number
    assert user.level is not None


@pytest.mark.parametrize("token", ["no-such-token", "令牌", "x" * 4000, "a&serviceId=2"])
async def test_a_token_that_is_none_is_told_as_such(provider: tuple[IdentityProvider, str], token: str) -> None:
    with pytest.raises(IdentityTokenInvalid) as refused:
        await provider[0].user_of(token)
    assert refused.value.field == "token"


# How the client reads and bears what comes


async def test_a_person_arrives_under_our_names(identity: Identity) -> None:
    user = await identity.client.user_of(VALID_TOKEN)
    assert (user.name, user.mobile, user.number, user.user_id_code) == (LU.name, LU.mobile, LU.idcard, LU.code)
    assert (user.level, user.is_frozen, user.representative) == (1, False, None)
    assert LU.mobile not in repr(user)


async def test_a_legal_person_arrives_with_its_representative(identity: Identity) -> None:
    token = identity.know("t", legal_person("91450100MA5K000016", representative="韦大山"))
    user = await identity.client.user_of(token)
    assert (user.user_type, user.number, user.representative) == (
        UserType.LEGAL_PERSON,
        "91450100MA5K000016",
        "韦大山",
    )
    assert user.level is None


@pytest.mark.parametrize(
    ("changes", "level", "is_frozen"),
    [
        ({"userState": 0, "userLevel": 0}, 0, True),
        ({"userState": 1, "userLevel": "高级实名（人脸识别）"}, 2, False),
        ({"userLevel": None}, None, False),
    ],
)
async def test_state_and_level_come_as_numbers_words_or_not_at_all(
    identity: Identity, changes: dict[str, object], level: int | None, is_frozen: bool
) -> None:
    user = await identity.client.user_of(identity.know("t", LU.told(**changes)))
    assert (user.level, user.is_frozen) == (level, is_frozen)


@pytest.mark.parametrize("trouble", [500, 503, 302, 404, 401, {"flag": False, "errCode": "500"}, {"flag": 1}, {}])
async def test_one_trouble_is_borne(identity: Identity, trouble: int | dict[str, object]) -> None:
    """But an orderly refusal is not asked about twice."""
    identity.service.troubles = [trouble]
    orderly = isinstance(trouble, dict) and "errCode" not in trouble
    if orderly:
        with pytest.raises(IdentityTokenInvalid):
            await identity.client.user_of(VALID_TOKEN)
    else:
        await identity.client.user_of(VALID_TOKEN)
    assert identity.service.asked == (1 if orderly else 2)


async def test_a_service_that_stays_away_is_told_after_three_attempts(identity: Identity) -> None:
    identity.service.troubles = [500] * 3
    with pytest.raises(IdentityProviderAway) as away:
        await identity.client.user_of(VALID_TOKEN)
    assert (identity.service.asked, away.value.facts["retry_after"]) == (3, 5)


async def test_silence_is_not_waited_for_beyond_its_time(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.zhiguitong._TIMEOUT", 0.1)
    identity.service.troubles = [0.5]
    await identity.client.user_of(VALID_TOKEN)
    assert identity.service.asked == 2


@pytest.mark.parametrize(
    "told",
    [
        {"userType": "3"},
        {"userType": "2"},
        {"userType": "2", "corporationInfo": []},
        {"userName": "无类型"},
        {"userType": "1", "userName": 17},
        {"userType": "1", "userName": "某人", "userMobile": "13977100001"},
        {"userType": "2", "corporationInfo": {"enterpriseName": "某公司"}},
        LU.told(userIdcode="".join(map(chr, range(0x4E00, 0x5A00)))),
        LU.told(userIdcode="a\x00b"),
        LU.told(userLevel=10**4000),
    ],
)
async def test_what_is_not_as_agreed_is_no_defect(identity: Identity, told: dict[str, object]) -> None:
    with pytest.raises(IdentityProviderAway):
        await identity.client.user_of(identity.know("t", told))


async def test_an_endless_answer_is_cut_off(identity: Identity) -> None:
    with pytest.raises(IdentityProviderAway):
        await identity.client.user_of(identity.know("t", LU.told(userName="韦" * 100_000)))


@pytest.mark.parametrize("level", ["9" * 150, "9999", "三"])
async def test_a_level_that_is_no_number_of_theirs_stands_for_more_than_basic(identity: Identity, level: str) -> None:
    user = await identity.client.user_of(identity.know("t", LU.told(userLevel=level)))
    assert user.level == 2


@asynccontextmanager
async def answering(*pieces: bytes, pause: float = 0.0) -> AsyncGenerator[Zhiguitong]:
    """A client of a service that sends these bytes to whoever asks, one piece after another."""
    done: list[asyncio.Event] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        done.append(over := asyncio.Event())
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        over.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = Zhiguitong(msgspec.structs.replace(ACCESS, url=f"http://127.0.0.1:{port}"))
    async with server:
        yield client
        await client.close()
        await asyncio.gather(*(each.wait() for each in done))


_HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
_NESTED = b"[" * 30_000 + b"]" * 30_000


@pytest.mark.parametrize(
    "answer",
    [
        _HEAD + b"Content-Encoding: gzip\r\n\r\nthis is no gzip",
        _HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b" " * 50_000_000),
        _HEAD + b'\r\n{"flag": true, "data": ' + _NESTED + b"}",
        _HEAD + b'\r\n{"flag": true, "data": {"userType": "1", "more": ' + _NESTED + b"}}",
        _HEAD + b'\r\n{"flag": true, "data": {"userType": "1", "userName": "\\ud800"}}',
        _HEAD + b'\r\n{"flag": false, "errCode": {"a": 1}}',
        _HEAD + b"\r\n\xff\xfe",
        _HEAD + b"Content-Length: 500\r\n\r\n{",
        b"not even HTTP\r\n\r\n",
        b"",
    ],
)
async def test_bytes_that_are_no_answer_are_no_defect(answer: bytes) -> None:
    async with answering(answer) as client:
        with pytest.raises(IdentityProviderAway):
            await client.user_of(VALID_TOKEN)


async def test_an_answer_byte_by_byte_is_not_waited_for_beyond_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.zhiguitong._WHOLE_SECONDS", 0.2)
    async with answering(_HEAD, b"\r\n", *[b" "] * 200, pause=0.05) as client:
        began = monotonic()
        with pytest.raises(IdentityProviderAway):
            await client.user_of(VALID_TOKEN)
    assert monotonic() - began < 4


async def test_without_a_role_code_too_little_is_told_of_a_person(identity: Identity) -> None:
    basic = Zhiguitong(msgspec.structs.replace(identity.access, role_code=None))
    user = await basic.user_of(VALID_TOKEN)
    await basic.close()
    assert (user.name, user.number, user.level) == (LU.name, None, None)


async def test_nothing_secret_is_logged(identity: Identity, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    identity.service.troubles = [500] * 3
    with pytest.raises(IdentityProviderAway):
        await identity.client.user_of(VALID_TOKEN)
    await identity.client.user_of(VALID_TOKEN)
    assert caplog.text
    for secret in (VALID_TOKEN, "a-secret", "a-key", LU.mobile, LU.idcard, LU.name):
        assert secret not in caplog.text


async def test_nobody_enters_where_there_is_no_provider() -> None:
    with pytest.raises(IdentityProviderAway):
        await NoIdentityProvider().user_of("any")


# The circuit


async def test_after_five_failures_nobody_asks_until_one_tries() -> None:
    now = 0.0
    circuit = Circuit(failures=2, seconds=10.0, clock=lambda: now)
    async with identity_service(circuit) as identity:
        identity.service.troubles = [500] * 6
        for _ in range(2):
            with pytest.raises(IdentityProviderAway):
                await identity.client.user_of(VALID_TOKEN)
        with pytest.raises(IdentityProviderAway) as away:
            await identity.client.user_of(VALID_TOKEN)
        assert (identity.service.asked, away.value.facts["retry_after"]) == (6, 10)
        now = 10.0
        await identity.client.user_of(VALID_TOKEN)
        await identity.client.user_of(VALID_TOKEN)
        assert identity.service.asked == 8


async def test_a_refused_token_is_an_answer_and_no_failure() -> None:
    """Else anybody with a wrong token, sent in time, would keep everybody out."""
    now = 0.0
    circuit = Circuit(failures=2, seconds=10.0, clock=lambda: now)
    async with identity_service(circuit) as identity:
        for _ in range(3):
            identity.service.troubles = [500] * 3
            with pytest.raises(IdentityProviderAway):
                await identity.client.user_of(VALID_TOKEN)
            with pytest.raises(IdentityTokenInvalid):
                await identity.client.user_of("no-such-token")
        circuit.failed()
        circuit.failed()
        now = 10.0
        with pytest.raises(IdentityTokenInvalid):
            await identity.client.user_of("no-such-token")
        await identity.client.user_of(VALID_TOKEN)


def test_of_those_who_wait_only_one_tries() -> None:
    now = 0.0
    circuit = Circuit(failures=1, seconds=10.0, clock=lambda: now)
    circuit.failed()
    now = 10.0
    circuit.require_closed()
    with pytest.raises(IdentityProviderAway):
        circuit.require_closed()
    circuit.failed()
    now = 19.9
    with pytest.raises(IdentityProviderAway):
        circuit.require_closed()
