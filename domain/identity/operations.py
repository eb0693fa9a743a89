"""Sessions: started by name and password, carried on by refresh, ended on request."""

from __future__ import annotations

import msgspec

from domain.identity import store
from domain.identity.events import LogInWasLocked, SignedIn, SignedOut
from domain.identity.model import Account, Principal
from domain.identity.rules import (
    FAILURE_WINDOW,
    MOST_FAILURES,
    SESSION_LIFETIME,
    SessionEnded,
    may_sign_in,
    next_generation,
    require_unlocked,
)
from domain.identity.tokens import RefreshToken
from domain.shared.transaction import Outcome, Transaction


class SessionGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A principal to make an access token of, and the generation of the refresh token that goes with it.

    `refused` is set instead of raising where the refusal itself must be stored (a stolen session is ended).
    """

    principal: Principal
    refresh_generation: int
    refused: bool = False


def _principal(account: Account, session_id: object) -> Principal:
    fields = {
        name: getattr(account, name) for name in Principal.__struct_fields__ if name not in {"account_id", "session_id"}
    }
    return msgspec.convert({**fields, "account_id": account.id, "session_id": session_id}, Principal)


async def count_failed_log_in(tx: Transaction, login_index: bytes, account: Account | None) -> Outcome[None]:
    """One more failure of a log-in name, whether it exists or not; after too many it waits (SEC-02)."""
    counted = await store.COUNT_LOG_IN_FAILURE.one(
        tx.connection,
        login_index=login_index,
        now=tx.now,
        window_from=tx.now - FAILURE_WINDOW,
        most=MOST_FAILURES,
        lock_until=tx.now + FAILURE_WINDOW,
    )
    if account is None or counted.failures != MOST_FAILURES:
        return Outcome(answer=None)
    event = LogInWasLocked(subject_id=account.id, department_id=account.department_id, region=account.region)
    return Outcome(answer=None, events=(event,))


async def start_checked_session(tx: Transaction, account: Account, login_index: bytes) -> Outcome[SessionGrant]:
    """登录 by a password that was right. Raises `LogInLocked`.

    Failures are looked at once more: of many guesses at once, those that came after the fifth wrong one get nothing.
    """
    failures = await store.LOG_IN_FAILURES.first(tx.connection, login_index=login_index)
    require_unlocked(failures, tx.now)
    if failures is not None:
        await store.FORGET_LOG_IN_FAILURES.run(tx.connection, login_index=login_index)
    return await start_session(tx, account)


async def start_session(tx: Transaction, account: Account) -> Outcome[SessionGrant]:
    """登录: a new session for an account whose owner was just recognised."""
    session_id = tx.new_id()
    await store.INSERT_SESSION.run(
        tx.connection,
        id=session_id,
        account_id=account.id,
        generation=0,
        started_at=tx.now,
        expires_at=tx.now + SESSION_LIFETIME,
    )
    grant = SessionGrant(principal=_principal(account, session_id), refresh_generation=1)
    event = SignedIn(subject_id=session_id, department_id=account.department_id, region=account.region)
    return Outcome(answer=grant, events=(event,))


async def refresh_session(tx: Transaction, token: RefreshToken) -> Outcome[SessionGrant]:
    """The account as it is today, and the successor of `token`.

    Raises `SessionEnded`. A token that was superseded ends its session, and that is stored: the grant is `refused`.
    """
    session = await store.LOCK_SESSION.first(tx.connection, id=token.session_id)
    if session is None:
        raise SessionEnded("登录已失效，请重新登录。")
    account = await store.ACCOUNT_BY_ID.one(tx.connection, id=session.account_id)
    principal = _principal(account, session.id)
    try:
        used = next_generation(session, token.generation, tx.now)
    except SessionEnded as ended:
        if not ended.facts.get("reused"):
            raise
        await store.END_SESSION.run(tx.connection, session_id=session.id, now=tx.now, reason="reused token")
        return Outcome(answer=SessionGrant(principal=principal, refresh_generation=0, refused=True))
    if not may_sign_in(account):
        raise SessionEnded("账号已停用。")
    if used != session.generation:
        await store.ADVANCE_SESSION.run(tx.connection, session_id=session.id, used=used)
    return Outcome(answer=SessionGrant(principal=principal, refresh_generation=used + 1))


async def end_session(tx: Transaction, principal: Principal) -> Outcome[None]:
    """退出登录: the session's refresh tokens are void from now on; ending twice is no error."""
    ended = await store.END_SESSION.run(tx.connection, session_id=principal.session_id, now=tx.now, reason="signed out")
    event = SignedOut(subject_id=principal.session_id, department_id=principal.department_id, region=principal.region)
    return Outcome(answer=None, events=(event,) if ended else ())
