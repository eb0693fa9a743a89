"""The home's rules: days on the working calendar, what comes first, and messages of one segment."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from domain.space.model import OrderDue, SectionName, SpaceRow
from domain.space.rules import due_mark, sections_of, working_days_left
from notifications.sms.segments import measure
from notifications.templates import compose_sms, current

TODAY = date(2026, 8, 5)
"""A Wednesday."""


def row(section: SectionName = SectionName.ORDERS, number: int = 1, **changes: object) -> SpaceRow:
    values: dict[str, object] = {
        "section": section,
        "id": UUID(int=number),
        "title": "某事",
        "site_id": None,
        "site_name": None,
        "state": None,
        "due_on": None,
        "served_on": None,
        "at": None,
        "total": 9,
    }
    return SpaceRow(**{**values, **changes})  # type: ignore[arg-type] - as a test names them


@pytest.mark.parametrize(
    ("due_on", "left"),
    [
        (TODAY, 0),
        (date(2026, 8, 6), 1),
        (date(2026, 8, 7), 2),
        (date(2026, 8, 8), 2),  # a Saturday
        (date(2026, 8, 10), 3),
        (date(2026, 8, 4), -1),
        (date(2026, 8, 2), -3),  # a Sunday: Monday, Tuesday, and today
        (date(2026, 10, 8), 41),  # beyond the National Day holiday
        (date(2099, 1, 1), 366),
        (date(1999, 1, 1), -366),
    ],
)
def test_days_are_counted_on_the_working_calendar(due_on: date, left: int) -> None:
    assert working_days_left(due_on, TODAY) == left


def mark(due_on: date, served_on: date | None = None, section: SectionName = SectionName.ORDERS) -> OrderDue | None:
    return due_mark(row(section, due_on=due_on, served_on=served_on), TODAY, working_days_left(due_on, TODAY))


def test_an_order_counts_no_term_before_it_was_served() -> None:
    far, near, past = TODAY + timedelta(days=20), TODAY + timedelta(days=2), TODAY - timedelta(days=2)
    assert mark(far) is OrderDue.NOT_SERVED
    assert mark(past, served_on=TODAY) is OrderDue.NOT_SERVED
    assert mark(far, served_on=TODAY) is OrderDue.ON_TIME
    assert mark(near, served_on=TODAY) is OrderDue.DUE_SOON
    assert mark(past, served_on=past - timedelta(days=3)) is OrderDue.OVERDUE
    assert mark(past, section=SectionName.HAZARDS) is OrderDue.OVERDUE


def test_what_is_not_due_has_no_mark() -> None:
    assert due_mark(row(SectionName.COMPLAINTS), TODAY, None) is None


def test_every_section_is_there_with_its_count_and_in_its_order() -> None:
    rows = [row(number=2), row(number=1), row(SectionName.COMPLAINTS, 3, title="price", total=1)]
    found = sections_of(rows, TODAY)
    assert found.keys() == set(SectionName)
    assert (found[SectionName.ORDERS].count, [each.id.int for each in found[SectionName.ORDERS].items]) == (9, [2, 1])
    assert found[SectionName.COMPLAINTS].items[0].title == "价格投诉"
    assert (found[SectionName.TASKS].count, found[SectionName.TASKS].items) == (0, [])


@pytest.mark.parametrize("template", ["expiring", "expired", "extension_decided", "order_re_inspected"])
def test_each_message_is_one_segment(template: str) -> None:
    longest = {
        "name": "旅游服务质量保证金缴存或者银行担保证明材"[:20],
        "day": "2026年12月31日",
        "sequence": "99999",
        "decision": "未获同意",
        "due": "12月31日",
        "result": "复查未通过，请在12月31日前继续改正",
    }
    parameters = {**longest, "document_id": str(UUID(int=3))}
    assert measure(compose_sms(current(template), parameters)).segments == 1
