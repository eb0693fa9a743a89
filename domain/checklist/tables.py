"""Tables of checklists, their versions, items and change log (E9)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from domain.shared.tables import instant, metadata

checklist = sa.Table(
    "checklist",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("business_type", sa.Text, nullable=False),
    sa.Column("scene_code", sa.Text, sa.ForeignKey("scene.code"), nullable=True),
    sa.Column("lead_department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("participants", sa.ARRAY(sa.Uuid), nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("current_version_id", sa.Uuid, nullable=True),
    sa.Column("note", sa.Text, nullable=True),
    instant("created_at"),
    instant("updated_at"),
    instant("deleted_at", nullable=True),
    sa.CheckConstraint("state in ('draft', 'enabled', 'disabled')", name="known_state"),
    sa.CheckConstraint("state <> 'enabled' or current_version_id is not null", name="enabled_has_version"),
    sa.Index("ix_checklist_business_type", "business_type", postgresql_where=sa.text("deleted_at is null")),
    comment="检查单 (CHK-05): one per 业态 and lead department, several versions",
)

checklist_version = sa.Table(
    "checklist_version",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("checklist_id", sa.Uuid, sa.ForeignKey("checklist.id"), nullable=False),
    sa.Column("number", sa.SmallInteger, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=True),
    instant("created_at"),
    instant("published_at", nullable=True),
    sa.Column("published_by", sa.Text, nullable=True),
    sa.CheckConstraint("(published_at is null) = (digest is null)", name="published_has_digest"),
    sa.Index("uq_checklist_version_number", "checklist_id", "number", unique=True),
    sa.Index(
        "uq_checklist_version_draft",
        "checklist_id",
        unique=True,
        postgresql_where=sa.text("published_at is null"),
    ),
    comment="A version of a checklist: a draft until it is published, unchangeable afterwards (D11)",
)

checklist_item = sa.Table(
    "checklist_item",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("version_id", sa.Uuid, sa.ForeignKey("checklist_version.id"), nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("place", sa.SmallInteger, nullable=False),
    sa.Column("area", sa.Text, nullable=False),
    sa.Column("matter", sa.Text, nullable=False),
    sa.Column("sub_matter", sa.Text, nullable=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("is_on_site", sa.Boolean, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("grades", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("is_mandatory", sa.Boolean, nullable=False),
    sa.Column("is_self_check", sa.Boolean, nullable=False),
    sa.Column("penalty_if_overdue", sa.Boolean, nullable=False),
    sa.Column("department_code", sa.Text, nullable=True),
    sa.Column("guidance", sa.Text, nullable=True),
    sa.Column("legal_basis", JSONB, nullable=False),
    sa.CheckConstraint("mode in ('once', 'daily')", name="known_mode"),
    sa.CheckConstraint("severity in ('minor', 'general', 'severe')", name="known_severity"),
    sa.CheckConstraint("grades <@ array['A', 'B', 'C', 'D'] and cardinality(grades) > 0", name="known_grades"),
    sa.Index("uq_checklist_item_code", "version_id", "code", unique=True),
    sa.Index("uq_checklist_item_place", "version_id", "place", unique=True),
    comment="检查内容: one row of a version (CHK-03, CHK-06), with its legal basis by article",
)

checklist_change = sa.Table(
    "checklist_change",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("checklist_id", sa.Uuid, sa.ForeignKey("checklist.id"), nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=True),
    sa.Column("operator_name", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=True),
    instant("at"),
    sa.Index("ix_checklist_change_checklist_id", "checklist_id", "at"),
    comment="变更记录 (CHK-07): 操作类型, 操作部门, 操作人, 操作时间",
)
