"""Self-inspections, hazards and assigned tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from domain.shared.sql import Ltree

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NEW = (
    "self_inspection",
    "self_inspection_answer",
    "hazard",
    "self_inspection_round",
    "assigned_task",
    "assigned_task_row",
    "assigned_task_object",
    "assigned_task_answer",
)


def upgrade() -> None:
    """Make the tables."""
    _make_self_inspections()
    _make_assigned_tasks()
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")


def _make_self_inspections() -> None:
    op.create_table(
        "self_inspection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("business_type", sa.Text(), nullable=False),
        sa.Column("checklist_version_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("quarter", sa.Text(), nullable=True),
        sa.Column("item_count", sa.SmallInteger(), nullable=False),
        sa.Column("problem_count", sa.SmallInteger(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('draft', 'submitted', 'discarded')", name="ck_self_inspection_known_state"),
        sa.CheckConstraint(
            "(state = 'submitted') = (quarter is not null)", name="ck_self_inspection_submission_has_quarter"
        ),
        sa.CheckConstraint(
            "(state = 'submitted') = (submitted_at is not null)", name="ck_self_inspection_submission_is_dated"
        ),
        sa.ForeignKeyConstraint(
            ["checklist_version_id"], ["checklist_version.id"], name="fk_self_inspection_checklist_version_id"
        ),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_self_inspection_enterprise_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_self_inspection_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_self_inspection"),
        comment="企业自查 (ENT-05, D24): the self-check items of one version of a checklist, frozen at the start (D11)",
    )
    op.create_index("ix_self_inspection_enterprise_id", "self_inspection", ["enterprise_id", "id"])
    op.create_index(
        "ix_self_inspection_quarter",
        "self_inspection",
        ["site_id", "business_type", "quarter"],
        postgresql_where=sa.text("state = 'submitted'"),
    )
    op.create_index(
        "uq_self_inspection_draft",
        "self_inspection",
        ["site_id", "business_type"],
        unique=True,
        postgresql_where=sa.text("state = 'draft'"),
    )
    op.create_table(
        "self_inspection_answer",
        sa.Column("self_inspection_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("photos", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "value in ('no_problem', 'problem', 'not_applicable')", name="ck_self_inspection_answer_known_value"
        ),
        sa.CheckConstraint(
            "value <> 'not_applicable' or reason is not null",
            name="ck_self_inspection_answer_not_applicable_has_reason",
        ),
        sa.ForeignKeyConstraint(["item_id"], ["checklist_item.id"], name="fk_self_inspection_answer_item_id"),
        sa.ForeignKeyConstraint(
            ["self_inspection_id"], ["self_inspection.id"], name="fk_self_inspection_answer_self_inspection_id"
        ),
        sa.PrimaryKeyConstraint("self_inspection_id", "item_id", name="pk_self_inspection_answer"),
        comment="自查结果 of one item as it stands",
    )
    op.create_table(
        "hazard",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("self_inspection_id", sa.Uuid(), nullable=True),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_by", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=True),
        sa.Column("responsible_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("photos_before", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("photos_after", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("closing_note", sa.Text(), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.SmallInteger(), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_to", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at is not null)", name="ck_hazard_closing_is_dated"),
        sa.CheckConstraint("(state = 'closed') = (closing_note is not null)", name="ck_hazard_closing_is_told"),
        sa.CheckConstraint(
            "(self_inspection_id is null) = (item_id is null)", name="ck_hazard_item_is_of_self_inspection"
        ),
        sa.CheckConstraint("severity in ('minor', 'general', 'severe')", name="ck_hazard_known_severity"),
        sa.CheckConstraint("state in ('open', 'closed')", name="ck_hazard_known_state"),
        sa.CheckConstraint("escalated_at is null or severity = 'severe'", name="ck_hazard_only_severe_escalates"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_hazard_enterprise_id"),
        sa.ForeignKeyConstraint(["escalated_to"], ["department.id"], name="fk_hazard_escalated_to"),
        sa.ForeignKeyConstraint(["item_id"], ["checklist_item.id"], name="fk_hazard_item_id"),
        sa.ForeignKeyConstraint(["self_inspection_id"], ["self_inspection.id"], name="fk_hazard_self_inspection_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_hazard_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_hazard"),
        comment="隐患 (ENT-07): the enterprise's own; nobody else sees one that did not escalate",
    )
    op.create_index("ix_hazard_enterprise_id", "hazard", ["enterprise_id", "state", "due_on", "id"])
    op.create_index(
        "ix_hazard_escalated",
        "hazard",
        ["state", "escalated_at", "id"],
        postgresql_where=sa.text("escalated_at is not null"),
    )
    op.create_index(
        "ix_hazard_escalated_to",
        "hazard",
        ["escalated_to", "state", "escalated_at", "id"],
        postgresql_where=sa.text("escalated_at is not null"),
    )
    op.create_index("ix_hazard_self_inspection_id", "hazard", ["self_inspection_id"])
    op.create_index(
        "ix_hazard_to_remind",
        "hazard",
        ["reminders", "due_on"],
        postgresql_where=sa.text("state = 'open' and reminders < 2"),
    )
    op.create_table(
        "self_inspection_round",
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("after_enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("reminded", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("quarter", name="pk_self_inspection_round"),
        comment="How far the reminders of one quarter have come: whoever takes them up goes on from there",
    )


def _make_assigned_tasks() -> None:
    op.create_table(
        "assigned_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("patrol_type", sa.Text(), nullable=False),
        sa.Column("object_type", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("business_types", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("risk_levels", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("credit_grades", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("site_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("objects_chosen", sa.Integer(), nullable=True),
        sa.Column("objects_assigned", sa.Integer(), nullable=False),
        sa.Column("after_site_id", sa.Uuid(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("answered_late", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state = 'draft' or objects_chosen is not null", name="ck_assigned_task_confirmed_has_objects"
        ),
        sa.CheckConstraint("(state = 'dispatched') = (finished_at is not null)", name="ck_assigned_task_end_is_dated"),
        sa.CheckConstraint("starts_on <= ends_on", name="ck_assigned_task_ends_after_start"),
        sa.CheckConstraint(
            "state in ('draft', 'confirmed', 'dispatching', 'stopped', 'dispatched')",
            name="ck_assigned_task_known_state",
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_assigned_task_department_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assigned_task"),
        comment="交办任务, 自巡查任务组 (COG-01, COG-02): what one department asks of many enterprises, and of which",
    )
    op.create_index("ix_assigned_task_department_id", "assigned_task", ["department_id", "id"])
    op.create_index("ix_assigned_task_region", "assigned_task", ["region"], postgresql_using="gist")
    op.create_table(
        "assigned_task_row",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("requirement", sa.Text(), nullable=True),
        sa.Column("needs_photo", sa.Boolean(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["checklist_item.id"], name="fk_assigned_task_row_item_id"),
        sa.ForeignKeyConstraint(["task_id"], ["assigned_task.id"], name="fk_assigned_task_row_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assigned_task_row"),
        comment="任务清单: one row of an assigned task, unchangeable once it is confirmed",
    )
    op.create_index("ix_assigned_task_row_task_id", "assigned_task_row", ["task_id", "place"])
    op.create_table(
        "assigned_task_object",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem_count", sa.SmallInteger(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.CheckConstraint("state in ('open', 'submitted')", name="ck_assigned_task_object_known_state"),
        sa.CheckConstraint(
            "(state = 'submitted') = (submitted_at is not null)", name="ck_assigned_task_object_submission_is_dated"
        ),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_assigned_task_object_enterprise_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_assigned_task_object_site_id"),
        sa.ForeignKeyConstraint(["task_id"], ["assigned_task.id"], name="fk_assigned_task_object_task_id"),
        sa.PrimaryKeyConstraint("id", name="pk_assigned_task_object"),
        comment="巡查对象: one site that an assigned task was dispatched to",
    )
    op.create_index("ix_assigned_task_object_enterprise_id", "assigned_task_object", ["enterprise_id", "state", "id"])
    op.create_index("ix_assigned_task_object_task_id", "assigned_task_object", ["task_id", "state", "id"])
    op.create_index("uq_assigned_task_object_site", "assigned_task_object", ["task_id", "site_id"], unique=True)
    op.create_table(
        "assigned_task_answer",
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("photos", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "value in ('no_problem', 'problem', 'not_applicable')", name="ck_assigned_task_answer_known_value"
        ),
        sa.CheckConstraint(
            "value <> 'not_applicable' or reason is not null", name="ck_assigned_task_answer_not_applicable_has_reason"
        ),
        sa.ForeignKeyConstraint(["object_id"], ["assigned_task_object.id"], name="fk_assigned_task_answer_object_id"),
        sa.ForeignKeyConstraint(["row_id"], ["assigned_task_row.id"], name="fk_assigned_task_answer_row_id"),
        sa.PrimaryKeyConstraint("object_id", "row_id", name="pk_assigned_task_answer"),
        comment="反馈 of one row by one object as it stands",
    )
