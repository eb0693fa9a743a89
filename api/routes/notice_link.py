"""短链接: a paper without an account, the record of its opening, and its links at the desk.

A GET records nothing: carriers, mail filters and chat programs fetch every link that passes through them. What is
recorded is the press of a button.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_303_SEE_OTHER

from api.auth import STAFF, permit, permit_anyone, principal_of
from api.citizen import GATE, caller_of
from api.guesses import Guesses
from api.pages.notice import HEADERS, render_envelope, render_notice, render_refusal
from api.problems import kind_of
from api.public_reader import HTML
from api.routes.document import PDF, pdf_of
from api.schemas.notice_link import LinkList, NoticeView, RevokeLink, Ticket, to_view
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.document.link import operations, store
from domain.document.link.model import Opener, Sender
from domain.document.link.operations import OpenNotice
from domain.document.link.rules import NoticeLinkOver, NoticeLinkUnknown, NoticeTicketOver, unknown
from domain.document.link.tokens import TICKET_LIFETIME, admits, admits_until, read_token, write_ticket
from domain.document.model import DocumentKind
from domain.document.operations import find_document
from domain.identity.model import Role
from domain.inspection.access import find_readable
from domain.rectification.store import ITEMS_OF_ORDER, ORDER_BY_ID
from domain.shared.errors import DomainError
from domain.shared.sql import Connection
from domain.visitor.model import Caller

_NO_STORE: Final = {"Cache-Control": "no-store"}
_DEVICE_LABEL: Final = "notice_link.device"
_LONGEST_AGENT: Final = 300
_NOWHERE: Final = "链接无效或已失效"
_NOT_NOW: Final = "暂时无法打开"


@asynccontextmanager
async def _counting(request: Request[Any, Any, Any], caller: Caller, token: str) -> AsyncGenerator[None]:
    """Links that are none of ours are counted by address, and found out before the database is asked.

    Raises `NoticeLinkUnknown`, or `TooManyWrites` for an address that sent too many.
    """
    parts: Parts = request.app.state.parts
    guesses: Guesses = request.app.state.guesses
    address = caller.address or b""
    guesses.require_room(address, parts.clock())
    try:
        if read_token(parts.keys, token) is None:
            raise unknown()
        yield
    except NoticeLinkUnknown:
        guesses.note_wrong(address, parts.clock())
        raise


async def _sender(connection: Connection, found: OpenNotice) -> Sender:
    return await store.SENDER.one(connection, department_id=found.document.department_id)


async def _record(request: Request[Any, Any, Any], token: str, caller: Caller) -> tuple[OpenNotice, str, datetime]:
    """Record the opening; gives what the link leads to, a ticket for it, and until when that is good."""
    parts: Parts = request.app.state.parts
    opener = Opener(address=caller.address or b"", device=caller.device or _device(request, parts))
    async with _counting(request, caller, token):
        found = await parts.work.run(GATE, lambda tx: operations.open_notice(tx, parts.keys, token, opener))
    now = parts.clock()
    return found, write_ticket(parts.keys, found.link.number, now), now + TICKET_LIFETIME


async def _view(connection: Connection, found: OpenNotice, token: str, ticket: str, until: datetime) -> NoticeView:
    """The paper as it is shown once it was opened."""
    order, items = None, []
    sender = await _sender(connection, found)
    if found.document.kind is DocumentKind.RECTIFICATION_ORDER:
        order = await ORDER_BY_ID.first(connection, order_id=found.document.subject_id)
        items = await ITEMS_OF_ORDER.all(connection, order_id=found.document.subject_id)
    to = Ticket(path=f"/n/{token}/paper.pdf?ticket={ticket}", until=until)
    return to_view(found.link, found.document, sender, order, items, to)


def _device(request: Request[Any, Any, Any], parts: Parts) -> bytes | None:
    """The browser by what it calls itself, as a keyed digest."""
    agent = request.headers.get("user-agent", "")[:_LONGEST_AGENT]
    return parts.vault.blind_index(_DEVICE_LABEL, agent) if agent else None


# ---- pages


def _page(body: bytes, status: int = HTTP_200_OK) -> Response[bytes]:
    return Response(body, status_code=status, media_type=HTML, headers=HEADERS)


def _refusal(error: DomainError, again: str | None = None) -> Response[bytes]:
    heading = _NOWHERE if isinstance(error, NoticeLinkUnknown | NoticeLinkOver) else _NOT_NOW
    return _page(render_refusal(heading, error.detail or "请稍后再试。", again), kind_of(error).status)


@get("/n/{token:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def show_notice_envelope(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    token: FromPath[str],
    ticket: Annotated[str, QueryParameter(description="As the opening gave it", max_length=100)] = "",
) -> Response[bytes]:
    """Who sent which kind of paper, and a button; for half an hour after an opening the paper. Nothing is recorded."""
    now = parts.clock()
    try:
        async with _counting(request, caller_of(request), token), parts.work.reading() as connection:
            found = await operations.find_notice(connection, parts.keys, token, now)
            until = admits_until(parts.keys, found.link.number, ticket, now)
            if until is not None:
                return _page(render_notice(await _view(connection, found, token, ticket, until)))
            sender = await _sender(connection, found)
    except DomainError as error:
        return _refusal(error)
    return _page(render_envelope(token, found.document, sender))


@post("/n/{token:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_notice_page(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """The button: the opening is recorded, then the paper is shown, at an address of its own.

    A page that answers a POST could not be gone back to from the PDF: a browser asks to send the form again.
    """
    try:
        _, ticket, _ = await _record(request, token, caller_of(request))
        to = {**HEADERS, "Location": f"/n/{token}?ticket={ticket}"}
        return Response(b"", status_code=HTTP_303_SEE_OTHER, media_type=HTML, headers=to)
    except DomainError as error:
        return _refusal(error, None if isinstance(error, NoticeLinkUnknown | NoticeLinkOver) else f"/n/{token}")


@get("/n/{token:str}/paper.pdf", opt=permit_anyone(), media_type=PDF, include_in_schema=False)
async def read_notice_paper(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    token: FromPath[str],
    ticket: Annotated[str, QueryParameter(description="As the opening gave it", max_length=100)] = "",
) -> Response[bytes]:
    """The PDF, for half an hour after an opening."""
    now = parts.clock()
    try:
        async with _counting(request, caller_of(request), token), parts.work.reading() as connection:
            found = await operations.find_notice(connection, parts.keys, token, now)
        if not admits(parts.keys, found.link.number, ticket, now):
            raise NoticeTicketOver("为保护你单位的信息，文书全文只在打开链接后的半小时内可以查看。")
        paper = await pdf_of(request, parts, found.document)
    except (NoticeLinkUnknown, NoticeLinkOver) as nowhere:
        return _refusal(nowhere)
    except DomainError as error:
        return _refusal(error, f"/n/{token}")
    paper.headers.update({name: HEADERS[name] for name in ("Cache-Control", "X-Robots-Tag", "Referrer-Policy")})
    return paper


# ---- the app


@post(
    "/notice-links/{token:str}/openings",
    status_code=HTTP_201_CREATED,
    opt=permit_anyone(),
    operation_id="openNoticeLink",
)
async def open_notice_link(
    request: Request[Any, Any, Any], caller: NamedDependency[Caller], token: FromPath[str]
) -> Response[NoticeView]:
    """打开短链接 without an account: recorded as evidence of receipt (at most ten a day), then the paper.

    410 `notice-link-over` for a link that has expired or was revoked, 404 for one that is none.
    """
    parts: Parts = request.app.state.parts
    found, ticket, until = await _record(request, token, caller)
    async with parts.work.reading() as connection:
        view = await _view(connection, found, token, ticket, until)
    return Response(view, headers=_NO_STORE, status_code=HTTP_201_CREATED)


# ---- the desk


@get("/documents/{document_id:uuid}/notice-links", opt=permit(*sorted(STAFF)), operation_id="listNoticeLinks")
async def list_notice_links(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], document_id: FromPath[UUID]
) -> LinkList:
    """短链接 of one paper with their openings; the links themselves are known to who got them alone."""
    async with parts.work.reading() as connection:
        document = await find_document(connection, document_id)
        await find_readable(connection, principal_of(request), document.inspection_id)
        return LinkList(items=await store.LINKS_OF_DOCUMENT.all(connection, document_id=document_id))


@post(
    "/documents/{document_id:uuid}/notice-links/{link_id:uuid}/revocation",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="revokeNoticeLink",
)
async def revoke_notice_link(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    document_id: FromPath[UUID],
    link_id: FromPath[UUID],
    data: JSONBody[RevokeLink],
) -> Response[bytes]:
    """短链接作废 by the department that issued the paper, such as when it went to the wrong phone."""
    department_id = submission.principal.department_id
    answer = await parts.work.submit(
        submission, lambda tx: operations.revoke_link(tx, document_id, link_id, department_id, data.reason)
    )
    return respond(answer)


notice_link_router = Router(
    "/", route_handlers=[open_notice_link, list_notice_links, revoke_notice_link], tags=["document"]
)
notice_pages_router = Router(
    "/", route_handlers=[show_notice_envelope, open_notice_page, read_notice_paper], tags=["document"]
)
