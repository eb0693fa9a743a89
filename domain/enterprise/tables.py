"""Tables of enterprises, sites, licences, site codes and import batches (E1, E19)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata

enterprise = sa.Table(
    "enterprise",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("uscc", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("object_type", sa.Text, nullable=False),
    sa.Column("registration_number", sa.Text, nullable=True),
    sa.Column("industry_type", sa.Text, nullable=True),
    sa.Column("organisation_category", sa.Text, nullable=True),
    sa.Column("economic_class", sa.Text, nullable=True),
    sa.Column("brand_name", sa.Text, nullable=True),
    sa.Column("legal_representative", sa.Text, nullable=True),
    sa.Column("registered_capital", sa.Numeric(18, 4), nullable=True),
    sa.Column("capital_currency", sa.Text, nullable=True),
    sa.Column("domicile", sa.Text, nullable=True),
    sa.Column("term_from", sa.Date, nullable=True),
    sa.Column("term_to", sa.Date, nullable=True),
    sa.Column("business_scope", sa.Text, nullable=True),
    sa.Column("scope_type", sa.Text, nullable=True),
    sa.Column("registration_authority", sa.Text, nullable=True),
    sa.Column("established_on", sa.Date, nullable=True),
    sa.Column("approved_on", sa.Date, nullable=True),
    sa.Column("revoked_on", sa.Date, nullable=True),
    sa.Column("revoke_reason", sa.Text, nullable=True),
    sa.Column("liaison_name_sealed", sa.LargeBinary, nullable=True),
    sa.Column("liaison_resident_id_sealed", sa.LargeBinary, nullable=True),
    sa.Column("liaison_resident_id_index", sa.LargeBinary, nullable=True),
    sa.Column("liaison_phone_sealed", sa.LargeBinary, nullable=True),
    sa.Column("liaison_phone_index", sa.LargeBinary, nullable=True),
    sa.Column("operator_phone_sealed", sa.LargeBinary, nullable=True),
    sa.Column("operator_phone_index", sa.LargeBinary, nullable=True),
    sa.Column("nature", sa.Text, nullable=True),
    sa.Column("risk_level", sa.Text, nullable=True),
    sa.Column("credit_grade", sa.Text, nullable=True),
    sa.Column("agreement_signed", sa.Boolean, nullable=True),
    sa.Column("prepaid_cards", sa.Boolean, nullable=True),
    sa.Column("region_code", sa.Text, sa.ForeignKey("region.code"), nullable=False),
    instant("created_at"),
    instant("updated_at"),
    sa.CheckConstraint("risk_level in ('low', 'medium_low', 'medium_high', 'high')", name="known_risk"),
    sa.CheckConstraint("credit_grade in ('A', 'B', 'C', 'D')", name="known_credit"),
    sa.Index(
        "ix_enterprise_liaison_phone_index",
        "liaison_phone_index",
        postgresql_where=sa.text("liaison_phone_index is not null"),
    ),
    sa.Index(
        "ix_enterprise_liaison_resident_id_index",
        "liaison_resident_id_index",
        postgresql_where=sa.text("liaison_resident_id_index is not null"),
    ),
    sa.Index(
        "ix_enterprise_operator_phone_index",
        "operator_phone_index",
        postgresql_where=sa.text("operator_phone_index is not null"),
    ),
    comment="监管对象 (E1): what the register says; personal fields sealed, findable by blind index",
)

site = sa.Table(
    "site",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False, index=True),
    sa.Column("is_main", sa.Boolean, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=True),
    sa.Column("floor", sa.Text, nullable=True),
    sa.Column("region_code", sa.Text, sa.ForeignKey("region.code"), nullable=False),
    sa.Column("region", Ltree, nullable=False),
    sa.Column("regulator_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=True),
    sa.Column("longitude", sa.Double, nullable=True),
    sa.Column("latitude", sa.Double, nullable=True),
    sa.Column("radius_m", sa.Integer, nullable=True),
    sa.Column("polygon", JSONB, nullable=True),
    instant("created_at"),
    instant("updated_at"),
    sa.CheckConstraint("(longitude is null) = (latitude is null)", name="position_is_whole"),
    sa.Index("uq_site_main", "enterprise_id", unique=True, postgresql_where=sa.text("is_main")),
    sa.Index("ix_site_region_id", "region_code", "id"),
    comment="经营场所: coordinates in WGS-84 degrees; a polygon, where given, stands for the radius",
)

licence = sa.Table(
    "licence",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False, index=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("authority", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=True),
    sa.Column("valid_from", sa.Date, nullable=True),
    sa.Column("valid_to", sa.Date, nullable=True),
    comment="行政许可 (E19)",
)

site_code = sa.Table(
    "site_code",
    metadata,
    sa.Column("code_id", sa.LargeBinary, primary_key=True),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("key_version", sa.SmallInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    instant("issued_at"),
    instant("ended_at", nullable=True),
    sa.Column("end_reason", sa.Text, nullable=True),
    sa.CheckConstraint("state in ('issued', 'replaced', 'revoked')", name="known_state"),
    sa.CheckConstraint("(state = 'issued') = (ended_at is null)", name="end_is_dated"),
    sa.Index("ix_site_code_site_id", "site_id"),
    sa.Index("uq_site_code_issued", "site_id", unique=True, postgresql_where=sa.text("state = 'issued'")),
    comment="The one code: 8 random bytes at a door; at most one is valid per site",
)

import_batch = sa.Table(
    "import_batch",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("file_digest", sa.LargeBinary, nullable=False),
    sa.Column("rows_done", sa.BigInteger, nullable=False),
    sa.Column("rows_bad", sa.BigInteger, nullable=False),
    instant("started_at"),
    instant("finished_at", nullable=True),
    sa.Index("uq_import_batch_file", "kind", "file_digest", unique=True),
    comment="How far an import of one file (by digest) has come: an interrupted one goes on from there",
)
