"""Rules of visitors: functions of values."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import ceil

from codes.phone import is_landline, normalise_mobile
from domain.shared.errors import DomainError, InvalidField
from domain.visitor.model import (
    CODE_TRIES,
    RESEND_AFTER,
    Count,
    Limit,
    LimitKind,
    LimitPolicy,
    LimitScope,
    Proof,
    StoredVerification,
)

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
BASE_COST = 50_000
"""Of the cheapest proof: about so many hashes at most, half of it on average; under a second on a phone."""
_STEPS = 4
"""The cost doubles that often at most."""


class PassRequired(DomainError):
    """The write needs a citizen's pass, and none came, or one that is over or not ours."""


class PhoneNotVerified(DomainError):
    """The write needs a phone that was verified by a code just now."""


class CodeNotUsable(DomainError):
    """The code is over: too old, tried too often, used, or replaced by a newer one. Ask for a new one."""


class CodeWrong(DomainError):
    """The code is another one; `tries_left` in the facts."""


class ProofRefused(DomainError):
    """The proof of work is not a solution of a challenge of ours, is too old, or was used before."""


class TooManyWrites(DomainError):
    """More than is taken from one address, device or phone; `retry_after` seconds in the facts."""

    def __init__(self, retry_after: int) -> None:
        """Say when there will be room again, in seconds."""
        super().__init__(f"操作过于频繁，请在{span(retry_after)}后再试。", retry_after=retry_after)
        self.retry_after = retry_after


class ProofRequired(DomainError):
    """So often only with a proof of work of at least `cost`, or after `retry_after` seconds without one."""

    def __init__(self, cost: int, retry_after: int) -> None:
        """Say what it costs now, and when it will cost nothing."""
        super().__init__(f"操作较频繁，请完成验证，或在{span(retry_after)}后再试。", retry_after=retry_after)
        self.cost = cost
        self.retry_after = retry_after


def _policy(address: tuple[int, int], device: tuple[int, int], phone: tuple[int, int]) -> LimitPolicy:
    """Address and device by the hour, phones by the day."""
    return LimitPolicy(address=Limit(_HOUR, *address), device=Limit(_HOUR, *device), phone=Limit(_DAY, *phone))


POLICIES: Mapping[LimitKind, LimitPolicy] = {
    # A proof of work buys nobody more messages to one phone: they would reach whoever owns it.
    LimitKind.PHONE_CODE: _policy((10, 60), (5, 20), (8, 8)),
    LimitKind.PHONE_PROOF: _policy((60, 300), (30, 100), (40, 40)),
    LimitKind.ATTACHMENT: _policy((120, 900), (60, 300), (200, 600)),
    # Forms with files, and each file in them. No proof of work: a page that asks for one would lose the files.
    LimitKind.FORM: _policy((600, 600), (300, 300), (600, 600)),
    LimitKind.COMPLAINT: _policy((10, 100), (5, 30), (10, 40)),
    LimitKind.TIP_OFF: _policy((6, 60), (3, 20), (10, 40)),
    LimitKind.SUPPLEMENT: _policy((20, 200), (10, 60), (20, 80)),
    LimitKind.LIKENESS: _policy((60, 600), (30, 200), (100, 400)),
    LimitKind.FOLLOW_UP: _policy((30, 150), (20, 60), (40, 80)),
    LimitKind.FEEDBACK: _policy((10, 100), (5, 30), (10, 40)),
    LimitKind.SUBSCRIPTION: _policy((10, 60), (10, 30), (20, 40)),
}
"""Of each kind and scope how many are free, and how many there may be at most."""


def mobile_of(text: str) -> str:
    """The 11 digits of a mainland mobile, however it was typed. Raises `InvalidField`."""
    number = normalise_mobile(text)
    if number is None:
        reason = "固定电话不能接收短信，请填写手机号码。" if is_landline(text) else "应为11位手机号码。"
        raise InvalidField(reason, field="phone")
    return number


def resend_after(requested_at: datetime) -> datetime:
    """When another code may be asked for."""
    return requested_at + RESEND_AFTER


def require_usable(found: StoredVerification | None, now: datetime) -> bytes:
    """The sealed code of a verification that is still open. Raises `CodeNotUsable`."""
    if (
        found is None
        or found.code_sealed is None
        or found.voided_at is not None
        or found.proven_at is not None
        or found.expires_at <= now
        or found.tries >= CODE_TRIES
    ):
        raise CodeNotUsable("验证码已失效，请重新获取。")
    return found.code_sealed


def is_same_code(typed: str, code: str) -> bool:
    """Whether they are equal; how long it takes tells nothing of where they differ."""
    return hmac.compare_digest(typed.strip().encode(), code.encode())


def window_number(now: datetime, window: timedelta) -> int:
    """Which window of that length since 1970 it is."""
    return int(now.timestamp() // window.total_seconds())


def estimate(count: Count, limit: Limit, now: datetime) -> float:
    """How many writes the last `window` saw, if those of the window before were spread evenly."""
    return count.current + count.previous * (1 - _elapsed(limit, now))


def _elapsed(limit: Limit, now: datetime) -> float:
    """Which part of the running window is over."""
    seconds = limit.window.total_seconds()
    return now.timestamp() % seconds / seconds


def room_again_in(count: Count, limit: Limit, allowed: int, now: datetime) -> int:
    """After how many seconds one more write would fit under `allowed`; at least one."""
    seconds, elapsed = limit.window.total_seconds(), _elapsed(limit, now)
    before = count.current - 1  # this write will not have been counted
    room = allowed - 1
    if before <= room:
        # Enough of the window before must slide out: before + previous * (1 - x) <= room.
        x = 1.0 if count.previous == 0 else 1 - (room - before) / count.previous
        return max(1, ceil((x - elapsed) * seconds))
    # The running window becomes the one before, and then enough of it must slide out.
    x = 1 - room / before
    return max(1, ceil((1 - elapsed + x) * seconds))


def cost_of(excess: float, limit: Limit) -> int:
    """How much work the next write takes, the more the further one is beyond what is free."""
    span = max(1, limit.most - limit.free)
    return BASE_COST * 2 ** min(_STEPS, int(excess * (_STEPS + 1) / (span + 1)))


def require_room(kind: LimitKind, counts: Iterable[Count], proof: Proof | None, now: datetime) -> bool:
    """Whether the write costs its `proof`. Raises `TooManyWrites`, or `ProofRequired` where that is not enough."""
    policy = POLICIES[kind]
    cost = wait = 0
    for count in counts:
        limit = policy.of(count.scope)
        seen = estimate(count, limit, now)
        if seen > limit.most:
            raise TooManyWrites(room_again_in(count, limit, limit.most, now))
        if seen > limit.free:
            cost = max(cost, cost_of(seen - limit.free, limit))
            wait = max(wait, room_again_in(count, limit, limit.free, now))
    if cost and (proof is None or proof.cost < cost):
        raise ProofRequired(cost, wait)
    return cost > 0


def scopes_of(address: bytes | None, device: bytes | None, phone_index: bytes | None) -> dict[LimitScope, bytes]:
    """By what a write is counted."""
    known = {LimitScope.ADDRESS: address, LimitScope.DEVICE: device, LimitScope.PHONE: phone_index}
    return {scope: key for scope, key in known.items() if key is not None}


def span(seconds: int) -> str:
    """A wait in words."""
    return f"{seconds}秒" if seconds < 120 else f"{ceil(seconds / 60)}分钟"  # noqa: PLR2004 - two minutes
