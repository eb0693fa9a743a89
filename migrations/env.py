"""Alembic's environment: the connection is handed over by `api/migrate.py`."""

from __future__ import annotations

from alembic import context

from migrations import METADATA, is_ours

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=list(METADATA),
    include_object=is_ours,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
