"""Statements on manuals, and what other rooms read of those in force."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.enterprise.tables import site
from domain.identity.tables import department
from domain.manual.model import (
    Element,
    ManualCard,
    ManualFields,
    ManualOfSite,
    ManualVersion,
    PublishedManual,
)
from domain.manual.tables import manual, manual_element, manual_version, manual_view
from domain.shared.sql import Command, Ltree, Query, json_of, uuid_list


def _given(name: str, kind: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind)


def _unless(name: str, kind: Any, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition, where the filter is given at all."""
    return sa.or_(_given(name, kind).is_(None), condition)


# ---- the desk's view

_current_number = (
    sa.select(manual_version.c.number).where(manual_version.c.id == manual.c.current_version_id).scalar_subquery()
)
_OF_OTHER_TABLES: dict[str, Any] = {
    "department": department.c.name,
    "region": department.c.region,
    "current_version_number": _current_number,
    "public_views": sa.func.coalesce(manual_view.c.public_views, 0),
    "staff_views": sa.func.coalesce(manual_view.c.staff_views, 0),
}
_WITH_MAKER = manual.join(department, department.c.id == manual.c.department_id)
_CARD = sa.select(
    *[
        (_OF_OTHER_TABLES[name] if name in _OF_OTHER_TABLES else manual.c[name]).label(name)
        for name in ManualCard.__struct_fields__
    ]
).select_from(_WITH_MAKER.outerjoin(manual_view, manual_view.c.manual_id == manual.c.id))
_BY_ID = _CARD.where(manual.c.id == sa.bindparam("manual_id"))
MANUAL_BY_ID = Query(_BY_ID, ManualCard)
LOCK_MANUAL = Query(_BY_ID.with_for_update(of=manual), ManualCard)

_region = _given("region", Ltree)
_READABLE = sa.or_(
    manual.c.department_id == _given("department_id", sa.Uuid),
    sa.and_(
        manual.c.state != sa.text("'draft'"),
        sa.or_(department.c.region.op("<@")(_region), department.c.region.op("@>")(_region)),
    ),
)
"""Those that `rules.may_read` lets a department of a region see."""
_AFTER = sa.tuple_(manual.c.place, manual.c.id) > sa.tuple_(
    _given("after_place", sa.Integer), _given("after_id", sa.Uuid)
)
LIST_MANUALS = Query(
    _CARD.where(
        _READABLE,
        _unless("state", sa.Text, manual.c.state == _given("state", sa.Text)),
        _unless("name", sa.Text, sa.func.strpos(manual.c.name, _given("name", sa.Text)) > 0),
        _unless("business_type", sa.Text, manual.c.business_type == _given("business_type", sa.Text)),
        _AFTER,
    )
    .order_by(manual.c.place, manual.c.id)
    .limit(_given("limit", sa.Integer)),
    ManualCard,
)

_VERSION_COLUMNS = [manual_version.c[name] for name in ManualVersion.__struct_fields__]
_of_manual = manual_version.c.manual_id == sa.bindparam("manual_id")
VERSIONS_OF_MANUAL = Query(
    sa.select(*_VERSION_COLUMNS).where(_of_manual).order_by(manual_version.c.number.desc()), ManualVersion
)
LATEST_VERSION = Query(
    sa.select(*_VERSION_COLUMNS).where(_of_manual).order_by(manual_version.c.number.desc()).limit(1), ManualVersion
)
ELEMENTS_OF_VERSION = Query(
    sa.select(*[manual_element.c[name] for name in Element.__struct_fields__])
    .where(manual_element.c.version_id == sa.bindparam("version_id"))
    .order_by(manual_element.c.place),
    Element,
)

# ---- what is in force, for everybody

_IN_FORCE = _WITH_MAKER.join(manual_version, manual_version.c.id == manual.c.current_version_id)
_PUBLISHED = manual.c.state == sa.text("'published'")
"""Written out, not bound: only so does PostgreSQL see that the partial index holds them."""
_OF_VERSION: dict[str, Any] = {
    "department": department.c.name,
    "version": manual_version.c.number,
    "version_id": manual_version.c.id,
    "has_file": manual_version.c.file_digest.is_not(None),
    "published_at": manual_version.c.published_at,
}
_SHOWN = (
    sa.select(
        *[
            (_OF_VERSION[name] if name in _OF_VERSION else manual.c[name]).label(name)
            for name in PublishedManual.__struct_fields__
        ]
    )
    .select_from(_IN_FORCE)
    .where(_PUBLISHED)
)
PUBLISHED_BY_ID = Query(_SHOWN.where(manual.c.id == sa.bindparam("manual_id")), PublishedManual)


class FileInForce(msgspec.Struct, frozen=True, kw_only=True):
    """手册附件 of the version in force."""

    version_id: UUID
    file_digest: bytes


FILE_IN_FORCE = Query(
    sa.select(manual_version.c.id.label("version_id"), manual_version.c.file_digest)
    .select_from(_IN_FORCE)
    .where(_PUBLISHED, manual.c.id == sa.bindparam("manual_id"), manual_version.c.file_digest.is_not(None)),
    FileInForce,
)
LIST_PUBLISHED = Query(
    _SHOWN.where(
        _unless("business_type", sa.Text, manual.c.business_type == _given("business_type", sa.Text)),
        sa.or_(sa.cast(_region, Ltree).is_(None), department.c.region.op("@>")(_region)),
        _AFTER,
    )
    .order_by(manual.c.place, manual.c.id)
    .limit(_given("limit", sa.Integer)),
    PublishedManual,
)

