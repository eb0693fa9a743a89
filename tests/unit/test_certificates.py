"""Certificates: who may act on which day."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from domain.officer.model import CertifiedOfficer
from domain.officer.rules import CertificateInvalid, certificate_is_valid, require_certificate

OFFICER = CertifiedOfficer(
    id=uuid4(),
    name="陆小梅",
    department_id=uuid4(),
    certificate_number="4501000002",
    certificate_valid_from=date(2024, 1, 1),
    certificate_valid_to=date(2026, 12, 31),
)


def an_officer(**changes: Any) -> CertifiedOfficer:
    return msgspec.structs.replace(OFFICER, **changes)


@pytest.mark.parametrize(
    ("on", "valid"),
    [
        (date(2023, 12, 31), False),
        (date(2024, 1, 1), True),
        (date(2025, 6, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ],
)
def test_both_ends_of_the_term_count(on: date, valid: bool) -> None:
    assert certificate_is_valid(OFFICER, on) is valid


def test_a_certificate_without_a_first_day_is_judged_by_its_last() -> None:
    officer = an_officer(certificate_valid_from=None)
    assert certificate_is_valid(officer, date(1999, 1, 1))
    assert not certificate_is_valid(officer, date(2027, 1, 1))


@pytest.mark.parametrize("missing", ["certificate_number", "certificate_valid_to"])
def test_a_certificate_without_number_or_end_is_none(missing: str) -> None:
    assert not certificate_is_valid(an_officer(**{missing: None}), date(2025, 6, 1))


def test_a_valid_certificate_passes() -> None:
    require_certificate(OFFICER, date(2026, 12, 31), "officer")


def test_the_refusal_names_the_officer_the_day_and_the_field() -> None:
    with pytest.raises(CertificateInvalid) as refusal:
        require_certificate(OFFICER, date(2027, 1, 1), "second_officer_id")

    assert refusal.value.field == "second_officer_id"
    assert refusal.value.facts == {"officer_id": str(OFFICER.id)}
    assert refusal.value.detail == "陆小梅在2027-01-01没有有效执法证件。"
