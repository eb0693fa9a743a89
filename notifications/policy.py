"""发送规则: whether a message may go to this address now, later or not at all. Values in, a value out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from notifications.message import Channel, Purpose
from notifications.outcome import Reason

_ZONE = ZoneInfo("Asia/Shanghai")
RED = 1
"""The highest level of a warning (D13): blue is 4."""
OPTED_OUT = "opted_out"
BLACKLISTED = "blacklisted"
BOUNCED = "bounced"


class Send(msgspec.Struct, frozen=True):
    """It may go now."""


class WaitUntil(msgspec.Struct, frozen=True):
    """It may go, but not before `at`; it is decided anew then."""

    at: datetime


class Decline(msgspec.Struct, frozen=True):
    """It may not go to this address."""

    reason: Reason


Decision = Send | WaitUntil | Decline


class Cap(msgspec.Struct, frozen=True):
    """How many messages of one purpose an address gets within 60 minutes, and within 24 hours."""

    an_hour: int
    a_day: int


class PolicyRules(msgspec.Struct, frozen=True, kw_only=True):
    """An installation's own terms. A purpose without a cap is never capped; quiet hours are of the region's clock."""

    quiet_from: time
    quiet_to: time
    waits_at_night: frozenset[Purpose]
    declined_when_opted_out: frozenset[Purpose]
    caps: Mapping[Purpose, Cap]
    capped_for: timedelta
    """After so long an address that had its fill of the hour is tried again."""


DEFAULT = PolicyRules(
    quiet_from=time(21),
    quiet_to=time(8),
    waits_at_night=frozenset({Purpose.REMINDER, Purpose.DIGEST, Purpose.SERVICE, Purpose.WARNING}),
    declined_when_opted_out=frozenset({Purpose.REMINDER, Purpose.DIGEST, Purpose.SERVICE}),
    caps={
        Purpose.VERIFICATION: Cap(6, 15),
        Purpose.SERVICE: Cap(10, 30),
        Purpose.WARNING: Cap(10, 30),
        Purpose.REMINDER: Cap(5, 12),
        Purpose.DIGEST: Cap(4, 20),
    },
    capped_for=timedelta(minutes=20),
)


def decide(
    *,
    purpose: Purpose,
    channel: Channel,
    now: datetime,
    blocks: frozenset[str],
    sent_in_hour: int,
    sent_in_day: int,
    level: int | None = None,
    rules: PolicyRules = DEFAULT,
) -> Decision:
    """Whether a message of `purpose` may go to an address with these standing `blocks`.

    `sent_in_hour` and `sent_in_day` count what was handed over to the address for the same purpose in the last 60
    minutes and 24 hours; a purpose without a cap needs no count. A red warning (`level` 1) is urgent: it neither waits
    for the morning nor is capped. What goes to the app's own inbox disturbs nobody and is never held.
    """
    if channel is Channel.IN_APP:
        return Send()
    declined = _blocked(purpose, channel, blocks, rules)
    if declined is not None:
        return Decline(declined)
    is_urgent = purpose is Purpose.WARNING and level == RED
    cap = None if is_urgent else rules.caps.get(purpose)
    if cap is not None and sent_in_day >= cap.a_day:
        return Decline(Reason.CAPPED)
    at = now
    if cap is not None and sent_in_hour >= cap.an_hour:
        if purpose is Purpose.VERIFICATION:  # nobody waits for a code; they ask for another
            return Decline(Reason.CAPPED)
        at = now + rules.capped_for
    if channel is Channel.SMS and not is_urgent and purpose in rules.waits_at_night:
        at = _after_the_night(at, rules)
    return Send() if at == now else WaitUntil(at)


def _blocked(purpose: Purpose, channel: Channel, blocks: frozenset[str], rules: PolicyRules) -> Reason | None:
    """A bouncing mailbox takes nothing; the 黑名单 stops all but what the law demands to be sent."""
    if channel is Channel.EMAIL and BOUNCED in blocks:
        return Reason.BOUNCED
    if BLACKLISTED in blocks and purpose is not Purpose.LEGAL_NOTICE:
        return Reason.BLACKLISTED
    if OPTED_OUT in blocks and purpose in rules.declined_when_opted_out:
        return Reason.OPTED_OUT
    return None


def _after_the_night(at: datetime, rules: PolicyRules) -> datetime:
    """`at`, or the end of the quiet hours that it falls into. They may span midnight; none are when both ends meet."""
    local = at.astimezone(_ZONE)
    clock = local.time()
    begin, end = rules.quiet_from, rules.quiet_to
    if begin <= end:
        is_quiet, is_tomorrow = begin <= clock < end, False
    else:
        is_quiet, is_tomorrow = clock >= begin or clock < end, clock >= begin
    if not is_quiet:
        return at
    day = local.date() + timedelta(days=1) if is_tomorrow else local.date()
    return datetime.combine(day, end, _ZONE).astimezone(at.tzinfo)
