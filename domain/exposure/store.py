"""Statements on exposures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.enterprise.tables import enterprise
from domain.exposure.model import Exposure, ExposureSummary, PublicExposure
from domain.exposure.tables import exposure
from domain.identity.tables import department, region
from domain.inspection.tables import inspection_party
from domain.publication.tables import publication
from domain.shared.sql import Command, Ltree, Query

_COLUMNS = [exposure.c[name] for name in Exposure.__struct_fields__]
_by_id = sa.select(*_COLUMNS).where(exposure.c.id == sa.bindparam("exposure_id"))
EXPOSURE_BY_ID = Query(_by_id, Exposure)
LOCK_EXPOSURE = Query(_by_id.with_for_update(), Exposure)
LOCK_OF_PUBLICATION = Query(
    sa.select(*_COLUMNS)
    .where(exposure.c.publication_id == sa.bindparam("publication_id"), exposure.c.state == sa.text("'published'"))
    .order_by(exposure.c.id)
    .with_for_update(),
    Exposure,
)
INSERT_EXPOSURE = Command(sa.insert(exposure).values({name: sa.bindparam(name) for name in Exposure.__struct_fields__}))
_CHANGING = tuple(name for name in Exposure.__struct_fields__ if name not in {"id", "department_id", "created_at"})
UPDATE_EXPOSURE = Command(
    sa.update(exposure)
    .where(exposure.c.id == sa.bindparam("of_exposure"))
    .values({name: sa.bindparam(name) for name in _CHANGING})
)


class Place(msgspec.Struct, frozen=True):
    """Where a department is."""

    region: str


class Found(msgspec.Struct, frozen=True):
    """An id that exists."""

    id: UUID


REGION_OF_DEPARTMENT = Query(
    sa.select(department.c.region).where(department.c.id == sa.bindparam("department_id")), Place
)
PUBLIC_RESULT = Query(
    sa.select(publication.c.id)
    .where(
        publication.c.id == sa.bindparam("publication_id"),
        publication.c.state == "published",
        publication.c.ends_on >= sa.bindparam("through", type_=sa.Date),
        sa.exists().where(
            inspection_party.c.inspection_id == publication.c.inspection_id,
            inspection_party.c.department_id == sa.bindparam("department_id"),
        ),
    )
    .with_for_update(read=True, of=publication),
    Found,
)
"""The result of an inspection that the department took part in, if it is public `through` that day.

It stays so until the commit.
"""

# ---- lists


def _given(name: str, kind: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind)


def _unless(name: str, kind: Any, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition, where the filter is given at all."""
    return sa.or_(_given(name, kind).is_(None), condition)


_BY_DEPARTMENT = exposure.join(department, department.c.id == exposure.c.department_id)
LIST_OF_DEPARTMENT = Query(
    sa.select(
        *[
            (department.c.name if name == "department" else exposure.c[name]).label(name)
            for name in ExposureSummary.__struct_fields__
        ]
    )
    .select_from(_BY_DEPARTMENT)
    .where(
        exposure.c.department_id == sa.bindparam("department_id"),
        exposure.c.state == sa.bindparam("state"),
        _unless("title", sa.Text, sa.func.strpos(exposure.c.title, _given("title", sa.Text)) > 0),
        exposure.c.id < _given("before_id", sa.Uuid),
    )
    .order_by(exposure.c.id.desc())
    .limit(_given("limit", sa.Integer)),
    ExposureSummary,
)

_OF_OTHER_TABLES: dict[str, Any] = {
    "department": department.c.name,
    "region_name": region.c.name,
    "enterprise_name": enterprise.c.name,
    "uscc": enterprise.c.uscc,
}
_ABOUT = (
    _BY_DEPARTMENT.join(region, region.c.path == exposure.c.region)
    .outerjoin(publication, publication.c.id == exposure.c.publication_id)
    .outerjoin(enterprise, enterprise.c.id == publication.c.enterprise_id)
)
_PUBLIC = (exposure.c.state == sa.text("'published'"), exposure.c.ends_on >= _given("today", sa.Date))


def _public(*left_out: str) -> sa.Select[Any]:
    return (
        sa.select(
            *[
                (_OF_OTHER_TABLES[name] if name in _OF_OTHER_TABLES else exposure.c[name]).label(name)
                for name in PublicExposure.__struct_fields__
                if name not in left_out
            ]
        )
        .select_from(_ABOUT)
        .where(*_PUBLIC)
    )


PUBLIC_EXPOSURE = Query(_public().where(exposure.c.id == sa.bindparam("exposure_id")), PublicExposure)
LIST_PUBLIC = Query(
    _public("text")
    .where(
        _unless("department_id", sa.Uuid, exposure.c.department_id == _given("department_id", sa.Uuid)),
        _unless("region", sa.Text, exposure.c.region.op("<@")(sa.cast(_given("region", sa.Text), Ltree))),
        _unless(
            "keyword",
            sa.Text,
            sa.func.strpos(sa.func.concat(exposure.c.title, " ", exposure.c.text), _given("keyword", sa.Text)) > 0,
        ),
        sa.tuple_(exposure.c.published_at, exposure.c.id)
        < sa.tuple_(_given("before_at", sa.DateTime(timezone=True)), _given("before_id", sa.Uuid)),
    )
    .order_by(exposure.c.published_at.desc(), exposure.c.id.desc())
    .limit(_given("limit", sa.Integer)),
    PublicExposure,
)


class Publisher(msgspec.Struct, frozen=True, kw_only=True):
    """发布者 that has something public."""

    id: UUID
    name: str


PUBLISHERS = Query(
    sa.select(department.c.id, department.c.name)
    .where(
        sa.exists().where(
            exposure.c.department_id == department.c.id,
            *_PUBLIC,
        )
    )
    .order_by(department.c.code)
    .limit(200),
    Publisher,
)
