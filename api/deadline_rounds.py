"""期限预警: the one sweep over everything that is due, by the working calendar as the database has it now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from api.register import INSTALLATION
from api.wiring import Parts
from api.working_calendar import refresh_calendar
from domain.deadline.operations import plan_anew, warn_of_deadlines
from domain.shared.transaction import Outcome, Transaction

AT_ONCE: Final = 100
"""So many deadlines a transaction: whoever acts on one of them waits for no longer than that takes."""


async def sweep_deadlines(parts: Parts, at_once: int = AT_ONCE) -> int:
    """Tell of every stage that has come, each once; gives how many deadlines were looked at.

    Any number of these may run at once, and each may stop anywhere: a stage's row, its event and its messages are one
    transaction over rows that are locked, and what another holds is left to that one.
    """
    await refresh_calendar(parts.pool)
    await _until_none_is_left(parts, plan_anew, at_once)
    return await _until_none_is_left(parts, warn_of_deadlines, at_once)


async def _until_none_is_left(
    parts: Parts, step: Callable[[Transaction, int], Awaitable[Outcome[int]]], at_once: int
) -> int:
    seen, found = 0, at_once
    while found == at_once:
        found = await parts.work.run(INSTALLATION, lambda tx: step(tx, at_once))
        seen += found
    return seen
