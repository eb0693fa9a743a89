"""Tables of deadlines with their stages, of supervision orders, and of days laid over the calendar."""

from __future__ import annotations

import enum

import sqlalchemy as sa

from domain.deadline.model import DeadlineKind, DeadlineStage, OrderSource, SupervisionState, SupervisionStep
from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata


def _one_of(column: str, values: type[enum.StrEnum]) -> str:
    return f"{column} in ({', '.join(repr(each.value) for each in values)})"


calendar_day = sa.Table(
    "calendar_day",
    metadata,
    sa.Column("on", sa.Date, primary_key=True),
    sa.Column("is_working", sa.Boolean, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    # The calendar's edition is the greatest of them: every process compares it with the one that it counts by.
    sa.Column("edition", sa.Integer, nullable=False, index=True),
    instant("set_at"),
    comment="日历调整: days that are worked or free whatever the notices known to the library say",
)

deadline = sa.Table(
    "deadline",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Uuid, nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("region", Ltree, nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=True),
    sa.Column("inspection_id", sa.Uuid, nullable=True),
    sa.Column("account_id", sa.Uuid, nullable=True),
    sa.Column("officers", sa.ARRAY(sa.Uuid), nullable=False),
    sa.Column("superior_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=True),
    sa.Column("due_on", sa.Date, nullable=False),
    instant("set_at"),
    instant("closed_at", nullable=True),
    sa.Column("stage", sa.Text, nullable=True),
    sa.Column("level", sa.SmallInteger, nullable=True),
    instant("next_stage_at", nullable=True),
    sa.Column("calendar_edition", sa.Integer, nullable=False),
    sa.CheckConstraint(_one_of("kind", DeadlineKind), name="known_kind"),
    sa.CheckConstraint(_one_of("stage", DeadlineStage), name="known_stage"),
    sa.CheckConstraint("level between 1 and 4", name="known_level"),
    sa.CheckConstraint("(stage is null) = (level is null)", name="stage_has_level"),
    sa.Index("uq_deadline_subject", "subject_id", "kind", unique=True),
    sa.Index(
        "ix_deadline_next_stage",
        "next_stage_at",
        "id",
        postgresql_where=sa.text("closed_at is null and next_stage_at is not null"),
    ),
    sa.Index("ix_deadline_calendar", "calendar_edition", "id", postgresql_where=sa.text("closed_at is null")),
    sa.Index("ix_deadline_department", "department_id", "due_on", "id", postgresql_where=sa.text("closed_at is null")),
    sa.Index("ix_deadline_due", "due_on", "id", postgresql_where=sa.text("closed_at is null")),
    sa.Index(
        "ix_deadline_warning",
        "level",
        "due_on",
        "id",
        postgresql_where=sa.text("closed_at is null and level < 4"),
    ),
    sa.Index("ix_deadline_officers", "officers", postgresql_using="gin", postgresql_where=sa.text("closed_at is null")),
    sa.Index("ix_deadline_region", "region", postgresql_using="gist", postgresql_where=sa.text("closed_at is null")),
    sa.Index("ix_deadline_inspection", "inspection_id", postgresql_where=sa.text("inspection_id is not null")),
    comment="期限 of one matter: kept by what happens to it, warned of by the sweep (D4, D13)",
)

deadline_stage = sa.Table(
    "deadline_stage",
    metadata,
    sa.Column("deadline_id", sa.Uuid, sa.ForeignKey("deadline.id"), primary_key=True),
    sa.Column("due_on", sa.Date, primary_key=True),
    sa.Column("stage", sa.Text, primary_key=True),
    sa.Column("is_skipped", sa.Boolean, nullable=False),
    instant("reached_at"),
    sa.CheckConstraint(_one_of("stage", DeadlineStage), name="known_stage"),
    comment="Each stage of each due day once: with its row stand its event and its messages, or none of them",
)

supervision_order = sa.Table(
    "supervision_order",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("deadline_id", sa.Uuid, sa.ForeignKey("deadline.id"), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    # Written out beside the state: both lists are index scans over what is open.
    sa.Column("is_open", sa.Boolean, nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("superior_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("region", Ltree, nullable=False),
    sa.Column("account_id", sa.Uuid, nullable=True),
    sa.Column("officers", sa.ARRAY(sa.Uuid), nullable=False),
    sa.Column("issued_by", sa.Uuid, nullable=True),
    instant("issued_at"),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("answered_by", sa.Uuid, nullable=True),
    instant("ended_at", nullable=True),
    sa.CheckConstraint(_one_of("source", OrderSource), name="known_source"),
    sa.CheckConstraint(_one_of("state", SupervisionState), name="known_state"),
    sa.CheckConstraint("is_open = (state not in ('accepted', 'settled'))", name="open_as_state_says"),
    sa.CheckConstraint("is_open = (ended_at is null)", name="end_is_dated"),
    sa.Index("uq_supervision_order_open", "deadline_id", unique=True, postgresql_where=sa.text("is_open")),
    sa.Index("ix_supervision_order_deadline", "deadline_id", "issued_at"),
    sa.Index("ix_supervision_order_department", "department_id", "is_open", "due_on", "id"),
    sa.Index("ix_supervision_order_superior", "superior_id", "is_open", "due_on", "id"),
    sa.Index("ix_supervision_order_due", "is_open", "due_on", "id"),
    sa.Index("ix_supervision_order_officers", "officers", postgresql_using="gin"),
    comment="督办单 (D4, POST-03): from a superior to whoever lets a matter lie, to be answered in 2 working days",
)

supervision_step = sa.Table(
    "supervision_step",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("order_id", sa.Uuid, sa.ForeignKey("supervision_order.id"), nullable=False, index=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("words_sealed", sa.LargeBinary, nullable=True),
    sa.Column("account_id", sa.Uuid, nullable=True),
    instant("done_at"),
    # Lines of one instant stand in the order in which they were written.
    sa.Column("n", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.CheckConstraint(_one_of("step", SupervisionStep), name="known_step"),
    comment="Course of a 督办单: demand, answers and judgements, their words sealed",
)
