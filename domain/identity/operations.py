"""Sessions: started by name and password, carried on by refresh, ended on request."""

from __future__ import annotations

import msgspec

from domain.identity import store
from domain.identity.events import SignedIn, SignedOut
from domain.identity.model import Account, Principal
from domain.identity.rules import SESSION_LIFETIME, SessionEnded, may_sign_in, next_generation
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
        name: getattr(account, name)
        for name in ("name", "role", "post", "department_id", "region", "officer_id", "enterprise_id")
    }
    return msgspec.convert({**fields, "account_id": account.id, "session_id": session_id}, Principal)


async def start_session(tx: Transaction, account: Account) -> Outcome[SessionGrant]:
    """登录: a new session for an account whose password was just verified."""
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