# Found first, ordered then (OFFSET 0 keeps the planner to that): the few of a 业态 by their index. In the list's order
# it would walk through all that are published, hoping that twenty fit soon.
_fitting = (
    sa.select(
        manual.c.id,
        manual.c.name,
        manual.c.business_type,
        manual_version.c.number.label("version"),
        manual.c.place,
    )
    .select_from(_IN_FORCE)
    .where(
        _PUBLISHED,
        manual.c.business_type == sa.any_(site.c.business_types),
        department.c.region.op("@>")(site.c.region),
    )
    .offset(sa.literal_column("0"))
    .correlate(site)
    .subquery("fitting")
)
_at_site = (
    sa.select(_fitting)
    .order_by(_fitting.c.place, _fitting.c.id)
    .limit(sa.literal_column("20"))
    .subquery("manual_at_site")
)
MANUALS_OF_SITE = sa.select(
    sa.func.coalesce(
        sa.func.jsonb_agg(
            aggregate_order_by(
                json_of({name: _at_site.c[name] for name in ManualOfSite.__struct_fields__}),
                _at_site.c.place,
                _at_site.c.id,
            )
        ),
        sa.text("'[]'::jsonb"),
    )
).scalar_subquery()
"""Within a statement that reads `site`: the manuals in force for its 业态, as one json list of `ManualOfSite`."""
MANUAL_IDS_OF_SITE = sa.select(
    sa.func.coalesce(
        sa.func.array_agg(aggregate_order_by(_at_site.c.id, _at_site.c.place, _at_site.c.id), type_=sa.ARRAY(sa.Uuid)),
        sa.text("'{}'::uuid[]"),
    )
).scalar_subquery()
"""Likewise, only their ids."""


# ---- saving


class Found(msgspec.Struct, frozen=True):
    """An id that exists."""

    id: UUID


MANUAL_OF_BUSINESS = Query(
    sa.select(manual.c.id).where(
        manual.c.business_type == sa.bindparam("business_type"), manual.c.department_id == sa.bindparam("department_id")
    ),
    Found,
)
INSERT_MANUAL = Command(upsert(manual).on_conflict_do_nothing(index_elements=["business_type", "department_id"]))
_changed = manual.c.id == sa.bindparam("of_manual")
SAVE_FIELDS = Command(
    sa.update(manual)
    .where(_changed)
    .values({name: sa.bindparam(name) for name in (*ManualFields.__struct_fields__, "updated_at")})
)
SAVE_STATE = Command(
    sa.update(manual)
    .where(_changed)
    .values(state=sa.bindparam("state"), current_version_id=sa.bindparam("version_id"), updated_at=sa.bindparam("now"))
)
TOUCH = Command(sa.update(manual).where(_changed).values(updated_at=sa.bindparam("now")))
INSERT_VERSION = Command(
    sa.insert(manual_version).values(
        {name: sa.bindparam(name) for name in ("id", "manual_id", "number", "file_digest", "created_at", "created_by")}
    )
)
_of_draft = sa.and_(manual_version.c.id == sa.bindparam("version_id"), manual_version.c.published_at.is_(None))
SAVE_FILE = Command(sa.update(manual_version).where(_of_draft).values(file_digest=sa.bindparam("digest")))
FREEZE_VERSION = Command(
    sa.update(manual_version)
    .where(_of_draft)
    .values(digest=sa.bindparam("digest"), published_at=sa.bindparam("now"), published_by=sa.bindparam("operator"))
)
DELETE_DRAFT_ELEMENTS = Command(
    sa.delete(manual_element).where(
        manual_element.c.version_id == sa.select(manual_version.c.id).where(_of_draft).scalar_subquery()
    )
)
INSERT_ELEMENT = Command(sa.insert(manual_element))

# ---- counting views

_counted = (
    sa.func.unnest(
        uuid_list("manuals"), _given("publics", sa.ARRAY(sa.BigInteger)), _given("staffs", sa.ARRAY(sa.BigInteger))
    )
    .table_valued(
        sa.column("manual_id", sa.Uuid), sa.column("publics", sa.BigInteger), sa.column("staffs", sa.BigInteger)
    )
    .render_derived(name="counted")
)
_adding = upsert(manual_view).from_select(
    ["manual_id", "public_views", "staff_views"],
    sa.select(_counted.c.manual_id, _counted.c.publics, _counted.c.staffs)
    .select_from(_counted.join(manual, manual.c.id == _counted.c.manual_id))
    .order_by(_counted.c.manual_id),  # in one order, so that two processes wait instead of deadlocking
)
ADD_VIEWS = Command(
    _adding.on_conflict_do_update(
        index_elements=["manual_id"],
        set_={name: manual_view.c[name] + _adding.excluded[name] for name in ("public_views", "staff_views")},
    )
)
"""浏览次数 of many manuals, added in one statement; a manual that is gone is passed over."""
