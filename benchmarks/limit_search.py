"""The limit looks for words: the same one or two statements, the first entries as they come, nothing ranked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from benchmarks.limit_visits import said
from domain.search import rules, store
from domain.search.model import Candidate
from domain.shared.clock import local_date

_SHOWN = 20
_ENOUGH = 10
_FIELDS = Candidate.__struct_fields__


async def found(connection: Any, query: bytes) -> bytes:
    """What the statements give; the words become terms as Yima's do, for they are arguments of the statements."""
    words = rules.read_words(parse_qs(query.decode())["q"][0])
    today = local_date(datetime.now(UTC))
    given = {"word": words.words[0], "date_from": None, "date_to": None, "today": today}
    rows = await connection.fetch(*said(store.ENTRIES_WITH, terms=words.exact, **given))
    if len(rows) < _ENOUGH and words.near:
        rows += await connection.fetch(*said(store.ENTRIES_NEAR, **rules.near_places(words, []), **given))
    items = [{name: row[name] for name in _FIELDS} for row in rows[:_SHOWN]]
    return msgspec.json.encode({"items": items, "found": len(rows), "next_cursor": None})
