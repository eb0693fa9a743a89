"""Statements on drawn items and their answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.checklist.tables import checklist_item
from domain.inspection.answers.model import Answer, AnswerContext, ChecklistLine
from domain.inspection.store import posts
from domain.inspection.tables import (
    answer,
    check_in,
    inspection,
    inspection_item,
    record_part,
    visit,
)
from domain.officer.tables import officer
from domain.shared.sql import Command, Query, uuid_list

_ANSWER_COLUMNS = tuple(name for name in Answer.__struct_fields__ if name != "photos")


def _as_json(table: sa.FromClause) -> sa.Function[Any]:
    """An answer as one JSON value, photos in hexadecimal; jsonb keeps its instants as PostgreSQL writes them."""
    photos = sa.select(
        sa.func.array(
            sa.select(sa.func.encode(sa.column("d"), "hex"))
            .select_from(sa.func.unnest(table.c.photos).alias("d"))
            .scalar_subquery()
        )
    ).scalar_subquery()
    pairs: list[Any] = []
    for name in _ANSWER_COLUMNS:
        pairs += [sa.literal_column(f"'{name}'"), table.c[name]]
    return sa.func.jsonb_build_object(*pairs, sa.literal_column("'photos'"), sa.func.to_jsonb(photos))


_post = posts("post")


def _of_department(*columns: Any) -> Any:
    """Over the department's check-ins that count."""
    return (
        sa.select(*columns)
        .select_from(check_in.join(visit, visit.c.id == check_in.c.visit_id))
        .where(
            visit.c.inspection_id == inspection.c.id,
            visit.c.voided_at.is_(None),
            check_in.c.department_id == _post.c.department_id,
        )
    )


_former = answer.alias("former")
# The key-share lock lets officers answer side by side, and makes them wait for whoever signs or completes.
CONTEXT = Query(
    sa.select(
        *[inspection.c[name] for name in ("state", "approved_at", "is_urgent", "starts_on", "created_at")],
        inspection.c.region,
        inspection.c.site_id,
        officer.c.name.label("officer_name"),
        *[officer.c[f"certificate_{name}"] for name in ("number", "valid_from", "valid_to")],
        _post.c.department_id.label("acts_for"),
        inspection_item.c.department_id.label("item_department_id"),
        sa.and_(inspection.c.list_digest.is_not(None), inspection.c.list_released_at.is_(None)).label("is_sealed"),
        sa.func.coalesce(record_part.c.digest.is_not(None), sa.false()).label("is_signed"),
        _of_department(sa.func.min(check_in.c.done_at)).scalar_subquery().label("arrived_at"),
        _of_department(sa.func.max(check_in.c.departed_at)).scalar_subquery().label("departed_at"),
        _of_department(sa.literal(1)).where(check_in.c.departed_at.is_(None)).exists().label("is_present"),
        sa.case((_former.c.item_id.is_not(None), _as_json(_former))).label("former"),
    )
    .select_from(
        inspection.join(
            _post,
            sa.and_(_post.c.inspection_id == inspection.c.id, _post.c.officer_id == sa.bindparam("officer_id")),
        )
        .join(officer, officer.c.id == _post.c.officer_id)
        .outerjoin(
            inspection_item,
            sa.and_(
                inspection_item.c.inspection_id == inspection.c.id,
                inspection_item.c.item_id == sa.bindparam("item_id"),
            ),
        )
        .outerjoin(
            record_part,
            sa.and_(
                record_part.c.inspection_id == inspection.c.id,
                record_part.c.department_id == _post.c.department_id,
            ),
        )
        .outerjoin(
            _former,
            sa.and_(_former.c.inspection_id == inspection.c.id, _former.c.item_id == inspection_item.c.item_id),
        )
    )
    .where(inspection.c.id == sa.bindparam("inspection_id"))
    .with_for_update(read=True, key_share=True, of=inspection),
    AnswerContext,
)


class SavedVersion(msgspec.Struct, frozen=True):
    """The version that an answer has now."""

    version: int


_SAVED = (
    "inspection_id",
    "item_id",
    "value",
    "measures",
    "reason",
    "remark",
    "photos",
    "is_bulk",
    "flags",
    "officer_id",
    "done_at",
    "received_at",
)
_insert = upsert(answer).values({name: sa.bindparam(name) for name in _SAVED} | {"version": sa.literal(1)})
SAVE_ANSWER = Query(
    _insert.on_conflict_do_update(
        index_elements=["inspection_id", "item_id"],
        set_={name: _insert.excluded[name] for name in _SAVED[2:]} | {"version": answer.c.version + 1},
        where=answer.c.version == sa.bindparam("expected", type_=sa.Integer),
    ).returning(answer.c.version),
    SavedVersion,
)

