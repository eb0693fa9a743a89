"""What every part of the seed shares: a connection that may write everywhere, sources of ids and chance, and COPY."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from random import Random
from uuid import UUID

import asyncpg
import msgspec

from api.wiring import Parts
from codes.divisions import Division, DivisionLevel, guangxi_divisions, ltree_path
from domain.identity.model import Principal, Role
from domain.shared.clock import local_date
from domain.shared.ids import new_id

DEPARTMENTS = 60
PAIRS = 1100
PACKERS = 100
"""Officers inspect two by two; each pair belongs to one department. The last pairs carry only packages of the day."""
_BATCH = 20_000


class Site(msgspec.Struct, frozen=True):
    """One enterprise at one place."""

    id: UUID
    enterprise_id: UUID
    name: str
    county: Division
    regulator: int
    longitude: float
    latitude: float
    code_id: bytes
    business_types: list[str]


class Pair(msgspec.Struct, frozen=True):
    """Two officers; the first has the account."""

    department: int
    account_id: UUID
    first: UUID
    second: UUID
    name: str


class Seeding:
    """One seeding of one database."""

    def __init__(self, connection: asyncpg.Connection, parts: Parts) -> None:
        """Begin; `connection` may write everywhere."""
        self.connection = connection
        self.parts = parts
        self.random = Random(20260101)
        self.now = datetime.now(UTC)
        self.departments = [self.id() for _ in range(DEPARTMENTS)]
        self.numbers_issued = 0
        self.counties = [
            each
            for each in guangxi_divisions()
            if each.level is DivisionLevel.COUNTY and each.in_force(local_date(self.now))
        ]

    def id(self) -> UUID:
        """A fresh id."""
        return new_id(self.now, self.random.randbytes)

    def department_code(self, number: int) -> str:
        """By which a department's numbers are counted."""
        return f"BM{number:03d}"

    def principal(self, pair: Pair) -> Principal:
        """The first of `pair`, signed in."""
        return Principal(
            account_id=pair.account_id,
            session_id=self.id(),
            name=pair.name,
            role=Role.INSPECTOR,
            post="执法岗",
            department_id=self.departments[pair.department],
            region=ltree_path("450100"),
            officer_id=pair.first,
        )

    async def copy(self, table: str, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
        """COPY the rows, a batch at a time so that the whole never lies in memory."""
        remaining = iter(rows)
        while batch := list(islice(remaining, _BATCH)):
            await self.connection.copy_records_to_table(table, records=batch, columns=columns.split())
