"""Statements on deadlines and their stages, and on days laid over the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.deadline.model import CalendarDay, Deadline, DeadlineLine, RecordedStage
from domain.deadline.tables import calendar_day, deadline, deadline_stage, supervision_order
from domain.enterprise.tables import enterprise, site
from domain.identity.tables import account, department
from domain.shared.sql import Command, Ltree, Query, uuid_list

_INSTANT = sa.DateTime(timezone=True)
_ONE_CHANGE_AT_A_TIME: Final = 0x59A1_0028
"""An advisory lock: of two changes of the calendar at once the second waits, and each has an edition of its own."""
_limit = sa.bindparam("limit", type_=sa.Integer)

# ---- kept by what happens

_OF_THE_DAY: Final[Mapping[str, Any]] = {"set_at": _INSTANT, "next_stage_at": _INSTANT, "calendar_edition": sa.Integer}
_INSERTED: Final = (
    *("id", "kind", "subject_id", "department_id", "region", "site_id", "enterprise_id", "inspection_id"),
    *("account_id", "officers", "superior_id", "due_on", *_OF_THE_DAY),
)
_REPLACED: Final = ("department_id", "region", "account_id", "officers", "due_on")
_opened = upsert(deadline).values({name: sa.bindparam(name, type_=deadline.c[name].type) for name in _INSERTED})
OPEN_DEADLINE = Command(
    _opened.on_conflict_do_update(
        index_elements=["subject_id", "kind"],
        set_={
            **{name: _opened.excluded[name] for name in _REPLACED},
            # A due day that stays keeps its stages; another one begins anew.
            **{
                name: sa.case((deadline.c.due_on == _opened.excluded.due_on, deadline.c[name]), else_=fresh)
                for name, fresh in (("stage", sa.null()), ("level", sa.null()))
            },
            **{
                name: sa.case(
                    (
                        sa.and_(deadline.c.closed_at.is_(None), deadline.c.due_on == _opened.excluded.due_on),
                        deadline.c[name],
                    ),
                    else_=_opened.excluded[name],
                )
                for name in _OF_THE_DAY
            },
            "closed_at": sa.null(),
        },
    )
)
"""Opens, moves or reopens: one row for each matter and kind, for all of its life."""


class Moved(msgspec.Struct, frozen=True):
    """A deadline that a change has reached."""

    id: UUID


_reopens = sa.bindparam("reopens", type_=sa.Boolean)
MOVE_DEADLINE = Query(
    sa.update(deadline)
    .where(
        deadline.c.subject_id == sa.bindparam("of_subject", type_=sa.Uuid),
        deadline.c.kind == sa.bindparam("of_kind", type_=sa.Text),
        sa.or_(deadline.c.closed_at.is_(None), _reopens),
    )
    .values(
        due_on=sa.bindparam("due_by", type_=sa.Date),
        stage=sa.null(),
        level=sa.null(),
        closed_at=sa.null(),
        **{name: sa.bindparam(name, type_=kind) for name, kind in _OF_THE_DAY.items()},
    )
    .returning(deadline.c.id),
    Moved,
)
CLOSE_DEADLINES = Query(
    sa.update(deadline)
    .where(
        deadline.c.subject_id == sa.bindparam("of_subject", type_=sa.Uuid),
        deadline.c.kind == sa.any_(sa.bindparam("kinds", type_=sa.ARRAY(sa.Text))),
        deadline.c.closed_at.is_(None),
    )
    .values(closed_at=sa.bindparam("now", type_=_INSTANT), next_stage_at=sa.null())
    .returning(deadline.c.id),
    Moved,
)
REPLACE_OFFICER = Command(
    sa.update(deadline)
    .where(
        deadline.c.inspection_id == sa.bindparam("of_inspection", type_=sa.Uuid),
        deadline.c.closed_at.is_(None),
    )
    .values(
        officers=sa.func.array_replace(
            deadline.c.officers, sa.bindparam("former", type_=sa.Uuid), sa.bindparam("new", type_=sa.Uuid)
        )
    )
)

# ---- the sweep

_OF_DEPARTMENT: Final[Mapping[str, Any]] = {
    "department_name": department.c.short_name,
    "hotline": department.c.hotline,
}
_WHOLE = sa.select(
    *[
        (_OF_DEPARTMENT[name] if name in _OF_DEPARTMENT else deadline.c[name]).label(name)
        for name in Deadline.__struct_fields__
    ]
).select_from(deadline.join(department, department.c.id == deadline.c.department_id))
LOCK_DUE = Query(
    _WHOLE.where(deadline.c.closed_at.is_(None), deadline.c.next_stage_at <= sa.bindparam("now", type_=_INSTANT))
    .order_by(deadline.c.next_stage_at, deadline.c.id)
    .limit(_limit)
    .with_for_update(of=deadline, skip_locked=True),
    Deadline,
)
LOCK_OUTDATED = Query(
    _WHOLE.where(
        deadline.c.closed_at.is_(None), deadline.c.calendar_edition < sa.bindparam("edition", type_=sa.Integer)
    )
    .order_by(deadline.c.calendar_edition, deadline.c.id)
    .limit(_limit)
    .with_for_update(of=deadline, skip_locked=True),
    Deadline,
)
"""Planned by an earlier calendar than the one in force."""
LOCK_DEADLINE = Query(
    _WHOLE.where(deadline.c.id == sa.bindparam("deadline_id", type_=sa.Uuid)).with_for_update(of=deadline), Deadline
)
DEADLINE_BY_ID = Query(_WHOLE.where(deadline.c.id == sa.bindparam("deadline_id", type_=sa.Uuid)), Deadline)
_STAGE = [deadline_stage.c[name] for name in RecordedStage.__struct_fields__]
STAGES_OF = Query(
    sa.select(*_STAGE)
    .select_from(
        deadline_stage.join(
            deadline,
            sa.and_(deadline.c.id == deadline_stage.c.deadline_id, deadline.c.due_on == deadline_stage.c.due_on),
        )
    )
    .where(deadline_stage.c.deadline_id == sa.any_(uuid_list("deadlines"))),
    RecordedStage,
)
"""Those of the due days in force."""
INSERT_STAGE = Command(
    sa.insert(deadline_stage).values({name: sa.bindparam(name) for name in RecordedStage.__struct_fields__})
)
ADVANCE_DEADLINE = Command(
    sa.update(deadline)
    .where(deadline.c.id == sa.bindparam("of_deadline", type_=sa.Uuid))
    .values(
        stage=sa.bindparam("stage", type_=sa.Text),
        level=sa.bindparam("level", type_=sa.SmallInteger),
        next_stage_at=sa.bindparam("next_stage_at", type_=_INSTANT),
        calendar_edition=sa.bindparam("edition", type_=sa.Integer),
    )
)


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """A department as messages need it: its lead accounts are reached by SMS, at most ten of them."""

    id: UUID
    code: str
    name: str
    leads: list[UUID]


_leads = (
    sa.select(account.c.id)
    .where(
        account.c.department_id == department.c.id,
        account.c.role == sa.literal_column("'lead'"),
        account.c.disabled_at.is_(None),
    )
    .order_by(account.c.created_at, account.c.id)
    .limit(10)
    .correlate(department)
)
_DESK = sa.select(
    department.c.id,
    department.c.code,
    department.c.short_name.label("name"),
    sa.func.array(_leads.scalar_subquery(), type_=sa.ARRAY(sa.Uuid)).label("leads"),
)
DESK_BY_ID = Query(_DESK.where(department.c.id == sa.bindparam("department_id", type_=sa.Uuid)), Desk)
_below = department.alias("below")
DESKS_ABOVE = Query(
    _DESK.where(
        department.c.path.op("@>")(
            sa.select(_below.c.path)
            .where(_below.c.id == sa.bindparam("department_id", type_=sa.Uuid))
            .scalar_subquery()
        ),
        department.c.id != sa.bindparam("department_id", type_=sa.Uuid),
    )
    .order_by(sa.func.nlevel(department.c.path).desc(), department.c.id)
    .limit(20),
    Desk,
)
"""The departments above one, the nearest first."""

# ---- lists

_has_order = sa.exists().where(supervision_order.c.deadline_id == deadline.c.id, supervision_order.c.is_open)
_OF_LINE: Final[Mapping[str, Any]] = {
    "department_name": department.c.name,
    "site_name": site.c.name,
    "enterprise_name": enterprise.c.name,
    "has_order": _has_order,
}
_LINE = sa.select(
    *[(_OF_LINE[name] if name in _OF_LINE else deadline.c[name]).label(name) for name in DeadlineLine.__struct_fields__]
).select_from(
    deadline.join(department, department.c.id == deadline.c.department_id)
    .outerjoin(site, site.c.id == deadline.c.site_id)
    .outerjoin(enterprise, enterprise.c.id == sa.func.coalesce(deadline.c.enterprise_id, site.c.enterprise_id))
)
LINE_BY_ID = Query(_LINE.where(deadline.c.id == sa.bindparam("deadline_id", type_=sa.Uuid)), DeadlineLine)
_kind = sa.bindparam("kind", type_=sa.Text)
_level = sa.bindparam("level", type_=sa.SmallInteger)
_PAGE = (
    deadline.c.closed_at.is_(None),
    sa.or_(_kind.is_(None), deadline.c.kind == _kind),
    sa.or_(_level.is_(None), deadline.c.level <= _level),
)


def _list(condition: sa.ColumnElement[bool], due_on: sa.ColumnElement[date] = deadline.c.due_on) -> Query[DeadlineLine]:
    # One bound of `due_on` beside the cursor's, as in the list of inspections.
    after = sa.tuple_(sa.bindparam("after_due_on", type_=sa.Date), sa.bindparam("after_id", type_=sa.Uuid))
    return Query(
        _LINE.where(
            *_PAGE,
            condition,
            due_on <= sa.bindparam("due_to", type_=sa.Date),
            sa.tuple_(due_on, deadline.c.id) > after,
        )
        .order_by(deadline.c.due_on, deadline.c.id)
        .limit(_limit),
        DeadlineLine,
    )


LIST_OF_DEPARTMENT = _list(deadline.c.department_id == sa.bindparam("department_id", type_=sa.Uuid))
LIST_OF_REGION = _list(deadline.c.region.op("<@")(sa.bindparam("region", type_=Ltree)))
LIST_OF_OFFICER = _list(
    deadline.c.officers.bool_op("@>")(uuid_list("officers")),
    # An expression, which no index of due days answers: those of one officer are few, and found by an index of theirs.
    sa.cast(deadline.c.due_on + sa.literal_column("0", sa.Integer), sa.Date),
)

# ---- the calendar


class Edition(msgspec.Struct, frozen=True):
    """The calendar's edition; 0 while nothing is laid over the notices."""

    edition: int


EDITION = Query(sa.select(sa.func.coalesce(sa.func.max(calendar_day.c.edition), 0).label("edition")), Edition)
_DAY = [calendar_day.c[name] for name in CalendarDay.__struct_fields__]
ALL_DAYS = Query(sa.select(*_DAY).order_by(calendar_day.c.on), CalendarDay)
DAYS_OF_YEAR = Query(
    sa.select(*_DAY)
    .where(calendar_day.c.on.between(sa.bindparam("first_on", type_=sa.Date), sa.bindparam("last_on", type_=sa.Date)))
    .order_by(calendar_day.c.on),
    CalendarDay,
)
LOCK_CALENDAR = Command(sa.select(sa.func.pg_advisory_xact_lock(sa.literal_column(str(_ONE_CHANGE_AT_A_TIME)))))
_laid = upsert(calendar_day).values(
    {name: sa.bindparam(name) for name in (*CalendarDay.__struct_fields__, "edition", "set_at")}
)
LAY_DAY = Command(
    _laid.on_conflict_do_update(
        index_elements=["on"],
        set_={name: _laid.excluded[name] for name in ("is_working", "note", "edition", "set_at")},
    )
)
