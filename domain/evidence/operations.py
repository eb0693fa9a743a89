"""Keep a file for an inspection, refer to it, look at its original, sweep what nobody refers to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from domain.evidence import rules, store
from domain.evidence.events import (
    EvidenceFacts,
    EvidenceOriginalOpened,
    EvidenceStored,
    OpenedFacts,
    OrphansSwept,
    SweptFacts,
)
from domain.evidence.model import (
    ORPHANS_KEPT,
    PARTS_KEPT,
    CopiesState,
    EvidenceCard,
    FileFacts,
    HandedIn,
    Shown,
    StoredFile,
    Upload,
)
from domain.shared.errors import NotFound
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

_BATCH = 200
PutAgain = Callable[[], Awaitable[None]]
"""Puts the blob of an upload into the store if it is no longer there."""
Storing = Callable[[Transaction], Awaitable[Outcome[EvidenceCard]]]
"""`store_evidence` with all but its transaction."""


class FileSwept(Exception):
    """The file was stored when the upload began, and is no more: it must be stored anew."""


class NewFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was not stored before: its size, what examining found, and what the scanner said."""

    size: int
    facts: FileFacts
    quarantine_reason: str | None = None


def card_of(inspection_id: UUID, row: HandedIn) -> EvidenceCard:
    """What the uploader is told."""
    return EvidenceCard(
        digest=row.digest.hex(),
        inspection_id=inspection_id,
        media_type=row.media_type,
        size=row.size,
        width=row.width,
        height=row.height,
        is_quarantined=row.quarantine_reason is not None,
        done_at=row.done_at,
        received_at=row.received_at,
    )


async def find_own(connection: Connection, upload: Upload) -> HandedIn | None:
    """The file as this side of the inspection has handed it in already."""
    rows = await store.HANDED_IN.all(connection, inspection_id=upload.inspection_id, digest=upload.digest)
    return next((row for row in rows if row.is_of_enterprise == upload.is_of_enterprise), None)


async def store_evidence(
    tx: Transaction,
    upload: Upload,
    new: NewFile | None,
    put_again: PutAgain,
    *,
    done_at: datetime | None = None,
    came_in_parts: bool = False,
) -> Outcome[EvidenceCard]:
    """证据材料上传, after the blob was put: rows and trace. `new` None: the file was stored before, by its digest.

    `put_again` puts the blob back should the sweep have taken it meanwhile; it is called under the digest's lock,
    which the sweep holds while it removes. Raises `EvidenceQuotaReached`, or `FileSwept` where `new` is None.
    """
    await store.LOCK_UPLOAD.run(
        tx.connection,
        inspection=store.lock_place(upload.inspection_id.bytes),
        digest=store.lock_place(upload.digest),
    )
    if came_in_parts:
        await store.DELETE_PARTS.run(
            tx.connection, inspection_id=upload.inspection_id, digest=upload.digest, account_id=upload.account_id
        )
    known = await find_own(tx.connection, upload)
    if known is not None:
        return Outcome(answer=card_of(upload.inspection_id, known))
    file = await keep_file(tx, upload.digest, new)
    standing = await store.UPLOAD_STANDING.one(tx.connection, inspection_id=upload.inspection_id, digest=upload.digest)
    rules.require_room(standing.used, file.size)
    await put_again()
    row = HandedIn(
        **msgspec.structs.asdict(file),
        uploaded_by=upload.account_id,
        is_of_enterprise=upload.is_of_enterprise,
        done_at=tx.now if done_at is None else min(done_at, tx.now).astimezone(UTC),
        received_at=tx.now,
    )
    await store.INSERT_EVIDENCE.run(tx.connection, inspection_id=upload.inspection_id, **msgspec.structs.asdict(row))
    return Outcome(answer=card_of(upload.inspection_id, row), events=(_stored(upload, row),))


async def keep_file(tx: Transaction, digest: bytes, new: NewFile | None) -> StoredFile:
    """The file's row, made when it is not there. Raises `FileSwept` where `new` is None and it is not there."""
    if new is not None:
        file = StoredFile(
            digest=digest,
            media_type=new.facts.media_type,
            size=new.size,
            width=new.facts.width,
            height=new.facts.height,
            copies=CopiesState.WAITING if new.facts.media_type.is_picture else CopiesState.NONE,
            quarantine_reason=new.quarantine_reason,
        )
        inserted = await store.INSERT_FILE.run(tx.connection, **msgspec.structs.asdict(file), stored_at=tx.now)
        if inserted:
            return file
    known = await store.FILE.first(tx.connection, digest=digest)
    if known is None:
        raise FileSwept(digest.hex())
    return known


