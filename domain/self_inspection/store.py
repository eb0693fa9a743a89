"""Statements on self-inspections and their answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.checklist.tables import checklist, checklist_item, checklist_version
from domain.enterprise.tables import enterprise, site
from domain.identity.tables import department
from domain.membership.store import within_sites
from domain.self_inspection.model import (
    ScheduledSelfInspection,
    SelfAnswer,
    SelfCheckLine,
    SelfInspection,
    SelfInspectionSummary,
)
from domain.self_inspection.tables import self_inspection, self_inspection_answer
from domain.shared.sql import Command, Query, json_of

MOST_ITEMS = 500
_MOST_SCHEDULED = 200


def answer_json(table: Any) -> sa.ColumnElement[Any]:
    """An answer's row as one json value; photos in hexadecimal, as they travel."""
    photos = sa.func.array(
        sa.select(sa.func.encode(sa.column("photo"), "hex"))
        .select_from(sa.func.unnest(table.c.photos).alias("photo"))
        .correlate(table)
        .scalar_subquery()
    )
    fields: dict[str, Any] = {name: table.c[name] for name in SelfAnswer.__struct_fields__} | {"photos": photos}
    return json_of(fields)


class CheckedSite(msgspec.Struct, frozen=True, kw_only=True):
    """经营场所 with what a self-inspection or a hazard starts from."""

    id: UUID
    enterprise_id: UUID
    region: str
    regulator_id: UUID | None
    business_types: list[str]


SITE_TO_CHECK = Query(
    sa.select(*[site.c[name] for name in CheckedSite.__struct_fields__]).where(site.c.id == sa.bindparam("site_id")),
    CheckedSite,
)


class ItemCount(msgspec.Struct, frozen=True):
    """How many items."""

    items: int


_IS_SELF_CHECK = checklist_item.c.is_self_check.is_(sa.true())
COUNT_SELF_CHECK_ITEMS = Query(
    sa.select(sa.func.count().label("items"))
    .select_from(checklist_item)
    .where(checklist_item.c.version_id == sa.bindparam("version_id"), _IS_SELF_CHECK),
    ItemCount,
)

# ---- self-inspections

_STORED = (
    "id",
    "enterprise_id",
    "site_id",
    "business_type",
    "checklist_version_id",
    "state",
    "item_count",
    "problem_count",
    "started_by",
    "started_at",
)
INSERT_SELF_INSPECTION = Command(
    upsert(self_inspection)
    .values({name: sa.bindparam(name) for name in _STORED})
    .on_conflict_do_nothing(index_elements=["site_id", "business_type"], index_where=sa.text("state = 'draft'"))
)


class SelfInspectionId(msgspec.Struct, frozen=True):
    """Only its id."""

    id: UUID


DRAFT_OF_SITE = Query(
    sa.select(self_inspection.c.id).where(
        self_inspection.c.site_id == sa.bindparam("site_id"),
        self_inspection.c.business_type == sa.bindparam("business_type"),
        self_inspection.c.state == sa.text("'draft'"),
    ),
    SelfInspectionId,
)

_by_id = (
    sa.select(
        *[
            (site.c.region if name == "region" else self_inspection.c[name]).label(name)
            for name in SelfInspection.__struct_fields__
        ]
    )
    .select_from(self_inspection.join(site, site.c.id == self_inspection.c.site_id))
    .where(self_inspection.c.id == sa.bindparam("self_inspection_id"))
)
SELF_INSPECTION_BY_ID = Query(_by_id, SelfInspection)
LOCK_SELF_INSPECTION = Query(_by_id.with_for_update(of=self_inspection), SelfInspection)
SHARE_SELF_INSPECTION = Query(_by_id.with_for_update(of=self_inspection, read=True), SelfInspection)
"""Colleagues answer side by side, and wait for whoever submits."""

_of_self_inspection = self_inspection.c.id == sa.bindparam("of_self_inspection")
MARK_SUBMITTED = Command(
    sa.update(self_inspection)
    .where(_of_self_inspection)
    .values(
        state="submitted",
        quarter=sa.bindparam("new_quarter"),
        problem_count=sa.bindparam("problems"),
        submitted_by=sa.bindparam("account_id"),
        submitted_at=sa.bindparam("now"),
    )
)
MARK_DISCARDED = Command(sa.update(self_inspection).where(_of_self_inspection).values(state="discarded"))

