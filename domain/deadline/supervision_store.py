"""Statements on supervision orders (督办单)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from domain.deadline.model import SupervisionEntry, SupervisionLine, SupervisionOrder
from domain.deadline.tables import deadline, supervision_order, supervision_step
from domain.enterprise.tables import site
from domain.identity.tables import department
from domain.shared.number_text import number_of
from domain.shared.numbers import NumberKind
from domain.shared.sql import Command, Ltree, Query, uuid_list

INSERT_SUPERVISION = Command(
    sa.insert(supervision_order).values({name: sa.bindparam(name) for name in SupervisionOrder.__struct_fields__})
)
_WHOLE = sa.select(*[supervision_order.c[name] for name in SupervisionOrder.__struct_fields__])
LOCK_SUPERVISION = Query(
    _WHOLE.where(supervision_order.c.id == sa.bindparam("order_id", type_=sa.Uuid)).with_for_update(), SupervisionOrder
)
SUPERVISION_BY_ID = Query(
    _WHOLE.where(supervision_order.c.id == sa.bindparam("order_id", type_=sa.Uuid)), SupervisionOrder
)
_open_of_deadlines = _WHOLE.where(
    supervision_order.c.deadline_id == sa.any_(uuid_list("deadlines")), supervision_order.c.is_open
).order_by(supervision_order.c.id)
OPEN_OF_DEADLINES = Query(_open_of_deadlines, SupervisionOrder)
LOCK_OPEN_OF_DEADLINES = Query(_open_of_deadlines.with_for_update(), SupervisionOrder)
_CHANGING: Final = ("state", "is_open", "due_on", "answered_by", "ended_at")
UPDATE_SUPERVISION = Command(
    sa.update(supervision_order)
    .where(supervision_order.c.id == sa.bindparam("of_order", type_=sa.Uuid))
    .values({name: sa.bindparam(name) for name in _CHANGING})
)
INSERT_STEP = Command(
    sa.insert(supervision_step).values({name: sa.bindparam(name) for name in SupervisionEntry.__struct_fields__})
)
STEPS_OF_ORDER = Query(
    sa.select(*[supervision_step.c[name] for name in SupervisionEntry.__struct_fields__])
    .where(supervision_step.c.order_id == sa.bindparam("order_id", type_=sa.Uuid))
    .order_by(supervision_step.c.n)
    .limit(200),
    SupervisionEntry,
)


# ---- lists

_superior = department.alias("superior")
_OF_LINE: Final[Mapping[str, Any]] = {
    "number": sa.func.coalesce(number_of(supervision_order.c.id, NumberKind.SUPERVISION), ""),
    "department_name": department.c.name,
    "superior_name": _superior.c.name,
    "matter": deadline.c.kind,
    "subject_id": deadline.c.subject_id,
    "matter_due_on": deadline.c.due_on,
    "site_name": site.c.name,
}
_LINE = sa.select(
    *[
        (_OF_LINE[name] if name in _OF_LINE else supervision_order.c[name]).label(name)
        for name in SupervisionLine.__struct_fields__
    ]
).select_from(
    supervision_order.join(deadline, deadline.c.id == supervision_order.c.deadline_id)
    .join(department, department.c.id == supervision_order.c.department_id)
    .join(_superior, _superior.c.id == supervision_order.c.superior_id)
    .outerjoin(site, site.c.id == deadline.c.site_id)
)
SUPERVISION_LINE = Query(
    _LINE.where(supervision_order.c.id == sa.bindparam("order_id", type_=sa.Uuid)), SupervisionLine
)
LINES_OF_DEADLINE = Query(
    _LINE.where(supervision_order.c.deadline_id == sa.bindparam("deadline_id", type_=sa.Uuid))
    .order_by(supervision_order.c.issued_at.desc(), supervision_order.c.id.desc())
    .limit(20),
    SupervisionLine,
)
_state = sa.bindparam("state", type_=sa.Text)
_PAGE = (
    supervision_order.c.is_open == sa.bindparam("is_open", type_=sa.Boolean),
    sa.tuple_(supervision_order.c.due_on, supervision_order.c.id)
    > sa.tuple_(sa.bindparam("after_due_on", type_=sa.Date), sa.bindparam("after_id", type_=sa.Uuid)),
    sa.or_(_state.is_(None), supervision_order.c.state == _state),
)


def _list(condition: sa.ColumnElement[bool]) -> Query[SupervisionLine]:
    return Query(
        _LINE.where(*_PAGE, condition)
        .order_by(supervision_order.c.due_on, supervision_order.c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer)),
        SupervisionLine,
    )


RECEIVED_BY_DEPARTMENT = _list(supervision_order.c.department_id == sa.bindparam("department_id", type_=sa.Uuid))
RECEIVED_BY_OFFICER = _list(supervision_order.c.officers.bool_op("@>")(uuid_list("officers")))
ISSUED_BY_DEPARTMENT = _list(supervision_order.c.superior_id == sa.bindparam("department_id", type_=sa.Uuid))
OF_REGION = _list(supervision_order.c.region.op("<@")(sa.bindparam("region", type_=Ltree)))
