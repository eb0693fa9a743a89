"""检查任务: list, detail, 扫码报到, 亮证告知, 离场, 作废."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import STAFF, officer_of, permit, principal_of
from api.schemas.cursor import CursorText, DueCursor, PageLimit, cut, first_due, read_cursor
from api.schemas.inspection import (
    InspectionDetail,
    InspectionPage,
    VoidVisit,
    to_detail,
    to_line,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.inspection import door, operations, store
from domain.inspection.model import (
    AssignedOfficer,
    CheckInOrder,
    DueMark,
    IdentificationOrder,
    Inspection,
    InspectionState,
    InspectionSummary,
    Party,
)
from domain.inspection.position import Coordinates, PositionFix, to_wgs84
from domain.inspection.rules import last_day_due_soon
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.sql import Connection

_YESTERDAY = timedelta(days=1)


def _due_between(mark: DueMark | None, status: InspectionState, today: date) -> tuple[date, date]:
    """The due dates that carry `mark` today; what is closed is on time whatever its date."""
    if status is not InspectionState.PENDING:
        return (date.max, date.min) if mark in {DueMark.OVERDUE, DueMark.DUE_SOON} else (date.min, date.max)
    if mark is DueMark.OVERDUE:
        return date.min, today - _YESTERDAY
    if mark is DueMark.DUE_SOON:
        return today, last_day_due_soon(today)
    if mark is DueMark.ON_TIME:
        return last_day_due_soon(today) + _YESTERDAY, date.max
    return date.min, date.max


async def _summaries(connection: Connection, principal: Principal, page: dict[str, Any]) -> list[InspectionSummary]:
    """What the principal may list: an inspector their own, a manager the department's, a lead the region's (D8)."""
    if principal.role is Role.INSPECTOR:
        return await store.LIST_OF_OFFICER.all(connection, officer_id=principal.officer_id, **page)
    if principal.role is Role.DEPARTMENT_MANAGER:
        return await store.LIST_OF_DEPARTMENT.all(connection, department_id=principal.department_id, **page)
    # A lead without a region lists nothing: below NULL there is nothing, below '' there would be everything.
    return await store.LIST_OF_REGION.all(connection, region=principal.region, **page)


@get("/inspections", opt=permit(*STAFF), operation_id="listInspections")
async def list_inspections(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[
        InspectionState, QueryParameter(name="state", description="待反馈, 已反馈 or 已取消")
    ] = InspectionState.PENDING,
    due: Annotated[DueMark | None, QueryParameter(description="Only those with this 超期预警状态")] = None,
    scene: Annotated[str | None, QueryParameter(description="Scene code S01 to S35", max_length=10)] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> InspectionPage:
    """检查任务 of the caller, by due date (MOB-07, MOB-08)."""
    principal = principal_of(request)
    today = local_date(parts.clock())
    due_from, due_to = _due_between(due, status, today)
    start = max(read_cursor(cursor, first_due()), first_due(due_from))
    page: dict[str, Any] = {
        "state": status,
        "due_to": due_to,
        "scene": scene,
        "after_due_on": start.due_on,
        "after_id": start.id,
        "limit": limit + 1,
    }
    async with parts.work.reading() as connection:
        rows = await _summaries(connection, principal, page)
    shown, more = cut(rows, limit, lambda row: DueCursor(row.due_on, row.id))
    return InspectionPage(items=[to_line(row, today) for row in shown], next_cursor=more)


def _may_read(
    principal: Principal, inspection: Inspection, parties: list[Party], officers: list[AssignedOfficer]
) -> bool:
    if principal.role is Role.INSPECTOR:
        return any(officer.id == principal.officer_id for officer in officers)
    if principal.role is Role.DEPARTMENT_MANAGER:
        return any(party.department_id == principal.department_id for party in parties)
    return within_region(principal, inspection.region)


@get("/inspections/{inspection_id:uuid}", opt=permit(*STAFF), operation_id="readInspection")
async def read_inspection(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], inspection_id: FromPath[UUID]
) -> InspectionDetail:
    """One 检查任务 with approval and 检查通知书 (MOB-09)."""
    async with parts.work.reading() as connection:
        inspection = await store.INSPECTION_BY_ID.first(connection, inspection_id=inspection_id)
        if inspection is None:
            raise NotFound("没有该检查任务。")
        parties = await store.PARTIES.all(connection, inspection_id=inspection_id)
        officers = await store.ASSIGNED_OFFICERS.all(connection, inspection_id=inspection_id, as_of=parts.clock())
        if not _may_read(principal_of(request), inspection, parties, officers):
            raise NotFound("没有该检查任务。")
        check_ins = await store.CHECK_INS.all(connection, inspection_id=inspection_id)
    return to_detail(inspection, parties, officers, check_ins, local_date(parts.clock()))


def _located(submission: Submission, fix: PositionFix | None) -> Submission:
    """With the place that the phone claims, in WGS-84, which belongs in the trace too."""
    if fix is None:
        return submission
    point = to_wgs84(Coordinates(fix.longitude, fix.latitude), fix.datum)
    where = msgspec.structs.replace(submission.circumstances, longitude=point.longitude, latitude=point.latitude)
    return msgspec.structs.replace(submission, circumstances=where)


@post(
    "/inspections/{inspection_id:uuid}/check-ins",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="checkIn",
)
async def check_in(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[CheckInOrder],
) -> Response[bytes]:
    """扫码报到 (ONE-01, MOB-10)."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(
        _located(submission, data.position),
        lambda tx: operations.check_in(tx, officer_id, inspection_id, data, parts.code_keys, parts.badge_keys),
    )
    return respond(answer)


@post(
    "/inspections/{inspection_id:uuid}/identifications",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="recordIdentification",
)
async def record_identification(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[IdentificationOrder],
) -> Response[bytes]:
    """亮证告知: acknowledged, or refused with the reason."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(
        submission, lambda tx: door.record_identification(tx, officer_id, inspection_id, data)
    )
    return respond(answer)


@post(
    "/inspections/{inspection_id:uuid}/departures",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="depart",
)
async def depart(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], inspection_id: FromPath[UUID]
) -> Response[bytes]:
    """离场 of the caller's department."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(submission, lambda tx: operations.depart(tx, officer_id, inspection_id))
    return respond(answer)


@post(
    "/inspections/{inspection_id:uuid}/voids",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="voidVisit",
)
async def void_visit(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[VoidVisit],
) -> Response[bytes]:
    """作废 the open visit: the wrong site was taken."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(
        submission, lambda tx: operations.void_visit(tx, officer_id, inspection_id, data.reason)
    )
    return respond(answer)


inspection_router = Router(
    "/",
    route_handlers=[list_inspections, read_inspection, check_in, record_identification, depart, void_visit],
    tags=["inspection"],
)
