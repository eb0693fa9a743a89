"""Tables of subscriptions: who is written to, what about, what is new, and each digest that was made."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import instant, metadata

subscriber = sa.Table(
    "subscriber",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("address_sealed", sa.LargeBinary, nullable=False),
    sa.Column("address_index", sa.LargeBinary, nullable=False),
    # On which day a digest may be due at the earliest; nothing where no subscription is confirmed.
    sa.Column("next_on", sa.Date, nullable=True),
    instant("created_at"),
    sa.CheckConstraint("channel in ('sms', 'email')", name="known_channel"),
    sa.Index("uq_subscriber_address", "address_index", "channel", unique=True),
    sa.Index("ix_subscriber_next_on", "next_on", "id", postgresql_where=sa.text("next_on is not null")),
    comment="订阅人: an address that is written to, sealed; the row goes with its last subscription",
)

subscription = sa.Table(
    "subscription",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("subscriber_id", sa.Uuid, sa.ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("topic_key", sa.Text, nullable=False),
    sa.Column("enterprise_id", sa.Uuid, nullable=True),
    sa.Column("site_id", sa.Uuid, nullable=True),
    sa.Column("scene_code", sa.Text, nullable=True),
    sa.Column("region_code", sa.Text, nullable=True),
    sa.Column("keywords", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("frequency", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    instant("created_at"),
    instant("expires_at", nullable=True),
    instant("confirmed_at", nullable=True),
    # All that became public before this instant has been told, or was public before anybody asked.
    instant("covered_to", nullable=True),
    sa.Column("next_on", sa.Date, nullable=True),
    sa.CheckConstraint("topic in ('enterprise', 'site', 'scene', 'region', 'keywords')", name="known_topic"),
    sa.CheckConstraint("frequency in ('daily', 'weekly')", name="known_frequency"),
    sa.CheckConstraint("state in ('pending', 'active')", name="known_state"),
    sa.CheckConstraint("(state = 'pending') = (expires_at is not null)", name="pending_expires"),
    sa.CheckConstraint(
        "(state = 'active') = (confirmed_at is not null and covered_to is not null and next_on is not null)",
        name="active_is_scheduled",
    ),
    sa.Index("uq_subscription_topic", "subscriber_id", "topic_key", "state", unique=True),
    sa.Index("ix_subscription_expires_at", "expires_at", postgresql_where=sa.text("state = 'pending'")),
    comment="订阅 (PUB-11): what one address is told about; ended ones are gone at once",
)

news_entry = sa.Table(
    "news_entry",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("entry_id", sa.Uuid, nullable=False),
    instant("at"),
    # The terms of the search, and enterprise, site and scenes: one index answers every topic.
    sa.Column("keys", sa.ARRAY(sa.Text), nullable=False),
    sa.CheckConstraint("kind in ('manual', 'checklist', 'result', 'exposure')", name="known_kind"),
    sa.Index("ix_news_entry_keys", "keys", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": 512}),
    sa.Index("ix_news_entry_at", "at"),
    comment="What became public, in the transaction that made it so; forgotten after fifteen days",
)

subscription_digest = sa.Table(
    "subscription_digest",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("subscriber_id", sa.Uuid, sa.ForeignKey("subscriber.id", ondelete="CASCADE"), nullable=False),
    sa.Column("on_day", sa.Date, nullable=False),
    sa.Column("number", sa.LargeBinary, nullable=False),
    sa.Column("news", sa.ARRAY(sa.Uuid), nullable=False),
    sa.Column("has_more", sa.Boolean, nullable=False),
    instant("made_at"),
    sa.UniqueConstraint("subscriber_id", "on_day", name="uq_subscription_digest_day"),
    sa.UniqueConstraint("number", name="uq_subscription_digest_number"),
    sa.Index("ix_subscription_digest_made_at", "made_at"),
    comment="摘要: one a subscriber and day at most; names what was new, shown only while it is public",
)
