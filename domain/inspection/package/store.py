"""Statements of the package of the day: four, however many inspections."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from domain.checklist.tables import checklist_item
from domain.enterprise.tables import enterprise, site, site_code
from domain.identity.tables import department
from domain.inspection.answers.model import DrawnItem
from domain.inspection.answers.store import LINE_TEXTS
from domain.inspection.package.model import InspectionOfDay
from domain.inspection.store import NOTICE_NUMBER, PARTY, TASK_NUMBER
from domain.inspection.tables import inspection, inspection_item, inspection_officer, inspection_party
from domain.manual.store import MANUAL_IDS_OF_SITE
from domain.officer.tables import officer
from domain.shared.numbers import NumberKind
from domain.shared.sql import Query, uuid_list
from domain.shared.tables import issued_number


class DayRow(InspectionOfDay, frozen=True, kw_only=True):
    """An inspection of the day as it is stored, with the nonce of its list and the site's valid code."""

    manuals: list[UUID]
    nonce: bytes | None
    list_digest: bytes | None
    code_id: bytes | None
    key_version: int | None


def _gathered(columns: dict[str, Any], source: sa.FromClause, order: list[Any], *where: Any) -> sa.ScalarSelect[Any]:
    """Rows beside an inspection as one JSON array."""
    pairs: list[Any] = []
    for name, column in columns.items():
        pairs += [sa.literal_column(f"'{name}'"), column]
    rows = sa.func.jsonb_agg(aggregate_order_by(sa.func.jsonb_build_object(*pairs), *order))
    return sa.select(sa.func.coalesce(rows, sa.text("'[]'::jsonb"))).select_from(source).where(*where).scalar_subquery()


_parties = _gathered(
    {
        "department_id": department.c.id,
        "name": department.c.name,
        "is_lead": inspection_party.c.is_lead,
        "hotline": department.c.hotline,
    },
    inspection_party.join(department, department.c.id == inspection_party.c.department_id),
    [inspection_party.c.is_lead.desc(), department.c.code],
    inspection_party.c.inspection_id == inspection.c.id,
)
_assigned = inspection_officer.alias("assigned")
_officers = _gathered(
    {
        "id": officer.c.id,
        "name": officer.c.name,
        "department_id": _assigned.c.department_id,
        "certificate_number": officer.c.certificate_number,
        "certificate_valid_to": officer.c.certificate_valid_to,
    },
    _assigned.join(officer, officer.c.id == _assigned.c.officer_id),
    [_assigned.c.department_id, officer.c.id],
    _assigned.c.inspection_id == inspection.c.id,
)
_before = inspection.alias("before")
_recent = (
    sa.select(_before.c.completed_at, _before.c.outcome)
    .where(_before.c.site_id == inspection.c.site_id, _before.c.completed_at.is_not(None))
    .order_by(_before.c.completed_at.desc())
    .limit(5)
    .correlate(inspection)
    .subquery("recent")
)
_history = _gathered(
    {
        "completed_on": sa.cast(sa.func.timezone("Asia/Shanghai", _recent.c.completed_at), sa.Date),
        "outcome": _recent.c.outcome,
    },
    _recent,
    [_recent.c.completed_at.desc()],
)
_OF_OTHER_TABLES: dict[str, Any] = {
    "manuals": MANUAL_IDS_OF_SITE,
    "number": TASK_NUMBER,
    "notice_number": NOTICE_NUMBER,
    "site_name": PARTY["site_name"],
    "address": PARTY["address"],
    "longitude": site.c.longitude,
    "latitude": site.c.latitude,
    "radius_m": site.c.radius_m,
    "polygon": site.c.polygon,
    "enterprise_name": PARTY["name"],
    "uscc": PARTY["uscc"],
    "representative": PARTY["representative"],
    "parties": _parties,
    "officers": _officers,
    "history": _history,
    "code_id": site_code.c.code_id,
    "key_version": site_code.c.key_version,
}
DAY = Query(
    sa.select(
        *[
            (_OF_OTHER_TABLES[name] if name in _OF_OTHER_TABLES else inspection.c[name]).label(name)
            for name in DayRow.__struct_fields__
        ]
    )
    .select_from(
        inspection_officer.join(inspection, inspection.c.id == inspection_officer.c.inspection_id)
        .join(site, site.c.id == inspection.c.site_id)
        .join(enterprise, enterprise.c.id == site.c.enterprise_id)
        .join(department, department.c.id == inspection.c.initiating_department_id)
        .outerjoin(site_code, sa.and_(site_code.c.site_id == site.c.id, site_code.c.state == "issued"))
    )
    .where(
        inspection_officer.c.officer_id == sa.bindparam("officer_id"),
        inspection.c.state == "pending",
        inspection.c.starts_on <= sa.bindparam("until", type_=sa.Date),
        sa.tuple_(inspection.c.due_on, inspection.c.id)
        > sa.tuple_(sa.bindparam("after_due_on", type_=sa.Date), sa.bindparam("after_id", type_=sa.Uuid)),
    )
    .order_by(inspection.c.due_on, inspection.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    DayRow,
)


class PackedLine(DrawnItem, frozen=True, kw_only=True):
    """A drawn item, and of which inspection."""

    inspection_id: UUID


LINES_OF_MANY = Query(
    sa.select(
        *[inspection_item.c[name] for name in ("inspection_id", "item_id", "place", "department_id")],
        *[checklist_item.c[name] for name in LINE_TEXTS],
    )
    .select_from(inspection_item.join(checklist_item, checklist_item.c.id == inspection_item.c.item_id))
    .where(inspection_item.c.inspection_id == sa.any_(uuid_list("inspections")))
    .order_by(inspection_item.c.inspection_id, inspection_item.c.place),
    PackedLine,
)


class FreeNumber(msgspec.Struct, frozen=True, kw_only=True):
    """One leased number that is still free."""

    kind: NumberKind
    year: int
    sequence: int


HELD_NUMBERS = Query(
    sa.select(issued_number.c.kind, issued_number.c.year, issued_number.c.sequence)
    .where(
        issued_number.c.department_code == sa.bindparam("department_code"),
        issued_number.c.device_id == sa.bindparam("device_id"),
        issued_number.c.subject_id.is_(None),
        issued_number.c.voided_at.is_(None),
    )
    .order_by(issued_number.c.kind, issued_number.c.year, issued_number.c.sequence)
    .limit(200),
    FreeNumber,
)


class NumberSeries(msgspec.Struct, frozen=True):
    """By what a department's numbers are counted, and the 机关代字 they bear."""

    code: str
    paper_word: str | None


SERIES_OF_DEPARTMENT = Query(
    sa.select(department.c.code, department.c.paper_word).where(department.c.id == sa.bindparam("department_id")),
    NumberSeries,
)
