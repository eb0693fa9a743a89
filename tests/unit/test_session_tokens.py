"""Access and refresh tokens: believed only as they were issued."""

import base64
from datetime import UTC, datetime, timedelta
from string import ascii_letters, digits
from uuid import UUID

import jwt
import msgspec
import pytest

from domain.identity.model import Principal, Role
from domain.identity.rules import ACCESS_LIFETIME
from domain.identity.tokens import RefreshToken, SessionTokens, TokenExpired, TokenInvalid
from domain.shared.keys import KeyPurpose, KeyRing, KeyState, KeyVersion, first_version, next_version

ROOT = bytes(range(32))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SESSION = UUID(int=2)
INSPECTOR = Principal(
    account_id=UUID(int=1),
    session_id=SESSION,
    name="韦执法",
    role=Role.INSPECTOR,
    post="一级主办",
    department_id=UUID(int=3),
    region="450000.450100",
    officer_id=UUID(int=4),
)


def tokens(root: bytes = ROOT) -> SessionTokens:
    return SessionTokens(KeyRing(root, [first_version(root, KeyPurpose.SESSION)]))


def rolled_tokens(former: KeyState) -> SessionTokens:
    first = first_version(ROOT, KeyPurpose.SESSION)
    old = KeyVersion(purpose=first.purpose, version=1, state=former, check_value=first.check_value)
    return SessionTokens(KeyRing(ROOT, [old, next_version(ROOT, KeyPurpose.SESSION, 1)]))


def part(content: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(content)).rstrip(b"=").decode()


def claims(*, seconds: int = 900) -> dict[str, object]:
    return {"iss": "yima", "exp": int(NOW.timestamp()) + seconds, "who": INSPECTOR}


# Access


def test_an_access_token_carries_the_principal_whole() -> None:
    assert tokens().read_access(tokens().issue_access(INSPECTOR, NOW), NOW) == INSPECTOR


def test_an_access_token_lives_exactly_its_lifetime() -> None:
    token = tokens().issue_access(INSPECTOR, NOW)
    last = NOW + ACCESS_LIFETIME - timedelta(seconds=1)
    assert tokens().read_access(token, last) == INSPECTOR
    with pytest.raises(TokenExpired):
        tokens().read_access(token, NOW + ACCESS_LIFETIME)


def test_an_access_token_changed_anywhere_is_refused() -> None:
    token = tokens().issue_access(INSPECTOR, NOW)
    for place in range(len(token) - 1):  # the last character has spare bits that say nothing
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(TokenInvalid):
            tokens().read_access(token[:place] + other + token[place + 1 :], NOW)


def test_a_longer_life_or_another_role_cannot_be_written_in() -> None:
    head, _, tag = tokens().issue_access(INSPECTOR, NOW).split(".")
    grander = msgspec.structs.replace(INSPECTOR, role=Role.ADMINISTRATOR)
    for forged in ({**claims(), "who": grander}, claims(seconds=10**6)):
        with pytest.raises(TokenInvalid):
            tokens().read_access(f"{head}.{part(forged)}.{tag}", NOW)


def test_an_access_token_of_another_key_is_refused() -> None:
    with pytest.raises(TokenInvalid):
        tokens(bytes(32)).read_access(tokens().issue_access(INSPECTOR, NOW), NOW)


def test_a_token_that_says_it_needs_no_signature_is_refused() -> None:
    for algorithm in ("none", "None", "NONE", ""):
        head = part({"alg": algorithm, "kid": "1", "typ": "JWT"})
        for tag in ("", tokens().issue_access(INSPECTOR, NOW).rpartition(".")[2]):
            with pytest.raises(TokenInvalid):
                tokens().read_access(f"{head}.{part(claims())}.{tag}", NOW)


