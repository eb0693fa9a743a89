"""Tables of publications and replies."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import instant, metadata

publication = sa.Table(
    "publication",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspection.id"), nullable=False, unique=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    instant("due_at"),
    instant("latest_at"),
    sa.Column("ends_on", sa.Date, nullable=False),
    instant("published_at", nullable=True),
    instant("withheld_at", nullable=True),
    sa.Column("withheld_reason", sa.Text, nullable=True),
    sa.Column("withheld_note", sa.Text, nullable=True),
    sa.Column("is_contested", sa.Boolean, nullable=False),
    instant("withdrawn_at", nullable=True),
    sa.Column("withdrawn_reason", sa.Text, nullable=True),
    sa.CheckConstraint("state in ('pending', 'published', 'withheld', 'withdrawn')", name="known_state"),
    sa.CheckConstraint("state <> 'published' or published_at is not null", name="published_is_dated"),
    sa.CheckConstraint("state <> 'withheld' or withheld_reason is not null", name="withheld_has_reason"),
    sa.CheckConstraint("state <> 'withdrawn' or withdrawn_reason is not null", name="withdrawn_has_reason"),
    sa.CheckConstraint("not is_contested or state = 'published'", name="contested_is_published"),
    sa.Index("ix_publication_due", "due_at", postgresql_where=sa.text("state = 'pending'")),
    sa.Index(
        "ix_publication_objection",
        "latest_at",
        postgresql_where=sa.text("state = 'withheld' and withheld_reason = 'objection'"),
    ),
    sa.Index("ix_publication_state_due", "state", "due_at", "id"),
    sa.Index(
        "ix_publication_site_id",
        "site_id",
        "published_at",
        postgresql_where=sa.text("state in ('published', 'withdrawn')"),
    ),
    sa.Index("ix_publication_enterprise_id", "enterprise_id"),
    sa.Index(
        "ix_publication_published",
        "published_at",
        "id",
        postgresql_where=sa.text("state in ('published', 'withdrawn')"),
    ),
    comment="公示 of one finished inspection (POST-06, D10): after its embargo, until its end",
)

public_reply = sa.Table(
    "public_reply",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("publication_id", sa.Uuid, sa.ForeignKey("publication.id"), nullable=False, index=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("submitted_by", sa.Uuid, nullable=False),
    instant("submitted_at"),
    instant("withdrawn_at", nullable=True),
    sa.Column("withdrawn_reason", sa.Text, nullable=True),
    sa.Index(
        "uq_public_reply_in_force", "publication_id", unique=True, postgresql_where=sa.text("withdrawn_at is null")
    ),
    comment="企业回应: the enterprise's own words beside its published result",
)
