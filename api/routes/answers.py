"""检查单 of an inspection: the drawn list, its answers, and the draw that gave it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_201_CREATED

from api.auth import STAFF, officer_of, permit, principal_of
from api.schemas.inspection import ChecklistView, GivenReason
from api.submissions import IfMatch, read_version, respond
from api.wiring import Parts
from api.work import Submission
from domain.identity.model import Role
from domain.inspection.access import find_readable
from domain.inspection.answers import operations
from domain.inspection.answers.model import AnswerOrder, BulkOrder
from domain.selection.store import DRAWS_OF_SUBJECT
from domain.shared.errors import NotFound

_PRIVATE = {"Cache-Control": "private, no-store"}


@get("/inspections/{inspection_id:uuid}/checklist", opt=permit(*STAFF), operation_id="readChecklistOfInspection")
async def read_list(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], inspection_id: FromPath[UUID]
) -> Response[ChecklistView]:
    """The drawn items with their answers so far (MOB-09); sealed until the department has checked in."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        await find_readable(connection, principal, inspection_id)
        lines = await operations.read_list(connection, principal, inspection_id)
    answered = sum(line.answer is not None for line in lines)
    return Response(ChecklistView(inspection_id=inspection_id, answered=answered, items=lines), headers=_PRIVATE)


@get("/inspections/{inspection_id:uuid}/draw", opt=permit(*STAFF), operation_id="readDraw")
async def read_draw(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], inspection_id: FromPath[UUID]
) -> Response[bytes]:
    """随机抽取记录 of the items: what `yima draw verify` re-runs. Open when the list is."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        await find_readable(connection, principal, inspection_id)
        await operations.read_list(connection, principal, inspection_id)
        draws = await DRAWS_OF_SUBJECT.all(connection, subject_id=inspection_id)
    if not draws:
        raise NotFound("该检查任务没有抽取检查项。")
    return Response(draws[0].record.encode(), media_type="application/json", headers=_PRIVATE)


@put(
    "/inspections/{inspection_id:uuid}/answers/{item_id:uuid}",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="putAnswer",
)
async def put_answer(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    item_id: FromPath[UUID],
    data: JSONBody[AnswerOrder],
    if_match: IfMatch = None,
) -> Response[bytes]:
    """现场检查结果录入 (TASK-12, MOB-11) of one item."""
    officer_id, expected = officer_of(submission.principal), read_version(if_match)
    answer = await parts.work.submit(
        submission, lambda tx: operations.record_answer(tx, officer_id, inspection_id, item_id, data, expected)
    )
    return respond(answer)


@post(
    "/inspections/{inspection_id:uuid}/answers",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="markInBulk",
)
async def mark_in_bulk(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[BulkOrder],
) -> Response[bytes]:
    """一键未发现问题: a whole 检查领域 but for its mandatory items."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(
        submission, lambda tx: operations.mark_in_bulk(tx, officer_id, inspection_id, data)
    )
    return respond(answer)


@post(
    "/inspections/{inspection_id:uuid}/list-releases",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="releaseList",
)
async def release_list(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[GivenReason],
) -> Response[bytes]:
    """检查单解封: the sticker is damaged."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(
        submission, lambda tx: operations.release_list(tx, officer_id, inspection_id, data.reason)
    )
    return respond(answer)


answers_router = Router(
    "/", route_handlers=[read_list, read_draw, put_answer, mark_in_bulk, release_list], tags=["inspection"]
)
