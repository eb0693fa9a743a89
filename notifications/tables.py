"""The outbox: messages written in the transaction that caused them, each try to send one, and what came back."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

_STATES = "state in ('waiting', 'sending', 'sent', 'delivered', 'failed', 'abandoned')"

_DEAD = "state in ('abandoned', 'failed')"
_OPEN_TO_DO = "is_to_do and closed_at is null"


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


message = sa.Table(
    "message",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("trace_id", sa.Uuid, nullable=False, index=True),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("template_version", sa.SmallInteger, nullable=False, server_default="1"),
    sa.Column("purpose", sa.Text, nullable=False, server_default="service"),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("recipient_id", sa.Uuid, nullable=False),
    sa.Column("parameters", JSONB, nullable=False),
    sa.Column("subject", sa.Text, nullable=True),
    sa.Column("subject_id", sa.Uuid, nullable=True),
    sa.Column("department_id", sa.Uuid, nullable=True),
    sa.Column("region", sa.Text(collation="C"), nullable=True),
    sa.Column("site_id", sa.Uuid, nullable=True),
    sa.Column("level", sa.SmallInteger, nullable=True),
    sa.Column("is_to_do", sa.Boolean, nullable=False, server_default=sa.false()),
    _instant("closed_at"),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    _instant("created_at", nullable=False),
    _instant("not_before"),
    _instant("sent_at"),
    _instant("delivered_at"),
    sa.Column("provider", sa.Text, nullable=True),
    sa.Column("segments", sa.SmallInteger, nullable=True),
    sa.Column("address_masked", sa.Text, nullable=True),
    sa.Column("reason", sa.Text, nullable=True),
    sa.Column("last_error", sa.Text, nullable=True),
    sa.CheckConstraint(_STATES, name="ck_message_known_state"),
    sa.CheckConstraint("level between 1 and 4", name="ck_message_known_level"),
    sa.Index("ix_message_waiting", "created_at", postgresql_where=sa.text("state = 'waiting'")),
    sa.Index("ix_message_abandoned", "id", postgresql_where=sa.text("state in ('abandoned', 'failed')")),
    sa.Index("ix_message_recipient", "recipient_id", "id"),
    sa.Index("ix_message_subject", "subject_id", "id", postgresql_where=sa.text("subject_id is not null")),
    sa.Index("ix_message_department", "department_id", "id", postgresql_where=sa.text("department_id is not null")),
    sa.Index("ix_message_region", "region", "id", postgresql_where=sa.text("region is not null")),
    sa.Index("ix_message_inbox", "recipient_id", "id", postgresql_where=sa.text("channel = 'in_app'")),
    sa.Index("ix_message_to_do", "recipient_id", "id", postgresql_where=sa.text(_OPEN_TO_DO)),
    sa.Index("ix_message_dead_department", "department_id", "id", postgresql_where=sa.text(_DEAD)),
    sa.Index("ix_message_dead_region", "region", "id", postgresql_where=sa.text(_DEAD)),
    comment="One message to one recipient, named by id: the address is opened only when it is sent",
)

message_attempt = sa.Table(
    "message_attempt",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("message_id", sa.Uuid, sa.ForeignKey("message.id"), nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    _instant("started_at", nullable=False),
    _instant("lease_until", nullable=False),
    _instant("ended_at"),
    sa.Column("provider_reference", sa.Text, nullable=True),
    sa.Column("reason", sa.Text, nullable=True),
    sa.Column("error", sa.Text, nullable=True),
    sa.Column("address_index", sa.LargeBinary, nullable=True),
    sa.Column("address_masked", sa.Text, nullable=True),
    sa.Column("text_digest", sa.LargeBinary, nullable=True),
    sa.Column("segments", sa.SmallInteger, nullable=True),
    sa.Column("encoding", sa.Text, nullable=True),
    sa.Column("elapsed_ms", sa.Integer, nullable=True),
    sa.CheckConstraint("state in ('open', 'accepted', 'refused', 'unknown')", name="ck_message_attempt_known_state"),
    sa.UniqueConstraint("message_id", "number", name="uq_message_attempt_number"),
    sa.Index("ix_message_attempt_open", "lease_until", postgresql_where=sa.text("state = 'open'")),
    sa.Index(
        "ix_message_attempt_address",
        "address_index",
        "started_at",
        postgresql_where=sa.text("address_index is not null"),
    ),
    sa.Index(
        "ix_message_attempt_provider_reference",
        "provider",
        "provider_reference",
        postgresql_where=sa.text("provider_reference is not null"),
    ),
    comment="One try to hand a message over; its id is the client reference that the provider gives back",
)

message_receipt = sa.Table(
    "message_receipt",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("attempt_id", sa.Uuid, sa.ForeignKey("message_attempt.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("provider_status", sa.Text, nullable=False),
    _instant("at", nullable=False),
    _instant("received_at", nullable=False),
    sa.CheckConstraint("state in ('taken', 'delivered', 'failed')", name="ck_message_receipt_known_state"),
    sa.UniqueConstraint("attempt_id", "state", name="uq_message_receipt_state"),
    comment="回执: what the provider told later of an attempt; the same told twice is one row",
)

message_read = sa.Table(
    "message_read",
    metadata,
    sa.Column("account_id", sa.Uuid, primary_key=True),
    sa.Column("message_id", sa.Uuid, sa.ForeignKey("message.id"), primary_key=True),
    _instant("read_at", nullable=False),
    comment="已读: which account has read which message in the app",
)

message_mark = sa.Table(
    "message_mark",
    metadata,
    sa.Column("account_id", sa.Uuid, primary_key=True),
    sa.Column("read_to", sa.Uuid, nullable=False),
    _instant("marked_at", nullable=False),
    comment="全部已读: up to which message an account has read everything",
)

address_block = sa.Table(
    "address_block",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("address_index", sa.LargeBinary, nullable=False),
    sa.Column("address_masked", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=True),
    sa.Column("set_by", sa.Uuid, nullable=True),
    _instant("set_at", nullable=False),
    sa.Column("lifted_by", sa.Uuid, nullable=True),
    _instant("lifted_at"),
    sa.CheckConstraint("kind in ('opted_out', 'blacklisted', 'bounced')", name="ck_address_block_known_kind"),
    sa.Index(
        "uq_address_block_standing",
        "address_index",
        "channel",
        "kind",
        unique=True,
        postgresql_where=sa.text("lifted_at is null"),
    ),
    sa.Index("ix_address_block_standing", "id", postgresql_where=sa.text("lifted_at is null")),
    sa.Index("ix_address_block_standing_kind", "kind", "id", postgresql_where=sa.text("lifted_at is null")),
    comment="退订, 黑名单 and addresses that bounce, by blind index",
)

message_provider = sa.Table(
    "message_provider",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _instant("next_slot_at"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    _instant("closed_until"),
    _instant("last_accepted_at"),
    _instant("last_refused_at"),
    sa.Column("last_reason", sa.Text, nullable=True),
    sa.Column("last_elapsed_ms", sa.Integer, nullable=True),
    sa.Column("accepted", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refused", sa.BigInteger, nullable=False, server_default="0"),
    comment="服务商: rate, circuit and health of each provider, shared by all workers",
)
