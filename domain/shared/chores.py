"""What the worker has to do for a committed act, written with the act and done after it, at least once."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.shared.sql import Command, Query, uuid_list
from domain.shared.tables import chore


class ChoreKind(enum.StrEnum):
    """What is to be done; each may be done twice without harm."""

    RENDER_DOCUMENT = "render_document"
    COPY_EVIDENCE = "copy_evidence"
    ASSIGN_TASK = "assign_task"
    HAND_OVER_COMPLAINT = "hand_over_complaint"
    DRAW_POSTERS = "draw_posters"


class Chore(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do, to the paper or the file that `subject` names."""

    kind: ChoreKind
    subject: bytes


class StoredChore(Chore, frozen=True, kw_only=True):
    """A chore as it waits."""

    id: UUID
    attempts: int


class ChoreId(msgspec.Struct, frozen=True):
    """Only its id."""

    id: UUID


INSERT_CHORE = Command(
    sa.insert(chore).values({name: sa.bindparam(name) for name in ("id", "trace_id", "kind", "subject", "created_at")})
)
CHORES_OF_TRACES = Query(
    sa.select(chore.c.id).where(chore.c.trace_id == sa.any_(uuid_list("traces")), chore.c.state == "waiting"), ChoreId
)
WAITING_CHORE = Query(
    sa.select(*[chore.c[name] for name in StoredChore.__struct_fields__]).where(
        chore.c.id == sa.bindparam("id"), chore.c.state == "waiting"
    ),
    StoredChore,
)
MARK_CHORE_DONE = Command(
    sa.update(chore)
    .where(chore.c.id == sa.bindparam("chore_id"), chore.c.state == "waiting")
    .values(state="done", attempts=chore.c.attempts + 1, done_at=sa.bindparam("now"), last_error=None)
)
MARK_CHORE_FAILED = Command(
    sa.update(chore)
    .where(chore.c.id == sa.bindparam("chore_id"), chore.c.state == "waiting")
    .values(state=sa.bindparam("state_after"), attempts=chore.c.attempts + 1, last_error=sa.bindparam("error"))
)


def insert_arguments(chores: Sequence[tuple[UUID, UUID, Chore]], created_at: datetime) -> list[dict[str, object]]:
    """Rows for `INSERT_CHORE` out of (id, trace id, chore)."""
    return [
        {"id": chore_id, "trace_id": trace_id, "kind": each.kind, "subject": each.subject, "created_at": created_at}
        for chore_id, trace_id, each in chores
    ]
