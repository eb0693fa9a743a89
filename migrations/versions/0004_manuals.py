"""Manuals: versions, elements, counters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NEW = ("manual", "manual_version", "manual_element", "manual_view")
"""The tables of this revision."""


def upgrade() -> None:
    """Make the tables."""
    _make_manuals()
    _make_content()
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")


def _make_manuals() -> None:
    op.create_table(
        "manual",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("business_type", sa.Text(), nullable=False),
        sa.Column("object_scope", sa.Text(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("current_version_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('draft', 'published', 'disabled')", name="ck_manual_known_state"),
        sa.CheckConstraint("(state = 'draft') = (current_version_id is null)", name="ck_manual_published_has_version"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_manual_department_id"),
        sa.PrimaryKeyConstraint("id", name="pk_manual"),
        comment="经营手册 (MAN-01): one per 业态 and making department (一业一册), several versions",
    )
    op.create_index("uq_manual_of_business", "manual", ["business_type", "department_id"], unique=True)
    op.create_index("ix_manual_place", "manual", ["place", "id"], unique=False)
    op.create_index(
        "ix_manual_published",
        "manual",
        ["place", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'published'"),
    )
    op.create_table(
        "manual_view",
        sa.Column("manual_id", sa.Uuid(), nullable=False),
        sa.Column("public_views", sa.BigInteger(), nullable=False),
        sa.Column("staff_views", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["manual_id"], ["manual.id"], name="fk_manual_view_manual_id"),
        sa.PrimaryKeyConstraint("manual_id", name="pk_manual_view"),
        comment="浏览次数 (MAN-09), added up every few seconds by each process: a read writes nothing",
    )


def _make_content() -> None:
    op.create_table(
        "manual_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("manual_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("file_digest", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(published_at is null) = (digest is null)", name="ck_manual_version_published_has_digest"),
        sa.ForeignKeyConstraint(["manual_id"], ["manual.id"], name="fk_manual_version_manual_id"),
        sa.PrimaryKeyConstraint("id", name="pk_manual_version"),
        comment="A version of a manual: a draft until it is published, unchangeable afterwards (D11); "
        "perhaps with a file",
    )
    op.create_index("uq_manual_version_number", "manual_version", ["manual_id", "number"], unique=True)
    op.create_index(
        "uq_manual_version_draft",
        "manual_version",
        ["manual_id"],
        unique=True,
        postgresql_where=sa.text("published_at is null"),
    )
    op.create_table(
        "manual_element",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=True),
        sa.Column("legal_basis", JSONB(), nullable=False),
        sa.Column("item_codes", sa.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("kind in ('chapter', 'section', 'requirement')", name="ck_manual_element_known_kind"),
        sa.CheckConstraint("kind = 'requirement' or hint is null", name="ck_manual_element_hint_of_requirement"),
        sa.ForeignKeyConstraint(["version_id"], ["manual_version.id"], name="fk_manual_element_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_manual_element"),
        comment="要素 of a version in reading order: 章, 节, 条款 with its 风险提示 and the checklist rows it answers",
    )
    op.create_index("uq_manual_element_code", "manual_element", ["version_id", "code"], unique=True)
    op.create_index("uq_manual_element_place", "manual_element", ["version_id", "place"], unique=True)
