"""Statements on checklists."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.checklist.model import (
    ChecklistCard,
    ChecklistChange,
    ChecklistItem,
    ChecklistVersion,
    EnabledChecklist,
    PublicChecklist,
)
from domain.checklist.tables import checklist, checklist_change, checklist_item, checklist_version
from domain.identity.tables import department
from domain.shared.sql import Command, Ltree, Query, uuid_list

_participant = department.alias("participant")
_participant_names = (
    sa.select(sa.func.array_agg(aggregate_order_by(_participant.c.name, _participant.c.code), type_=sa.ARRAY(sa.Text)))
    .where(_participant.c.id == sa.any_(checklist.c.participants))
    .scalar_subquery()
)
_current_number = (
    sa.select(checklist_version.c.number)
    .where(checklist_version.c.id == checklist.c.current_version_id)
    .scalar_subquery()
)
_OF_OTHER_TABLES: dict[str, Any] = {
    "lead_department": department.c.name,
    "region": department.c.region,
    "participant_names": sa.func.coalesce(_participant_names, sa.text("'{}'::text[]")),
    "current_version_number": _current_number,
}
_WITH_LEAD = checklist.join(department, department.c.id == checklist.c.lead_department_id)
_CARD = (
    sa.select(
        *[
            (_OF_OTHER_TABLES[name] if name in _OF_OTHER_TABLES else checklist.c[name]).label(name)
            for name in ChecklistCard.__struct_fields__
        ]
    )
    .select_from(_WITH_LEAD)
    .where(checklist.c.deleted_at.is_(None))
)
_BY_ID = _CARD.where(checklist.c.id == sa.bindparam("checklist_id"))
CHECKLIST_BY_ID = Query(_BY_ID, ChecklistCard)
LOCK_CHECKLIST = Query(_BY_ID.with_for_update(of=checklist), ChecklistCard)


def _given(name: str, kind: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind)


def _unless(name: str, kind: Any, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition, where the filter is given at all."""
    return sa.or_(_given(name, kind).is_(None), condition)


_region = _given("region", Ltree)
_department = _given("department_id", sa.Uuid)
_READABLE = sa.or_(
    checklist.c.lead_department_id == _department,
    _department == sa.any_(checklist.c.participants),
    department.c.region.op("<@")(_region),
    department.c.region.op("@>")(_region),
)
"""Those that `rules.may_read` lets a department of a region see."""
LIST_CHECKLISTS = Query(
    _CARD.where(
        _READABLE,
        _unless("state", sa.Text, checklist.c.state == _given("state", sa.Text)),
        _unless("name", sa.Text, sa.func.strpos(checklist.c.name, _given("name", sa.Text)) > 0),
        _unless("code", sa.Text, sa.func.strpos(checklist.c.code, _given("code", sa.Text)) > 0),
        _unless("business_type", sa.Text, checklist.c.business_type == _given("business_type", sa.Text)),
        _unless("is_default", sa.Boolean, checklist.c.is_default == _given("is_default", sa.Boolean)),
        checklist.c.id < _given("before_id", sa.Uuid),
    )
    .order_by(checklist.c.id.desc())
    .limit(_given("limit", sa.Integer)),
    ChecklistCard,
)

_VERSION_COLUMNS = [checklist_version.c[name] for name in ChecklistVersion.__struct_fields__]
VERSIONS_OF_CHECKLIST = Query(
    sa.select(*_VERSION_COLUMNS)
    .where(checklist_version.c.checklist_id == sa.bindparam("checklist_id"))
    .order_by(checklist_version.c.number.desc()),
    ChecklistVersion,
)
LATEST_VERSION = Query(
    sa.select(*_VERSION_COLUMNS)
    .where(checklist_version.c.checklist_id == sa.bindparam("checklist_id"))
    .order_by(checklist_version.c.number.desc())
    .limit(1),
    ChecklistVersion,
)
ITEMS_OF_VERSION = Query(
    sa.select(*[checklist_item.c[name] for name in ChecklistItem.__struct_fields__])
    .where(checklist_item.c.version_id == sa.bindparam("version_id"))
    .order_by(checklist_item.c.place),
    ChecklistItem,
)

_site_region = _given("region", Ltree)
ENABLED_CHECKLIST = Query(
    sa.select(
        checklist.c.id.label("checklist_id"),
        checklist.c.code,
        checklist.c.name,
        checklist_version.c.id.label("version_id"),
        checklist_version.c.number.label("version_number"),
        checklist_version.c.digest,
    )
    .select_from(_WITH_LEAD.join(checklist_version, checklist_version.c.id == checklist.c.current_version_id))
    .where(
        checklist.c.deleted_at.is_(None),
        checklist.c.state == "enabled",
        checklist.c.business_type == sa.bindparam("business_type"),
        department.c.region.op("@>")(_site_region),
    )
    .order_by(
        (checklist.c.lead_department_id == sa.bindparam("department_id")).desc(),
        sa.func.nlevel(department.c.region).desc(),
        checklist.c.is_default.desc(),
        checklist.c.id.desc(),
    )
    .limit(1),
    EnabledChecklist,
)
"""The list of a 业态 in force at a site: of the dispatching department before another's, of the nearest region, the
default one, the newest."""

