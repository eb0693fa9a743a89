"""The sweep of evidence: what nobody refers to, uploads given up, and blobs of which no row tells."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from uuid import UUID

from api.wiring import Parts
from api.work import database_refusals
from domain.evidence import operations, store
from domain.evidence.attachments import sweep_uploads
from domain.evidence.blobs import BlobsAway, copy_key, original_key
from domain.evidence.model import COPIES, PARTS_KEPT
from domain.shared.events import Operator
from domain.shared.sql import borrow
from domain.shared.transaction import Outcome, Transaction

_SWEEPER: Final = Operator(id=UUID(int=0), name="系统", post="定时清理")
_SLICES: Final = 256
_HOUR: Final = 3600
_logger = logging.getLogger(__name__)


async def sweep_evidence(parts: Parts) -> None:
    """Remove what has outlived its term. A store that is away is left for the next hour."""
    try:
        for sweep in (operations.sweep_orphans, sweep_uploads):
            await _sweep(parts, sweep)
        await _remove_old_parts(parts)
        await _remove_strays(parts)
    except BlobsAway:
        _logger.warning("the object store is away; what is left of the sweep waits an hour")


async def _sweep(parts: Parts, sweep: Callable[[Transaction], Awaitable[Outcome[operations.Swept]]]) -> None:
    """Batch after batch until there is none."""
    while True:
        swept = await parts.work.run(_SWEEPER, sweep)
        await _remove_unheld(parts, swept.unheld)
        if swept.is_last:
            return


async def _remove_unheld(parts: Parts, digests: Iterable[bytes]) -> None:
    """Remove the blobs of `digests`, each under its lock and only if no row tells of it now."""
    for digest in digests:
        async with database_refusals(), borrow(parts.pool) as connection, connection.transaction():
            await store.LOCK_DIGESTS.run(connection, places=[store.lock_place(digest)])
            if await store.HELD.first(connection, digests=[digest]) is not None:
                continue
            for key in (original_key(digest), *(copy_key(digest, shown.value) for shown in COPIES)):
                await parts.blobs.delete(key)


async def _remove_old_parts(parts: Parts) -> None:
    """Their rows are gone already, or were never written."""
    before = parts.clock() - PARTS_KEPT
    old = [blob.key async for blob in parts.blobs.list("parts") if blob.put_at < before]
    for key in old:
        await parts.blobs.delete(key)


async def _remove_strays(parts: Parts) -> None:
    """Originals put by an upload that ended before its commit: a 256th of the store an hour, all of it in 11 days."""
    now = parts.clock()
    begins = f"{int(now.timestamp()) // _HOUR % _SLICES:02x}"
    found = [
        bytes.fromhex(blob.key.rpartition("/")[2])
        async for blob in parts.blobs.list("originals", begins=begins)
        if blob.put_at < now - PARTS_KEPT
    ]
    for at in range(0, len(found), _SLICES):
        some = found[at : at + _SLICES]
        async with database_refusals(), borrow(parts.pool) as connection:
            held = {row.digest for row in await store.HELD.all(connection, digests=some)}
        await _remove_unheld(parts, [digest for digest in some if digest not in held])
