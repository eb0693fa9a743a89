"""Statements of completion and replacement."""

from __future__ import annotations

import sqlalchemy as sa

from domain.inspection.tables import inspection, inspection_officer, officer_replacement
from domain.officer.model import CertifiedOfficer
from domain.officer.tables import officer
from domain.shared.sql import Command, Query

SET_OUTCOME = Command(
    sa.update(inspection)
    .where(inspection.c.id == sa.bindparam("of_inspection"))
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in ("state", "outcome", "outcome_reason", "outcome_evidence", "completed_at")
        }
    )
)
REMOVE_OFFICER = Command(
    sa.delete(inspection_officer).where(
        inspection_officer.c.inspection_id == sa.bindparam("of_inspection"),
        inspection_officer.c.officer_id == sa.bindparam("of_officer"),
    )
)
INSERT_REPLACEMENT = Command(sa.insert(officer_replacement))
CERTIFIED_OFFICER = Query(
    sa.select(*[officer.c[name] for name in CertifiedOfficer.__struct_fields__]).where(
        officer.c.id == sa.bindparam("officer_id")
    ),
    CertifiedOfficer,
)
