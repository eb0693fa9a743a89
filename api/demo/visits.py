"""The demonstration's inspections: what is due, overdue and to come on `today`, and a year of history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

import msgspec

from api.demo.register import DemoOfficer, DemoRegister, DemoSite
from api.demo.words import COMMERCE, CULTURE, DEPARTMENTS, EMERGENCY, FIRE, FOOD_SERVICE, HEALTH, MARKET, SOURCES
from domain.identity.model import Department
from domain.inspection.model import DispatchedParty, DispatchOrder, InspectionKind
from domain.scene.catalogue import scenes
from domain.shared.clock import WORKING_ZONE
from domain.shared.working_days import add_working_days, is_working_day

OTHERS: Final = 25
HISTORY: Final = 60
_JOINT: Final = {MARKET: EMERGENCY, EMERGENCY: FIRE, CULTURE: FIRE, HEALTH: MARKET, COMMERCE: EMERGENCY}
_OUTCOMES: Final = ("no_problem", "ordered_to_rectify")
_KIND_NAMES: Final = {
    InspectionKind.ROUTINE: "日常检查",
    InspectionKind.SPECIAL: "专项检查",
    InspectionKind.CASE: "个案检查",
}


class _Plan(msgspec.Struct, frozen=True):
    """One inspection of the inspector account: its term in days from today, and how it is approved."""

    starts: int
    due: int
    kind: InspectionKind = InspectionKind.ROUTINE
    is_joint: bool = False
    is_approved: bool = True
    is_urgent: bool = False
    has_position: bool = True


def _plans(today: date) -> list[_Plan]:
    """What the inspector account finds in its list; those due today come first."""

    def after(working_days: int) -> int:
        return (add_working_days(today, working_days) - today).days

    routine, special, case = InspectionKind.ROUTINE, InspectionKind.SPECIAL, InspectionKind.CASE
    return [
        _Plan(-6, 0),
        _Plan(-4, 0, special, is_joint=True),
        _Plan(-2, 0, case),
        _Plan(-9, 0),
        _Plan(-20, -2),
        _Plan(-25, -5, special),
        _Plan(-40, -12, case),
        _Plan(-3, after(2)),
        _Plan(-5, after(2), special, is_joint=True),
        _Plan(-1, after(5)),
        _Plan(0, after(8), special, has_position=False),
        _Plan(0, after(12), routine, is_joint=True),
        _Plan(after(3), after(20)),
        _Plan(0, after(7), special, is_approved=False),
        _Plan(0, after(1), case, is_approved=False, is_urgent=True),
    ]


class PastInspection(msgspec.Struct, frozen=True, kw_only=True):
    """A completed inspection: its order as it was, and how it ended."""

    order: DispatchOrder
    completed_at: datetime
    outcome: str


class DemoInspections(msgspec.Struct, frozen=True, kw_only=True):
    """Orders to dispatch, those of the inspector account first; and history."""

    pending: list[DispatchOrder]
    past: list[PastInspection]


class _Planner:
    """Turns plans into orders: officers of each department in turn, a site never twice at once."""

    def __init__(self, random: Random, register: DemoRegister, today: date) -> None:
        self._random = random
        self._register = register
        self._today = today
        self._scenes = {scene.code: scene.name for scene in scenes()}

    def sites_of(self, department: str) -> list[DemoSite]:
        """The department's sites, shuffled; restaurants that a phone can be measured against come first."""
        sites = [site for site in self._register.sites if site.enterprise.trade.department == department]
        self._random.shuffle(sites)
        return sorted(sites, key=lambda site: (site.longitude is None, site.enterprise.trade.industry != FOOD_SERVICE))

    def order(self, plan: _Plan, site: DemoSite, crew: Sequence[DemoOfficer]) -> DispatchOrder:
        """The order of `plan` at `site`; `crew` acts for the site's department."""
        trade = site.enterprise.trade
        department = self._register.department(trade.department)
        starts_on = self._today + timedelta(days=plan.starts)
        parties = [_party(department, crew)]
        if plan.is_joint and trade.department in _JOINT:
            other = self._register.department(_JOINT[trade.department])
            parties.append(_party(other, self.certified(other.code)[:2]))
        approved_at = _at(starts_on - timedelta(days=1), self._random) if plan.is_approved else None
        if approved_at is not None:
            approved_at = min(approved_at, _at(self._today - timedelta(days=1), self._random))
        joint = "联合" if len(parties) > 1 else ""
        return DispatchOrder(
            name=f"{site.enterprise.name}{self._scenes[trade.scene]}{joint}{_KIND_NAMES[plan.kind]}",
            kind=plan.kind,
            source="投诉举报线索核查" if plan.kind is InspectionKind.CASE else self._random.choice(SOURCES[:4]),
            basis=trade.basis,
            scene_code=trade.scene,
            site_id=site.id,
            region=site.region,
            parties=parties,
            starts_on=starts_on,
            due_on=self._today + timedelta(days=plan.due),
            approved_at=approved_at,
            approved_by=f"{department.name}负责人" if plan.is_approved else None,
            is_urgent=plan.is_urgent,
            approval_due_at=_at(add_working_days(self._today, 2), self._random) if plan.is_urgent else None,
        )

    def certified(self, department: str) -> list[DemoOfficer]:
        """The department's officers who may inspect today."""
        return [each for each in self._register.officers_of(department) if each.is_certified(self._today)]

    def crew(self, department: str) -> list[DemoOfficer]:
        """Two of them by lot."""
        return self._random.sample(self.certified(department), 2)


