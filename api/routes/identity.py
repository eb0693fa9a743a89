"""登录, refresh, 退出."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from litestar import Request, Router, delete, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from api.auth import for_viewers, permit, permit_anyone, principal_of
from api.schemas.identity import LogIn, Refresh, SessionTokensAnswer
from api.session_answers import answer_session
from api.wiring import Parts
from domain.identity import operations, store
from domain.identity.model import Role
from domain.identity.passwords import DUMMY_HASH, verify_password
from domain.identity.rules import LogInRefused, SessionEnded, may_sign_in, require_unlocked
from domain.shared.events import Operator

_LOGIN = "account.login"
_SYSTEM = Operator(id=UUID(int=0), name="系统", post="系统")


@post("/sessions", status_code=HTTP_201_CREATED, opt=permit_anyone(), operation_id="logIn")
async def log_in(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[LogIn]
) -> SessionTokensAnswer:
    """登录 with name and password (MOB-01). One answer for every way to fail (SEC-07); too many wait (SEC-02)."""
    index = parts.vault.blind_index(_LOGIN, data.name)
    async with parts.work.reading() as connection:
        account = await store.ACCOUNT_BY_LOGIN.first(connection, login=data.name)
        failures = await store.LOG_IN_FAILURES.first(connection, login_index=index)
    require_unlocked(failures, parts.clock())
    checkers: ThreadPoolExecutor = request.app.state.password_checkers
    known_hash = DUMMY_HASH if account is None else account.password_hash
    right = await asyncio.get_running_loop().run_in_executor(checkers, verify_password, known_hash, data.password)
    if account is None or not right or not may_sign_in(account):
        await parts.work.run(_SYSTEM, lambda tx: operations.count_failed_log_in(tx, index, account))
        raise LogInRefused("用户名或密码错误。")
    operator = Operator(id=account.id, name=account.name, post=account.post)
    grant = await parts.work.run(operator, lambda tx: operations.start_checked_session(tx, account, index))
    return answer_session(parts, grant)


@post("/sessions/refresh", status_code=HTTP_201_CREATED, opt=permit_anyone(), operation_id="refreshSession")
async def refresh(parts: NamedDependency[Parts], data: JSONBody[Refresh]) -> SessionTokensAnswer:
    """New tokens for a session. The same refresh token may be sent again until its successor was used."""
    token = parts.session_tokens.read_refresh(data.refresh_token)
    grant = await parts.work.run(_SYSTEM, lambda tx: operations.refresh_session(tx, token))
    if grant.refused:
        raise SessionEnded("登录凭证已被使用过，请重新登录。")
    return answer_session(parts, grant)


@delete("/sessions/current", status_code=HTTP_204_NO_CONTENT, opt=permit(*Role) | for_viewers(), operation_id="logOut")
async def log_out(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> None:
    """退出登录: the session's refresh tokens are void at once."""
    principal = principal_of(request)
    await parts.work.run(principal.operator, lambda tx: operations.end_session(tx, principal))


identity_router = Router("/", route_handlers=[log_in, refresh, log_out], tags=["identity"])
