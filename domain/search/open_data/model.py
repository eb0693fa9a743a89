"""Values of open data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec

from domain.publication.model import PublicResult, StoredResult

EXACT_UP_TO: Final = 10_000
"""Up to so many results are counted; beyond, it is said that there are at least that many."""


class ResultFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which results: 地区 (an ltree path, with all below it), 检查机关 by its name, 结果, 检查类型, 公示日期, 企业."""

    region: str | None = None
    authority: str | None = None
    outcome: str | None = None
    kind: str | None = None
    published_from: date | None = None
    published_to: date | None = None
    uscc: str | None = None


class StoredOpenResult(msgspec.Struct, frozen=True, kw_only=True):
    """A published or withdrawn result as its statement gives it."""

    result: StoredResult
    published_at: datetime
    object_type: str
    uscc: str
    enterprise_name: str
    site_name: str
    region_code: str
    region_name: str


class OpenResult(PublicResult, frozen=True, kw_only=True):
    """检查结果 in the open data: what the page behind the code shows, and of whom.

    A withdrawn one is a tombstone: its id, and when it was published and withdrawn. Who keeps a copy deletes theirs.
    """

    is_withdrawn: bool
    ends_on: date
    uscc: str | None = None
    enterprise_name: str | None = None
    site_name: str | None = None
    region_code: str | None = None
    region_name: str | None = None


class DataLicence(msgspec.Struct, frozen=True, kw_only=True):
    """使用须知 that comes with every page; `source` is 待核 until the operator has settled it."""

    name: str
    note: str
    url: str
    source: str = "待核"


class ResultCount(msgspec.Struct, frozen=True):
    """How many, `EXACT_UP_TO` + 1 at most."""

    count: int


class Dump(msgspec.Struct, frozen=True, kw_only=True):
    """全量数据 of one night: gzip of one JSON value a line; `digest` is the SHA-256 of the file."""

    id: UUID
    made_on: date
    results: int
    withdrawn: int
    size: int
    digest: bytes
    made_at: datetime
