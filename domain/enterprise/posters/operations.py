"""海报批次, step by step: asked for, drawn part by part, cancelled, gone on with, forgotten."""

from __future__ import annotations

from uuid import UUID

import msgspec

from codes.poster import PosterSize
from domain.enterprise.posters import rules, store
from domain.enterprise.posters.events import (
    PosterBatchCancelled,
    PosterBatchExpired,
    PosterBatchOpened,
    PosterBatchResumed,
    PosterPartDrawn,
    facts_of,
)
from domain.enterprise.posters.model import BatchAnswer, BatchState, DrawnPart, PosterBatch, PosterPart
from domain.identity.model import Principal
from domain.identity.rules import within_region
from domain.shared.errors import InvalidField, NotFound
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction


async def open_batch(
    tx: Transaction, principal: Principal, *, region_code: str, region: str, size: PosterSize, site_count: int
) -> Outcome[BatchAnswer]:
    """海报批次 of a region. Raises `InvalidField` where the region has no site."""
    if site_count == 0:
        raise InvalidField("该区划内没有经营场所。", field="region_code")
    batch = PosterBatch(
        id=tx.new_id(),
        region_code=region_code,
        region=region,
        size=size,
        state=BatchState.DRAWING,
        site_count=site_count,
        sites_done=0,
        parts_done=0,
        retired=0,
        after_region="",
        after_site=UUID(int=0),
        requested_by=principal.account_id,
        created_at=tx.now,
        ended_at=None,
    )
    await store.INSERT_BATCH.run(tx.connection, **msgspec.structs.asdict(batch))
    event = PosterBatchOpened(subject_id=batch.id, region=region, after=facts_of(batch))
    return Outcome(answer=answer_of(batch), events=(event,), location=f"/api/v1/poster-batches/{batch.id}")


async def record_part(tx: Transaction, began: PosterBatch, part: DrawnPart) -> Outcome[bool]:
    """Keep what was drawn from where `began` stood; False when it was drawn twice, or cancelled meanwhile."""
    batch = await store.LOCK_BATCH.first(tx.connection, batch_id=began.id)
    if batch is None or not rules.begins_there(batch, began):
        return Outcome(answer=False)
    after = rules.with_part(batch, part, tx.now)
    if part.pages:
        drawn = PosterPart(
            batch_id=batch.id,
            number=after.parts_done,
            pages=part.pages,
            digest=part.digest,
            byte_count=part.byte_count,
            drawn_at=tx.now,
        )
        await store.INSERT_PART.run(tx.connection, **msgspec.structs.asdict(drawn))
    await _save(tx, after)
    event = PosterPartDrawn(
        subject_id=batch.id,
        region=batch.region,
        before=facts_of(batch),
        after=facts_of(after, part.digest),
    )
    return Outcome(answer=True, events=(event,))


async def cancel_batch(tx: Transaction, principal: Principal, batch_id: UUID) -> Outcome[BatchAnswer]:
    """取消. Raises `NotFound` or `BatchAlreadyEnded`."""
    batch = await _lock(tx, principal, batch_id)
    after = rules.cancelled(batch, tx.now)
    await _save(tx, after)
    event = PosterBatchCancelled(
        subject_id=batch.id, region=batch.region, before=facts_of(batch), after=facts_of(after)
    )
    return Outcome(answer=answer_of(after), events=(event,))


async def resume_batch(tx: Transaction, principal: Principal, batch_id: UUID) -> Outcome[BatchAnswer]:
    """继续. Raises `NotFound` or `BatchNotCancelled`."""
    batch = await _lock(tx, principal, batch_id)
    after = rules.resumed(batch)
    await _save(tx, after)
    event = PosterBatchResumed(subject_id=batch.id, region=batch.region, before=facts_of(batch), after=facts_of(after))
    return Outcome(answer=answer_of(after), events=(event,))


async def expire_batches(tx: Transaction, limit: int) -> Outcome[list[PosterBatch]]:
    """Mark what ended 7 days ago as expired; gives those batches, whose parts are to be removed."""
    old = await store.LOCK_OLD_BATCHES.all(tx.connection, before=tx.now - rules.PARTS_KEPT, limit=limit)
    events: list[PosterBatchExpired] = []
    for batch in old:
        after = msgspec.structs.replace(batch, state=BatchState.EXPIRED)
        await _save(tx, after)
        events.append(
            PosterBatchExpired(subject_id=batch.id, region=batch.region, before=facts_of(batch), after=facts_of(after))
        )
    return Outcome(answer=old, events=tuple(events))


async def find_batch(connection: Connection, principal: Principal, batch_id: UUID) -> PosterBatch:
    """The batch, for whoever manages its region (D8). Raises `NotFound`."""
    batch = await store.BATCH_BY_ID.first(connection, batch_id=batch_id)
    if batch is None or not within_region(principal, batch.region):
        raise NotFound("没有该海报批次。")
    return batch


async def _lock(tx: Transaction, principal: Principal, batch_id: UUID) -> PosterBatch:
    await find_batch(tx.connection, principal, batch_id)
    batch = await store.LOCK_BATCH.first(tx.connection, batch_id=batch_id)
    if batch is None:
        raise NotFound("没有该海报批次。")
    return batch


async def _save(tx: Transaction, batch: PosterBatch) -> None:
    await store.UPDATE_BATCH.run(tx.connection, **msgspec.structs.asdict(batch), of_batch=batch.id)


def answer_of(batch: PosterBatch) -> BatchAnswer:
    """How it stands."""
    return BatchAnswer(**{name: getattr(batch, name) for name in BatchAnswer.__struct_fields__})
