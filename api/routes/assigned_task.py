"""交办任务, 自巡查 on the department's side (COG-01, COG-02): filled, confirmed, dispatched, and what was answered."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.attachment_files import answer_attachment
from api.auth import permit, principal_of
from api.schemas.assigned_task import (
    ObjectDetail,
    ObjectPage,
    TaskDetail,
    TaskPage,
    to_detail,
    to_line,
    to_object,
)
from api.schemas.cursor import FIRST_ID, LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.evidence import ShownSize
from api.submissions import IfMatch, read_version, respond
from api.wiring import Parts
from api.work import Submission
from domain.evidence.model import Shown
from domain.identity.model import Principal, Role
from domain.self_inspection.assigned import operations, store
from domain.self_inspection.assigned.model import (
    ObjectLine,
    ObjectsOrder,
    ObjectState,
    RowsOrder,
    RowsRemoval,
    TaskFields,
    TaskState,
    TaskSummary,
)
from domain.self_inspection.assigned.rules import may_see
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.sql import Connection

_OFFICE = permit(Role.LEAD, Role.DEPARTMENT_MANAGER)
_SITES_BYTES = 512 * 1024
"""10,000 sites by their ids."""


async def _find(connection: Connection, principal: Principal, task_id: UUID) -> TaskSummary:
    found = await store.TASK_SUMMARY.first(connection, task_id=task_id)
    if found is None or not may_see(principal, found.department_id, found.region):
        raise NotFound("没有该任务。")
    return found


async def _find_object(connection: Connection, principal: Principal, task_id: UUID, object_id: UUID) -> ObjectLine:
    await _find(connection, principal, task_id)
    line = await store.OBJECT_LINE.first(connection, task_id=task_id, object_id=object_id)
    if line is None:
        raise NotFound("任务内没有该对象。")
    return line


@post("/assigned-tasks", status_code=HTTP_201_CREATED, opt=_OFFICE, operation_id="createAssignedTask")
async def create(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[TaskFields]
) -> Response[bytes]:
    """新建任务组, a draft of the caller's department."""
    answer = await parts.work.submit(submission, lambda tx: operations.create_task(tx, submission.principal, data))
    return respond(answer)


@get("/assigned-tasks", opt=_OFFICE, operation_id="listAssignedTasks")
async def list_tasks(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[TaskState | None, QueryParameter(name="state", description="Of this state only")] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> TaskPage:
    """任务组 of the caller's scope with their counts, the newest first (COG-01)."""
    principal = principal_of(request)
    page: dict[str, Any] = {
        "state": status,
        "before_id": read_cursor(cursor, LAST_ID),
        "limit": limit + 1,
    }
    async with parts.work.reading() as connection:
        if principal.role is Role.DEPARTMENT_MANAGER:
            rows = await store.LIST_OF_DEPARTMENT.all(connection, department_id=principal.department_id, **page)
        else:  # below NULL there is nothing
            rows = await store.LIST_OF_REGION.all(connection, region=principal.region, **page)
    today = local_date(parts.clock())
    shown, more = cut(rows, limit, lambda row: row.id)
    return TaskPage(items=[to_line(row, today) for row in shown], next_cursor=more)


@get("/assigned-tasks/{task_id:uuid}", opt=_OFFICE, operation_id="readAssignedTask")
async def read_task(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], task_id: FromPath[UUID]
) -> TaskDetail:
    """One 任务组 with its list, and how far 下派 has come."""
    async with parts.work.reading() as connection:
        found = await _find(connection, principal_of(request), task_id)
        rows = await store.ROWS_OF_TASK.all(connection, task_id=task_id)
    return to_detail(found, rows, local_date(parts.clock()))


@put("/assigned-tasks/{task_id:uuid}", status_code=HTTP_201_CREATED, opt=_OFFICE, operation_id="editAssignedTask")
async def edit(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    task_id: FromPath[UUID],
    data: JSONBody[TaskFields],
    if_match: IfMatch = None,
) -> Response[bytes]:
    """修改任务组 while it is a draft."""
    expected = read_version(if_match)
    answer = await parts.work.submit(
        submission, lambda tx: operations.edit_task(tx, submission.principal, task_id, data, expected)
    )
    return respond(answer)


@post("/assigned-tasks/{task_id:uuid}/rows", status_code=HTTP_201_CREATED, opt=_OFFICE, operation_id="addTaskRows")
async def add_rows(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    task_id: FromPath[UUID],
    data: JSONBody[RowsOrder],
) -> Response[bytes]:
    """添加任务清单, by hand and out of a checklist."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.add_rows(tx, submission.principal, task_id, data)
    )
    return respond(answer)


@post(
    "/assigned-tasks/{task_id:uuid}/rows/removal",
    status_code=HTTP_201_CREATED,
    opt=_OFFICE,
    operation_id="removeTaskRows",
)
async def remove_rows(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    task_id: FromPath[UUID],
    data: JSONBody[RowsRemoval],
) -> Response[bytes]:
    """批量删除任务清单."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.remove_rows(tx, submission.principal, task_id, data)
    )
    return respond(answer)


