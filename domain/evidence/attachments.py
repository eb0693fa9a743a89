"""附件: files handed in outside of an inspection, for a complaint, a request, a hazard, a material …

They are the same sealed files as evidence, examined, copied and swept alike. An uploader (an account, or a citizen's
pass) hands a file in and has a day to attach it to a folder: the id of what it belongs to. Who may look into a folder
is for the room to say that owns it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from domain.evidence import attachment_store as attachments
from domain.evidence import rules, store
from domain.evidence.attachment_store import AttachmentRow, WaitingStanding
from domain.evidence.events import AttachmentFacts, AttachmentOpened, AttachmentStored, UploadsSwept
from domain.evidence.model import MAX_INSPECTION_BYTES, MediaType, Shown, StoredFile
from domain.evidence.operations import NewFile, PutAgain, Swept, keep_file
from domain.shared.errors import DomainError, NotFound
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

MOST: Final = 9
"""Files of one folder, unless its room says otherwise."""
MAX_FOLDER_BYTES: Final = MAX_INSPECTION_BYTES
"""Of all files of one folder together (D28), and of all that one uploader has handed in and attached nowhere."""
MOST_WAITING: Final = 60
"""Files that one uploader may have handed in and attached nowhere."""
UPLOADS_KEPT: Final = timedelta(hours=24)
_BATCH: Final = 200


class AttachmentMissing(DomainError):
    """A write refers to files that its author has not handed in; `digests` in the facts names them."""


class AttachmentQuotaReached(DomainError):
    """A folder's files would be too many or too large, or too much waits to be attached."""


class AttachmentCard(msgspec.Struct, frozen=True, kw_only=True):
    """附件 as it is listed. `is_quarantined`: kept and sealed, and shown to nobody."""

    digest: str
    media_type: MediaType
    size: int
    is_quarantined: bool


def card_of(file: StoredFile) -> AttachmentCard:
    """What a list tells of a file."""
    return AttachmentCard(
        digest=file.digest.hex(),
        media_type=file.media_type,
        size=file.size,
        is_quarantined=file.quarantine_reason is not None,
    )


async def attach(
    tx: Transaction, *, uploader_id: UUID, folder_id: UUID, digests: Sequence[bytes], field: str, most: int = MOST
) -> None:
    """附件归档: the uploader's files belong to the folder from now on, in this order; what lies there already stays.

    Raises `AttachmentMissing` naming files that the uploader has not handed in, or `AttachmentQuotaReached`.
    """
    wanted = list(dict.fromkeys(digests))
    if not wanted:
        return
    lying = {row.digest for row in await attachments.LYING.all(tx.connection, folder_id=folder_id, digests=wanted)}
    new = [digest for digest in wanted if digest not in lying]
    if not new:
        return
    found = await attachments.MARK_ATTACHED.all(tx.connection, of_uploader=uploader_id, digests=new, now=tx.now)
    missing = sorted(set(new) - {row.digest for row in found})
    if missing:
        raise AttachmentMissing(
            "所引用的附件尚未上传，请先上传。", field=field, digests=[digest.hex() for digest in missing]
        )
    standing = await attachments.FOLDER_STANDING.one(tx.connection, folder_id=folder_id)
    _require_room(standing.files + len(new), standing.size + sum(row.size for row in found), most, field)
    await attachments.INSERT.run_many(
        tx.connection,
        [
            {
                "folder_id": folder_id,
                "digest": digest,
                "uploader_id": uploader_id,
                "place": standing.files + place,
                "attached_at": tx.now,
            }
            for place, digest in enumerate(new)
        ],
    )


async def hold_folder(tx: Transaction, folder_id: UUID) -> None:
    """Whoever else moves files of this folder waits until the end: what is read of it from now on stays true."""
    await attachments.LOCK_FOLDER.run(tx.connection, place=store.lock_place(folder_id.bytes))


async def detach(tx: Transaction, folder_id: UUID, digests: Sequence[bytes]) -> None:
    """附件移除 from a folder that may still change; after a day the files are swept unless they lie elsewhere too."""
    taken = await attachments.TAKE_OUT.all(tx.connection, of_folder=folder_id, digests=list(digests))
    await attachments.SAVE_UPLOAD.run_many(
        tx.connection, [{"uploader_id": row.uploader_id, "digest": row.digest, "now": tx.now} for row in taken]
    )


async def list_attachments(connection: Connection, folder_id: UUID) -> list[AttachmentCard]:
    """The folder's files in the order in which they were attached."""
    return [card_of(row) for row in await attachments.LIST.all(connection, folder_id=folder_id)]


async def lists_of_attachments(
    connection: Connection, folder_ids: Sequence[UUID]
) -> Mapping[UUID, list[AttachmentCard]]:
    """The files of several folders, by folder; of each in the order in which they were attached."""
    found: dict[UUID, list[AttachmentCard]] = {folder_id: [] for folder_id in folder_ids}
    if found:
        for row in await attachments.LISTS.all(connection, folder_ids=list(found)):
            found[row.folder_id].append(card_of(row))
    return found


