"""The copies of photos: upright, smaller, with nothing of the original's metadata; made by the worker or when asked."""

from __future__ import annotations

from api.wiring import Parts
from api.work import database_refusals
from domain.evidence import store
from domain.evidence.blobs import BlobMissing, copy_key, original_key
from domain.evidence.model import CopiesState, Shown, StoredFile
from domain.evidence.rules import EvidenceUnreadable
from domain.shared.sql import borrow


async def copy_evidence(parts: Parts, subject: bytes) -> None:
    """Make the copies of the file whose SHA-256 is `subject`; done again it changes nothing.

    Raises `BlobMissing` or `BlobsAway`, to be tried again.
    """
    async with database_refusals(), borrow(parts.pool) as connection:
        file = await store.FILE.first(connection, digest=subject)
    if file is None or file.copies is not CopiesState.WAITING or file.quarantine_reason is not None:
        return
    try:
        await _make(parts, file)
    except EvidenceUnreadable:
        await _set(parts, file, CopiesState.FAILED)


async def copy_of(parts: Parts, file: StoredFile, shown: Shown) -> bytes:
    """A copy of a picture, made now if the worker has not come yet. Raises `EvidenceUnreadable` or `BlobsAway`."""
    if file.copies is CopiesState.FAILED:
        raise EvidenceUnreadable("图片损坏，无法显示。")
    if file.copies is CopiesState.READY:
        try:
            return await parts.blobs.get(copy_key(file.digest, shown.value))
        except BlobMissing:  # copies are no evidence; the original makes new ones
            pass
    return (await _make(parts, file))[shown]


async def _make(parts: Parts, file: StoredFile) -> dict[Shown, bytes]:
    original = await parts.blobs.get(original_key(file.digest))
    copies = await parts.darkroom.make_copies(original)
    for shown, copy in copies.items():
        await parts.blobs.put(copy_key(file.digest, shown.value), copy)
    await _set(parts, file, CopiesState.READY)
    return copies


async def _set(parts: Parts, file: StoredFile, state: CopiesState) -> None:
    async with database_refusals(), borrow(parts.pool) as connection:
        await store.SET_COPIES.run(connection, of_digest=file.digest, state_after=state)
