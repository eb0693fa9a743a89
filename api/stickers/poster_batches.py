"""海报批次 in the worker: a part to a chore, and when a part is there, the chore of the next."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from api.register import INSTALLATION
from api.stickers.press import PAGES, PRESS
from api.stickers.region import SiteCursor, cursor_of, find_place, posters_of, take_sites
from api.wiring import Parts
from codes.poster import PosterJob
from domain.enterprise.posters import operations, store
from domain.enterprise.posters.model import BatchState, DrawnPart, PosterBatch
from domain.evidence.blobs import BlobsAway

_FOLDER: Final = "posters"
_AT_ONCE: Final = 20
_STRAYS_KEPT: Final = timedelta(days=30)
_logger = logging.getLogger(__name__)


def part_key(batch_id: UUID, digest: bytes) -> str:
    """Where the PDF of that SHA-256 is kept."""
    return f"{_FOLDER}/{batch_id}/{digest.hex()}.pdf"


async def draw_posters(parts: Parts, subject: bytes, *, pages: int = PAGES) -> None:
    """The next part of the batch whose id `subject` is; done twice, also by two at once, it is kept once.

    Raises `PostersNotDrawn` or `BlobsAway`: try again later.
    """
    async with parts.work.reading() as connection:
        batch = await store.BATCH_BY_ID.first(connection, batch_id=UUID(bytes=subject))
    if batch is None or batch.state is not BatchState.DRAWING:
        return
    part = await _draw(parts, batch, pages)
    await parts.work.run(INSTALLATION, lambda tx: operations.record_part(tx, batch, part))


async def _draw(parts: Parts, batch: PosterBatch, pages: int) -> DrawnPart:
    place = await find_place(parts, batch.region_code)
    after = SiteCursor(batch.after_region, batch.after_site)
    page = await take_sites(parts, INSTALLATION, place, after, pages)
    end = cursor_of(page.rows[-1]) if page.rows else after
    posters = posters_of(page.rows, parts.code_keys, parts.public_url)
    digest, size = b"", 0
    if posters.pages:
        pdf = await PRESS.draw(PosterJob(size=batch.size, posters=posters.pages))
        digest, size = sha256(pdf).digest(), len(pdf)
        # Before the row tells of it: the same pages give the same bytes, so a crash in between leaves no other PDF.
        await parts.blobs.put(part_key(batch.id, digest), pdf)
    return DrawnPart(
        sites=len(page.rows),
        retired=posters.retired,
        next_region=end.region_code,
        next_site=end.site_id,
        is_last=len(page.rows) < pages,
        pages=len(posters.pages),
        digest=digest,
        byte_count=size,
    )


async def sweep_posters(parts: Parts) -> None:
    """Remove the parts of batches that ended a week ago. A store that is away is left for the next hour."""
    try:
        while True:
            old = await parts.work.run(INSTALLATION, lambda tx: operations.expire_batches(tx, _AT_ONCE))
            for batch in old:
                await _remove(parts, f"{_FOLDER}/{batch.id}", parts.clock())
            if len(old) < _AT_ONCE:
                break
        # What a crash between those two steps left, or a drawing that ended before its commit.
        await _remove(parts, _FOLDER, parts.clock() - _STRAYS_KEPT)
    except BlobsAway:
        _logger.warning("the object store is away; old posters wait an hour")


async def _remove(parts: Parts, folder: str, before: datetime) -> None:
    keys = [blob.key async for blob in parts.blobs.list(folder) if blob.put_at < before]
    for key in keys:
        await parts.blobs.delete(key)