_answered = (
    sa.select(sa.func.count())
    .select_from(self_inspection_answer)
    .where(self_inspection_answer.c.self_inspection_id == self_inspection.c.id)
    .scalar_subquery()
)
_OF_OTHERS: dict[str, Any] = {"site_name": site.c.name, "checklist_name": checklist.c.name, "answered": _answered}
_SUMMARY = sa.select(
    *[
        (_OF_OTHERS[name] if name in _OF_OTHERS else self_inspection.c[name]).label(name)
        for name in SelfInspectionSummary.__struct_fields__
    ]
).select_from(
    self_inspection.join(site, site.c.id == self_inspection.c.site_id)
    .join(checklist_version, checklist_version.c.id == self_inspection.c.checklist_version_id)
    .join(checklist, checklist.c.id == checklist_version.c.checklist_id)
)
SUMMARY_BY_ID = Query(_SUMMARY.where(self_inspection.c.id == sa.bindparam("self_inspection_id")), SelfInspectionSummary)
_state = sa.bindparam("state", type_=sa.Text)
_has_hazard = sa.bindparam("has_hazard", type_=sa.Boolean)
LIST_SELF_INSPECTIONS = Query(
    _SUMMARY.where(
        self_inspection.c.enterprise_id == sa.bindparam("enterprise_id"),
        self_inspection.c.id < sa.bindparam("before_id", type_=sa.Uuid),
        self_inspection.c.state != sa.text("'discarded'"),
        sa.or_(_state.is_(None), self_inspection.c.state == _state),
        # 有隐患 and 无隐患 are told of what was submitted: a draft has neither yet.
        sa.or_(
            _has_hazard.is_(None),
            sa.and_(
                self_inspection.c.state == sa.text("'submitted'"),
                (self_inspection.c.problem_count > sa.text("0")) == _has_hazard,
            ),
        ),
        within_sites(self_inspection.c.site_id),
    )
    .order_by(self_inspection.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    SelfInspectionSummary,
)

# ---- answers

_of_line = sa.and_(
    self_inspection_answer.c.self_inspection_id == sa.bindparam("self_inspection_id", type_=sa.Uuid),
    self_inspection_answer.c.item_id == checklist_item.c.id,
)
_LINE_TEXTS = ("code", "area", "matter", "sub_matter", "content", "method", "severity", "legal_basis")
_LINES = sa.select(
    checklist_item.c.id.label("item_id"),
    *[checklist_item.c[name] for name in _LINE_TEXTS],
    sa.case((self_inspection_answer.c.item_id.is_not(None), answer_json(self_inspection_answer))).label("answer"),
).select_from(checklist_item.outerjoin(self_inspection_answer, _of_line))
LINES = Query(
    _LINES.where(checklist_item.c.version_id == sa.bindparam("version_id"), _IS_SELF_CHECK)
    .order_by(checklist_item.c.place)
    .limit(MOST_ITEMS),
    SelfCheckLine,
)
LINE = Query(
    _LINES.where(
        checklist_item.c.id == sa.bindparam("item_id", type_=sa.Uuid),
        checklist_item.c.version_id == sa.bindparam("version_id"),
        _IS_SELF_CHECK,
    ),
    SelfCheckLine,
)


class SavedVersion(msgspec.Struct, frozen=True):
    """The version that an answer has now."""

    version: int


def save_answer(table: sa.Table, *keys: str) -> Query[SavedVersion]:
    """An upsert that overwrites only the version `expected`; no row means that somebody was faster."""
    names = ("value", "reason", "remark", "photos", "answered_by", "answered_at", "received_at")
    insert = upsert(table).values({name: sa.bindparam(name) for name in (*keys, *names)} | {"version": sa.literal(1)})
    return Query(
        insert.on_conflict_do_update(
            index_elements=list(keys),
            set_={name: insert.excluded[name] for name in names} | {"version": table.c.version + 1},
            where=table.c.version == sa.bindparam("expected", type_=sa.Integer),
        ).returning(table.c.version),
        SavedVersion,
    )


class Photo(msgspec.Struct, frozen=True):
    """One photo that an answer names."""

    photo: bytes


PHOTOS_OF_OTHER_ITEMS = Query(
    sa.select(sa.func.unnest(self_inspection_answer.c.photos).label("photo")).where(
        self_inspection_answer.c.self_inspection_id == sa.bindparam("self_inspection_id"),
        self_inspection_answer.c.item_id != sa.bindparam("item_id"),
    ),
    Photo,
)
SAVE_ANSWER = save_answer(self_inspection_answer, "self_inspection_id", "item_id")

# ---- the quarter

_at_site = site.alias("at_site")
_business_type = sa.func.unnest(_at_site.c.business_types).table_valued("name", name="business_type").render_derived()
_in_force = (
    sa.exists()
    .where(
        checklist.c.business_type == _business_type.c.name,
        checklist.c.state == sa.text("'enabled'"),
        checklist.c.deleted_at.is_(None),
        department.c.id == checklist.c.lead_department_id,
        department.c.region.op("@>")(_at_site.c.region),
        sa.exists().where(checklist_item.c.version_id == checklist.c.current_version_id, _IS_SELF_CHECK),
    )
    .correlate(_at_site, _business_type)
)
_of_quarter = (
    self_inspection.c.site_id == _at_site.c.id,
    self_inspection.c.business_type == _business_type.c.name,
    self_inspection.c.quarter == sa.bindparam("quarter", type_=sa.Text),
    self_inspection.c.state == sa.text("'submitted'"),
)
_WITH_TYPES = _at_site.join(_business_type, sa.true())
SCHEDULE = Query(
    sa.select(
        _at_site.c.id.label("site_id"),
        _at_site.c.name.label("site_name"),
        _business_type.c.name.label("business_type"),
        sa.bindparam("quarter", type_=sa.Text).label("quarter"),
        sa.bindparam("due_on", type_=sa.Date).label("due_on"),
        sa.select(sa.func.max(self_inspection.c.submitted_at))
        .where(*_of_quarter)
        .scalar_subquery()
        .label("submitted_at"),
        sa.select(self_inspection.c.id)
        .where(
            self_inspection.c.site_id == _at_site.c.id,
            self_inspection.c.business_type == _business_type.c.name,
            self_inspection.c.state == sa.text("'draft'"),
        )
        .scalar_subquery()
        .label("draft_id"),
    )
    .select_from(_WITH_TYPES)
    .where(_at_site.c.enterprise_id == sa.bindparam("enterprise_id"), within_sites(_at_site.c.id), _in_force)
    .order_by(_at_site.c.is_main.desc(), _at_site.c.id, _business_type.c.name)
    .limit(_MOST_SCHEDULED),
    ScheduledSelfInspection,
)
"""季度自查 of an enterprise's sites: every 业态 for which a list with self-check items is in force."""


class EnterpriseToRemind(msgspec.Struct, frozen=True):
    """An enterprise of a page, and whether any of its sites has not inspected itself this quarter."""

    id: UUID
    is_due: bool


_page = (
    sa.select(enterprise.c.id)
    .where(enterprise.c.id > sa.bindparam("after_id", type_=sa.Uuid), enterprise.c.revoked_on.is_(None))
    .order_by(enterprise.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .subquery("page")
)
# A single value with LIMIT and no EXISTS: of that one PostgreSQL would make a hash over the sites of all enterprises,
# anew for each page.
_is_due = (
    sa.select(sa.true())
    .select_from(_WITH_TYPES)
    .where(
        _at_site.c.enterprise_id == _page.c.id,
        _in_force,
        ~sa.exists().where(*_of_quarter).correlate(_at_site, _business_type),
    )
    .limit(sa.literal_column("1"))
    .correlate(_page)
    .scalar_subquery()
)
ENTERPRISES_TO_REMIND = Query(
    sa.select(_page.c.id, sa.func.coalesce(_is_due, sa.false()).label("is_due")).order_by(_page.c.id),
    EnterpriseToRemind,
)
