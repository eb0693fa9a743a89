"""Statements on attachments."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.evidence.model import StoredFile
from domain.evidence.tables import attachment, attachment_upload, evidence_file
from domain.shared.sql import Command, Query

LOCK_FOLDER = Command(
    sa.select(
        sa.func.pg_advisory_xact_lock(sa.literal(0x59A10003, sa.Integer), sa.bindparam("place", type_=sa.Integer))
    )
)
"""A folder is no row: whoever puts into it and takes out what others may need waits for the one before."""


class AttachmentRow(StoredFile, frozen=True, kw_only=True):
    """附件 of a folder."""

    folder_id: UUID
    uploader_id: UUID
    place: int
    attached_at: datetime


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How many files there are, and how many bytes they have."""

    files: int
    size: int


class WaitingStanding(Standing, frozen=True, kw_only=True):
    """What an uploader has handed in and attached nowhere; is the file among theirs, is it stored at all."""

    is_own: bool
    is_stored: bool


class AttachedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file by its name and size."""

    digest: bytes
    size: int


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file as somebody handed it in."""

    uploader_id: UUID
    digest: bytes


def _digests(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=sa.ARRAY(sa.LargeBinary))


def _before() -> sa.BindParameter[Any]:
    return sa.bindparam("before", type_=sa.DateTime(timezone=True))


_FILE = frozenset(StoredFile.__struct_fields__)
_SIZE = sa.cast(sa.func.coalesce(sa.func.sum(evidence_file.c.size), 0), sa.BigInteger).label("size")
_FILES = sa.func.count().label("files")
_IN_FOLDER = attachment.join(evidence_file, evidence_file.c.digest == attachment.c.digest)
_UPLOADED = attachment_upload.join(evidence_file, evidence_file.c.digest == attachment_upload.c.digest)
_OF_FOLDER = attachment.c.folder_id == sa.bindparam("folder_id")
_OF_UPLOADER = attachment_upload.c.uploader_id == sa.bindparam("uploader_id")
_OWN = sa.and_(_OF_UPLOADER, attachment_upload.c.digest == sa.bindparam("digest"))

# ---- folders

_ROWS = (
    sa.select(
        *[(evidence_file if name in _FILE else attachment).c[name] for name in AttachmentRow.__struct_fields__],
    )
    .select_from(_IN_FOLDER)
    .where(_OF_FOLDER)
    .order_by(attachment.c.place, attachment.c.digest)
)
LIST = Query(_ROWS, AttachmentRow)
"""Bounded by what a folder may hold."""
ONE = Query(_ROWS.where(attachment.c.digest == sa.bindparam("digest")), AttachmentRow)
LISTS = Query(
    sa.select(
        *[(evidence_file if name in _FILE else attachment).c[name] for name in AttachmentRow.__struct_fields__],
    )
    .select_from(_IN_FOLDER)
    .where(attachment.c.folder_id == sa.any_(sa.bindparam("folder_ids", type_=sa.ARRAY(sa.Uuid))))
    .order_by(attachment.c.folder_id, attachment.c.place, attachment.c.digest),
    AttachmentRow,
)
FOLDER_STANDING = Query(sa.select(_FILES, _SIZE).select_from(_IN_FOLDER).where(_OF_FOLDER), Standing)
LYING = Query(
    sa.select(attachment.c.digest, evidence_file.c.size)
    .select_from(_IN_FOLDER)
    .where(_OF_FOLDER, attachment.c.digest == sa.any_(_digests("digests"))),
    AttachedFile,
)
INSERT = Command(
    upsert(attachment)
    .values({name: sa.bindparam(name) for name in ("folder_id", "digest", "uploader_id", "place", "attached_at")})
    .on_conflict_do_nothing()
)
TAKE_OUT = Query(
    sa.delete(attachment)
    .where(attachment.c.folder_id == sa.bindparam("of_folder"), attachment.c.digest == sa.any_(_digests("digests")))
    .returning(attachment.c.uploader_id, attachment.c.digest),
    Upload,
)

# ---- what was handed in

_waiting = (
    sa.select(_FILES, _SIZE).select_from(_UPLOADED).where(_OF_UPLOADER, attachment_upload.c.attached_at.is_(None))
).subquery("waiting")
WAITING_STANDING = Query(
    sa.select(
        _waiting.c.files,
        _waiting.c.size,
        sa.exists().where(_OWN).label("is_own"),
        sa.exists().where(evidence_file.c.digest == sa.bindparam("digest")).label("is_stored"),
    ),
    WaitingStanding,
)
OWN_FILE = Query(
    sa.select(*[evidence_file.c[name] for name in StoredFile.__struct_fields__]).select_from(_UPLOADED).where(_OWN),
    StoredFile,
)
_save = upsert(attachment_upload).values(
    uploader_id=sa.bindparam("uploader_id"), digest=sa.bindparam("digest"), received_at=sa.bindparam("now")
)
SAVE_UPLOAD = Command(
    _save.on_conflict_do_update(
        index_elements=["uploader_id", "digest"],
        set_={"received_at": _save.excluded.received_at, "attached_at": sa.null()},
    )
)
"""Handed in, now or once more: from now on there is a day to attach it."""
MARK_ATTACHED = Query(
    sa.update(attachment_upload)
    .where(
        attachment_upload.c.uploader_id == sa.bindparam("of_uploader"),
        attachment_upload.c.digest == sa.any_(_digests("digests")),
        evidence_file.c.digest == attachment_upload.c.digest,
    )
    .values(attached_at=sa.func.coalesce(attachment_upload.c.attached_at, sa.bindparam("now")))
    .returning(attachment_upload.c.digest, evidence_file.c.size),
    AttachedFile,
)

# ---- the sweep

OLD_UPLOADS = Query(
    sa.select(attachment_upload.c.uploader_id, attachment_upload.c.digest)
    .where(attachment_upload.c.received_at < _before())
    .order_by(attachment_upload.c.received_at)
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    Upload,
)
DELETE_OLD_UPLOADS = Query(
    sa.delete(attachment_upload)
    .where(attachment_upload.c.received_at < _before(), attachment_upload.c.digest == sa.any_(_digests("digests")))
    .returning(attachment_upload.c.uploader_id, attachment_upload.c.digest),
    Upload,
)
