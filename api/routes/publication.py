"""公示: list, detail, 暂缓, 恢复, 撤下, and the enterprise's 回应."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit, principal_of
from api.schemas.cursor import EARLIEST, CursorText, PageLimit, TimeCursor, cut, read_cursor
from api.schemas.publication import (
    PublicationDetail,
    PublicationPage,
    ReplyOrder,
    ReplyWithdrawal,
    Withdrawal,
    to_detail,
    to_line,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.identity.model import Principal, Role
from domain.publication import operations, store
from domain.publication.model import PublicationState, PublicationSummary, WithholdingOrder
from domain.publication.rules import may_see, public_result
from domain.shared.errors import NotFound
from domain.shared.sql import Connection

_READERS = (Role.DEPARTMENT_MANAGER, Role.LEAD, Role.ENTERPRISE)


async def _summaries(connection: Connection, principal: Principal, page: dict[str, Any]) -> list[PublicationSummary]:
    """A manager lists what the department took part in, a lead the region's (D8), an enterprise its own."""
    if principal.role is Role.DEPARTMENT_MANAGER:
        return await store.LIST_OF_DEPARTMENT.all(connection, department_id=principal.department_id, **page)
    if principal.role is Role.ENTERPRISE:
        own = {"enterprise_id": principal.enterprise_id, "site_ids": principal.site_ids}
        return await store.LIST_OF_ENTERPRISE.all(connection, **own, **page)
    # A lead without a region lists nothing: below NULL there is nothing.
    return await store.LIST_OF_REGION.all(connection, region=principal.region, **page)


@get("/publications", opt=permit(*_READERS), operation_id="listPublications")
async def list_publications(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[
        PublicationState, QueryParameter(name="state", description="待公示, 已公示, 暂不公示 or 已撤下")
    ] = PublicationState.PENDING,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> PublicationPage:
    """公示 of the caller's scope, by the time from which each is due (POST-06)."""
    start = read_cursor(cursor, EARLIEST)
    page = {"state": status, "after_due_at": start.at, "after_id": start.id, "limit": limit + 1}
    async with parts.work.reading() as connection:
        rows = await _summaries(connection, principal_of(request), page)
    shown, more = cut(rows, limit, lambda row: TimeCursor(row.due_at, row.id))
    return PublicationPage(items=[to_line(row) for row in shown], next_cursor=more)


@get("/publications/{publication_id:uuid}", opt=permit(*_READERS), operation_id="readPublication")
async def read_publication(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], publication_id: FromPath[UUID]
) -> PublicationDetail:
    """One 公示 with what is or will be public of it: the enterprise sees that before anybody else (D10)."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        found = await store.PUBLICATION_BY_ID.first(connection, publication_id=publication_id)
        if found is None or not may_see(principal, found):
            raise NotFound("没有该公示。")
        stored = await store.RESULT_BY_ID.one(connection, publication_id=publication_id)
        reply = await store.REPLY_IN_FORCE.first(connection, publication_id=publication_id)
    return to_detail(found, public_result(stored.result), reply, is_official=principal.role is not Role.ENTERPRISE)


@post(
    "/publications/{publication_id:uuid}/withholding",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="withholdPublication",
)
async def withhold(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    publication_id: FromPath[UUID],
    data: JSONBody[WithholdingOrder],
) -> Response[bytes]:
    """暂不公示 for a lawful reason; an objection to a public result marks it instead."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.withhold(tx, submission.principal, publication_id, data)
    )
    return respond(answer)


@post(
    "/publications/{publication_id:uuid}/release",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="releasePublication",
)
async def release(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], publication_id: FromPath[UUID]
) -> Response[bytes]:
    """恢复公示, or the end of an objection."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.release(tx, submission.principal, publication_id)
    )
    return respond(answer)


@post(
    "/publications/{publication_id:uuid}/withdrawal",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="withdrawPublication",
)
async def withdraw(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    publication_id: FromPath[UUID],
    data: JSONBody[Withdrawal],
) -> Response[bytes]:
    """撤下公示; a tombstone remains."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.withdraw(tx, submission.principal, publication_id, data.reason)
    )
    return respond(answer)


@post(
    "/publications/{publication_id:uuid}/replies",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="submitPublicReply",
)
async def submit_reply(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    publication_id: FromPath[UUID],
    data: JSONBody[ReplyOrder],
) -> Response[bytes]:
    """企业回应: shown in full beside the result."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.submit_reply(tx, submission.principal, publication_id, data.text)
    )
    return respond(answer)


@post(
    "/publications/{publication_id:uuid}/replies/{reply_id:uuid}/withdrawal",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE, Role.DEPARTMENT_MANAGER),
    operation_id="withdrawPublicReply",
)
async def withdraw_reply(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    publication_id: FromPath[UUID],
    reply_id: FromPath[UUID],
    data: JSONBody[ReplyWithdrawal],
) -> Response[bytes]:
    """撤回企业回应."""
    answer = await parts.work.submit(
        submission,
        lambda tx: operations.withdraw_reply(tx, submission.principal, publication_id, reply_id, data.reason),
    )
    return respond(answer)


publication_router = Router(
    "/",
    route_handlers=[
        list_publications,
        read_publication,
        withhold,
        release,
        withdraw,
        submit_reply,
        withdraw_reply,
    ],
    tags=["publication"],
)
