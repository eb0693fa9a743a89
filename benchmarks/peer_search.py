"""The peer looks for words: the same index by the ORM, ranked and marked by the same rules, one pydantic model out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import HTTPException
from pydantic import BaseModel
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.schemas.cursor import write_cursor
from api.schemas.search import Cursor
from benchmarks import peer_public_tables as public_tables
from benchmarks.peer_session import Session
from domain.search import rules
from domain.search.model import Candidate, EntryKind, SearchWords
from domain.shared.errors import InvalidField

_ZONE = ZoneInfo("Asia/Shanghai")
_SHOWN = 20
_ENOUGH = 10
_CANDIDATES = 400
_NEAR_CANDIDATES = 200
_BEFORE_WORD = 24
_EXCERPT = 120
_PLACES = {"manual": "/manuals/", "checklist": "/checklists/", "exposure": "/exposures/"}


class FoundEntry(BaseModel):
    """An entry that was found."""

    kind: str
    id: UUID
    target: str
    title: str
    excerpt: str
    authority: str | None
    dated_on: date | None
    kind_label: str
    title_marks: list[tuple[int, int]]
    excerpt_marks: list[tuple[int, int]]
    url: str


class SearchPage(BaseModel):
    """A page of them."""

    items: list[FoundEntry]
    found: int
    next_cursor: str | None


async def search(q: str, session: Session) -> SearchPage:
    """模糊搜索."""
    try:
        words = rules.read_words(q)
    except InvalidField as broken:
        raise HTTPException(422, broken.detail) from broken
    entry = public_tables.SearchEntry
    exact = await _candidates(session, words, entry.terms.contains(list(words.exact)), _CANDIDATES)
    near: list[Candidate] = []
    if len(exact) < _ENOUGH and words.near:
        any_of = or_(*[entry.terms.contains(list(place)) for place in words.near])
        near = await _candidates(session, words, any_of, _NEAR_CANDIDATES)
    ranked = rules.rank(words, exact, near)
    return SearchPage(
        items=[_shown(words, each) for each in ranked[:_SHOWN]],
        found=len(ranked),
        next_cursor=write_cursor(Cursor(_SHOWN)) if len(ranked) > _SHOWN else None,
    )


async def _candidates(
    session: AsyncSession, words: SearchWords, condition: ColumnElement[bool], most: int
) -> list[Candidate]:
    """Columns, not entities: nobody would have four hundred rows tracked that are only read."""
    entry = public_tables.SearchEntry
    start = func.greatest(func.strpos(func.lower(entry.body), words.words[0]) - _BEFORE_WORD, 1)
    columns = (entry.kind, entry.id, entry.target, entry.title, entry.authority, entry.dated_on)
    today = datetime.now(_ZONE).date()
    rows = await session.execute(
        select(*columns, func.substr(entry.body, start, _EXCERPT).label("excerpt"))
        .where(condition, or_(entry.ends_on.is_(None), entry.ends_on >= today))
        .limit(most)
    )
    return [
        Candidate(kind=EntryKind(row["kind"]), **{name: row[name] for name in row if name != "kind"})
        for row in rows.mappings()
    ]


def _shown(words: SearchWords, found: Candidate) -> FoundEntry:
    hit = rules.to_hit(words, found)
    values: dict[str, Any] = {name: getattr(hit, name) for name in hit.__struct_fields__}
    url = f"{_PLACES.get(found.kind, '/e/')}{found.target}"
    return FoundEntry(**values, url=f"{url}#r{found.id}" if found.kind is EntryKind.RESULT else url)
