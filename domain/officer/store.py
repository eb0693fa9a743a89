"""Statements on officers."""

from __future__ import annotations

import sqlalchemy as sa

from domain.officer.model import CertifiedOfficer
from domain.officer.tables import officer
from domain.shared.sql import Query

OFFICER_BY_RESIDENT_ID = Query(
    sa.select(*[officer.c[name] for name in CertifiedOfficer.__struct_fields__]).where(
        officer.c.resident_id_index == sa.bindparam("index")
    ),
    CertifiedOfficer,
)
