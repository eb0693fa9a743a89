"""附件 taken in and handed out: by the pipeline of evidence, for whoever may write, to whom an owner room lets look."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.response import Stream

from api.citizen import CitizenWrite, count, operator_of
from api.drafts import copy, fill, require_digest, store_draft
from api.evidence_copies import copy_of
from api.forms import Form, FormFile
from api.schemas.evidence import headers_of
from api.wiring import Parts
from domain.evidence import attachment_store, attachments
from domain.evidence.attachments import AttachmentCard
from domain.evidence.blobs import original_key
from domain.evidence.draft import Draft
from domain.evidence.model import Shown
from domain.evidence.operations import NewFile, PutAgain
from domain.evidence.rules import parse_digest
from domain.identity.model import Principal, Role
from domain.shared.events import Operator
from domain.visitor.model import LimitKind

_OPENERS = frozenset({Role.LEAD, Role.DEPARTMENT_MANAGER})


class Uploader(msgspec.Struct, frozen=True):
    """Who hands a file in: an account, or a citizen's pass; and as whom the trace names them."""

    id: UUID
    operator: Operator


async def find_own(parts: Parts, uploader: Uploader, digest: bytes) -> AttachmentCard | None:
    """The file if the uploader has handed it in already; from now on there is another day to attach it."""
    async with parts.work.reading() as connection:
        own = await attachment_store.OWN_FILE.first(connection, uploader_id=uploader.id, digest=digest)
    if own is None:
        return None
    return await parts.work.run(uploader.operator, lambda tx: attachments.renew_upload(tx, uploader.id, digest))


async def take_in(
    parts: Parts, uploader: Uploader, digest: bytes, body: AsyncIterator[bytes], announced: int = 0
) -> AttachmentCard:
    """附件上传 in one piece, its digest known beforehand.

    Raises `AttachmentQuotaReached`, `EvidenceTooLarge`, `DigestMismatch`, `EvidenceTypeRefused`, `EvidenceUnreadable`,
    `ScannerAway` or `BlobsAway`; after any of them nothing is kept.
    """
    async with parts.work.reading() as connection:
        standing = await attachment_store.WAITING_STANDING.one(connection, uploader_id=uploader.id, digest=digest)
    attachments.require_waiting_room(standing, announced)
    draft = parts.blobs.draft(original_key(digest))
    try:
        await fill(draft, body)
        require_digest(draft, digest)
        return await _store(parts, uploader, digest, draft, is_stored=standing.is_stored)
    finally:
        draft.close()


async def take_in_form_file(parts: Parts, uploader: Uploader, file: FormFile) -> bytes:
    """附件上传 by a form; gives the digest, under which the file can be attached. Raises as `take_in`."""
    digest = file.draft.digest()
    async with parts.work.reading() as connection:
        standing = await attachment_store.WAITING_STANDING.one(connection, uploader_id=uploader.id, digest=digest)
    attachments.require_waiting_room(standing, file.draft.size)
    draft = parts.blobs.draft(original_key(digest))
    try:
        await copy(file.draft, draft)
        await _store(parts, uploader, digest, draft, is_stored=standing.is_stored)
    finally:
        draft.close()
    return digest


async def take_in_form_files(parts: Parts, sent: CitizenWrite, form: Form, field: str) -> list[bytes]:
    """Every file that a citizen chose for `field`, and those that an earlier sending of the form handed in.

    Raises as `take_in_form_file`, and as `api.citizen.count`. What was taken in before an error stays for a day.
    """
    uploader = Uploader(sent.citizen.id, operator_of(sent.citizen))
    digests = form.digests(f"{field}_digest")
    for file in form.files_of(field):
        await count(parts, LimitKind.FORM, sent.caller, uploader.operator)
        digests.append(await take_in_form_file(parts, uploader, file))
    return list(dict.fromkeys(digests))


async def _store(parts: Parts, uploader: Uploader, digest: bytes, draft: Draft, *, is_stored: bool) -> AttachmentCard:
    async def commit(new: NewFile | None, put_again: PutAgain) -> AttachmentCard:
        return await parts.work.run(
            uploader.operator, lambda tx: attachments.store_attachment(tx, uploader.id, digest, new, put_again)
        )

    return await store_draft(parts, draft, commit, is_stored=is_stored)


async def answer_attachment(
    request: Request[Any, Any, Any], parts: Parts, folder_id: UUID, digest: str, shown: Shown
) -> Response[Any]:
    """One 附件 for a route that has checked the caller's scope: a picture as a copy without metadata, PDF and MP4 as
    they are, the original of a picture for leads and department managers, traced.

    Raises `InvalidField`, `NotFound`, `EvidenceQuarantined`, `EvidenceUnreadable`, `Forbidden` or `BlobsAway`.
    """
    principal: Principal | None = request.scope["user"]
    is_lead = principal is not None and principal.role in _OPENERS
    async with parts.work.reading() as connection:
        row = await attachments.find_attachment(connection, folder_id, parse_digest(digest), shown, is_lead=is_lead)
    headers = headers_of(row.digest, row.media_type, shown)
    if shown is Shown.ORIGINAL and principal is not None:
        await parts.work.run(
            principal.operator,
            lambda tx: attachments.open_original(tx, row, principal.department_id, principal.region),
        )
    elif row.media_type.is_picture:
        return Response(await copy_of(parts, row, shown), media_type="image/jpeg", headers=headers)
    body = parts.blobs.stream(original_key(row.digest))
    return Stream(body, media_type=row.media_type.value, headers={**headers, "Content-Length": str(row.size)})
