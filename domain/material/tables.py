"""Tables of materials, their versions, and the reminders of what expires (PUB-19, ENT-08)."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import instant, metadata

material = sa.Table(
    "material",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=True),
    sa.Column("standard_code", sa.Text, nullable=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    instant("created_at"),
    instant("removed_at", nullable=True),
    sa.CheckConstraint("kind in ('material', 'e_licence')", name="known_kind"),
    sa.Index(
        "uq_material_name",
        "enterprise_id",
        "site_id",
        "name",
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("removed_at is null"),
    ),
    comment="材料 and 电子证照 of an enterprise, or of one site of it",
)

material_version = sa.Table(
    "material_version",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("material_id", sa.Uuid, sa.ForeignKey("material.id"), nullable=False),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("number", sa.Text, nullable=True),
    sa.Column("valid_from", sa.Date, nullable=True),
    sa.Column("valid_to", sa.Date, nullable=True),
    sa.Column("uploaded_by", sa.Uuid, nullable=False),
    instant("uploaded_at"),
    instant("replaced_at", nullable=True),
    sa.CheckConstraint("valid_to >= valid_from", name="dates_in_order"),
    sa.Index("uq_material_version", "material_id", "version", unique=True),
    sa.Index(
        "uq_material_version_current", "material_id", unique=True, postgresql_where=sa.text("replaced_at is null")
    ),
    sa.Index("ix_material_version_valid_to", "valid_to", "id", postgresql_where=sa.text("replaced_at is null")),
    comment="One upload of a material; its files are attachments of this id, and stay when it is replaced",
)

expiry_reminder = sa.Table(
    "expiry_reminder",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    # A licence's or a version's id; a register that is imported anew may drop the licence and keep this.
    sa.Column("subject_id", sa.Uuid, primary_key=True),
    sa.Column("valid_to", sa.Date, primary_key=True),
    sa.Column("step", sa.SmallInteger, primary_key=True),
    instant("reminded_at"),
    sa.CheckConstraint("kind in ('licence', 'material')", name="known_kind"),
    sa.CheckConstraint("step in (30, 7, 1, 0)", name="known_step"),
    comment="到期提醒 already given, so that each is given once: 30, 7 and 1 days before, and when expired",
)
