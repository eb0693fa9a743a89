"""文号 and internal numbers: without gap, without two documents holding one, without deadlock.

Counters are taken in sorted order by one statement, as the last one of a transaction, so that the row lock that keeps
a series free of gaps is held only for the commit. An aborted transaction gives its number back by rolling back.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.shared.clock import local_date
from domain.shared.sql import Command, Connection, Query, uuid_list
from domain.shared.tables import issued_number, number_counter

_MAX_LEASE = 100


class NumberKind(enum.StrEnum):
    """What is numbered; the value stands in the internal number (D1, D12)."""

    INSPECTION = "JC"
    NOTICE = "TZ"
    RECORD = "BL"
    RECTIFICATION = "ZG"
    RESULT = "GZ"
    COMPLAINT = "TS"
    TIP_OFF = "JB"
    REQUEST = "SQ"
    OBJECTION = "YY"
    PATROL = "XC"
    SUPERVISION = "DB"


PAPER_WORDS = {
    NumberKind.NOTICE: "检通",
    NumberKind.RECORD: "检录",
    NumberKind.RECTIFICATION: "责改",
    NumberKind.RESULT: "检告",
}
"""文种 in the number that a legal paper bears."""


class NumberRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One number wanted: by which department (its code), of which kind, for which document."""

    department_code: str
    kind: NumberKind
    subject_id: UUID


class IssuedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number given."""

    department_code: str
    kind: NumberKind
    year: int
    sequence: int
    subject_id: UUID | None

    @property
    def text(self) -> str:
        """The internal form `<department code>-<year>-<kind>-<6 digits>`."""
        return internal_number(self.department_code, self.year, self.kind, self.sequence)


def internal_number(department_code: str, year: int, kind: str, sequence: int) -> str:
    """`<department code>-<year>-<kind>-<6 digits>` (D1)."""
    return f"{department_code}-{year}-{kind}-{sequence:06d}"


def paper_number(paper_word: str | None, department_code: str, kind: NumberKind, year: int, sequence: int) -> str:
    """文号 `机关代字 + 文种 + 〔年〕 + 序号`; a department without a 机关代字 shows the internal number (D12)."""
    if paper_word is None or kind not in PAPER_WORDS:
        return internal_number(department_code, year, kind, sequence)
    return f"{paper_word}{PAPER_WORDS[kind]}〔{year}〕{sequence}号"


def _issue_statement() -> sa.Executable:
    wanted = (
        sa.func.unnest(
            sa.bindparam("codes", type_=sa.ARRAY(sa.Text)),
            sa.bindparam("kinds", type_=sa.ARRAY(sa.Text)),
            sa.bindparam("subjects", type_=sa.ARRAY(sa.Uuid)),
            sa.bindparam("devices", type_=sa.ARRAY(sa.Uuid)),
        )
        .table_valued("department_code", "kind", "subject_id", "device_id", with_ordinality="place")
        .render_derived()
    )
    year = sa.bindparam("year", type_=sa.SmallInteger)
    grouped = (
        sa.select(wanted.c.department_code, wanted.c.kind, year.label("year"), sa.func.count().label("last"))
        .group_by(wanted.c.department_code, wanted.c.kind)
        .order_by(wanted.c.department_code, wanted.c.kind)
    )
    insert = upsert(number_counter).from_select(["department_code", "kind", "year", "last"], grouped)
    counted = (
        insert.on_conflict_do_update(
            index_elements=["department_code", "kind", "year"],
            set_={"last": number_counter.c.last + insert.excluded.last},
        )
        .returning(number_counter.c.department_code, number_counter.c.kind, number_counter.c.last)
        .cte("counted")
    )
    rank = sa.func.row_number().over(
        partition_by=[wanted.c.department_code, wanted.c.kind],
        order_by=wanted.c.place.desc(),
    )
    same_series = sa.and_(counted.c.department_code == wanted.c.department_code, counted.c.kind == wanted.c.kind)
    given = (
        sa.select(
            wanted.c.department_code,
            wanted.c.kind,
            year,
            (counted.c.last - rank + 1).label("sequence"),
            wanted.c.subject_id,
            wanted.c.device_id,
            sa.bindparam("now", type_=sa.DateTime(timezone=True)),
        )
        .select_from(wanted.join(counted, same_series))
        .order_by(wanted.c.place)  # rows are inserted, and so returned, in the order asked
    )
    columns = ["department_code", "kind", "year", "sequence", "subject_id", "device_id", "issued_at"]
    register = issued_number.c
    return (
        sa.insert(issued_number)
        .from_select(columns, given)
        .returning(register.department_code, register.kind, register.year, register.sequence, register.subject_id)
    )


_ISSUE = Query(_issue_statement(), IssuedNumber)

_VOID = Command(
    sa.update(issued_number)
    .where(
        issued_number.c.department_code == sa.bindparam("code", type_=sa.Text),
        issued_number.c.kind == sa.bindparam("number_kind", type_=sa.Text),
        issued_number.c.year == sa.bindparam("number_year", type_=sa.SmallInteger),
        issued_number.c.sequence == sa.bindparam("number_sequence", type_=sa.Integer),
        issued_number.c.voided_at.is_(None),
    )
    .values(voided_at=sa.bindparam("now"), void_reason=sa.bindparam("reason")),
)

NUMBERS_OF = Query(
    sa.select(
        issued_number.c.department_code,
        issued_number.c.kind,
        issued_number.c.year,
        issued_number.c.sequence,
        issued_number.c.subject_id,
    ).where(issued_number.c.subject_id == sa.any_(uuid_list("subjects")), issued_number.c.voided_at.is_(None)),
    IssuedNumber,
)


async def issue_numbers(connection: Connection, requests: Sequence[NumberRequest], now: datetime) -> list[IssuedNumber]:
    """Give each request its number, in the order asked; the last statement of its transaction."""
    if not requests:
        return []
    return await _ISSUE.all(
        connection,
        codes=[request.department_code for request in requests],
        kinds=[request.kind for request in requests],
        subjects=[request.subject_id for request in requests],
        devices=[None] * len(requests),
        year=local_date(now).year,
        now=now,
    )


async def lease_numbers(
    connection: Connection, department_code: str, kind: NumberKind, device_id: UUID, count: int, now: datetime
) -> list[IssuedNumber]:
    """A block of `count` (1 to 100) numbers for a device to use offline; each is later used or voided."""
    if not 1 <= count <= _MAX_LEASE:
        raise ValueError(f"a lease holds 1 to {_MAX_LEASE} numbers, not {count}")
    return await _ISSUE.all(
        connection,
        codes=[department_code] * count,
        kinds=[kind] * count,
        subjects=[None] * count,
        devices=[device_id] * count,
        year=local_date(now).year,
        now=now,
    )


async def void_number(connection: Connection, number: IssuedNumber, reason: str, now: datetime) -> bool:
    """Void `number` with its reason; it is never given again. False when it was voided before."""
    return bool(
        await _VOID.run(
            connection,
            code=number.department_code,
            number_kind=number.kind,
            number_year=number.year,
            number_sequence=number.sequence,
            reason=reason,
            now=now,
        )
    )
