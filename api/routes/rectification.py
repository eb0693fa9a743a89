"""责令改正: draft, issue, list, read, the paper itself, revoke; feedback, more time, 整改复查."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import STAFF, officer_of, permit, principal_of
from api.notice_evidence import messages_about
from api.order_messages import OrderMessagePreview, preview_message, send_again
from api.routes.document import pdf_of
from api.schemas.cursor import CursorText, DueCursor, PageLimit, cut, first_due, read_cursor
from api.schemas.rectification import (
    OrderDetail,
    OrderPage,
    RevokeOrder,
    to_detail,
    to_line,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.document.operations import find_document
from domain.identity.model import Principal, Role
from domain.rectification import answering, operations, re_inspecting, store
from domain.rectification.acts import (
    DecideExtension,
    GiveFeedback,
    IssueOrder,
    ReInspect,
    RequestExtension,
    TellAgain,
)
from domain.rectification.drafting import OrderDraft, draft_order
from domain.rectification.model import ConsentMeans, OrderState, OrderSummary
from domain.rectification.reading import find_order, read_case
from domain.shared.clock import local_date
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

READERS = (*sorted(STAFF), Role.ENTERPRISE)


async def act_on_order(
    parts: Parts, submission: Submission, order_id: UUID, act: Callable[[Transaction], Awaitable[Outcome[Any]]]
) -> Response[bytes]:
    """Carry out `act` for who may see the order. Raises `NotFound` for anybody else."""

    async def operation(tx: Transaction) -> Outcome[Any]:
        await find_order(tx.connection, submission.principal, order_id)
        return await act(tx)

    return respond(await parts.work.submit(submission, operation))


@get(
    "/inspections/{inspection_id:uuid}/rectification-orders/draft",
    opt=permit(Role.INSPECTOR),
    operation_id="draftRectificationOrder",
)
async def draft_rectification_order(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    inspection_id: FromPath[UUID],
    template_id: Annotated[UUID | None, QueryParameter(description="Another published template")] = None,
) -> OrderDraft:
    """What may be ordered, and the template's fields with their values put in (MOB-12)."""
    officer_id = officer_of(principal_of(request))
    async with parts.work.reading() as connection:
        return await draft_order(connection, officer_id, inspection_id, parts.clock(), template_id)


@post(
    "/inspections/{inspection_id:uuid}/rectification-orders",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="issueRectificationOrder",
)
async def issue_rectification_order(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[IssueOrder],
) -> Response[bytes]:
    """责令改正通知书 of the caller's department (MOB-12)."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(
        submission, lambda tx: operations.issue_rectification_order(tx, officer_id, inspection_id, data)
    )
    return respond(answer)


async def _summaries(connection: Connection, principal: Principal, page: dict[str, Any]) -> list[OrderSummary]:
    """Of an inspector's own inspections, a manager's department, a lead's region, or an enterprise itself."""
    match principal.role:
        case Role.INSPECTOR:
            return await store.LIST_OF_OFFICER.all(connection, officer_id=principal.officer_id, **page)
        case Role.DEPARTMENT_MANAGER:
            return await store.LIST_OF_DEPARTMENT.all(connection, department_id=principal.department_id, **page)
        case Role.ENTERPRISE:
            own: dict[str, Any] = {"enterprise_id": principal.enterprise_id, "site_ids": principal.site_ids}
            return await store.LIST_OF_ENTERPRISE.all(connection, **own, **page)
        case _:
            return await store.LIST_OF_REGION.all(connection, region=principal.region, **page)


@get("/rectification-orders", opt=permit(*READERS), operation_id="listRectificationOrders")
async def list_rectification_orders(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[
        OrderState | None, QueryParameter(name="state", description="Without it: 待整改 and 已反馈")
    ] = None,
    due_before: Annotated[date | None, QueryParameter(description="Due on this day or earlier")] = None,
    site_id: Annotated[UUID | None, QueryParameter(description="Of one site")] = None,
    inspection_id: Annotated[UUID | None, QueryParameter(description="Of one inspection")] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> OrderPage:
    """责令改正 that the caller may see, by due date (POST-01, MOB-08, MOB-15, ENT-03)."""
    start = read_cursor(cursor, first_due())
    states = [each.value for each in OrderState if each.is_open] if status is None else [status.value]
    page: dict[str, Any] = {
        "states": states,
        "due_to": due_before or date.max,
        "of_site": site_id,
        "of_inspection": inspection_id,
        "after_due_on": start.due_on,
        "after_id": start.id,
        "limit": limit + 1,
    }
    async with parts.work.reading() as connection:
        rows = await _summaries(connection, principal_of(request), page)
    today = local_date(parts.clock())
    shown, more = cut(rows, limit, lambda row: DueCursor(row.due_on, row.id))
    return OrderPage(items=[to_line(row, today) for row in shown], next_cursor=more)


@get("/rectification-orders/{order_id:uuid}", opt=permit(*READERS), operation_id="readRectificationOrder")
async def read_rectification_order(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], order_id: FromPath[UUID]
) -> OrderDetail:
    """责令改正 whole: items, 文号, service, messages, feedback, extension, re-inspections, transfer (ENT-09)."""
    async with parts.work.reading() as connection:
        await find_order(connection, principal_of(request), order_id)
        case = await read_case(connection, order_id)
        messages = await messages_about(connection, order_id)
    return to_detail(case, messages, parts.vault, local_date(parts.clock()))


