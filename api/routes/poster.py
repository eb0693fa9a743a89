"""海报 for the wall beside a door: of one site at once, of a region part by part."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit, principal_of
from api.public_reader import holds
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.poster import (
    FIRST_PART,
    PartCursor,
    PosterBatchCard,
    PosterBatchOrder,
    PosterBatchPage,
    PosterPartPage,
    to_card,
    to_part,
)
from api.stickers.poster_batches import part_key
from api.stickers.press import PRESS
from api.stickers.printing import find_printable
from api.stickers.region import count_sites, find_place
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from codes.poster import PosterJob, PosterSize
from domain.enterprise.posters import operations, store
from domain.enterprise.posters.model import BatchState
from domain.evidence.blobs import BlobMissing
from domain.identity.model import Role
from domain.identity.rules import within_region
from domain.shared.errors import NotFound

_PDF: Final = "application/pdf"
_MANAGERS: Final = (Role.DEPARTMENT_MANAGER, Role.ADMINISTRATOR)


@get(
    "/sites/{site_id:uuid}/poster",
    opt=permit(Role.ENTERPRISE, *_MANAGERS),
    operation_id="readPoster",
    media_type=_PDF,
)
async def read_poster(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    site_id: FromPath[UUID],
    size: Annotated[PosterSize, QueryParameter(description="纸张: a4 or a5")] = PosterSize.A4,
) -> Response[bytes]:
    """海报 of one site as PDF, ready to print; 409 `no-code-issued` without a valid code."""
    row, poster = await find_printable(request, parts, site_id)
    pdf = await PRESS.draw(PosterJob(size=size, posters=[poster]))
    return _pdf(request, pdf, sha256(pdf).digest(), f"企业码海报-{row.name}-{row.site_name}-{size}.pdf")


def _pdf(request: Request[Any, Any, Any], pdf: bytes, digest: bytes, name: str) -> Response[bytes]:
    etag = f'"{digest.hex()}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(name)}",
        "X-Content-Type-Options": "nosniff",
    }
    if holds(request.headers.get("if-none-match", ""), etag):
        return Response(b"", status_code=304, headers=headers, media_type=_PDF)
    return Response(pdf, headers=headers, media_type=_PDF)


@post("/poster-batches", status_code=HTTP_201_CREATED, opt=permit(*_MANAGERS), operation_id="openPosterBatch")
async def open_poster_batch(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[PosterBatchOrder]
) -> Response[bytes]:
    """海报批次 of a region in parts of 500 pages; missing codes are issued. The worker draws, this answers at once."""
    place = await find_place(parts, data.region_code)
    if not within_region(submission.principal, place.path):
        raise NotFound(f"没有行政区划 {data.region_code}。", field="region_code")
    count = await count_sites(parts, place)
    answer = await parts.work.submit(
        submission,
        lambda tx: operations.open_batch(
            tx, submission.principal, region_code=place.code, region=place.path, size=data.size, site_count=count
        ),
    )
    return respond(answer)


@get("/poster-batches", opt=permit(*_MANAGERS), operation_id="listPosterBatches")
async def list_poster_batches(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> PosterBatchPage:
    """海报批次 that the caller asked for, the newest first."""
    account_id = principal_of(request).account_id
    async with parts.work.reading() as connection:
        rows = await store.LIST_OF_ACCOUNT.all(
            connection, account_id=account_id, before_id=read_cursor(cursor, LAST_ID), limit=limit + 1
        )
    shown, more = cut(rows, limit, lambda row: row.id)
    return PosterBatchPage(items=[to_card(row) for row in shown], next_cursor=more)


@get("/poster-batches/{batch_id:uuid}", opt=permit(*_MANAGERS), operation_id="readPosterBatch")
async def read_poster_batch(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], batch_id: FromPath[UUID]
) -> PosterBatchCard:
    """How far a 海报批次 is."""
    async with parts.work.reading() as connection:
        return to_card(await operations.find_batch(connection, principal_of(request), batch_id))


@get("/poster-batches/{batch_id:uuid}/parts", opt=permit(*_MANAGERS), operation_id="listPosterParts")
async def list_poster_parts(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    batch_id: FromPath[UUID],
    cursor: CursorText = None,
    limit: PageLimit = 100,
) -> PosterPartPage:
    """The PDFs that are there, in the order of their pages."""
    start = read_cursor(cursor, FIRST_PART)
    async with parts.work.reading() as connection:
        await operations.find_batch(connection, principal_of(request), batch_id)
        rows = await store.PARTS_OF_BATCH.all(connection, batch_id=batch_id, after_number=start.number, limit=limit + 1)
    shown, more = cut(rows, limit, lambda row: PartCursor(row.number))
    return PosterPartPage(items=[to_part(row) for row in shown], next_cursor=more)


@get(
    "/poster-batches/{batch_id:uuid}/parts/{number:int}/file.pdf",
    opt=permit(*_MANAGERS),
    operation_id="readPosterPart",
    media_type=_PDF,
)
async def read_poster_part(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], batch_id: FromPath[UUID], number: FromPath[int]
) -> Response[bytes]:
    """One PDF of up to 500 pages; kept for 7 days after the batch ended."""
    async with parts.work.reading() as connection:
        batch = await operations.find_batch(connection, principal_of(request), batch_id)
        part = None
        if batch.state is not BatchState.EXPIRED and 0 < number < 2**31:
            part = await store.PART.first(connection, batch_id=batch_id, number=number)
    if part is None:
        raise NotFound("没有该册海报，或已过保存期。")
    try:
        pdf = await parts.blobs.get(part_key(batch_id, part.digest))
    except BlobMissing as gone:
        raise NotFound("没有该册海报，或已过保存期。") from gone
    return _pdf(request, pdf, part.digest, f"企业码海报-{batch.region_code}-{batch.size}-{number:04d}.pdf")


@post(
    "/poster-batches/{batch_id:uuid}/cancellation",
    status_code=HTTP_201_CREATED,
    opt=permit(*_MANAGERS),
    operation_id="cancelPosterBatch",
)
async def cancel_poster_batch(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], batch_id: FromPath[UUID]
) -> Response[bytes]:
    """取消: what was drawn stays for 7 days."""
    answer = await parts.work.submit(submission, lambda tx: operations.cancel_batch(tx, submission.principal, batch_id))
    return respond(answer)


@post(
    "/poster-batches/{batch_id:uuid}/resumption",
    status_code=HTTP_201_CREATED,
    opt=permit(*_MANAGERS),
    operation_id="resumePosterBatch",
)
async def resume_poster_batch(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], batch_id: FromPath[UUID]
) -> Response[bytes]:
    """继续 a cancelled batch where it stopped."""
    answer = await parts.work.submit(submission, lambda tx: operations.resume_batch(tx, submission.principal, batch_id))
    return respond(answer)


poster_router = Router(
    "/",
    route_handlers=[
        read_poster,
        open_poster_batch,
        list_poster_batches,
        read_poster_batch,
        list_poster_parts,
        read_poster_part,
        cancel_poster_batch,
        resume_poster_batch,
    ],
    tags=["poster"],
)
