"""Hands a consumer's 投诉 over to 全国12315, after it was committed and at least once."""

from __future__ import annotations

from uuid import UUID

from api.wiring import Parts
from api.work import database_refusals
from domain.complaint.grievance_store import STORES
from domain.complaint.keeping import open_narrative, open_person
from domain.complaint.model import GrievanceKind
from domain.complaint.ports import ConsumerMatter
from domain.complaint.store import MARK_HANDED_OVER, PLACE_BY_ID
from domain.shared.sql import borrow


async def hand_over_complaint(parts: Parts, subject: bytes) -> None:
    """Hand over the 投诉 of that id; where the port takes nothing over, nothing happens. Raises `GatewayAway`."""
    store, complaint_id = STORES[GrievanceKind.COMPLAINT], UUID(bytes=subject)
    async with parts.work.reading() as connection:
        found = await store.by_id.one(connection, grievance_id=complaint_id)
        place = await PLACE_BY_ID.one(connection, site_id=found.site_id)
    person = open_person(parts.vault, store, found.person_sealed)
    narrative = open_narrative(parts.vault, store, found)
    if person is None or not found.is_open:
        return
    reference = await parts.consumer_complaints.hand_over(
        ConsumerMatter(
            id=found.id,
            type=found.type,
            filed_at=found.filed_at,
            uscc=place.uscc,
            enterprise_name=place.enterprise_name,
            description=narrative.description,
            wish=narrative.wish,
            complainant_name=person.name,
            complainant_phone=person.phone,
        )
    )
    if reference is not None:
        async with database_refusals(), borrow(parts.pool) as connection:
            await MARK_HANDED_OVER.run(connection, of_grievance=found.id, reference=reference)
