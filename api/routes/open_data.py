"""开放数据: published results for everybody, without a key, page by page as JSON or CSV, and as a nightly dump."""

from __future__ import annotations

import base64
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_304_NOT_MODIFIED

from api import pages
from api.auth import permit_anyone
from api.open_data import to_csv
from api.places import RegionCode, region_path
from api.public_reader import HEADERS, HTML, JSON, etag_of, holds
from api.schemas.cursor import read_cursor, write_cursor
from api.schemas.open_data import DumpList, ResultCursor, ResultPage, to_line
from api.wiring import Parts
from codes.uscc import normalise_uscc
from domain.inspection.completion.model import InspectionOutcome
from domain.inspection.model import InspectionKind
from domain.search.open_data import operations, rules, store
from domain.search.open_data.model import EXACT_UP_TO, ResultFilters
from domain.shared.clock import local_date
from domain.shared.errors import NotFound

_CSV: Final = "text/csv"
_DUMP: Final = "application/gzip"
_RESULTS: Final = "/api/v1/public/results"
_START: Final = ResultCursor(operations.start_of(date(1, 1, 2)), rules.NO_ID, -1)


class Format(StrEnum):
    """In which form a page comes."""

    JSON = "json"
    CSV = "csv"


def _format_of(request: Request[Any, Any, Any], given: Format | None) -> Format:
    if given is not None:
        return given
    accepted = request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
    return Format.CSV if accepted == _CSV else Format.JSON


