"""搜索 (PUB-03): manuals, checklists, published results, exposures and enterprises, by words and filters."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from litestar import MediaType, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.auth import permit_anyone
from api.pages import search as search_pages
from api.places import RegionCode, region_path
from api.public_reader import HTML
from api.schemas.cursor import CursorText, read_cursor, write_cursor
from api.schemas.search import FIRST, Cursor, FoundEntry, SearchPage, url_of
from api.wiring import Parts
from domain.search import operations, rules
from domain.search.model import EntryKind, SearchFilters, SearchHit
from domain.shared.clock import local_date
from domain.shared.errors import DomainError

_BusinessType = Annotated[str | None, QueryParameter(description="业态", max_length=60)]
_PAGE_OF_BROWSER = 20


def _entry(hit: SearchHit) -> FoundEntry:
    fields = {name: getattr(hit, name) for name in SearchHit.__struct_fields__}
    return FoundEntry(**fields, url=url_of(hit.kind, hit.target, hit.id))


async def _search(parts: Parts, q: str, filters: SearchFilters, cursor: str | None, limit: int) -> SearchPage:
    """Raises `InvalidField` where nothing is asked for."""
    words = rules.read_words(q)
    start = max(read_cursor(cursor, FIRST).shown, 0)
    async with parts.work.reading() as connection:
        ranked = await operations.find(connection, words, filters, local_date(parts.clock()))
    shown = ranked[start : start + limit]
    end = start + len(shown)
    return SearchPage(
        items=[_entry(rules.to_hit(words, each)) for each in shown],
        found=len(ranked),
        next_cursor=write_cursor(Cursor(end)) if shown and end < len(ranked) else None,
    )


@get("/public/search", opt=permit_anyone(), operation_id="search")
async def search(
    parts: NamedDependency[Parts],
    q: Annotated[str, QueryParameter(description="Words, mistyped or not; up to 60 characters", max_length=200)],
    kind: Annotated[EntryKind | None, QueryParameter(description="类型")] = None,
    business_type: _BusinessType = None,
    region: RegionCode = None,
    date_from: Annotated[date | None, QueryParameter(name="from", description="时间, from")] = None,
    date_to: Annotated[date | None, QueryParameter(name="to", description="时间, to")] = None,
    cursor: CursorText = None,
    limit: Annotated[int, QueryParameter(ge=1, le=50)] = 20,
) -> Response[SearchPage]:
    """模糊搜索, the likeliest first. What was searched for is kept nowhere."""
    region_path(region)
    filters = SearchFilters(
        kind=kind, business_type=business_type, region_code=region, date_from=date_from, date_to=date_to
    )
    page = await _search(parts, q, filters, cursor, limit)
    return Response(page, headers={"Cache-Control": "no-store"})


search_router = Router("/", route_handlers=[search], tags=["search"])


@get("/search", opt=permit_anyone(), operation_id="openSearch", media_type=MediaType.HTML, include_in_schema=False)
async def open_search(
    parts: NamedDependency[Parts],
    q: Annotated[str, QueryParameter(description="Words", max_length=200)] = "",
    kind: Annotated[str, QueryParameter(description="类型", max_length=20)] = "",
    business_type: Annotated[str, QueryParameter(description="业态", max_length=60)] = "",
    region: Annotated[str, QueryParameter(description="区划编码", max_length=12)] = "",
    date_from: Annotated[str, QueryParameter(name="from", description="From", max_length=10)] = "",
    date_to: Annotated[str, QueryParameter(name="to", description="To", max_length=10)] = "",
    cursor: CursorText = None,
) -> Response[bytes]:
    """搜索 for browsers; what cannot be read as a filter is none. The history stays on the device."""
    asked = search_pages.Asked(
        q=q.strip(), kind=kind, business_type=business_type, region=region, date_from=date_from, date_to=date_to
    )
    page: SearchPage | None = None
    fault: str | None = None
    if asked.q:
        try:
            page = await _search(parts, asked.q, asked.filters(), cursor, _PAGE_OF_BROWSER)
        except DomainError as error:
            fault = error.detail
    body = search_pages.render_search(asked, page, fault)
    return Response(body, headers=search_pages.HEADERS, media_type=HTML)


search_pages_router = Router("/", route_handlers=[open_search], tags=["search"])
