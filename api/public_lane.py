"""The lane of the many: anonymous reads of a code, answered before the framework.

Twenty thousand citizens scan where a thousand inspectors work, and each wants the same few bytes. Routing, injection
and response objects cost more than reading the page; here a read costs what it must. Whatever is not plain (a refusal,
a signed-in reader, another method) goes on to the routes, which answer the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from litestar import HttpMethod, Litestar
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from api.page_cache import CachedPage
from api.problems import MEDIA_TYPE, problem_of
from api.public_reader import ELDER, HEADERS, HTML, JSON, PublicReader, holds, wanted
from api.work import DatabaseAway
from codes.token import TOKEN_LENGTH
from domain.shared.errors import DomainError

_API = "/api/v1/codes/"
_PAGES = ("/c/", "/C/")
_ELDER = "/elder"
_READ_BY_HEAD = (
    *_PAGES,
    _API,
    "/api/v1/public/",
    "/checklists",
    "/e/",
    "/exposures",
    "/manuals",
    "/open-data",
    "/search",
)
"""Where HEAD is answered as GET is, without the body."""
_CONTENT_TYPES: Mapping[str, str] = dict.fromkeys((HTML, ELDER), f"{HTML}; charset=utf-8")
_RAW_HEADERS: Mapping[str, list[tuple[bytes, bytes]]] = {
    media_type: [
        (b"content-type", _CONTENT_TYPES.get(media_type, media_type).encode()),
        *((name.lower().encode(), value.encode()) for name, value in headers.items()),
    ]
    for media_type, headers in HEADERS.items()
}


def _asked(path: str) -> tuple[str, str | None] | None:
    """The token in `path`, and the representation that the path itself decides; None for any other path."""
    if path.startswith(_API):
        token, decided = path[len(_API) :], JSON
    elif path.startswith(_PAGES):
        token, decided = path[3:], None
        if token.endswith(_ELDER):
            token, decided = token.removesuffix(_ELDER), ELDER
    else:
        return None
    return (token, decided) if len(token) == TOKEN_LENGTH else None


def public_lane(app: Litestar) -> ASGIApp:
    """`app`, with the lane beside it."""

    async def lane(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"].startswith(_READ_BY_HEAD):
            scope, send = _as_get(scope), _without_body(send)
        found = _asked(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            await app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if b"authorization" in headers:
            await app(scope, receive, send)
            return
        token, decided = found
        media_type = decided or wanted(headers.get(b"accept", b"").decode("latin-1"))
        reader: PublicReader = app.state.public_reader
        try:
            page = await reader.read(token, media_type)
        except DatabaseAway as away:
            await _tell(send, away)
        except DomainError:
            await app(scope, receive, send)
        else:
            await _answer(send, page, media_type, headers.get(b"if-none-match", b"").decode("latin-1"))

    return lane


def _as_get(scope: HTTPScope) -> HTTPScope:
    """The same request, as if the body were wanted too."""
    asked: HTTPScope = {**scope, "method": HttpMethod.GET}
    return asked


def _without_body(send: Send) -> Send:
    """Headers go out as they are, with the length that the body would have; of the body nothing."""

    async def headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_only


async def _answer(send: Send, page: CachedPage, media_type: str, if_none_match: str) -> None:
    known = bool(if_none_match) and holds(if_none_match, page.etag)
    body = b"" if known else page.body
    headers = [
        *_RAW_HEADERS[media_type],
        (b"etag", page.etag.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 304 if known else 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _tell(send: Send, away: DatabaseAway) -> None:
    """An overloaded database is not asked a second time by the routes."""
    problem = problem_of(away)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"retry-after", b"2"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(problem), "more_body": False})
