"""Passes and challenges on the wire: ours are read, all else is refused."""

from __future__ import annotations

import secrets
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from domain.shared.keys import KeyPurpose, KeyRing, KeyState, first_version, next_version
from domain.visitor.challenges import LIFETIME, Challenges
from domain.visitor.passes import Passes
from domain.visitor.rules import PassRequired, ProofRefused
from tests.support.citizens import forged, solve

NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
ROOT = bytes(range(32))
RING = KeyRing(ROOT, [first_version(ROOT, purpose) for purpose in KeyPurpose])
PASSES = Passes(RING, secrets.token_bytes)
CHALLENGES = Challenges(RING, secrets.token_bytes)
WORK = 2000


def test_a_pass_is_read_as_it_was_made() -> None:
    anonymous = PASSES.make(NOW)
    assert PASSES.read(PASSES.write(anonymous), NOW) == anonymous
    verified = PASSES.make(NOW, verification_id=uuid4(), phone_index=secrets.token_bytes(32))
    assert PASSES.read(PASSES.write(verified), NOW) == verified


def test_a_pass_that_is_over_is_recognised_and_not_taken() -> None:
    made = PASSES.make(NOW)
    with pytest.raises(PassRequired):
        PASSES.read(PASSES.write(made), made.expires_at)
    assert PASSES.recognise(PASSES.write(made)) == made


def test_a_pass_of_a_former_key_is_good_until_the_key_is_retired() -> None:
    made = PASSES.write(PASSES.make(NOW))
    first, second = first_version(ROOT, KeyPurpose.PASS), next_version(ROOT, KeyPurpose.PASS, 1)
    verifying = msgspec.structs.replace(first, state=KeyState.VERIFYING)
    retired = msgspec.structs.replace(first, state=KeyState.RETIRED)
    assert Passes(KeyRing(ROOT, [verifying, second]), secrets.token_bytes).recognise(made) is not None
    assert Passes(KeyRing(ROOT, [retired, second]), secrets.token_bytes).recognise(made) is None


@pytest.mark.parametrize("text", ["", "?", "ä", "A" * 119, "A" * 121, "\x00"])
def test_what_is_no_pass_is_refused(text: str) -> None:
    with pytest.raises(PassRequired):
        PASSES.read(text, NOW)


def test_no_bit_of_a_pass_can_be_changed() -> None:
    made = PASSES.write(PASSES.make(NOW))
    for at, old in enumerate(made[:-1]):
        changed = made[:at] + ("A" if old != "A" else "B") + made[at + 1 :]
        assert PASSES.recognise(changed) is None


def test_a_solved_challenge_proves_its_work_once() -> None:
    challenge = CHALLENGES.make(WORK, NOW)
    first, again = CHALLENGES.check(solve(challenge), NOW), CHALLENGES.check(solve(challenge), NOW)
    assert (first.cost, first.expires_at) == (WORK, NOW + LIFETIME)
    assert first.id == again.id != CHALLENGES.check(solve(CHALLENGES.make(WORK, NOW)), NOW).id


def test_a_challenge_is_good_for_its_time_by_our_clock() -> None:
    solved = solve(CHALLENGES.make(WORK, NOW))
    CHALLENGES.check(solved, NOW + LIFETIME - timedelta(seconds=1))
    with pytest.raises(ProofRefused):
        CHALLENGES.check(solved, NOW + LIFETIME)


def test_nothing_of_a_challenge_can_be_changed() -> None:
    challenge = CHALLENGES.make(WORK, NOW)
    for name, value in (("cost", 2), ("keyPrefix", "00"), ("salt", "00" * 16), ("nonce", "11" * 16), ("data", {})):
        changed = {**challenge, "parameters": {**challenge["parameters"], name: value}}
        with pytest.raises(ProofRefused):
            CHALLENGES.check(forged(changed), NOW)
    easier = {**challenge, "parameters": {**challenge["parameters"], "keyPrefix": "00"}}
    with pytest.raises(ProofRefused):
        CHALLENGES.check(solve(easier), NOW)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "x",
        "ä",
        b64encode(b"null").decode(),
        b64encode(b"[]").decode(),
        b64encode(b'{"challenge":{},"solution":{}}').decode(),
        b64encode(b"[" * 3000).decode(),
        b64encode(b"\xff\xfe").decode(),
        "A" * 5000,
    ],
)
def test_what_is_no_solution_is_refused(payload: str) -> None:
    with pytest.raises(ProofRefused):
        CHALLENGES.check(payload, NOW)


@pytest.mark.parametrize("counter", [-1, 2**32, "1", 1.5, None])
def test_a_counter_that_is_none_is_refused(counter: object) -> None:
    with pytest.raises(ProofRefused):
        CHALLENGES.check(forged(CHALLENGES.make(WORK, NOW), counter=counter), NOW)
