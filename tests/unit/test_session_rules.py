"""Which refresh token carries a session on, and what lies within a principal's region."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from domain.identity.model import Account, Principal, Role, Session
from domain.identity.rules import SessionEnded, may_sign_in, next_generation, within_region

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SESSION = Session(
    id=UUID(int=1), account_id=UUID(int=2), generation=5, expires_at=NOW + timedelta(days=30), ended_at=None
)


def test_the_successor_carries_the_session_on() -> None:
    assert next_generation(SESSION, 6, NOW) == 6


def test_the_last_used_token_may_come_again_for_its_answer_may_have_been_lost() -> None:
    assert next_generation(SESSION, 5, NOW) == 5


@pytest.mark.parametrize("presented", [0, 4])
def test_an_older_token_is_a_copy_in_wrong_hands(presented: int) -> None:
    with pytest.raises(SessionEnded) as refused:
        next_generation(SESSION, presented, NOW)
    assert refused.value.facts == {"reused": True}


def test_a_token_that_was_never_given_is_refused() -> None:
    with pytest.raises(SessionEnded):
        next_generation(SESSION, 7, NOW)


@pytest.mark.parametrize("presented", [4, 5, 6])
def test_an_ended_session_is_over_for_every_token_and_nobody_is_accused(presented: int) -> None:
    ended = msgspec.structs.replace(SESSION, ended_at=NOW)
    with pytest.raises(SessionEnded) as refused:
        next_generation(ended, presented, NOW)
    assert refused.value.facts == {}


def test_a_session_ends_at_the_very_instant_it_expires() -> None:
    last = SESSION.expires_at - timedelta(microseconds=1)
    assert next_generation(SESSION, 6, last) == 6
    with pytest.raises(SessionEnded):
        next_generation(SESSION, 6, SESSION.expires_at)


def test_a_disabled_account_may_not_sign_in() -> None:
    account = Account(
        id=UUID(int=1),
        login="wei",
        name="韦领导",
        role=Role.LEAD,
        post="局长",
        password_hash="",
        department_id=None,
        region="450000",
        officer_id=None,
        enterprise_id=None,
        enterprise_post=None,
        site_ids=None,
        disabled_at=None,
    )
    assert may_sign_in(account)
    assert not may_sign_in(msgspec.structs.replace(account, disabled_at=NOW))


def lead(region: str | None) -> Principal:
    return Principal(
        account_id=UUID(int=1),
        session_id=UUID(int=2),
        name="韦领导",
        role=Role.LEAD,
        post="局长",
        region=region,
    )


@pytest.mark.parametrize(
    ("own", "region", "sees"),
    [
        ("450000", "450000", True),
        ("450000", "450000.450100.450103", True),
        ("450000.450100", "450000", False),
        ("450000.450100", "450000.450200", False),
        ("450000.4501", "450000.45010", False),  # a longer code is no part of a shorter one
        ("450000.4501", "450000.4501.45010", True),
        ("450000", None, False),
        (None, "450000", False),
        (None, None, False),
    ],
)
def test_a_region_is_seen_from_itself_and_from_those_above(own: str | None, region: str | None, *, sees: bool) -> None:
    assert within_region(lead(own), region) is sees