@pytest.mark.parametrize("algorithm", ["HS256", "HS512"])
def test_a_token_of_another_algorithm_is_refused_even_under_our_own_key(algorithm: str) -> None:
    key = KeyRing(ROOT, [first_version(ROOT, KeyPurpose.SESSION)]).find(KeyPurpose.SESSION, 1)
    forged = jwt.PyJWS().encode(msgspec.json.encode(claims()), key=key * 2, algorithm=algorithm, headers={"kid": "1"})
    with pytest.raises(TokenInvalid):
        tokens().read_access(forged, NOW)


@pytest.mark.parametrize("kid", ["2", "-1", "x", "", None])
def test_a_token_that_names_no_key_of_ours_is_refused(kid: str | None) -> None:
    _, body, tag = tokens().issue_access(INSPECTOR, NOW).split(".")
    named = {} if kid is None else {"kid": kid}
    with pytest.raises(TokenInvalid):
        tokens().read_access(f"{part({'alg': 'HSM3', 'typ': 'JWT', **named})}.{body}.{tag}", NOW)


def nested(depth: int) -> str:
    return base64.urlsafe_b64encode(b"[" * depth).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "token", ["", "a", "a.b", "..", "a.b.c", "a.b.c.d", "令牌", "\ud800", "x" * 50_000, nested(20_000) + ".e30.e30"]
)
def test_a_text_that_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens().read_access(token, NOW)


def test_a_signed_text_without_a_principal_is_refused() -> None:
    with pytest.raises(TokenInvalid):
        tokens().read_access(tokens().issue_refresh(SESSION, 1), NOW)


# Refresh


def test_a_refresh_token_names_its_session_and_generation() -> None:
    for generation in (0, 1, 2**32 - 1):
        token = tokens().issue_refresh(SESSION, generation)
        assert tokens().read_refresh(token) == RefreshToken(SESSION, generation)


def test_the_same_generation_has_one_token_and_each_generation_another() -> None:
    assert tokens().issue_refresh(SESSION, 1) == tokens().issue_refresh(SESSION, 1)
    assert len({tokens().issue_refresh(SESSION, generation) for generation in range(20)}) == 20


def test_a_refresh_token_changed_anywhere_is_refused() -> None:
    token = tokens().issue_refresh(SESSION, 1)
    for place, character in enumerate(token):
        for other in ascii_letters + digits + "-_!":
            if other != character:
                with pytest.raises(TokenInvalid):
                    tokens().read_refresh(token[:place] + other + token[place + 1 :])


def test_a_refresh_token_has_one_spelling_only() -> None:
    token = tokens().issue_refresh(SESSION, 1)
    for other in (token + "=", token + "==", token + "A", token[:-1], f" {token}", f"{token[:9]}\n{token[9:]}", ""):
        with pytest.raises(TokenInvalid):
            tokens().read_refresh(other)


def test_a_refresh_token_of_another_key_is_refused() -> None:
    with pytest.raises(TokenInvalid):
        tokens(bytes(32)).read_refresh(tokens().issue_refresh(SESSION, 1))


def test_an_access_token_is_no_refresh_token() -> None:
    with pytest.raises(TokenInvalid):
        tokens().read_refresh(tokens().issue_access(INSPECTOR, NOW))


# The roll of the key


def test_after_a_roll_old_tokens_are_believed_and_new_ones_name_the_new_key() -> None:
    rolled = rolled_tokens(KeyState.VERIFYING)
    assert rolled.read_access(tokens().issue_access(INSPECTOR, NOW), NOW) == INSPECTOR
    assert rolled.read_refresh(tokens().issue_refresh(SESSION, 3)) == RefreshToken(SESSION, 3)
    assert jwt.get_unverified_header(rolled.issue_access(INSPECTOR, NOW))["kid"] == "2"
    with pytest.raises(TokenInvalid):
        tokens().read_refresh(rolled.issue_refresh(SESSION, 3))


def test_tokens_of_a_retired_key_are_refused() -> None:
    rolled = rolled_tokens(KeyState.RETIRED)
    with pytest.raises(TokenInvalid):
        rolled.read_access(tokens().issue_access(INSPECTOR, NOW), NOW)
    with pytest.raises(TokenInvalid):
        rolled.read_refresh(tokens().issue_refresh(SESSION, 3))
