"""What the one code answers: a page, a linkset, or JSON, by what is asked for and by who asks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api import pages
from api.auth import permit_anyone
from api.public_reader import ELDER, HEADERS, HTML, JSON, PublicReader, etag_of, holds, wanted
from api.schemas.scan import LINKSET_MEDIA_TYPE, enterprise_linkset
from api.wiring import Parts
from codes.uscc import normalise_uscc
from domain.enterprise.rules import CodeWasReplaced, CodeWasRevoked
from domain.identity.model import Principal
from domain.inspection.rules import InvalidCode
from domain.scan import operations
from domain.scan.operations import PublicEnterprise
from domain.scan.view import ScanView
from domain.shared.clock import local_date
from domain.shared.errors import NotFound

_PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Accept, Authorization"}


async def _public(request: Request[Any, Any, Any], token: str, media_type: str) -> Response[bytes]:
    """What anybody may read; most of these requests are answered by `api/public_lane.py` already."""
    reader: PublicReader = request.app.state.public_reader
    page = await reader.read(token, media_type)
    return _answer(request, page.body, page.etag, media_type)


def _answer(request: Request[Any, Any, Any], body: bytes, etag: str, media_type: str) -> Response[bytes]:
    headers = {**HEADERS[media_type], "ETag": etag}
    sent_as = HTML if media_type == ELDER else media_type
    if holds(request.headers.get("if-none-match", ""), etag):
        return Response(b"", status_code=304, headers=headers, media_type=sent_as)
    return Response(body, headers=headers, media_type=sent_as)


@get("/codes/{token:str}", opt=permit_anyone(), operation_id="readCode", media_type=MediaType.JSON)
async def read_code(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[ScanView]:
    """亮码告知 (ONE-02): what the caller may know of the site behind the code. Who is signed in decides."""
    principal: Principal | None = request.scope["user"]
    if principal is None:
        return await _public(request, token, JSON)  # type: ignore[return-value] - encoded already
    code_id = operations.code_id_of(token, parts.code_keys)
    async with parts.work.reading() as connection:
        view = await operations.scan(connection, code_id, principal, local_date(parts.clock()))
    return Response(msgspec.json.encode(view), headers=_PRIVATE, media_type=JSON)  # type: ignore[return-value]


@get("/c/{token:str}", opt=permit_anyone(), operation_id="openCode", media_type=MediaType.HTML)
async def open_code(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[Any]:
    """What a scanned sticker opens: a page for browsers, a linkset (RFC 9264) or JSON for who asks for them."""
    media_type = wanted(request.headers.get("accept", ""))
    if media_type == JSON:
        return await read_code.fn(request=request, parts=parts, token=token)
    if media_type == LINKSET_MEDIA_TYPE:
        return await _public(request, token, LINKSET_MEDIA_TYPE)
    return await _page(request, parts, token)


@get("/C/{token:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_printed_code(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[Any]:
    """The same, in the upper case that keeps the printed code coarse."""
    return await open_code.fn(request=request, parts=parts, token=token)


@get(
    ["/c/{token:str}/elder", "/C/{token:str}/elder"],
    opt=permit_anyone(),
    operation_id="openCodeForElders",
    media_type=MediaType.HTML,
    include_in_schema=False,
)
async def open_code_for_elders(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], token: FromPath[str]
) -> Response[Any]:
    """长辈版: the same page in large type, with large places to tap; it needs no script and no cookie (D29)."""
    return await _page(request, parts, token, ELDER)


async def _page(request: Request[Any, Any, Any], parts: Parts, token: str, view: str = HTML) -> Response[bytes]:
    """A page also where the code is none, replaced or revoked: a citizen is told kindly what to do."""
    try:
        return await _public(request, token, view)
    except (CodeWasReplaced, CodeWasRevoked):
        async with parts.work.reading() as connection:
            site = await operations.find_site(connection, operations.code_id_of(token, parts.code_keys))
        return Response(pages.render_ended(site), status_code=410, headers=HEADERS[HTML], media_type=HTML)
    except InvalidCode:
        return Response(pages.render_invalid(), status_code=404, headers=HEADERS[HTML], media_type=HTML)


@get("/", opt=permit_anyone(), operation_id="home", media_type=MediaType.HTML, include_in_schema=False)
async def home() -> Response[bytes]:
    """The bare address."""
    return Response(pages.render_home(), headers=HEADERS[HTML], media_type=HTML)


@get("/public/enterprises/{uscc:str}", opt=permit_anyone(), operation_id="readPublicEnterprise")
async def read_public_enterprise(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], uscc: FromPath[str]
) -> Response[PublicEnterprise]:
    """经营信息 of an enterprise and its sites, for anybody (CIT-03); as a linkset (RFC 9264) for who asks for one."""
    wants_links = wanted(request.headers.get("accept", "")) == LINKSET_MEDIA_TYPE
    found = await _enterprise(parts, uscc)
    body = msgspec.json.encode(enterprise_linkset(parts.public_url, found) if wants_links else found)
    media_type = LINKSET_MEDIA_TYPE if wants_links else JSON
    return _answer(request, body, etag_of(body), media_type)  # type: ignore[return-value] - encoded already


@get("/e/{uscc:str}", opt=permit_anyone(), operation_id="openEnterprise", media_type=MediaType.HTML)
async def open_enterprise(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], uscc: FromPath[str]
) -> Response[bytes]:
    """The page of an enterprise that was searched for: what is public of each of its sites, and no code."""
    try:
        found = await _enterprise(parts, uscc)
    except NotFound:
        return Response(pages.render_no_enterprise(), status_code=404, headers=HEADERS[HTML], media_type=HTML)
    address = f"{parts.public_url}/e/{quote(found.uscc)}"
    body = pages.render_enterprise(found, local_date(parts.clock()), address)
    return _answer(request, body, etag_of(body), HTML)


async def _enterprise(parts: Parts, uscc: str) -> PublicEnterprise:
    async with parts.work.reading() as connection:
        return await operations.public_enterprise(connection, normalise_uscc(uscc), local_date(parts.clock()))


scan_router = Router("/", route_handlers=[read_code, read_public_enterprise], tags=["scan"])
pages_router = Router(
    "/", route_handlers=[open_code, open_printed_code, open_code_for_elders, open_enterprise, home], tags=["scan"]
)
