"""Passes of citizens, verified phones, limits, and files handed in outside of an inspection."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
