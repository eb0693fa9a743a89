"""Performs what committed acts left to be done: each chore at least once, one failure never in the way of another."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from api.complaint_handover import hand_over_complaint
from api.evidence_copies import copy_evidence
from api.paper_rendering import render_document
from api.self_inspection_rounds import assign_task
from api.stickers.poster_batches import draw_posters
from api.wiring import Parts
from api.work import DatabaseAway, InProgress, database_refusals
from domain.shared import chores
from domain.shared.chores import ChoreKind
from domain.shared.sql import borrow

ATTEMPTS = 12
"""After so many failures a chore is given up, visibly: `state` says abandoned, `last_error` why."""
_logger = logging.getLogger(__name__)

Performance = Callable[[Parts, bytes], Awaitable[None]]

PERFORMANCES: Mapping[ChoreKind, Performance] = {
    ChoreKind.RENDER_DOCUMENT: render_document,
    ChoreKind.COPY_EVIDENCE: copy_evidence,
    ChoreKind.ASSIGN_TASK: assign_task,
    ChoreKind.HAND_OVER_COMPLAINT: hand_over_complaint,
    ChoreKind.DRAW_POSTERS: draw_posters,
}
"""How each kind is performed. Raising means: again later."""


async def perform_chore(
    parts: Parts, chore_id: UUID, performances: Mapping[ChoreKind, Performance] = PERFORMANCES
) -> bool:
    """Perform one waiting chore; False when it is to be tried again later.

    No transaction is open meanwhile: rendering takes seconds, and an open one would hold the relay's horizon. Two
    workers may thus perform the same chore at once, which each kind bears.
    """
    async with database_refusals(), borrow(parts.pool) as connection:
        chore = await chores.WAITING_CHORE.first(connection, id=chore_id)
    if chore is None:
        return True
    try:
        await performances[chore.kind](parts, chore.subject)
    except (DatabaseAway, InProgress):
        return False
    except Exception as failure:  # noqa: BLE001 - whatever it is, it is kept in the row and tried again
        return await _fail(parts, chore, failure)
    async with database_refusals(), borrow(parts.pool) as connection:
        await chores.MARK_CHORE_DONE.run(connection, chore_id=chore.id, now=parts.clock())
    return True


async def _fail(parts: Parts, chore: chores.StoredChore, failure: Exception) -> bool:
    given_up = chore.attempts + 1 >= ATTEMPTS
    _logger.warning("chore %s %s: %s", chore.kind, chore.id, type(failure).__name__, exc_info=failure)
    async with database_refusals(), borrow(parts.pool) as connection:
        await chores.MARK_CHORE_FAILED.run(
            connection,
            chore_id=chore.id,
            state_after="abandoned" if given_up else "waiting",
            error=f"{type(failure).__name__}: {failure}"[:500],
        )
    return given_up
