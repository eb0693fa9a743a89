"""Rules of trying: how long, when again, whose fault, and what receipts make of a message in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from notifications.deliver import (
    ATTEMPTS,
    FAILURES,
    back_off,
    blame_of,
    call_bound,
    come_again,
    is_outdated,
    lease,
    lifetime,
    state_after_receipt,
    state_after_refusal,
)
from notifications.message import Channel, MessageState, Purpose
from notifications.outcome import Reason, Refused
from notifications.sms.port import ReceiptState

NOW = datetime(2026, 8, 3, 9, 0, tzinfo=UTC)


def test_retries_come_later_and_later_but_never_later_than_45_minutes() -> None:
    assert [back_off(attempts, 0).total_seconds() for attempts in (1, 2, 3)] == [2, 4, 8]
    assert back_off(3, 1).total_seconds() == 12
    assert back_off(10_000, 0) == timedelta(minutes=30)
    assert back_off(10_000, 1) == timedelta(minutes=45)


def test_who_waits_for_a_provider_comes_back_within_ten_seconds_of_its_turn() -> None:
    assert come_again(timedelta(seconds=2), 0) == timedelta(seconds=2)
    assert come_again(timedelta(seconds=2), 1) == timedelta(seconds=4)
    assert come_again(timedelta(minutes=1), 0.5) == timedelta(seconds=65)
    assert come_again(timedelta(minutes=1), 1) == timedelta(seconds=70)


def test_a_code_is_worth_sending_for_minutes_and_a_notice_for_days() -> None:
    assert lifetime(Purpose.VERIFICATION) == timedelta(minutes=5)
    assert lifetime(Purpose.LEGAL_NOTICE) == timedelta(days=3)


def test_the_time_that_a_message_was_made_to_wait_does_not_count() -> None:
    days = timedelta(days=3)
    assert not is_outdated(Purpose.SERVICE, NOW, None, NOW + days)
    assert is_outdated(Purpose.SERVICE, NOW, None, NOW + days + timedelta(seconds=1))
    assert not is_outdated(Purpose.SERVICE, NOW, NOW + days, NOW + 2 * days)


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
def test_a_lease_outlasts_the_call_that_it_is_for(channel: Channel) -> None:
    assert lease(channel) > call_bound(channel)


@pytest.mark.parametrize("reason", list(Reason))
def test_only_a_refusal_that_nothing_would_change_ends_a_message_at_once(reason: Reason) -> None:
    first = state_after_refusal(reason, 1)
    assert first is (MessageState.ABANDONED if reason.is_final else MessageState.WAITING)
    assert state_after_refusal(reason, ATTEMPTS) is MessageState.ABANDONED


def test_a_provider_is_blamed_for_what_it_did_and_not_for_a_bad_number() -> None:
    steps = {reason: blame_of(Refused(reason)).steps for reason in Reason}
    assert steps[Reason.BAD_ADDRESS] == steps[Reason.CONTENT_REFUSED] == steps[Reason.THROTTLED] == 0
    assert steps[Reason.PROVIDER_AWAY] == steps[Reason.NO_ANSWER] == steps[Reason.MALFORMED_ANSWER] == 1
    assert steps[Reason.NO_CREDIT] == steps[Reason.UNAUTHORISED] == FAILURES


def test_a_provider_that_asks_for_a_pause_gets_it_within_bounds() -> None:
    assert blame_of(Refused(Reason.THROTTLED)).pause == timedelta(seconds=1)
    assert blame_of(Refused(Reason.THROTTLED, retry_after=7)).pause == timedelta(seconds=7)
    assert blame_of(Refused(Reason.THROTTLED, retry_after=1e9)).pause == timedelta(seconds=60)
    assert blame_of(Refused(Reason.THROTTLED, retry_after=-3)).pause == timedelta(0)


@pytest.mark.parametrize("told", list(permutations(ReceiptState)))
def test_what_was_delivered_stays_delivered_in_whatever_order_receipts_come(told: tuple[ReceiptState, ...]) -> None:
    state = MessageState.SENDING
    for each in told:
        state = state_after_receipt(state, each, of_newest=True)
    assert state is MessageState.DELIVERED


def test_a_receipt_settles_what_is_still_being_sent() -> None:
    for begins in (MessageState.SENDING, MessageState.WAITING, MessageState.ABANDONED):
        assert state_after_receipt(begins, ReceiptState.TAKEN, of_newest=True) is MessageState.SENT
        assert state_after_receipt(begins, ReceiptState.DELIVERED, of_newest=False) is MessageState.DELIVERED


def test_a_failure_of_an_older_try_does_not_end_a_newer_one() -> None:
    assert state_after_receipt(MessageState.SENT, ReceiptState.FAILED, of_newest=False) is MessageState.SENT
    assert state_after_receipt(MessageState.WAITING, ReceiptState.FAILED, of_newest=True) is MessageState.WAITING
    assert state_after_receipt(MessageState.SENT, ReceiptState.FAILED, of_newest=True) is MessageState.FAILED
    assert state_after_receipt(MessageState.FAILED, ReceiptState.TAKEN, of_newest=True) is MessageState.FAILED
