"""公示预览, and 结果异议: filed by the enterprise, decided by somebody who was not there."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.attachment_files import answer_attachment
from api.auth import enterprise_manager_of, permit, principal_of
from api.schemas.cursor import EARLIEST, CursorText, PageLimit, TimeCursor, cut, read_cursor
from api.schemas.evidence import ShownSize
from api.schemas.objection import (
    ObjectionDetail,
    ObjectionPage,
    PublicationPreview,
    to_detail,
    to_line,
    to_preview,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.evidence.attachments import list_attachments
from domain.evidence.model import Shown
from domain.identity.model import Principal, Role
from domain.publication import store as publication_store
from domain.publication.objection import operations, rules, store
from domain.publication.objection.model import (
    DecisionOrder,
    NewObjection,
    Objection,
    ObjectionState,
    ObjectionSummary,
)
from domain.publication.rules import may_see as may_see_publication
from domain.shared.errors import NotFound
from domain.shared.sql import Connection

_DECIDERS = (Role.INSPECTOR, Role.DEPARTMENT_MANAGER, Role.LEAD)
_READERS = (*_DECIDERS, Role.ENTERPRISE)
_PREVIEWERS = (Role.DEPARTMENT_MANAGER, Role.LEAD, Role.ENTERPRISE)


@get("/publications/{publication_id:uuid}/preview", opt=permit(*_PREVIEWERS), operation_id="previewPublication")
async def preview_publication(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], publication_id: FromPath[UUID]
) -> Response[PublicationPreview]:
    """公示预览 (D10): exactly what will be public, from when, and what never is; from completion on."""
    async with parts.work.reading() as connection:
        found = await publication_store.PUBLICATION_BY_ID.first(connection, publication_id=publication_id)
        if found is None or not may_see_publication(principal_of(request), found):
            raise NotFound("没有该公示。")
        stored = await publication_store.RESULT_BY_ID.one(connection, publication_id=publication_id)
    return Response(to_preview(found, stored.result, parts.clock()), headers={"Cache-Control": "private, no-store"})


@post(
    "/publications/{publication_id:uuid}/objections",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="fileObjection",
)
async def file_objection(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    publication_id: FromPath[UUID],
    data: JSONBody[NewObjection],
) -> Response[bytes]:
    """提出结果异议 by the 企业管理员: the result is held back, or marked 异议处理中 where it is public."""
    enterprise_manager_of(submission.principal)
    answer = await parts.work.submit(
        submission, lambda tx: operations.file_objection(tx, submission.principal, publication_id, data)
    )
    return respond(answer)


@get("/objections", opt=permit(*_READERS), operation_id="listObjections")
async def list_objections(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[
        ObjectionState, QueryParameter(name="state", description="处理中, 成立, 部分成立, 不成立 or 已撤回")
    ] = ObjectionState.OPEN,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> ObjectionPage:
    """异议 of the caller's department, region or enterprise, by the time until which each is decided."""
    start = read_cursor(cursor, EARLIEST)
    page = {"state": status, "after_due_at": start.at, "after_id": start.id, "limit": limit + 1}
    async with parts.work.reading() as connection:
        rows = await _summaries(connection, principal_of(request), page)
    now = parts.clock()
    shown, more = cut(rows, limit, lambda row: TimeCursor(row.due_at, row.id))
    return ObjectionPage(items=[to_line(row, now) for row in shown], next_cursor=more)


async def _summaries(connection: Connection, principal: Principal, page: dict[str, Any]) -> list[ObjectionSummary]:
    if principal.role is Role.ENTERPRISE:
        return await store.LIST_OF_ENTERPRISE.all(
            connection, enterprise_id=principal.enterprise_id, site_ids=principal.site_ids, **page
        )
    if principal.role is Role.LEAD:
        return await store.LIST_OF_REGION.all(connection, region=principal.region, **page)
    return await store.LIST_OF_DEPARTMENT.all(connection, department_id=principal.department_id, **page)


@get("/objections/{objection_id:uuid}", opt=permit(*_READERS), operation_id="readObjection")
async def read_objection(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], objection_id: FromPath[UUID]
) -> ObjectionDetail:
    """One 异议 with its reasons, its files, and the decision with its reason."""
    async with parts.work.reading() as connection:
        found = await _readable(connection, principal_of(request), objection_id)
        summary = await store.SUMMARY_BY_ID.one(connection, objection_id=objection_id)
        attachments = await list_attachments(connection, objection_id)
    return to_detail(summary, found, attachments, parts.vault, parts.clock())


@get(
    "/objections/{objection_id:uuid}/attachments/{digest:str}",
    opt=permit(*_READERS),
    operation_id="readObjectionAttachment",
)
async def read_attachment(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    objection_id: FromPath[UUID],
    digest: FromPath[str],
    shown: ShownSize = Shown.LARGE,
) -> Response[Any]:
    """One file of an 异议, as a copy without metadata."""
    async with parts.work.reading() as connection:
        await _readable(connection, principal_of(request), objection_id)
    return await answer_attachment(request, parts, objection_id, digest, shown)


@post(
    "/objections/{objection_id:uuid}/decision",
    status_code=HTTP_201_CREATED,
    opt=permit(*_DECIDERS),
    operation_id="decideObjection",
)
async def decide_objection(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    objection_id: FromPath[UUID],
    data: JSONBody[DecisionOrder],
) -> Response[bytes]:
    """异议处理 by somebody who was not there: 成立, 部分成立 or 不成立, with the reason that the enterprise reads."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.decide_objection(tx, submission.principal, objection_id, data)
    )
    return respond(answer)


@post(
    "/objections/{objection_id:uuid}/withdrawal",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="withdrawObjection",
)
async def withdraw_objection(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], objection_id: FromPath[UUID]
) -> Response[bytes]:
    """撤回异议 by the 企业管理员."""
    enterprise_manager_of(submission.principal)
    answer = await parts.work.submit(
        submission, lambda tx: operations.withdraw_objection(tx, submission.principal, objection_id)
    )
    return respond(answer)


async def _readable(connection: Connection, principal: Principal, objection_id: UUID) -> Objection:
    """The objection, if the caller may see it. Raises `NotFound`."""
    found = await store.OBJECTION_BY_ID.first(connection, objection_id=objection_id)
    if found is not None:
        parties = await store.PARTIES_OF_INSPECTION.all(connection, inspection_id=found.inspection_id)
        if rules.may_see(principal, found, {each.department_id for each in parties}):
            return found
    raise NotFound("没有该异议。")


objection_router = Router(
    "/",
    route_handlers=[
        preview_publication,
        file_objection,
        list_objections,
        read_objection,
        read_attachment,
        decide_objection,
        withdraw_objection,
    ],
    tags=["publication"],
)
