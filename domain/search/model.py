"""Values of the search."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

import msgspec


class EntryKind(enum.StrEnum):
    """What can be found: 经营手册, 检查单, 检查结果, 曝光, 企业."""

    MANUAL = "manual"
    CHECKLIST = "checklist"
    RESULT = "result"
    EXPOSURE = "exposure"
    ENTERPRISE = "enterprise"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _LABELS[self]


_LABELS: Final[Mapping[EntryKind, str]] = {
    EntryKind.MANUAL: "经营手册",
    EntryKind.CHECKLIST: "检查单",
    EntryKind.RESULT: "检查结果",
    EntryKind.EXPOSURE: "曝光",
    EntryKind.ENTERPRISE: "企业",
}


class SearchWords(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed, as the index knows it.

    `exact` are the terms that an entry must all have; `near` are lists of terms of which an entry that was meant,
    but mistyped, has at least one in full.
    """

    words: tuple[str, ...]
    exact: tuple[str, ...]
    near: tuple[tuple[str, ...], ...]


class SearchFilters(msgspec.Struct, frozen=True, kw_only=True):
    """类型, 业态, 地区 (a code, with all below it) and 时间 of what is looked for."""

    kind: EntryKind | None = None
    business_type: str | None = None
    region_code: str | None = None
    date_from: date | None = None
    date_to: date | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that the index gave; `excerpt` is the part of its text around the first word."""

    kind: EntryKind
    id: UUID
    target: str
    title: str
    excerpt: str
    authority: str | None
    dated_on: date | None


class SearchHit(Candidate, frozen=True, kw_only=True):
    """An entry that was found, with the ranges [start, end) of title and excerpt to mark, in code points."""

    kind_label: str
    title_marks: list[tuple[int, int]]
    excerpt_marks: list[tuple[int, int]]
