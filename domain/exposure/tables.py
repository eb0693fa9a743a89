"""Table of exposures."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata

exposure = sa.Table(
    "exposure",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("region", Ltree, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("publication_id", sa.Uuid, sa.ForeignKey("publication.id"), nullable=True),
    sa.Column("ends_on", sa.Date, nullable=False),
    sa.Column("authors", sa.ARRAY(sa.Uuid), nullable=False),
    instant("created_at"),
    instant("published_at", nullable=True),
    sa.Column("published_by", sa.Uuid, nullable=True),
    instant("withdrawn_at", nullable=True),
    sa.Column("withdrawn_reason", sa.Text, nullable=True),
    sa.CheckConstraint("state in ('draft', 'published', 'withdrawn')", name="known_state"),
    sa.CheckConstraint("state <> 'published' or published_at is not null", name="published_is_dated"),
    sa.CheckConstraint("published_by <> all (authors)", name="published_by_another"),
    sa.CheckConstraint("(state = 'withdrawn') = (withdrawn_at is not null)", name="withdrawal_is_dated"),
    sa.CheckConstraint("(withdrawn_at is null) = (withdrawn_reason is null)", name="withdrawal_has_reason"),
    sa.Index("ix_exposure_department", "department_id", "state", "id"),
    sa.Index("ix_exposure_published", "published_at", "id", postgresql_where=sa.text("state = 'published'")),
    sa.Index("ix_exposure_publication_id", "publication_id", postgresql_where=sa.text("publication_id is not null")),
    comment="曝光 (PUB-09, COG-07): drafted by one, published by another person of the department",
)
