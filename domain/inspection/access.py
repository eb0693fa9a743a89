"""Who may see something of an inspection: one question, asked by every room that shows some of it."""

from __future__ import annotations

from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.enterprise.tables import site
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.inspection.model import InspectionState
from domain.inspection.tables import inspection, inspection_officer, inspection_party, officer_replacement, visit
from domain.membership.rules import acts_for
from domain.shared.errors import NotFound
from domain.shared.sql import Connection, Query


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What of an inspection decides who may see it; `departments` by the lead first, `officers` all assigned.

    `former_officers` were replaced: what they did there may still be on its way from their phones.
    """

    inspection_id: UUID
    state: InspectionState
    region: str
    site_id: UUID
    enterprise_id: UUID
    departments: list[UUID]
    officers: list[UUID]
    former_officers: list[UUID]
    has_visit: bool


def _array_of(column: sa.Column[UUID], *order: sa.ColumnElement[object]) -> sa.ScalarSelect[list[UUID]]:
    table = column.table
    rows = (
        sa.select(column).where(table.c.inspection_id == inspection.c.id).order_by(*order, column).correlate(inspection)
    )
    return sa.select(sa.func.array(rows.scalar_subquery(), type_=sa.ARRAY(sa.Uuid))).scalar_subquery()


STANDING = Query(
    sa.select(
        inspection.c.id.label("inspection_id"),
        inspection.c.state,
        inspection.c.region,
        inspection.c.site_id,
        site.c.enterprise_id,
        _array_of(inspection_party.c.department_id, inspection_party.c.is_lead.desc()).label("departments"),
        _array_of(inspection_officer.c.officer_id).label("officers"),
        _array_of(officer_replacement.c.former_officer_id).label("former_officers"),
        sa.exists().where(visit.c.inspection_id == inspection.c.id, visit.c.voided_at.is_(None)).label("has_visit"),
    )
    .select_from(inspection.join(site, site.c.id == inspection.c.site_id))
    .where(inspection.c.id == sa.bindparam("inspection_id")),
    Standing,
)


def may_read(principal: Principal, standing: Standing) -> bool:
    """An inspector sees their own, a manager the department's, a lead the region's (D8), an enterprise its own.

    An enterprise does so only once officers stood at its door: nobody announces a visit.
    """
    match principal.role:
        case Role.INSPECTOR:
            return principal.officer_id in {*standing.officers, *standing.former_officers}
        case Role.DEPARTMENT_MANAGER:
            return principal.department_id in standing.departments
        case Role.LEAD:
            return within_region(principal, standing.region)
        case Role.ENTERPRISE:
            return acts_for(principal, standing.enterprise_id, standing.site_id) and standing.has_visit
        case Role.ADMINISTRATOR:
            return False


async def find_readable(connection: Connection, principal: Principal, inspection_id: UUID) -> Standing:
    """The standing of an inspection that `principal` may see. Raises `NotFound`: existence elsewhere is not told."""
    standing = await STANDING.first(connection, inspection_id=inspection_id)
    if standing is None or not may_read(principal, standing):
        raise NotFound("没有该检查任务。")
    return standing
