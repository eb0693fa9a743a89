"""What the inbox and the desk of messages find by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_DEAD = "state in ('abandoned', 'failed')"
_INDEXES = (
    ("ix_message_inbox", "message", ["recipient_id", "id"], "channel = 'in_app'"),
    ("ix_message_to_do", "message", ["recipient_id", "id"], "is_to_do and closed_at is null"),
    ("ix_message_dead_department", "message", ["department_id", "id"], _DEAD),
    ("ix_message_dead_region", "message", ["region", "id"], _DEAD),
    ("ix_address_block_standing", "address_block", ["id"], "lifted_at is null"),
    ("ix_address_block_standing_kind", "address_block", ["kind", "id"], "lifted_at is null"),
)


def upgrade() -> None:
    """The site that a message is about, how far an account has read, and indexes."""
    op.add_column("message", sa.Column("site_id", sa.Uuid(), nullable=True))
    op.create_table(
        "message_mark",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("read_to", sa.Uuid(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
        comment="全部已读: up to which message an account has read everything",
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON message_mark TO yima_app")
    for name, table, columns, condition in _INDEXES:
        op.create_index(name, table, columns, unique=False, postgresql_where=sa.text(condition))