@get(
    "/rectification-orders/{order_id:uuid}/notice.pdf",
    opt=permit(*READERS),
    operation_id="readRectificationNotice",
    media_type="application/pdf",
)
async def read_rectification_notice(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], order_id: FromPath[UUID]
) -> Response[bytes]:
    """责令改正通知书 as PDF; 409 `paper-not-ready` while the worker has it under hand."""
    async with parts.work.reading() as connection:
        order = await find_order(connection, principal_of(request), order_id)
        document = await find_document(connection, order.document_id)
    return await pdf_of(request, parts, document)


@post(
    "/rectification-orders/{order_id:uuid}/revocation",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="revokeRectificationOrder",
)
async def revoke_rectification_order(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    order_id: FromPath[UUID],
    data: JSONBody[RevokeOrder],
) -> Response[bytes]:
    """撤销: the paper with it; the number stays."""
    department_id = submission.principal.department_id
    return await act_on_order(
        parts, submission, order_id, lambda tx: operations.revoke_order(tx, department_id, order_id, data.reason)
    )


@post(
    "/rectification-orders/{order_id:uuid}/feedback",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="giveRectificationFeedback",
)
async def give_rectification_feedback(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    order_id: FromPath[UUID],
    data: JSONBody[GiveFeedback],
) -> Response[bytes]:
    """整改反馈 of the enterprise, item by item with photos (ENT-03)."""
    by = submission.principal
    return await act_on_order(
        parts,
        submission,
        order_id,
        lambda tx: answering.give_feedback(tx, by, order_id, data),
    )


@post(
    "/rectification-orders/{order_id:uuid}/extension",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="requestRectificationExtension",
)
async def request_rectification_extension(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    order_id: FromPath[UUID],
    data: JSONBody[RequestExtension],
) -> Response[bytes]:
    """延期整改申请, once in the life of an order (D7)."""
    by = submission.principal
    return await act_on_order(
        parts,
        submission,
        order_id,
        lambda tx: answering.request_extension(tx, by, order_id, data),
    )


@post(
    "/rectification-orders/{order_id:uuid}/extension/decision",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="decideRectificationExtension",
)
async def decide_rectification_extension(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    order_id: FromPath[UUID],
    data: JSONBody[DecideExtension],
) -> Response[bytes]:
    """延期整改审批 by a manager of the department."""
    by = submission.principal
    return await act_on_order(
        parts,
        submission,
        order_id,
        lambda tx: answering.decide_extension(tx, by.department_id, by.account_id, order_id, data),
    )


@post(
    "/rectification-orders/{order_id:uuid}/re-inspections",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="reInspect",
)
async def re_inspect(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    order_id: FromPath[UUID],
    data: JSONBody[ReInspect],
) -> Response[bytes]:
    """整改复查 by two certified officers of the department (POST-01, MOB-16, MOB-17)."""
    officer_id = officer_of(submission.principal)
    return await act_on_order(
        parts, submission, order_id, lambda tx: re_inspecting.re_inspect(tx, officer_id, order_id, data)
    )


@get(
    "/rectification-orders/{order_id:uuid}/messages/preview",
    opt=permit(Role.INSPECTOR, Role.DEPARTMENT_MANAGER),
    operation_id="previewRectificationMessage",
)
async def preview_rectification_message(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    order_id: FromPath[UUID],
    means: FromQuery[ConsentMeans] = ConsentMeans.SMS,
) -> OrderMessagePreview:
    """文书发放预览: the words, what they cost, and to which masked address they would go (MOB-12)."""
    async with parts.work.reading() as connection:
        return await preview_message(parts, connection, principal_of(request), order_id, means)


@post(
    "/rectification-orders/{order_id:uuid}/messages",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR, Role.DEPARTMENT_MANAGER),
    operation_id="sendRectificationMessage",
)
async def send_rectification_message(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    order_id: FromPath[UUID],
    data: JSONBody[TellAgain],
) -> Response[bytes]:
    """再次告知 by SMS or mail: under consent it may serve, else it reminds; three a day by each way (MOB-12)."""
    answer = await parts.work.submit(submission, lambda tx: send_again(tx, submission.principal, order_id, data.means))
    return respond(answer)


rectification_router = Router(
    "/",
    route_handlers=[
        draft_rectification_order,
        issue_rectification_order,
        list_rectification_orders,
        read_rectification_order,
        read_rectification_notice,
        revoke_rectification_order,
        give_rectification_feedback,
        request_rectification_extension,
        decide_rectification_extension,
        re_inspect,
        preview_rectification_message,
        send_rectification_message,
    ],
    tags=["rectification"],
)
