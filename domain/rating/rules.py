"""Rules of visit ratings: who is invited, until when, and when a batch may be released."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec

from domain.identity.model import Principal
from domain.membership.rules import acts_for
from domain.rating.model import Invitation, PooledRating
from domain.shared.errors import DomainError, InvalidField

COMMENT_LENGTH: Final = 200
_MET: Final = frozenset({"no_problem", "ordered_to_rectify", "problem_pending", "uncooperative"})
_DECEMBER: Final = 12


class RatingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """At least so many ratings are released together; an invitation holds until the end of the next month."""

    least_in_batch: int = 5
    months_open: int = 1
    months_a_token_lasts: int = 3


DEFAULT_POLICY: Final = RatingPolicy()


class RatingAlreadyDrawn(DomainError):
    """The invitation was used; whoever holds its token may rate."""


class RatingTermOver(DomainError):
    """The invitation was not used in time."""


class RatingTokenInvalid(DomainError):
    """The token was never drawn, or is spent: which of the two is not told."""


def is_invited(outcome: str | None) -> bool:
    """Whether anybody of the enterprise met the officers, who could rate them."""
    return outcome in _MET


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def months_later(month: date, count: int) -> date:
    """The first day of the month `count` months after (or, below 0, before) `month`."""
    years, months = divmod(month.month - 1 + count, _DECEMBER)
    return date(month.year + years, months + 1, 1)


def ends_on(period: date, policy: RatingPolicy = DEFAULT_POLICY) -> date:
    """The last day on which an invitation of that month may be used."""
    return date.fromordinal(months_later(period, policy.months_open + 1).toordinal() - 1)


def may_see(principal: Principal, invitation: Invitation) -> bool:
    """The enterprise's own people alone: no department learns who used an invitation."""
    return acts_for(principal, invitation.enterprise_id, invitation.site_id)


def require_drawable(invitation: Invitation, today: date) -> None:
    """Raises `RatingAlreadyDrawn` or `RatingTermOver`."""
    if invitation.is_used:
        raise RatingAlreadyDrawn("该次上门的评价令牌已领取。")
    if invitation.ends_on < today:
        raise RatingTermOver(f"该次上门的评价已于{invitation.ends_on.isoformat()}截止。")


def require_comment(text: str | None) -> str | None:
    """The comment without surrounding blanks, None for an empty one. Raises `InvalidField`."""
    said = (text or "").strip()
    if len(said) > COMMENT_LENGTH:
        raise InvalidField(f"最多{COMMENT_LENGTH}字。", field="comment")
    return said or None


def span_of(ratings: Sequence[PooledRating]) -> tuple[date, date]:
    """The months from which a batch comes."""
    periods = [each.period for each in ratings]
    return min(periods), max(periods)


def misconduct_of(ratings: Iterable[PooledRating]) -> Mapping[str, int]:
    """How many raters marked each of 五个严禁; one rater counts once for each."""
    return Counter(mark for each in ratings for mark in set(each.prohibitions))
