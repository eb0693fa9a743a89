"""An index for the picture with which the live feed begins: the visits of today, out of those of all years."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_visit_arrived_at", "visit", ["arrived_at", "id"], postgresql_where=sa.text("voided_at is null"))