@put(
    "/assigned-tasks/{task_id:uuid}/objects",
    status_code=HTTP_201_CREATED,
    opt=_OFFICE,
    operation_id="chooseTaskObjects",
    request_max_body_size=_SITES_BYTES,
)
async def choose_objects(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    task_id: FromPath[UUID],
    data: JSONBody[ObjectsOrder],
    if_match: IfMatch = None,
) -> Response[bytes]:
    """选择巡查对象 by what the register says of them, or up to 10,000 one by one; the answer counts them."""
    expected = read_version(if_match)
    answer = await parts.work.submit(
        submission, lambda tx: operations.choose_objects(tx, submission.principal, task_id, data, expected)
    )
    return respond(answer)


@post(
    "/assigned-tasks/{task_id:uuid}/confirmation",
    status_code=HTTP_201_CREATED,
    opt=_OFFICE,
    operation_id="confirmAssignedTask",
)
async def confirm(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], task_id: FromPath[UUID]
) -> Response[bytes]:
    """确认: list and objects stand."""
    answer = await parts.work.submit(submission, lambda tx: operations.confirm_task(tx, submission.principal, task_id))
    return respond(answer)


@post(
    "/assigned-tasks/{task_id:uuid}/reopening",
    status_code=HTTP_201_CREATED,
    opt=_OFFICE,
    operation_id="reopenAssignedTask",
)
async def reopen(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], task_id: FromPath[UUID]
) -> Response[bytes]:
    """退回草稿, before anybody was sent it."""
    answer = await parts.work.submit(submission, lambda tx: operations.reopen_task(tx, submission.principal, task_id))
    return respond(answer)


@post(
    "/assigned-tasks/{task_id:uuid}/dispatch",
    status_code=HTTP_201_CREATED,
    opt=_OFFICE,
    operation_id="dispatchAssignedTask",
)
async def dispatch(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], task_id: FromPath[UUID]
) -> Response[bytes]:
    """下派, or 继续下派 after a stop: the worker sends it out page by page; readAssignedTask tells how far."""
    answer = await parts.work.submit(submission, lambda tx: operations.dispatch_task(tx, submission.principal, task_id))
    return respond(answer)


@post("/assigned-tasks/{task_id:uuid}/stop", status_code=HTTP_201_CREATED, opt=_OFFICE, operation_id="stopAssignedTask")
async def stop(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], task_id: FromPath[UUID]
) -> Response[bytes]:
    """暂停下派: what was sent stays, the rest waits."""
    answer = await parts.work.submit(submission, lambda tx: operations.stop_dispatch(tx, submission.principal, task_id))
    return respond(answer)


@get("/assigned-tasks/{task_id:uuid}/objects", opt=_OFFICE, operation_id="listTaskObjects")
async def list_objects(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    task_id: FromPath[UUID],
    status: Annotated[ObjectState, QueryParameter(name="state", description="待反馈 or 已反馈")] = ObjectState.OPEN,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> ObjectPage:
    """巡查对象 of a task that have answered, or have not."""
    async with parts.work.reading() as connection:
        await _find(connection, principal_of(request), task_id)
        rows = await store.LIST_OBJECTS.all(
            connection,
            task_id=task_id,
            state=status,
            after_id=read_cursor(cursor, FIRST_ID),
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: row.id)
    return ObjectPage(items=shown, next_cursor=more)


@get("/assigned-tasks/{task_id:uuid}/objects/{object_id:uuid}", opt=_OFFICE, operation_id="readTaskObject")
async def read_object(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    task_id: FromPath[UUID],
    object_id: FromPath[UUID],
) -> ObjectDetail:
    """What one object answered; nothing of it before it was submitted."""
    async with parts.work.reading() as connection:
        line = await _find_object(connection, principal_of(request), task_id, object_id)
        rows = []
        if line.state is ObjectState.SUBMITTED:
            rows = await store.ANSWERED_ROWS.all(connection, task_id=task_id, object_id=object_id)
    return to_object(line, rows)


@get(
    "/assigned-tasks/{task_id:uuid}/objects/{object_id:uuid}/attachments/{digest:str}",
    opt=_OFFICE,
    operation_id="readTaskObjectAttachment",
)
async def read_attachment(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    task_id: FromPath[UUID],
    object_id: FromPath[UUID],
    digest: FromPath[str],
    shown: ShownSize = Shown.LARGE,
) -> Response[Any]:
    """A photo of what an object answered, once it was submitted."""
    async with parts.work.reading() as connection:
        line = await _find_object(connection, principal_of(request), task_id, object_id)
    if line.state is not ObjectState.SUBMITTED:
        raise NotFound("没有该附件。")
    return await answer_attachment(request, parts, object_id, digest, shown)


assigned_task_router = Router(
    "/",
    route_handlers=[
        create,
        list_tasks,
        read_task,
        edit,
        add_rows,
        remove_rows,
        choose_objects,
        confirm,
        reopen,
        dispatch,
        stop,
        list_objects,
        read_object,
        read_attachment,
    ],
    tags=["assigned-task"],
)
