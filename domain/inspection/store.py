"""Statements on inspections, visits and check-ins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from domain.enterprise.tables import enterprise, site, site_code
from domain.identity.tables import department
from domain.inspection.model import (
    AssignedOfficer,
    CheckIn,
    CheckInCard,
    Inspection,
    InspectionSummary,
    Party,
    SiteGrades,
    Visit,
)
from domain.inspection.tables import (
    check_in,
    identification,
    inspection,
    inspection_officer,
    inspection_party,
    officer_replacement,
    visit,
)
from domain.officer.tables import officer
from domain.scene.tables import scene
from domain.shared.numbers import PAPER_WORDS, NumberKind
from domain.shared.sql import Command, Ltree, Query
from domain.shared.tables import issued_number, subject_key


def _paper_number(kind: NumberKind, register: sa.FromClause, internal: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """As `paper_number` of domain/shared/numbers.py, which a test holds it to."""
    if kind not in PAPER_WORDS:
        return internal
    legal = sa.func.concat(
        department.c.paper_word,
        sa.literal(f"{PAPER_WORDS[kind]}〔", sa.Text),
        register.c.year,
        sa.literal("〕", sa.Text),
        register.c.sequence,
        sa.literal("号", sa.Text),
    )
    return sa.case((department.c.paper_word.is_(None), internal), else_=legal)


def _number(kind: NumberKind) -> sa.ScalarSelect[str]:
    """The number of that kind that the inspection holds: a paper's 文号 where there is one, else internal (D1)."""
    register = issued_number.alias()
    internal = sa.func.concat(
        register.c.department_code,
        "-",
        register.c.year,
        sa.literal(f"-{kind.value}-", sa.Text),
        sa.func.lpad(sa.cast(register.c.sequence, sa.Text), 6, "0"),
    )
    return (
        sa.select(_paper_number(kind, register, internal))
        .where(register.c.subject_id == inspection.c.id, register.c.kind == kind.value, register.c.voided_at.is_(None))
        .limit(1)
        .scalar_subquery()
    )


TASK_NUMBER = _number(NumberKind.INSPECTION)
NOTICE_NUMBER = _number(NumberKind.NOTICE)
"""Beside `inspection` joined with the initiating `department`."""
_OF_OTHER_TABLES = {
    "number": TASK_NUMBER,
    "notice_number": NOTICE_NUMBER,
    "scene_name": scene.c.name,
    "enterprise_name": enterprise.c.name,
    "enterprise_id": enterprise.c.id,
    "uscc": enterprise.c.uscc,
    "site_name": site.c.name,
    "address": site.c.address,
    "longitude": site.c.longitude,
    "latitude": site.c.latitude,
    "radius_m": site.c.radius_m,
    "polygon": site.c.polygon,
    "initiating_department": department.c.name,
}
_WITH_PLACE = (
    inspection.join(site, site.c.id == inspection.c.site_id)
    .join(enterprise, enterprise.c.id == site.c.enterprise_id)
    .join(scene, scene.c.code == inspection.c.scene_code)
    .join(department, department.c.id == inspection.c.initiating_department_id)
)


def _columns(row: type[msgspec.Struct]) -> list[sa.Label[Any]]:
    return [
        (_OF_OTHER_TABLES[name] if name in _OF_OTHER_TABLES else inspection.c[name]).label(name)
        for name in row.__struct_fields__
    ]


_BY_ID = (
    sa.select(*_columns(Inspection)).select_from(_WITH_PLACE).where(inspection.c.id == sa.bindparam("inspection_id"))
)
INSPECTION_BY_ID = Query(_BY_ID, Inspection)
LOCK_INSPECTION = Query(_BY_ID.with_for_update(of=inspection), Inspection)

PARTIES = Query(
    sa.select(
        department.c.id.label("department_id"),
        department.c.name,
        department.c.short_name,
        department.c.code,
        department.c.hotline,
        inspection_party.c.is_lead,
    )
    .select_from(inspection_party.join(department, department.c.id == inspection_party.c.department_id))
    .where(inspection_party.c.inspection_id == sa.bindparam("inspection_id"))
    .order_by(inspection_party.c.is_lead.desc(), department.c.code),
    Party,
)

_posts = sa.union(
    sa.select(inspection_officer.c.inspection_id, inspection_officer.c.officer_id, inspection_officer.c.department_id),
    sa.select(
        officer_replacement.c.inspection_id,
        officer_replacement.c.former_officer_id.label("officer_id"),
        officer_replacement.c.department_id,
    ).where(officer_replacement.c.replaced_at > sa.bindparam("as_of", type_=sa.DateTime(timezone=True))),
)
"""Who is assigned, and who was still so at `as_of`: authority is judged as of the act, however late it reaches us."""


