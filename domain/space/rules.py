"""Rules of the home: how near a day is, and what of everything comes first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final

from domain.complaint.model import GrievanceType
from domain.document.model import DocumentKind
from domain.material.model import MaterialLine, MaterialMark
from domain.rectification.rules import DUE_SOON_WORKING_DAYS
from domain.shared.working_days import is_working_day
from domain.space.model import MaterialSection, OrderDue, Section, SectionName, SpaceItem, SpaceRow

FEW: Final = 5
"""Of each section."""
_FARTHEST_DAYS: Final = 366
_TITLES: Final = {
    SectionName.COMPLAINTS: {each.value: f"{each.label}投诉" for each in GrievanceType},
    SectionName.PAPERS: {each.value: each.label for each in DocumentKind},
}


def working_days_left(due_on: date, today: date) -> int:
    """Working days after `today` up to `due_on`; below 0 the working days since. Beyond a year they are not counted."""
    step = 1 if due_on >= today else -1
    if abs((due_on - today).days) > _FARTHEST_DAYS:
        return step * _FARTHEST_DAYS
    day, count = today, 0
    while day != due_on:
        if step > 0:
            day += timedelta(days=1)
            count += is_working_day(day)
        else:
            count -= is_working_day(day)
            day -= timedelta(days=1)
    return count


def due_mark(row: SpaceRow, today: date, left: int | None) -> OrderDue | None:
    """How the thing stands. An order counts no term before it was served, nor by a day that was over by then."""
    if row.due_on is None or left is None:
        return None
    if row.section in {SectionName.ORDERS, SectionName.PROBLEMS}:
        served_on = row.served_on
        if served_on is None or served_on > today or served_on > row.due_on:
            return OrderDue.NOT_SERVED
    if row.due_on < today:
        return OrderDue.OVERDUE
    return OrderDue.DUE_SOON if left <= DUE_SOON_WORKING_DAYS else OrderDue.ON_TIME


def _item(row: SpaceRow, today: date) -> SpaceItem:
    left = None if row.due_on is None else working_days_left(row.due_on, today)
    return SpaceItem(
        id=row.id,
        title=_TITLES.get(row.section, {}).get(row.title, row.title),
        site_id=row.site_id,
        site_name=row.site_name,
        state=row.state,
        due_on=row.due_on,
        mark=due_mark(row, today, left),
        working_days_left=left,
        at=row.at,
    )


def sections_of(rows: Iterable[SpaceRow], today: date) -> dict[SectionName, Section]:
    """Every section, the empty ones too, in the order in which their rows came."""
    found: dict[SectionName, list[SpaceRow]] = {name: [] for name in SectionName}
    for row in rows:
        found[row.section].append(row)
    return {
        name: Section(count=of[0].total if of else 0, items=[_item(row, today) for row in of])
        for name, of in found.items()
    }


def material_section(lines: Sequence[MaterialLine]) -> MaterialSection:
    """What asks for something: run out first, then what runs out, then what is missing."""
    expired = [each for each in lines if each.mark is MaterialMark.EXPIRED]
    expiring = [each for each in lines if each.mark is MaterialMark.EXPIRING]
    missing = [each for each in lines if each.is_required and not each.is_uploaded]
    return MaterialSection(
        missing=len(missing),
        expiring=len(expiring),
        expired=len(expired),
        items=[*expired, *expiring, *missing][:FEW],
    )
