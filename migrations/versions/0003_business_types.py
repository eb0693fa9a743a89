"""业态 of a site: what a manual, a checklist or a self-inspection is chosen by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column(
        "site", sa.Column("business_types", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    )
    op.create_table_comment(
        "site",
        "经营场所: coordinates in WGS-84 degrees; a polygon, where given, stands for the radius; its 业态",
        existing_comment="经营场所: coordinates in WGS-84 degrees; a polygon, where given, stands for the radius",
        schema=None,
    )
