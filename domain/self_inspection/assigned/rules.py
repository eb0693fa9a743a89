"""Rules of assigned tasks: who may, in which state, and what must be there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec

from codes.divisions import UnknownDivision, ltree_path
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.self_inspection.assigned.model import (
    AnsweredRow,
    ObjectsOrder,
    ObjectState,
    Task,
    TaskFields,
    TaskObject,
    TaskState,
)
from domain.self_inspection.model import SelfAnswerOrder, SelfAnswerValue
from domain.shared.clock import local_date
from domain.shared.errors import DomainError, Forbidden, InvalidField

MOST_ROWS: Final = 200
_EDITORS: Final = frozenset({Role.LEAD, Role.DEPARTMENT_MANAGER})


class TaskNotDraft(DomainError):
    """The task was confirmed: its rows and objects do not change, unless it is taken back to a draft."""


class TaskChanged(DomainError):
    """A colleague changed the task meanwhile: read it again, nothing is overwritten."""


class TaskEmpty(DomainError):
    """A task needs rows and objects before it is confirmed."""


class TaskStepNotPossible(DomainError):
    """The task is not in a state from which this step leads on."""


class TaskObjectsUnknown(DomainError):
    """Sites named one by one that do not exist in the department's region."""


class TaskNotBegun(DomainError):
    """The task's first day is still to come."""


class TaskAlreadyAnswered(DomainError):
    """The answers were submitted; they do not change any more."""


class TaskIncomplete(DomainError):
    """Rows are still without an answer; `open` names them."""


def maker_of(principal: Principal) -> tuple[UUID, str]:
    """The department and region for which an official makes tasks. Raises `Forbidden`."""
    if principal.role not in _EDITORS or principal.department_id is None or principal.region is None:
        raise Forbidden("该账号不属于任何部门或辖区，不能下派任务。")
    return principal.department_id, principal.region


def may_see(principal: Principal, department_id: UUID, region: str) -> bool:
    """A manager sees what the own department assigned, a lead the region's (D8)."""
    if principal.role is Role.LEAD:
        return within_region(principal, region)
    return principal.role is Role.DEPARTMENT_MANAGER and principal.department_id == department_id


def require_fields(fields: TaskFields, today: date) -> TaskFields:
    """The fields without surrounding blanks. Raises `InvalidField` for an empty one or a term that is over."""
    texts = {name: getattr(fields, name).strip() for name in ("name", "patrol_type", "object_type")}
    for name, text in texts.items():
        if not text:
            raise InvalidField("请填写该项。", field=name)
    if fields.ends_on < max(fields.starts_on, today):
        raise InvalidField("截止日期不得早于开始日期和今天。", field="ends_on")
    return msgspec.structs.replace(fields, **texts)


def require_version(task: Task, expected: int) -> Task:
    """Raises `TaskChanged`."""
    if task.version != expected:
        raise TaskChanged("该任务已被修改，请刷新后重新提交。", field="If-Match", version=task.version)
    return task


def require_draft(task: Task) -> Task:
    """Raises `TaskNotDraft`."""
    if task.state is not TaskState.DRAFT:
        raise TaskNotDraft("该任务已确认，不能再修改；尚未下派的可退回草稿。")
    return task


def chosen(task: Task, order: ObjectsOrder) -> Task:
    """The task with other objects, counted later. Raises `InvalidField` for a region beyond the maker's."""
    try:
        paths = sorted({ltree_path(code) for code in order.regions})
    except UnknownDivision as unknown:
        raise InvalidField("没有该行政区划代码。", field="regions") from unknown
    if any(path != task.region and not path.startswith(f"{task.region}.") for path in paths):
        raise InvalidField("所选区域不在本部门辖区内。", field="regions")
    return msgspec.structs.replace(
        task,
        business_types=sorted(set(order.business_types)),
        regions=paths,
        risk_levels=sorted({level.value for level in order.risk_levels}),
        credit_grades=sorted({grade.value for grade in order.credit_grades}),
        site_ids=None if order.site_ids is None else sorted(set(order.site_ids)),
        version=task.version + 1,
    )