def posts(name: str) -> sa.Subquery:
    """`_posts` under a name of its own; the statement takes `as_of`."""
    return _posts.subquery(name)


_post = posts("post")
ASSIGNED_OFFICERS = Query(
    sa.select(
        *[officer.c[name] for name in AssignedOfficer.__struct_fields__ if name != "acts_for"],
        _post.c.department_id.label("acts_for"),
    )
    .select_from(_post.join(officer, officer.c.id == _post.c.officer_id))
    .where(_post.c.inspection_id == sa.bindparam("inspection_id"))
    .order_by(_post.c.department_id, officer.c.id),
    AssignedOfficer,
)


_VISIT_COLUMNS = [visit.c[name] for name in Visit.__struct_fields__]
# The open one, if there is one: an earlier visit is opened again by a department whose arrival reaches us late.
LATEST_VISIT = Query(
    sa.select(*_VISIT_COLUMNS)
    .where(visit.c.inspection_id == sa.bindparam("inspection_id"))
    .order_by(sa.and_(visit.c.departed_at.is_(None), visit.c.voided_at.is_(None)).desc(), visit.c.sequence.desc())
    .limit(1),
    Visit,
)

_latest_response = (
    sa.select(identification.c.response)
    .where(identification.c.check_in_id == check_in.c.id)
    .order_by(identification.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
CHECK_INS = Query(
    sa.select(
        *[
            check_in.c[name]
            for name in CheckInCard.__struct_fields__
            if name not in {"visit_sequence", "visit_voided_at", "identification"}
        ],
        visit.c.sequence.label("visit_sequence"),
        visit.c.voided_at.label("visit_voided_at"),
        _latest_response.label("identification"),
    )
    .select_from(check_in.join(visit, visit.c.id == check_in.c.visit_id))
    .where(visit.c.inspection_id == sa.bindparam("inspection_id"))
    .order_by(visit.c.sequence, check_in.c.id),
    CheckInCard,
)


class ScannedCode(msgspec.Struct, frozen=True, kw_only=True):
    """Where the scanned code stands, and how it does."""

    site_id: UUID
    state: str


CODE_SITE = Query(
    sa.select(site_code.c.site_id, site_code.c.state).where(site_code.c.code_id == sa.bindparam("code_id")),
    ScannedCode,
)

INSERT_VISIT = Command(
    sa.insert(visit).values(
        {name: sa.bindparam(name) for name in ("id", "inspection_id", "sequence", "opened_by", "arrived_at")}
    )
)
INSERT_CHECK_IN = Command(sa.insert(check_in).values({name: sa.bindparam(name) for name in CheckIn.__struct_fields__}))
END_CHECK_IN = Command(
    sa.update(check_in).where(check_in.c.id == sa.bindparam("check_in_id")).values(departed_at=sa.bindparam("left_at"))
)
END_VISIT = Command(
    sa.update(visit)
    .where(
        visit.c.id == sa.bindparam("visit_id"),
        sa.not_(sa.exists().where(check_in.c.visit_id == visit.c.id, check_in.c.departed_at.is_(None))),
    )
    .values(
        departed_at=sa.select(sa.func.max(check_in.c.departed_at))
        .where(check_in.c.visit_id == visit.c.id)
        .scalar_subquery()
    )
)
JOIN_VISIT = Command(
    sa.update(visit)
    .where(visit.c.id == sa.bindparam("visit_id"))
    .values(departed_at=None, arrived_at=sa.func.least(visit.c.arrived_at, sa.bindparam("came_at")))
)
RESUME = Command(
    sa.update(inspection)
    .where(inspection.c.id == sa.bindparam("of_inspection"), inspection.c.outcome == "suspended")
    .values(outcome=None, outcome_reason=None, outcome_evidence=None)
)
VOID_VISIT = Command(
    sa.update(visit)
    .where(visit.c.id == sa.bindparam("visit_id"))
    .values(voided_at=sa.bindparam("now"), void_reason=sa.bindparam("reason"))
)
INSERT_IDENTIFICATION = Command(sa.insert(identification))
INSERT_SUBJECT_KEY = Command(sa.insert(subject_key))

_GIVEN_LATER = {"outcome_reason", "outcome_evidence", "list_released_at", "party"}
INSERT_INSPECTION = Command(
    sa.insert(inspection).values(
        {name: sa.bindparam(name) for name in inspection.c.keys() if name not in _GIVEN_LATER}  # noqa: SIM118 - the keys of a column collection are names
    )
)
_AS_REGISTERED = {
    "name": enterprise.c.name,
    "uscc": enterprise.c.uscc,
    "representative": enterprise.c.legal_representative,
    "address": site.c.address,
    "site_name": site.c.name,
}
PARTY: Mapping[str, sa.ColumnElement[str | None]] = {
    name: sa.case((inspection.c.party.is_not(None), inspection.c.party[name].astext), else_=live)
    for name, live in _AS_REGISTERED.items()
}
"""被检查方 as it stood at dispatch, beside `inspection` joined with `site` and `enterprise`."""
FREEZE_PARTY = Command(
    sa.update(inspection)
    .where(inspection.c.id == sa.bindparam("of_inspection"))
    .values(
        party=sa.select(
            sa.func.jsonb_build_object(
                *[part for name, live in _AS_REGISTERED.items() for part in (sa.literal_column(f"'{name}'"), live)]
            )
        )
        .select_from(site.join(enterprise, enterprise.c.id == site.c.enterprise_id))
        .where(site.c.id == inspection.c.site_id)
        .correlate(inspection)
        .scalar_subquery()
    )
)
SEAL_LIST = Command(
    sa.update(inspection)
    .where(inspection.c.id == sa.bindparam("of_inspection"))
    .values(list_digest=sa.bindparam("digest"), nonce=sa.bindparam("new_nonce"))
)
GRADES_OF_SITE = Query(
    sa.select(enterprise.c.risk_level, enterprise.c.credit_grade)
    .select_from(site.join(enterprise, enterprise.c.id == site.c.enterprise_id))
    .where(site.c.id == sa.bindparam("site_id")),
    SiteGrades,
)
INSERT_PARTY = Command(sa.insert(inspection_party))
INSERT_OFFICER = Command(sa.insert(inspection_officer))


# No lower bound of `due_on` beside the cursor: PostgreSQL takes two bounds for a narrow range whatever they are, and
# its generic plan then reads every pending inspection before it asks whose they are (75 ms among 60,000, else 1 ms).
_PAGE = (
    inspection.c.state == sa.bindparam("state"),
    inspection.c.due_on <= sa.bindparam("due_to", type_=sa.Date),
    sa.tuple_(inspection.c.due_on, inspection.c.id)
    > sa.tuple_(sa.bindparam("after_due_on", type_=sa.Date), sa.bindparam("after_id", type_=sa.Uuid)),
    sa.or_(
        sa.bindparam("scene", type_=sa.Text).is_(None), inspection.c.scene_code == sa.bindparam("scene", type_=sa.Text)
    ),
)


def _list(*conditions: sa.ColumnElement[bool]) -> Query[InspectionSummary]:
    return Query(
        sa.select(*_columns(InspectionSummary))
        .select_from(_WITH_PLACE)
        .where(*_PAGE, *conditions)
        .order_by(inspection.c.due_on, inspection.c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer)),
        InspectionSummary,
    )


LIST_OF_OFFICER = _list(
    sa.exists().where(
        inspection_officer.c.inspection_id == inspection.c.id,
        inspection_officer.c.officer_id == sa.bindparam("officer_id"),
    )
)
LIST_OF_DEPARTMENT = _list(
    sa.exists().where(
        inspection_party.c.inspection_id == inspection.c.id,
        inspection_party.c.department_id == sa.bindparam("department_id"),
    )
)
LIST_OF_REGION = _list(inspection.c.region.op("<@")(sa.bindparam("region", type_=Ltree)))


class SiteInspection(msgspec.Struct, frozen=True, kw_only=True):
    """An inspection as a scan of its site tells it."""

    id: UUID
    name: str
    kind: str
    state: str
    outcome: str | None
    starts_on: date
    due_on: date
    completed_on: date | None
    authority: str
    officers: list[UUID]
    has_visit: bool


_OFFICERS = (
    sa.select(
        sa.func.array_agg(
            aggregate_order_by(inspection_officer.c.officer_id, inspection_officer.c.officer_id),
            type_=sa.ARRAY(sa.Uuid),
        )
    )
    .where(inspection_officer.c.inspection_id == inspection.c.id)
    .scalar_subquery()
)
_completed_on = sa.cast(sa.func.timezone("Asia/Shanghai", inspection.c.completed_at), sa.Date)
INSPECTIONS_OF_SITE = Query(
    sa.select(
        *[inspection.c[name] for name in ("id", "name", "kind", "state", "outcome", "starts_on", "due_on")],
        _completed_on.label("completed_on"),
        department.c.name.label("authority"),
        sa.func.coalesce(_OFFICERS, sa.text("'{}'::uuid[]")).label("officers"),
        sa.exists().where(visit.c.inspection_id == inspection.c.id, visit.c.voided_at.is_(None)).label("has_visit"),
    )
    .select_from(inspection.join(department, department.c.id == inspection.c.initiating_department_id))
    .where(inspection.c.site_id == sa.bindparam("site_id"), inspection.c.state != "cancelled")
    .order_by(inspection.c.completed_at.desc().nulls_first(), inspection.c.due_on)
    .limit(50),
    SiteInspection,
)
