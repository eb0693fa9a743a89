"""交办任务 on the enterprise's side (PUB-17, ENT-05): list, answer row by row, submit."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.attachment_files import answer_attachment
from api.auth import permit, principal_of
from api.schemas.assigned_task import ReceivedDetail, ReceivedPage, to_received
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.evidence import ShownSize
from api.submissions import IfMatch, read_version, respond
from api.wiring import Parts
from api.work import Submission
from domain.evidence.model import Shown
from domain.identity.model import Principal, Role
from domain.membership.rules import acts_for
from domain.self_inspection.assigned import answering, store
from domain.self_inspection.assigned.model import ObjectState, TaskObject
from domain.self_inspection.model import SelfAnswerOrder
from domain.shared.errors import NotFound
from domain.shared.sql import Connection

_OWN = permit(Role.ENTERPRISE)


async def _find_own(connection: Connection, principal: Principal, object_id: UUID) -> TaskObject:
    found = await store.OBJECT_BY_ID.first(connection, object_id=object_id)
    if found is None or not acts_for(principal, found.enterprise_id, found.site_id):
        raise NotFound("没有该任务。")
    return found


@get("/received-tasks", opt=_OWN, operation_id="listReceivedTasks")
async def list_received(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[ObjectState, QueryParameter(name="state", description="待反馈 or 已反馈")] = ObjectState.OPEN,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> ReceivedPage:
    """交办任务 that the enterprise's sites were sent, the newest first."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        rows = await store.LIST_RECEIVED.all(
            connection,
            enterprise_id=principal.enterprise_id,
            site_ids=principal.site_ids,
            state=status,
            before_id=read_cursor(cursor, LAST_ID),
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: row.id)
    return ReceivedPage(items=shown, next_cursor=more)


@get("/received-tasks/{object_id:uuid}", opt=_OWN, operation_id="readReceivedTask")
async def read_received(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], object_id: FromPath[UUID]
) -> ReceivedDetail:
    """One 交办任务 with its rows, and the answers so far."""
    async with parts.work.reading() as connection:
        found = await _find_own(connection, principal_of(request), object_id)
        task = await store.RECEIVED_BY_ID.one(connection, object_id=object_id)
        rows = await store.ANSWERED_ROWS.all(connection, object_id=object_id, task_id=found.task_id)
    return to_received(task, rows)


@put(
    "/received-tasks/{object_id:uuid}/answers/{row_id:uuid}",
    status_code=HTTP_201_CREATED,
    opt=_OWN,
    operation_id="putTaskAnswer",
)
async def put_answer(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    object_id: FromPath[UUID],
    row_id: FromPath[UUID],
    data: JSONBody[SelfAnswerOrder],
    if_match: IfMatch = None,
) -> Response[bytes]:
    """填写任务反馈 of one row."""
    expected = read_version(if_match)
    answer = await parts.work.submit(
        submission,
        lambda tx: answering.answer_row(tx, submission.principal, object_id, row_id, data, expected),
    )
    return respond(answer)


@post(
    "/received-tasks/{object_id:uuid}/submission",
    status_code=HTTP_201_CREATED,
    opt=_OWN,
    operation_id="submitTaskAnswers",
)
async def submit(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], object_id: FromPath[UUID]
) -> Response[bytes]:
    """提交任务反馈; after the last day it is marked as late."""
    answer = await parts.work.submit(
        submission, lambda tx: answering.submit_answers(tx, submission.principal, object_id)
    )
    return respond(answer)


@get(
    "/received-tasks/{object_id:uuid}/attachments/{digest:str}",
    opt=_OWN,
    operation_id="readReceivedTaskAttachment",
)
async def read_attachment(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    object_id: FromPath[UUID],
    digest: FromPath[str],
    shown: ShownSize = Shown.LARGE,
) -> Response[Any]:
    """A photo of the own answers."""
    async with parts.work.reading() as connection:
        await _find_own(connection, principal_of(request), object_id)
    return await answer_attachment(request, parts, object_id, digest, shown)


received_task_router = Router(
    "/",
    route_handlers=[list_received, read_received, put_answer, submit, read_attachment],
    tags=["assigned-task"],
)