def require_found(task: Task, found: int) -> Task:
    """The task with its objects counted. Raises `TaskObjectsUnknown` where one was named that is not there."""
    if task.site_ids is not None and found != len(task.site_ids):
        missing = len(task.site_ids) - found
        raise TaskObjectsUnknown(
            f"有{missing}个监管对象不存在、已注销或不在本部门辖区内。", field="site_ids", missing=missing
        )
    return msgspec.structs.replace(task, objects_chosen=found)


def confirm(task: Task, rows: int) -> Task:
    """确认. Raises `TaskNotDraft` or `TaskEmpty`."""
    require_draft(task)
    if not rows:
        raise TaskEmpty("请先添加任务清单。", field="rows")
    if not task.objects_chosen:
        raise TaskEmpty("请先选择巡查对象。", field="objects")
    return _moved(task, TaskState.CONFIRMED)


def reopen(task: Task) -> Task:
    """退回草稿, as long as nobody has been sent it. Raises `TaskStepNotPossible`."""
    if task.state is not TaskState.CONFIRMED:
        raise TaskStepNotPossible("只有已确认、尚未下派的任务可以退回草稿。")
    return _moved(task, TaskState.DRAFT)


def dispatch(task: Task, now: datetime) -> Task:
    """下派, or 继续下派 after a stop. Raises `TaskStepNotPossible`, or `InvalidField` for a term that is over."""
    if task.state not in {TaskState.CONFIRMED, TaskState.STOPPED}:
        raise TaskStepNotPossible("只有已确认或已暂停的任务可以下派。")
    if task.ends_on < local_date(now):
        raise InvalidField("任务有效期已过，请退回草稿修改。", field="ends_on")
    return msgspec.structs.replace(_moved(task, TaskState.DISPATCHING), dispatched_at=task.dispatched_at or now)


def stop(task: Task) -> Task:
    """暂停下派: what was sent stays, the rest waits. Raises `TaskStepNotPossible`."""
    if task.state is not TaskState.DISPATCHING:
        raise TaskStepNotPossible("该任务没有在下派。")
    return _moved(task, TaskState.STOPPED)


def assigned(task: Task, found: int, inserted: int, last_site_id: UUID, page: int, now: datetime) -> Task:
    """The task after a page of its objects: fewer than `page` were `found` when it was the last."""
    further = msgspec.structs.replace(
        task, objects_assigned=task.objects_assigned + inserted, after_site_id=last_site_id
    )
    if found == page:
        return further
    return msgspec.structs.replace(_moved(further, TaskState.DISPATCHED), finished_at=now)


def _moved(task: Task, state: TaskState) -> Task:
    return msgspec.structs.replace(task, state=state, version=task.version + 1)


# ---- what the enterprise does


def require_answerable(found: TaskObject, today: date) -> TaskObject:
    """Raises `TaskAlreadyAnswered` or `TaskNotBegun`. After the last day answers are late, not refused."""
    if found.state is ObjectState.SUBMITTED:
        raise TaskAlreadyAnswered("该任务已提交反馈。")
    if today < found.starts_on:
        raise TaskNotBegun(f"该任务自{found.starts_on.isoformat()}起反馈。")
    return found


def require_photo(row: AnsweredRow, order: SelfAnswerOrder) -> None:
    """Raises `InvalidField` where the row asks for a photo and what was found goes without one."""
    if row.needs_photo and order.value is not SelfAnswerValue.NOT_APPLICABLE and not order.photos:
        raise InvalidField("该项须附照片。", field="photos")


def problems_among(rows: Sequence[AnsweredRow]) -> int:
    """How many rows have a problem, once all are answered. Raises `TaskIncomplete`."""
    waiting = [str(row.id) for row in rows if row.answer is None]
    if waiting:
        raise TaskIncomplete(f"还有{len(waiting)}项未填写。", open=waiting)
    return sum(row.answer is not None and row.answer.value is SelfAnswerValue.PROBLEM for row in rows)
