"""Who of the officials may look into an enterprise's space: whoever has an open order there, and the region's leads."""

from __future__ import annotations

from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.enterprise.tables import site
from domain.identity.model import Principal, Role
from domain.inspection.tables import inspection, inspection_officer
from domain.shared.errors import NotFound
from domain.shared.sql import Connection, Ltree, Query


class _Found(msgspec.Struct, frozen=True):
    id: UUID


_OF_ENTERPRISE = site.c.enterprise_id == sa.bindparam("enterprise_id")
OPEN_ORDER_OF_OFFICER = Query(
    sa.select(inspection.c.id)
    .select_from(
        site.join(inspection, inspection.c.site_id == site.c.id).join(
            inspection_officer, inspection_officer.c.inspection_id == inspection.c.id
        )
    )
    .where(
        _OF_ENTERPRISE,
        inspection.c.state == "pending",
        inspection_officer.c.officer_id == sa.bindparam("officer_id"),
    )
    .limit(1),
    _Found,
)
SITE_IN_REGION = Query(
    sa.select(site.c.id).where(_OF_ENTERPRISE, site.c.region.op("<@")(sa.bindparam("region", type_=Ltree))).limit(1),
    _Found,
)


async def require_look(connection: Connection, principal: Principal, enterprise_id: UUID) -> None:
    """The enterprise's own people, an inspector with an open order there, a lead of the region; nobody else.

    Raises `NotFound`: existence elsewhere is not told.
    """
    found: object | None = None
    match principal.role:
        case Role.ENTERPRISE:
            found = principal if principal.enterprise_id == enterprise_id else None
        case Role.INSPECTOR if principal.officer_id is not None:
            found = await OPEN_ORDER_OF_OFFICER.first(
                connection, enterprise_id=enterprise_id, officer_id=principal.officer_id
            )
        case Role.LEAD if principal.region is not None:
            found = await SITE_IN_REGION.first(connection, enterprise_id=enterprise_id, region=principal.region)
        case _:
            pass
    if found is None:
        raise NotFound("没有该监管对象。")
