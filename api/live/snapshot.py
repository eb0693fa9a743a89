"""The picture to begin with: which inspections are under way today, who is there, whose position is in doubt, and
which warnings of what is overdue stand.

It is taken at a position of the trace, so that the feed goes on from there: every act up to it stands in the picture,
and an act just after it may stand there already, which a screen that goes by ids does not mind.
"""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from api.live.model import Reach
from api.live.rows import LATEST, gathered
from api.live.scope import Scope
from api.live.warnings import OpenWarning, read_standing
from api.wiring import Parts
from api.work import database_refusals
from domain.enterprise.tables import enterprise, site
from domain.inspection.model import CheckInMeans, IdentificationResponse, InspectionKind, InspectionState
from domain.inspection.rules import is_in_doubt
from domain.inspection.tables import (
    check_in,
    identification,
    inspection,
    inspection_officer,
    inspection_party,
    visit,
)
from domain.officer.tables import officer
from domain.shared.clock import WORKING_ZONE
from domain.shared.sql import Connection, Query, borrow, json_of

_PAGE: Final = 500
_MOST: Final = 20_000
_FRAME: Final = 100
_GOOD_FOR: Final = 2.0
_STILL_THERE: Final = timedelta(hours=12)


class VisitStanding(enum.StrEnum):
    """How an inspection of today stands on the screen."""

    ON_SITE = "on_site"
    LEFT = "left"
    COMPLETED = "completed"


class OfficerThere(msgspec.Struct, frozen=True, kw_only=True):
    """An officer who checked in."""

    id: UUID
    name: str


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """扫码报到 of one department: its two officers, how they proved to be there, and what is odd about it."""

    department_id: UUID
    officers: list[OfficerThere]
    means: CheckInMeans
    flags: list[str]
    is_in_doubt: bool
    arrived_at: datetime
    departed_at: datetime | None
    identification: IdentificationResponse | None


class VisitUnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """检查进行中: one visit of today."""

    visit_id: UUID
    inspection_id: UUID
    sequence: int
    standing: VisitStanding
    name: str
    kind: InspectionKind
    scene: str
    region: str
    department_id: UUID
    site_id: UUID
    site: str
    enterprise: str
    arrived_at: datetime
    departed_at: datetime | None
    presences: list[Presence]


class SnapshotReason(enum.StrEnum):
    """Why a snapshot comes: at the start; or since the position given is too far back, or none of ours."""

    START = "start"
    TOO_OLD = "too_old"
    UNKNOWN_POSITION = "unknown_position"


class SnapshotFrame(msgspec.Struct, frozen=True, tag_field="type", tag="snapshot"):
    """A page of what is under way as of `position`. Only after the last one is `position` where to go on from.

    `warnings` are those of yellow, orange and red that stand, the gravest first. `is_whole` is false where there is
    more than a snapshot holds: the newest visits are left out, or the mildest warnings.
    """

    position: int
    reason: SnapshotReason
    page: int
    is_last: bool
    is_whole: bool
    visits: list[VisitUnderWay]
    warnings: list[OpenWarning]


class _RawFrame(msgspec.Struct, frozen=True, tag_field="type", tag="snapshot"):
    """The same, of visits and warnings that are encoded already."""

    position: int
    reason: SnapshotReason
    page: int
    is_last: bool
    is_whole: bool
    visits: list[msgspec.Raw]
    warnings: list[msgspec.Raw]


class _CheckIn(msgspec.Struct, frozen=True, kw_only=True):
    department_id: UUID
    officer_id: UUID
    officer: str
    second_officer_id: UUID
    second_officer: str
    means: CheckInMeans
    flags: list[str]
    arrived_at: datetime
    departed_at: datetime | None
    identification: IdentificationResponse | None


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    visit_id: UUID
    inspection_id: UUID
    sequence: int
    state: InspectionState
    name: str
    kind: InspectionKind
    scene: str
    region: str
    department_id: UUID
    site_id: UUID
    site: str
    enterprise: str
    arrived_at: datetime
    departed_at: datetime | None
    check_ins: list[_CheckIn]
    officers: list[UUID]
    departments: list[UUID]


_first, _second = officer.alias("first"), officer.alias("second")
_response = (
    sa.select(identification.c.response)
    .where(identification.c.check_in_id == check_in.c.id)
    .order_by(identification.c.id.desc())
    .limit(1)
    .scalar_subquery()
)
_check_in = json_of(
    {
        "department_id": check_in.c.department_id,
        "officer_id": check_in.c.officer_id,
        "officer": _first.c.name,
        "second_officer_id": check_in.c.second_officer_id,
        "second_officer": _second.c.name,
        "means": check_in.c.means,
        "flags": check_in.c.flags,
        "arrived_at": check_in.c.done_at,
        "departed_at": check_in.c.departed_at,
        "identification": _response,
    }
)
_check_ins = (
    sa.select(sa.func.coalesce(sa.func.jsonb_agg(aggregate_order_by(_check_in, check_in.c.id)), sa.text("'[]'::jsonb")))
    .select_from(
        check_in.join(_first, _first.c.id == check_in.c.officer_id).join(
            _second, _second.c.id == check_in.c.second_officer_id
        )
    )
    .where(check_in.c.visit_id == visit.c.id)
    .correlate(visit)
    .scalar_subquery()
)

