"""What a search answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from domain.search.model import EntryKind, SearchHit

_PLACES: Final[Mapping[EntryKind, str]] = {
    EntryKind.MANUAL: "/manuals/{}",
    EntryKind.CHECKLIST: "/checklists/{}",
    EntryKind.EXPOSURE: "/exposures/{}",
    EntryKind.ENTERPRISE: "/e/{}",
    EntryKind.RESULT: "/e/{}",
}


def url_of(kind: EntryKind, target: str, entry_id: UUID) -> str:
    """Where an entry is read: a result stands in the page of its enterprise."""
    url = _PLACES[kind].format(target)
    return f"{url}#r{entry_id}" if kind is EntryKind.RESULT else url


class FoundEntry(SearchHit, frozen=True, kw_only=True):
    """An entry with where it is read: `url` for browsers; marks are ranges [start, end) in code points."""

    url: str


class SearchPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of what was found, the likeliest first; no cursor means the end."""

    items: list[FoundEntry]
    found: int
    next_cursor: str | None


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """How many were shown before."""

    shown: int


FIRST = Cursor(0)
