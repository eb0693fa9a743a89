"""Passes of citizens, verified phones, limits, and files handed in outside of an inspection."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NEW = ("phone_verification", "write_count", "spent_proof", "attachment_upload", "attachment")


def upgrade() -> None:
    """Make the tables."""
    _make_gate()
    _make_attachments()
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")


def _make_gate() -> None:
    op.create_table(
        "phone_verification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "proven_at is null or code_sealed is null", name=op.f("ck_phone_verification_proven_forgets_the_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_verification")),
        comment="手机验证 of a citizen: number and code sealed; forgotten after a day",
    )
    op.create_index(
        "ix_phone_verification_open",
        "phone_verification",
        ["phone_index"],
        postgresql_where=sa.text("voided_at is null and proven_at is null"),
    )
    op.create_index("ix_phone_verification_requested_at", "phone_verification", ["requested_at"])
    op.create_table(
        "write_count",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("current", sa.Integer(), nullable=False),
        sa.Column("previous", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "scope", "key", name=op.f("pk_write_count")),
        prefixes=["UNLOGGED"],
        comment="How often one address, device or phone wrote of late; keys are blind indexes, a crash may forget it",
    )
    op.create_index("ix_write_count_counted_at", "write_count", ["counted_at"])
    op.create_table(
        "spent_proof",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spent_proof")),
        prefixes=["UNLOGGED"],
        comment="Proofs of work that are used up; after their time they would not be taken anyway",
    )
    op.create_index("ix_spent_proof_expires_at", "spent_proof", ["expires_at"])


def _make_attachments() -> None:
    op.create_table(
        "attachment_upload",
        sa.Column("uploader_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["digest"], ["evidence_file.digest"], name=op.f("fk_attachment_upload_digest")),
        sa.PrimaryKeyConstraint("uploader_id", "digest", name=op.f("pk_attachment_upload")),
        comment="A file handed in outside of an inspection, for a day in which its uploader may attach it",
    )
    op.create_index("ix_attachment_upload_digest", "attachment_upload", ["digest"])
    op.create_index("ix_attachment_upload_received_at", "attachment_upload", ["received_at"])
    op.create_table(
        "attachment",
        sa.Column("folder_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("uploader_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["evidence_file.digest"], name=op.f("fk_attachment_digest")),
        sa.PrimaryKeyConstraint("folder_id", "digest", name=op.f("pk_attachment")),
        comment="附件 of a folder: kept as long as it lies there",
    )
    op.create_index("ix_attachment_digest", "attachment", ["digest"])
