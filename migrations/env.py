"""Alembic's environment: the connection is handed over by `api/migrate.py`."""

from __future__ import annotations

from alembic import context

from migrations import METADATA


def _is_ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """PgQueuer's tables are made by its own installer, within a revision of ours, and are not compared."""
    return not (kind == "table" and name is not None and name.startswith("pgqueuer"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=list(METADATA),
    include_object=_is_ours,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
