"""The demonstration's history: a year of finished inspections, numbered and public."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from api.demo.register import DemoRegister
from api.demo.visits import PastInspection
from api.settings import EMBARGO_WORKING_DAYS
from domain.inspection import store as inspections
from domain.publication import rules as publication_rules
from domain.publication.model import Publication, PublicationState
from domain.publication.store import INSERT_PUBLICATION
from domain.shared.clock import local_date
from domain.shared.numbers import NumberKind
from domain.shared.sql import Command
from domain.shared.tables import issued_number, number_counter
from domain.shared.transaction import Transaction


async def insert_rows(tx: Transaction, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns; the others stay empty."""
    statement = sa.insert(table).values({name: sa.bindparam(name) for name in rows[0]})
    await Command(statement).run_many(tx.connection, rows)


async def insert_past(tx: Transaction, past: Sequence[PastInspection], register: DemoRegister) -> None:
    """Inspections as they stand after completion, an act of its own that is not done over for a demonstration."""
    ids = [tx.new_id() for _ in past]
    rows = [_past_row(each, inspection_id) for each, inspection_id in zip(past, ids, strict=True)]
    await inspections.INSERT_INSPECTION.run_many(tx.connection, rows)
    parties = [
        {"inspection_id": inspection_id, "department_id": party.department_id, "is_lead": place == 0}
        for each, inspection_id in zip(past, ids, strict=True)
        for place, party in enumerate(each.order.parties)
    ]
    await inspections.INSERT_PARTY.run_many(tx.connection, parties)
    crews = [
        {"inspection_id": inspection_id, "officer_id": officer_id, "department_id": party.department_id}
        for each, inspection_id in zip(past, ids, strict=True)
        for party in each.order.parties
        for officer_id in party.officer_ids
    ]
    await inspections.INSERT_OFFICER.run_many(tx.connection, crews)
    await _number_past(tx, rows, past)
    await _publish_past(tx, rows, {each.id: each.enterprise.id for each in register.sites})


async def _publish_past(tx: Transaction, rows: Sequence[Mapping[str, Any]], enterprises: Mapping[UUID, UUID]) -> None:
    """History is public since its embargo was over, as long as it stays so."""
    published = []
    for row in rows:
        due_at = publication_rules.due_at(row["completed_at"], EMBARGO_WORKING_DAYS)
        published.append(
            Publication(
                id=tx.new_id(),
                inspection_id=row["id"],
                enterprise_id=enterprises[row["site_id"]],
                site_id=row["site_id"],
                region=row["region"],
                department_id=row["initiating_department_id"],
                departments=[],
                state=PublicationState.PUBLISHED,
                due_at=due_at,
                latest_at=publication_rules.latest_at(row["completed_at"]),
                ends_on=publication_rules.ends_on(local_date(due_at)),
                published_at=due_at,
                withheld_at=None,
                withheld_reason=None,
                withheld_note=None,
                is_contested=False,
                withdrawn_at=None,
                withdrawn_reason=None,
            )
        )
    await INSERT_PUBLICATION.run_many(tx.connection, [msgspec.structs.asdict(each) for each in published])


def _past_row(past: PastInspection, inspection_id: UUID) -> dict[str, Any]:
    row = msgspec.structs.asdict(past.order)
    parties = row.pop("parties")
    return {
        **row,
        "id": inspection_id,
        "state": "completed",
        "outcome": past.outcome,
        "completed_at": past.completed_at,
        "list_digest": None,
        "nonce": None,
        "initiating_department_id": parties[0].department_id,
        "created_at": past.order.approved_at,
    }


async def _number_past(tx: Transaction, rows: Sequence[Mapping[str, Any]], past: Sequence[PastInspection]) -> None:
    """History keeps the numbers of its own years; the counters go on from there."""
    last: dict[tuple[str, str, int], int] = {}
    issued: list[dict[str, Any]] = []
    for row, each in sorted(zip(rows, past, strict=True), key=lambda pair: pair[0]["created_at"]):
        for kind in (NumberKind.INSPECTION.value, NumberKind.NOTICE.value):
            series = (each.order.parties[0].department_code, kind, local_date(row["created_at"]).year)
            last[series] = last.get(series, 0) + 1
            issued.append(
                {
                    **_series_columns(series),
                    "sequence": last[series],
                    "subject_id": row["id"],
                    "issued_at": row["created_at"],
                }
            )
    await insert_rows(tx, issued_number, issued)
    counters = [{**_series_columns(series), "last": number} for series, number in last.items()]
    await insert_rows(tx, number_counter, counters)


def _series_columns(series: tuple[str, str, int]) -> dict[str, Any]:
    return dict(zip(("department_code", "kind", "year"), series, strict=True))
