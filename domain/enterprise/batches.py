"""导入批次 How far an import of one file has come: the statements on `import_batch`.

A file is known by the digest of its bytes and by what it holds (`kind`). The row is advanced in the very transaction
that saves the batch, so that it never tells more or less than what is stored.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.enterprise.tables import import_batch
from domain.shared.errors import Conflict
from domain.shared.sql import Command, Query
from domain.shared.transaction import Transaction


class ImportMovedOn(Conflict):
    """Another process imports this very file at this moment."""


class ImportBatch(msgspec.Struct, frozen=True, kw_only=True):
    """导入批次 of one file: `rows_done` rows are judged and, where good, stored; `rows_bad` of them were not good."""

    id: UUID
    kind: str
    file_name: str
    file_digest: bytes
    rows_done: int
    rows_bad: int
    started_at: datetime
    finished_at: datetime | None


_COLUMNS = [import_batch.c[name] for name in ImportBatch.__struct_fields__]

_BEGIN = Command(
    upsert(import_batch)
    .values({name: sa.bindparam(name) for name in ImportBatch.__struct_fields__})
    .on_conflict_do_nothing(index_elements=["kind", "file_digest"])
)
_FIND = Query(
    sa.select(*_COLUMNS)
    .where(import_batch.c.kind == sa.bindparam("kind"), import_batch.c.file_digest == sa.bindparam("file_digest"))
    .with_for_update(),
    ImportBatch,
)
_START_OVER = Command(
    sa.update(import_batch)
    .where(import_batch.c.id == sa.bindparam("batch_id"))
    .values(rows_done=0, rows_bad=0, started_at=sa.bindparam("now"), finished_at=None)
)
_ADVANCE = Command(
    sa.update(import_batch)
    .where(import_batch.c.id == sa.bindparam("batch_id"), import_batch.c.rows_done == sa.bindparam("rows_before"))
    .values(rows_done=sa.bindparam("rows_after"), rows_bad=sa.bindparam("bad_after"))
)
_FINISH = Command(
    sa.update(import_batch).where(import_batch.c.id == sa.bindparam("batch_id")).values(finished_at=sa.bindparam("now"))
)


async def begin_import(tx: Transaction, kind: str, file_name: str, file_digest: bytes, *, again: bool) -> ImportBatch:
    """The batch of this file as it stands: new, begun, or finished; with `again` it starts over."""
    fresh = ImportBatch(
        id=tx.new_id(),
        kind=kind,
        file_name=file_name,
        file_digest=file_digest,
        rows_done=0,
        rows_bad=0,
        started_at=tx.now,
        finished_at=None,
    )
    await _BEGIN.run(tx.connection, **msgspec.structs.asdict(fresh))
    batch = await _FIND.one(tx.connection, kind=kind, file_digest=file_digest)
    if not again:
        return batch
    await _START_OVER.run(tx.connection, batch_id=batch.id, now=tx.now)
    return msgspec.structs.replace(batch, rows_done=0, rows_bad=0, started_at=tx.now, finished_at=None)


async def advance_import(tx: Transaction, batch: ImportBatch, *, rows: int, bad: int) -> ImportBatch:
    """The batch after `rows` more, `bad` of them bad. Raises `ImportMovedOn` when it is not where `batch` says."""
    after = msgspec.structs.replace(batch, rows_done=batch.rows_done + rows, rows_bad=batch.rows_bad + bad)
    touched = await _ADVANCE.run(
        tx.connection,
        batch_id=batch.id,
        rows_before=batch.rows_done,
        rows_after=after.rows_done,
        bad_after=after.rows_bad,
    )
    if not touched:
        raise ImportMovedOn("另一进程正在导入同一文件。")
    return after


async def finish_import(tx: Transaction, batch: ImportBatch) -> ImportBatch:
    """The batch whose file has been read to its end."""
    await _FINISH.run(tx.connection, batch_id=batch.id, now=tx.now)
    return msgspec.structs.replace(batch, finished_at=tx.now)
