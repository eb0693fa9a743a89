"""Table of officers (E3)."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import instant, metadata

officer = sa.Table(
    "officer",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False, index=True),
    sa.Column("organisation_name", sa.Text, nullable=False),
    sa.Column("organisation_code", sa.Text, nullable=True),
    sa.Column("post", sa.Text, nullable=True),
    sa.Column("resident_id_sealed", sa.LargeBinary, nullable=False),
    sa.Column("resident_id_index", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("phone_sealed", sa.LargeBinary, nullable=True),
    sa.Column("phone_index", sa.LargeBinary, nullable=True, index=True),
    sa.Column("gender", sa.Text, nullable=False),
    sa.Column("born_on", sa.Date, nullable=True),
    sa.Column("political_status", sa.Text, nullable=True),
    sa.Column("rank", sa.Text, nullable=True),
    sa.Column("ethnicity", sa.Text, nullable=True),
    sa.Column("education", sa.Text, nullable=True),
    sa.Column("education_major", sa.Text, nullable=True),
    sa.Column("officer_nature", sa.Text, nullable=True),
    sa.Column("is_supervisor", sa.Boolean, nullable=False),
    sa.Column("has_legal_qualification", sa.Boolean, nullable=True),
    sa.Column("certificate_number", sa.Text, nullable=True, unique=True),
    sa.Column("certificate_authority", sa.Text, nullable=True),
    sa.Column("certificate_area", sa.Text, nullable=True),
    sa.Column("certificate_category", sa.Text, nullable=True),
    sa.Column("certificate_valid_from", sa.Date, nullable=True),
    sa.Column("certificate_valid_to", sa.Date, nullable=True),
    sa.Column("region_code", sa.Text, sa.ForeignKey("region.code"), nullable=True),
    sa.Column("is_team_leader", sa.Boolean, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    comment="监管人员 (E3): resident id and phone sealed, findable by blind index",
)
