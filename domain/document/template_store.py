"""Statements on templates of papers."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from domain.document.tables import document_template as template
from domain.document.template_model import DocumentTemplate, TemplateLine
from domain.identity.tables import department
from domain.shared.sql import Command, Query

_WITH_DEPARTMENT = template.outerjoin(department, department.c.id == template.c.department_id)


def _columns(row: type[TemplateLine]) -> list[sa.Label[Any]]:
    return [
        (department.c.name if name == "department_name" else template.c[name]).label(name)
        for name in row.__struct_fields__
    ]


_WHOLE = sa.select(*_columns(DocumentTemplate)).select_from(_WITH_DEPARTMENT).where(template.c.deleted_at.is_(None))
_BY_ID = _WHOLE.where(template.c.id == sa.bindparam("template_id", type_=sa.Uuid))
TEMPLATE_BY_ID = Query(_BY_ID, DocumentTemplate)
LOCK_TEMPLATE = Query(_BY_ID.with_for_update(of=template), DocumentTemplate)

_department_id = sa.bindparam("department_id", type_=sa.Uuid)
_of_reader = sa.or_(template.c.department_id.is_(None), template.c.department_id == _department_id)
_wanted_id = sa.bindparam("template_id", type_=sa.Uuid)
USABLE_TEMPLATE = Query(
    _WHOLE.where(
        template.c.kind == sa.bindparam("kind", type_=sa.Text),
        template.c.state == "published",
        _of_reader,
        sa.or_(_wanted_id.is_(None), template.c.id == _wanted_id),
    )
    .order_by(template.c.department_id.is_(None), template.c.version.desc())
    .limit(1),
    DocumentTemplate,
)

_kind = sa.bindparam("kind", type_=sa.Text)
_state = sa.bindparam("state", type_=sa.Text)
_words = sa.bindparam("words", type_=sa.Text)
LIST_TEMPLATES = Query(
    sa.select(*_columns(TemplateLine))
    .select_from(_WITH_DEPARTMENT)
    .where(
        template.c.deleted_at.is_(None),
        _of_reader,
        sa.or_(_kind.is_(None), template.c.kind == _kind),
        sa.or_(_state.is_(None), template.c.state == _state),
        sa.or_(_words.is_(None), sa.func.strpos(template.c.name, _words) > 0),
    )
    .order_by(template.c.place, template.c.kind, template.c.department_id.nulls_first(), template.c.version.desc())
    .limit(500),
    TemplateLine,
)


class LatestVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The number of the latest version, deleted ones counted."""

    version: int


_same_owner = template.c.department_id.is_not_distinct_from(_department_id)
LATEST_VERSION = Query(
    sa.select(sa.func.coalesce(sa.func.max(template.c.version), 0).label("version")).where(
        template.c.kind == sa.bindparam("kind", type_=sa.Text), _same_owner
    ),
    LatestVersion,
)

INSERT_TEMPLATE = Command(sa.insert(template))
SAVE_TEXT = Command(
    sa.update(template)
    .where(template.c.id == sa.bindparam("template_id"))
    .values(
        {
            name: sa.bindparam(f"new_{name}", type_=template.c[name].type)
            for name in ("name", "body", "note", "place", "drafted_by", "drafted_by_name", "drafted_at")
        }
        # Who returned the former text may correct it; the note stays to be read.
        | {name: sa.null() for name in ("reviewed_by", "reviewed_by_name", "reviewed_at")}
    )
)
SAVE_STATE = Command(
    sa.update(template)
    .where(template.c.id == sa.bindparam("template_id"))
    .values(state=sa.bindparam("state_after", type_=sa.Text))
)
SAVE_REVIEW = Command(
    sa.update(template)
    .where(template.c.id == sa.bindparam("template_id"))
    .values(
        state=sa.bindparam("state_after", type_=sa.Text),
        reviewed_by=sa.bindparam("reviewer"),
        reviewed_by_name=sa.bindparam("reviewer_name"),
        reviewed_at=sa.bindparam("now"),
        review_note=sa.bindparam("said"),
    )
)
DISABLE_OTHERS = Command(
    sa.update(template)
    .where(
        template.c.kind == sa.bindparam("of_kind", type_=sa.Text),
        template.c.department_id.is_not_distinct_from(sa.bindparam("of_department", type_=sa.Uuid)),
        template.c.state == "published",
        template.c.id != sa.bindparam("template_id", type_=sa.Uuid),
    )
    .values(state="disabled")
)
DELETE_TEMPLATE = Command(
    sa.update(template)
    .where(template.c.id == sa.bindparam("template_id"))
    .values(deleted_at=sa.bindparam("now"), state="disabled")
)
