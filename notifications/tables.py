"""The outbox: messages written in the transaction that caused them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

message = sa.Table(
    "message",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("trace_id", sa.Uuid, nullable=False, index=True),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("recipient_id", sa.Uuid, nullable=False),
    sa.Column("parameters", JSONB, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("last_error", sa.Text, nullable=True),
    sa.CheckConstraint("state in ('waiting', 'delivered', 'abandoned')", name="ck_message_known_state"),
    sa.Index("ix_message_waiting", "created_at", postgresql_where=sa.text("state = 'waiting'")),
    comment="One message to one recipient, named by id: the address is opened only when it is sent",
)
