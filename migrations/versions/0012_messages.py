"""Messages that are followed: tries, receipts, read marks, blocked addresses, and the health of providers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NEW = ("address_block", "message_provider", "message_attempt", "message_read", "message_receipt")
_STATES = "state in ('waiting', 'sending', 'sent', 'delivered', 'failed', 'abandoned')"


def upgrade() -> None:
    """Widen the outbox, and make the tables around it."""
    _widen_message()
    _make_tables()
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")


def _make_tables() -> None:
    op.create_table(
        "address_block",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address_index", sa.LargeBinary(), nullable=False),
        sa.Column("address_masked", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('opted_out', 'blacklisted', 'bounced')", name="ck_address_block_known_kind"),
        sa.PrimaryKeyConstraint("id"),
        comment="退订, 黑名单 and addresses that bounce, by blind index",
    )
    op.create_index(
        "uq_address_block_standing",
        "address_block",
        ["address_index", "channel", "kind"],
        unique=True,
        postgresql_where=sa.text("lifted_at is null"),
    )
    op.create_table(
        "message_provider",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_slot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("closed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_reason", sa.Text(), nullable=True),
        sa.Column("last_elapsed_ms", sa.Integer(), nullable=True),
        sa.Column("accepted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name"),
        comment="服务商: rate, circuit and health of each provider, shared by all workers",
    )
    op.create_table(
        "message_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("address_index", sa.LargeBinary(), nullable=True),
        sa.Column("address_masked", sa.Text(), nullable=True),
        sa.Column("text_digest", sa.LargeBinary(), nullable=True),
        sa.Column("segments", sa.SmallInteger(), nullable=True),
        sa.Column("encoding", sa.Text(), nullable=True),
        sa.Column("elapsed_ms", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state in ('open', 'accepted', 'refused', 'unknown')", name="ck_message_attempt_known_state"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id", "number", name="uq_message_attempt_number"),
        comment="One try to hand a message over; its id is the client reference that the provider gives back",
    )
    op.create_index(
        "ix_message_attempt_address",
        "message_attempt",
        ["address_index", "started_at"],
        unique=False,
        postgresql_where=sa.text("address_index is not null"),
    )
    op.create_index(
        "ix_message_attempt_open",
        "message_attempt",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_message_attempt_provider_reference",
        "message_attempt",
        ["provider", "provider_reference"],
        unique=False,
        postgresql_where=sa.text("provider_reference is not null"),
    )
    op.create_table(
        "message_read",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
        ),
        sa.PrimaryKeyConstraint("account_id", "message_id"),
        comment="已读: which account has read which message in the app",
    )
    op.create_table(
        "message_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("provider_status", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('taken', 'delivered', 'failed')", name="ck_message_receipt_known_state"),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["message_attempt.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("attempt_id", "state", name="uq_message_receipt_state"),
        comment="回执: what the provider told later of an attempt; the same told twice is one row",
    )


def _widen_message() -> None:
    op.add_column("message", sa.Column("template_version", sa.SmallInteger(), server_default="1", nullable=False))
    op.add_column("message", sa.Column("purpose", sa.Text(), server_default="service", nullable=False))
    op.add_column("message", sa.Column("subject", sa.Text(), nullable=True))
    op.add_column("message", sa.Column("subject_id", sa.Uuid(), nullable=True))
    op.add_column("message", sa.Column("department_id", sa.Uuid(), nullable=True))
    op.add_column("message", sa.Column("region", sa.Text(collation="C"), nullable=True))
    op.add_column("message", sa.Column("level", sa.SmallInteger(), nullable=True))
    op.add_column("message", sa.Column("is_to_do", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("message", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("message", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.add_column("message", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("message", sa.Column("provider", sa.Text(), nullable=True))
    op.add_column("message", sa.Column("segments", sa.SmallInteger(), nullable=True))
    op.add_column("message", sa.Column("address_masked", sa.Text(), nullable=True))
    op.add_column("message", sa.Column("reason", sa.Text(), nullable=True))
    op.create_index(
        "ix_message_abandoned",
        "message",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state in ('abandoned', 'failed')"),
    )
    op.create_index(
        "ix_message_department",
        "message",
        ["department_id", "id"],
        unique=False,
        postgresql_where=sa.text("department_id is not null"),
    )
    op.create_index("ix_message_recipient", "message", ["recipient_id", "id"], unique=False)
    op.create_index(
        "ix_message_region", "message", ["region", "id"], unique=False, postgresql_where=sa.text("region is not null")
    )
    op.create_index(
        "ix_message_subject",
        "message",
        ["subject_id", "id"],
        unique=False,
        postgresql_where=sa.text("subject_id is not null"),
    )
    op.drop_constraint("ck_message_known_state", "message")
    op.create_check_constraint("ck_message_known_state", "message", sa.text(_STATES))
    op.create_check_constraint("ck_message_known_level", "message", "level between 1 and 4")
