"""Statements beside those on one kind: the place complained of, who may be sent, and what rooms above read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from domain.checklist.tables import checklist_version
from domain.complaint.grievance_store import IdRow, number_of
from domain.complaint.model import AcceptedComplaint
from domain.complaint.tables import complaint
from domain.enterprise.tables import enterprise, site
from domain.identity.tables import department
from domain.officer.model import CertifiedOfficer
from domain.officer.tables import officer
from domain.scene.tables import scene
from domain.shared.clock import WORKING_ZONE
from domain.shared.numbers import NumberKind
from domain.shared.sql import Command, Query, uuid_list
from domain.shared.tables import issued_number

_ZONE: Final = WORKING_ZONE.key


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The site that is complained of, and who handles it."""

    site_id: UUID
    site_name: str
    enterprise_id: UUID
    enterprise_name: str
    uscc: str
    region: str
    department_id: UUID | None
    department_code: str | None
    department_name: str | None
    hotline: str | None


_place = sa.select(
    site.c.id.label("site_id"),
    site.c.name.label("site_name"),
    enterprise.c.id.label("enterprise_id"),
    enterprise.c.name.label("enterprise_name"),
    enterprise.c.uscc,
    site.c.region,
    department.c.id.label("department_id"),
    department.c.code.label("department_code"),
    department.c.short_name.label("department_name"),
    department.c.hotline,
).select_from(
    site.join(enterprise, enterprise.c.id == site.c.enterprise_id).outerjoin(
        department, department.c.id == site.c.regulator_id
    )
)
PLACE_BY_ID = Query(_place.where(site.c.id == sa.bindparam("site_id")), Place)
SUBJECT_OF_NUMBER = Query(
    sa.select(issued_number.c.subject_id.label("id")).where(
        issued_number.c.department_code == sa.bindparam("department_code"),
        issued_number.c.kind == sa.bindparam("number_kind"),
        issued_number.c.year == sa.bindparam("year"),
        issued_number.c.sequence == sa.bindparam("sequence"),
        issued_number.c.subject_id.is_not(None),
    ),
    IdRow,
)
OFFICERS_OF_DEPARTMENT = Query(
    sa.select(*[officer.c[name] for name in CertifiedOfficer.__struct_fields__]).where(
        officer.c.id == sa.any_(uuid_list("ids")), officer.c.department_id == sa.bindparam("department_id")
    ),
    CertifiedOfficer,
)


class SceneCode(msgspec.Struct, frozen=True, kw_only=True):
    """A scene that exists."""

    code: str


SCENE_BY_CODE = Query(sa.select(scene.c.code).where(scene.c.code == sa.bindparam("code")), SceneCode)
PUBLISHED_VERSION = Query(
    sa.select(checklist_version.c.id).where(
        checklist_version.c.id == sa.bindparam("version_id"), checklist_version.c.published_at.is_not(None)
    ),
    IdRow,
)
MARK_HANDED_OVER = Command(
    sa.update(complaint)
    .where(complaint.c.id == sa.bindparam("of_grievance"), complaint.c.handed_over_reference.is_(None))
    .values(handed_over_reference=sa.bindparam("reference"))
)

# ---- what rooms above read

_of_type = (
    sa.select(complaint.c.type, sa.func.count().label("count"))
    .where(
        complaint.c.site_id == site.c.id,
        complaint.c.state == sa.literal_column("'closed'"),
        ~complaint.c.is_abusive,
        complaint.c.leading_id.is_(None),
    )
    .group_by(complaint.c.type)
    .correlate(site)
    .subquery("of_type")
)
CONCLUDED_COUNTS_OF_SITE = sa.select(
    sa.func.coalesce(
        sa.func.jsonb_agg(
            aggregate_order_by(
                sa.func.jsonb_build_object(
                    sa.literal_column("'type'"), _of_type.c.type, sa.literal_column("'count'"), _of_type.c.count
                ),
                _of_type.c.count.desc(),
                _of_type.c.type,
            ),
            type_=JSONB,
        ),
        sa.text("'[]'::jsonb"),
    )
).scalar_subquery()
"""Within a statement that reads `site`: counts of its concluded 投诉 by type, the most first, as `ConcludedCount`s.

Declined, withdrawn, merged and abusive ones are not in it, and no 举报 ever.
"""


def _day_of(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.timezone(sa.literal_column(f"'{_ZONE}'"), column), sa.Date)


_OF_ENTERPRISE = (
    complaint.c.enterprise_id == sa.bindparam("enterprise_id"),
    complaint.c.accepted_at.is_not(None),
    sa.or_(uuid_list("site_ids").is_(None), complaint.c.site_id == sa.any_(uuid_list("site_ids"))),
)
_told: Mapping[str, Any] = {
    "number": sa.func.coalesce(number_of(complaint.c.id, NumberKind.COMPLAINT), ""),
    "site_name": site.c.name,
    "filed_on": _day_of(complaint.c.filed_at),
    "accepted_on": _day_of(complaint.c.accepted_at),
}


class AcceptedRow(AcceptedComplaint, frozen=True, kw_only=True):
    """An accepted 投诉, and where it stands in the list."""

    accepted_at: datetime


ACCEPTED_OF_ENTERPRISE = Query(
    sa.select(
        *[(_told[name] if name in _told else complaint.c[name]).label(name) for name in AcceptedRow.__struct_fields__]
    )
    .select_from(complaint.join(site, site.c.id == complaint.c.site_id))
    .where(
        *_OF_ENTERPRISE,
        sa.tuple_(complaint.c.accepted_at, complaint.c.id)
        < sa.tuple_(
            sa.bindparam("before_at", type_=sa.DateTime(timezone=True)), sa.bindparam("before_id", type_=sa.Uuid)
        ),
    )
    .order_by(complaint.c.accepted_at.desc(), complaint.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    AcceptedRow,
)
"""Accepted 投诉 about an enterprise, the newest first, within `site_ids` (None: every site); never 举报."""
