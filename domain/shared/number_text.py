"""The internal number of a row within the statement that reads it."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from domain.shared.numbers import NumberKind
from domain.shared.tables import issued_number


def number_of(subject: sa.ColumnElement[UUID], kind: NumberKind) -> sa.ScalarSelect[str]:
    """As `internal_number` of domain/shared/numbers.py writes it; null while it is not given yet (D1)."""
    register = issued_number.alias()
    text = sa.func.concat(
        register.c.department_code,
        "-",
        register.c.year,
        sa.literal(f"-{kind.value}-", sa.Text),
        sa.func.lpad(sa.cast(register.c.sequence, sa.Text), 6, "0"),
    )
    return (
        sa.select(text)
        .where(register.c.subject_id == subject, register.c.kind == kind.value, register.c.voided_at.is_(None))
        .limit(1)
        .scalar_subquery()
    )
