"""Statements on records and signatures."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.enterprise.tables import enterprise, site
from domain.inspection.record.model import PartyFacts, Presence, RecordPart, Signature
from domain.inspection.store import PARTY as PARTY_COLUMNS
from domain.inspection.tables import check_in, identification, inspection, record_part, signature, visit
from domain.shared.sql import Command, Query

PART = Query(
    sa.select(*[record_part.c[name] for name in RecordPart.__struct_fields__]).where(
        record_part.c.inspection_id == sa.bindparam("inspection_id"),
        record_part.c.department_id == sa.bindparam("department_id"),
    ),
    RecordPart,
)
PARTS = Query(
    sa.select(*[record_part.c[name] for name in RecordPart.__struct_fields__]).where(
        record_part.c.inspection_id == sa.bindparam("inspection_id")
    ),
    RecordPart,
)
_insert = upsert(record_part).values(
    {name: sa.bindparam(name) for name in ("inspection_id", "department_id", "version", "facts_sealed", "updated_at")}
)
SAVE_FACTS = Command(
    _insert.on_conflict_do_update(
        index_elements=["inspection_id", "department_id"],
        set_={name: _insert.excluded[name] for name in ("version", "facts_sealed", "updated_at")},
    )
)
FREEZE = Command(
    sa.update(record_part)
    .where(
        record_part.c.inspection_id == sa.bindparam("of_inspection"),
        record_part.c.department_id == sa.bindparam("of_department"),
    )
    .values(
        canonical_sealed=sa.bindparam("canonical"), digest=sa.bindparam("record_digest"), frozen_at=sa.bindparam("now")
    )
)

SIGNATURES = Query(
    sa.select(*[signature.c[name] for name in Signature.__struct_fields__])
    .where(signature.c.inspection_id == sa.bindparam("inspection_id"), signature.c.voided_at.is_(None))
    .order_by(signature.c.department_id, signature.c.received_at, signature.c.id),
    Signature,
)
INSERT_SIGNATURE = Command(
    sa.insert(signature).values({name: sa.bindparam(name) for name in ("inspection_id", *Signature.__struct_fields__)})
)
VOID_SIGNATURES = Command(
    sa.update(signature)
    .where(
        signature.c.inspection_id == sa.bindparam("of_inspection"),
        signature.c.department_id == sa.bindparam("of_department"),
        signature.c.voided_at.is_(None),
    )
    .values(voided_at=sa.bindparam("now"), void_reason=sa.bindparam("why"))
)

PARTY = Query(
    sa.select(*[column.label(name) for name, column in PARTY_COLUMNS.items()])
    .select_from(
        inspection.join(site, site.c.id == inspection.c.site_id).join(
            enterprise, enterprise.c.id == site.c.enterprise_id
        )
    )
    .where(inspection.c.id == sa.bindparam("inspection_id")),
    PartyFacts,
)

_latest = (
    sa.select(
        identification.c.response,
        identification.c.shown_on,
        identification.c.reason.label("response_reason"),
        identification.c.responded_at,
    )
    .where(identification.c.check_in_id == check_in.c.id)
    .order_by(identification.c.id.desc())
    .limit(1)
    .lateral("latest")
)
# Numbered within the department by arrival: a phone without a network knows no other number, and it is signed.
PRESENCES = Query(
    sa.select(
        sa.func.row_number().over(order_by=[check_in.c.done_at, check_in.c.id]).label("sequence"),
        check_in.c.done_at.label("arrived_at"),
        *[
            check_in.c[name]
            for name in ("departed_at", "means", "flags", "late_scan_reason", "officer_id", "second_officer_id")
        ],
        *[_latest.c[name] for name in ("response", "shown_on", "response_reason", "responded_at")],
    )
    .select_from(check_in.join(visit, visit.c.id == check_in.c.visit_id).outerjoin(_latest, sa.true()))
    .where(
        visit.c.inspection_id == sa.bindparam("inspection_id"),
        visit.c.voided_at.is_(None),
        check_in.c.department_id == sa.bindparam("department_id"),
    )
    .order_by(check_in.c.done_at, check_in.c.id),
    Presence,
)
