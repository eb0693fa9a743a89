"""Statements on hazards."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.enterprise.tables import enterprise, site
from domain.membership.store import within_sites
from domain.self_inspection.hazard.model import EscalatedHazard, Hazard, HazardSummary
from domain.self_inspection.tables import hazard
from domain.shared.sql import Command, Ltree, Query

_NAMES = Hazard.__struct_fields__
_FIXED = {"id", "enterprise_id", "site_id", "region", "self_inspection_id", "item_id", "found_at", "found_by"}
_WHOLE = sa.select(*[hazard.c[name] for name in _NAMES])
_by_id = _WHOLE.where(hazard.c.id == sa.bindparam("hazard_id"))
HAZARD_BY_ID = Query(_by_id, Hazard)
LOCK_HAZARD = Query(_by_id.with_for_update(), Hazard)
INSERT_HAZARD = Command(sa.insert(hazard).values({name: sa.bindparam(name) for name in _NAMES}))
UPDATE_HAZARD = Command(
    sa.update(hazard)
    .where(hazard.c.id == sa.bindparam("of_hazard"))
    .values({name: sa.bindparam(name) for name in _NAMES if name not in _FIXED})
)

_open = hazard.c.state == sa.text("'open'")


def _reminded(times: int, before: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        hazard.c.reminders == sa.literal_column(str(times)), hazard.c.due_on <= sa.bindparam(before, type_=sa.Date)
    )


LOCK_TO_REMIND = Query(
    _WHOLE.where(
        _open,
        hazard.c.reminders < sa.literal_column("2"),
        sa.or_(_reminded(0, "first_due_on"), _reminded(1, "last_due_on")),
    )
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True),
    Hazard,
)

# ---- lists

_state = sa.bindparam("state", type_=sa.Text)
_OF_SITE: dict[str, Any] = {"site_name": site.c.name, "address": site.c.address, "enterprise_name": enterprise.c.name}


def _columns(names: tuple[str, ...]) -> list[Any]:
    return [(_OF_SITE[name] if name in _OF_SITE else hazard.c[name]).label(name) for name in names]


LIST_HAZARDS = Query(
    sa.select(*_columns(HazardSummary.__struct_fields__))
    .select_from(hazard.join(site, site.c.id == hazard.c.site_id))
    .where(
        hazard.c.enterprise_id == sa.bindparam("enterprise_id"),
        hazard.c.state == _state,
        sa.tuple_(hazard.c.due_on, hazard.c.id)
        > sa.tuple_(sa.bindparam("after_due_on", type_=sa.Date), sa.bindparam("after_id", type_=sa.Uuid)),
        within_sites(hazard.c.site_id),
    )
    .order_by(hazard.c.due_on, hazard.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    HazardSummary,
)
"""An enterprise's own, by the term."""


def _escalated(condition: sa.ColumnElement[bool]) -> Query[EscalatedHazard]:
    return Query(
        sa.select(*_columns(EscalatedHazard.__struct_fields__))
        .select_from(
            hazard.join(site, site.c.id == hazard.c.site_id).join(enterprise, enterprise.c.id == hazard.c.enterprise_id)
        )
        .where(
            hazard.c.escalated_at.is_not(None),
            hazard.c.state == _state,
            sa.tuple_(hazard.c.escalated_at, hazard.c.id)
            > sa.tuple_(
                sa.bindparam("after_at", type_=sa.DateTime(timezone=True)), sa.bindparam("after_id", type_=sa.Uuid)
            ),
            condition,
        )
        .order_by(hazard.c.escalated_at, hazard.c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer)),
        EscalatedHazard,
    )


ESCALATED_TO_DEPARTMENT = _escalated(hazard.c.escalated_to == sa.bindparam("department_id"))
ESCALATED_IN_REGION = _escalated(hazard.c.region.op("<@")(sa.bindparam("region", type_=Ltree)))
