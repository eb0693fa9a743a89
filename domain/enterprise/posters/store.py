"""Statements on poster batches."""

from __future__ import annotations

import sqlalchemy as sa

from domain.enterprise.posters.model import PosterBatch, PosterPart
from domain.enterprise.tables import poster_batch, poster_part
from domain.shared.sql import Command, Query

_FIELDS = PosterBatch.__struct_fields__
_COLUMNS = [poster_batch.c[name] for name in _FIELDS]
_BY_ID = sa.select(*_COLUMNS).where(poster_batch.c.id == sa.bindparam("batch_id"))
BATCH_BY_ID = Query(_BY_ID, PosterBatch)
LOCK_BATCH = Query(_BY_ID.with_for_update(), PosterBatch)
INSERT_BATCH = Command(sa.insert(poster_batch).values({name: sa.bindparam(name) for name in _FIELDS}))
UPDATE_BATCH = Command(
    sa.update(poster_batch)
    .where(poster_batch.c.id == sa.bindparam("of_batch"))
    .values({name: sa.bindparam(name) for name in _FIELDS if name not in {"id", "requested_by", "created_at"}})
)
LIST_OF_ACCOUNT = Query(
    sa.select(*_COLUMNS)
    .where(
        poster_batch.c.requested_by == sa.bindparam("account_id"),
        poster_batch.c.id < sa.bindparam("before_id", type_=sa.Uuid),
    )
    .order_by(poster_batch.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    PosterBatch,
)
LOCK_OLD_BATCHES = Query(
    sa.select(*_COLUMNS)
    .where(sa.text("poster_batch.state in ('cancelled', 'finished')"), poster_batch.c.ended_at < sa.bindparam("before"))
    .order_by(poster_batch.c.ended_at)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .with_for_update(skip_locked=True),
    PosterBatch,
)

_PART_COLUMNS = [poster_part.c[name] for name in PosterPart.__struct_fields__]
INSERT_PART = Command(
    sa.insert(poster_part).values({name: sa.bindparam(name) for name in PosterPart.__struct_fields__})
)
PART = Query(
    sa.select(*_PART_COLUMNS).where(
        poster_part.c.batch_id == sa.bindparam("batch_id"), poster_part.c.number == sa.bindparam("number")
    ),
    PosterPart,
)
PARTS_OF_BATCH = Query(
    sa.select(*_PART_COLUMNS)
    .where(
        poster_part.c.batch_id == sa.bindparam("batch_id"),
        poster_part.c.number > sa.bindparam("after_number", type_=sa.Integer),
    )
    .order_by(poster_part.c.number)
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    PosterPart,
)
