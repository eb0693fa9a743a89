"""What a search answers."""

from __future__ import annotations

import msgspec

from domain.search.model import SearchHit


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