def plan_inspections(random: Random, register: DemoRegister, today: date) -> DemoInspections:
    """Draw every inspection of the demonstration."""
    planner = _Planner(random, register, today)
    waiting = {each.code: planner.sites_of(each.code) for each in DEPARTMENTS}
    first_crew = planner.certified(MARKET)[:2]
    pending = [
        planner.order(plan, waiting[MARKET].pop(0 if plan.has_position else -1), first_crew) for plan in _plans(today)
    ]
    due_today = [order.site_id for order in pending if order.due_on == today]
    for number in range(OTHERS):
        department = DEPARTMENTS[number % len(DEPARTMENTS)].code
        plan = _Plan(-random.randrange(4, 20), random.randrange(-3, 30), _kind(random), is_joint=number % 4 == 0)
        crew = planner.certified(department)[2:4] if department == MARKET else planner.crew(department)
        pending.append(planner.order(plan, waiting[department].pop(0), crew))
    visited = [site for site in register.sites if site.id in due_today]
    return DemoInspections(pending=pending, past=list(_history(random, register, planner, visited, today)))


def _history(
    random: Random, register: DemoRegister, planner: _Planner, first: Sequence[DemoSite], today: date
) -> Iterator[PastInspection]:
    """A year of completed inspections, oldest first, some of them at the sites that are visited today."""
    chosen = [*first, *random.sample(register.sites, HISTORY - len(first))]
    ends = sorted((random.randrange(20, 360) for _ in chosen), reverse=True)
    random.shuffle(chosen)
    for site, days_ago in zip(chosen, ends, strict=True):
        ended_on = today - timedelta(days=days_ago)
        while not is_working_day(ended_on):
            ended_on -= timedelta(days=1)
        due = (ended_on - today).days + random.randrange(10)
        plan = _Plan(due - 15, due, _kind(random), is_joint=random.random() < 0.2)  # noqa: PLR2004
        yield PastInspection(
            order=planner.order(plan, site, planner.crew(site.enterprise.trade.department)),
            completed_at=_at(ended_on, random),
            outcome=random.choices(_OUTCOMES, (68, 32))[0],
        )


def _kind(random: Random) -> InspectionKind:
    return random.choices(list(InspectionKind), (60, 30, 10))[0]


def _party(department: Department, crew: Sequence[DemoOfficer]) -> DispatchedParty:
    return DispatchedParty(
        department_id=department.id,
        department_code=department.code,
        officer_ids=[officer.id for officer in crew],
    )


def _at(day: date, random: Random) -> datetime:
    """A moment of that day's office hours."""
    opening = datetime.combine(day, time(9), WORKING_ZONE)
    return opening + timedelta(minutes=random.randrange(8 * 60))
