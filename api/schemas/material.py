"""Materials on the wire."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec

from domain.material.model import MaterialKind, MaterialLine, MaterialMark, StoredMaterial, VersionCard
from domain.material.rules import mark_of


class MaterialList(msgspec.Struct, frozen=True, kw_only=True):
    """材料清单 of an enterprise: what is asked of it first. `missing` counts what is required and not there."""

    items: list[MaterialLine]
    missing: int
    expiring: int
    expired: int


class MaterialDetail(msgspec.Struct, frozen=True, kw_only=True):
    """材料 with its versions, the newest first: 20 at most."""

    id: UUID
    enterprise_id: UUID
    site_id: UUID | None
    standard_code: str | None
    name: str
    kind: MaterialKind
    mark: MaterialMark
    versions: list[VersionCard]


def to_list(lines: list[MaterialLine]) -> MaterialList:
    """The lines, and how many of them ask for something."""
    return MaterialList(
        items=lines,
        missing=sum(each.is_required and not each.is_uploaded for each in lines),
        expiring=sum(each.mark is MaterialMark.EXPIRING for each in lines),
        expired=sum(each.mark is MaterialMark.EXPIRED for each in lines),
    )


def to_detail(found: StoredMaterial, versions: list[VersionCard], today: date) -> MaterialDetail:
    """The whole of it, as of today."""
    return MaterialDetail(
        id=found.id,
        enterprise_id=found.enterprise_id,
        site_id=found.site_id,
        standard_code=found.standard_code,
        name=found.name,
        kind=found.kind,
        mark=mark_of(found.valid_to, today),
        versions=versions,
    )