_items = sa.func.unnest(uuid_list("item_ids")).table_valued("item_id").render_derived()


class MarkedItem(msgspec.Struct, frozen=True):
    """An item that was marked; one that another officer answered meanwhile is not among them."""

    item_id: UUID


MARK_IN_BULK = Query(
    upsert(answer)
    .from_select(
        ["version", *_SAVED],
        sa.select(
            sa.literal(1),
            sa.bindparam("inspection_id", type_=sa.Uuid),
            _items.c.item_id,
            sa.literal("no_problem"),
            sa.literal([], JSONB),
            sa.null(),
            sa.null(),
            sa.literal([], sa.ARRAY(sa.LargeBinary)),
            sa.true(),
            sa.bindparam("flags", type_=sa.ARRAY(sa.Text)),
            sa.bindparam("officer_id", type_=sa.Uuid),
            sa.bindparam("done_at", type_=sa.DateTime(timezone=True)),
            sa.bindparam("received_at", type_=sa.DateTime(timezone=True)),
        ),
    )
    .on_conflict_do_nothing()
    .returning(answer.c.item_id),
    MarkedItem,
)

FILL_MEASURES = Command(
    sa.update(answer)
    .where(
        answer.c.inspection_id == sa.bindparam("of_inspection"),
        answer.c.item_id == sa.bindparam("of_item"),
    )
    .values(measures=sa.bindparam("filled"), version=answer.c.version + 1)
)

INSERT_ITEM = Command(sa.insert(inspection_item))

LINE_TEXTS = (
    "code",
    "area",
    "matter",
    "sub_matter",
    "content",
    "method",
    "mode",
    "is_on_site",
    "severity",
    "is_mandatory",
    "penalty_if_overdue",
    "guidance",
    "legal_basis",
)
_LINES = (
    sa.select(
        *[inspection_item.c[name] for name in ("item_id", "place", "department_id")],
        *[checklist_item.c[name] for name in LINE_TEXTS],
        sa.case((answer.c.item_id.is_not(None), _as_json(answer))).label("answer"),
    )
    .select_from(
        inspection_item.join(checklist_item, checklist_item.c.id == inspection_item.c.item_id).outerjoin(
            answer,
            sa.and_(
                answer.c.inspection_id == inspection_item.c.inspection_id,
                answer.c.item_id == inspection_item.c.item_id,
            ),
        )
    )
    .where(inspection_item.c.inspection_id == sa.bindparam("inspection_id"))
    .order_by(inspection_item.c.place)
)
LINES = Query(_LINES, ChecklistLine)


class ListOpening(msgspec.Struct, frozen=True, kw_only=True):
    """Whether, and for whom, a list is open: who has checked in, and whether the server released it."""

    list_released_at: datetime | None
    list_digest: bytes | None
    departments: list[UUID]


OPENING = Query(
    sa.select(
        inspection.c.list_released_at,
        inspection.c.list_digest,
        sa.select(
            sa.func.array(
                sa.select(check_in.c.department_id)
                .select_from(check_in.join(visit, visit.c.id == check_in.c.visit_id))
                .where(visit.c.inspection_id == inspection.c.id, visit.c.voided_at.is_(None))
                .distinct()
                .correlate(inspection)
                .scalar_subquery(),
                type_=sa.ARRAY(sa.Uuid),
            )
        )
        .scalar_subquery()
        .label("departments"),
    ).where(inspection.c.id == sa.bindparam("inspection_id")),
    ListOpening,
)
RELEASE_LIST = Command(
    sa.update(inspection)
    .where(inspection.c.id == sa.bindparam("of_inspection"), inspection.c.list_released_at.is_(None))
    .values(list_released_at=sa.bindparam("now"))
)
RELEASE_SEALED = Command(
    sa.update(inspection)
    .where(
        inspection.c.id == sa.bindparam("of_inspection"),
        inspection.c.list_released_at.is_(None),
        inspection.c.list_digest.is_not(None),
    )
    .values(list_released_at=sa.bindparam("now"))
)
"""The same where there is a list; tells by its rows whether it was sealed."""
