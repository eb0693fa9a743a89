"""浏览次数 (MAN-09): counted in memory and added up every few seconds, so that a read writes nothing.

A process that is killed loses what it counted since it last wrote: ten seconds of views, and never more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from uuid import UUID

from api.auth import STAFF
from api.work import DatabaseAway, InProgress, database_refusals
from domain.identity.model import Principal
from domain.manual.store import ADD_VIEWS
from domain.shared.sql import Pool, borrow

FLUSH_EVERY = 10.0
"""Seconds between two writings."""
_logger = logging.getLogger(__name__)


class ViewCounts:
    """What one process has seen being read since it last wrote."""

    def __init__(self, pool: Pool) -> None:
        """Begin with nothing; only ids of manuals that were found are counted, so it stays as small as the desk."""
        self._pool = pool
        self._public: Counter[UUID] = Counter()
        self._staff: Counter[UUID] = Counter()

    def count(self, manual_id: UUID, reader: Principal | None) -> None:
        """One more view, by staff or else by the public, of which enterprises are part."""
        is_staff = reader is not None and reader.role in STAFF
        (self._staff if is_staff else self._public)[manual_id] += 1

    async def flush(self) -> int:
        """Add what was counted to the stored figures, in one statement; gives how many views. On failure it is kept."""
        public, staff = self._public, self._staff
        self._public, self._staff = Counter(), Counter()
        manuals = sorted({*public, *staff})
        if not manuals:
            return 0
        try:
            async with database_refusals(), borrow(self._pool) as connection:
                await ADD_VIEWS.run(
                    connection,
                    manuals=manuals,
                    publics=[public[each] for each in manuals],
                    staffs=[staff[each] for each in manuals],
                )
        except BaseException:
            self._public.update(public)
            self._staff.update(staff)
            raise
        return public.total() + staff.total()

    async def run(self) -> None:
        """Write every few seconds until cancelled; a database that is away is waited for."""
        while True:
            await asyncio.sleep(FLUSH_EVERY)
            try:
                await self.flush()
            except (DatabaseAway, InProgress):
                _logger.warning("views are not written now; the database is away")

    async def close(self) -> None:
        """What is left, at the end; without a database it is lost."""
        with suppress(DatabaseAway, InProgress):
            await self.flush()
