"""Values of assigned tasks (COG-01, COG-02, PUB-17)."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.enterprise.model import CreditGrade, RiskLevel
from domain.self_inspection.model import SelfAnswer

MOST_SITES = 10_000
"""How many sites may be named one by one."""
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
RegionCode = Annotated[str, msgspec.Meta(pattern="^[0-9]{6}$")]


class TaskState(enum.StrEnum):
    """草稿 / 已确认 / 下派中 / 已暂停下派 / 已下派."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    DISPATCHING = "dispatching"
    STOPPED = "stopped"
    DISPATCHED = "dispatched"


class ObjectState(enum.StrEnum):
    """待反馈 / 已反馈."""

    OPEN = "open"
    SUBMITTED = "submitted"


class TaskFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """任务组名称, 自巡查类型, 巡查对象类型, 有效起止时间 (COG-02)."""

    name: Line
    patrol_type: Word
    object_type: Word
    starts_on: date
    ends_on: date


class NewRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """任务清单的一行, written by hand."""

    content: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    requirement: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    needs_photo: bool = False


class RowsOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows to add: by hand, and out of the published version of a checklist, the rows of these codes."""

    rows: Annotated[list[NewRow], msgspec.Meta(max_length=200)] = []
    checklist_id: UUID | None = None
    item_codes: Annotated[list[Annotated[str, msgspec.Meta(max_length=40)]], msgspec.Meta(max_length=200)] = []


class RowsRemoval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows to take out, all or none."""

    row_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=200)]


class ObjectsOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """选择巡查对象: by what the register says, an empty list meaning any; or, with `site_ids`, one by one."""

    business_types: Annotated[list[Word], msgspec.Meta(max_length=20)] = []
    regions: Annotated[list[RegionCode], msgspec.Meta(max_length=50)] = []
    risk_levels: Annotated[list[RiskLevel], msgspec.Meta(max_length=4)] = []
    credit_grades: Annotated[list[CreditGrade], msgspec.Meta(max_length=4)] = []
    site_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=MOST_SITES)] | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """交办任务 as an operation works on it, new unless said otherwise; `regions` are ltree paths."""

    id: UUID
    department_id: UUID
    department_code: str = ""
    region: str
    name: str
    patrol_type: str
    object_type: str
    starts_on: date
    ends_on: date
    state: TaskState = TaskState.DRAFT
    version: int = 1
    business_types: list[str] = []
    regions: list[str] = []
    risk_levels: list[str] = []
    credit_grades: list[str] = []
    site_ids: list[UUID] | None = None
    objects_chosen: int | None = None
    objects_assigned: int = 0
    after_site_id: UUID = UUID(int=0)
    created_by: UUID
    created_at: datetime
    dispatched_at: datetime | None = None
    finished_at: datetime | None = None


class TaskSummary(msgspec.Struct, frozen=True, kw_only=True):
    """交办任务 in the department's list (COG-01): 巡查对象数, 任务清单数, 已反馈, 逾期未反馈."""

    id: UUID
    number: str | None
    name: str
    patrol_type: str
    object_type: str
    department_id: UUID
    department: str
    region: str
    state: TaskState
    version: int
    starts_on: date
    ends_on: date
    row_count: int
    objects_chosen: int | None
    objects_assigned: int
    answered: int
    answered_late: int
    created_at: datetime
    dispatched_at: datetime | None
    finished_at: datetime | None


class TaskRow(msgspec.Struct, frozen=True, kw_only=True):
    """任务清单的一行."""

    id: UUID
    place: int
    content: str
    requirement: str | None
    needs_photo: bool
    item_id: UUID | None


class AnsweredRow(TaskRow, frozen=True, kw_only=True):
    """任务清单的一行 with its answer, if there is one."""

    answer: SelfAnswer | None


class RowAnswer(SelfAnswer, frozen=True, kw_only=True):
    """反馈 of one row, as it was kept."""

    row_id: UUID


class TaskObject(msgspec.Struct, frozen=True, kw_only=True):
    """巡查对象 as an operation works on it, with the term of its task."""

    id: UUID
    task_id: UUID
    site_id: UUID
    enterprise_id: UUID
    state: ObjectState
    starts_on: date
    ends_on: date


class ObjectLine(msgspec.Struct, frozen=True, kw_only=True):
    """巡查对象 in the department's list."""

    id: UUID
    enterprise_id: UUID
    enterprise_name: str
    site_id: UUID
    site_name: str
    state: ObjectState
    problem_count: int
    submitted_at: datetime | None
    is_late: bool


class ReceivedTask(msgspec.Struct, frozen=True, kw_only=True):
    """交办任务 as the enterprise lists it (PUB-17)."""

    id: UUID
    task_id: UUID
    number: str | None
    name: str
    patrol_type: str
    department: str
    hotline: str | None
    site_id: UUID
    site_name: str
    starts_on: date
    ends_on: date
    row_count: int
    answered: int
    state: ObjectState
    submitted_at: datetime | None
    is_late: bool


class TaskAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How an assigned task stands after an act."""

    id: UUID
    state: TaskState
    version: int
    objects_chosen: int | None
    objects_assigned: int


class RowsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The list of a task after rows were added or taken out."""

    id: UUID
    version: int
    rows: list[TaskRow]


class ObjectSubmitted(msgspec.Struct, frozen=True, kw_only=True):
    """反馈 that was submitted; `is_late`: after the task's last day."""

    id: UUID
    task_id: UUID
    submitted_at: datetime
    is_late: bool
    problem_count: int
