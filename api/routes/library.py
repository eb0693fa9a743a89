"""经营手册 and 检查单 for everybody (PUB-01, PUB-02, PUB-06, PUB-07, CIT-05): pages for browsers, JSON for clients."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any
from uuid import UUID

from litestar import MediaType, Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from api.attachment_files import answer_attachment
from api.auth import permit_anyone
from api.library import Library, ShelfQuery
from api.page_cache import CachedPage
from api.pages.manual import render_missing
from api.public_reader import ELDER, HEADERS, HTML, JSON, holds
from api.schemas.cursor import CursorText, PageLimit
from api.schemas.library import PublicChecklistDetail, PublicChecklistPage
from api.schemas.manual import PublicManual, PublicManualPage
from api.view_counts import ViewCounts
from api.wiring import Parts
from domain.evidence.model import Shown
from domain.manual.store import FILE_IN_FORCE
from domain.shared.errors import NotFound

_BusinessType = Annotated[str | None, QueryParameter(description="业态", max_length=60)]
_Region = Annotated[
    str | None, QueryParameter(description="区划编码: what holds there, also from above", pattern="^[0-9]{6}$")
]
_PAGE_OF_BROWSER = 100


def _library(request: Request[Any, Any, Any]) -> Library:
    library: Library = request.app.state.library
    return library


def _answer(request: Request[Any, Any, Any], page: CachedPage, media_type: str) -> Response[Any]:
    headers = {**HEADERS[media_type], "ETag": page.etag}
    media_type = HTML if media_type == ELDER else media_type
    if holds(request.headers.get("if-none-match", ""), page.etag):
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    return Response(page.body, headers=headers, media_type=media_type)


async def _page(request: Request[Any, Any, Any], reading: Awaitable[CachedPage], view: str, what: str) -> Response[Any]:
    """A page also where there is nothing: a citizen is told kindly what to do."""
    try:
        return _answer(request, await reading, view)
    except NotFound:
        return Response(render_missing(what), status_code=404, headers=HEADERS[HTML], media_type=HTML)


def _count(request: Request[Any, Any, Any], manual_id: UUID) -> None:
    """浏览次数: in memory; nothing is written because somebody reads."""
    counts: ViewCounts = request.app.state.view_counts
    counts.count(manual_id, request.scope["user"])


# ---- JSON


@get("/public/manuals", opt=permit_anyone(), operation_id="listPublicManuals")
async def list_public_manuals(
    request: Request[Any, Any, Any],
    business_type: _BusinessType = None,
    region: _Region = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> Response[PublicManualPage]:
    """经营手册 in force, by 排序值 (PUB-01)."""
    query = ShelfQuery(business_type=business_type, region=region, cursor=cursor, limit=limit)
    return _answer(request, await _library(request).manuals(query, JSON), JSON)


@get("/public/manuals/{manual_id:uuid}", opt=permit_anyone(), operation_id="readPublicManual")
async def read_public_manual(request: Request[Any, Any, Any], manual_id: FromPath[UUID]) -> Response[PublicManual]:
    """经营手册 as anybody reads it: each requirement with its 风险提示 (PUB-02, CIT-05)."""
    page = await _library(request).manual(manual_id, JSON)
    _count(request, manual_id)
    return _answer(request, page, JSON)


@get("/public/checklists", opt=permit_anyone(), operation_id="listPublicChecklists")
async def list_public_checklists(
    request: Request[Any, Any, Any],
    business_type: _BusinessType = None,
    region: _Region = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> Response[PublicChecklistPage]:
    """检查单 in use, the newest first (PUB-06)."""
    query = ShelfQuery(business_type=business_type, region=region, cursor=cursor, limit=limit)
    return _answer(request, await _library(request).checklists(query, JSON), JSON)


@get("/public/checklists/{checklist_id:uuid}", opt=permit_anyone(), operation_id="readPublicChecklist")
async def read_public_checklist(
    request: Request[Any, Any, Any], checklist_id: FromPath[UUID]
) -> Response[PublicChecklistDetail]:
    """检查单 with its 检查项, without what guides the inspectors (PUB-07)."""
    return _answer(request, await _library(request).checklist(checklist_id, JSON), JSON)


# ---- pages


@get("/manuals", opt=permit_anyone(), operation_id="openManuals", media_type=MediaType.HTML, include_in_schema=False)
async def open_manuals(
    request: Request[Any, Any, Any], business_type: _BusinessType = None, cursor: CursorText = None
) -> Response[Any]:
    """经营手册列表 for browsers."""
    query = ShelfQuery(business_type=business_type, cursor=cursor, limit=_PAGE_OF_BROWSER)
    return _answer(request, await _library(request).manuals(query, HTML), HTML)


def _view(request: Request[Any, Any, Any]) -> str:
    """长辈版 at the address that ends so: large type, large places to tap (D29)."""
    return ELDER if request.scope["path"].endswith("/elder") else HTML


@get(
    ["/manuals/{manual_id:uuid}", "/manuals/{manual_id:uuid}/elder"],
    opt=permit_anyone(),
    operation_id="openManual",
    media_type=MediaType.HTML,
    include_in_schema=False,
)
async def open_manual(request: Request[Any, Any, Any], manual_id: FromPath[UUID]) -> Response[Any]:
    """经营手册 for browsers, with its directory and a switch to other 业态 (MAN-08)."""
    view = _view(request)
    response = await _page(request, _library(request).manual(manual_id, view), view, "经营手册")
    if response.status_code != 404:  # noqa: PLR2004 - nothing was viewed
        _count(request, manual_id)
    return response


@get(
    "/checklists",
    opt=permit_anyone(),
    operation_id="openChecklists",
    media_type=MediaType.HTML,
    include_in_schema=False,
)
async def open_checklists(
    request: Request[Any, Any, Any], business_type: _BusinessType = None, cursor: CursorText = None
) -> Response[Any]:
    """检查单列表 for browsers."""
    query = ShelfQuery(business_type=business_type, cursor=cursor, limit=_PAGE_OF_BROWSER)
    return _answer(request, await _library(request).checklists(query, HTML), HTML)


@get(
    ["/checklists/{checklist_id:uuid}", "/checklists/{checklist_id:uuid}/elder"],
    opt=permit_anyone(),
    operation_id="openChecklist",
    media_type=MediaType.HTML,
    include_in_schema=False,
)
async def open_checklist(request: Request[Any, Any, Any], checklist_id: FromPath[UUID]) -> Response[Any]:
    """检查单 for browsers (PUB-07)."""
    view = _view(request)
    return await _page(request, _library(request).checklist(checklist_id, view), view, "检查单")


@get("/manuals/{manual_id:uuid}/file", opt=permit_anyone(), operation_id="openManualFile", include_in_schema=False)
async def open_manual_file(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], manual_id: FromPath[UUID]
) -> Response[Any]:
    """手册附件 of the version in force (X14)."""
    async with parts.work.reading() as connection:
        found = await FILE_IN_FORCE.first(connection, manual_id=manual_id)
    if found is None:
        raise NotFound("该手册没有附件。")
    response = await answer_attachment(request, parts, found.version_id, found.file_digest.hex(), Shown.LARGE)
    response.headers["Cache-Control"] = "no-cache"  # another version has another file
    return response


library_router = Router(
    "/",
    route_handlers=[list_public_manuals, read_public_manual, list_public_checklists, read_public_checklist],
    tags=["library"],
)
library_pages_router = Router(
    "/", route_handlers=[open_manuals, open_manual, open_manual_file, open_checklists, open_checklist], tags=["library"]
)
