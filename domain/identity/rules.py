"""Rules of sessions and of scope: functions of values."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from domain.identity.model import Account, LogInFailures, Principal, Session
from domain.shared.errors import DomainError

SESSION_LIFETIME = timedelta(days=30)
"""How long a phone may stay signed in by refreshing."""
ACCESS_LIFETIME = timedelta(minutes=15)
"""How long an access token is believed without asking the database."""
MOST_FAILURES = 5
"""So many failures of one log-in name within `FAILURE_WINDOW` make it wait for as long again (SEC-02, 待核)."""
FAILURE_WINDOW = timedelta(minutes=15)


class LogInRefused(DomainError):
    """Unknown name, wrong password or disabled account: the caller is told one thing for all three (SEC-07)."""


class LogInLocked(DomainError):
    """Logging in by this name failed too often of late; it waits `retry_after` seconds, whoever tries (SEC-02)."""

    def __init__(self, retry_after: int) -> None:
        """Tell how long, and nothing of whether the name exists."""
        minutes = max(1, -(-retry_after // 60))
        super().__init__(f"登录失败次数过多，请在{minutes}分钟后再试。", retry_after=retry_after)


class SessionEnded(DomainError):
    """The session was ended, has expired, or its refresh token was used a second time."""


def require_unlocked(failures: LogInFailures | None, now: datetime) -> None:
    """Raises `LogInLocked` while a name waits."""
    if failures is not None and failures.locked_until is not None and failures.locked_until > now:
        raise LogInLocked(math.ceil((failures.locked_until - now).total_seconds()))


def may_sign_in(account: Account) -> bool:
    """Whether the account is in use."""
    return account.disabled_at is None


def next_generation(session: Session, presented: int, now: datetime) -> int:
    """The generation that counts as used after `presented` came.

    A refresh token stays valid until its successor is first used, because the answer that carried the successor may
    have been lost on the way. So the last used one may come again; an older one is a copy in wrong hands.
    Raises `SessionEnded`.
    """
    if session.ended_at is not None or session.expires_at <= now:
        raise SessionEnded("登录已失效，请重新登录。")
    if presented not in {session.generation, session.generation + 1}:
        raise SessionEnded("登录凭证已被使用过，请重新登录。", reused=True)
    return presented


def within_region(principal: Principal, region: str | None) -> bool:
    """Whether `region` (an ltree path) lies in the subtree that the principal may see (D8)."""
    if principal.region is None or region is None:
        return False
    return region == principal.region or region.startswith(principal.region + ".")
