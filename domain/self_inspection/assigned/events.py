"""What happens to an assigned task, on the department's side and on the enterprise's."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.self_inspection.events import SelfAnswerFacts
from domain.shared.events import Event


class TaskFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An assigned task as the trace tells it."""

    name: str
    state: str
    version: int
    starts_on: date
    ends_on: date
    objects_chosen: int | None
    objects_assigned: int


class TaskEvent(Event, frozen=True, kw_only=True):
    """What all events of a task share."""

    business: ClassVar[str] = "交办任务"
    power: ClassVar[str] = "行政指导"
    subject: ClassVar[str] = "assigned_task"

    before: TaskFacts | None = None
    after: TaskFacts


class TaskCreated(TaskEvent, frozen=True, kw_only=True):
    """新建任务组."""

    duty: ClassVar[str] = "任务组新建"
    action: ClassVar[str] = "assigned_task.created"


class TaskEdited(TaskEvent, frozen=True, kw_only=True):
    """修改任务组 or its objects."""

    duty: ClassVar[str] = "任务组修改"
    action: ClassVar[str] = "assigned_task.edited"


class TaskConfirmed(TaskEvent, frozen=True, kw_only=True):
    """确认: rows and objects do not change any more."""

    duty: ClassVar[str] = "任务组确认"
    action: ClassVar[str] = "assigned_task.confirmed"


class TaskReopened(TaskEvent, frozen=True, kw_only=True):
    """退回草稿."""

    duty: ClassVar[str] = "任务组退回"
    action: ClassVar[str] = "assigned_task.reopened"


class TaskDispatchBegun(TaskEvent, frozen=True, kw_only=True):
    """下派, or 继续下派: the worker sends it out."""

    duty: ClassVar[str] = "任务下派"
    action: ClassVar[str] = "assigned_task.dispatch_begun"


class TaskDispatchStopped(TaskEvent, frozen=True, kw_only=True):
    """暂停下派."""

    duty: ClassVar[str] = "任务暂停下派"
    action: ClassVar[str] = "assigned_task.dispatch_stopped"


class TaskAssigned(TaskEvent, frozen=True, kw_only=True):
    """One page of objects was sent the task; `enterprises` are those of its new objects, each once."""

    duty: ClassVar[str] = "任务下派"
    action: ClassVar[str] = "assigned_task.assigned"

    enterprises: list[UUID]
    department_name: str


class RowsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How the list of a task changed; `digest` is the SHA-256 of its rows as they stand."""

    added: int
    removed: int
    digest: str


class TaskRowsChanged(Event, frozen=True, kw_only=True):
    """添加 or 批量删除任务清单."""

    business: ClassVar[str] = "交办任务"
    power: ClassVar[str] = "行政指导"
    duty: ClassVar[str] = "任务清单修改"
    action: ClassVar[str] = "assigned_task.rows_changed"
    subject: ClassVar[str] = "assigned_task"

    before: RowsFacts | None = None
    after: RowsFacts


class TaskRowAnswered(Event, frozen=True, kw_only=True):
    """填写任务反馈; what it says is in its row, here its digest."""

    business: ClassVar[str] = "交办任务"
    power: ClassVar[str] = "企业反馈"
    duty: ClassVar[str] = "任务反馈填写"
    action: ClassVar[str] = "assigned_task.answered"
    subject: ClassVar[str] = "assigned_task_object"

    before: SelfAnswerFacts | None = None
    after: SelfAnswerFacts


class SubmissionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """反馈 in the trace; `digest` is the SHA-256 of all answers."""

    task_id: UUID
    is_late: bool
    problems: int
    digest: str


class TaskAnswersSubmitted(Event, frozen=True, kw_only=True):
    """提交任务反馈."""

    business: ClassVar[str] = "交办任务"
    power: ClassVar[str] = "企业反馈"
    duty: ClassVar[str] = "任务反馈提交"
    action: ClassVar[str] = "assigned_task.submitted"
    subject: ClassVar[str] = "assigned_task_object"

    before: SubmissionFacts | None = None
    after: SubmissionFacts
