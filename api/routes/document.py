"""执法文书: list, search, read, PDF, sealed copy; and the verification that anybody may make (LAW-06)."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api import pages
from api.auth import STAFF, permit, permit_anyone, principal_of
from api.paper_rendering import paper_key
from api.public_reader import HEADERS, HTML, JSON, holds, wanted
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.document import (
    DocumentCard,
    DocumentPage,
    SealedCopyOrder,
    VerificationView,
    to_card,
    to_verification,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.document import operations, store
from domain.document.model import DocumentKind, SealedCopy, SealedDocument
from domain.document.rules import require_rendered
from domain.evidence.operations import require_evidence
from domain.identity.model import Principal, Role
from domain.inspection.access import find_readable
from domain.membership.rules import acts_for
from domain.rectification.service_store import SERVICE_OF_DOCUMENT
from domain.shared.errors import Forbidden, NotFound
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

PDF: Final = "application/pdf"
_READERS: Final = STAFF | {Role.ENTERPRISE}


async def _readable(connection: Connection, principal: Principal, document_id: UUID) -> SealedDocument:
    """Who may read the inspection may read its papers, and who was served one may read that one. Raises `NotFound`."""
    document = await operations.find_document(connection, document_id)
    try:
        await find_readable(connection, principal, document.inspection_id)
    except NotFound as hidden:
        if not await _was_served(connection, principal, document):
            raise NotFound("没有该文书。") from hidden
    return document


async def _was_served(connection: Connection, principal: Principal, document: SealedDocument) -> bool:
    """Whether it is a paper of the caller's own site that was served, as a notice is before an announced visit."""
    if not acts_for(principal, document.enterprise_id, document.site_id):
        return False
    return await SERVICE_OF_DOCUMENT.first(connection, document_id=document.id) is not None


@get("/inspections/{inspection_id:uuid}/documents", opt=permit(*_READERS), operation_id="listInspectionDocuments")
async def list_inspection_documents(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], inspection_id: FromPath[UUID]
) -> DocumentPage:
    """执法文书 of one inspection, in the order of their issue (LAW-06)."""
    async with parts.work.reading() as connection:
        await find_readable(connection, principal_of(request), inspection_id)
        found = await store.DOCUMENTS_OF_INSPECTION.all(connection, inspection_id=inspection_id)
    return DocumentPage(items=[to_card(each) for each in found], next_cursor=None)


@get("/documents", opt=permit(Role.DEPARTMENT_MANAGER, Role.LEAD), operation_id="searchDocuments")
async def search_documents(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    name: Annotated[
        str | None,
        QueryParameter(description="A part of the title or of the enterprise's name", max_length=100),
    ] = None,
    kind: Annotated[DocumentKind | None, QueryParameter(description="文书类型")] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> DocumentPage:
    """执法文书 of the caller's department, or of a lead's region, the newest first (LAW-06)."""
    principal = principal_of(request)
    page: dict[str, Any] = {
        "words": name or None,
        "kind": kind,
        "before_id": read_cursor(cursor, LAST_ID),
        "limit": limit + 1,
    }
    async with parts.work.reading() as connection:
        if principal.role is Role.DEPARTMENT_MANAGER:
            found = await store.SEARCH_OF_DEPARTMENT.all(connection, department_id=principal.department_id, **page)
        else:
            found = await store.SEARCH_OF_REGION.all(connection, region=principal.region, **page)
    shown, more = cut(found, limit, lambda row: row.id)
    return DocumentPage(items=[to_card(each) for each in shown], next_cursor=more)


@get("/documents/{document_id:uuid}", opt=permit(*_READERS), operation_id="readDocument")
async def read_document(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], document_id: FromPath[UUID]
) -> DocumentCard:
    """One 执法文书: where it stands. Its content is the PDF."""
    async with parts.work.reading() as connection:
        return to_card(await _readable(connection, principal_of(request), document_id))


@get("/documents/{document_id:uuid}/file.pdf", opt=permit(*_READERS), operation_id="readDocumentFile", media_type=PDF)
async def read_document_file(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], document_id: FromPath[UUID]
) -> Response[bytes]:
    """The PDF, as the worker made it once. Until then 409 `paper-not-ready`."""
    async with parts.work.reading() as connection:
        document = await _readable(connection, principal_of(request), document_id)
    return await pdf_of(request, parts, document)


async def pdf_of(request: Request[Any, Any, Any], parts: Parts, document: SealedDocument) -> Response[bytes]:
    """The PDF of a paper that the caller may read; its ETag is its SHA-256.

    Raises `PaperNotReady`, `PaperFailed` or `BlobsAway`.
    """
    digest = require_rendered(document)
    etag = f'"{digest.hex()}"'
    name = quote(f"{document.title}{document.number or ''}.pdf")
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"inline; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
    }
    if holds(request.headers.get("if-none-match", ""), etag):
        return Response(b"", status_code=304, headers=headers, media_type=PDF)
    return Response(await parts.blobs.get(paper_key(digest)), headers=headers, media_type=PDF)


@post(
    "/documents/{document_id:uuid}/sealed-copy",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR, Role.DEPARTMENT_MANAGER),
    operation_id="markDocumentSealed",
)
async def mark_document_sealed(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    document_id: FromPath[UUID],
    data: JSONBody[SealedCopyOrder],
) -> Response[bytes]:
    """文书盖章: the sealed paper's scan, handed in before as evidence of the inspection."""
    digest = bytes.fromhex(data.digest)
    principal = submission.principal

    async def operation(tx: Transaction) -> Outcome[SealedCopy]:
        document = await _readable(tx.connection, principal, document_id)
        if principal.department_id != document.department_id:
            raise Forbidden("只能由制发该文书的部门登记盖章。")
        await require_evidence(tx, document.inspection_id, [digest], field="digest")
        return await operations.mark_sealed(tx, document_id, digest)

    return respond(await parts.work.submit(submission, operation))


async def _verify(request: Request[Any, Any, Any], parts: Parts, code: str) -> Response[Any]:
    media_type = JSON if wanted(request.headers.get("accept", "")) == JSON else HTML
    # What is typed is no secret worth keeping in caches: a revocation must be seen at once.
    headers = {**HEADERS[media_type], "Cache-Control": "no-store"}
    try:
        async with parts.work.reading() as connection:
            verified = await operations.verify_document(connection, code)
    except NotFound:
        if media_type == JSON:
            raise
        return Response(pages.render_unverified(), status_code=404, headers=headers, media_type=HTML)
    view = to_verification(verified)
    if media_type == JSON:
        return Response(msgspec.json.encode(view), headers=headers, media_type=JSON)
    return Response(pages.render_verification(view), headers=headers, media_type=HTML)


@get("/v/{code:str}", opt=permit_anyone(), operation_id="verifyDocument", media_type=MediaType.HTML)
async def verify_document(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], code: FromPath[str]
) -> Response[VerificationView]:
    """文书核验 by anybody: 真实, 未盖章 or 已撤销, with number, date and digest; a page, or JSON if asked for."""
    return await _verify(request, parts, code)


@get("/V/{code:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def verify_printed_document(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], code: FromPath[str]
) -> Response[Any]:
    """The same, in the upper case that keeps the printed code coarse."""
    return await _verify(request, parts, code)


document_router = Router(
    "/",
    route_handlers=[
        list_inspection_documents,
        search_documents,
        read_document,
        read_document_file,
        mark_document_sealed,
    ],
    tags=["document"],
)
verification_router = Router("/", route_handlers=[verify_document, verify_printed_document], tags=["document"])
