"""Short signed links to papers, and their openings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and let the messages of orders that went before say what they are about."""
    _make_links()
    _make_openings()
    for table in ("notice_link", "notice_opening"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")
    op.execute(
        "UPDATE message SET subject = 'rectification_order', subject_id = o.id FROM rectification_order o "
        "WHERE message.subject_id IS NULL AND message.recipient = 'enterprise' "
        "AND message.parameters ->> 'document_id' = o.document_id::text"
    )


def _make_links() -> None:
    op.create_table(
        "notice_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("serves", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("means in ('sms', 'email')", name=op.f("ck_notice_link_known_means")),
        sa.CheckConstraint("octet_length(number) = 5", name=op.f("ck_notice_link_number_is_short")),
        sa.CheckConstraint(
            "(revoked_at is null) = (revoke_reason is null)", name=op.f("ck_notice_link_revocation_has_reason")
        ),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name=op.f("fk_notice_link_document_id")),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_notice_link_enterprise_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_link")),
        sa.UniqueConstraint("message_id", name=op.f("uq_notice_link_message_id")),
        sa.UniqueConstraint("number", name=op.f("uq_notice_link_number")),
        comment="短链接 to one paper in one message; the token is not kept, only the number that it proves",
    )
    op.create_index(op.f("ix_notice_link_document_id"), "notice_link", ["document_id"], unique=False)


def _make_openings() -> None:
    op.create_table(
        "notice_opening",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["link_id"], ["notice_link.id"], name=op.f("fk_notice_opening_link_id")),
        sa.PrimaryKeyConstraint("link_id", "opened_on", "place", name=op.f("pk_notice_opening")),
        comment="打开记录: evidence that somebody had the paper before them; address and device as keyed digests",
    )
