"""Materials of an enterprise, what it says of itself, and posters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from domain.shared.sql import Ltree

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NEW = (
    "enterprise_profile",
    "site_profile",
    "poster_batch",
    "poster_part",
    "material",
    "material_version",
    "expiry_reminder",
)
"""The tables of this revision."""


def upgrade() -> None:
    """Make the tables, and find licences by their last day and papers by their party."""
    op.create_index("ix_licence_valid_to", "licence", ["valid_to", "id"], unique=False)
    op.create_index("ix_document_enterprise_id", "document", ["enterprise_id", "id"], unique=False)
    _make_tables()
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")


def _make_tables() -> None:
    op.create_table(
        "enterprise_profile",
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("liaison_name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("liaison_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("liaison_phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("brand_name", sa.Text(), nullable=True),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(liaison_phone_sealed is null) = (liaison_phone_index is null)",
            name="ck_enterprise_profile_phone_is_found",
        ),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_enterprise_profile_enterprise_id"),
        sa.PrimaryKeyConstraint("enterprise_id", name="pk_enterprise_profile"),
        comment="企业自行维护的信息 (ENT-02) beside the register's; people and addresses sealed",
    )
    op.create_table(
        "site_profile",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opening_hours", sa.Text(), nullable=True),
        sa.Column("business_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("public_phone", sa.Text(), nullable=True),
        sa.Column("contact_name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("contact_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "public_phone is null or business_phone_sealed is not null", name="ck_site_profile_public_phone_is_known"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_site_profile_site_id"),
        sa.PrimaryKeyConstraint("site_id", name="pk_site_profile"),
        comment="经营场所自行维护的信息 (ENT-02); public_phone in clear only where the enterprise wants it shown",
    )
    op.create_table(
        "poster_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("site_count", sa.Integer(), nullable=False),
        sa.Column("sites_done", sa.Integer(), nullable=False),
        sa.Column("parts_done", sa.Integer(), nullable=False),
        sa.Column("retired", sa.Integer(), nullable=False),
        sa.Column("after_region", sa.Text(), nullable=False),
        sa.Column("after_site", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'drawing') = (ended_at is null)", name="ck_poster_batch_end_is_dated"),
        sa.CheckConstraint("size in ('a4', 'a5')", name="ck_poster_batch_known_size"),
        sa.CheckConstraint(
            "state in ('drawing', 'cancelled', 'finished', 'expired')", name="ck_poster_batch_known_state"
        ),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name="fk_poster_batch_region_code"),
        sa.PrimaryKeyConstraint("id", name="pk_poster_batch"),
        comment="海报批次 of a region: parts of 500 pages, drawn one after the other",
    )
    op.create_index(
        "ix_poster_batch_ended_at",
        "poster_batch",
        ["ended_at"],
        unique=False,
        postgresql_where=sa.text("state in ('cancelled', 'finished')"),
    )
    op.create_index("ix_poster_batch_requested_by", "poster_batch", ["requested_by", "id"], unique=False)
    op.create_table(
        "poster_part",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("pages", sa.SmallInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("byte_count", sa.BigInteger(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["poster_batch.id"], name="fk_poster_part_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", "number", name="pk_poster_part"),
        comment="One PDF of a batch; it lies in the object store under its digest",
    )
    op.create_table(
        "material",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("standard_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('material', 'e_licence')", name="ck_material_known_kind"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_material_enterprise_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_material_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_material"),
        comment="材料 and 电子证照 of an enterprise, or of one site of it",
    )
    op.create_index(
        "uq_material_name",
        "material",
        ["enterprise_id", "site_id", "name"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("removed_at is null"),
    )
    op.create_table(
        "material_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("material_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("valid_to >= valid_from", name="ck_material_version_dates_in_order"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_material_version_enterprise_id"),
        sa.ForeignKeyConstraint(["material_id"], ["material.id"], name="fk_material_version_material_id"),
        sa.PrimaryKeyConstraint("id", name="pk_material_version"),
        comment="One upload of a material; its files are attachments of this id, and stay when it is replaced",
    )
    op.create_index(
        "ix_material_version_valid_to",
        "material_version",
        ["valid_to", "id"],
        unique=False,
        postgresql_where=sa.text("replaced_at is null"),
    )
    op.create_index("uq_material_version", "material_version", ["material_id", "version"], unique=True)
    op.create_index(
        "uq_material_version_current",
        "material_version",
        ["material_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at is null"),
    )
    op.create_table(
        "expiry_reminder",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('licence', 'material')", name="ck_expiry_reminder_known_kind"),
        sa.CheckConstraint("step in (30, 7, 1, 0)", name="ck_expiry_reminder_known_step"),
        sa.PrimaryKeyConstraint("kind", "subject_id", "valid_to", "step", name="pk_expiry_reminder"),
        comment="到期提醒 already given, so that each is given once: 30, 7 and 1 days before, and when expired",
    )
