"""Rules of poster batches: how one goes on, and until when its parts are kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from domain.enterprise.posters.model import BatchState, DrawnPart, PosterBatch
from domain.shared.errors import DomainError

PARTS_KEPT: Final = timedelta(days=7)
"""After its end: a poster of a code that was replaced meanwhile is of no use."""


class BatchAlreadyEnded(DomainError):
    """The batch is not being drawn."""


class BatchNotCancelled(DomainError):
    """Only a cancelled batch goes on: another one is being drawn, finished, or its parts are gone."""


def begins_there(batch: PosterBatch, before: PosterBatch) -> bool:
    """Whether the batch still stands where a drawing began; else that drawing was done twice, or for nothing."""
    return batch.state is BatchState.DRAWING and (batch.after_region, batch.after_site) == (
        before.after_region,
        before.after_site,
    )


def with_part(batch: PosterBatch, part: DrawnPart, now: datetime) -> PosterBatch:
    """The batch with one part more; finished with the last."""
    return msgspec.structs.replace(
        batch,
        state=BatchState.FINISHED if part.is_last else BatchState.DRAWING,
        ended_at=now if part.is_last else None,
        sites_done=batch.sites_done + part.sites,
        site_count=max(batch.site_count, batch.sites_done + part.sites),
        parts_done=batch.parts_done + (1 if part.pages else 0),
        retired=batch.retired + part.retired,
        after_region=part.next_region,
        after_site=part.next_site,
    )


def cancelled(batch: PosterBatch, now: datetime) -> PosterBatch:
    """取消: parts that were drawn stay. Raises `BatchAlreadyEnded`."""
    if batch.state is not BatchState.DRAWING:
        raise BatchAlreadyEnded("该批次不在绘制中。")
    return msgspec.structs.replace(batch, state=BatchState.CANCELLED, ended_at=now)


def resumed(batch: PosterBatch) -> PosterBatch:
    """继续 where it stopped. Raises `BatchNotCancelled`."""
    if batch.state is not BatchState.CANCELLED:
        raise BatchNotCancelled("只有已取消的批次可以继续。")
    return msgspec.structs.replace(batch, state=BatchState.DRAWING, ended_at=None)
