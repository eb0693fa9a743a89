"""Statements on who stands at a door, and with which order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from domain.checklist.tables import checklist_item
from domain.enterprise.tables import site
from domain.identity.tables import department
from domain.inspection.door_model import BadgeOfficer, OrderAtDoor
from domain.inspection.store import NOTICE_NUMBER
from domain.inspection.tables import check_in, inspection, inspection_item, inspection_officer, visit
from domain.membership.store import within_sites
from domain.officer.tables import officer
from domain.shared.sql import Query, uuid_list

_OF_DEPARTMENT: dict[str, Any] = {"department_name": department.c.name, "hotline": department.c.hotline}
OFFICER_AT_DOOR = Query(
    sa.select(
        *[
            (_OF_DEPARTMENT[name] if name in _OF_DEPARTMENT else officer.c[name]).label(name)
            for name in BadgeOfficer.__struct_fields__
        ]
    )
    .select_from(officer.join(department, department.c.id == officer.c.department_id))
    .where(officer.c.id == sa.bindparam("officer_id")),
    BadgeOfficer,
)

_ITEMS = (
    sa.select(sa.func.count())
    .select_from(inspection_item)
    .where(inspection_item.c.inspection_id == inspection.c.id)
    .scalar_subquery()
)
_IS_OPEN = sa.or_(
    inspection.c.list_digest.is_(None),
    inspection.c.list_released_at.is_not(None),
    sa.exists().where(visit.c.inspection_id == inspection.c.id, visit.c.voided_at.is_(None)),
)
_areas = (
    sa.select(checklist_item.c.area)
    .select_from(inspection_item.join(checklist_item, checklist_item.c.id == inspection_item.c.item_id))
    .where(inspection_item.c.inspection_id == inspection.c.id)
    .distinct()
    .correlate(inspection)
    .subquery("areas")
)
_AREAS = sa.case(
    (
        _IS_OPEN,
        sa.select(
            sa.func.coalesce(
                sa.func.array_agg(aggregate_order_by(_areas.c.area, _areas.c.area), type_=sa.ARRAY(sa.Text)),
                sa.text("'{}'::text[]"),
            )
        ).scalar_subquery(),
    ),
    else_=sa.text("'{}'::text[]"),
)
"""检查领域 of the drawn items, and nothing while the list is sealed: nobody learns early what is looked at."""


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """How much is on the list, and of what, as far as that may be told."""

    items: int
    is_list_open: bool
    areas: list[str]


DRAWN = Query(
    sa.select(_ITEMS.label("items"), _IS_OPEN.label("is_list_open"), _AREAS.label("areas")).where(
        inspection.c.id == sa.bindparam("inspection_id")
    ),
    Drawn,
)

_OF_ORDER: dict[str, Any] = {
    "inspection_id": inspection.c.id,
    "site_name": site.c.name,
    "authority": department.c.name,
    "notice_number": NOTICE_NUMBER,
    "items": _ITEMS,
    "is_list_open": _IS_OPEN,
    "areas": _AREAS,
}
ORDERS_AT_ENTERPRISE = Query(
    sa.select(
        *[
            (_OF_ORDER[name] if name in _OF_ORDER else inspection.c[name]).label(name)
            for name in OrderAtDoor.__struct_fields__
        ]
    )
    .select_from(
        inspection_officer.join(inspection, inspection.c.id == inspection_officer.c.inspection_id)
        .join(site, site.c.id == inspection.c.site_id)
        .join(department, department.c.id == inspection.c.initiating_department_id)
    )
    .where(
        inspection_officer.c.officer_id == sa.bindparam("officer_id"),
        site.c.enterprise_id == sa.bindparam("enterprise_id"),
        inspection.c.state == sa.text("'pending'"),
        inspection.c.starts_on <= sa.bindparam("today", type_=sa.Date),
        within_sites(inspection.c.site_id),
    )
    .order_by(inspection.c.due_on, inspection.c.id)
    .limit(20),
    OrderAtDoor,
)


class YearOfDepartment(msgspec.Struct, frozen=True, kw_only=True):
    """How many inspections brought a department to an enterprise within a year."""

    department_id: UUID
    visits: int
    routine_visits: int


VISITS_OF_YEAR = Query(
    sa.select(
        check_in.c.department_id,
        sa.func.count(inspection.c.id.distinct()).label("visits"),
        sa.func.count(inspection.c.id.distinct())
        .filter(inspection.c.kind == sa.text("'routine'"))
        .label("routine_visits"),
    )
    .select_from(
        site.join(inspection, inspection.c.site_id == site.c.id)
        .join(visit, visit.c.inspection_id == inspection.c.id)
        .join(check_in, check_in.c.visit_id == visit.c.id)
    )
    .where(
        site.c.enterprise_id == sa.bindparam("enterprise_id"),
        check_in.c.department_id == sa.any_(uuid_list("departments")),
        visit.c.voided_at.is_(None),
        visit.c.arrived_at >= sa.bindparam("since", type_=sa.DateTime(timezone=True)),
        visit.c.arrived_at < sa.bindparam("until", type_=sa.DateTime(timezone=True)),
    )
    .group_by(check_in.c.department_id),
    YearOfDepartment,
)
"""A visit that goes on another day is the same inspection, and counts once."""
