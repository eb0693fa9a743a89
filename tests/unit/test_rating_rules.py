"""Rules of visit ratings: periods, terms, and what is counted."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import msgspec
import pytest

from domain.rating import rules
from domain.rating.model import Invitation, PooledRating
from domain.shared.errors import InvalidField

INVITATION = Invitation(
    id=uuid4(),
    enterprise_id=uuid4(),
    site_id=uuid4(),
    department_id=uuid4(),
    period=date(2026, 8, 1),
    ends_on=date(2026, 9, 30),
    is_used=False,
)


def a_rating(period: date, *marks: str) -> PooledRating:
    return PooledRating(
        period=period,
        courtesy=5,
        lawfulness=5,
        efficiency=5,
        certificates_shown=True,
        prohibitions=list(marks),
        comment=None,
    )


@pytest.mark.parametrize(
    ("outcome", "invited"),
    [
        ("no_problem", True),
        ("ordered_to_rectify", True),
        ("problem_pending", True),
        ("uncooperative", True),
        ("not_reachable", False),
        ("no_business_found", False),
        ("closed_down", False),
        ("suspended", False),
        (None, False),
    ],
)
def test_who_met_the_officers_is_invited(outcome: str | None, invited: bool) -> None:
    assert rules.is_invited(outcome) is invited


@pytest.mark.parametrize(
    ("month", "count", "then"),
    [
        (date(2026, 8, 1), 1, date(2026, 9, 1)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 2, 1), -3, date(2025, 11, 1)),
        (date(2026, 1, 1), 0, date(2026, 1, 1)),
    ],
)
def test_months_run_over_the_year(month: date, count: int, then: date) -> None:
    assert rules.months_later(month, count) == then


def test_an_invitation_lasts_until_the_end_of_the_next_month() -> None:
    assert rules.month_of(date(2026, 8, 31)) == date(2026, 8, 1)
    assert rules.ends_on(date(2026, 8, 1)) == date(2026, 9, 30)
    assert rules.ends_on(date(2026, 12, 1)) == date(2027, 1, 31)
    rules.require_drawable(INVITATION, date(2026, 9, 30))
    with pytest.raises(rules.RatingTermOver):
        rules.require_drawable(INVITATION, date(2026, 10, 1))
    with pytest.raises(rules.RatingAlreadyDrawn):
        rules.require_drawable(msgspec.structs.replace(INVITATION, is_used=True), date(2026, 8, 5))


def test_a_comment_is_bounded_and_an_empty_one_is_none() -> None:
    assert rules.require_comment("  很好 ") == "很好"
    assert rules.require_comment("  ") is None
    assert rules.require_comment(None) is None
    assert rules.require_comment("长" * 200) == "长" * 200
    with pytest.raises(InvalidField):
        rules.require_comment("长" * 201)


def test_a_batch_spans_its_months_and_counts_each_mark_once_a_rater() -> None:
    ratings = [a_rating(date(2026, 7, 1), "gifts", "gifts"), a_rating(date(2026, 8, 1), "gifts", "costs")]
    assert rules.span_of(ratings) == (date(2026, 7, 1), date(2026, 8, 1))
    assert rules.misconduct_of(ratings) == {"gifts": 2, "costs": 1}
