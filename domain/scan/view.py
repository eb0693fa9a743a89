"""What a scan answers: only the sections that the disclosure table grants; the rest is absent, not empty."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from domain.enterprise.model import CreditGrade, LicenceCard, RiskLevel, SiteCard
from domain.inspection.store import SiteInspection
from domain.publication.model import PendingPublication, PublicResult
from domain.scan.disclosure import DISCLOSURES, Action, Audience, Section


class Basics(msgspec.Struct, frozen=True, kw_only=True):
    """经营信息 of the public register."""

    name: str
    uscc: str
    object_type: str
    industry_type: str | None
    legal_representative: str | None
    registered_capital: Decimal | None
    capital_currency: str | None
    domicile: str | None
    business_scope: str | None
    registration_authority: str | None
    established_on: date | None
    term_from: date | None
    term_to: date | None
    revoked_on: date | None
    site_name: str
    address: str | None
    region_name: str


class Regulator(msgspec.Struct, frozen=True, kw_only=True):
    """监管部门 and its 监督电话."""

    name: str | None
    hotline: str | None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """检查任务 at this site that is still open."""

    id: UUID
    name: str
    kind: str
    authority: str
    starts_on: date
    due_on: date


class PastInspection(msgspec.Struct, frozen=True, kw_only=True):
    """A finished inspection; name, kind and authority are absent where only conclusion and date are shown (D8)."""

    completed_on: date | None
    outcome: str | None
    name: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    authority: str | UnsetType = UNSET


class Grades(msgspec.Struct, frozen=True, kw_only=True):
    """风险等级 and 信用等级: never one, and never public."""

    risk_level: RiskLevel | None
    credit_grade: CreditGrade | None


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """The site's position in WGS-84 degrees."""

    longitude: float | None
    latitude: float | None


class ScanView(msgspec.Struct, frozen=True, kw_only=True):
    """亮码告知: what this audience may know and do."""

    audience: Audience
    site_id: UUID
    actions: list[Action]
    basics: Basics | UnsetType = UNSET
    licences: list[LicenceCard] | UnsetType = UNSET
    regulator: Regulator | UnsetType = UNSET
    results: list[PublicResult] | UnsetType = UNSET
    own_pending_publications: list[PendingPublication] | UnsetType = UNSET
    orders: list[Order] | UnsetType = UNSET
    history: list[PastInspection] | UnsetType = UNSET
    grades: Grades | UnsetType = UNSET
    location: Location | UnsetType = UNSET


_COMPLETED = "completed"
_MAY_LIVE_THERE = frozenset({"个体工商户", "自然人"})
"""Whose registered 住所 may be a home: it is shown to nobody who has no business there."""
_ORDERS = (Section.OWN_INSPECTIONS, Section.ORDERS, Section.ALL_ORDERS)
_FULL_HISTORY = (Section.HISTORY, Section.OWN_INSPECTIONS)


def disclose(
    card: SiteCard,
    audience: Audience,
    inspections: list[SiteInspection],
    officer_id: UUID | None = None,
    *,
    results: Sequence[PublicResult] = (),
    pending: Sequence[PendingPublication] = (),
) -> ScanView:
    """The view of `audience`: section by section what the table grants."""
    row = DISCLOSURES[audience]
    granted = row.sections
    return ScanView(
        audience=audience,
        site_id=card.site_id,
        actions=sorted(row.actions),
        basics=_basics(card, audience) if Section.BASICS in granted else UNSET,
        licences=card.licences if Section.LICENCES in granted else UNSET,
        regulator=Regulator(name=card.regulator, hotline=card.hotline) if Section.REGULATOR in granted else UNSET,
        results=list(results) if Section.RESULTS in granted else UNSET,
        own_pending_publications=list(pending) if Section.OWN_PENDING_PUBLICATIONS in granted else UNSET,
        orders=_orders(inspections, granted, officer_id) if granted.intersection(_ORDERS) else UNSET,
        history=_history(inspections, granted),
        grades=Grades(risk_level=card.risk_level, credit_grade=card.credit_grade)
        if Section.GRADES in granted
        else UNSET,
        location=Location(longitude=card.longitude, latitude=card.latitude) if Section.LOCATION in granted else UNSET,
    )


def _basics(card: SiteCard, audience: Audience) -> Basics:
    fields = {name: getattr(card, name) for name in Basics.__struct_fields__}
    if audience is Audience.CITIZEN and card.object_type in _MAY_LIVE_THERE:
        fields["domicile"] = None
    return Basics(**fields)


def _orders(inspections: list[SiteInspection], granted: frozenset[Section], officer_id: UUID | None) -> list[Order]:
    return [
        Order(**{name: getattr(each, name) for name in Order.__struct_fields__})
        for each in inspections
        if each.state != _COMPLETED and _may_see_order(each, granted, officer_id)
    ]


def _may_see_order(each: SiteInspection, granted: frozenset[Section], officer_id: UUID | None) -> bool:
    """An inspector sees orders of their own, an enterprise those whose officers already stood at its door."""
    if Section.ALL_ORDERS in granted:
        return True
    if Section.ORDERS in granted:
        return officer_id in each.officers
    return each.has_visit


def _history(inspections: list[SiteInspection], granted: frozenset[Section]) -> list[PastInspection] | UnsetType:
    past = [each for each in inspections if each.state == _COMPLETED]
    if granted.intersection(_FULL_HISTORY):
        return [
            PastInspection(**{name: getattr(each, name) for name in PastInspection.__struct_fields__}) for each in past
        ]
    if Section.HISTORY_BRIEF in granted:
        return [PastInspection(completed_on=each.completed_on, outcome=each.outcome) for each in past]
    return UNSET
