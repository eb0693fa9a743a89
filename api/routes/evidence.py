"""证据材料: hand in a file whole or in parts, ask how far it has come, look at it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, head, put
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_201_CREATED, HTTP_204_NO_CONTENT

from api.auth import STAFF, permit, principal_of
from api.evidence_copies import copy_of
from api.evidence_uploads import (
    UNDER_WAY,
    Sender,
    answer_known,
    expect,
    progress_of,
    receive_part,
    receive_whole,
    upload_of,
)
from api.schemas.evidence import ContentRangeHeader, OptionalKey, ShownSize, headers_of
from api.submissions import After, DoneAt, read_instant, read_key, respond
from api.wiring import Parts
from domain.evidence import operations
from domain.evidence.blobs import original_key
from domain.evidence.model import MAX_FILE_BYTES, HandedIn, Shown, UploadProgress
from domain.evidence.rules import parse_content_range, parse_digest, require_room, require_size
from domain.identity.model import Principal, Role
from domain.inspection.access import Standing, find_readable
from domain.shared.events import Circumstances
from domain.shared.ids import new_id

_UPLOADERS = (Role.INSPECTOR, Role.ENTERPRISE)
_OPENERS = frozenset({Role.LEAD, Role.DEPARTMENT_MANAGER})
_Inspection = Annotated[UUID, QueryParameter(description="The inspection that the file belongs to.")]


def _sender(
    request: Request[Any, Any, Any], parts: Parts, key: str | None, after: str | None, done_at: str | None
) -> Sender:
    """Raises `InvalidField` naming the header at fault."""
    return Sender(
        principal=principal_of(request),
        circumstances=Circumstances(request_id=new_id(parts.clock(), parts.random), device_at=done_at),
        key=None if key is None else read_key(key, "Idempotency-Key"),
        after=None if after is None else read_key(after, "Yima-After"),
        done_at=None if done_at is None else read_instant(done_at, "Yima-Done-At"),
    )


def _told(progress: UploadProgress) -> dict[str, str]:
    """How far an upload has come, in headers."""
    headers = {"Cache-Control": "no-store", "Upload-Offset": str(progress.offset)}
    if progress.total:
        headers["Upload-Length"] = str(progress.total)
    if progress.offset:
        headers["Range"] = f"bytes=0-{progress.offset - 1}"
    return headers


@put(
    "/evidence/{digest:str}",
    status_code=HTTP_201_CREATED,
    opt=permit(*_UPLOADERS),
    operation_id="putEvidence",
    request_max_body_size=MAX_FILE_BYTES,
)
async def put_evidence(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    digest: FromPath[str],
    inspection_id: _Inspection,
    content_range: ContentRangeHeader = None,
    idempotency_key: OptionalKey = None,
    yima_after: After = None,
    yima_done_at: DoneAt = None,
) -> Response[bytes]:
    """证据材料上传 under its SHA-256: the body is the file itself (D28: JPEG, PNG, WebP, HEIC, PDF, MP4; 20 MiB each).

    The type is told by the content. Repeated, it is answered with 200 before the body is read. Above 4 MiB it may come
    in parts of at least 64 KiB (`Content-Range`), each answered with 202 and `Upload-Offset` until the file is whole;
    HEAD of the same address tells where to go on.
    """
    name = parse_digest(digest)
    place = None if content_range is None else parse_content_range(content_range)
    sender = _sender(request, parts, idempotency_key, yima_after, yima_done_at)
    async with parts.work.reading() as connection:
        expected = await expect(connection, sender.principal, inspection_id, name)
    if expected.own is not None:
        return respond(await answer_known(parts, sender, expected.upload, expected.own))
    announced = (request.content_length or 0) if place is None else place.total
    require_size(announced)
    require_room(expected.standing.used, announced)
    if place is None or place.size == place.total:
        return respond(await receive_whole(parts, sender, expected, request.stream()))
    answer = await receive_part(parts, sender, expected, place, request.stream())
    if isinstance(answer, UploadProgress):
        body = msgspec.json.encode(answer)
        return Response(body, status_code=UNDER_WAY, media_type="application/json", headers=_told(answer))
    return respond(answer)


@head("/evidence/{digest:str}", opt=permit(*_UPLOADERS), operation_id="headEvidence", include_in_schema=False)
async def head_evidence(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    digest: FromPath[str],
    inspection_id: _Inspection,
) -> Response[None]:
    """How far the caller's upload has come: 200 when it is complete, else 204; `Upload-Offset` either way."""
    name = parse_digest(digest)
    async with parts.work.reading() as connection:
        expected = await expect(connection, principal_of(request), inspection_id, name)
        if expected.own is not None:
            whole = UploadProgress(offset=expected.own.size, total=expected.own.size)
            return Response(None, headers=_told(whole))
        progress = await progress_of(connection, expected.upload)
    told = _told(progress or UploadProgress(offset=0, total=0))
    return Response(None, status_code=HTTP_204_NO_CONTENT, headers=told)


@get("/evidence/{digest:str}", opt=permit(*STAFF, Role.ENTERPRISE), operation_id="readEvidence")
async def read_evidence(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    digest: FromPath[str],
    inspection_id: _Inspection,
    shown: ShownSize = Shown.LARGE,
) -> Response[bytes] | Stream:
    """One 证据材料: a picture as a copy without metadata, PDF and MP4 as they are.

    The original of a picture is for leads and department managers, and looking at it is traced. An enterprise sees
    what it handed in itself.
    """
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        standing = await find_readable(connection, principal, inspection_id)
        file = await operations.find_shown(
            connection,
            inspection_id,
            parse_digest(digest),
            shown,
            is_enterprise=principal.role is Role.ENTERPRISE,
            is_lead=principal.role in _OPENERS,
        )
    headers = headers_of(file.digest, file.media_type, shown)
    if shown is Shown.ORIGINAL:
        await _trace_look(parts, principal, standing, file)
    elif file.media_type.is_picture:
        return Response(await copy_of(parts, file, shown), media_type="image/jpeg", headers=headers)
    body = parts.blobs.stream(original_key(file.digest))
    return Stream(body, media_type=file.media_type.value, headers={**headers, "Content-Length": str(file.size)})


async def _trace_look(parts: Parts, principal: Principal, standing: Standing, file: HandedIn) -> None:
    upload = upload_of(principal, standing, file.digest)
    await parts.work.run(principal.operator, lambda tx: operations.open_original(tx, upload))


evidence_router = Router("/", route_handlers=[put_evidence, head_evidence, read_evidence], tags=["evidence"])
