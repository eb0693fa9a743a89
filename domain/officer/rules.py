"""Rules of certificates."""

from __future__ import annotations

from datetime import date

from domain.officer.model import CertifiedOfficer
from domain.shared.errors import DomainError


class CertificateInvalid(DomainError):
    """An officer has no certificate that is valid on the day."""


def certificate_is_valid(officer: CertifiedOfficer, on: date) -> bool:
    """Whether the officer holds a certificate on that day; both ends of its term count."""
    if officer.certificate_number is None or officer.certificate_valid_to is None:
        return False
    begun = officer.certificate_valid_from is None or officer.certificate_valid_from <= on
    return begun and on <= officer.certificate_valid_to


def require_certificate(officer: CertifiedOfficer, on: date, field: str) -> None:
    """Raises `CertificateInvalid`, naming the officer and the `field` of the request that brought them in."""
    if not certificate_is_valid(officer, on):
        raise CertificateInvalid(
            f"{officer.name}在{on.isoformat()}没有有效执法证件。", field=field, officer_id=str(officer.id)
        )
