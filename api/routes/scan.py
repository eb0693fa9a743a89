"""What the one code answers: a page, a linkset, or JSON, by what is asked for and by who asks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api import pages
from api.auth import permit_anyone
from api.live import Feed
from api.page_cache import CachedPage, PageCache
from api.schemas.scan import LINKSET_MEDIA_TYPE, linkset
from api.wiring import Parts
from codes.uscc import normalise_uscc
from domain.enterprise.model import ScannedSite
from domain.enterprise.rules import CodeWasReplaced, CodeWasRevoked, require_valid
from domain.identity.model import Principal
from domain.inspection.rules import InvalidCode
from domain.scan import operations
from domain.scan.disclosure import Audience
from domain.scan.operations import PublicEnterprise
from domain.scan.view import ScanView, disclose
from domain.shared.clock import local_date

_JSON = "application/json"
_HTML = "text/html"
_PUBLIC = {"Cache-Control": "no-cache", "Vary": "Accept, Authorization"}
_PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Accept, Authorization"}
Render = Callable[[ScannedSite], bytes]


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


async def _public_bytes(
    request: Request[Any, Any, Any], parts: Parts, code_id: bytes, representation: str, render: Render
) -> CachedPage:
    """One public representation, out of memory when this process would know of a change, else of one statement."""
    cache: PageCache = request.app.state.page_cache
    feed: Feed = request.app.state.feed
    if feed.is_current:
        known = cache.get((code_id, representation))
        if known is not None:
            return known
    since = cache.begin_reading()
    async with parts.work.reading() as connection:
        site = await operations.find_site(connection, code_id)
    require_valid(site.code_state)
    body = render(site)
    page = CachedPage(body, _etag(body), site.site_id)
    if feed.is_current:
        cache.put((code_id, representation), page, since)
    return page


def _holds(if_none_match: str, etag: str) -> bool:
    """Whether the caller has it already. Weakly compared (RFC 9110, 13.1.2): who compresses marks our tag as weak."""
    return etag in {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}


def _conditional(
    request: Request[Any, Any, Any], page: CachedPage, media_type: str, headers: dict[str, str]
) -> Response[bytes]:
    all_headers = {**headers, "ETag": page.etag}
    if _holds(request.headers.get("if-none-match", ""), page.etag):
        return Response(b"", status_code=304, headers=all_headers, media_type=media_type)
    return Response(page.body, headers=all_headers, media_type=media_type)


def _public_json(site: ScannedSite) -> bytes:
    return msgspec.json.encode(disclose(site, Audience.CITIZEN, []))


@get("/codes/{token:str}", opt=permit_anyone(), operation_id="readCode", media_type=MediaType.JSON)
async def read_code(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[ScanView]:
    """亮码告知 (ONE-02): what the caller may know of the site behind the code. Who is signed in decides."""
    code_id = operations.code_id_of(token, parts.code_keys)
    principal: Principal | None = request.scope["user"]
    if principal is None:
        page = await _public_bytes(request, parts, code_id, _JSON, _public_json)
        return _conditional(request, page, _JSON, _PUBLIC)  # type: ignore[return-value] - encoded already
    async with parts.work.reading() as connection:
        view = await operations.scan(connection, code_id, principal)
    return Response(msgspec.json.encode(view), headers=_PRIVATE, media_type=_JSON)  # type: ignore[return-value]


def _wanted(accept: str) -> str:
    """The representation for an Accept header: HTML unless something else is asked for by name, and first."""
    for part in accept.split(","):
        media = part.partition(";")[0].strip().lower()
        if media in {LINKSET_MEDIA_TYPE, _JSON}:
            return media
        if media in {"text/html", "application/xhtml+xml"}:
            break
    return "text/html"


@get("/c/{token:str}", opt=permit_anyone(), operation_id="openCode", media_type=MediaType.HTML)
async def open_code(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[Any]:
    """What a scanned sticker opens: a page for browsers, a linkset (RFC 9264) or JSON for who asks for them."""
    wanted = _wanted(request.headers.get("accept", ""))
    if wanted == _JSON:
        return await read_code.fn(request=request, parts=parts, token=token)
    if wanted == LINKSET_MEDIA_TYPE:
        return await _links(request, parts, token)
    return await _page(request, parts, token)


@get("/C/{token:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_printed_code(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[Any]:
    """The same, in the upper case that keeps the printed code coarse."""
    return await open_code.fn(request=request, parts=parts, token=token)


async def _links(request: Request[Any, Any, Any], parts: Parts, token: str) -> Response[bytes]:
    code_id = operations.code_id_of(token, parts.code_keys)
    public_url: str = request.app.state.settings.public_url

    def render(site: ScannedSite) -> bytes:
        return msgspec.json.encode(linkset(public_url, token.upper(), site))

    page = await _public_bytes(request, parts, code_id, LINKSET_MEDIA_TYPE, render)
    return _conditional(request, page, LINKSET_MEDIA_TYPE, _PUBLIC)


async def _page(request: Request[Any, Any, Any], parts: Parts, token: str) -> Response[bytes]:
    """A page also where the code is none, replaced or revoked: a citizen is told kindly what to do."""
    headers = {**_PUBLIC, **pages.HEADERS}
    today = local_date(parts.clock())

    def render(site: ScannedSite) -> bytes:
        return pages.render_site(disclose(site, Audience.CITIZEN, []), today)

    try:
        code_id = operations.code_id_of(token, parts.code_keys)
        page = await _public_bytes(request, parts, code_id, f"html {today}", render)
    except (CodeWasReplaced, CodeWasRevoked):
        async with parts.work.reading() as connection:
            site = await operations.find_site(connection, operations.code_id_of(token, parts.code_keys))
        return Response(pages.render_ended(site), status_code=410, headers=headers, media_type=_HTML)
    except InvalidCode:
        return Response(pages.render_invalid(), status_code=404, headers=headers, media_type=_HTML)
    return _conditional(request, page, _HTML, headers)


@get("/", opt=permit_anyone(), operation_id="home", media_type=MediaType.HTML, include_in_schema=False)
async def home() -> Response[bytes]:
    """The bare address."""
    return Response(pages.render_home(), headers={**_PUBLIC, **pages.HEADERS}, media_type=_HTML)


@get("/public/enterprises/{uscc:str}", opt=permit_anyone(), operation_id="readPublicEnterprise")
async def read_public_enterprise(parts: NamedDependency[Parts], uscc: FromPath[str]) -> Response[PublicEnterprise]:
    """经营信息 of an enterprise and its sites, for anybody (CIT-03)."""
    async with parts.work.reading() as connection:
        found = await operations.public_enterprise(connection, normalise_uscc(uscc))
    return Response(found, headers={"Cache-Control": "no-cache"})


scan_router = Router("/", route_handlers=[read_code, read_public_enterprise], tags=["scan"])
pages_router = Router("/", route_handlers=[open_code, open_printed_code, home], tags=["scan"])
