"""What happens to a poster batch."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from domain.enterprise.posters.model import PosterBatch
from domain.shared.events import Event


class BatchFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as the trace tells it."""

    region_code: str
    size: str
    state: str
    site_count: int
    sites_done: int
    parts_done: int
    digest: str | None = None


def facts_of(batch: PosterBatch, digest: bytes = b"") -> BatchFacts:
    """How the batch stands; `digest` is that of the part just drawn."""
    return BatchFacts(
        region_code=batch.region_code,
        size=batch.size,
        state=batch.state,
        site_count=batch.site_count,
        sites_done=batch.sites_done,
        parts_done=batch.parts_done,
        digest=digest.hex() or None,
    )


class BatchEvent(Event, frozen=True, kw_only=True):
    """What all events of a batch share."""

    business: ClassVar[str] = "一码检查"
    power: ClassVar[str] = "企业码管理"
    duty: ClassVar[str] = "海报制作"
    subject: ClassVar[str] = "poster_batch"

    before: BatchFacts | None = None
    after: BatchFacts


class PosterBatchOpened(BatchEvent, frozen=True, kw_only=True):
    """海报批次 asked for."""

    action: ClassVar[str] = "poster.batch_opened"


class PosterPartDrawn(BatchEvent, frozen=True, kw_only=True):
    """A part is there, or the end of the region was reached."""

    action: ClassVar[str] = "poster.part_drawn"


class PosterBatchCancelled(BatchEvent, frozen=True, kw_only=True):
    """海报批次取消."""

    action: ClassVar[str] = "poster.batch_cancelled"


class PosterBatchResumed(BatchEvent, frozen=True, kw_only=True):
    """海报批次继续."""

    action: ClassVar[str] = "poster.batch_resumed"


class PosterBatchExpired(BatchEvent, frozen=True, kw_only=True):
    """海报批次过期: its parts are removed."""

    action: ClassVar[str] = "poster.batch_expired"
