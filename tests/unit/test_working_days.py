"""工作日 by the State Council's notices of 2025 and, where none is known, by the week."""

from datetime import date

import pytest

from domain.shared.working_days import add_working_days, is_working_day


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2025, 1, 28), False),  # New Year's Eve of the lunar year, a Tuesday
        (date(2025, 1, 26), True),  # a Sunday worked for it
        (date(2025, 2, 8), True),  # a Saturday likewise
        (date(2025, 2, 9), False),
        (date(2025, 2, 10), True),
        (date(2025, 10, 1), False),
        (date(2025, 10, 8), False),
        (date(2025, 10, 9), True),
        (date(2025, 10, 11), True),  # a Saturday worked for it
    ],
)
def test_holidays_rest_and_make_up_weekends_work(day: date, *, worked: bool) -> None:
    assert is_working_day(day) is worked


def test_a_year_without_a_notice_counts_monday_to_friday() -> None:
    week = [is_working_day(date(2090, 1, day)) for day in range(2, 9)]  # 2 January 2090 is a Monday
    assert week == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2025, 3, 3), 0, date(2025, 3, 3)),
        (date(2025, 3, 3), 1, date(2025, 3, 4)),
        (date(2025, 3, 7), 1, date(2025, 3, 10)),  # over a weekend
        (date(2025, 3, 8), 1, date(2025, 3, 10)),  # from within it
        (date(2025, 1, 27), 1, date(2025, 2, 5)),  # over the Spring Festival
        (date(2025, 1, 27), 4, date(2025, 2, 8)),  # its made-up Saturday counts
        (date(2025, 9, 30), 2, date(2025, 10, 10)),
    ],
)
def test_a_term_in_working_days_ends_on_a_working_day(day: date, count: int, expected: date) -> None:
    assert add_working_days(day, count) == expected
