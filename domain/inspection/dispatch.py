"""任务分发: an approved inspection reaches the officers who carry it out."""

from __future__ import annotations

from uuid import UUID

import msgspec

from domain.inspection import store
from domain.inspection.events import DispatchedFacts, InspectionDispatched
from domain.inspection.model import DispatchOrder
from domain.shared.numbers import NumberKind, NumberRequest
from domain.shared.transaction import Outcome, Transaction


async def dispatch_inspection(tx: Transaction, order: DispatchOrder) -> Outcome[UUID]:
    """任务分发: the inspection with its parties, officers, and the numbers of the task and of its 检查通知书."""
    inspection_id = tx.new_id()
    lead = order.parties[0]
    fields = msgspec.structs.asdict(order)
    del fields["parties"]
    await store.INSERT_INSPECTION.run(
        tx.connection,
        **fields,
        id=inspection_id,
        state="pending",
        outcome=None,
        completed_at=None,
        checklist_version_id=None,
        list_digest=None,
        nonce=None,
        initiating_department_id=lead.department_id,
        created_at=tx.now,
    )
    await store.INSERT_PARTY.run_many(
        tx.connection,
        [
            {"inspection_id": inspection_id, "department_id": party.department_id, "is_lead": party is lead}
            for party in order.parties
        ],
    )
    assigned = [
        {"inspection_id": inspection_id, "officer_id": officer_id, "department_id": party.department_id}
        for party in order.parties
        for officer_id in party.officer_ids
    ]
    await store.INSERT_OFFICER.run_many(tx.connection, assigned)
    event = InspectionDispatched(
        subject_id=inspection_id,
        department_id=lead.department_id,
        region=order.region,
        site_id=order.site_id,
        after=DispatchedFacts(
            name=order.name,
            kind=order.kind,
            starts_on=order.starts_on,
            due_on=order.due_on,
            officers=[row["officer_id"] for row in assigned],
        ),
    )
    numbers = tuple(
        NumberRequest(department_code=lead.department_code, kind=kind, subject_id=inspection_id)
        for kind in (NumberKind.INSPECTION, NumberKind.NOTICE)
    )
    return Outcome(answer=inspection_id, events=(event,), numbers=numbers)
