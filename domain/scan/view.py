"""What a scan answers: only the sections that the disclosure table grants; the rest is absent, not empty."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from domain.complaint.model import AcceptedComplaint, ConcludedCount
from domain.enterprise.model import CreditGrade, LicenceCard, RiskLevel, SiteCard
from domain.identity.model import Principal
from domain.inspection.store import SiteInspection
from domain.manual.model import ManualOfSite
from domain.publication.model import PendingPublication, PublicResult
from domain.scan.disclosure import DISCLOSURES, Action, Audience, Section, actions_of
from domain.scan.store import Contact, OpenCorrection, PaperLine, SelfInspectionLine


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


class ComplaintCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many 投诉 of one type were concluded here."""

    type: str
    label: str
    count: int


class PublicParts(msgspec.Struct, frozen=True, kw_only=True):
    """What is public of a site beside the register."""

    results: Sequence[PublicResult] = ()
    manuals: Sequence[ManualOfSite] = ()
    complaint_counts: Sequence[ConcludedCount] = ()
    contact: Contact | None = None


class OwnParts(msgspec.Struct, frozen=True, kw_only=True):
    """What those who are concerned with a site may know beside its inspections; empty where the table grants none."""

    pending: Sequence[PendingPublication] = ()
    corrections: Sequence[OpenCorrection] = ()
    papers: Sequence[PaperLine] = ()
    self_inspections: Sequence[SelfInspectionLine] = ()
    complaints: Sequence[AcceptedComplaint] = ()


class ScanView(msgspec.Struct, frozen=True, kw_only=True):
    """亮码告知: what this audience may know and do."""

    audience: Audience
    site_id: UUID
    actions: list[Action]
    basics: Basics | UnsetType = UNSET
    licences: list[LicenceCard] | UnsetType = UNSET
    regulator: Regulator | UnsetType = UNSET
    contact: Contact | UnsetType | None = UNSET
    results: list[PublicResult] | UnsetType = UNSET
    manuals: list[ManualOfSite] | UnsetType = UNSET
    complaint_counts: list[ComplaintCount] | UnsetType = UNSET
    own_pending_publications: list[PendingPublication] | UnsetType = UNSET
    open_corrections: list[OpenCorrection] | UnsetType = UNSET
    own_papers: list[PaperLine] | UnsetType = UNSET
    own_self_inspections: list[SelfInspectionLine] | UnsetType = UNSET
    accepted_complaints: list[AcceptedComplaint] | UnsetType = UNSET
    orders: list[Order] | UnsetType = UNSET
    history: list[PastInspection] | UnsetType = UNSET
    grades: Grades | UnsetType = UNSET
    location: Location | UnsetType = UNSET


_COMPLETED = "completed"
_MAY_LIVE_THERE = frozenset({"个体工商户", "自然人"})
"""Whose registered 住所 may be a home: it is shown to nobody who has no business there."""
_ORDERS = (Section.OWN_INSPECTIONS, Section.ORDERS, Section.ALL_ORDERS)
_FULL_HISTORY = (Section.HISTORY, Section.OWN_INSPECTIONS)
_NOTHING_OWN = OwnParts()


def disclose(
    card: SiteCard,
    audience: Audience,
    inspections: list[SiteInspection],
    principal: Principal | None = None,
    *,
    public: PublicParts,
    own: OwnParts = _NOTHING_OWN,
) -> ScanView:
    """The view of `audience`: section by section what the table grants."""
    granted = DISCLOSURES[audience].sections
    officer_id = None if principal is None else principal.officer_id
    return ScanView(
        audience=audience,
        site_id=card.site_id,
        actions=sorted(actions_of(audience, principal)),
        basics=_basics(card, audience) if Section.BASICS in granted else UNSET,
        licences=card.licences if Section.LICENCES in granted else UNSET,
        regulator=Regulator(name=card.regulator, hotline=card.hotline) if Section.REGULATOR in granted else UNSET,
        **_public_sections(granted, public),
        **_own_sections(granted, own),
        orders=_orders(inspections, granted, officer_id) if granted.intersection(_ORDERS) else UNSET,
        history=_history(inspections, granted),
        grades=Grades(risk_level=card.risk_level, credit_grade=card.credit_grade)
        if Section.GRADES in granted
        else UNSET,
        location=Location(longitude=card.longitude, latitude=card.latitude) if Section.LOCATION in granted else UNSET,
    )


def _public_sections(granted: frozenset[Section], public: PublicParts) -> dict[str, Any]:
    counts = [
        ComplaintCount(type=each.type, label=each.type.label, count=each.count) for each in public.complaint_counts
    ]
    sections: dict[Section, Any] = {
        Section.CONTACT: public.contact,
        Section.RESULTS: list(public.results),
        Section.MANUALS: list(public.manuals),
        Section.COMPLAINT_COUNTS: counts,
    }
    return _only(granted, sections)


def _own_sections(granted: frozenset[Section], own: OwnParts) -> dict[str, Any]:
    sections: dict[Section, Any] = {
        Section.OWN_PENDING_PUBLICATIONS: list(own.pending),
        Section.OPEN_CORRECTIONS: list(own.corrections),
        Section.OWN_PAPERS: list(own.papers),
        Section.OWN_SELF_INSPECTIONS: list(own.self_inspections),
        Section.ACCEPTED_COMPLAINTS: list(own.complaints),
    }
    return _only(granted, sections)


def _only(granted: frozenset[Section], sections: dict[Section, Any]) -> dict[str, Any]:
    return {section.value: value for section, value in sections.items() if section in granted}


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
