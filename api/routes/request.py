"""诉求上报: submitted by the enterprise, handled by the department, read by both."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.attachment_files import answer_attachment
from api.auth import permit, principal_of
from api.schemas.cursor import LAST_ID, CursorText, DueCursor, PageLimit, cut, first_due, read_cursor
from api.schemas.evidence import ShownSize
from api.schemas.request import (
    RequestDetail,
    RequestPage,
    to_detail,
    to_line,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.evidence.attachments import list_attachments
from domain.evidence.model import Shown
from domain.identity.model import Principal, Role
from domain.request import operations, rules, store
from domain.request.model import (
    EnterpriseRequest,
    NewRequest,
    RequestCategory,
    RequestState,
    RequestSummary,
    StepOrder,
    Urgency,
)
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.sql import Connection

_OFFICE = (Role.DEPARTMENT_MANAGER, Role.LEAD)
_READERS = (*_OFFICE, Role.ENTERPRISE)
_ONE_DAY = timedelta(days=1)


@post(
    "/enterprise-requests",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="submitRequest",
)
async def submit_request(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[NewRequest]
) -> Response[bytes]:
    """诉求上报 (PUB-16, ENT-04), with files that were handed in before."""
    answer = await parts.work.submit(submission, lambda tx: operations.submit_request(tx, submission.principal, data))
    return respond(answer)


@post(
    "/enterprise-requests/{request_id:uuid}/steps",
    status_code=HTTP_201_CREATED,
    opt=permit(*_READERS),
    operation_id="takeRequestStep",
)
async def take_step(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    request_id: FromPath[UUID],
    data: JSONBody[StepOrder],
) -> Response[bytes]:
    """One step: 受理, 答复, 退回补充, 转办 or 办结 by the department; 补充, 确认办结 or 撤回 by the enterprise."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.take_step(tx, submission.principal, request_id, data)
    )
    return respond(answer)


@get("/enterprise-requests", opt=permit(*_OFFICE), operation_id="listRequests")
async def list_requests(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[
        RequestState, QueryParameter(name="state", description="已提交, 已受理, 已答复, 已办结, 退回补充 or 已撤回")
    ] = RequestState.SUBMITTED,
    category: Annotated[RequestCategory | None, QueryParameter(description="诉求类别")] = None,
    urgency: Annotated[Urgency | None, QueryParameter(description="紧急程度")] = None,
    overdue: Annotated[bool, QueryParameter(description="Only those whose answer is overdue today")] = False,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> RequestPage:
    """诉求 of the caller's department, or of a lead's region, by the day on which an answer is due."""
    principal = principal_of(request)
    today = local_date(parts.clock())
    start = read_cursor(cursor, first_due())
    page: dict[str, Any] = {
        "state": status,
        "due_to": _latest(status, today) if overdue else date.max,
        "category": category,
        "urgency": urgency,
        "after_due_on": start.due_on,
        "after_id": start.id,
        "limit": limit + 1,
    }
    async with parts.work.reading() as connection:
        rows = await _of_office(connection, principal, page)
    shown, more = cut(rows, limit, lambda row: DueCursor(row.due_on, row.id))
    return RequestPage(items=[to_line(row, today) for row in shown], next_cursor=more)


def _latest(status: RequestState, today: date) -> date:
    """The latest due date that is overdue today; what does not wait for the department never is."""
    return today - _ONE_DAY if status in rules.OPEN else date.min


async def _of_office(connection: Connection, principal: Principal, page: dict[str, Any]) -> list[RequestSummary]:
    if principal.role is Role.DEPARTMENT_MANAGER:
        return await store.LIST_OF_DEPARTMENT.all(connection, department_id=principal.department_id, **page)
    return await store.LIST_OF_REGION.all(connection, region=principal.region, **page)


@get("/enterprise-requests/own", opt=permit(Role.ENTERPRISE), operation_id="listOwnRequests")
async def list_own_requests(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[RequestState | None, QueryParameter(name="state", description="Only those that stand so")] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> RequestPage:
    """诉求 of the caller's enterprise, the newest first."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        rows = await store.LIST_OF_ENTERPRISE.all(
            connection,
            enterprise_id=principal.enterprise_id,
            site_ids=principal.site_ids,
            state=status,
            before_id=read_cursor(cursor, LAST_ID),
            limit=limit + 1,
        )
    today = local_date(parts.clock())
    shown, more = cut(rows, limit, lambda row: row.id)
    return RequestPage(items=[to_line(row, today) for row in shown], next_cursor=more)


@get("/enterprise-requests/{request_id:uuid}", opt=permit(*_READERS), operation_id="readRequest")
async def read_request(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], request_id: FromPath[UUID]
) -> RequestDetail:
    """One 诉求 with its 办理经过 and files."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        found = await _readable(connection, principal, request_id)
        summary = await store.SUMMARY_BY_ID.one(connection, request_id=request_id)
        steps = await store.STEPS_OF_REQUEST.all(connection, request_id=request_id)
        attachments = await list_attachments(connection, request_id)
    in_full = rules.knows_contact(principal, found)
    return to_detail(summary, found, steps, attachments, parts.vault, local_date(parts.clock()), in_full=in_full)


@get(
    "/enterprise-requests/{request_id:uuid}/attachments/{digest:str}",
    opt=permit(*_READERS),
    operation_id="readRequestAttachment",
)
async def read_attachment(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    request_id: FromPath[UUID],
    digest: FromPath[str],
    shown: ShownSize = Shown.LARGE,
) -> Response[Any]:
    """One file of a 诉求, as a copy without metadata."""
    async with parts.work.reading() as connection:
        await _readable(connection, principal_of(request), request_id)
    return await answer_attachment(request, parts, request_id, digest, shown)


async def _readable(connection: Connection, principal: Principal, request_id: UUID) -> EnterpriseRequest:
    """The request, if the caller may see it. Raises `NotFound`."""
    found = await store.REQUEST_BY_ID.first(connection, request_id=request_id)
    if found is None or not rules.may_see(principal, found):
        raise NotFound("没有该诉求。")
    return found


request_router = Router(
    "/",
    route_handlers=[submit_request, take_step, list_requests, list_own_requests, read_request, read_attachment],
    tags=["request"],
)