UNDER_WAY = Query(
    sa.select(
        visit.c.id.label("visit_id"),
        visit.c.inspection_id,
        visit.c.sequence,
        inspection.c.state,
        inspection.c.name,
        inspection.c.kind,
        inspection.c.scene_code.label("scene"),
        inspection.c.region,
        inspection.c.initiating_department_id.label("department_id"),
        inspection.c.site_id,
        site.c.name.label("site"),
        enterprise.c.name.label("enterprise"),
        visit.c.arrived_at,
        visit.c.departed_at,
        _check_ins.label("check_ins"),
        gathered(inspection_officer.c.officer_id, inspection_officer.c.inspection_id).label("officers"),
        gathered(inspection_party.c.department_id, inspection_party.c.inspection_id).label("departments"),
    )
    .select_from(
        visit.join(inspection, inspection.c.id == visit.c.inspection_id)
        .join(site, site.c.id == inspection.c.site_id)
        .join(enterprise, enterprise.c.id == site.c.enterprise_id)
    )
    .where(
        visit.c.voided_at.is_(None),
        sa.tuple_(visit.c.arrived_at, visit.c.id)
        > sa.tuple_(
            sa.bindparam("after_at", type_=sa.DateTime(timezone=True)), sa.bindparam("after_id", type_=sa.Uuid)
        ),
        inspection.c.state != InspectionState.CANCELLED.value,
    )
    .order_by(visit.c.arrived_at, visit.c.id)
    .limit(_PAGE),
    _Row,
)


class _Taken(msgspec.Struct, frozen=True):
    """What stands as of a position: whom each visit and each warning concerns, and both as they are sent."""

    position: int
    is_whole: bool
    visits: list[tuple[Reach, msgspec.Raw]]
    warnings: list[tuple[Reach, msgspec.Raw]]


class Snapshots:
    """Takes snapshots, one for all who come within two seconds: after a restart everybody comes at once."""

    def __init__(self, parts: Parts) -> None:
        """Read through the pool of `parts`."""
        self._parts = parts
        self._lock = asyncio.Lock()
        self._taken: _Taken | None = None
        self._taken_at = -_GOOD_FOR

    async def take(self) -> _Taken:
        """A snapshot that is at most two seconds old. Raises `DatabaseAway`."""
        async with self._lock:
            if self._taken is None or time.monotonic() - self._taken_at >= _GOOD_FOR:
                asked_at = time.monotonic()
                self._taken = await self._read()
                self._taken_at = asked_at
            return self._taken

    def forget(self) -> None:
        """The next one is taken anew."""
        self._taken = None

    async def _read(self) -> _Taken:
        """In one snapshot of the database, page by page; it reads only, so that the relay does not wait for it."""
        async with (
            database_refusals(),
            borrow(self._parts.pool) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            position = (await LATEST.one(connection)).position
            visits, has_all_visits = await _visits(connection, _since(self._parts.clock()))
            warnings, has_all_warnings = await read_standing(connection, _MOST)
        return _Taken(position, is_whole=has_all_visits and has_all_warnings, visits=visits, warnings=warnings)


async def _visits(connection: Connection, since: datetime) -> tuple[list[tuple[Reach, msgspec.Raw]], bool]:
    visits: list[tuple[Reach, msgspec.Raw]] = []
    after_at, after_id = since, UUID(int=0)
    while len(visits) < _MOST:
        rows = await UNDER_WAY.all(connection, after_at=after_at, after_id=after_id)
        visits.extend((_reach(row), msgspec.Raw(msgspec.json.encode(_shown(row)))) for row in rows)
        if len(rows) < _PAGE:
            return visits, True
        after_at, after_id = rows[-1].arrived_at, rows[-1].visit_id
    return visits, False


def _since(now: datetime) -> datetime:
    """Since midnight; whoever is at work over midnight does not vanish by it."""
    midnight = now.astimezone(WORKING_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return min(midnight, now - _STILL_THERE)


def frames_of(taken: _Taken, scope: Scope, reason: SnapshotReason) -> Iterator[str]:
    """The part of a snapshot that belongs to `scope`, page by page; at least one, which may be empty."""
    visits = [visit for reach, visit in taken.visits if scope.admits(reach)]
    warnings = [warning for reach, warning in taken.warnings if scope.admits(reach)]
    pages = max(1, -(-max(len(visits), len(warnings)) // _FRAME))
    for page in range(pages):
        part = slice(page * _FRAME, (page + 1) * _FRAME)
        frame = _RawFrame(
            taken.position,
            reason,
            page + 1,
            page + 1 == pages,
            taken.is_whole,
            visits[part],
            warnings[part],
        )
        yield msgspec.json.encode(frame).decode()


def _reach(row: _Row) -> Reach:
    return Reach(
        region=row.region,
        departments=frozenset(row.departments),
        officers=frozenset(row.officers),
        scene=row.scene,
        inspection_id=row.inspection_id,
    )


def _shown(row: _Row) -> VisitUnderWay:
    shared = {name: getattr(row, name) for name in VisitUnderWay.__struct_fields__ if hasattr(row, name)}
    return VisitUnderWay(**shared, standing=_standing(row), presences=[_presence(each) for each in row.check_ins])


def _standing(row: _Row) -> VisitStanding:
    if row.state is InspectionState.COMPLETED:
        return VisitStanding.COMPLETED
    return VisitStanding.ON_SITE if row.departed_at is None else VisitStanding.LEFT


def _presence(said: _CheckIn) -> Presence:
    return Presence(
        department_id=said.department_id,
        officers=[
            OfficerThere(id=said.officer_id, name=said.officer),
            OfficerThere(id=said.second_officer_id, name=said.second_officer),
        ],
        means=said.means,
        flags=said.flags,
        is_in_doubt=is_in_doubt(said.means, said.flags),
        arrived_at=said.arrived_at,
        departed_at=said.departed_at,
        identification=said.identification,
    )
