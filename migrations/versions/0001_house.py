"""The house: identity, enterprises and codes, inspections, trace, outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from pgqueuer.adapters.persistence.schema_ddl import render_install
from pgqueuer.domain.settings import DBSettings
from sqlalchemy.dialects.postgresql import JSON, JSONB

from domain.shared.sql import Ltree, Xid8

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


_ROLES = ("yima_app", "yima_relay")
_APP_MAY_ONLY = {
    "trace": "SELECT, INSERT",
    "trace_position": "SELECT",
    "trace_cursor": "SELECT",
}
"""What the app's role may do where that is less than everything: it adds to the trace and never changes it."""
_RELAY_MAY = {
    "trace": "SELECT",
    "message": "SELECT",
    "trace_position": "SELECT, INSERT",
    "trace_cursor": "SELECT, UPDATE",
    "key_version": "SELECT",
    "pgqueuer": "SELECT, INSERT",
    "pgqueuer_log": "SELECT, INSERT",
}


def _make_roles() -> None:
    for role in _ROLES:
        op.execute(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "
            f"THEN CREATE ROLE {role} NOLOGIN; END IF; END $$",
        )
        op.execute(f"GRANT {role} TO CURRENT_USER")


def _install_job_queue() -> None:
    """PgQueuer's own script has many statements and bodies with semicolons: the driver takes it whole."""
    script = render_install(DBSettings())
    op.get_bind().connection.run_async(lambda driver: driver.execute(script))  # type: ignore[attr-defined]


def _grant() -> None:
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO yima_app")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO yima_app, yima_relay")
    for table, rights in _APP_MAY_ONLY.items():
        op.execute(f"REVOKE ALL ON {table} FROM yima_app")
        op.execute(f"GRANT {rights} ON {table} TO yima_app")
    for table, rights in _RELAY_MAY.items():
        op.execute(f"GRANT {rights} ON {table} TO yima_relay")


def upgrade() -> None:
    """Make everything."""
    op.execute("CREATE EXTENSION IF NOT EXISTS ltree")
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    _make_roles()
    _install_job_queue()
    _make_tables()
    op.create_foreign_key(
        "fk_visit_opened_by", "visit", "check_in", ["opened_by"], ["id"], deferrable=True, initially="DEFERRED"
    )
    op.execute(
        "INSERT INTO trace_cursor (is_only, position, tx, n, link) "
        "VALUES (true, 0, '0', 0, decode(repeat('00', 32), 'hex'))",
    )
    _grant()


