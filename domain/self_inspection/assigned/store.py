"""Statements on assigned tasks, their rows, objects and answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.enterprise.tables import enterprise, site
from domain.identity.tables import department
from domain.membership.store import within_sites
from domain.self_inspection.assigned.model import (
    AnsweredRow,
    ObjectLine,
    ReceivedTask,
    Task,
    TaskObject,
    TaskRow,
    TaskSummary,
)
from domain.self_inspection.store import Photo, answer_json, save_answer
from domain.self_inspection.tables import (
    assigned_task,
    assigned_task_answer,
    assigned_task_object,
    assigned_task_row,
)
from domain.shared.bulk import given_rows, types_of
from domain.shared.numbers import NumberKind
from domain.shared.sql import Command, Ltree, Query, uuid_list
from domain.shared.tables import issued_number

_task_id = sa.bindparam("task_id", type_=sa.Uuid)
_limit = sa.bindparam("limit", type_=sa.Integer)
_state = sa.bindparam("state", type_=sa.Text)

# ---- tasks

_register = issued_number.alias("register")
_NUMBER = (
    sa.select(
        sa.func.concat(
            _register.c.department_code,
            "-",
            _register.c.year,
            sa.literal_column(f"'-{NumberKind.PATROL.value}-'"),
            sa.func.lpad(sa.cast(_register.c.sequence, sa.Text), 6, "0"),
        )
    )
    .where(
        _register.c.subject_id == assigned_task.c.id,
        _register.c.kind == sa.literal_column(f"'{NumberKind.PATROL.value}'"),
        _register.c.voided_at.is_(None),
    )
    .correlate(assigned_task)
    .scalar_subquery()
)
_ROW_COUNT = (
    sa.select(sa.func.count())
    .select_from(assigned_task_row)
    .where(assigned_task_row.c.task_id == assigned_task.c.id)
    .correlate(assigned_task)
    .scalar_subquery()
)
_OF_OTHERS: dict[str, Any] = {
    "number": _NUMBER,
    "row_count": _ROW_COUNT,
    "department": department.c.name,
    "department_code": department.c.code,
}
_WITH_DEPARTMENT = assigned_task.join(department, department.c.id == assigned_task.c.department_id)


def _task_columns(names: tuple[str, ...]) -> list[Any]:
    return [(_OF_OTHERS[name] if name in _OF_OTHERS else assigned_task.c[name]).label(name) for name in names]


_WHOLE = sa.select(*_task_columns(Task.__struct_fields__)).select_from(_WITH_DEPARTMENT)
LOCK_TASK = Query(_WHOLE.where(assigned_task.c.id == _task_id).with_for_update(of=assigned_task), Task)
_STORED = tuple(name for name in Task.__struct_fields__ if name != "department_code")
_FIXED = {"id", "department_id", "region", "created_by", "created_at"}
INSERT_TASK = Command(
    sa.insert(assigned_task).values(
        {name: sa.bindparam(name) for name in _STORED} | {"answered": 0, "answered_late": 0}
    )
)
UPDATE_TASK = Command(
    sa.update(assigned_task)
    .where(assigned_task.c.id == sa.bindparam("of_task"))
    .values({name: sa.bindparam(name) for name in _STORED if name not in _FIXED})
)
COUNT_ANSWERED = Command(
    sa.update(assigned_task)
    .where(assigned_task.c.id == sa.bindparam("of_task"))
    .values(
        answered=assigned_task.c.answered + 1,
        answered_late=assigned_task.c.answered_late + sa.bindparam("late", type_=sa.Integer),
    )
)

_SUMMARY = sa.select(*_task_columns(TaskSummary.__struct_fields__)).select_from(_WITH_DEPARTMENT)
TASK_SUMMARY = Query(_SUMMARY.where(assigned_task.c.id == _task_id), TaskSummary)


def _list(condition: sa.ColumnElement[bool]) -> Query[TaskSummary]:
    return Query(
        _SUMMARY.where(
            condition,
            assigned_task.c.id < sa.bindparam("before_id", type_=sa.Uuid),
            sa.or_(_state.is_(None), assigned_task.c.state == _state),
        )
        .order_by(assigned_task.c.id.desc())
        .limit(_limit),
        TaskSummary,
    )


LIST_OF_DEPARTMENT = _list(assigned_task.c.department_id == sa.bindparam("department_id"))
LIST_OF_REGION = _list(assigned_task.c.region.op("<@")(sa.bindparam("region", type_=Ltree)))

# ---- rows

_ROW_NAMES = TaskRow.__struct_fields__
_ROWS = sa.select(*[assigned_task_row.c[name] for name in _ROW_NAMES])
ROWS_OF_TASK = Query(
    _ROWS.where(assigned_task_row.c.task_id == _task_id).order_by(assigned_task_row.c.place, assigned_task_row.c.id),
    TaskRow,
)
INSERT_ROW = Command(
    sa.insert(assigned_task_row).values({name: sa.bindparam(name) for name in ("task_id", *_ROW_NAMES)})
)
DELETE_ROWS = Command(
    sa.delete(assigned_task_row).where(
        assigned_task_row.c.task_id == sa.bindparam("of_task"), assigned_task_row.c.id == sa.any_(uuid_list("row_ids"))
    )
)

# ---- objects


class SiteToAssign(msgspec.Struct, frozen=True, kw_only=True):
    """A site that a task goes to."""

    site_id: UUID
    enterprise_id: UUID


def _any_of(name: str, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """The condition, where the list names anything at all."""
    given = sa.bindparam(name, type_=sa.ARRAY(sa.Text))
    return sa.or_(sa.func.cardinality(given) == sa.text("0"), column == sa.any_(given))


_regions = sa.bindparam("regions", type_=sa.ARRAY(sa.Text))
_business_types = sa.bindparam("business_types", type_=sa.ARRAY(sa.Text))
_IN_SCOPE = (site.c.region.op("<@")(sa.bindparam("region", type_=Ltree)), enterprise.c.revoked_on.is_(None))
_BY_FILTER = (
    *_IN_SCOPE,
    sa.or_(
        sa.func.cardinality(_regions) == sa.text("0"),
        site.c.region.op("<@")(sa.any_(sa.cast(_regions, sa.ARRAY(Ltree)))),
    ),
    sa.or_(sa.func.cardinality(_business_types) == sa.text("0"), site.c.business_types.op("&&")(_business_types)),
    _any_of("risk_levels", enterprise.c.risk_level),
    _any_of("credit_grades", enterprise.c.credit_grade),
)
_BY_ID = (*_IN_SCOPE, site.c.id == sa.any_(uuid_list("site_ids")))
_WITH_ENTERPRISE = site.join(enterprise, enterprise.c.id == site.c.enterprise_id)


class Counted(msgspec.Struct, frozen=True):
    """How many."""

    found: int


def _count(*conditions: sa.ColumnElement[bool]) -> Query[Counted]:
    return Query(sa.select(sa.func.count().label("found")).select_from(_WITH_ENTERPRISE).where(*conditions), Counted)


def _page(*conditions: sa.ColumnElement[bool]) -> Query[SiteToAssign]:
    return Query(
        sa.select(site.c.id.label("site_id"), site.c.enterprise_id)
        .select_from(_WITH_ENTERPRISE)
        .where(site.c.id > sa.bindparam("after_site_id", type_=sa.Uuid), *conditions)
        .order_by(site.c.id)
        .limit(_limit),
        SiteToAssign,
    )


COUNT_BY_FILTER, COUNT_BY_ID = _count(*_BY_FILTER), _count(*_BY_ID)
PAGE_BY_FILTER, PAGE_BY_ID = _page(*_BY_FILTER), _page(*_BY_ID)

NEW_OBJECT = types_of(assigned_task_object, ("id", "site_id", "enterprise_id"))
_new = given_rows(NEW_OBJECT)


class NewObject(msgspec.Struct, frozen=True):
    """The enterprise of an object that was not there before."""

    enterprise_id: UUID


INSERT_OBJECTS = Query(
    upsert(assigned_task_object)
    .from_select(
        ["id", "site_id", "enterprise_id", "task_id", "state", "problem_count", "is_late"],
        sa.select(
            _new.c.id,
            _new.c.site_id,
            _new.c.enterprise_id,
            _task_id,
            sa.literal_column("'open'"),
            sa.literal_column("0"),
            sa.false(),
        ),
    )
    .on_conflict_do_nothing()
    .returning(assigned_task_object.c.enterprise_id),
    NewObject,
)

_OF_TASK = {"starts_on": assigned_task.c.starts_on, "ends_on": assigned_task.c.ends_on}
_OBJECT = (
    sa.select(
        *[
            (_OF_TASK[name] if name in _OF_TASK else assigned_task_object.c[name]).label(name)
            for name in TaskObject.__struct_fields__
        ]
    )
    .select_from(assigned_task_object.join(assigned_task, assigned_task.c.id == assigned_task_object.c.task_id))
    .where(assigned_task_object.c.id == sa.bindparam("object_id"))
)
OBJECT_BY_ID = Query(_OBJECT, TaskObject)
LOCK_OBJECT = Query(_OBJECT.with_for_update(of=assigned_task_object), TaskObject)
SHARE_OBJECT = Query(_OBJECT.with_for_update(of=assigned_task_object, read=True), TaskObject)
MARK_SUBMITTED = Command(
    sa.update(assigned_task_object)
    .where(assigned_task_object.c.id == sa.bindparam("of_object"))
    .values(
        state="submitted",
        problem_count=sa.bindparam("problems"),
        submitted_by=sa.bindparam("account_id"),
        submitted_at=sa.bindparam("now"),
        is_late=sa.bindparam("late"),
    )
)
_NAMES_OF_OBJECT: dict[str, Any] = {"enterprise_name": enterprise.c.name, "site_name": site.c.name}
_OBJECT_LINE = sa.select(
    *[
        (_NAMES_OF_OBJECT[name] if name in _NAMES_OF_OBJECT else assigned_task_object.c[name]).label(name)
        for name in ObjectLine.__struct_fields__
    ]
).select_from(
    assigned_task_object.join(site, site.c.id == assigned_task_object.c.site_id).join(
        enterprise, enterprise.c.id == assigned_task_object.c.enterprise_id
    )
)
LIST_OBJECTS = Query(
    _OBJECT_LINE.where(
        assigned_task_object.c.task_id == _task_id,
        assigned_task_object.c.state == _state,
        assigned_task_object.c.id > sa.bindparam("after_id", type_=sa.Uuid),
    )
    .order_by(assigned_task_object.c.id)
    .limit(_limit),
    ObjectLine,
)
OBJECT_LINE = Query(
    _OBJECT_LINE.where(
        assigned_task_object.c.task_id == _task_id, assigned_task_object.c.id == sa.bindparam("object_id")
    ),
    ObjectLine,
)

_ANSWERED = (
    sa.select(sa.func.count())
    .select_from(assigned_task_answer)
    .where(assigned_task_answer.c.object_id == assigned_task_object.c.id)
    .correlate(assigned_task_object)
    .scalar_subquery()
)
_OF_RECEIVED: dict[str, Any] = {
    **{name: assigned_task.c[name] for name in ("name", "patrol_type", "starts_on", "ends_on")},
    "number": _NUMBER,
    "row_count": _ROW_COUNT,
    "department": department.c.name,
    "hotline": department.c.hotline,
    "site_name": site.c.name,
    "answered": _ANSWERED,
}
_RECEIVED = sa.select(
    *[
        (_OF_RECEIVED[name] if name in _OF_RECEIVED else assigned_task_object.c[name]).label(name)
        for name in ReceivedTask.__struct_fields__
    ]
).select_from(
    assigned_task_object.join(assigned_task, assigned_task.c.id == assigned_task_object.c.task_id)
    .join(department, department.c.id == assigned_task.c.department_id)
    .join(site, site.c.id == assigned_task_object.c.site_id)
)
RECEIVED_BY_ID = Query(_RECEIVED.where(assigned_task_object.c.id == sa.bindparam("object_id")), ReceivedTask)
LIST_RECEIVED = Query(
    _RECEIVED.where(
        assigned_task_object.c.enterprise_id == sa.bindparam("enterprise_id"),
        assigned_task_object.c.state == _state,
        assigned_task_object.c.id < sa.bindparam("before_id", type_=sa.Uuid),
        within_sites(assigned_task_object.c.site_id),
    )
    .order_by(assigned_task_object.c.id.desc())
    .limit(_limit),
    ReceivedTask,
)
"""交办任务 of an enterprise, the newest first."""

# ---- answers

_of_row = sa.and_(
    assigned_task_answer.c.row_id == assigned_task_row.c.id,
    assigned_task_answer.c.object_id == sa.bindparam("object_id", type_=sa.Uuid),
)
_ANSWERED_ROWS = (
    sa.select(
        *[assigned_task_row.c[name] for name in _ROW_NAMES],
        sa.case((assigned_task_answer.c.row_id.is_not(None), answer_json(assigned_task_answer))).label("answer"),
    )
    .select_from(assigned_task_row.outerjoin(assigned_task_answer, _of_row))
    .where(assigned_task_row.c.task_id == _task_id)
)
ANSWERED_ROWS = Query(_ANSWERED_ROWS.order_by(assigned_task_row.c.place, assigned_task_row.c.id), AnsweredRow)
ANSWERED_ROW = Query(_ANSWERED_ROWS.where(assigned_task_row.c.id == sa.bindparam("row_id", type_=sa.Uuid)), AnsweredRow)
PHOTOS_OF_OTHER_ROWS = Query(
    sa.select(sa.func.unnest(assigned_task_answer.c.photos).label("photo")).where(
        assigned_task_answer.c.object_id == sa.bindparam("object_id"),
        assigned_task_answer.c.row_id != sa.bindparam("row_id"),
    ),
    Photo,
)
SAVE_ANSWER = save_answer(assigned_task_answer, "object_id", "row_id")
