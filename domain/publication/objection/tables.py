"""Table of objections (结果异议)."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata

objection = sa.Table(
    "objection",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("publication_id", sa.Uuid, sa.ForeignKey("publication.id"), nullable=False, index=True),
    sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspection.id"), nullable=False),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("region", Ltree, nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reasons_sealed", sa.LargeBinary, nullable=False),
    sa.Column("filed_by", sa.Uuid, nullable=False),
    instant("filed_at"),
    instant("due_at"),
    sa.Column("decided_by", sa.Uuid, nullable=True),
    sa.Column("decision", sa.Text, nullable=True),
    instant("ended_at", nullable=True),
    sa.CheckConstraint("state in ('open', 'upheld', 'partly_upheld', 'rejected', 'withdrawn')", name="known_state"),
    sa.CheckConstraint("(state = 'open') = (ended_at is null)", name="end_is_dated"),
    sa.CheckConstraint(
        "(state in ('upheld', 'partly_upheld', 'rejected')) = (decision is not null)", name="decision_has_reason"
    ),
    sa.CheckConstraint("(decision is null) = (decided_by is null)", name="decision_has_decider"),
    sa.Index("uq_objection_open", "publication_id", unique=True, postgresql_where=sa.text("state = 'open'")),
    sa.Index("ix_objection_department", "department_id", "state", "due_at", "id"),
    sa.Index("ix_objection_state_due", "state", "due_at", "id"),
    sa.Index("ix_objection_enterprise", "enterprise_id", "state", "due_at", "id"),
    comment="结果异议 (D10): one open at a time, decided by an officer who was not there",
)
