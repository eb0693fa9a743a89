"""Assigned tasks on the wire."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from domain.self_inspection.assigned.model import (
    AnsweredRow,
    ObjectLine,
    ReceivedTask,
    TaskRow,
    TaskState,
    TaskSummary,
)


class TaskLine(TaskSummary, frozen=True, kw_only=True):
    """任务组 in a list. `overdue`: objects without an answer after the last day."""

    overdue: int


class TaskPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some tasks, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[TaskLine]
    next_cursor: str | None


class TaskDetail(TaskLine, frozen=True, kw_only=True):
    """任务组 whole, with its list. `objects_assigned` of `objects_chosen` tells how far 下派 has come."""

    rows: list[TaskRow]


class ObjectPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some objects, and the cursor of the next; no cursor means the end."""

    items: list[ObjectLine]
    next_cursor: str | None


class ObjectDetail(ObjectLine, frozen=True, kw_only=True):
    """巡查对象 with what it answered; a draft of an answer is the enterprise's own."""

    rows: list[AnsweredRow]


class ReceivedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some tasks that an enterprise was sent, and the cursor of the next; no cursor means the end."""

    items: list[ReceivedTask]
    next_cursor: str | None


class ReceivedDetail(ReceivedTask, frozen=True, kw_only=True):
    """交办任务 whole, each row with its answer so far."""

    rows: list[AnsweredRow]


def to_line(summary: TaskSummary, today: date) -> TaskLine:
    """A list line."""
    return TaskLine(**_fields(summary), overdue=_overdue(summary, today))


def to_detail(summary: TaskSummary, rows: list[TaskRow], today: date) -> TaskDetail:
    """The whole of it."""
    return TaskDetail(**_fields(summary), overdue=_overdue(summary, today), rows=rows)


def to_object(line: ObjectLine, rows: list[AnsweredRow]) -> ObjectDetail:
    """One object with its answers."""
    return ObjectDetail(**msgspec.structs.asdict(line), rows=rows)


def to_received(task: ReceivedTask, rows: list[AnsweredRow]) -> ReceivedDetail:
    """One task as the enterprise reads it."""
    return ReceivedDetail(**msgspec.structs.asdict(task), rows=rows)


def _fields(summary: TaskSummary) -> dict[str, Any]:
    return msgspec.structs.asdict(summary)


def _overdue(summary: TaskSummary, today: date) -> int:
    is_over = summary.state is not TaskState.DRAFT and summary.ends_on < today
    return summary.objects_assigned - summary.answered if is_over else 0
