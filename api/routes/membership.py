"""智桂通登录, 企业认领, and an enterprise's own people (ENT-01)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit, permit_anyone, principal_of
from api.identity_port import IdentityProvider
from api.schemas.cursor import FIRST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.identity import SessionTokensAnswer
from api.schemas.membership import (
    EnterpriseClaim,
    EnterpriseClaimAnswer,
    MemberPage,
    ZhiguitongLogIn,
    ZhiguitongLogInAnswer,
    to_line,
)
from api.session_answers import answer_session
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.identity.model import Account, Role
from domain.identity.operations import start_session
from domain.identity.rules import LogInRefused, may_sign_in
from domain.membership import operations, staff, store
from domain.membership.model import Invitation, MemberPlace
from domain.membership.rules import require_manager
from domain.shared.events import Operator

_PROVIDER = Operator(id=UUID(int=0), name="智桂通", post="统一身份认证")


async def _session(parts: Parts, account: Account) -> SessionTokensAnswer:
    if not may_sign_in(account):
        raise LogInRefused("账号已停用。")
    operator = Operator(id=account.id, name=account.name, post=account.post)
    return answer_session(parts, await parts.work.run(operator, lambda tx: start_session(tx, account)))


@post("/sessions/zhiguitong", status_code=HTTP_201_CREATED, opt=permit_anyone(), operation_id="logInByZhiguitong")
async def log_in_by_zhiguitong(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[ZhiguitongLogIn]
) -> ZhiguitongLogInAnswer:
    """登录 by 智桂通 (8.1, 8.5). Who was invited joins by it; who belongs to several enterprises chooses one."""
    provider: IdentityProvider = request.app.state.identity_provider
    user = await provider.user_of(data.token)
    known = await parts.work.run(_PROVIDER, lambda tx: operations.recognise(tx, user, data.enterprise_id))
    session = None if known.account is None else await _session(parts, known.account)
    return ZhiguitongLogInAnswer(session=session, enterprises=known.enterprises)


@post("/enterprise-claims", status_code=HTTP_201_CREATED, opt=permit_anyone(), operation_id="claimEnterprise")
async def claim_enterprise(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[EnterpriseClaim]
) -> EnterpriseClaimAnswer:
    """企业认领 by the 法定代表人, with the legal person's account of 智桂通. Claiming again is only another log-in."""
    provider: IdentityProvider = request.app.state.identity_provider
    user = await provider.user_of(data.token)
    claimed = await parts.work.run(_PROVIDER, lambda tx: operations.claim_enterprise(tx, user, data.uscc))
    session = await _session(parts, claimed.account)
    return EnterpriseClaimAnswer(membership_id=claimed.membership_id, enterprise=claimed.enterprise, session=session)


@get("/enterprise-members", opt=permit(Role.ENTERPRISE), operation_id="listEnterpriseMembers")
async def list_members(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    with_ended: Annotated[bool, QueryParameter(description="whether those who left are listed, too")] = False,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> MemberPage:
    """企业人员 of the manager's enterprise, or of their branch, in the order in which they came."""
    principal = principal_of(request)
    enterprise_id = require_manager(principal)
    async with parts.work.reading() as connection:
        rows = await store.MEMBERS.all(
            connection,
            enterprise_id=enterprise_id,
            after_id=read_cursor(cursor, FIRST_ID),
            with_ended=with_ended,
            within=principal.site_ids,
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: row.id)
    return MemberPage(items=[to_line(row, parts.vault) for row in shown], next_cursor=more)


@post(
    "/enterprise-members",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="inviteEnterpriseMember",
)
async def invite_member(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[Invitation]
) -> Response[bytes]:
    """邀请企业人员: they get an SMS, and join by logging in with a 智桂通 account of that phone within 30 days."""
    answer = await parts.work.submit(submission, lambda tx: staff.invite_member(tx, submission.principal, data))
    return respond(answer)


@put(
    "/enterprise-members/{member_id:uuid}",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="changeEnterpriseMember",
)
async def change_member(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    member_id: FromPath[UUID],
    data: JSONBody[MemberPlace],
) -> Response[bytes]:
    """岗位或场所变更, in force at the member's next refresh."""
    answer = await parts.work.submit(
        submission, lambda tx: staff.change_member(tx, submission.principal, member_id, data)
    )
    return respond(answer)


@post(
    "/enterprise-members/{member_id:uuid}/removal",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="removeEnterpriseMember",
)
async def remove_member(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], member_id: FromPath[UUID]
) -> Response[bytes]:
    """移除企业人员, or take an invitation back."""
    answer = await parts.work.submit(submission, lambda tx: staff.remove_member(tx, submission.principal, member_id))
    return respond(answer)


membership_router = Router(
    "/",
    route_handlers=[
        log_in_by_zhiguitong,
        claim_enterprise,
        list_members,
        invite_member,
        change_member,
        remove_member,
    ],
    tags=["membership"],
)
