"""Statements of the feed: what was placed, and whom it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from api.live.model import WATCHED, FeedRow, Reach
from api.live.warnings import MATTERS, SUBJECTS, Matter, is_pushed
from domain.inspection.tables import inspection, inspection_officer, inspection_party
from domain.publication.tables import publication
from domain.rectification.tables import enforcement_transfer, rectification_order
from domain.shared.sql import Connection, Query, uuid_list
from domain.shared.tables import trace, trace_position

PAGE: Final = 500
NO_END: Final = 2**62

PLACED_AFTER = Query(
    sa.select(
        trace_position.c.position,
        *[trace.c[name] for name in FeedRow.__struct_fields__ if name != "position"],
    )
    .select_from(trace_position.join(trace, trace.c.id == trace_position.c.trace_id))
    .where(
        trace_position.c.position > sa.bindparam("after", type_=sa.BigInteger),
        trace_position.c.position <= sa.bindparam("up_to", type_=sa.BigInteger),
    )
    .order_by(trace_position.c.position)
    .limit(PAGE),
    FeedRow,
)


class Latest(msgspec.Struct, frozen=True):
    """The newest position of all."""

    position: int


LATEST = Query(sa.select(sa.func.coalesce(sa.func.max(trace_position.c.position), 0).label("position")), Latest)


class _About(msgspec.Struct, frozen=True, kw_only=True):
    subject_id: UUID
    inspection_id: UUID
    scene: str
    officers: list[UUID]
    departments: list[UUID]


def _subjects_of(table: sa.Table) -> sa.Select[Any, Any]:
    about = table.c.id if table is inspection else table.c.inspection_id
    return sa.select(table.c.id.label("subject_id"), about.label("inspection_id")).where(
        table.c.id == sa.any_(uuid_list("subjects"))
    )


def gathered(column: sa.Column[UUID], of: sa.Column[UUID]) -> sa.ColumnElement[Sequence[UUID]]:
    """The ids in `column` that belong to the statement's inspection, which stands in `of`."""
    rows = sa.select(column).where(of == inspection.c.id).correlate(inspection)
    return sa.func.array(rows.scalar_subquery(), type_=sa.ARRAY(sa.Uuid))


_about = sa.union_all(
    *[_subjects_of(table) for table in (inspection, rectification_order, enforcement_transfer, publication)]
).subquery("about")
ABOUT = Query(
    sa.select(
        _about.c.subject_id,
        _about.c.inspection_id,
        inspection.c.scene_code.label("scene"),
        gathered(inspection_officer.c.officer_id, inspection_officer.c.inspection_id).label("officers"),
        gathered(inspection_party.c.department_id, inspection_party.c.inspection_id).label("departments"),
    ).select_from(_about.join(inspection, inspection.c.id == _about.c.inspection_id)),
    _About,
)
"""By primary keys alone. Who is assigned is told as of now, not as of the event: a newcomer may look back."""


async def read_placed(
    connection: Connection, after: int, up_to: int = NO_END
) -> tuple[list[FeedRow], dict[UUID, Reach]]:
    """A page of rows, at most `PAGE`, and by the trace row's id whom each of those that may be watched concerns."""
    rows = await PLACED_AFTER.all(connection, after=after, up_to=up_to)
    watched = [row for row in rows if row.subject in WATCHED and is_pushed(row)]
    known: dict[UUID, _About | Matter] = {}
    for query, subjects in (
        (ABOUT, [row.subject_id for row in watched if row.subject not in SUBJECTS]),
        (MATTERS, [row.subject_id for row in watched if row.subject in SUBJECTS]),
    ):
        if subjects:
            known.update((each.subject_id, each) for each in await query.all(connection, subjects=subjects))
    return rows, {row.id: _reach(row, known.get(row.subject_id)) for row in watched}


def _reach(row: FeedRow, about: _About | Matter | None) -> Reach:
    own = frozenset() if row.department_id is None else frozenset({row.department_id})
    if about is None:
        return Reach(region=row.region, departments=own)
    return Reach(
        region=row.region,
        departments=own.union(about.departments),
        officers=frozenset(about.officers),
        scene=about.scene,
        inspection_id=about.inspection_id,
    )
