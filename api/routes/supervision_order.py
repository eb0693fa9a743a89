"""督办单 (D4, POST-03): list, detail, 督办反馈, and what the superior makes of it."""

from __future__ import annotations

import enum
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit, principal_of
from api.schemas.cursor import CursorText, DueCursor, PageLimit, cut, first_due, read_cursor
from api.schemas.deadline import SupervisionDetail, SupervisionPage, to_supervision, to_supervision_detail
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.deadline import supervising, supervision_store
from domain.deadline.model import SupervisionFeedback, SupervisionJudgement, SupervisionLine, SupervisionState
from domain.deadline.rules import may_see_order
from domain.identity.model import Principal, Role
from domain.shared.clock import local_date
from domain.shared.errors import Forbidden, NotFound
from domain.shared.sql import Connection

_READERS = (Role.INSPECTOR, Role.DEPARTMENT_MANAGER, Role.LEAD)


class SupervisionBox(enum.StrEnum):
    """Which: those to answer, those that the own department issued, or, for a lead, all of the region."""

    RECEIVED = "received"
    ISSUED = "issued"
    REGION = "region"


async def _lines(
    connection: Connection, principal: Principal, box: SupervisionBox, page: dict[str, Any]
) -> list[SupervisionLine]:
    """Raises `Forbidden` for a box that the caller's role has not."""
    department = {"department_id": principal.department_id}
    if principal.role is Role.INSPECTOR:
        if box is not SupervisionBox.RECEIVED:
            raise Forbidden("执法人员只能查看待本人反馈的督办单。")
        return await supervision_store.RECEIVED_BY_OFFICER.all(connection, officers=[principal.officer_id], **page)
    if box is SupervisionBox.RECEIVED:
        return await supervision_store.RECEIVED_BY_DEPARTMENT.all(connection, **department, **page)
    if box is SupervisionBox.ISSUED:
        return await supervision_store.ISSUED_BY_DEPARTMENT.all(connection, **department, **page)
    if principal.role is not Role.LEAD:
        raise Forbidden("辖区督办单由领导查看。")
    return await supervision_store.OF_REGION.all(connection, region=principal.region, **page)


@get("/supervision-orders", opt=permit(*_READERS), operation_id="listSupervisionOrders")
async def list_supervision_orders(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    box: Annotated[SupervisionBox, QueryParameter(description="待反馈, 本部门发出, or 辖区")] = SupervisionBox.RECEIVED,
    status: Annotated[SupervisionState | None, QueryParameter(name="state")] = None,
    is_open: Annotated[bool, QueryParameter(name="open", description="false: those that are over")] = True,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> SupervisionPage:
    """督办单 of the caller, by the day on which each is to be answered."""
    start = read_cursor(cursor, first_due())
    page = {
        "is_open": is_open if status is None else not status.is_over,
        "state": status,
        "after_due_on": start.due_on,
        "after_id": start.id,
        "limit": limit + 1,
    }
    async with parts.work.reading() as connection:
        rows = await _lines(connection, principal_of(request), box, page)
    shown, more = cut(rows, limit, lambda row: DueCursor(row.due_on, row.id))
    today = local_date(parts.clock())
    return SupervisionPage(items=[to_supervision(row, today) for row in shown], next_cursor=more)


@get("/supervision-orders/{order_id:uuid}", opt=permit(*_READERS), operation_id="readSupervisionOrder")
async def read_supervision_order(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], order_id: FromPath[UUID]
) -> SupervisionDetail:
    """One 督办单 with its course."""
    async with parts.work.reading() as connection:
        order = await supervision_store.SUPERVISION_BY_ID.first(connection, order_id=order_id)
        if order is None or not may_see_order(principal_of(request), order):
            raise NotFound("没有该督办单。")
        line = await supervision_store.SUPERVISION_LINE.one(connection, order_id=order_id)
        course = await supervision_store.STEPS_OF_ORDER.all(connection, order_id=order_id)
    return to_supervision_detail(line, order, course, parts.vault, local_date(parts.clock()))


@post(
    "/supervision-orders/{order_id:uuid}/answers",
    status_code=HTTP_201_CREATED,
    opt=permit(*_READERS),
    operation_id="answerSupervisionOrder",
)
async def answer(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    order_id: FromPath[UUID],
    data: JSONBody[SupervisionFeedback],
) -> Response[bytes]:
    """督办反馈 by the officers to whom it went, or by the department's leads and managers."""
    done = await parts.work.submit(
        submission, lambda tx: supervising.answer_order(tx, submission.principal, order_id, data)
    )
    return respond(done)


@post(
    "/supervision-orders/{order_id:uuid}/judgements",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.LEAD),
    operation_id="judgeSupervisionAnswer",
)
async def judge(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    order_id: FromPath[UUID],
    data: JSONBody[SupervisionJudgement],
) -> Response[bytes]:
    """The superior accepts the answer, which ends the order, or returns it with a reason."""
    done = await parts.work.submit(
        submission, lambda tx: supervising.judge_answer(tx, submission.principal, order_id, data)
    )
    return respond(done)


supervision_order_router = Router(
    "/",
    route_handlers=[list_supervision_orders, read_supervision_order, answer, judge],
    tags=["supervision"],
)