async def find_attachment(
    connection: Connection, folder_id: UUID, digest: bytes, shown: Shown, *, is_lead: bool
) -> AttachmentRow:
    """The file that a reader of the folder asks for; an original is for leads.

    Raises `NotFound`, `EvidenceQuarantined`, or `Forbidden` for an original.
    """
    row = await attachments.ONE.first(connection, folder_id=folder_id, digest=digest)
    if row is None:
        raise NotFound("没有该附件。")
    rules.require_shown(row, shown, is_lead=is_lead)
    return row


async def open_original(
    _tx: Transaction, row: AttachmentRow, department_id: UUID | None, region: str | None
) -> Outcome[None]:
    """原件调阅 leaves its trace before the first byte is sent."""
    event = AttachmentOpened(subject_id=row.folder_id, department_id=department_id, region=region, after=_facts(row))
    return Outcome(answer=None, events=(event,))


def require_waiting_room(standing: WaitingStanding, size: int) -> None:
    """Raises `AttachmentQuotaReached` when the uploader has too much that is attached nowhere."""
    if not standing.is_own:
        _require_room(standing.files + 1, standing.size + size, MOST_WAITING, None)


async def store_attachment(
    tx: Transaction, uploader_id: UUID, digest: bytes, new: NewFile | None, put_again: PutAgain
) -> Outcome[AttachmentCard]:
    """附件上传, after the blob was put: rows and trace. `new` None: the file was stored before, by its digest.

    As for evidence: `put_again` is called under the digest's lock. Raises `AttachmentQuotaReached`, or `FileSwept`
    where `new` is None.
    """
    await store.LOCK_UPLOAD.run(
        tx.connection, inspection=store.lock_place(uploader_id.bytes), digest=store.lock_place(digest)
    )
    standing = await attachments.WAITING_STANDING.one(tx.connection, uploader_id=uploader_id, digest=digest)
    file = await keep_file(tx, digest, new)
    require_waiting_room(standing, file.size)
    await put_again()
    await attachments.SAVE_UPLOAD.run(tx.connection, uploader_id=uploader_id, digest=digest, now=tx.now)
    event = AttachmentStored(subject_id=uploader_id, after=_facts(file))
    return Outcome(answer=card_of(file), events=() if standing.is_own else (event,))


async def renew_upload(tx: Transaction, uploader_id: UUID, digest: bytes) -> Outcome[AttachmentCard | None]:
    """Handed in once more: from now on there is another day to attach it. None: the sweep was quicker."""
    await store.LOCK_DIGESTS.run(tx.connection, places=[store.lock_place(digest)])
    own = await attachments.OWN_FILE.first(tx.connection, uploader_id=uploader_id, digest=digest)
    if own is None:
        return Outcome(answer=None)
    await attachments.SAVE_UPLOAD.run(tx.connection, uploader_id=uploader_id, digest=digest, now=tx.now)
    return Outcome(answer=card_of(own))


async def sweep_uploads(tx: Transaction) -> Outcome[Swept]:
    """One batch of files that were handed in a day ago. What was attached since lies in its folder and stays.

    The blobs of what is `unheld` are to be removed once this is committed.
    """
    before = tx.now - UPLOADS_KEPT
    found = await attachments.OLD_UPLOADS.all(tx.connection, before=before, limit=_BATCH)
    digests = sorted({row.digest for row in found}, key=store.lock_place)
    unheld: list[bytes] = []
    if digests:
        await store.LOCK_DIGESTS.run(tx.connection, places=[store.lock_place(digest) for digest in digests])
        await attachments.DELETE_OLD_UPLOADS.all(tx.connection, before=before, digests=digests)
        unheld = [row.digest for row in await store.DELETE_UNHELD_FILES.all(tx.connection, digests=digests)]
    swept = Swept(unheld=unheld, is_last=len(found) < _BATCH)
    if not unheld:
        return Outcome(answer=swept)
    return Outcome(answer=swept, events=(UploadsSwept.of(tx.new_id(), unheld),))


def _require_room(files: int, size: int, most: int, field: str | None) -> None:
    if files > most:
        raise AttachmentQuotaReached(f"附件不超过{most}个。", field=field, most=most)
    if size > MAX_FOLDER_BYTES:
        raise AttachmentQuotaReached("附件合计不超过200MB。", field=field, limit=MAX_FOLDER_BYTES)


def _facts(file: StoredFile) -> AttachmentFacts:
    return AttachmentFacts(
        digest=file.digest.hex(),
        media_type=file.media_type,
        size=file.size,
        is_quarantined=file.quarantine_reason is not None,
    )
