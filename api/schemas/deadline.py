"""Deadlines, supervision orders and the working calendar on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.deadline.model import (
    CalendarDay,
    DeadlineKind,
    DeadlineLine,
    DeadlineStage,
    OrderSource,
    RecordedStage,
    SupervisionEntry,
    SupervisionLine,
    SupervisionOrder,
    SupervisionState,
    SupervisionStep,
)
from domain.deadline.supervising import WORDS_LABEL
from domain.shared.vault import Vault


class DeadlineCard(msgspec.Struct, frozen=True, kw_only=True):
    """期限 in a list, with its labels. `level` 4 to 1 is blue to red (D13); None: nothing has come yet."""

    id: UUID
    kind: DeadlineKind
    kind_label: str
    subject: str
    subject_id: UUID
    department_id: UUID
    department_name: str
    site_id: UUID | None
    site_name: str | None
    enterprise_name: str | None
    due_on: date
    is_overdue: bool
    stage: DeadlineStage | None
    stage_label: str | None
    level: int | None
    level_label: str | None
    next_stage_at: datetime | None
    has_supervision_order: bool


class DeadlinePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some deadlines, and the cursor of the next; no cursor means the end."""

    items: list[DeadlineCard]
    next_cursor: str | None


class StageCard(msgspec.Struct, frozen=True, kw_only=True):
    """A stage that has come; a skipped one was overtaken before anybody was told of it."""

    due_on: date
    stage: DeadlineStage
    stage_label: str
    level: int
    is_skipped: bool
    reached_at: datetime


class SupervisionCard(msgspec.Struct, frozen=True, kw_only=True):
    """督办单 in a list."""

    id: UUID
    number: str
    source: OrderSource
    state: SupervisionState
    state_label: str
    department_id: UUID
    department_name: str
    superior_id: UUID
    superior_name: str
    issued_at: datetime
    due_on: date
    is_overdue: bool
    deadline_id: UUID
    matter: DeadlineKind
    matter_label: str
    subject_id: UUID
    matter_due_on: date
    site_name: str | None


class SupervisionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some supervision orders, and the cursor of the next; no cursor means the end."""

    items: list[SupervisionCard]
    next_cursor: str | None


class DeadlineDetail(DeadlineCard, frozen=True, kw_only=True):
    """期限 with what came of it: its stages under the due day in force, and its supervision orders."""

    stages: list[StageCard]
    orders: list[SupervisionCard]


class SupervisionLineOfCourse(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a supervision order's course."""

    step: SupervisionStep
    text: str | None
    account_id: UUID | None
    done_at: datetime


class SupervisionDetail(SupervisionCard, frozen=True, kw_only=True):
    """督办单 with its course: demand, answers, judgements."""

    officers: list[UUID]
    course: list[SupervisionLineOfCourse]


class CalendarYear(msgspec.Struct, frozen=True, kw_only=True):
    """工作日历 of a year. `is_announced`: a holiday notice is known, or days of the year were laid down.

    `laid_down` are the days that differ from the library's notices by an administrator's word; `holidays` the free
    days from Monday to Friday, `make_up_days` the weekends that are worked.
    """

    year: int
    edition: int
    is_announced: bool
    working_days: int
    holidays: list[date]
    make_up_days: list[date]
    laid_down: list[CalendarDay]


def to_deadline(line: DeadlineLine, today: date) -> DeadlineCard:
    """A line of a list."""
    return DeadlineCard(**_deadline_fields(line, today))


def to_deadline_detail(
    line: DeadlineLine, stages: Sequence[RecordedStage], orders: Sequence[SupervisionLine], today: date
) -> DeadlineDetail:
    """The whole of it."""
    ordered = sorted(stages, key=lambda each: (-each.stage.level.value, each.reached_at))
    return DeadlineDetail(
        **_deadline_fields(line, today),
        stages=[
            StageCard(
                due_on=each.due_on,
                stage=each.stage,
                stage_label=each.stage.label,
                level=each.stage.level.value,
                is_skipped=each.is_skipped,
                reached_at=each.reached_at,
            )
            for each in ordered
        ],
        orders=[to_supervision(each, today) for each in orders],
    )


def _deadline_fields(line: DeadlineLine, today: date) -> dict[str, Any]:
    fields = msgspec.structs.asdict(line)
    for name in ("account_id", "officers", "region", "has_order"):
        del fields[name]
    return fields | {
        "kind_label": line.kind.label,
        "subject": line.kind.subject,
        "is_overdue": line.due_on < today,
        "stage_label": None if line.stage is None else line.stage.label,
        "level": None if line.level is None else line.level.value,
        "level_label": None if line.level is None else line.level.label,
        "has_supervision_order": line.has_order,
    }


def to_supervision(line: SupervisionLine, today: date) -> SupervisionCard:
    """A line of a list."""
    return SupervisionCard(**_supervision_fields(line, today))


def to_supervision_detail(
    line: SupervisionLine, order: SupervisionOrder, course: Sequence[SupervisionEntry], vault: Vault, today: date
) -> SupervisionDetail:
    """The whole of it, with its words opened."""
    return SupervisionDetail(
        **_supervision_fields(line, today),
        officers=list(order.officers),
        course=[
            SupervisionLineOfCourse(
                step=each.step,
                text=None if each.words_sealed is None else vault.open(WORDS_LABEL, each.words_sealed),
                account_id=each.account_id,
                done_at=each.done_at,
            )
            for each in course
        ],
    )


def _supervision_fields(line: SupervisionLine, today: date) -> dict[str, Any]:
    return msgspec.structs.asdict(line) | {
        "state_label": line.state.label,
        "matter_label": line.matter.label,
        "is_overdue": line.state.awaits_answer and line.due_on < today,
    }
