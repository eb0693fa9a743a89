"""期限 with their warnings (D4, D13, POST-03), 在线督办, and the working calendar."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit, principal_of
from api.schemas.cursor import CursorText, DueCursor, PageLimit, cut, first_due, read_cursor
from api.schemas.deadline import CalendarYear, DeadlineDetail, DeadlinePage, to_deadline, to_deadline_detail
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from api.working_calendar import refresh_calendar, year_of
from domain.deadline import calendar, store, supervising, supervision_store
from domain.deadline.model import CalendarOrder, DeadlineKind, DeadlineLine, UrgeOrder
from domain.deadline.rules import may_see
from domain.identity.model import Principal, Role
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.sql import Connection

_READERS = (Role.INSPECTOR, Role.DEPARTMENT_MANAGER, Role.LEAD)
_YESTERDAY = timedelta(days=-1)


async def _lines(connection: Connection, principal: Principal, page: dict[str, Any]) -> list[DeadlineLine]:
    """An inspector lists what they have to do, a manager the department's, a lead the region's (D8)."""
    if principal.role is Role.INSPECTOR:
        return await store.LIST_OF_OFFICER.all(connection, officers=[principal.officer_id], **page)
    if principal.role is Role.DEPARTMENT_MANAGER:
        return await store.LIST_OF_DEPARTMENT.all(connection, department_id=principal.department_id, **page)
    return await store.LIST_OF_REGION.all(connection, region=principal.region, **page)


@get("/deadlines", opt=permit(*_READERS), operation_id="listDeadlines")
async def list_deadlines(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    kind: Annotated[DeadlineKind | None, QueryParameter(description="期限种类")] = None,
    level: Annotated[
        int | None, QueryParameter(ge=1, le=4, description="At least so grave: 4 蓝, 3 黄, 2 橙, 1 红 (D13)")
    ] = None,
    overdue: Annotated[bool, QueryParameter(description="已超期 only")] = False,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> DeadlinePage:
    """Open deadlines of the caller's scope, the earliest first."""
    today = local_date(parts.clock())
    start = read_cursor(cursor, first_due())
    page = {
        "kind": kind,
        "level": level,
        "due_to": today + _YESTERDAY if overdue else date.max,
        "after_due_on": start.due_on,
        "after_id": start.id,
        "limit": limit + 1,
    }
    async with parts.work.reading() as connection:
        rows = await _lines(connection, principal_of(request), page)
    shown, more = cut(rows, limit, lambda row: DueCursor(row.due_on, row.id))
    return DeadlinePage(items=[to_deadline(row, today) for row in shown], next_cursor=more)


@get("/deadlines/{deadline_id:uuid}", opt=permit(*_READERS), operation_id="readDeadline")
async def read_deadline(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], deadline_id: FromPath[UUID]
) -> DeadlineDetail:
    """One deadline with the stages that have come and its supervision orders."""
    async with parts.work.reading() as connection:
        line = await store.LINE_BY_ID.first(connection, deadline_id=deadline_id)
        if line is None or not may_see(principal_of(request), line):
            raise NotFound("没有该期限事项。")
        stages = await store.STAGES_OF.all(connection, deadlines=[deadline_id])
        orders = await supervision_store.LINES_OF_DEADLINE.all(connection, deadline_id=deadline_id)
    return to_deadline_detail(line, stages, orders, local_date(parts.clock()))


@post(
    "/deadlines/{deadline_id:uuid}/supervision-orders",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.LEAD),
    operation_id="issueSupervisionOrder",
)
async def urge(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    deadline_id: FromPath[UUID],
    data: JSONBody[UrgeOrder],
) -> Response[bytes]:
    """在线督办 (POST-03): a lead urges an open matter of their scope, whatever its stage."""
    answer = await parts.work.submit(
        submission, lambda tx: supervising.urge(tx, submission.principal, deadline_id, data)
    )
    return respond(answer)


# ---- the calendar


@get("/working-calendar/{year:int}", opt=permit(*_READERS, Role.ADMINISTRATOR), operation_id="readWorkingCalendar")
async def read_working_calendar(
    parts: NamedDependency[Parts],
    year: FromPath[int],
) -> CalendarYear:
    """工作日历 of a year, as terms are counted by it."""
    async with parts.work.reading() as connection:
        return await year_of(connection, year)


@post(
    "/working-calendar/days",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ADMINISTRATOR),
    operation_id="changeWorkingCalendar",
)
async def change_working_calendar(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[CalendarOrder]
) -> Response[bytes]:
    """日历调整: days that are worked or free whatever the library's notices say. It counts at once, everywhere."""
    answer = await parts.work.submit(submission, lambda tx: calendar.lay_days(tx, data.days))
    await refresh_calendar(parts.pool)
    return respond(answer)


deadline_router = Router(
    "/",
    route_handlers=[list_deadlines, read_deadline, urge, read_working_calendar, change_working_calendar],
    tags=["deadline"],
)
