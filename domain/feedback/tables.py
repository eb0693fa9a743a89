"""Table of feedback."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import instant, metadata

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("about_id", sa.Uuid, nullable=False),
    sa.Column("about_name", sa.Text, nullable=False),
    sa.Column("item_code", sa.Text, nullable=True),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("text_sealed", sa.LargeBinary, nullable=False),
    sa.Column("code_index", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=True),
    sa.Column("state", sa.Text, nullable=False),
    instant("given_at"),
    sa.Column("answer", sa.Text, nullable=True),
    sa.Column("answered_by", sa.Uuid, nullable=True),
    instant("answered_at", nullable=True),
    sa.CheckConstraint("kind in ('question', 'suggestion')", name="known_kind"),
    sa.CheckConstraint("about in ('checklist', 'manual')", name="known_about"),
    sa.CheckConstraint("state in ('open', 'answered')", name="known_state"),
    sa.CheckConstraint("(state = 'answered') = (answer is not null)", name="answered_has_answer"),
    sa.CheckConstraint("(answer is null) = (answered_at is null)", name="answer_is_dated"),
    sa.Index("ix_feedback_department", "department_id", "state", "id"),
    comment="信息反馈 (PUB-08) on a checklist, one of its items or a manual; what was written is sealed",
)
