"""Who acts for which department of an inspection: the one question that every act of an officer begins with."""

from __future__ import annotations

from uuid import UUID

from domain.inspection import rules, store
from domain.inspection.model import AssignedOfficer, Inspection
from domain.shared.errors import NotFound
from domain.shared.transaction import Transaction


async def lock_inspection(tx: Transaction, inspection_id: UUID) -> Inspection:
    """The inspection, locked until the end of the transaction. Raises `NotFound`."""
    inspection = await store.LOCK_INSPECTION.first(tx.connection, inspection_id=inspection_id)
    if inspection is None:
        raise NotFound("没有该检查任务。")
    return inspection


async def find_post(tx: Transaction, officer_id: UUID, inspection_id: UUID) -> AssignedOfficer:
    """The officer in their post there, as of the act. Raises `NotAssigned`."""
    assigned = await store.ASSIGNED_OFFICERS.all(tx.connection, inspection_id=inspection_id, as_of=tx.done_at)
    mine = next((each for each in assigned if each.id == officer_id), None)
    if mine is None:
        raise rules.NotAssigned("你不是该检查任务的执法人员。")
    return mine


async def lock_own(tx: Transaction, officer_id: UUID, inspection_id: UUID) -> tuple[Inspection, AssignedOfficer]:
    """The inspection, locked, and the officer in their post there. Raises `NotFound` or `NotAssigned`."""
    inspection = await lock_inspection(tx, inspection_id)
    return inspection, await find_post(tx, officer_id, inspection_id)
