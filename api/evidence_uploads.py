"""An upload from its first byte to its receipt: whole or in parts, to this process or to several.

The blob is put before the rows that tell of it are committed; a crash between leaves a blob that the sweep finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import msgspec

from api.drafts import fill, require_digest, store_draft
from api.wiring import Parts
from api.work import Accepted, Answer, Receipt, Submission, database_refusals
from domain.evidence import operations, rules, store
from domain.evidence.blobs import BlobMissing, BlobsAway, original_key, part_key
from domain.evidence.draft import Draft
from domain.evidence.model import (
    ContentRange,
    EvidenceCard,
    HandedIn,
    Part,
    Piece,
    Upload,
    UploadProgress,
    UploadStanding,
)
from domain.evidence.operations import NewFile
from domain.identity.model import Principal, Role
from domain.inspection.access import Standing, find_readable
from domain.shared.errors import InvalidField
from domain.shared.events import Circumstances
from domain.shared.ids import new_id
from domain.shared.sql import Connection, borrow
from domain.shared.transaction import Outcome, Transaction

CREATED, KNOWN, UNDER_WAY = 201, 200, 202


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends, and what they say of it. `key` may be missing: the digest names the write well enough."""

    principal: Principal
    circumstances: Circumstances
    key: str | None = None
    after: str | None = None
    done_at: datetime | None = None


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an upload before its body is read; `own`: it has come before."""

    upload: Upload
    own: HandedIn | None
    standing: UploadStanding


def upload_of(principal: Principal, standing: Standing, digest: bytes) -> Upload:
    """The upload of that file by that principal for an inspection they may see."""
    return Upload(
        inspection_id=standing.inspection_id,
        digest=digest,
        account_id=principal.account_id,
        is_of_enterprise=principal.role is Role.ENTERPRISE,
        department_id=principal.department_id,
        region=standing.region,
        site_id=standing.site_id,
    )


async def expect(connection: Connection, principal: Principal, inspection_id: UUID, digest: bytes) -> Expected:
    """Raises `NotFound` for an inspection out of the principal's scope."""
    upload = upload_of(principal, await find_readable(connection, principal, inspection_id), digest)
    own = await operations.find_own(connection, upload)
    if own is not None:
        return Expected(upload=upload, own=own, standing=UploadStanding(is_stored=True, used=0))
    standing = await store.UPLOAD_STANDING.one(connection, inspection_id=inspection_id, digest=digest)
    return Expected(upload=upload, own=None, standing=standing)


async def answer_known(parts: Parts, sender: Sender, upload: Upload, own: HandedIn) -> Answer:
    """The same answer once more, without reading a body; a key that came with it is remembered."""
    card = operations.card_of(upload.inspection_id, own)
    if sender.key is None:
        return _answer(upload, card, KNOWN)

    async def remember(_tx: Transaction) -> Outcome[EvidenceCard]:
        return Outcome(answer=card)

    answer = await parts.work.submit(_submission(sender, sender.key, upload, KNOWN), remember)
    return msgspec.structs.replace(answer, status=KNOWN)


async def receive_whole(parts: Parts, sender: Sender, expected: Expected, body: AsyncIterator[bytes]) -> Answer:
    """Take in a file that comes in one piece.

    Raises `EvidenceTooLarge`, `EvidenceQuotaReached`, `DigestMismatch`, `EvidenceTypeRefused`, `EvidenceUnreadable`,
    `ScannerAway` or `BlobsAway`; after any of them nothing is kept.
    """
    draft = parts.blobs.draft(original_key(expected.upload.digest))
    try:
        await fill(draft, body)
        require_digest(draft, expected.upload.digest)
        return await _store(parts, sender, expected, draft)
    finally:
        draft.close()


async def receive_part(
    parts: Parts, sender: Sender, expected: Expected, place: ContentRange, body: AsyncIterator[bytes]
) -> Answer | UploadProgress:
    """Take in a part; the one that completes the file stores it.

    Raises `InvalidField` for a part that is not as long as it says, and as `receive_whole`. A mismatch of the whole
    discards every part: which of them was wrong, nobody can tell.
    """
    upload, part = expected.upload, Part(start=place.start, size=place.size, total=place.total)
    draft = parts.blobs.draft(part_key(upload, part))
    try:
        async for piece in body:
            await draft.take(piece)
            if draft.size > place.size:
                break
        if draft.size != place.size:
            raise InvalidField("内容长度与 Content-Range 不符。", field="Content-Range")
        await parts.blobs.keep(draft)
    finally:
        draft.close()
    async with database_refusals(), borrow(parts.pool) as connection:
        await store.SAVE_PART.run(connection, **_of(upload), **msgspec.structs.asdict(part), received_at=parts.clock())
        arrived = await store.PARTS.all(connection, **_of(upload))
    plan = rules.plan_assembly(arrived, place.total)
    if plan is None:
        return UploadProgress(offset=rules.contiguous_end(arrived, place.total), total=place.total)
    return await _assemble(parts, sender, expected, plan)


