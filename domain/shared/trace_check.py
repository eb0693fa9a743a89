"""Whether the trace is still what was written: every MAC, every link, nothing missing, nothing inserted."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from hmac import compare_digest
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.shared.sql import Connection, Query
from domain.shared.tables import trace, trace_cursor, trace_position
from domain.shared.trace import FIRST_LINK, TraceRow, TraceSeal


class TraceFault(enum.StrEnum):
    """What is wrong with one row."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    POSITION_REMOVED = "position_removed"
    LINK_BROKEN = "link_broken"
    END_CHANGED = "end_changed"
    HEAD_DIFFERS = "head_differs"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One fault, with the row and the position where it shows."""

    fault: TraceFault
    position: int | None = None
    trace_id: UUID | None = None


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The chain's end at one moment, as handed out: whoever keeps it can tell later that nothing before changed."""

    position: int
    link: bytes

    def __str__(self) -> str:
        """`position:link`, the link in hexadecimal."""
        return f"{self.position}:{self.link.hex()}"


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    trace_id: UUID
    tx: int
    n: int
    link: bytes


class _Stored(TraceRow, frozen=True, kw_only=True):
    tx: int
    n: int


class _Cursor(msgspec.Struct, frozen=True, kw_only=True):
    position: int
    tx: int
    n: int
    link: bytes


_PLACES = Query(
    sa.select(*[trace_position.c[name] for name in _Place.__struct_fields__]).order_by(trace_position.c.position),
    _Place,
)
_PLACED_ROWS = Query(
    sa.select(*[trace.c[name] for name in _Stored.__struct_fields__])
    .select_from(trace_position.join(trace, trace.c.id == trace_position.c.trace_id))
    .order_by(trace_position.c.position),
    _Stored,
)
_UNPLACED_ROWS = Query(
    sa.select(*[trace.c[name] for name in _Stored.__struct_fields__])
    .where(~sa.exists().where(trace_position.c.trace_id == trace.c.id))
    .order_by(trace.c.tx, trace.c.n),
    _Stored,
)
_CURSOR = Query(sa.select(*[trace_cursor.c[name] for name in _Cursor.__struct_fields__]), _Cursor)


async def read_head(connection: Connection) -> Head:
    """The chain's present end."""
    cursor = await _CURSOR.one(connection)
    return Head(position=cursor.position, link=cursor.link)


async def check_trace(
    connection: Connection, seal: TraceSeal, handed_out: Head | None = None
) -> AsyncIterator[Finding]:
    """Every fault of the trace, in order. Needs a transaction of one snapshot; memory stays bounded.

    `handed_out` is a head noted earlier: the chain must still pass through it, which also tells an end cut off by
    somebody who holds the database but not what was handed out.
    """
    cursor = await _CURSOR.one(connection)
    former, position = FIRST_LINK, 0
    rows = _PLACED_ROWS.stream(connection)
    row = await anext(rows, None)
    async for place in _PLACES.stream(connection):
        for missing in range(position + 1, place.position):
            yield Finding(fault=TraceFault.POSITION_REMOVED, position=missing)
        if row is None or row.id != place.trace_id:
            yield Finding(fault=TraceFault.REMOVED, position=place.position, trace_id=place.trace_id)
        else:
            fault = _fault_of(row, place, former, seal, after_gap=place.position > position + 1)
            if fault is not None:
                yield Finding(fault=fault, position=place.position, trace_id=place.trace_id)
            row = await anext(rows, None)
        if handed_out is not None and handed_out.position == place.position and handed_out.link != place.link:
            yield Finding(fault=TraceFault.HEAD_DIFFERS, position=place.position, trace_id=place.trace_id)
        former, position = place.link, place.position
    if (position, former) != (cursor.position, cursor.link):
        yield Finding(fault=TraceFault.END_CHANGED, position=position)
    if handed_out is not None and handed_out.position > position:
        yield Finding(fault=TraceFault.HEAD_DIFFERS, position=handed_out.position)
    async for finding in _check_unplaced(connection, seal, cursor):
        yield finding


async def _check_unplaced(connection: Connection, seal: TraceSeal, cursor: _Cursor) -> AsyncIterator[Finding]:
    """What has no position: fresh rows wait for the relay, older ones were put in afterwards."""
    async for row in _UNPLACED_ROWS.stream(connection):
        if (row.tx, row.n) <= (cursor.tx, cursor.n):
            yield Finding(fault=TraceFault.INSERTED, trace_id=row.id)
        elif not _is_sealed(row, seal):
            yield Finding(fault=TraceFault.CHANGED, trace_id=row.id)


def _is_sealed(row: TraceRow, seal: TraceSeal) -> bool:
    try:
        return compare_digest(seal.mac(row), row.mac)
    except KeyError:
        return False


def _fault_of(row: _Stored, place: _Place, former: bytes, seal: TraceSeal, *, after_gap: bool) -> TraceFault | None:
    """A row's own fault, else its link's; after a gap the link cannot be judged."""
    if not _is_sealed(row, seal) or (row.tx, row.n) != (place.tx, place.n):
        return TraceFault.CHANGED
    link = seal.link(former, place.position, place.trace_id, place.tx, place.n, row.mac)
    return None if after_gap or compare_digest(link, place.link) else TraceFault.LINK_BROKEN
