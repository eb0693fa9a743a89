"""Rules of the citizen's gate: what is counted, what it costs, and when there is room again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.shared.errors import InvalidField
from domain.visitor import rules
from domain.visitor.model import (
    Count,
    Limit,
    LimitKind,
    LimitScope,
    Proof,
    StoredVerification,
)
from domain.visitor.rules import BASE_COST, CodeNotUsable, ProofRequired, TooManyWrites

HOUR = timedelta(hours=1)
NOON = datetime(2026, 8, 5, 12, 0, tzinfo=UTC)
LIMIT = Limit(HOUR, 10, 100)
NOBODY = uuid4()


def count(current: int, previous: int = 0, scope: LimitScope = LimitScope.ADDRESS) -> Count:
    return Count(scope=scope, current=current, previous=previous)


def proof(cost: int) -> Proof:
    return Proof(id=b"p", cost=cost, expires_at=NOON + HOUR)


def test_of_the_window_before_only_what_is_less_than_a_window_ago_counts() -> None:
    assert rules.estimate(count(3, 8), LIMIT, NOON) == 11
    assert rules.estimate(count(3, 8), LIMIT, NOON + timedelta(minutes=30)) == 7
    assert rules.estimate(count(3, 8), LIMIT, NOON + timedelta(minutes=45)) == 5


@pytest.mark.parametrize("minute", range(0, 60, 7))
@pytest.mark.parametrize(("current", "previous"), [(11, 0), (11, 40), (2, 60), (60, 3), (1, 11)])
def test_after_the_wait_there_is_room_and_before_it_there_is_none(current: int, previous: int, minute: int) -> None:
    now = NOON + timedelta(minutes=minute)
    if rules.estimate(count(current, previous), LIMIT, now) <= LIMIT.free:
        return
    wait = rules.room_again_in(count(current, previous), LIMIT, LIMIT.free, now)

    def next_write(at: datetime) -> float:
        """What one more write would make of it, `at` this window or the next."""
        if rules.window_number(at, HOUR) == rules.window_number(now, HOUR):
            return rules.estimate(count(current, previous), LIMIT, at)
        return rules.estimate(count(1, current - 1), LIMIT, at)

    assert 1 <= wait <= 2 * HOUR.total_seconds()
    assert next_write(now + timedelta(seconds=wait)) <= LIMIT.free + 1e-6
    assert next_write(now + timedelta(seconds=wait - 2)) > LIMIT.free - 0.1


def test_the_cost_rises_with_the_excess_up_to_a_bound() -> None:
    costs = [rules.cost_of(excess, LIMIT) for excess in range(1, 91)]
    assert costs == sorted(costs)
    assert (costs[0], costs[-1]) == (BASE_COST, BASE_COST * 16)
    assert rules.cost_of(1, Limit(HOUR, 5, 5)) <= BASE_COST * 16


def test_what_is_free_costs_nothing() -> None:
    assert rules.require_room(LimitKind.COMPLAINT, [count(10)], None, NOON) is False
    assert rules.require_room(LimitKind.COMPLAINT, [], None, NOON) is False


def test_beyond_it_a_proof_is_asked_for_that_is_worth_it() -> None:
    with pytest.raises(ProofRequired) as asked:
        rules.require_room(LimitKind.COMPLAINT, [count(11)], None, NOON)
    assert asked.value.facts == {"retry_after": asked.value.retry_after}
    with pytest.raises(ProofRequired):
        rules.require_room(LimitKind.COMPLAINT, [count(11)], proof(BASE_COST - 1), NOON)
    assert rules.require_room(LimitKind.COMPLAINT, [count(11)], proof(BASE_COST), NOON) is True


def test_no_proof_is_worth_more_than_the_most() -> None:
    with pytest.raises(TooManyWrites) as refused:
        rules.require_room(LimitKind.COMPLAINT, [count(101)], proof(10**9), NOON)
    assert refused.value.facts == {"retry_after": refused.value.retry_after}


def test_the_scope_that_is_exceeded_furthest_decides() -> None:
    with pytest.raises(TooManyWrites):
        rules.require_room(LimitKind.COMPLAINT, [count(11), count(41, scope=LimitScope.PHONE)], proof(BASE_COST), NOON)


def test_no_work_sends_more_messages_to_one_phone() -> None:
    with pytest.raises(TooManyWrites):
        rules.require_room(LimitKind.PHONE_CODE, [count(9, scope=LimitScope.PHONE)], proof(10**9), NOON)


def test_every_kind_has_its_limits_and_none_is_upside_down() -> None:
    assert rules.POLICIES.keys() == set(LimitKind)
    limits = [policy.of(scope) for policy in rules.POLICIES.values() for scope in LimitScope]
    assert all(0 < limit.free <= limit.most for limit in limits)


@pytest.mark.parametrize(
    ("typed", "same"), [("012345", True), (" 012345 ", True), ("012346", False), ("12345", False), ("０12345", False)]
)
def test_a_code_is_compared_as_it_was_typed(typed: str, *, same: bool) -> None:
    assert rules.is_same_code(typed, "012345") is same


def verification(**changes: object) -> StoredVerification:
    fields: dict[str, object] = {
        "id": NOBODY,
        "phone_sealed": b"",
        "phone_index": b"",
        "code_sealed": b"sealed",
        "requested_at": NOON,
        "expires_at": NOON + timedelta(minutes=5),
        "tries": 0,
        "voided_at": None,
        "proven_at": None,
    }
    return StoredVerification(**{**fields, **changes})  # type: ignore[arg-type] - by name


def test_an_open_verification_gives_its_code() -> None:
    assert rules.require_usable(verification(tries=4), NOON) == b"sealed"


@pytest.mark.parametrize(
    "changes",
    [{"tries": 5}, {"code_sealed": None}, {"voided_at": NOON}, {"proven_at": NOON}, {"expires_at": NOON}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_verification_that_is_over_gives_none(changes: dict[str, object]) -> None:
    with pytest.raises(CodeNotUsable):
        rules.require_usable(verification(**changes), NOON)


def test_a_verification_that_is_not_there_gives_none() -> None:
    with pytest.raises(CodeNotUsable):
        rules.require_usable(None, NOON)


def test_a_mobile_is_read_however_it_was_typed() -> None:
    assert rules.mobile_of("+86 138 7715-5555") == "13877155555"
    with pytest.raises(InvalidField, match="固定电话不能接收短信"):
        rules.mobile_of("0771-5812345")
    with pytest.raises(InvalidField, match="应为11位手机号码"):
        rules.mobile_of("12345")


def test_a_wait_is_told_in_words() -> None:
    assert [rules.span(seconds) for seconds in (1, 119, 120, 121, 3600)] == ["1秒", "119秒", "2分钟", "3分钟", "60分钟"]
