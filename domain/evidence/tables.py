"""Tables of evidence: files by digest, which inspection each was handed in for, and attachments of other folders."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import instant, metadata

evidence_file = sa.Table(
    "evidence_file",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=True),
    sa.Column("height", sa.Integer, nullable=True),
    sa.Column("copies", sa.Text, nullable=False),
    instant("stored_at"),
    sa.Column("quarantine_reason", sa.Text, nullable=True),
    sa.CheckConstraint("copies in ('waiting', 'ready', 'none', 'failed')", name="known_copies"),
    sa.CheckConstraint("octet_length(digest) = 32", name="sha256"),
    comment="One stored original, sealed in the object store under its SHA-256",
)

evidence = sa.Table(
    "evidence",
    metadata,
    # The inspection belongs to a room above, so no foreign key leads there; the operation has looked it up.
    sa.Column("inspection_id", sa.Uuid, primary_key=True),
    sa.Column("digest", sa.LargeBinary, sa.ForeignKey("evidence_file.digest"), primary_key=True),
    sa.Column("uploaded_by", sa.Uuid, nullable=False),
    # Of the key: what one side handed in is not thereby shown to the other, also when both hold the same file.
    sa.Column("is_of_enterprise", sa.Boolean, primary_key=True),
    instant("done_at"),
    instant("received_at"),
    instant("referenced_at", nullable=True),
    sa.Index("ix_evidence_digest", "digest"),
    sa.Index("ix_evidence_orphans", "received_at", postgresql_where=sa.text("referenced_at is null")),
    comment="A file handed in for an inspection; kept once a record, an order or an answer refers to it",
)

evidence_part = sa.Table(
    "evidence_part",
    metadata,
    sa.Column("inspection_id", sa.Uuid, primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("account_id", sa.Uuid, primary_key=True),
    sa.Column("start", sa.BigInteger, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=False),
    instant("received_at"),
    sa.Index("ix_evidence_part_received_at", "received_at"),
    comment="A range of an upload that is still on its way",
)

attachment_upload = sa.Table(
    "attachment_upload",
    metadata,
    # An account or a citizen's pass; passes are kept nowhere, so no foreign key leads there.
    sa.Column("uploader_id", sa.Uuid, primary_key=True),
    sa.Column("digest", sa.LargeBinary, sa.ForeignKey("evidence_file.digest"), primary_key=True),
    instant("received_at"),
    instant("attached_at", nullable=True),
    sa.Index("ix_attachment_upload_digest", "digest"),
    sa.Index("ix_attachment_upload_received_at", "received_at"),
    comment="A file handed in outside of an inspection, for a day in which its uploader may attach it",
)

attachment = sa.Table(
    "attachment",
    metadata,
    # A complaint, a request, a hazard, a material …: of rooms above, which have looked it up.
    sa.Column("folder_id", sa.Uuid, primary_key=True),
    sa.Column("digest", sa.LargeBinary, sa.ForeignKey("evidence_file.digest"), primary_key=True),
    sa.Column("uploader_id", sa.Uuid, nullable=False),
    sa.Column("place", sa.SmallInteger, nullable=False),
    instant("attached_at"),
    sa.Index("ix_attachment_digest", "digest"),
    comment="附件 of a folder: kept as long as it lies there",
)
