"""Table of the scenes (TOP-01)."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import metadata

scene = sa.Table(
    "scene",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("place", sa.SmallInteger, nullable=False),
    comment="场景: the 35 fields of cross-department supervision",
)
