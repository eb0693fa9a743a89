"""Results and their publication, as much as a test needs of what comes before: an inspection that is completed."""

from __future__ import annotations

from uuid import UUID

from domain.publication.operations import open_publication, publish_due
from domain.shared.sql import borrow
from domain.shared.transaction import Outcome, Transaction
from tests.support.client import Api
from tests.support.factories import INSTALLATION, World


async def complete(
    api: Api, world: World, inspection: UUID | None = None, *, days: int = 5, outcome: str = "ordered_to_rectify"
) -> UUID:
    """The inspection is completed, and its publication opened in the same transaction; gives the publication's id."""
    which = inspection or world.inspection

    async def operation(tx: Transaction) -> Outcome[None]:
        await tx.connection.execute(
            "UPDATE inspection SET state = 'completed', completed_at = $1, outcome = $2 WHERE id = $3",
            tx.now,
            outcome,
            which,
        )
        events = await open_publication(
            tx,
            inspection_id=which,
            enterprise_id=world.enterprise.id,
            site_id=world.site.id,
            region=world.site.region,
            department_id=world.market.id,
            completed_at=tx.now,
            embargo_working_days=days,
        )
        return Outcome(answer=None, events=events)

    await api.parts.work.run(INSTALLATION, operation)
    async with borrow(api.parts.pool) as connection:
        return await connection.fetchval("SELECT id FROM publication WHERE inspection_id = $1", which)  # type: ignore[attr-defined]


async def publish(api: Api, limit: int = 100) -> int:
    """What the worker does every few seconds."""
    return await api.parts.work.run(INSTALLATION, lambda tx: publish_due(tx, limit))
