"""Rules of trying: how long a message is worth sending, when it is tried again, and what a receipt makes of it.

Values in, a value out; the edge does what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from notifications.message import Channel, MessageState, Purpose
from notifications.outcome import Reason, Refused
from notifications.sms.port import ReceiptState

ATTEMPTS: Final = 16
"""After so many tries that failed a message is given up, visibly. Waiting for a provider that is away is no try."""
_CALLS: Final[Mapping[Channel, timedelta]] = {Channel.EMAIL: timedelta(seconds=100)}
_CALL: Final = timedelta(seconds=20)
_NOTING: Final = timedelta(seconds=10)
SETTLE_AFTER: Final = timedelta(seconds=60)
"""A try of which nobody can say whether it was taken is followed by another after so long without a receipt."""
AHEAD: Final = timedelta(seconds=2)
"""So far ahead a provider's turn may be taken; whoever would have to wait longer comes again."""

_LIFETIMES: Final[Mapping[Purpose, timedelta]] = {Purpose.VERIFICATION: timedelta(minutes=5)}
_LIFETIME: Final = timedelta(days=3)
_LONGEST_BACK_OFF: Final = 1800.0
_SPREAD: Final = timedelta(seconds=10)


def call_bound(channel: Channel) -> timedelta:
    """A call of a provider that takes longer is let go. A mail server looks at a letter before it answers."""
    return _CALLS.get(channel, _CALL)


def lease(channel: Channel) -> timedelta:
    """How long who claimed a message has it: longer than the call may take, so that nobody else sends it meanwhile."""
    return call_bound(channel) + _NOTING


def lifetime(purpose: Purpose) -> timedelta:
    """How long after it was written, or put back, a message is still worth sending."""
    return _LIFETIMES.get(purpose, _LIFETIME)


def is_outdated(purpose: Purpose, created_at: datetime, not_before: datetime | None, now: datetime) -> bool:
    """Whether a message has outlived its purpose. The time that it was made to wait does not count."""
    return now > (not_before or created_at) + lifetime(purpose)


def back_off(attempts: int, chance: float) -> timedelta:
    """2 s, 4 s, 8 s … up to 30 min, each with up to half as much again by `chance` (0 to 1), so that retries do not
    come in step.
    """
    return timedelta(seconds=min(2.0 ** min(attempts, 20), _LONGEST_BACK_OFF) * (1 + chance / 2))


def come_again(wait: timedelta, chance: float) -> timedelta:
    """After how long a message comes again that must `wait` for a provider: up to as long again by `chance` (0 to 1),
    10 s at most. So all do not come at once, and none sleeps on long after the provider is well.
    """
    return wait + min(wait, _SPREAD) * chance


class Blame(msgspec.Struct, frozen=True, kw_only=True):
    """What a refusal says of the provider: how much nearer to being left alone, and how long it takes nothing."""

    steps: int
    pause: timedelta = timedelta(0)


FAILURES: Final = 5
"""After so many failures in a row a provider is left alone for a while, then asked by one message."""
FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(minutes=1)
"""One message a minute finds out soon enough that a provider is well again, and is no burden to one that is not."""
_AT_ONCE: Final = frozenset({Reason.UNAUTHORISED, Reason.NO_CREDIT})
_AWAY: Final = frozenset({Reason.PROVIDER_AWAY, Reason.NO_ANSWER, Reason.MALFORMED_ANSWER})
_THROTTLED_FOR: Final = 1.0
_LONGEST_THROTTLE: Final = 60.0


def blame_of(refused: Refused) -> Blame:
    """What `refused` says of the provider; a refusal for the message's own sake shows that the provider is well."""
    if refused.reason in _AT_ONCE:
        return Blame(steps=FAILURES)
    if refused.reason in _AWAY:
        return Blame(steps=1)
    if refused.reason is Reason.THROTTLED:
        asked = _THROTTLED_FOR if refused.retry_after is None else refused.retry_after
        return Blame(steps=0, pause=timedelta(seconds=min(max(asked, 0.0), _LONGEST_THROTTLE)))
    return Blame(steps=0)


def state_after_refusal(reason: Reason, attempts: int) -> MessageState:
    """Where a message stands after a try that certainly failed; `attempts` counts that try."""
    return MessageState.ABANDONED if reason.is_final or attempts >= ATTEMPTS else MessageState.WAITING


def state_after_receipt(stands: MessageState, told: ReceiptState, *, of_newest: bool) -> MessageState:
    """Where a message stands after a receipt, in whatever order receipts come: what was delivered stays delivered.

    A failure of an older try says nothing of the newer one.
    """
    if stands is MessageState.DELIVERED or told is ReceiptState.DELIVERED:
        return MessageState.DELIVERED
    if told is ReceiptState.FAILED:
        return MessageState.FAILED if of_newest and stands is not MessageState.WAITING else stands
    return stands if stands is MessageState.FAILED else MessageState.SENT
