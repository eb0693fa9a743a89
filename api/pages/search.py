"""The page of the search: it needs no script; with one, the device itself remembers what was searched for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final
from urllib.parse import urlencode

import msgspec

from api import pages
from api.schemas.search import SearchPage
from codes.divisions import resolve_division
from domain.search.model import EntryKind, SearchFilters

_SCRIPT: Final = pages.script_of("search.js")
HEADERS: Final = {**pages.headers_with(_SCRIPT), "Cache-Control": "no-store"}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser's form asked for, as it was typed."""

    q: str
    kind: str
    business_type: str
    region: str
    date_from: str
    date_to: str

    def filters(self) -> SearchFilters:
        """What of it can be read."""
        return SearchFilters(
            kind=EntryKind(self.kind) if self.kind in set(EntryKind) else None,
            business_type=self.business_type.strip() or None,
            region_code=self.region if resolve_division(self.region) else None,
            date_from=_day(self.date_from),
            date_to=_day(self.date_to),
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def render_search(asked: Asked, page: SearchPage | None, fault: str | None) -> bytes:
    """搜索 with what was found, its words marked."""
    more = None
    if page is not None and page.next_cursor:
        given = {
            "q": asked.q,
            "kind": asked.kind,
            "business_type": asked.business_type,
            "region": asked.region,
            "from": asked.date_from,
            "to": asked.date_to,
            "cursor": page.next_cursor,
        }
        more = urlencode({name: value for name, value in given.items() if value})
    return pages.render(
        "search.html",
        scripts=(_SCRIPT,),
        asked=asked,
        page=page,
        fault=fault,
        more=more,
        kinds=list(EntryKind),
        pieces=_pieces,
    )


def _pieces(text: str, marks: Sequence[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """The text in turns: what is not marked, what is."""
    end = 0
    for start, stop in marks:
        if start > end:
            yield text[end:start], False
        yield text[start:stop], True
        end = stop
    if end < len(text):
        yield text[end:], False
