"""送达 of an order or a notice, and the consents that electronic service rests on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_201_CREATED

from api.auth import enterprise_manager_of, officer_of, permit, principal_of
from api.routes.rectification import act_on_order
from api.schemas.rectification import ConsentCard, to_consent_card
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.identity.model import Principal, Role
from domain.membership.rules import acts_for_whole_enterprise
from domain.rectification import serving
from domain.rectification.acts import GiveConsent, RecordService
from domain.rectification.service_store import CONSENT_IN_FORCE
from domain.shared.errors import Forbidden, NotFound


def _require_own(principal: Principal, enterprise_id: UUID) -> None:
    """Raises `NotFound` for another enterprise."""
    if principal.enterprise_id != enterprise_id:
        raise NotFound("没有该监管对象。")


def _require_consenting(principal: Principal, enterprise_id: UUID) -> None:
    """A consent binds the whole enterprise: raises `NotFound`, or `Forbidden` for a clerk and a branch's manager."""
    _require_own(principal, enterprise_id)
    enterprise_manager_of(principal)
    if not acts_for_whole_enterprise(principal):
        raise Forbidden("送达地址确认书由管理全部场所的企业管理员签署或撤回。")


@post(
    "/rectification-orders/{order_id:uuid}/services",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR, Role.DEPARTMENT_MANAGER),
    operation_id="recordService",
)
async def record_service(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    order_id: FromPath[UUID],
    data: JSONBody[RecordService],
) -> Response[bytes]:
    """送达: 直接, 留置, 邮寄, 委托, 公告, or 电子 with consent on file."""
    by = submission.principal
    return await act_on_order(
        parts,
        submission,
        order_id,
        lambda tx: serving.record_service(tx, by.department_id, by.account_id, order_id, data),
    )


@post(
    "/inspections/{inspection_id:uuid}/notice-services",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR, Role.DEPARTMENT_MANAGER),
    operation_id="recordNoticeService",
)
async def record_notice_service(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[RecordService],
) -> Response[bytes]:
    """检查通知书送达 before the visit: it is announced then, and the enterprise is told so at its door."""
    by = submission.principal
    answer = await parts.work.submit(submission, lambda tx: serving.record_notice_service(tx, by, inspection_id, data))
    return respond(answer)


@post(
    "/enterprises/{enterprise_id:uuid}/service-consents",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE, Role.INSPECTOR),
    operation_id="giveServiceConsent",
)
async def give_service_consent(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    enterprise_id: FromPath[UUID],
    data: JSONBody[GiveConsent],
) -> Response[bytes]:
    """送达地址确认书: by the enterprise itself, or by an inspector who hands in the signed paper."""
    by = submission.principal
    officer_id = None
    if by.role is Role.ENTERPRISE:
        _require_consenting(by, enterprise_id)
    else:
        officer_id = officer_of(by)
    answer = await parts.work.submit(
        submission, lambda tx: serving.give_consent(tx, by.account_id, enterprise_id, data, officer_id)
    )
    return respond(answer)


@post(
    "/enterprises/{enterprise_id:uuid}/service-consents/withdrawal",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="withdrawServiceConsent",
)
async def withdraw_service_consent(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], enterprise_id: FromPath[UUID]
) -> Response[bytes]:
    """撤回送达地址确认: what was served before stays served."""
    _require_consenting(submission.principal, enterprise_id)
    return respond(await parts.work.submit(submission, lambda tx: serving.withdraw_consent(tx, enterprise_id)))


@get(
    "/enterprises/{enterprise_id:uuid}/service-consents",
    opt=permit(Role.ENTERPRISE),
    operation_id="readServiceConsent",
)
async def read_service_consent(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], enterprise_id: FromPath[UUID]
) -> ConsentCard:
    """送达地址确认书 in force, addresses masked."""
    _require_own(principal_of(request), enterprise_id)
    async with parts.work.reading() as connection:
        consent = await CONSENT_IN_FORCE.first(connection, enterprise_id=enterprise_id)
    return to_consent_card(enterprise_id, consent, parts.vault)


service_router = Router(
    "/",
    route_handlers=[
        record_service,
        record_notice_service,
        give_service_consent,
        withdraw_service_consent,
        read_service_consent,
    ],
    tags=["rectification"],
)
