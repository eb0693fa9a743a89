"""Statements on invitations, tokens, the pool, and released ratings.

What waits is written anew, whole and in random order, with each rating that comes: neither the order of rows nor the
transaction that wrote them tells one from another.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.identity.tables import department
from domain.inspection.tables import check_in, visit
from domain.membership.store import within_sites
from domain.rating.model import (
    DrawnToken,
    Invitation,
    InvitationCard,
    MisconductMark,
    PooledRating,
    RatingBatch,
    ReleasedRating,
)
from domain.rating.tables import (
    rating_batch,
    rating_invitation,
    rating_misconduct,
    rating_pool,
    rating_token,
    visit_rating,
)
from domain.shared.sql import Command, Ltree, Query

_ONE_AT_A_TIME = 0x52415445
"""An advisory lock: tokens and pool are rewritten as wholes, and a row that is just being rewritten looks gone."""
LOCK = Command(sa.select(sa.func.pg_advisory_xact_lock(sa.literal_column(str(_ONE_AT_A_TIME)))))

# ---- invitations


class VisitOfDepartment(msgspec.Struct, frozen=True, kw_only=True):
    """A department that was at a visit which counts."""

    visit_id: UUID
    department_id: UUID
    arrived_at: datetime


VISITS_OF_INSPECTION = Query(
    sa.select(check_in.c.visit_id, check_in.c.department_id, visit.c.arrived_at)
    .select_from(check_in.join(visit, visit.c.id == check_in.c.visit_id))
    .where(visit.c.inspection_id == sa.bindparam("inspection_id"), visit.c.voided_at.is_(None))
    .order_by(visit.c.sequence, check_in.c.id),
    VisitOfDepartment,
)
INSERT_INVITATION = Command(
    upsert(rating_invitation)
    .values({name: sa.bindparam(name) for name in rating_invitation.c.keys()})  # noqa: SIM118 - the keys of a column collection are names
    .on_conflict_do_nothing()
)
LOCK_INVITATION = Query(
    sa.select(*[rating_invitation.c[name] for name in Invitation.__struct_fields__])
    .where(rating_invitation.c.id == sa.bindparam("invitation_id"))
    .with_for_update(),
    Invitation,
)
USE_INVITATION = Command(
    sa.update(rating_invitation).where(rating_invitation.c.id == sa.bindparam("invitation_id")).values(is_used=True)
)
_OF_OTHERS: dict[str, Any] = {"department_name": department.c.name}
LIST_OF_ENTERPRISE = Query(
    sa.select(
        *[
            (_OF_OTHERS[name] if name in _OF_OTHERS else rating_invitation.c[name]).label(name)
            for name in InvitationCard.__struct_fields__
        ]
    )
    .select_from(rating_invitation.join(department, department.c.id == rating_invitation.c.department_id))
    .where(
        rating_invitation.c.enterprise_id == sa.bindparam("enterprise_id"),
        rating_invitation.c.id < sa.bindparam("before_id", type_=sa.Uuid),
        within_sites(rating_invitation.c.site_id),
    )
    .order_by(rating_invitation.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    InvitationCard,
)

# ---- tokens and the pool


def _stirred(table: sa.Table, order: str, *given: sa.ColumnElement[Any]) -> sa.Executable:
    """One row more, and every row of its department written anew in the order of a random column."""
    names = [column.name for column in table.columns]
    taken = (
        sa.delete(table)
        .where(table.c.department_id == sa.bindparam("department_id", type_=sa.Uuid))
        .returning(*table.columns)
        .cte("taken")
    )
    new = sa.select(*[value.label(name) for name, value in zip(names, given, strict=True)])
    all_of_them = sa.union_all(sa.select(*[taken.c[name] for name in names]), new).subquery("stirred")
    in_order = sa.select(*[all_of_them.c[name] for name in names]).order_by(all_of_them.c[order])
    return sa.insert(table).from_select(names, in_order)


def _given(table: sa.Table) -> list[sa.ColumnElement[Any]]:
    return [sa.bindparam(column.name, type_=column.type, required=True) for column in table.columns]


INSERT_TOKEN = Command(_stirred(rating_token, "mark", *_given(rating_token)))
SPEND_TOKEN = Query(
    sa.delete(rating_token)
    .where(rating_token.c.mark == sa.bindparam("mark"))
    .returning(rating_token.c.department_id, rating_token.c.period),
    DrawnToken,
)
DELETE_OLD_TOKENS = Command(
    sa.delete(rating_token).where(rating_token.c.period < sa.bindparam("before", type_=sa.Date))
)
INSERT_POOLED = Command(_stirred(rating_pool, "id", *_given(rating_pool)))

# ---- batches


class ReadyDepartment(msgspec.Struct, frozen=True, kw_only=True):
    """A department of whose ratings enough wait."""

    department_id: UUID
    region: str


READY = Query(
    sa.select(rating_pool.c.department_id, department.c.region)
    .select_from(rating_pool.join(department, department.c.id == rating_pool.c.department_id))
    .where(rating_pool.c.period < sa.bindparam("before", type_=sa.Date))
    .group_by(rating_pool.c.department_id, department.c.region)
    .having(sa.func.count() >= sa.bindparam("least", type_=sa.Integer))
    .order_by(rating_pool.c.department_id)
    .limit(20),
    ReadyDepartment,
)
TAKE_POOLED = Query(
    sa.delete(rating_pool)
    .where(
        rating_pool.c.department_id == sa.bindparam("of_department"),
        rating_pool.c.period < sa.bindparam("before", type_=sa.Date),
    )
    .returning(*[rating_pool.c[name] for name in PooledRating.__struct_fields__]),
    PooledRating,
)
INSERT_BATCH = Command(sa.insert(rating_batch))
INSERT_RATING = Command(sa.insert(visit_rating))
INSERT_MISCONDUCT = Command(sa.insert(rating_misconduct))


def _mean(column: sa.Column[Any]) -> sa.ColumnElement[float]:
    return sa.cast(
        sa.select(sa.func.round(sa.func.avg(column), 2))
        .where(visit_rating.c.batch_id == rating_batch.c.id)
        .scalar_subquery(),
        sa.Double,
    )


_shown = (
    sa.select(sa.func.count())
    .where(visit_rating.c.batch_id == rating_batch.c.id, visit_rating.c.certificates_shown)
    .scalar_subquery()
)
_OF_BATCH: dict[str, Any] = {
    "department_name": department.c.name,
    "courtesy": _mean(visit_rating.c.courtesy),
    "lawfulness": _mean(visit_rating.c.lawfulness),
    "efficiency": _mean(visit_rating.c.efficiency),
    "certificates_shown": _shown,
}
_BATCH = sa.select(
    *[
        (_OF_BATCH[name] if name in _OF_BATCH else rating_batch.c[name]).label(name)
        for name in RatingBatch.__struct_fields__
    ]
).select_from(rating_batch.join(department, department.c.id == rating_batch.c.department_id))
_in_department = rating_batch.c.department_id == sa.bindparam("department_id")
_in_region = department.c.region.op("<@")(sa.bindparam("region", type_=Ltree))


def _batches(scope: sa.ColumnElement[bool]) -> Query[RatingBatch]:
    return Query(
        _BATCH.where(scope, rating_batch.c.id < sa.bindparam("before_id", type_=sa.Uuid))
        .order_by(rating_batch.c.id.desc())
        .limit(sa.bindparam("limit", type_=sa.Integer)),
        RatingBatch,
    )


BATCHES_OF_DEPARTMENT = _batches(_in_department)
BATCHES_OF_REGION = _batches(_in_region)
_one = rating_batch.c.id == sa.bindparam("batch_id")
BATCH_OF_DEPARTMENT = Query(_BATCH.where(_one, _in_department), RatingBatch)
BATCH_OF_REGION = Query(_BATCH.where(_one, _in_region), RatingBatch)
RATINGS_OF_BATCH = Query(
    sa.select(*[visit_rating.c[name] for name in ReleasedRating.__struct_fields__])
    .where(visit_rating.c.batch_id == sa.bindparam("batch_id"))
    .order_by(visit_rating.c.id)
    .limit(2000),
    ReleasedRating,
)
_OF_MARK: dict[str, Any] = {
    "department_id": rating_batch.c.department_id,
    "department_name": department.c.name,
    "period_from": rating_batch.c.period_from,
    "period_to": rating_batch.c.period_to,
}
MISCONDUCT_OF_REGION = Query(
    sa.select(
        *[
            (_OF_MARK[name] if name in _OF_MARK else rating_misconduct.c[name]).label(name)
            for name in MisconductMark.__struct_fields__
        ]
    )
    .select_from(
        rating_misconduct.join(rating_batch, rating_batch.c.id == rating_misconduct.c.batch_id).join(
            department, department.c.id == rating_batch.c.department_id
        )
    )
    .where(
        _in_region,
        sa.tuple_(rating_misconduct.c.batch_id, rating_misconduct.c.prohibition)
        < sa.tuple_(sa.bindparam("before_id", type_=sa.Uuid), sa.bindparam("before_mark", type_=sa.Text)),
        sa.or_(
            sa.bindparam("own_department", type_=sa.Uuid).is_(None),
            rating_batch.c.department_id != sa.bindparam("own_department", type_=sa.Uuid),
        ),
    )
    .order_by(rating_misconduct.c.batch_id.desc(), rating_misconduct.c.prohibition.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    MisconductMark,
)
"""Nobody supervises themselves: a lead reads of every department of the region but the own one."""


def invitation_row(
    invitation_id: UUID,
    each: VisitOfDepartment,
    *,
    enterprise_id: UUID,
    site_id: UUID,
    inspection_id: UUID,
    visited_on: date,
    period: date,
    ends_on: date,
) -> dict[str, object]:
    """A row for `INSERT_INVITATION`."""
    return {
        "id": invitation_id,
        "enterprise_id": enterprise_id,
        "site_id": site_id,
        "inspection_id": inspection_id,
        "visit_id": each.visit_id,
        "department_id": each.department_id,
        "visited_on": visited_on,
        "period": period,
        "ends_on": ends_on,
        "is_used": False,
    }
