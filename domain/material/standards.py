"""标准材料 The materials that come with Yima, by 业态 (LAW-07)."""

from __future__ import annotations

import csv
from collections.abc import Collection
from functools import cache
from importlib import resources

from domain.material.model import MaterialKind, MaterialScope, StandardMaterial

_YES = "是"


@cache
def standard_materials() -> tuple[StandardMaterial, ...]:
    """Every standard material, in the order of its code within its 业态."""
    table = resources.files("domain.material").joinpath("standards.csv").read_text(encoding="utf-8")
    return tuple(
        StandardMaterial(
            code=row["code"],
            business_type=row["business_type"] or None,
            name=row["name"],
            kind=MaterialKind(row["kind"]),
            scope=MaterialScope(row["scope"]),
            is_required=row["is_required"] == _YES,
            has_expiry=row["has_expiry"] == _YES,
            source=row["source"],
            verified=row["verified"] == _YES,
        )
        for row in csv.DictReader(table.splitlines())
    )


def standard_of(code: str) -> StandardMaterial | None:
    """The standard material of that code."""
    return next((each for each in standard_materials() if each.code == code), None)


def standards_for(business_types: Collection[str]) -> list[StandardMaterial]:
    """What is asked of whoever is in one of these 业态; what is asked of everybody comes first."""
    return [each for each in standard_materials() if each.business_type is None or each.business_type in business_types]
