"""Open data on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.search.open_data.model import DataLicence, Dump, OpenResult


class ResultPage(msgspec.Struct, frozen=True, kw_only=True):
    """检查结果公示, the newest first. `total` is exact while `is_total_exact`; else there are at least that many."""

    licence: DataLicence
    total: int
    is_total_exact: bool
    items: list[OpenResult]
    next: str | None


class DumpLine(msgspec.Struct, frozen=True, kw_only=True):
    """全量数据 of one night: what is in it, and the SHA-256 of the file (hexadecimal)."""

    made_on: date
    made_at: datetime
    results: int
    withdrawn: int
    size: int
    sha256: str
    url: str


class DumpList(msgspec.Struct, frozen=True, kw_only=True):
    """The dumps that are kept, the newest first."""

    licence: DataLicence
    items: list[DumpLine]


class ResultCursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended, and what the first one counted."""

    published_at: Annotated[datetime, msgspec.Meta(tz=True)]
    id: UUID
    total: int


def to_line(dump: Dump, url: str) -> DumpLine:
    """A dump as it is listed."""
    return DumpLine(
        made_on=dump.made_on,
        made_at=dump.made_at,
        results=dump.results,
        withdrawn=dump.withdrawn,
        size=dump.size,
        sha256=dump.digest.hex(),
        url=f"{url}?on={dump.made_on}",
    )
