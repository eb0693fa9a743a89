"""The citizen's gate over HTTP: passes, codes to phones, limits, and the proof of work beyond them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio

from api.client_address import parse_networks
from api.delivery.engine import deliver
from api.jobs import sweep
from api.settings import Settings
from domain.shared.transaction import Outcome, Transaction
from domain.visitor.model import LimitKind
from domain.visitor.operations import PHONE_LABEL, spend, verified_phone
from domain.visitor.rules import BASE_COST, PhoneNotVerified, ProofRefused, ProofRequired, TooManyWrites
from tests.support.citizens import PHONE, Citizen, anonymous, code_of, forged, send_code, solve, verified
from tests.support.client import Api, api_client, refused
from tests.support.clock import FixedClock
from tests.support.database import Database
from tests.support.factories import INSTALLATION, NOW
from tests.support.files import picture
from tests.support.sending import FakeProvider, by_sms
from tests.support.visits import rows

PROOF = "/api/v1/public/phone-verifications/{}/proof"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running_api(
    database: Database, keys_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """The application behind a proxy of ours, so that a test may come from many addresses."""
    settings = Settings(
        var=tmp_path_factory.mktemp("var"),
        keys=keys_folder,
        public_url="http://yima.test",
        trusted_proxies=parse_networks("127.0.0.0/8"),
    )
    async with api_client(settings, database.dsn, FixedClock(NOW)) as api:
        yield api


async def prove(api: Api, verification_id: str, code: str) -> httpx.Response:
    return await api.http.post(PROOF.format(verification_id), json={"code": code})


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


# Phones


async def test_a_code_goes_to_the_phone_and_stands_nowhere_in_clear(api: Api) -> None:
    sent = await send_code(api, "+86 138-7715-5555")
    verification = sent.json()
    code = await code_of(api, verification["id"])

    (message,) = await rows(api, "message")
    provider = FakeProvider()
    assert await deliver(api.parts, by_sms(provider), message["id"]) is None

    assert sent.status_code == 201
    assert (verification["expires_at"], verification["resend_after"]) == (
        "2026-08-05T02:05:00Z",
        "2026-08-05T02:01:00Z",
    )
    (text,) = provider.texts
    assert provider.numbers == [PHONE]
    assert code in text
    assert len(text) <= 70
    stored = str([await rows(api, table) for table in ("message", "trace", "phone_verification", "write_count")])
    assert code not in stored
    assert PHONE not in stored


async def test_the_right_code_gives_a_pass_that_stands_for_the_phone(api: Api) -> None:
    citizen = await verified(api)
    held = api.parts.passes.read(citizen.token, api.clock())

    async def look(tx: Transaction) -> Outcome[str]:
        return Outcome(answer=await verified_phone(tx, held))

    assert await api.parts.work.run(INSTALLATION, look) == PHONE
    assert held.phone_index == api.parts.vault.blind_index(PHONE_LABEL, PHONE)
    (row,) = await rows(api, "phone_verification")
    assert row["code_sealed"] is None
    actions = [trace["action"] for trace in await rows(api, "trace")]
    assert actions == ["visitor.phone_code_sent", "visitor.phone_proven"]


async def test_a_pass_without_a_phone_has_none_to_show(api: Api) -> None:
    held = api.parts.passes.read((await anonymous(api)).token, api.clock())

    async def look(tx: Transaction) -> Outcome[str]:
        return Outcome(answer=await verified_phone(tx, held))

    with pytest.raises(PhoneNotVerified):
        await api.parts.work.run(INSTALLATION, look)


async def test_five_wrong_codes_end_a_verification(api: Api) -> None:
    verification_id = (await send_code(api)).json()["id"]
    code = await code_of(api, verification_id)
    left = [
        refused(await prove(api, verification_id, other_than(code)), 422, "phone-code-wrong", "code")["tries_left"]
        for _ in range(5)
    ]
    assert left == [4, 3, 2, 1, 0]
    refused(await prove(api, verification_id, code), 409, "phone-code-not-usable")


async def test_a_code_is_good_for_five_minutes_once_and_until_a_newer_one(api: Api) -> None:
    first = (await send_code(api)).json()["id"]
    first_code = await code_of(api, first)
    facts = refused(await send_code(api), 429, "too-many-writes")
    assert facts == {"retry_after": 60}

    api.clock.advance(timedelta(seconds=60))
    second = (await send_code(api)).json()["id"]
    second_code = await code_of(api, second)
    refused(await prove(api, first, first_code), 409, "phone-code-not-usable")
    assert (await prove(api, second, second_code)).status_code == 201
    refused(await prove(api, second, second_code), 409, "phone-code-not-usable")

    api.clock.advance(timedelta(seconds=61))
    third = (await send_code(api)).json()["id"]
    third_code = await code_of(api, third)
    api.clock.advance(timedelta(minutes=5))
    refused(await prove(api, third, third_code), 409, "phone-code-not-usable")
    refused(await prove(api, str(uuid4()), third_code), 409, "phone-code-not-usable")


async def test_a_code_that_came_too_late_is_not_sent_any_more(api: Api) -> None:
    await send_code(api)
    (message,) = await rows(api, "message")
    api.clock.advance(timedelta(minutes=6))
    provider = FakeProvider()

    assert await deliver(api.parts, by_sms(provider), message["id"]) is None

    assert provider.taken == []
    (after,) = await rows(api, "message")
    assert (after["state"], after["reason"]) == ("abandoned", "outdated")


@pytest.mark.parametrize("phone", ["", "0771-5812345", "12345", "1387715555a", "13877155555" * 2])
async def test_only_a_mobile_can_be_verified(api: Api, phone: str) -> None:
    response = await send_code(api, phone)
    assert response.status_code in {400, 422}
    assert response.json()["type"] == "urn:yima:problem:invalid-field"
    assert await rows(api, "phone_verification") == []


async def test_nobodys_phone_is_rung_more_than_eight_times_a_day(api: Api) -> None:
    for number in range(8):
        sent = await send_code(api, headers={"X-Forwarded-For": f"198.51.100.{number}"})
        assert sent.status_code == 201, sent.text
        api.clock.advance(timedelta(seconds=61))
    facts = refused(await send_code(api, headers={"X-Forwarded-For": "198.51.100.99"}), 429, "too-many-writes")
    assert facts["retry_after"] > 3600
    assert (await send_code(api, "13900000001")).status_code == 201


async def test_numbers_and_counts_are_forgotten(api: Api) -> None:
    await verified(api)
    assert await rows(api, "write_count")
    api.clock.advance(timedelta(days=4))
    await sweep(api.parts)
    assert await rows(api, "phone_verification") == await rows(api, "write_count") == []


# Passes


@pytest.mark.parametrize("text", ["", "x", "ä", "A" * 122, "....", "AQ=="])
async def test_what_is_no_pass_lets_nobody_write(api: Api, text: str) -> None:
    response = await api.http.put(
        f"/api/v1/attachments/{'0' * 64}", content=b"x", headers={b"Yima-Pass": text.encode()}
    )
    refused(response, 401, "pass-required")


async def test_a_pass_is_good_for_half_an_hour(api: Api) -> None:
    citizen = await anonymous(api)
    api.clock.advance(timedelta(minutes=30) - timedelta(seconds=1))
    assert (await citizen.put_file(picture())).status_code == 201
    api.clock.advance(timedelta(seconds=1))
    refused(await citizen.put_file(picture(seed=2)), 401, "pass-required")


async def test_a_changed_pass_is_none(api: Api) -> None:
    token = (await anonymous(api)).token
    for at in (3, 30, 60, len(token) - 3):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        refused(await Citizen(api, changed).put_file(picture()), 401, "pass-required")


async def test_making_a_pass_or_a_challenge_writes_nothing(api: Api) -> None:
    await anonymous(api)
    response = await api.http.get("/api/v1/public/challenges")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert await rows(api, "trace") == await rows(api, "write_count") == []


# Limits


async def spend_once(
    api: Api, kind: LimitKind, *, address: str = "", device: str = "", proof: str | None = None
) -> None:
    solved = None if proof is None else api.parts.challenges.check(proof, api.clock())

    async def write(tx: Transaction) -> Outcome[None]:
        index = tx.vault.blind_index
        await spend(
            tx,
            kind,
            address=index("test", address) if address else None,
            device=index("test", device) if device else None,
            proof=solved,
        )
        return Outcome(answer=None)

    await api.parts.work.run(INSTALLATION, write)


async def test_beyond_what_is_free_a_proof_of_work_is_asked_for_and_beyond_that_there_is_nothing(api: Api) -> None:
    for _ in range(6):
        await spend_once(api, LimitKind.TIP_OFF, address="a")
    with pytest.raises(ProofRequired) as asked:
        await spend_once(api, LimitKind.TIP_OFF, address="a")
    assert asked.value.cost == BASE_COST
    await spend_once(api, LimitKind.TIP_OFF, address="b")

    proof = solve(api.parts.challenges.make(asked.value.cost, api.clock()))
    await spend_once(api, LimitKind.TIP_OFF, address="a", proof=proof)
    with pytest.raises(ProofRefused):
        await spend_once(api, LimitKind.TIP_OFF, address="a", proof=proof)

    costs = {asked.value.cost}
    for _ in range(60 - 7):
        try:
            await spend_once(api, LimitKind.TIP_OFF, address="a")
        except ProofRequired as dearer:
            costs.add(dearer.cost)
            # Made by hand: solving fifty of them would only cost the test's time.
            await _spend_with_proof_of(api, dearer.cost)
    assert max(costs) > 4 * min(costs)
    with pytest.raises(TooManyWrites):
        await spend_once(api, LimitKind.TIP_OFF, address="a")


async def _spend_with_proof_of(api: Api, cost: int) -> None:
    from domain.visitor.model import Proof

    async def write(tx: Transaction) -> Outcome[None]:
        proof = Proof(id=uuid4().bytes, cost=cost, expires_at=tx.now + timedelta(minutes=1))
        await spend(tx, LimitKind.TIP_OFF, address=tx.vault.blind_index("test", "a"), proof=proof)
        return Outcome(answer=None)

    await api.parts.work.run(INSTALLATION, write)


async def test_a_cheap_proof_does_not_pay_a_dear_write(api: Api) -> None:
    for _ in range(3):
        await spend_once(api, LimitKind.TIP_OFF, device="d")
    for _ in range(14):
        with pytest.raises(ProofRequired) as asked:
            await spend_once(api, LimitKind.TIP_OFF, device="d")
        await _device_with_proof_of(api, asked.value.cost)
    cheap = solve(api.parts.challenges.make(1000, api.clock()))
    with pytest.raises(ProofRequired):
        await spend_once(api, LimitKind.TIP_OFF, device="d", proof=cheap)


async def _device_with_proof_of(api: Api, cost: int) -> None:
    from domain.visitor.model import Proof

    async def write(tx: Transaction) -> Outcome[None]:
        proof = Proof(id=uuid4().bytes, cost=cost, expires_at=tx.now + timedelta(minutes=1))
        await spend(tx, LimitKind.TIP_OFF, device=tx.vault.blind_index("test", "d"), proof=proof)
        return Outcome(answer=None)

    await api.parts.work.run(INSTALLATION, write)


async def test_a_window_slides(api: Api) -> None:
    api.clock.now = NOW.replace(minute=50)
    for _ in range(6):
        await spend_once(api, LimitKind.TIP_OFF, address="a")
    with pytest.raises(ProofRequired) as asked:
        await spend_once(api, LimitKind.TIP_OFF, address="a")
    api.clock.advance(timedelta(minutes=15))  # another hour of the clock, but not an hour later
    with pytest.raises(ProofRequired):
        await spend_once(api, LimitKind.TIP_OFF, address="a")
    api.clock.now = NOW.replace(minute=50) + timedelta(seconds=asked.value.retry_after)
    await spend_once(api, LimitKind.TIP_OFF, address="a")
    api.clock.advance(timedelta(hours=3))
    for _ in range(6):
        await spend_once(api, LimitKind.TIP_OFF, address="a")


async def test_what_was_refused_is_not_counted(api: Api) -> None:
    for _ in range(10):
        with pytest.raises(RuntimeError, match="refused"):
            await _refused_write(api)
    for _ in range(6):
        await spend_once(api, LimitKind.TIP_OFF, address="a")


async def _refused_write(api: Api) -> None:
    async def write(tx: Transaction) -> Outcome[None]:
        await spend(tx, LimitKind.TIP_OFF, address=tx.vault.blind_index("test", "a"))
        raise RuntimeError("refused")

    await api.parts.work.run(INSTALLATION, write)


async def test_a_429_brings_the_challenge_that_it_asks_for(api: Api) -> None:
    content = picture()
    citizen = await anonymous(api, device="device-0123456789", address="203.0.113.9")
    for _ in range(60):
        assert (await citizen.put_file(content)).status_code in {200, 201}

    response = await citizen.put_file(content)
    facts = refused(response, 429, "proof-of-work-required")
    assert int(response.headers["retry-after"]) == facts["retry_after"] > 0
    assert (await citizen.put_file(content, proof=solve(facts["challenge"]))).status_code == 200

    challenge = refused(await citizen.put_file(content), 429, "proof-of-work-required")["challenge"]
    for payload in ("", "x", "e30=", forged(challenge), forged(challenge, counter=-1), "A" * 5000):
        expected = (429, "proof-of-work-required") if payload == "" else (422, "proof-of-work-refused")
        refused(await citizen.put_file(content, proof=payload), *expected)
    challenge["parameters"]["data"]["work"] = 10**9
    refused(await citizen.put_file(content, proof=forged(challenge)), 422, "proof-of-work-refused")
    outdated = solve(api.parts.challenges.make(1000, api.clock() - timedelta(hours=1)))
    refused(await citizen.put_file(content, proof=outdated), 422, "proof-of-work-refused")


async def test_a_household_is_counted_as_one_and_its_neighbours_are_not(api: Api) -> None:
    for number in range(6):
        citizen = await anonymous(api, address=f"2001:db8:1:2::{number:x}")
        assert (await citizen.put_file(picture())).status_code in {200, 201}
    counted = [row["current"] for row in await rows(api, "write_count") if row["kind"] == "attachment"]
    assert counted == [6]
    await (await anonymous(api, address="2001:db8:1:3::1")).put_file(picture())
    assert len(await rows(api, "write_count")) == 2


async def test_a_device_that_is_none_is_told(api: Api) -> None:
    citizen = await anonymous(api, device="short")
    refused(await citizen.put_file(picture()), 422, "invalid-field", "Yima-Device")
    assert msgspec.json.decode(b"[]") == await rows(api, "write_count")
