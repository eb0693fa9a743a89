"""From a draft to a stored file, for evidence and attachments alike: examined, put, and only then told of by rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from api.wiring import Parts
from domain.evidence import rules
from domain.evidence.draft import Draft
from domain.evidence.operations import FileSwept, NewFile, PutAgain

A = TypeVar("A")
Commit = Callable[[NewFile | None, PutAgain], Awaitable[A]]
"""Commits the rows of a file: new, or None where it was stored before."""


async def fill(draft: Draft, body: AsyncIterator[bytes]) -> None:
    """Take in a file that comes in one piece. Raises `EvidenceTooLarge`."""
    async for piece in body:
        rules.require_size(draft.size + len(piece))
        await draft.take(piece)


async def copy(source: Draft, into: Draft) -> None:
    """The same content sealed under another key; never more than a piece of it in clear."""
    pieces = source.pieces()
    while piece := await asyncio.to_thread(next, pieces, b""):
        await into.take(piece)


def require_digest(draft: Draft, digest: bytes) -> None:
    """Raises `DigestMismatch`."""
    if draft.digest() != digest:
        raise rules.DigestMismatch("文件内容与路径中的 SHA-256 不符，未保存。", field="digest", size=draft.size)


async def store_draft(parts: Parts, draft: Draft, commit: Commit[A], *, is_stored: bool) -> A:
    """Blob, then rows of a complete draft; `is_stored`: a file of this digest is there already.

    Raises `EvidenceTypeRefused`, `EvidenceUnreadable`, `ScannerAway` or `BlobsAway`, and what `commit` raises.
    """

    async def nothing() -> None:
        """The file's row is there, so its blob is."""

    if is_stored:
        with suppress(FileSwept):
            return await commit(None, nothing)
    facts, reason = await parts.darkroom.examine(draft, parts.scanner)
    was_there = await parts.blobs.find(draft.key) is not None
    await parts.blobs.keep(draft)

    async def put_again() -> None:
        # Only what lay there before this upload can have been on the sweep's list.
        if was_there and await parts.blobs.find(draft.key) is None:
            await parts.blobs.keep(draft)

    return await commit(NewFile(size=draft.size, facts=facts, quarantine_reason=reason), put_again)