@get(
    "/public/results",
    opt=permit_anyone(),
    operation_id="listPublicResults",
    media_type=MediaType.JSON,
)
async def list_public_results(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    region: RegionCode = None,
    authority: Annotated[str | None, QueryParameter(description="检查机关 by its name", max_length=60)] = None,
    outcome: Annotated[InspectionOutcome | None, QueryParameter(description="检查结果")] = None,
    kind: Annotated[InspectionKind | None, QueryParameter(description="检查类型")] = None,
    published_from: Annotated[date | None, QueryParameter(name="from", description="公示日期, from")] = None,
    published_to: Annotated[date | None, QueryParameter(name="to", description="公示日期, to")] = None,
    uscc: Annotated[str | None, QueryParameter(description="统一社会信用代码", max_length=40)] = None,
    file_format: Annotated[
        Format | None, QueryParameter(name="format", description="Else what Accept asks for first; JSON unless CSV")
    ] = None,
    cursor: Annotated[str | None, QueryParameter(description="Of the link `next`", max_length=200)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 100,
) -> Response[ResultPage]:
    """检查结果公示 of everybody, the newest first; a withdrawn one is a tombstone: delete your copy of it.

    The next page is in `next` and in the Link header (RFC 8288), the count of all in `total` and `Yima-Total`.
    """
    filters = ResultFilters(
        region=region_path(region),
        authority=authority or None,
        outcome=outcome,
        kind=kind,
        published_from=published_from,
        published_to=published_to,
        uscc=normalise_uscc(uscc) if uscc else None,
    )
    found = await _page(parts, filters, cursor, limit)
    form = _format_of(request, file_format)
    next_url = _next(request, parts.public_url, found.next)
    page = msgspec.structs.replace(found, next=next_url)
    is_csv = form is Format.CSV
    body = to_csv(page.items) if is_csv else msgspec.json.encode(page)
    headers = _headers(page, etag_of(body))
    media_type = _CSV if is_csv else JSON
    if holds(request.headers.get("if-none-match", ""), headers["ETag"]):
        body, status = b"", HTTP_304_NOT_MODIFIED
    else:
        status = 200
    return Response(body, status_code=status, headers=headers, media_type=media_type)  # type: ignore[return-value]


async def _page(parts: Parts, filters: ResultFilters, cursor: str | None, limit: int) -> ResultPage:
    """The page, its `next` a cursor still."""
    start = read_cursor(cursor, _START)
    after = None if cursor is None else (start.published_at, start.id)
    today = local_date(parts.clock())
    async with parts.work.reading() as connection:
        found = await operations.read_results(connection, filters, after, limit, today)
        total = start.total if cursor else await operations.count_results(connection, filters, today)
    return ResultPage(
        licence=rules.licence_of(parts.public_url),
        total=min(total, EXACT_UP_TO),
        is_total_exact=total <= EXACT_UP_TO,
        items=found.items,
        next=None if found.next_at is None else write_cursor(ResultCursor(*found.next_at, total)),
    )


def _next(request: Request[Any, Any, Any], public_url: str, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{public_url}{_RESULTS}?{urlencode([*given, ('cursor', cursor)])}"


def _headers(page: ResultPage, etag: str) -> dict[str, str]:
    links = [f'<{page.licence.url}>; rel="license"']
    if page.next is not None:
        links.append(f'<{page.next}>; rel="next"')
    return {
        "Cache-Control": "no-cache",
        "Vary": "Accept",
        "ETag": etag,
        "Link": ", ".join(links),
        "Yima-Total": str(page.total) if page.is_total_exact else f">={page.total}",
    }


@get("/public/results/dumps", opt=permit_anyone(), operation_id="listResultDumps")
async def list_result_dumps(parts: NamedDependency[Parts]) -> Response[DumpList]:
    """全量数据 of the last seven nights, with what is in each."""
    async with parts.work.reading() as connection:
        dumps = await store.DUMPS.all(connection)
    url = f"{parts.public_url}{_RESULTS}/dump"
    answer = DumpList(licence=rules.licence_of(parts.public_url), items=[to_line(each, url) for each in dumps])
    return Response(answer, headers={"Cache-Control": "no-cache"})


@get("/public/results/dump", opt=permit_anyone(), operation_id="readResultDump")
async def read_result_dump(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    on: Annotated[date | None, QueryParameter(description="Of which night; the newest unless said")] = None,
) -> Response[bytes] | Stream:
    """全量数据: gzip of one JSON value a line, as a page has them; every result and tombstone, the newest first."""
    async with parts.work.reading() as connection:
        if on is None:
            dump = await store.NEWEST_DUMP.first(connection)
        else:
            dump = await store.DUMP_OF_DAY.first(connection, made_on=on)
    if dump is None:
        raise NotFound("没有该日的全量数据。", field=None if on is None else "on")
    headers = {
        "Cache-Control": "no-cache",
        "ETag": f'"{dump.digest.hex()}"',
        "Link": f'<{rules.licence_of(parts.public_url).url}>; rel="license"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(dump.digest).decode()}:",
        "Content-Disposition": f'attachment; filename="results-{dump.made_on}.ndjson.gz"',
        "Yima-Results": str(dump.results),
        "Yima-Withdrawn": str(dump.withdrawn),
    }
    if holds(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers, media_type=_DUMP)
    body = parts.blobs.stream(rules.dump_key(dump.id))
    return Stream(body, media_type=_DUMP, headers={**headers, "Content-Length": str(dump.size)})


@get("/open-data", opt=permit_anyone(), operation_id="openOpenData", media_type=MediaType.HTML, include_in_schema=False)
async def open_open_data(parts: NamedDependency[Parts]) -> Response[bytes]:
    """开放数据 explained: what there is, how to ask for it, and what who takes it has to mind."""
    async with parts.work.reading() as connection:
        dumps = await store.DUMPS.all(connection)
    body = pages.render(
        "open_data.html",
        licence=rules.licence_of(parts.public_url),
        results=f"{parts.public_url}{_RESULTS}",
        dumps=dumps,
        kept_days=rules.DUMPS_KEPT.days,
    )
    return Response(body, headers=HEADERS[HTML], media_type=HTML)


open_data_router = Router(
    "/", route_handlers=[list_public_results, list_result_dumps, read_result_dump], tags=["open data"]
)
open_data_pages_router = Router("/", route_handlers=[open_open_data], tags=["open data"])
