"""Tables of manuals, their versions, elements and view counters (E10)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from domain.shared.tables import instant, metadata

manual = sa.Table(
    "manual",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("business_type", sa.Text, nullable=False),
    sa.Column("object_scope", sa.Text, nullable=True),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("current_version_id", sa.Uuid, nullable=True),
    instant("created_at"),
    instant("updated_at"),
    sa.CheckConstraint("state in ('draft', 'published', 'disabled')", name="known_state"),
    sa.CheckConstraint("(state = 'draft') = (current_version_id is null)", name="published_has_version"),
    sa.Index("uq_manual_of_business", "business_type", "department_id", unique=True),
    sa.Index("ix_manual_place", "place", "id"),
    sa.Index("ix_manual_published", "place", "id", postgresql_where=sa.text("state = 'published'")),
    comment="经营手册 (MAN-01): one per 业态 and making department (一业一册), several versions",
)

manual_version = sa.Table(
    "manual_version",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("manual_id", sa.Uuid, sa.ForeignKey("manual.id"), nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=True),
    sa.Column("file_digest", sa.LargeBinary, nullable=True),
    instant("created_at"),
    sa.Column("created_by", sa.Text, nullable=False),
    instant("published_at", nullable=True),
    sa.Column("published_by", sa.Text, nullable=True),
    sa.CheckConstraint("(published_at is null) = (digest is null)", name="published_has_digest"),
    sa.Index("uq_manual_version_number", "manual_id", "number", unique=True),
    sa.Index("uq_manual_version_draft", "manual_id", unique=True, postgresql_where=sa.text("published_at is null")),
    comment="A version of a manual: a draft until it is published, unchangeable afterwards (D11); perhaps with a file",
)

manual_element = sa.Table(
    "manual_element",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version_id", sa.Uuid, sa.ForeignKey("manual_version.id"), nullable=False),
    sa.Column("place", sa.SmallInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("hint", sa.Text, nullable=True),
    sa.Column("legal_basis", JSONB, nullable=False),
    sa.Column("item_codes", sa.ARRAY(sa.Text), nullable=False),
    sa.CheckConstraint("kind in ('chapter', 'section', 'requirement')", name="known_kind"),
    sa.CheckConstraint("kind = 'requirement' or hint is null", name="hint_of_requirement"),
    sa.Index("uq_manual_element_code", "version_id", "code", unique=True),
    sa.Index("uq_manual_element_place", "version_id", "place", unique=True),
    comment="要素 of a version in reading order: 章, 节, 条款 with its 风险提示 and the checklist rows it answers",
)

manual_view = sa.Table(
    "manual_view",
    metadata,
    sa.Column("manual_id", sa.Uuid, sa.ForeignKey("manual.id"), primary_key=True),
    sa.Column("public_views", sa.BigInteger, nullable=False),
    sa.Column("staff_views", sa.BigInteger, nullable=False),
    comment="浏览次数 (MAN-09), added up every few seconds by each process: a read writes nothing",
)
