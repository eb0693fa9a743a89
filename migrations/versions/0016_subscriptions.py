"""Subscriptions of citizens and their digests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NEW = ("subscriber", "subscription", "news_entry", "subscription_digest")
"""The tables of this revision."""


def upgrade() -> None:
    """Make the tables."""
    _make_subscriptions()
    _make_news()
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _make_subscriptions() -> None:
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("address_index", sa.LargeBinary(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        _instant("created_at"),
        sa.CheckConstraint("channel in ('sms', 'email')", name="ck_subscriber_known_channel"),
        sa.PrimaryKeyConstraint("id"),
        comment="订阅人: an address that is written to, sealed; the row goes with its last subscription",
    )
    op.create_index("uq_subscriber_address", "subscriber", ["address_index", "channel"], unique=True)
    op.create_index(
        "ix_subscriber_next_on",
        "subscriber",
        ["next_on", "id"],
        unique=False,
        postgresql_where=sa.text("next_on is not null"),
    )
    op.create_table(
        "subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("topic_key", sa.Text(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("scene_code", sa.Text(), nullable=True),
        sa.Column("region_code", sa.Text(), nullable=True),
        sa.Column("keywords", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("frequency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _instant("created_at"),
        _instant("expires_at", nullable=True),
        _instant("confirmed_at", nullable=True),
        _instant("covered_to", nullable=True),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "topic in ('enterprise', 'site', 'scene', 'region', 'keywords')", name="ck_subscription_known_topic"
        ),
        sa.CheckConstraint("frequency in ('daily', 'weekly')", name="ck_subscription_known_frequency"),
        sa.CheckConstraint("state in ('pending', 'active')", name="ck_subscription_known_state"),
        sa.CheckConstraint("(state = 'pending') = (expires_at is not null)", name="ck_subscription_pending_expires"),
        sa.CheckConstraint(
            "(state = 'active') = (confirmed_at is not null and covered_to is not null and next_on is not null)",
            name="ck_subscription_active_is_scheduled",
        ),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        comment="订阅 (PUB-11): what one address is told about; ended ones are gone at once",
    )
    op.create_index("uq_subscription_topic", "subscription", ["subscriber_id", "topic_key", "state"], unique=True)
    op.create_index(
        "ix_subscription_expires_at",
        "subscription",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )


def _make_news() -> None:
    op.create_table(
        "news_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        _instant("at"),
        sa.Column("keys", sa.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("kind in ('manual', 'checklist', 'result', 'exposure')", name="ck_news_entry_known_kind"),
        sa.PrimaryKeyConstraint("id"),
        comment="What became public, in the transaction that made it so; forgotten after fifteen days",
    )
    op.create_index(
        "ix_news_entry_keys",
        "news_entry",
        ["keys"],
        unique=False,
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 512},
    )
    op.create_index("ix_news_entry_at", "news_entry", ["at"], unique=False)
    op.create_table(
        "subscription_digest",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscriber_id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("news", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("has_more", sa.Boolean(), nullable=False),
        _instant("made_at"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subscriber_id", "on_day", name="uq_subscription_digest_day"),
        sa.UniqueConstraint("number", name="uq_subscription_digest_number"),
        comment="摘要: one a subscriber and day at most; names what was new, shown only while it is public",
    )
    op.create_index("ix_subscription_digest_made_at", "subscription_digest", ["made_at"], unique=False)
