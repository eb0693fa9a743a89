"""Deadlines, their stages, supervision orders, and days of the calendar."""

# ruff: noqa: S608 - what is put into a statement stands in this file

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from domain.shared.sql import Ltree

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NEW = ("calendar_day", "deadline", "deadline_stage", "supervision_order", "supervision_step")
_KINDS = (
    "kind in ('complaint', 'tip_off', 'enterprise_request', 'objection', 'rectification', 're_inspection', "
    "'inspection', 'supervision_order')"
)
_STAGES = "stage in ('due_soon', 'first_warning', 'second_warning', 'order_unanswered')"


def upgrade() -> None:
    """Make the tables, and set a deadline for everything that is open."""
    _make_deadlines()
    _make_orders()
    op.create_index(
        "ix_account_department_id",
        "account",
        ["department_id"],
        unique=False,
        postgresql_where=sa.text("department_id is not null"),
    )
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")
    _set_what_is_open()
    # What a complaint was warned of stands in the stages from now on.
    for table in ("complaint", "tip_off"):
        op.drop_column(table, "soon_warned_on")
        op.drop_column(table, "overdue_warned_on")


def _make_deadlines() -> None:
    op.create_table(
        "calendar_day",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("is_working", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("on", name="pk_calendar_day"),
        comment="日历调整: days that are worked or free whatever the notices known to the library say",
    )
    op.create_index("ix_calendar_day_edition", "calendar_day", ["edition"], unique=False)
    op.create_table(
        "deadline",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("enterprise_id", sa.Uuid(), nullable=True),
        sa.Column("inspection_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("officers", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("superior_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=True),
        sa.Column("next_stage_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calendar_edition", sa.Integer(), nullable=False),
        sa.CheckConstraint(_KINDS, name="ck_deadline_known_kind"),
        sa.CheckConstraint(_STAGES, name="ck_deadline_known_stage"),
        sa.CheckConstraint("level between 1 and 4", name="ck_deadline_known_level"),
        sa.CheckConstraint("(stage is null) = (level is null)", name="ck_deadline_stage_has_level"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_deadline_department_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_deadline_enterprise_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_deadline_site_id"),
        sa.ForeignKeyConstraint(["superior_id"], ["department.id"], name="fk_deadline_superior_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deadline"),
        comment="期限 of one matter: kept by what happens to it, warned of by the sweep (D4, D13)",
    )
    is_open = sa.text("closed_at is null")
    op.create_index("uq_deadline_subject", "deadline", ["subject_id", "kind"], unique=True)
    op.create_index(
        "ix_deadline_next_stage",
        "deadline",
        ["next_stage_at", "id"],
        unique=False,
        postgresql_where=sa.text("closed_at is null and next_stage_at is not null"),
    )
    op.create_index(
        "ix_deadline_calendar", "deadline", ["calendar_edition", "id"], unique=False, postgresql_where=is_open
    )
    op.create_index(
        "ix_deadline_department",
        "deadline",
        ["department_id", "due_on", "id"],
        unique=False,
        postgresql_where=is_open,
    )
    op.create_index("ix_deadline_due", "deadline", ["due_on", "id"], unique=False, postgresql_where=is_open)
    op.create_index(
        "ix_deadline_officers",
        "deadline",
        ["officers"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=is_open,
    )
    op.create_index(
        "ix_deadline_region", "deadline", ["region"], unique=False, postgresql_using="gist", postgresql_where=is_open
    )
    op.create_index(
        "ix_deadline_inspection",
        "deadline",
        ["inspection_id"],
        unique=False,
        postgresql_where=sa.text("inspection_id is not null"),
    )
    op.create_table(
        "deadline_stage",
        sa.Column("deadline_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("is_skipped", sa.Boolean(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(_STAGES, name="ck_deadline_stage_known_stage"),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadline.id"], name="fk_deadline_stage_deadline_id"),
        sa.PrimaryKeyConstraint("deadline_id", "due_on", "stage", name="pk_deadline_stage"),
        comment="Each stage of each due day once: with its row stand its event and its messages, or none of them",
    )


def _make_orders() -> None:
    op.create_table(
        "supervision_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deadline_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("superior_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("officers", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("source in ('second_warning', 'by_hand')", name="ck_supervision_order_known_source"),
        sa.CheckConstraint(
            "state in ('open', 'answered', 'returned', 'accepted', 'settled')", name="ck_supervision_order_known_state"
        ),
        sa.CheckConstraint(
            "is_open = (state not in ('accepted', 'settled'))", name="ck_supervision_order_open_as_state_says"
        ),
        sa.CheckConstraint("is_open = (ended_at is null)", name="ck_supervision_order_end_is_dated"),
        sa.ForeignKeyConstraint(["deadline_id"], ["deadline.id"], name="fk_supervision_order_deadline_id"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_supervision_order_department_id"),
        sa.ForeignKeyConstraint(["superior_id"], ["department.id"], name="fk_supervision_order_superior_id"),
        sa.PrimaryKeyConstraint("id", name="pk_supervision_order"),
        comment="督办单 (D4, POST-03): from a superior to whoever lets a matter lie, to be answered in 2 working days",
    )
    op.create_index(
        "uq_supervision_order_open",
        "supervision_order",
        ["deadline_id"],
        unique=True,
        postgresql_where=sa.text("is_open"),
    )
    for name, columns in (
        ("ix_supervision_order_deadline", ["deadline_id", "issued_at"]),
        ("ix_supervision_order_department", ["department_id", "is_open", "due_on", "id"]),
        ("ix_supervision_order_superior", ["superior_id", "is_open", "due_on", "id"]),
        ("ix_supervision_order_due", ["is_open", "due_on", "id"]),
    ):
        op.create_index(name, "supervision_order", columns, unique=False)
    op.create_index(
        "ix_supervision_order_officers", "supervision_order", ["officers"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "supervision_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.CheckConstraint(
            "step in ('issue', 'answer', 'return', 'accept', 'settle')", name="ck_supervision_step_known_step"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["supervision_order.id"], name="fk_supervision_step_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_supervision_step"),
        comment="Course of a 督办单: demand, answers and judgements, their words sealed",
    )
    op.create_index("ix_supervision_step_order_id", "supervision_step", ["order_id"], unique=False)


# ---- what is open already: the first sweep looks at each once

_INTO = (
    "INSERT INTO deadline (id, kind, subject_id, department_id, region, site_id, enterprise_id, inspection_id, "
    "account_id, officers, due_on, set_at, next_stage_at, calendar_edition) "
)
_OFFICERS = (
    "coalesce((SELECT array_agg(o.officer_id ORDER BY o.officer_id) FROM inspection_officer o "
    "WHERE o.inspection_id = {inspection}{of_department}), '{{}}')"
)
_PLANNED = "now(), now(), 0"


def _set_what_is_open() -> None:
    for table in ("complaint", "tip_off"):
        op.execute(
            f"{_INTO} SELECT gen_random_uuid(), '{table}', id, department_id, region, site_id, NULL, NULL, handler_id, "
            f"'{{}}', due_on, {_PLANNED} FROM {table} WHERE is_open AND leading_id IS NULL"
        )
        _keep_what_was_told(table, "soon_warned_on", "due_soon")
        _keep_what_was_told(table, "overdue_warned_on", "first_warning")
    op.execute(
        f"{_INTO} SELECT gen_random_uuid(), 'enterprise_request', id, department_id, region, site_id, NULL, NULL, "
        f"NULL, '{{}}', due_on, {_PLANNED} FROM enterprise_request WHERE state IN ('submitted', 'accepted')"
    )
    op.execute(
        f"{_INTO} SELECT gen_random_uuid(), 'objection', id, department_id, region, site_id, NULL, inspection_id, "
        "NULL, '{}', ((due_at - interval '1 microsecond') AT TIME ZONE 'Asia/Shanghai')::date, "
        f"{_PLANNED} FROM objection WHERE state = 'open'"
    )
    of_order = _OFFICERS.format(inspection="r.inspection_id", of_department=" AND o.department_id = r.department_id")
    for kind, due_on, is_due in (
        ("rectification", "due_on", "state = 'to_rectify' AND served_on <= due_on"),
        ("re_inspection", "re_inspection_due_on", "state IN ('to_rectify', 'fed_back')"),
    ):
        op.execute(
            f"{_INTO} SELECT gen_random_uuid(), '{kind}', id, department_id, region, site_id, enterprise_id, "
            f"inspection_id, NULL, {of_order}, {due_on}, {_PLANNED} FROM rectification_order r WHERE {is_due}"
        )
    officers = _OFFICERS.format(inspection="i.id", of_department="")
    op.execute(
        f"{_INTO} SELECT gen_random_uuid(), 'inspection', id, initiating_department_id, region, site_id, NULL, id, "
        f"NULL, {officers}, due_on, {_PLANNED} FROM inspection i WHERE state = 'pending'"
    )


def _keep_what_was_told(table: str, column: str, stage: str) -> None:
    op.execute(
        "INSERT INTO deadline_stage (deadline_id, due_on, stage, is_skipped, reached_at) "
        f"SELECT d.id, d.due_on, '{stage}', false, now() FROM deadline d "
        f"JOIN {table} g ON g.id = d.subject_id AND d.kind = '{table}' WHERE g.{column} = d.due_on"
    )