def _make_tables() -> None:
    op.create_table(
        "idempotency",
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("principal_id", "key", name="pk_idempotency"),
        comment="One row per accepted write, inserted first; kept 180 days",
    )
    op.create_index("ix_idempotency_received_at", "idempotency", ["received_at"], unique=False)
    op.create_table(
        "import_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_digest", sa.LargeBinary(), nullable=False),
        sa.Column("rows_done", sa.BigInteger(), nullable=False),
        sa.Column("rows_bad", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_import_batch"),
        comment="How far an import of one file (by digest) has come: an interrupted one goes on from there",
    )
    op.create_index("uq_import_batch_file", "import_batch", ["kind", "file_digest"], unique=True)
    op.create_table(
        "issued_number",
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(voided_at is null) = (void_reason is null)", name="ck_issued_number_void_has_reason"),
        sa.CheckConstraint("subject_id is not null or device_id is not null", name="ck_issued_number_held_by_someone"),
        sa.PrimaryKeyConstraint("department_code", "kind", "year", "sequence", name="pk_issued_number"),
        comment="Every number: used by a subject, leased to a device, or voided with a reason",
    )
    op.create_index("ix_issued_number_subject_id", "issued_number", ["subject_id", "kind"], unique=False)
    op.create_table(
        "key_version",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("check_value", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('current', 'verifying', 'retired')", name="ck_key_version_known_state"),
        sa.PrimaryKeyConstraint("purpose", "version", name="pk_key_version"),
        comment="Register of data keys: check values only",
    )
    op.create_index(
        "uq_key_version_current",
        "key_version",
        ["purpose"],
        unique=True,
        postgresql_where=sa.text("state = 'current'"),
    )
    op.create_table(
        "number_counter",
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("department_code", "kind", "year", name="pk_number_counter"),
        comment="The last number given, per department, kind and year of the region's calendar",
    )
    op.create_table(
        "region",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent_code", sa.Text(), nullable=True),
        sa.Column("path", Ltree(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("successor_code", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["parent_code"], ["region.code"], name="fk_region_parent_code"),
        sa.PrimaryKeyConstraint("code", name="pk_region"),
        comment="行政区划, current and former codes with their validity (CFG-05)",
    )
    op.create_index("ix_region_path", "region", ["path"], unique=False, postgresql_using="gist")
    op.create_table(
        "scene",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_scene"),
        sa.UniqueConstraint("name", name="uq_scene_name"),
        comment="场景: the 35 fields of cross-department supervision",
    )
    op.create_table(
        "subject_key",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name="pk_subject_key"),
        comment="One person's key for values in the trace; deleting the row erases those values",
    )
    op.create_table(
        "trace",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tx", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("n", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("business", sa.Text(), nullable=False),
        sa.Column("power", sa.Text(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("operator_name", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("before", JSON(), nullable=True),
        sa.Column("after", JSON(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("device_at", sa.Text(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("key_version", sa.SmallInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trace"),
        comment="行权留痕: append-only; the app may insert and select, nobody updates",
    )
    op.create_index("ix_trace_subject_id", "trace", ["subject_id", "n"], unique=False)
    op.create_index("ix_trace_tx_n", "trace", ["tx", "n"], unique=True)
    op.create_table(
        "trace_cursor",
        sa.Column("is_only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("tx", Xid8(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("is_only", name="ck_trace_cursor_single_row"),
        sa.PrimaryKeyConstraint("is_only", name="pk_trace_cursor"),
        comment="How far the relay has come",
    )
    op.create_table(
        "trace_position",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("trace_id", sa.Uuid(), nullable=False),
        sa.Column("tx", Xid8(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_trace_position"),
        sa.UniqueConstraint("trace_id", name="uq_trace_position_trace_id"),
        comment="The order of the trace, without gap, given after commit by the relay alone",
    )
    op.create_table(
        "department",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("short_name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("path", Ltree(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("hotline", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["department.id"], name="fk_department_parent_id"),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name="fk_department_region_code"),
        sa.PrimaryKeyConstraint("id", name="pk_department"),
        sa.UniqueConstraint("code", name="uq_department_code"),
        comment="监管部门 as a tree; short_name is the 机关简称 shown to the public",
    )
    op.create_index("ix_department_path", "department", ["path"], unique=False, postgresql_using="gist")
    op.create_table(
        "enterprise",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=True),
        sa.Column("industry_type", sa.Text(), nullable=True),
        sa.Column("organisation_category", sa.Text(), nullable=True),
        sa.Column("economic_class", sa.Text(), nullable=True),
        sa.Column("brand_name", sa.Text(), nullable=True),
        sa.Column("legal_representative", sa.Text(), nullable=True),
        sa.Column("registered_capital", sa.Numeric(precision=18, scale=4), nullable=True),
        sa.Column("capital_currency", sa.Text(), nullable=True),
        sa.Column("domicile", sa.Text(), nullable=True),
        sa.Column("term_from", sa.Date(), nullable=True),
        sa.Column("term_to", sa.Date(), nullable=True),
        sa.Column("business_scope", sa.Text(), nullable=True),
        sa.Column("scope_type", sa.Text(), nullable=True),
        sa.Column("registration_authority", sa.Text(), nullable=True),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("revoked_on", sa.Date(), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.Column("liaison_name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("liaison_resident_id_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("liaison_resident_id_index", sa.LargeBinary(), nullable=True),
        sa.Column("liaison_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("liaison_phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("operator_phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("operator_phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("nature", sa.Text(), nullable=True),
        sa.Column("risk_level", sa.Text(), nullable=True),
        sa.Column("credit_grade", sa.Text(), nullable=True),
        sa.Column("agreement_signed", sa.Boolean(), nullable=True),
        sa.Column("prepaid_cards", sa.Boolean(), nullable=True),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("credit_grade in ('A', 'B', 'C', 'D')", name="ck_enterprise_known_credit"),
        sa.CheckConstraint(
            "risk_level in ('low', 'medium_low', 'medium_high', 'high')", name="ck_enterprise_known_risk"
        ),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name="fk_enterprise_region_code"),
        sa.PrimaryKeyConstraint("id", name="pk_enterprise"),
        sa.UniqueConstraint("uscc", name="uq_enterprise_uscc"),
        comment="监管对象 (E1): what the register says; personal fields sealed, findable by blind index",
    )
    op.create_index(
        "ix_enterprise_liaison_phone_index",
        "enterprise",
        ["liaison_phone_index"],
        unique=False,
        postgresql_where=sa.text("liaison_phone_index is not null"),
    )
    op.create_index(
        "ix_enterprise_liaison_resident_id_index",
        "enterprise",
        ["liaison_resident_id_index"],
        unique=False,
        postgresql_where=sa.text("liaison_resident_id_index is not null"),
    )
    op.create_index(
        "ix_enterprise_operator_phone_index",
        "enterprise",
        ["operator_phone_index"],
        unique=False,
        postgresql_where=sa.text("operator_phone_index is not null"),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("region", Ltree(), nullable=True),
        sa.Column("officer_id", sa.Uuid(), nullable=True),
        sa.Column("enterprise_id", sa.Uuid(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role <> 'enterprise' or enterprise_id is not null", name="ck_account_enterprise_is_named"),
        sa.CheckConstraint("role <> 'inspector' or officer_id is not null", name="ck_account_inspector_is_officer"),
        sa.CheckConstraint(
            "role in ('inspector', 'department_manager', 'lead', 'enterprise', 'administrator')",
            name="ck_account_known_role",
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_account_department_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("login", name="uq_account_login"),
        sa.UniqueConstraint("officer_id", name="uq_account_officer_id"),
        comment="Who may log in, as what, within which department and region",
    )
    op.create_table(
        "licence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_licence_enterprise_id"),
        sa.PrimaryKeyConstraint("id", name="pk_licence"),
        comment="行政许可 (E19)",
    )
    op.create_index("ix_licence_enterprise_id", "licence", ["enterprise_id"], unique=False)
    op.create_table(
        "officer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_name", sa.Text(), nullable=False),
        sa.Column("organisation_code", sa.Text(), nullable=True),
        sa.Column("post", sa.Text(), nullable=True),
        sa.Column("resident_id_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("resident_id_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("gender", sa.Text(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.Column("political_status", sa.Text(), nullable=True),
        sa.Column("rank", sa.Text(), nullable=True),
        sa.Column("ethnicity", sa.Text(), nullable=True),
        sa.Column("education", sa.Text(), nullable=True),
        sa.Column("education_major", sa.Text(), nullable=True),
        sa.Column("officer_nature", sa.Text(), nullable=True),
        sa.Column("is_supervisor", sa.Boolean(), nullable=False),
        sa.Column("has_legal_qualification", sa.Boolean(), nullable=True),
        sa.Column("certificate_number", sa.Text(), nullable=True),
        sa.Column("certificate_authority", sa.Text(), nullable=True),
        sa.Column("certificate_area", sa.Text(), nullable=True),
        sa.Column("certificate_category", sa.Text(), nullable=True),
        sa.Column("certificate_valid_from", sa.Date(), nullable=True),
        sa.Column("certificate_valid_to", sa.Date(), nullable=True),
        sa.Column("region_code", sa.Text(), nullable=True),
        sa.Column("is_team_leader", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_officer_department_id"),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name="fk_officer_region_code"),
        sa.PrimaryKeyConstraint("id", name="pk_officer"),
        sa.UniqueConstraint("certificate_number", name="uq_officer_certificate_number"),
        sa.UniqueConstraint("resident_id_index", name="uq_officer_resident_id_index"),
        comment="监管人员 (E3): resident id and phone sealed, findable by blind index",
    )
    op.create_index("ix_officer_department_id", "officer", ["department_id"], unique=False)
    op.create_index("ix_officer_phone_index", "officer", ["phone_index"], unique=False)
    op.create_table(
        "site",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("floor", sa.Text(), nullable=True),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("regulator_id", sa.Uuid(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("radius_m", sa.Integer(), nullable=True),
        sa.Column("polygon", JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(longitude is null) = (latitude is null)", name="ck_site_position_is_whole"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_site_enterprise_id"),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name="fk_site_region_code"),
        sa.ForeignKeyConstraint(["regulator_id"], ["department.id"], name="fk_site_regulator_id"),
        sa.PrimaryKeyConstraint("id", name="pk_site"),
        comment="经营场所: coordinates in WGS-84 degrees; a polygon, where given, stands for the radius",
    )
    op.create_index("ix_site_enterprise_id", "site", ["enterprise_id"], unique=False)
    op.create_index("ix_site_region_id", "site", ["region_code", "id"], unique=False)
    op.create_index("uq_site_main", "site", ["enterprise_id"], unique=True, postgresql_where=sa.text("is_main"))
    op.create_table(
        "inspection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("scene_code", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("initiating_department_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("is_urgent", sa.Boolean(), nullable=False),
        sa.Column("approval_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'completed') = (completed_at is not null)", name="ck_inspection_completion_is_dated"
        ),
        sa.CheckConstraint("kind in ('routine', 'special', 'case')", name="ck_inspection_known_kind"),
        sa.CheckConstraint("mode in ('on_site', 'off_site')", name="ck_inspection_known_mode"),
        sa.CheckConstraint("state in ('pending', 'completed', 'cancelled')", name="ck_inspection_known_state"),
        sa.CheckConstraint("(approved_at is null) = (approved_by is null)", name="ck_inspection_approval_is_whole"),
        sa.CheckConstraint("due_on >= starts_on", name="ck_inspection_dates_in_order"),
        sa.CheckConstraint(
            "not is_urgent or approved_at is not null or approval_due_at is not null",
            name="ck_inspection_urgent",
        ),
        sa.ForeignKeyConstraint(
            ["initiating_department_id"], ["department.id"], name="fk_inspection_initiating_department_id"
        ),
        sa.ForeignKeyConstraint(["scene_code"], ["scene.code"], name="fk_inspection_scene_code"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_inspection_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inspection"),
        comment="检查任务 at one site (E18), with its approval",
    )
    op.create_index("ix_inspection_region", "inspection", ["region"], unique=False, postgresql_using="gist")
    op.create_index("ix_inspection_site_id", "inspection", ["site_id", "completed_at"], unique=False)
    op.create_index("ix_inspection_state_due", "inspection", ["state", "due_on", "id"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_session_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        comment="One log-in; generation is the latest refresh token that was used",
    )
    op.create_index("ix_session_account_id", "session", ["account_id"], unique=False)
    op.create_index("ix_session_expires_at", "session", ["expires_at"], unique=False)
    op.create_table(
        "site_code",
        sa.Column("code_id", sa.LargeBinary(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("key_version", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'issued') = (ended_at is null)", name="ck_site_code_end_is_dated"),
        sa.CheckConstraint("state in ('issued', 'replaced', 'revoked')", name="ck_site_code_known_state"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_site_code_site_id"),
        sa.PrimaryKeyConstraint("code_id", name="pk_site_code"),
        comment="The one code: 8 random bytes at a door; at most one is valid per site",
    )
    op.create_index("ix_site_code_site_id", "site_code", ["site_id"], unique=False)
    op.create_index(
        "uq_site_code_issued",
        "site_code",
        ["site_id"],
        unique=True,
        postgresql_where=sa.text("state = 'issued'"),
    )
    op.create_table(
        "inspection_party",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("is_lead", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_inspection_party_department_id"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_inspection_party_inspection_id"),
        sa.PrimaryKeyConstraint("inspection_id", "department_id", name="pk_inspection_party"),
        comment="发起 and 参与部门 of an inspection",
    )
    op.create_index(
        "ix_inspection_party_department_id",
        "inspection_party",
        ["department_id", "inspection_id"],
        unique=False,
    )
    op.create_index(
        "uq_inspection_party_lead",
        "inspection_party",
        ["inspection_id"],
        unique=True,
        postgresql_where=sa.text("is_lead"),
    )
    op.create_table(
        "visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.SmallInteger(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("departed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(voided_at is null) = (void_reason is null)", name="ck_visit_void_has_reason"),
        sa.CheckConstraint("departed_at is null or departed_at >= arrived_at", name="ck_visit_departs_after_arrival"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_visit_inspection_id"),
        sa.ForeignKeyConstraint(
            ["opened_by"],
            ["check_in.id"],
            name="fk_visit_opened_by",
            initially="DEFERRED",
            deferrable=True,
            use_alter=True,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_visit"),
        comment="上门 of one day: arrival and departure; at most one is open per inspection",
    )
    op.create_index(
        "uq_visit_open",
        "visit",
        ["inspection_id"],
        unique=True,
        postgresql_where=sa.text("departed_at is null and voided_at is null"),
    )
    op.create_index("uq_visit_sequence", "visit", ["inspection_id", "sequence"], unique=True)
    op.create_table(
        "check_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("second_officer_id", sa.Uuid(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("code_id", sa.LargeBinary(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("datum", sa.Text(), nullable=True),
        sa.Column("wgs84_longitude", sa.Double(), nullable=True),
        sa.Column("wgs84_latitude", sa.Double(), nullable=True),
        sa.Column("distance_outside_m", sa.Double(), nullable=True),
        sa.Column("flags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("position_reason", sa.Text(), nullable=True),
        sa.Column("late_scan_reason", sa.Text(), nullable=True),
        sa.Column("late_scan_note", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("departed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(means = 'printed_code') = (code_id is not null)", name="ck_check_in_code_is_named"),
        sa.CheckConstraint("late_scan_reason in ('emergency', 'system_failure')", name="ck_check_in_known_late_reason"),
        sa.CheckConstraint(
            "means in ('printed_code', 'business_licence', 'back_entry')", name="ck_check_in_known_means"
        ),
        sa.CheckConstraint("second_officer_id <> officer_id", name="ck_check_in_two_officers"),
        sa.ForeignKeyConstraint(["code_id"], ["site_code.code_id"], name="fk_check_in_code_id"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_check_in_department_id"),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name="fk_check_in_officer_id"),
        sa.ForeignKeyConstraint(["second_officer_id"], ["officer.id"], name="fk_check_in_second_officer_id"),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name="fk_check_in_visit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_check_in"),
        comment="扫码报到 of one department at one visit, with its evidence of position as sent and as converted",
    )
    op.create_index("uq_check_in_department", "check_in", ["visit_id", "department_id"], unique=True)
    op.create_table(
        "inspection_officer",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id", "department_id"],
            ["inspection_party.inspection_id", "inspection_party.department_id"],
            name="fk_inspection_officer_party",
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name="fk_inspection_officer_officer_id"),
        sa.PrimaryKeyConstraint("inspection_id", "officer_id", name="pk_inspection_officer"),
        comment="执法人员 assigned, each for a department that takes part",
    )
    op.create_index(
        "ix_inspection_officer_officer_id",
        "inspection_officer",
        ["officer_id", "inspection_id"],
        unique=False,
    )
    op.create_table(
        "identification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_in_id", sa.Uuid(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("shown_on", sa.Text(), nullable=False),
        sa.Column("person_name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("person_post", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("responded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "response = 'acknowledged' or reason is not null", name="ck_identification_refusal_has_reason"
        ),
        sa.CheckConstraint(
            "response in ('acknowledged', 'recusal_requested', 'identity_mismatch')",
            name="ck_identification_known_response",
        ),
        sa.ForeignKeyConstraint(["check_in_id"], ["check_in.id"], name="fk_identification_check_in_id"),
        sa.PrimaryKeyConstraint("id", name="pk_identification"),
        comment="亮证告知: shown to whom on which screen, acknowledged or refused",
    )
    op.create_index("ix_identification_check_in_id", "identification", ["check_in_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trace_id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("parameters", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'delivered', 'abandoned')", name="ck_message_known_state"),
        sa.PrimaryKeyConstraint("id"),
        comment="One message to one recipient, named by id: the address is opened only when it is sent",
    )
    op.create_index("ix_message_trace_id", "message", ["trace_id"], unique=False)
    op.create_index(
        "ix_message_waiting",
        "message",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
