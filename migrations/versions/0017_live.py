"""Indexes for the picture with which the live feed begins: the visits of today, and the warnings that stand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_visit_arrived_at", "visit", ["arrived_at", "id"], postgresql_where=sa.text("voided_at is null"))
    op.create_index(
        "ix_deadline_warning",
        "deadline",
        ["level", "due_on", "id"],
        postgresql_where=sa.text("closed_at is null and level < 4"),
    )