def _stored(upload: Upload, row: HandedIn) -> EvidenceStored:
    return EvidenceStored(
        subject_id=upload.inspection_id,
        department_id=upload.department_id,
        region=upload.region,
        site_id=upload.site_id,
        after=EvidenceFacts(
            inspection_id=upload.inspection_id,
            digest=row.digest.hex(),
            media_type=row.media_type,
            size=row.size,
            is_of_enterprise=row.is_of_enterprise,
            is_quarantined=row.quarantine_reason is not None,
        ),
    )


async def find_shown(
    connection: Connection,
    inspection_id: UUID,
    digest: bytes,
    shown: Shown,
    *,
    is_enterprise: bool,
    is_lead: bool,
    cited: Collection[bytes] = (),
) -> HandedIn:
    """The file that a reader of the inspection asks for; an enterprise sees its own and what is `cited` to it.

    Raises `NotFound`, `EvidenceQuarantined`, or `Forbidden` for an original.
    """
    rows: Sequence[HandedIn] = await store.HANDED_IN.all(connection, inspection_id=inspection_id, digest=digest)
    if is_enterprise:
        rows = rules.visible_to_enterprise(rows, cited)
    if not rows:
        raise NotFound("没有该证据材料。")
    rules.require_shown(rows[0], shown, is_lead=is_lead)
    return rows[0]


async def open_original(_tx: Transaction, upload: Upload) -> Outcome[None]:
    """原件调阅 leaves its trace before the first byte is sent."""
    event = EvidenceOriginalOpened(
        subject_id=upload.inspection_id,
        department_id=upload.department_id,
        region=upload.region,
        site_id=upload.site_id,
        after=OpenedFacts(inspection_id=upload.inspection_id, digest=upload.digest.hex()),
    )
    return Outcome(answer=None, events=(event,))


async def require_evidence(
    tx: Transaction,
    inspection_id: UUID,
    digests: Sequence[bytes],
    *,
    field: str | None = None,
    by_enterprise: bool = False,
) -> None:
    """Refer to files handed in for the inspection; from now on the sweep leaves them alone.

    With `by_enterprise` only what the enterprise itself handed in counts. Raises `EvidenceMissing` naming those that
    were not handed in.
    """
    if not digests:
        return
    found = await store.MARK_REFERENCED.all(
        tx.connection,
        of_inspection=inspection_id,
        digests=list(digests),
        by_enterprise=by_enterprise,
        now=tx.now,
    )
    missing = sorted(set(digests) - {row.digest for row in found})
    if missing:
        raise rules.EvidenceMissing(
            "所引用的证据材料尚未上传，请先上传。", field=field, digests=[digest.hex() for digest in missing]
        )


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch leaves to do: blobs that no inspection holds any more, and perhaps another batch."""

    unheld: list[bytes]
    is_last: bool


async def sweep_orphans(tx: Transaction) -> Outcome[Swept]:
    """One batch of files to which nothing referred for 30 days, and the parts of uploads given up 3 days ago.

    The blobs of what is `unheld` are to be removed once this is committed.
    """
    parts = await store.DELETE_OLD_PARTS.run(tx.connection, before=tx.now - PARTS_KEPT)
    before = tx.now - ORPHANS_KEPT
    found = await store.ORPHANS.all(tx.connection, before=before, limit=_BATCH)
    digests = sorted({orphan.digest for orphan in found}, key=store.lock_place)
    unheld: list[bytes] = []
    gone: list[store.Orphan] = []
    if digests:
        await store.LOCK_DIGESTS.run(tx.connection, places=[store.lock_place(digest) for digest in digests])
        gone = await store.DELETE_ORPHANS.all(tx.connection, before=before, digests=digests)
        unheld = [row.digest for row in await store.DELETE_UNHELD_FILES.all(tx.connection, digests=digests)]
    swept = Swept(unheld=unheld, is_last=len(found) < _BATCH)
    if not gone and not parts:
        return Outcome(answer=swept)
    event = OrphansSwept(
        subject_id=tx.new_id(),
        after=SweptFacts(orphans=[f"{each.inspection_id}/{each.digest.hex()}" for each in gone], parts=parts),
    )
    return Outcome(answer=swept, events=(event,))
