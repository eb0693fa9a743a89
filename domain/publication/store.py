"""Statements on publications and replies, and what a result is read from."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from domain.enterprise.tables import enterprise, site
from domain.identity.tables import department
from domain.inspection.tables import answer, inspection, inspection_party
from domain.membership.store import within_sites
from domain.publication.model import Publication, PublicationSummary, StoredReply, StoredResult
from domain.publication.tables import public_reply, publication
from domain.rectification.tables import rectification_order
from domain.shared.sql import Command, Ltree, Query, json_of

_SHOWN_RESULTS = 20

# ---- one result, whole, as one json value


def _states(*states: str) -> list[sa.ColumnElement[str]]:
    """Written out, not bound: only so does PostgreSQL see that a partial index holds them."""
    return [sa.literal_column(f"'{state}'") for state in states]


def _all_of(column: sa.ColumnElement[Any], *order: sa.ColumnElement[Any]) -> Any:
    return sa.func.coalesce(sa.func.jsonb_agg(aggregate_order_by(column, *order)), sa.text("'[]'::jsonb"))


_AUTHORITIES = (
    sa.select(_all_of(department.c.name, inspection_party.c.is_lead.desc(), department.c.code))
    .select_from(inspection_party.join(department, department.c.id == inspection_party.c.department_id))
    .where(inspection_party.c.inspection_id == publication.c.inspection_id)
    .scalar_subquery()
)
_ORDERS = (
    sa.select(_all_of(rectification_order.c.state, rectification_order.c.id))
    .where(rectification_order.c.inspection_id == publication.c.inspection_id)
    .scalar_subquery()
)
_UNCHECKED = (
    sa.select(sa.func.count())
    .select_from(answer)
    .where(answer.c.inspection_id == publication.c.inspection_id, answer.c.value == sa.text("'not_checked'"))
    .scalar_subquery()
)
_REPLY = (
    sa.select(json_of({name: public_reply.c[name] for name in StoredReply.__struct_fields__}))
    .where(public_reply.c.publication_id == publication.c.id, public_reply.c.withdrawn_at.is_(None))
    .scalar_subquery()
)
_PARTS: dict[str, Any] = {
    "kind": inspection.c.kind,
    "outcome": inspection.c.outcome,
    "completed_at": inspection.c.completed_at,
    "authorities": _AUTHORITIES,
    "orders": _ORDERS,
    "unchecked_items": _UNCHECKED,
    "reply": _REPLY,
}
_RESULT = json_of(
    {name: _PARTS[name] if name in _PARTS else publication.c[name] for name in StoredResult.__struct_fields__}
)
RESULT_OF_PUBLICATION = _RESULT
"""Within a statement that reads `publication` with its `inspection`: the result as one json value (`StoredResult`)."""
_WITH_INSPECTION = publication.join(inspection, inspection.c.id == publication.c.inspection_id)

_newest = (
    sa.select(_RESULT.label("result"), inspection.c.completed_at)
    .select_from(_WITH_INSPECTION)
    .where(publication.c.site_id == site.c.id, publication.c.state.in_(_states("published", "withdrawn")))
    .order_by(inspection.c.completed_at.desc())
    .limit(sa.literal_column(str(_SHOWN_RESULTS)))
    .correlate(site)
    .subquery("newest")
)
RESULTS_OF_SITE = sa.select(_all_of(_newest.c.result, _newest.c.completed_at.desc())).scalar_subquery()
"""Within a statement that reads `site`: its newest results that are or were public, as one json list."""


class ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """One result out of its json value."""

    result: StoredResult


RESULT_BY_ID = Query(
    sa.select(_RESULT.label("result"))
    .select_from(_WITH_INSPECTION)
    .where(publication.c.id == sa.bindparam("publication_id")),
    ResultRow,
)
WAITING_OF_SITE = Query(
    sa.select(_RESULT.label("result"))
    .select_from(_WITH_INSPECTION)
    .where(
        publication.c.site_id == sa.bindparam("site_id"),
        publication.c.enterprise_id == sa.bindparam("enterprise_id"),
        publication.c.state.in_(_states("pending", "withheld")),
    )
    .order_by(publication.c.due_at, publication.c.id)
    .limit(_SHOWN_RESULTS),
    ResultRow,
)

# ---- publications as operations work on them

_departments = (
    sa.select(
        sa.func.array_agg(
            aggregate_order_by(inspection_party.c.department_id, inspection_party.c.department_id),
            type_=sa.ARRAY(sa.Uuid),
        )
    )
    .where(inspection_party.c.inspection_id == publication.c.inspection_id)
    .scalar_subquery()
)
_OF_INSPECTION: dict[str, Any] = {
    "region": inspection.c.region,
    "department_id": inspection.c.initiating_department_id,
    "departments": _departments,
}
_WHOLE = sa.select(
    *[
        (_OF_INSPECTION[name] if name in _OF_INSPECTION else publication.c[name]).label(name)
        for name in Publication.__struct_fields__
    ]
).select_from(_WITH_INSPECTION)
_by_id = _WHOLE.where(publication.c.id == sa.bindparam("publication_id"))
PUBLICATION_BY_ID = Query(_by_id, Publication)
LOCK_PUBLICATION = Query(_by_id.with_for_update(of=publication), Publication)

_now = sa.bindparam("now", type_=sa.DateTime(timezone=True))
LOCK_DUE = Query(
    _WHOLE.where(
        sa.or_(
            sa.and_(publication.c.state == sa.text("'pending'"), publication.c.due_at <= _now),
            sa.and_(
                publication.c.state == sa.text("'withheld'"),
                publication.c.withheld_reason == sa.text("'objection'"),
                publication.c.latest_at <= _now,
            ),
        )
    )
    .order_by(publication.c.due_at)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(of=publication, skip_locked=True),
    Publication,
)
_STORED = tuple(name for name in Publication.__struct_fields__ if name not in _OF_INSPECTION)
_CHANGING = tuple(name for name in _STORED if name not in {"id", "inspection_id", "enterprise_id", "site_id"})
INSERT_PUBLICATION = Command(sa.insert(publication).values({name: sa.bindparam(name) for name in _STORED}))
UPDATE_PUBLICATION = Command(
    sa.update(publication)
    .where(publication.c.id == sa.bindparam("of_publication"))
    .values({name: sa.bindparam(name) for name in _CHANGING})
)

# ---- replies


class ReplyRow(StoredReply, frozen=True, kw_only=True):
    """企业回应 and what it stands beside."""

    publication_id: UUID


_REPLY_COLUMNS = [public_reply.c[name] for name in ReplyRow.__struct_fields__]
REPLY_IN_FORCE = Query(
    sa.select(*_REPLY_COLUMNS).where(
        public_reply.c.publication_id == sa.bindparam("publication_id"), public_reply.c.withdrawn_at.is_(None)
    ),
    ReplyRow,
)
INSERT_REPLY = Command(
    sa.insert(public_reply).values({name: sa.bindparam(name) for name in (*ReplyRow.__struct_fields__, "submitted_by")})
)
WITHDRAW_REPLY = Command(
    sa.update(public_reply)
    .where(public_reply.c.id == sa.bindparam("reply_id"))
    .values(withdrawn_at=sa.bindparam("now"), withdrawn_reason=sa.bindparam("reason"))
)

# ---- lists

_OF_OTHERS: dict[str, Any] = {
    "inspection_name": inspection.c.name,
    "outcome": inspection.c.outcome,
    "enterprise_name": enterprise.c.name,
    "site_name": site.c.name,
}
_PAGE = (
    publication.c.state == sa.bindparam("state"),
    sa.tuple_(publication.c.due_at, publication.c.id)
    > sa.tuple_(
        sa.bindparam("after_due_at", type_=sa.DateTime(timezone=True)), sa.bindparam("after_id", type_=sa.Uuid)
    ),
)


def _list(condition: sa.ColumnElement[bool]) -> Query[PublicationSummary]:
    return Query(
        sa.select(
            *[
                (_OF_OTHERS[name] if name in _OF_OTHERS else publication.c[name]).label(name)
                for name in PublicationSummary.__struct_fields__
            ]
        )
        .select_from(
            _WITH_INSPECTION.join(site, site.c.id == publication.c.site_id).join(
                enterprise, enterprise.c.id == publication.c.enterprise_id
            )
        )
        .where(*_PAGE, condition)
        .order_by(publication.c.due_at, publication.c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer)),
        PublicationSummary,
    )


LIST_OF_DEPARTMENT = _list(
    sa.exists().where(
        inspection_party.c.inspection_id == publication.c.inspection_id,
        inspection_party.c.department_id == sa.bindparam("department_id"),
    )
)
LIST_OF_REGION = _list(inspection.c.region.op("<@")(sa.bindparam("region", type_=Ltree)))
LIST_OF_ENTERPRISE = _list(
    sa.and_(publication.c.enterprise_id == sa.bindparam("enterprise_id"), within_sites(publication.c.site_id))
)
