"""Statements on enterprise requests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.enterprise.tables import enterprise, site
from domain.identity.tables import department
from domain.membership.store import within_sites
from domain.request.model import EnterpriseRequest, RequestSummary, StoredStep
from domain.request.tables import enterprise_request, request_step
from domain.shared.number_text import number_of
from domain.shared.numbers import NumberKind
from domain.shared.sql import Command, Ltree, Query

_whole = sa.select(*[enterprise_request.c[name] for name in EnterpriseRequest.__struct_fields__]).where(
    enterprise_request.c.id == sa.bindparam("request_id")
)
REQUEST_BY_ID = Query(_whole, EnterpriseRequest)
LOCK_REQUEST = Query(_whole.with_for_update(), EnterpriseRequest)
INSERT_REQUEST = Command(
    sa.insert(enterprise_request).values({name: sa.bindparam(name) for name in EnterpriseRequest.__struct_fields__})
)
MOVE_REQUEST = Command(
    sa.update(enterprise_request)
    .where(enterprise_request.c.id == sa.bindparam("of_request"))
    .values({name: sa.bindparam(name) for name in ("state", "department_id", "due_on", "answered_at", "ended_at")})
)
INSERT_STEP = Command(sa.insert(request_step))
STEPS_OF_REQUEST = Query(
    sa.select(
        request_step.c.step,
        request_step.c.state,
        department.c.name.label("department_name"),
        request_step.c.words_sealed,
        request_step.c.done_at,
    )
    .select_from(request_step.join(department, department.c.id == request_step.c.department_id))
    .where(request_step.c.request_id == sa.bindparam("request_id"))
    .order_by(request_step.c.id)
    .limit(200),
    StoredStep,
)


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """A department to which requests may go."""

    id: UUID
    code: str


DESK = Query(
    sa.select(department.c.id, department.c.code).where(department.c.id == sa.bindparam("department_id")), Desk
)

# ---- lists

_OF_OTHERS: dict[str, Any] = {
    "number": number_of(enterprise_request.c.id, NumberKind.REQUEST),
    "enterprise_name": enterprise.c.name,
    "site_name": site.c.name,
    "department_name": department.c.name,
}
_SUMMARY = sa.select(
    *[
        (_OF_OTHERS[name] if name in _OF_OTHERS else enterprise_request.c[name]).label(name)
        for name in RequestSummary.__struct_fields__
    ]
).select_from(
    enterprise_request.join(enterprise, enterprise.c.id == enterprise_request.c.enterprise_id)
    .join(site, site.c.id == enterprise_request.c.site_id)
    .join(department, department.c.id == enterprise_request.c.department_id)
)
SUMMARY_BY_ID = Query(_SUMMARY.where(enterprise_request.c.id == sa.bindparam("request_id")), RequestSummary)


def _if_given(column: sa.Column[str], name: str) -> sa.ColumnElement[bool]:
    wanted = sa.bindparam(name, type_=sa.Text)
    return sa.or_(wanted.is_(None), column == wanted)


_of_office = _SUMMARY.where(
    enterprise_request.c.state == sa.bindparam("state"),
    enterprise_request.c.due_on <= sa.bindparam("due_to", type_=sa.Date),
    sa.tuple_(enterprise_request.c.due_on, enterprise_request.c.id)
    > sa.tuple_(sa.bindparam("after_due_on", type_=sa.Date), sa.bindparam("after_id", type_=sa.Uuid)),
    _if_given(enterprise_request.c.category, "category"),
    _if_given(enterprise_request.c.urgency, "urgency"),
).order_by(enterprise_request.c.due_on, enterprise_request.c.id)
_limit = sa.bindparam("limit", type_=sa.Integer)
LIST_OF_DEPARTMENT = Query(
    _of_office.where(enterprise_request.c.department_id == sa.bindparam("department_id")).limit(_limit), RequestSummary
)
LIST_OF_REGION = Query(
    _of_office.where(enterprise_request.c.region.op("<@")(sa.bindparam("region", type_=Ltree))).limit(_limit),
    RequestSummary,
)
LIST_OF_ENTERPRISE = Query(
    _SUMMARY.where(
        enterprise_request.c.enterprise_id == sa.bindparam("enterprise_id"),
        sa.tuple_(enterprise_request.c.id) < sa.tuple_(sa.bindparam("before_id", type_=sa.Uuid)),
        within_sites(enterprise_request.c.site_id),
        _if_given(enterprise_request.c.state, "state"),
    )
    .order_by(enterprise_request.c.id.desc())
    .limit(_limit),
    RequestSummary,
)
"""The newest first: ids are made in the order of time."""
