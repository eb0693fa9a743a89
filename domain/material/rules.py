"""Rules of materials: where an upload belongs, how one stands, and when its owner is reminded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

import msgspec

from domain.material.model import (
    MaterialKind,
    MaterialLine,
    MaterialMark,
    MaterialScope,
    MaterialUpload,
    OwnSite,
    Slot,
    StandardMaterial,
    StoredMaterial,
)
from domain.material.standards import standard_of, standards_for
from domain.shared.errors import InvalidField, NotFound
from domain.shared.fields import tidied

STEPS: Final = (30, 7, 1)
"""Days before the last day of validity at which the owner is reminded; 0 stands for expired."""
EXPIRED: Final = 0
_NAME_LENGTH: Final = range(2, 61)


class ExpiryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When something counts as 即将到期, and how long after its end it is still told of. 待核."""

    soon_days: int = STEPS[0]
    told_after_days: int = 30
    source: str = "待核"


DEFAULT_POLICY: Final = ExpiryPolicy()


def mark_of(valid_to: date | None, today: date, policy: ExpiryPolicy = DEFAULT_POLICY) -> MaterialMark:
    """How an uploaded material stands; the last day of validity counts as valid."""
    if valid_to is None:
        return MaterialMark.VALID
    left = (valid_to - today).days
    if left < 0:
        return MaterialMark.EXPIRED
    return MaterialMark.EXPIRING if left <= policy.soon_days else MaterialMark.VALID


def step_days(today: date, policy: ExpiryPolicy = DEFAULT_POLICY) -> list[tuple[int, date, date]]:
    """For each step the first and the last day of validity of which it is due today.

    A worker that was away tells what is due now, and not all that it missed.
    """
    bounds = [*STEPS, -1]
    before = [
        (step, today + timedelta(days=nearer + 1), today + timedelta(days=step)) for step, nearer in pairwise(bounds)
    ]
    return [*before, (EXPIRED, today - timedelta(days=policy.told_after_days), today - timedelta(days=1))]


def _own_name(name: str | None) -> str:
    words = tidied(name, "name", needed=True)
    if len(words) not in _NAME_LENGTH or "\n" in words:
        raise InvalidField("材料名称应为2至60字。", field="name")
    return words


def slot_of(asked: MaterialUpload, sites: Collection[UUID]) -> Slot:
    """Where the upload belongs. Raises `InvalidField`, or `NotFound` for a site that is not among `sites`."""
    if asked.site_id is not None and asked.site_id not in sites:
        raise NotFound("没有该经营场所。", field="site_id")
    if asked.valid_from is not None and asked.valid_to is not None and asked.valid_to < asked.valid_from:
        raise InvalidField("有效期止不能早于有效期起。", field="valid_to")
    if asked.standard_code is None:
        kind = asked.kind or MaterialKind.MATERIAL
        return Slot(standard_code=None, name=_own_name(asked.name), kind=kind, site_id=asked.site_id)
    standard = standard_of(asked.standard_code)
    if standard is None:
        raise InvalidField("没有该标准材料。", field="standard_code")
    if asked.name is not None or asked.kind is not None:
        raise InvalidField("标准材料的名称和类型不需填写。", field="name" if asked.name is not None else "kind")
    if standard.has_expiry and asked.valid_to is None:
        raise InvalidField("该材料有有效期，请填写有效期止。", field="valid_to")
    if (standard.scope is MaterialScope.SITE) != (asked.site_id is not None):
        what = "按经营场所提交，请选择场所。" if asked.site_id is None else "由企业统一提交，不需选择场所。"
        raise InvalidField(f"该材料{what}", field="site_id")
    return Slot(standard_code=standard.code, name=standard.name, kind=standard.kind, site_id=asked.site_id)


def lines_of(sites: Sequence[OwnSite], uploaded: Sequence[StoredMaterial], today: date) -> list[MaterialLine]:
    """材料清单: what is asked of the enterprise and of each of its sites, then what it handed in besides."""
    left = {(each.standard_code or each.name, each.site_id): each for each in uploaded}
    names = {site.id: site.name for site in sites}
    lines: list[MaterialLine] = []
    for standard, site_id in _asked(sites):
        found = left.pop((standard.code, site_id), None)
        lines.append(_line(standard, site_id, names, found, today))
    besides = sorted(left.values(), key=lambda each: (each.name, each.id))
    return lines + [_line(standard_of(each.standard_code or ""), each.site_id, names, each, today) for each in besides]


def _asked(sites: Sequence[OwnSite]) -> Iterable[tuple[StandardMaterial, UUID | None]]:
    every = {business_type for site in sites for business_type in site.business_types}
    yield from ((each, None) for each in standards_for(every) if each.scope is MaterialScope.ENTERPRISE)
    for site in sites:
        yield from ((each, site.id) for each in standards_for(site.business_types) if each.scope is MaterialScope.SITE)


def _line(
    standard: StandardMaterial | None,
    site_id: UUID | None,
    names: dict[UUID, str],
    found: StoredMaterial | None,
    today: date,
) -> MaterialLine:
    if found is not None:
        name, kind = found.name, found.kind
    elif standard is not None:
        name, kind = standard.name, standard.kind
    else:
        raise ValueError("a line of nothing")
    return MaterialLine(
        id=None if found is None else found.id,
        site_id=site_id,
        site_name=None if site_id is None else names.get(site_id),
        standard_code=None if standard is None else standard.code,
        name=name,
        kind=kind,
        is_required=standard is not None and standard.is_required,
        is_uploaded=found is not None,
        mark=MaterialMark.MISSING if found is None else mark_of(found.valid_to, today),
        source=None if standard is None else standard.source,
        verified=standard is not None and standard.verified,
        uploaded_at=None if found is None else found.uploaded_at,
        version=None if found is None else found.version,
        number=None if found is None else found.number,
        valid_from=None if found is None else found.valid_from,
        valid_to=None if found is None else found.valid_to,
    )