async def progress_of(connection: Connection, upload: Upload) -> UploadProgress | None:
    """How far the caller's own upload has come; None when none of it has."""
    arrived = await store.PARTS.all(connection, **_of(upload))
    if not arrived:
        return None
    total = arrived[0].total
    return UploadProgress(offset=rules.contiguous_end(arrived, total), total=total)


async def _assemble(parts: Parts, sender: Sender, expected: Expected, plan: list[Piece]) -> Answer | UploadProgress:
    upload = expected.upload
    draft = parts.blobs.draft(original_key(upload.digest))
    try:
        missing = await _join(parts, upload, plan, draft)
        if missing is not None:
            return await _after_lost_part(parts, sender, upload, missing)
        try:
            require_digest(draft, upload.digest)
        except rules.DigestMismatch:
            async with database_refusals(), borrow(parts.pool) as connection:
                await store.DELETE_PARTS.run(connection, **_of(upload))
            raise
        answer = await _store(parts, sender, expected, draft, came_in_parts=True)
    finally:
        draft.close()
    with suppress(BlobsAway):  # what stays is swept
        for piece in plan:
            await parts.blobs.delete(part_key(upload, piece.part))
    return answer


async def _join(parts: Parts, upload: Upload, plan: list[Piece], draft: Draft) -> Part | None:
    """Write the pieces one after another; gives the part whose blob is not there, if one is."""
    for piece in plan:
        skip, left = piece.skip, piece.take
        try:
            async for opened in parts.blobs.stream(part_key(upload, piece.part)):
                taken = opened[skip : skip + left]
                skip = max(0, skip - len(opened))
                left -= len(taken)
                await draft.take(taken)
        except BlobMissing:
            return piece.part
    return None


async def _after_lost_part(parts: Parts, sender: Sender, upload: Upload, lost: Part) -> Answer | UploadProgress:
    """Another process has assembled the file meanwhile, or the part is really gone and must come again."""
    async with database_refusals(), borrow(parts.pool) as connection:
        own = await operations.find_own(connection, upload)
        if own is None:
            await store.DELETE_PART.run(connection, **_of(upload), start=lost.start)
            progress = await progress_of(connection, upload)
            return progress or UploadProgress(offset=0, total=lost.total)
    return await answer_known(parts, sender, upload, own)


async def _store(
    parts: Parts, sender: Sender, expected: Expected, draft: Draft, *, came_in_parts: bool = False
) -> Answer:
    """Blob, rows and trace of a complete draft."""
    upload = expected.upload
    rules.require_room(expected.standing.used, draft.size)

    async def commit(new: NewFile | None, put_again: operations.PutAgain) -> Answer:
        return await _commit(
            parts,
            sender,
            upload,
            lambda tx: operations.store_evidence(
                tx, upload, new, put_again, done_at=sender.done_at, came_in_parts=came_in_parts
            ),
        )

    return await store_draft(parts, draft, commit, is_stored=expected.standing.is_stored)


async def _commit(parts: Parts, sender: Sender, upload: Upload, operation: operations.Storing) -> Answer:
    replayed: Answer | None = None
    if sender.key is not None:
        answer = await parts.work.submit(_submission(sender, sender.key, upload, CREATED), operation)
        if not answer.replayed:
            return answer
        replayed = answer  # answered before; but since then the sweep may have taken the file
    card = await parts.work.run(sender.principal.operator, operation, sender.circumstances)
    return replayed or _answer(upload, card, CREATED)


def _submission(sender: Sender, key: str, upload: Upload, status: int) -> Submission:
    return Submission(
        principal=sender.principal,
        key=key,
        fingerprint=upload.digest,
        circumstances=sender.circumstances,
        after=sender.after,
        done_at=sender.done_at,
        status=status,
    )


def _answer(upload: Upload, card: EvidenceCard, status: int) -> Answer:
    """With a receipt that is the same at every repetition: made of what is stored, not of chance."""
    side = b"enterprise" if upload.is_of_enterprise else b"authority"
    noise = hashlib.sha256(upload.inspection_id.bytes + upload.digest + side).digest()
    receipt = Receipt(
        id=new_id(card.received_at, lambda count: noise[:count]), received_at=card.received_at, digest=card.digest
    )
    return Answer(status=status, body=msgspec.json.encode(Accepted(receipt=receipt, result=card)))


def _of(upload: Upload) -> dict[str, object]:
    return {"inspection_id": upload.inspection_id, "digest": upload.digest, "account_id": upload.account_id}
