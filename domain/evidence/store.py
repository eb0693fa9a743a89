"""Statements on evidence."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.evidence.model import HandedIn, Part, StoredFile, UploadStanding
from domain.evidence.tables import attachment, attachment_upload, evidence, evidence_file, evidence_part
from domain.shared.sql import Command, Query

_INSPECTIONS, _DIGESTS = sa.literal(0x59A10001, sa.Integer), sa.literal(0x59A10002, sa.Integer)
"""The two kinds of advisory locks; an upload takes one of each, the inspection's first."""


def _digests(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=sa.ARRAY(sa.LargeBinary))


_OF_UPLOAD = (
    evidence.c.inspection_id == sa.bindparam("inspection_id"),
    evidence.c.digest == sa.bindparam("digest"),
)
_WITH_FILE = evidence.join(evidence_file, evidence_file.c.digest == evidence.c.digest)
_OF_FILE = frozenset(StoredFile.__struct_fields__)

HANDED_IN = Query(
    sa.select(
        *[(evidence_file if name in _OF_FILE else evidence).c[name] for name in HandedIn.__struct_fields__],
    )
    .select_from(_WITH_FILE)
    .where(*_OF_UPLOAD)
    .order_by(evidence.c.is_of_enterprise),
    HandedIn,
)
"""One file as handed in for one inspection: by officers, by the enterprise, or by both."""

FILE = Query(
    sa.select(*[evidence_file.c[name] for name in StoredFile.__struct_fields__]).where(
        evidence_file.c.digest == sa.bindparam("digest")
    ),
    StoredFile,
)

_used = (
    sa.select(sa.func.coalesce(sa.func.sum(evidence_file.c.size), 0))
    .select_from(_WITH_FILE)
    .where(evidence.c.inspection_id == sa.bindparam("inspection_id"))
    .scalar_subquery()
)
_under_way = (
    sa.select(sa.func.coalesce(sa.func.sum(evidence_part.c.size), 0))
    .where(
        evidence_part.c.inspection_id == sa.bindparam("inspection_id"),
        evidence_part.c.digest != sa.bindparam("digest"),
    )
    .scalar_subquery()
)
UPLOAD_STANDING = Query(
    sa.select(
        sa.exists().where(evidence_file.c.digest == sa.bindparam("digest")).label("is_stored"),
        sa.cast(_used + _under_way, sa.BigInteger).label("used"),
    ),
    UploadStanding,
)

LOCK_UPLOAD = Command(
    sa.select(
        sa.func.pg_advisory_xact_lock(_INSPECTIONS, sa.bindparam("inspection", type_=sa.Integer)),
        sa.func.pg_advisory_xact_lock(_DIGESTS, sa.bindparam("digest", type_=sa.Integer)),
    )
)
_place = sa.func.unnest(sa.bindparam("places", type_=sa.ARRAY(sa.Integer))).column_valued("place")
LOCK_DIGESTS = Command(sa.select(sa.func.pg_advisory_xact_lock(_DIGESTS, _place)))
"""In the order of `places`, which is sorted, so that two sweeps do not wait for each other."""


def lock_place(name: bytes) -> int:
    """The advisory lock of a digest or an id: its last four bytes, signed. Two that share it only wait."""
    return int.from_bytes(name[-4:], "big", signed=True)


INSERT_FILE = Command(
    upsert(evidence_file)
    .values({name: sa.bindparam(name) for name in (*StoredFile.__struct_fields__, "stored_at")})
    .on_conflict_do_nothing()
)
INSERT_EVIDENCE = Command(
    upsert(evidence)
    .values(
        {
            name: sa.bindparam(name)
            for name in ("inspection_id", "digest", "uploaded_by", "is_of_enterprise", "done_at", "received_at")
        }
    )
    .on_conflict_do_nothing()
)
SET_COPIES = Command(
    sa.update(evidence_file)
    .where(evidence_file.c.digest == sa.bindparam("of_digest"))
    .values(copies=sa.bindparam("state_after"))
)

_PART_KEY = ("inspection_id", "digest", "account_id", "start")
_insert_part = upsert(evidence_part).values(
    {name: sa.bindparam(name) for name in (*_PART_KEY, "size", "total", "received_at")}
)
SAVE_PART = Command(
    _insert_part.on_conflict_do_update(
        index_elements=list(_PART_KEY),
        set_={name: _insert_part.excluded[name] for name in ("size", "total", "received_at")},
    )
)
_OF_PARTS = (
    evidence_part.c.inspection_id == sa.bindparam("inspection_id"),
    evidence_part.c.digest == sa.bindparam("digest"),
    evidence_part.c.account_id == sa.bindparam("account_id"),
)
PARTS = Query(
    sa.select(evidence_part.c.start, evidence_part.c.size, evidence_part.c.total)
    .where(*_OF_PARTS)
    .order_by(evidence_part.c.received_at.desc(), evidence_part.c.start),
    Part,
)
"""The parts of one upload, the latest first: its total is the one in force."""
DELETE_PARTS = Command(sa.delete(evidence_part).where(*_OF_PARTS))
DELETE_PART = Command(sa.delete(evidence_part).where(*_OF_PARTS, evidence_part.c.start == sa.bindparam("start")))


class Referenced(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is referred to from now on."""

    digest: bytes


MARK_REFERENCED = Query(
    sa.update(evidence)
    .where(
        evidence.c.inspection_id == sa.bindparam("of_inspection"),
        evidence.c.digest == sa.any_(_digests("digests")),
        sa.or_(evidence.c.is_of_enterprise, sa.not_(sa.bindparam("by_enterprise", type_=sa.Boolean))),
    )
    .values(referenced_at=sa.func.coalesce(evidence.c.referenced_at, sa.bindparam("now")))
    .returning(evidence.c.digest),
    Referenced,
)


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """A file handed in for an inspection, to which nothing refers."""

    inspection_id: UUID
    digest: bytes


_IS_ORPHAN = (
    evidence.c.referenced_at.is_(None),
    evidence.c.received_at < sa.bindparam("before", type_=sa.DateTime(timezone=True)),
)
ORPHANS = Query(
    sa.select(evidence.c.inspection_id, evidence.c.digest)
    .where(*_IS_ORPHAN)
    .order_by(evidence.c.received_at)
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    Orphan,
)
DELETE_ORPHANS = Query(
    sa.delete(evidence)
    .where(*_IS_ORPHAN, evidence.c.digest == sa.any_(_digests("digests")))
    .returning(evidence.c.inspection_id, evidence.c.digest),
    Orphan,
)
DELETE_UNHELD_FILES = Query(
    sa.delete(evidence_file)
    .where(
        evidence_file.c.digest == sa.any_(_digests("digests")),
        *[
            sa.not_(sa.exists().where(holder.c.digest == evidence_file.c.digest))
            for holder in (evidence, attachment, attachment_upload)
        ],
    )
    .returning(evidence_file.c.digest),
    Referenced,
)
HELD = Query(
    sa.select(evidence_file.c.digest).where(evidence_file.c.digest == sa.any_(_digests("digests"))), Referenced
)
"""Which of these digests are stored."""
DELETE_OLD_PARTS = Command(
    sa.delete(evidence_part).where(
        evidence_part.c.received_at < sa.bindparam("before", type_=sa.DateTime(timezone=True))
    )
)
