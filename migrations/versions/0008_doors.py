"""Requests, objections, ratings, live codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from domain.shared.sql import Ltree

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NEW = (
    "enterprise_request",
    "request_step",
    "objection",
    "rating_invitation",
    "rating_token",
    "rating_pool",
    "rating_batch",
    "visit_rating",
    "rating_misconduct",
)
"""The tables of this revision."""


def upgrade() -> None:
    """Make the tables, and let a live code prove presence."""
    _make_requests()
    _make_objections()
    _make_ratings()
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")
    op.drop_constraint("ck_check_in_known_means", "check_in", type_="check")
    op.create_check_constraint(
        "ck_check_in_known_means",
        "check_in",
        "means in ('printed_code', 'live_code', 'business_licence', 'back_entry')",
    )
    op.drop_constraint("ck_check_in_code_is_named", "check_in", type_="check")
    op.create_check_constraint(
        "ck_check_in_code_is_named", "check_in", "(means in ('printed_code', 'live_code')) = (code_id is not null)"
    )


def _make_requests() -> None:
    op.create_table(
        "enterprise_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("submitter_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("description_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state in ('closed', 'withdrawn')) = (ended_at is not null)", name="ck_enterprise_request_end_is_dated"
        ),
        sa.CheckConstraint(
            "category in ('consultation', 'difficulty', 'suggestion', 'enforcement', 'service', 'other')",
            name="ck_enterprise_request_known_category",
        ),
        sa.CheckConstraint(
            "state in ('submitted', 'accepted', 'answered', 'closed', 'returned', 'withdrawn')",
            name="ck_enterprise_request_known_state",
        ),
        sa.CheckConstraint("urgency in ('normal', 'urgent', 'critical')", name="ck_enterprise_request_known_urgency"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_enterprise_request_department_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_enterprise_request_enterprise_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_enterprise_request_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_enterprise_request"),
        comment="诉求 (PUB-16, ENT-04): who sent it, how to reach them and what they wrote are sealed",
    )
    op.create_index(
        "ix_enterprise_request_department",
        "enterprise_request",
        ["department_id", "state", "due_on", "id"],
        unique=False,
    )
    op.create_index("ix_enterprise_request_enterprise", "enterprise_request", ["enterprise_id", "id"], unique=False)
    op.create_index("ix_enterprise_request_state_due", "enterprise_request", ["state", "due_on", "id"], unique=False)

    op.create_table(
        "request_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("done_by", sa.Uuid(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "step in ('submit', 'accept', 'answer', 'return', 'transfer', 'close', 'supplement', 'confirm', "
            "'withdraw')",
            name="ck_request_step_known_step",
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_request_step_department_id"),
        sa.ForeignKeyConstraint(["request_id"], ["enterprise_request.id"], name="fk_request_step_request_id"),
        sa.PrimaryKeyConstraint("id", name="pk_request_step"),
        comment="办理经过 of a request, as its enterprise reads it; the words of either side are sealed",
    )
    op.create_index("ix_request_step_request_id", "request_step", ["request_id"], unique=False)


def _make_objections() -> None:
    op.create_table(
        "objection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("publication_id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reasons_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("filed_by", sa.Uuid(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'open') = (ended_at is null)", name="ck_objection_end_is_dated"),
        sa.CheckConstraint(
            "(state in ('upheld', 'partly_upheld', 'rejected')) = (decision is not null)",
            name="ck_objection_decision_has_reason",
        ),
        sa.CheckConstraint(
            "state in ('open', 'upheld', 'partly_upheld', 'rejected', 'withdrawn')", name="ck_objection_known_state"
        ),
        sa.CheckConstraint("(decision is null) = (decided_by is null)", name="ck_objection_decision_has_decider"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_objection_department_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_objection_enterprise_id"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_objection_inspection_id"),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name="fk_objection_publication_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_objection_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_objection"),
        comment="结果异议 (D10): one open at a time, decided by an officer who was not there",
    )
    op.create_index("ix_objection_department", "objection", ["department_id", "state", "due_at", "id"], unique=False)
    op.create_index("ix_objection_enterprise", "objection", ["enterprise_id", "state", "due_at", "id"], unique=False)
    op.create_index("ix_objection_publication_id", "objection", ["publication_id"], unique=False)
    op.create_index("ix_objection_state_due", "objection", ["state", "due_at", "id"], unique=False)
    op.create_index(
        "uq_objection_open", "objection", ["publication_id"], unique=True, postgresql_where=sa.text("state = 'open'")
    )


def _make_ratings() -> None:
    op.create_table(
        "rating_invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_rating_invitation_department_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_rating_invitation_enterprise_id"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_rating_invitation_inspection_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_rating_invitation_site_id"),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name="fk_rating_invitation_visit_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rating_invitation"),
        comment="评价邀请 to an enterprise: one per visit and department",
    )
    op.create_index("ix_rating_invitation_enterprise", "rating_invitation", ["enterprise_id", "id"], unique=False)
    op.create_index("uq_rating_invitation_visit", "rating_invitation", ["visit_id", "department_id"], unique=True)

    op.create_table(
        "rating_token",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_rating_token_department_id"),
        sa.PrimaryKeyConstraint("mark", name="pk_rating_token"),
        comment="A token that was drawn and is not spent: a keyed hash of its hash, gone the moment it is spent",
    )

    op.create_table(
        "rating_pool",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("courtesy", sa.SmallInteger(), nullable=False),
        sa.Column("lawfulness", sa.SmallInteger(), nullable=False),
        sa.Column("efficiency", sa.SmallInteger(), nullable=False),
        sa.Column("certificates_shown", sa.Boolean(), nullable=False),
        sa.Column("prohibitions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "courtesy between 1 and 5 and lawfulness between 1 and 5 and efficiency between 1 and 5",
            name="ck_rating_pool_stars",
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_rating_pool_department_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rating_pool"),
        comment="待放评价: all rows of a department are written anew with each that comes, in random order",
    )
    op.create_index("ix_rating_pool_department_id", "rating_pool", ["department_id"], unique=False)

    op.create_table(
        "rating_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("released_on", sa.Date(), nullable=False),
        sa.Column("ratings", sa.Integer(), nullable=False),
        sa.CheckConstraint("ratings >= 5", name="ck_rating_batch_nobody_stands_out"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_rating_batch_department_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rating_batch"),
        comment="A batch of ratings as it was released to its department",
    )
    op.create_index("ix_rating_batch_department", "rating_batch", ["department_id", "id"], unique=False)

    op.create_table(
        "visit_rating",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("courtesy", sa.SmallInteger(), nullable=False),
        sa.Column("lawfulness", sa.SmallInteger(), nullable=False),
        sa.Column("efficiency", sa.SmallInteger(), nullable=False),
        sa.Column("certificates_shown", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["rating_batch.id"], name="fk_visit_rating_batch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_visit_rating"),
        comment="入企评价 that was released: of its batch, and of nobody",
    )
    op.create_index("ix_visit_rating_batch_id", "visit_rating", ["batch_id"], unique=False)

    op.create_table(
        "rating_misconduct",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("prohibition", sa.Text(), nullable=False),
        sa.Column("marks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["rating_batch.id"], name="fk_rating_misconduct_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", "prohibition", name="pk_rating_misconduct"),
        comment="五个严禁 that raters of a batch marked, counted: for the supervision side alone",
    )