_OF_CURRENT: dict[str, Any] = {
    **_OF_OTHER_TABLES,
    "version": checklist_version.c.number,
    "version_id": checklist_version.c.id,
    "published_at": checklist_version.c.published_at,
}
_PUBLIC = (
    sa.select(
        *[
            (_OF_CURRENT[name] if name in _OF_CURRENT else checklist.c[name]).label(name)
            for name in PublicChecklist.__struct_fields__
        ]
    )
    .select_from(_WITH_LEAD.join(checklist_version, checklist_version.c.id == checklist.c.current_version_id))
    .where(checklist.c.deleted_at.is_(None), checklist.c.state == sa.text("'enabled'"))
)
PUBLIC_CHECKLIST_BY_ID = Query(_PUBLIC.where(checklist.c.id == sa.bindparam("checklist_id")), PublicChecklist)
LIST_PUBLIC_CHECKLISTS = Query(
    _PUBLIC.where(
        _unless("business_type", sa.Text, checklist.c.business_type == _given("business_type", sa.Text)),
        sa.or_(sa.cast(_region, Ltree).is_(None), department.c.region.op("@>")(_region)),
        checklist.c.id < _given("before_id", sa.Uuid),
    )
    .order_by(checklist.c.id.desc())
    .limit(_given("limit", sa.Integer)),
    PublicChecklist,
)
"""The lists in use, the newest first; of a region: those that hold there."""

CHANGES_OF_CHECKLIST = Query(
    sa.select(
        *[checklist_change.c[name] for name in ChecklistChange.__struct_fields__ if name != "department"],
        department.c.name.label("department"),
    )
    .select_from(checklist_change.outerjoin(department, department.c.id == checklist_change.c.department_id))
    .where(
        checklist_change.c.checklist_id == sa.bindparam("checklist_id"),
        checklist_change.c.id < _given("before_id", sa.Uuid),
    )
    .order_by(checklist_change.c.id.desc())
    .limit(_given("limit", sa.Integer)),
    ChecklistChange,
)


class Found(msgspec.Struct, frozen=True):
    """An id that exists."""

    id: UUID


class FoundCode(msgspec.Struct, frozen=True):
    """A code that exists."""

    code: str


DEPARTMENTS_AMONG = Query(sa.select(department.c.id).where(department.c.id == sa.any_(uuid_list("ids"))), Found)
DEPARTMENT_CODES_AMONG = Query(
    sa.select(department.c.code).where(department.c.code == sa.any_(_given("codes", sa.ARRAY(sa.Text)))), FoundCode
)
CHECKLIST_OF_CODE = Query(sa.select(checklist.c.id).where(checklist.c.code == sa.bindparam("code")), Found)

INSERT_CHECKLIST = Command(upsert(checklist).on_conflict_do_nothing(index_elements=["code"]))
_of_checklist = checklist.c.id == sa.bindparam("of_checklist")
SAVE_BASICS = Command(
    sa.update(checklist)
    .where(_of_checklist)
    .values(
        {
            name: sa.bindparam(name)
            for name in ("name", "business_type", "scene_code", "participants", "is_default", "note", "updated_at")
        }
    )
)
SAVE_STATE = Command(
    sa.update(checklist).where(_of_checklist).values(state=sa.bindparam("state"), updated_at=sa.bindparam("now"))
)
SAVE_CURRENT_VERSION = Command(
    sa.update(checklist)
    .where(_of_checklist)
    .values(current_version_id=sa.bindparam("version_id"), updated_at=sa.bindparam("now"))
)
TOUCH = Command(sa.update(checklist).where(_of_checklist).values(updated_at=sa.bindparam("now")))
MARK_DELETED = Command(
    sa.update(checklist).where(_of_checklist).values(deleted_at=sa.bindparam("now"), updated_at=sa.bindparam("now"))
)
INSERT_VERSION = Command(
    sa.insert(checklist_version).values(
        {name: sa.bindparam(name) for name in ("id", "checklist_id", "number", "created_at")}
    )
)
FREEZE_VERSION = Command(
    sa.update(checklist_version)
    .where(checklist_version.c.id == sa.bindparam("version_id"), checklist_version.c.published_at.is_(None))
    .values(digest=sa.bindparam("digest"), published_at=sa.bindparam("now"), published_by=sa.bindparam("operator"))
)
DELETE_DRAFT_ITEMS = Command(
    sa.delete(checklist_item).where(
        checklist_item.c.version_id
        == sa.select(checklist_version.c.id)
        .where(checklist_version.c.id == sa.bindparam("version_id"), checklist_version.c.published_at.is_(None))
        .scalar_subquery()
    )
)
INSERT_ITEM = Command(sa.insert(checklist_item))
INSERT_CHANGE = Command(sa.insert(checklist_change))
