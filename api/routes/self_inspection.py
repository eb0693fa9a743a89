"""企业自查 (ENT-05, ENT-06): begin, answer item by item, submit or discard, records, and the quarter's schedule."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.attachment_files import answer_attachment
from api.auth import permit, principal_of
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.evidence import ShownSize
from api.schemas.self_inspection import (
    SelfInspectionDetail,
    SelfInspectionPage,
    SelfInspectionSchedule,
)
from api.submissions import IfMatch, read_version, respond
from api.wiring import Parts
from api.work import Submission
from domain.evidence.model import Shown
from domain.identity.model import Principal, Role
from domain.membership.rules import acts_for
from domain.self_inspection import operations, rules, store
from domain.self_inspection.model import (
    HazardFilter,
    SelfAnswerOrder,
    SelfInspection,
    SelfInspectionState,
    StartOrder,
)
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.sql import Connection

_OWN = permit(Role.ENTERPRISE)
_PRIVATE = {"Cache-Control": "private, no-store"}
_HAS_HAZARD = {HazardFilter.ALL: None, HazardFilter.WITH: True, HazardFilter.WITHOUT: False}


async def _find_own(connection: Connection, principal: Principal, self_inspection_id: UUID) -> SelfInspection:
    found = await store.SELF_INSPECTION_BY_ID.first(connection, self_inspection_id=self_inspection_id)
    if found is None or not acts_for(principal, found.enterprise_id, found.site_id):
        raise NotFound("没有该自查记录。")
    return found


@post("/self-inspections", status_code=HTTP_201_CREATED, opt=_OWN, operation_id="startSelfInspection")
async def start(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[StartOrder]
) -> Response[bytes]:
    """开始自查 of a site by one of its 业态; one unfinished at a time."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.start_self_inspection(tx, submission.principal, data)
    )
    return respond(answer)


@get("/self-inspections", opt=_OWN, operation_id="listSelfInspections")
async def list_records(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    hazard: Annotated[HazardFilter, QueryParameter(description="所有, 有隐患 or 无隐患")] = HazardFilter.ALL,
    status: Annotated[SelfInspectionState | None, QueryParameter(name="state", description="填写中 or 已提交")] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> SelfInspectionPage:
    """自查记录 of the enterprise, the newest first (ENT-06)."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        rows = await store.LIST_SELF_INSPECTIONS.all(
            connection,
            enterprise_id=principal.enterprise_id,
            site_ids=principal.site_ids,
            state=status,
            has_hazard=_HAS_HAZARD[hazard],
            before_id=read_cursor(cursor, LAST_ID),
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: row.id)
    return SelfInspectionPage(items=shown, next_cursor=more)


@get("/self-inspections/{self_inspection_id:uuid}", opt=_OWN, operation_id="readSelfInspection")
async def read_record(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], self_inspection_id: FromPath[UUID]
) -> Response[SelfInspectionDetail]:
    """One 自查记录 with its items and answers."""
    async with parts.work.reading() as connection:
        found = await _find_own(connection, principal_of(request), self_inspection_id)
        summary = await store.SUMMARY_BY_ID.one(connection, self_inspection_id=self_inspection_id)
        lines = await operations.read_lines(connection, found)
    return Response(SelfInspectionDetail(**msgspec.structs.asdict(summary), items=lines), headers=_PRIVATE)


@put(
    "/self-inspections/{self_inspection_id:uuid}/answers/{item_id:uuid}",
    status_code=HTTP_201_CREATED,
    opt=_OWN,
    operation_id="putSelfAnswer",
)
async def put_answer(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    self_inspection_id: FromPath[UUID],
    item_id: FromPath[UUID],
    data: JSONBody[SelfAnswerOrder],
    if_match: IfMatch = None,
) -> Response[bytes]:
    """填写自查结果 of one item; the draft is kept here, so that it survives the phone."""
    expected = read_version(if_match)
    answer = await parts.work.submit(
        submission,
        lambda tx: operations.answer_item(tx, submission.principal, self_inspection_id, item_id, data, expected),
    )
    return respond(answer)


@post(
    "/self-inspections/{self_inspection_id:uuid}/submission",
    status_code=HTTP_201_CREATED,
    opt=_OWN,
    operation_id="submitSelfInspection",
)
async def submit(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], self_inspection_id: FromPath[UUID]
) -> Response[bytes]:
    """提交自查: problems become hazards that the enterprise handles itself."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.submit_self_inspection(tx, submission.principal, self_inspection_id)
    )
    return respond(answer)


@post(
    "/self-inspections/{self_inspection_id:uuid}/discarding",
    status_code=HTTP_201_CREATED,
    opt=_OWN,
    operation_id="discardSelfInspection",
)
async def discard(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], self_inspection_id: FromPath[UUID]
) -> Response[bytes]:
    """放弃自查 that was not submitted."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.discard_self_inspection(tx, submission.principal, self_inspection_id)
    )
    return respond(answer)


@get(
    "/self-inspections/{self_inspection_id:uuid}/attachments/{digest:str}",
    opt=_OWN,
    operation_id="readSelfInspectionAttachment",
)
async def read_attachment(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    self_inspection_id: FromPath[UUID],
    digest: FromPath[str],
    shown: ShownSize = Shown.LARGE,
) -> Response[Any]:
    """附件 of a 自查记录, for its enterprise alone."""
    async with parts.work.reading() as connection:
        await _find_own(connection, principal_of(request), self_inspection_id)
    return await answer_attachment(request, parts, self_inspection_id, digest, shown)


@get("/self-inspection-schedule", opt=_OWN, operation_id="readSelfInspectionSchedule")
async def read_schedule(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    quarter: Annotated[str | None, QueryParameter(description="As 2026Q3; left out: this one", max_length=6)] = None,
) -> SelfInspectionSchedule:
    """季度自查 (D24): which sites and 业态 are due until the quarter's last day, and which are done."""
    principal = principal_of(request)
    which = quarter or rules.quarter_of(local_date(parts.clock()))
    due_on = rules.last_day_of(which)
    async with parts.work.reading() as connection:
        rows = await store.SCHEDULE.all(
            connection,
            enterprise_id=principal.enterprise_id,
            site_ids=principal.site_ids,
            quarter=which,
            due_on=due_on,
        )
    return SelfInspectionSchedule(quarter=which, due_on=due_on, items=rows)


self_inspection_router = Router(
    "/",
    route_handlers=[
        start,
        list_records,
        read_record,
        put_answer,
        submit,
        discard,
        read_attachment,
        read_schedule,
    ],
    tags=["self-inspection"],
)
