"""Statements on draws."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.selection.tables import draw
from domain.shared.sql import Command, Query


class StoredDraw(msgspec.Struct, frozen=True, kw_only=True):
    """A draw as it is kept: its record is the very text that the digest covers."""

    id: UUID
    purpose: str
    subject_id: UUID
    record: str
    digest: bytes
    drawn_at: datetime
    voided_at: datetime | None
    void_reason: str | None


_COLUMNS = [draw.c[name] for name in StoredDraw.__struct_fields__]
INSERT_DRAW = Command(
    sa.insert(draw).values(
        {name: sa.bindparam(name) for name in ("id", "purpose", "subject_id", "record", "digest", "drawn_at")}
    )
)
DRAW_BY_ID = Query(sa.select(*_COLUMNS).where(draw.c.id == sa.bindparam("draw_id")), StoredDraw)
DRAWS_OF_SUBJECT = Query(
    sa.select(*_COLUMNS)
    .where(draw.c.subject_id == sa.bindparam("subject_id"))
    .order_by(draw.c.drawn_at.desc(), draw.c.id.desc())
    .limit(100),
    StoredDraw,
)
# All of one purpose, so that two who void at once count each other.
LOCK_DRAWS_LIKE = Query(
    sa.select(*_COLUMNS)
    .where(
        draw.c.subject_id == sa.bindparam("subject_id"),
        draw.c.purpose == sa.bindparam("purpose"),
    )
    .order_by(draw.c.id)
    .with_for_update(),
    StoredDraw,
)
VOID_DRAW = Command(
    sa.update(draw)
    .where(draw.c.id == sa.bindparam("draw_id"))
    .values(voided_at=sa.bindparam("now"), void_reason=sa.bindparam("reason"))
)
