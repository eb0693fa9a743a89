"""Complaints and tip-offs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from domain.shared.sql import Ltree

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NEW = ("complaint", "tip_off", "complaint_entry", "tip_off_entry")
"""The tables of this revision: two things, each with its history."""
_STATES = (
    "state in ('received', 'accepted', 'handling', 'reopened', 'answered', 'closed', 'declined', 'not_handled', "
    "'withdrawn')"
)
_TYPES = (
    "type in ('consumer_dispute', 'food_safety', 'service_quality', 'price', 'safety_hazard', 'environment', "
    "'unlicensed', 'other')"
)
_KINDS = (
    "kind in ('accepted', 'declined', 'taken_over', 'not_handled', 'answered', 'closed', 'extended', 'reopened', "
    "'withdrawn', 'supplemented', 'stated', 'merged', 'inspection_started', 'abuse_suspected', 'abuse_cleared', "
    "'identity_viewed')"
)


def upgrade() -> None:
    """Make the tables."""
    _make_complaints()
    _make_tip_offs()
    _make_entries()
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")


def _make_complaints() -> None:
    op.create_table(
        "complaint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_reopened", sa.Boolean(), nullable=False),
        sa.Column("is_extended", sa.Boolean(), nullable=False),
        sa.Column("is_abusive", sa.Boolean(), nullable=False),
        sa.Column("handler_id", sa.Uuid(), nullable=True),
        sa.Column("leading_id", sa.Uuid(), nullable=True),
        sa.Column("inspection_id", sa.Uuid(), nullable=True),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("released_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sketch", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("query_code_index", sa.LargeBinary(), nullable=False),
        sa.Column("consent_version", sa.Text(), nullable=False),
        sa.Column("failed_tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("soon_warned_on", sa.Date(), nullable=True),
        sa.Column("overdue_warned_on", sa.Date(), nullable=True),
        sa.Column("person_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("handed_over_reference", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "is_open = (state in ('received', 'accepted', 'handling', 'reopened'))",
            name="ck_complaint_open_as_state_says",
        ),
        sa.CheckConstraint(
            _STATES,
            name="ck_complaint_known_state",
        ),
        sa.CheckConstraint("term in ('decision', 'answer')", name="ck_complaint_known_term"),
        sa.CheckConstraint(
            _TYPES,
            name="ck_complaint_known_type",
        ),
        sa.CheckConstraint("leading_id <> id", name="ck_complaint_leads_another"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_complaint_department_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_complaint_enterprise_id"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_complaint_inspection_id"),
        sa.ForeignKeyConstraint(["leading_id"], ["complaint.id"], name="fk_complaint_leading_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_complaint_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_complaint"),
        sa.UniqueConstraint("query_code_index", name="uq_complaint_query_code_index"),
        comment="投诉, named: what was written and who wrote it are sealed, texts are found alike by a keyed sketch",
    )
    op.create_index(
        "ix_complaint_concluded",
        "complaint",
        ["site_id", "type"],
        unique=False,
        postgresql_where=sa.text("state = 'closed' and not is_abusive and leading_id is null"),
    )
    op.create_index(
        "ix_complaint_department_id", "complaint", ["department_id", "is_open", "due_on", "id"], unique=False
    )
    op.create_index(
        "ix_complaint_answered",
        "complaint",
        ["answered_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'answered' and leading_id is null"),
    )
    op.create_index("ix_complaint_due", "complaint", ["is_open", "due_on", "id"], unique=False)
    op.create_index(
        "ix_complaint_enterprise_id",
        "complaint",
        ["enterprise_id", "accepted_at", "id"],
        unique=False,
        postgresql_where=sa.text("accepted_at is not null"),
    )
    op.create_index(
        "ix_complaint_inspection_id",
        "complaint",
        ["inspection_id"],
        unique=False,
        postgresql_where=sa.text("inspection_id is not null"),
    )
    op.create_index(
        "ix_complaint_leading_id",
        "complaint",
        ["leading_id"],
        unique=False,
        postgresql_where=sa.text("leading_id is not null"),
    )
    op.create_index(
        "ix_complaint_phone_index",
        "complaint",
        ["phone_index"],
        unique=False,
        postgresql_where=sa.text("phone_index is not null"),
    )
    op.create_index("ix_complaint_site_id", "complaint", ["site_id", "filed_at"], unique=False)


def _make_tip_offs() -> None:
    op.create_table(
        "tip_off",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_reopened", sa.Boolean(), nullable=False),
        sa.Column("is_extended", sa.Boolean(), nullable=False),
        sa.Column("is_abusive", sa.Boolean(), nullable=False),
        sa.Column("handler_id", sa.Uuid(), nullable=True),
        sa.Column("leading_id", sa.Uuid(), nullable=True),
        sa.Column("inspection_id", sa.Uuid(), nullable=True),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("released_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sketch", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("query_code_index", sa.LargeBinary(), nullable=False),
        sa.Column("consent_version", sa.Text(), nullable=False),
        sa.Column("failed_tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("soon_warned_on", sa.Date(), nullable=True),
        sa.Column("overdue_warned_on", sa.Date(), nullable=True),
        sa.Column("person_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "is_open = (state in ('received', 'accepted', 'handling', 'reopened'))",
            name="ck_tip_off_open_as_state_says",
        ),
        sa.CheckConstraint(
            _STATES,
            name="ck_tip_off_known_state",
        ),
        sa.CheckConstraint("term in ('decision', 'answer')", name="ck_tip_off_known_term"),
        sa.CheckConstraint(
            _TYPES,
            name="ck_tip_off_known_type",
        ),
        sa.CheckConstraint("leading_id <> id", name="ck_tip_off_leads_another"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_tip_off_department_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_tip_off_enterprise_id"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_tip_off_inspection_id"),
        sa.ForeignKeyConstraint(["leading_id"], ["tip_off.id"], name="fk_tip_off_leading_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_tip_off_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tip_off"),
        sa.UniqueConstraint("query_code_index", name="uq_tip_off_query_code_index"),
        comment="举报, named or anonymous: never shown to the enterprise, never counted in public",
    )
    op.create_index("ix_tip_off_department_id", "tip_off", ["department_id", "is_open", "due_on", "id"], unique=False)
    op.create_index(
        "ix_tip_off_answered",
        "tip_off",
        ["answered_at", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'answered' and leading_id is null"),
    )
    op.create_index("ix_tip_off_due", "tip_off", ["is_open", "due_on", "id"], unique=False)
    op.create_index(
        "ix_tip_off_inspection_id",
        "tip_off",
        ["inspection_id"],
        unique=False,
        postgresql_where=sa.text("inspection_id is not null"),
    )
    op.create_index(
        "ix_tip_off_leading_id",
        "tip_off",
        ["leading_id"],
        unique=False,
        postgresql_where=sa.text("leading_id is not null"),
    )
    op.create_index(
        "ix_tip_off_phone_index",
        "tip_off",
        ["phone_index"],
        unique=False,
        postgresql_where=sa.text("phone_index is not null"),
    )
    op.create_index("ix_tip_off_site_id", "tip_off", ["site_id", "filed_at"], unique=False)


def _make_entries() -> None:
    op.create_table(
        "complaint_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("n", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.CheckConstraint(
            _KINDS,
            name="ck_complaint_entry_known_kind",
        ),
        sa.ForeignKeyConstraint(["grievance_id"], ["complaint.id"], name="fk_complaint_entry_grievance_id"),
        sa.PrimaryKeyConstraint("id", name="pk_complaint_entry"),
        comment="History of 投诉, its words sealed",
    )
    op.create_index("ix_complaint_entry_grievance_id", "complaint_entry", ["grievance_id"], unique=False)
    op.create_table(
        "tip_off_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grievance_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("n", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.CheckConstraint(
            _KINDS,
            name="ck_tip_off_entry_known_kind",
        ),
        sa.ForeignKeyConstraint(["grievance_id"], ["tip_off.id"], name="fk_tip_off_entry_grievance_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tip_off_entry"),
        comment="History of 举报, its words sealed",
    )
    op.create_index("ix_tip_off_entry_grievance_id", "tip_off_entry", ["grievance_id"], unique=False)
