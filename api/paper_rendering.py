"""The PDFs of papers: made by the worker after the act was committed, fetched here for who may read them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID

from api.register import INSTALLATION
from api.wiring import Parts
from domain.document import operations
from domain.document.events import RenderedFacts
from domain.document.model import DocumentState, SealedDocument
from domain.document.render import Imprint, Press, Printed, TypesettingFailed, images_of
from domain.document.rules import verification_url
from domain.evidence.blobs import BlobMissing, copy_key, original_key

PRESS: Final = Press()
"""One paper at a time in each process."""
_COPY_SIZE: Final = "1600"


def paper_key(digest: bytes) -> str:
    """Where the PDF of that SHA-256 is kept."""
    return f"papers/{digest.hex()}.pdf"


async def render_document(parts: Parts, subject: bytes) -> None:
    """文书生成 of the document whose id `subject` is; done again, also by two at once, it changes nothing.

    Raises `BlobMissing` for a picture that is not there yet, `BlobsAway`, or `TypesettingFailed`: try again later.
    """
    async with parts.work.reading() as connection:
        document = await operations.find_document(connection, UUID(bytes=subject))
    if document.state is DocumentState.RENDERED:
        return
    try:
        printed = await _print(parts, document)
    except TypesettingFailed as failure:
        reason = str(failure)
        await parts.work.run(INSTALLATION, lambda tx: operations.mark_not_rendered(tx, document, reason))
        raise
    # Before the row tells of it: the same content gives the same bytes, so that a crash in between leaves no other PDF.
    digest = sha256(printed.pdf).digest()
    await parts.blobs.put(paper_key(digest), printed.pdf)
    facts = RenderedFacts(digest=digest.hex(), size=len(printed.pdf), page_count=printed.page_count)
    await parts.work.run(INSTALLATION, lambda tx: operations.mark_rendered(tx, document, facts))


async def _print(parts: Parts, document: SealedDocument) -> Printed:
    paper = operations.open_paper(parts.vault, document)
    imprint = Imprint(
        number=document.number,
        verification_code=document.verification_code,
        verification_url=verification_url(parts.public_url, document.verification_code),
        record_digest=document.record_digest,
        seal=document.seal,
    )
    return await PRESS.render(paper, imprint, await _fetch(parts, images_of(paper)))


async def _fetch(parts: Parts, digests: Sequence[str]) -> dict[str, bytes]:
    return {digest: await _picture(parts, bytes.fromhex(digest)) for digest in digests}


async def _picture(parts: Parts, digest: bytes) -> bytes:
    """The worker's copy, or the original where there is none (yet); either is embedded small, without metadata."""
    try:
        return await parts.blobs.get(copy_key(digest, _COPY_SIZE))
    except BlobMissing:
        return await parts.blobs.get(original_key(digest))
