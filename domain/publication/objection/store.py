"""Statements on objections."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.enterprise.tables import enterprise, site
from domain.identity.tables import department
from domain.inspection.tables import (
    answer,
    check_in,
    inspection,
    inspection_officer,
    inspection_party,
    officer_replacement,
    signature,
    visit,
)
from domain.membership.store import within_sites
from domain.publication.objection.model import Attendance, Objection, ObjectionSummary
from domain.publication.objection.tables import objection
from domain.publication.tables import publication
from domain.shared.number_text import number_of
from domain.shared.numbers import NumberKind
from domain.shared.sql import Command, Ltree, Query
from domain.shared.tables import trace

_COLUMNS = [objection.c[name] for name in Objection.__struct_fields__]
_by_id = sa.select(*_COLUMNS).where(objection.c.id == sa.bindparam("objection_id"))
OBJECTION_BY_ID = Query(_by_id, Objection)
LOCK_OBJECTION = Query(_by_id.with_for_update(), Objection)
OPEN_OF_PUBLICATION = Query(
    sa.select(*_COLUMNS).where(
        objection.c.publication_id == sa.bindparam("publication_id"), objection.c.state == sa.text("'open'")
    ),
    Objection,
)
INSERT_OBJECTION = Command(
    sa.insert(objection).values({name: sa.bindparam(name) for name in Objection.__struct_fields__})
)
END_OBJECTION = Command(
    sa.update(objection)
    .where(objection.c.id == sa.bindparam("of_objection"))
    .values({name: sa.bindparam(name) for name in ("state", "decided_by", "decision", "ended_at")})
)


class DepartmentCode(msgspec.Struct, frozen=True):
    """What numbers the acts of a department."""

    code: str


CODE_OF_DEPARTMENT = Query(
    sa.select(department.c.code).where(department.c.id == sa.bindparam("department_id")), DepartmentCode
)


class PartyId(msgspec.Struct, frozen=True):
    """A department that took part."""

    department_id: UUID


PARTIES_OF_INSPECTION = Query(
    sa.select(inspection_party.c.department_id).where(
        inspection_party.c.inspection_id == sa.bindparam("inspection_id")
    ),
    PartyId,
)

# ---- who was there

_inspection_id = sa.bindparam("inspection_id", type_=sa.Uuid)
_ON_SITE = (
    "checked_in",
    "departed",
    "visit_voided",
    "list_released",
    "answer_recorded",
    "answers_marked_in_bulk",
    "record_facts_recorded",
    "record_signed",
    "record_reopened",
    "completed",
    "suspended",
)
"""What the trace calls the acts of those who were there; dispatching or replacing an officer is done from a desk."""


def _of(column: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(column.label("id")).where(column.table.c.inspection_id == _inspection_id)


def _checked_in(column: sa.Column[Any]) -> sa.Select[Any]:
    return (
        sa.select(column.label("id"))
        .select_from(check_in.join(visit, visit.c.id == check_in.c.visit_id))
        .where(visit.c.inspection_id == _inspection_id)
    )


_there = sa.union(
    _of(inspection_officer.c.officer_id),
    _of(officer_replacement.c.former_officer_id),
    _of(officer_replacement.c.officer_id),
    _of(answer.c.officer_id),
    _of(signature.c.officer_id).where(signature.c.officer_id.is_not(None)),
    _checked_in(check_in.c.officer_id),
    _checked_in(check_in.c.second_officer_id),
).subquery("there")
_did = (
    sa.select(trace.c.operator_id)
    .where(
        trace.c.subject_id == _inspection_id,
        trace.c.action.in_([sa.literal_column(f"'inspection.{each}'") for each in _ON_SITE]),
    )
    .distinct()
)
ATTENDANCE = Query(
    sa.select(
        sa.func.array(sa.select(_there.c.id).scalar_subquery(), type_=sa.ARRAY(sa.Uuid)).label("officers"),
        sa.func.array(_did.scalar_subquery(), type_=sa.ARRAY(sa.Uuid)).label("accounts"),
    ),
    Attendance,
)
"""Accounts out of the trace, for whoever completed it stands nowhere else."""

# ---- lists

_OF_OTHERS: dict[str, Any] = {
    "number": number_of(objection.c.id, NumberKind.OBJECTION),
    "publication_state": publication.c.state,
    "inspection_name": inspection.c.name,
    "enterprise_name": enterprise.c.name,
    "site_name": site.c.name,
}
_SUMMARY = sa.select(
    *[
        (_OF_OTHERS[name] if name in _OF_OTHERS else objection.c[name]).label(name)
        for name in ObjectionSummary.__struct_fields__
    ]
).select_from(
    objection.join(publication, publication.c.id == objection.c.publication_id)
    .join(inspection, inspection.c.id == objection.c.inspection_id)
    .join(enterprise, enterprise.c.id == objection.c.enterprise_id)
    .join(site, site.c.id == objection.c.site_id)
)
SUMMARY_BY_ID = Query(_SUMMARY.where(objection.c.id == sa.bindparam("objection_id")), ObjectionSummary)
_page = (
    _SUMMARY.where(
        objection.c.state == sa.bindparam("state"),
        sa.tuple_(objection.c.due_at, objection.c.id)
        > sa.tuple_(
            sa.bindparam("after_due_at", type_=sa.DateTime(timezone=True)), sa.bindparam("after_id", type_=sa.Uuid)
        ),
    )
    .order_by(objection.c.due_at, objection.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
LIST_OF_DEPARTMENT = Query(_page.where(objection.c.department_id == sa.bindparam("department_id")), ObjectionSummary)
LIST_OF_REGION = Query(_page.where(objection.c.region.op("<@")(sa.bindparam("region", type_=Ltree))), ObjectionSummary)
LIST_OF_ENTERPRISE = Query(
    _page.where(
        objection.c.enterprise_id == sa.bindparam("enterprise_id"),
        within_sites(objection.c.site_id),
    ),
    ObjectionSummary,
)
