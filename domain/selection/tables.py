"""Table of draws."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from domain.shared.tables import instant, metadata

draw = sa.Table(
    "draw",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Uuid, nullable=False),
    # json, not jsonb: the digest covers the very text that is handed out.
    sa.Column("record", JSON, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    instant("drawn_at"),
    instant("voided_at", nullable=True),
    sa.Column("void_reason", sa.Text, nullable=True),
    sa.CheckConstraint("purpose in ('objects', 'officers', 'items')", name="known_purpose"),
    sa.CheckConstraint("(voided_at is null) = (void_reason is null)", name="void_has_reason"),
    sa.Index("ix_draw_subject_id", "subject_id"),
    comment="随机抽取 with all that re-runs it; a voided one stays",
)
