"""Statements on how far the reminders of a quarter have come."""

from __future__ import annotations

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.self_inspection.tables import self_inspection_round
from domain.shared.sql import Command, Query

_ROUND = self_inspection_round.c


class RoundStanding(msgspec.Struct, frozen=True):
    """The last enterprise of the last page."""

    after_enterprise_id: UUID


BEGIN_ROUND = Command(
    upsert(self_inspection_round)
    .values(
        quarter=sa.bindparam("quarter"),
        after_enterprise_id=UUID(int=0),
        reminded=0,
        started_at=sa.bindparam("now"),
    )
    .on_conflict_do_nothing()
)
LOCK_ROUND = Query(
    sa.select(_ROUND.after_enterprise_id)
    .where(_ROUND.quarter == sa.bindparam("quarter"), _ROUND.finished_at.is_(None))
    .with_for_update(skip_locked=True),
    RoundStanding,
)
ADVANCE_ROUND = Command(
    sa.update(self_inspection_round)
    .where(_ROUND.quarter == sa.bindparam("of_quarter"))
    .values(
        after_enterprise_id=sa.bindparam("after_id"),
        reminded=_ROUND.reminded + sa.bindparam("told", type_=sa.Integer),
        finished_at=sa.bindparam("ended_at"),
    )
)
