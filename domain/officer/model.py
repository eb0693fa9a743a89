"""Values of officers."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec


class CertifiedOfficer(msgspec.Struct, frozen=True, kw_only=True):
    """执法人员 with the certificate, as people at the door may check it."""

    id: UUID
    name: str
    department_id: UUID
    certificate_number: str | None
    certificate_valid_from: date | None
    certificate_valid_to: date | None
