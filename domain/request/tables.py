"""Tables of enterprise requests (诉求上报)."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata

enterprise_request = sa.Table(
    "enterprise_request",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("region", Ltree, nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("urgency", sa.Text, nullable=False),
    sa.Column("submitter_sealed", sa.LargeBinary, nullable=False),
    sa.Column("contact_sealed", sa.LargeBinary, nullable=False),
    sa.Column("description_sealed", sa.LargeBinary, nullable=False),
    sa.Column("submitted_by", sa.Uuid, nullable=False),
    instant("submitted_at"),
    sa.Column("due_on", sa.Date, nullable=False),
    instant("answered_at", nullable=True),
    instant("ended_at", nullable=True),
    sa.CheckConstraint(
        "state in ('submitted', 'accepted', 'answered', 'closed', 'returned', 'withdrawn')", name="known_state"
    ),
    sa.CheckConstraint(
        "category in ('consultation', 'difficulty', 'suggestion', 'enforcement', 'service', 'other')",
        name="known_category",
    ),
    sa.CheckConstraint("urgency in ('normal', 'urgent', 'critical')", name="known_urgency"),
    sa.CheckConstraint("(state in ('closed', 'withdrawn')) = (ended_at is not null)", name="end_is_dated"),
    sa.Index("ix_enterprise_request_department", "department_id", "state", "due_on", "id"),
    sa.Index("ix_enterprise_request_state_due", "state", "due_on", "id"),
    sa.Index("ix_enterprise_request_enterprise", "enterprise_id", "id"),
    comment="诉求 (PUB-16, ENT-04): who sent it, how to reach them and what they wrote are sealed",
)

request_step = sa.Table(
    "request_step",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("request_id", sa.Uuid, sa.ForeignKey("enterprise_request.id"), nullable=False, index=True),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("words_sealed", sa.LargeBinary, nullable=True),
    sa.Column("done_by", sa.Uuid, nullable=False),
    instant("done_at"),
    sa.CheckConstraint(
        "step in ('submit', 'accept', 'answer', 'return', 'transfer', 'close', 'supplement', 'confirm', 'withdraw')",
        name="known_step",
    ),
    comment="办理经过 of a request, as its enterprise reads it; the words of either side are sealed",
)
