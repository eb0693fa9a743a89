"""企业信息维护: what the register says is read-only, the rest is the enterprise's own word (ENT-02)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit, principal_of
from api.schemas.profile import EnterpriseProfile, to_profile
from api.submissions import IfMatch, read_version, respond
from api.wiring import Parts
from api.work import Submission
from domain.enterprise.profile import operations, store
from domain.enterprise.profile.model import EnterpriseWords, SiteWords
from domain.identity.model import Principal, Role
from domain.membership.rules import may_act_for_site
from domain.shared.errors import Forbidden, NotFound


def _require_own(principal: Principal, enterprise_id: UUID) -> None:
    """Raises `NotFound` for another enterprise."""
    if principal.enterprise_id != enterprise_id:
        raise NotFound("没有该监管对象。")


@get("/enterprises/{enterprise_id:uuid}/profile", opt=permit(Role.ENTERPRISE), operation_id="readEnterpriseProfile")
async def read_profile(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], enterprise_id: FromPath[UUID]
) -> EnterpriseProfile:
    """企业信息: 登记信息 (read-only), 许可, and what the enterprise says of itself and of its sites."""
    principal = principal_of(request)
    _require_own(principal, enterprise_id)
    async with parts.work.reading() as connection:
        registered = await store.REGISTERED.first(connection, enterprise_id=enterprise_id)
        if registered is None:
            raise NotFound("没有该监管对象。")
        licences = await store.LICENCES.all(connection, enterprise_id=enterprise_id)
        stored = await store.PROFILE.first(connection, enterprise_id=enterprise_id)
        sites = await store.SITES.all(connection, enterprise_id=enterprise_id)
    own = [each for each in sites if may_act_for_site(principal, each.id)]
    return to_profile(registered, licences, stored, own, parts.vault)


@put(
    "/enterprises/{enterprise_id:uuid}/profile",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="putEnterpriseProfile",
)
async def put_profile(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    enterprise_id: FromPath[UUID],
    data: JSONBody[EnterpriseWords],
    if_match: IfMatch = None,
) -> Response[bytes]:
    """企业信息维护 over the version named by If-Match; 412 with the version that stands by now."""
    by = submission.principal
    _require_own(by, enterprise_id)
    if by.site_ids is not None:
        raise Forbidden("企业信息由负责全部场所的人员维护。")
    version = read_version(if_match)
    answer = await parts.work.submit(
        submission, lambda tx: operations.change_profile(tx, by.account_id, enterprise_id, data, version)
    )
    return respond(answer)


@put(
    "/sites/{site_id:uuid}/profile",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="putSiteProfile",
)
async def put_site_profile(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    site_id: FromPath[UUID],
    data: JSONBody[SiteWords],
    if_match: IfMatch = None,
) -> Response[bytes]:
    """场所信息维护: opening hours, contact, and the business phone, public only where the enterprise says so."""
    by = submission.principal
    if not may_act_for_site(by, site_id):
        raise NotFound("没有该经营场所。")
    version = read_version(if_match)
    answer = await parts.work.submit(
        submission,
        lambda tx: operations.change_site_profile(tx, by.account_id, by.enterprise_id, site_id, data, version),
    )
    return respond(answer)


profile_router = Router("/", route_handlers=[read_profile, put_profile, put_site_profile], tags=["enterprise"])
