"""抽取规则 The figures of a draw: grades and ratios, as configuration whose source is still to be checked (D2, D3)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec

from domain.enterprise.model import CreditGrade, RiskLevel
from domain.selection.model import WHOLE, ExclusionReason

_RISK_INDEX: Final = {level: index for index, level in enumerate(RiskLevel, start=1)}
_CREDIT_INDEX: Final = {grade: index for index, grade in enumerate(CreditGrade, start=1)}
UNGRADED_RISK: Final = RiskLevel.MEDIUM_LOW
"""What an object without a risk level counts as: the second of four, as an ungraded credit does."""
UNGRADED_CREDIT: Final = CreditGrade.B
_NEVER_BELOW: Final = 3


class SelectionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Ratios in ten-thousandths by supervision grade 1 to 4, and the days that spare an object a routine draw.

    `source` is shown with each record: until a department has checked the figures they are 待核.
    """

    object_ratios: tuple[int, int, int, int] = (100, 300, 1000, 3000)
    item_ratios: tuple[int, int, int, int] = (3000, 5000, 8000, WHOLE)
    window_days: int = 90
    source: str = "待核"

    def object_ratio(self, grade: int) -> int:
        """Which share of the objects of supervision grade 1 to 4 is drawn."""
        return self.object_ratios[grade - 1]

    def item_ratio(self, grade: int) -> int:
        """Which share of the items is drawn for an object of supervision grade 1 to 4."""
        return self.item_ratios[grade - 1]


DEFAULT_POLICY: Final = SelectionPolicy()


def supervision_grade(risk: RiskLevel | None, credit: CreditGrade | None) -> int:
    """监管等级 1 to 4 (D3): the mean of risk and credit, rounded up; high risk or credit D is never below 3."""
    level, grade = risk or UNGRADED_RISK, credit or UNGRADED_CREDIT
    mean = -(-(_RISK_INDEX[level] + _CREDIT_INDEX[grade]) // 2)
    is_serious = level is RiskLevel.HIGH or grade is CreditGrade.D
    return max(mean, _NEVER_BELOW) if is_serious else mean


def spared_by_window(
    last_inspected_on: date | None, today: date, *, is_routine: bool, policy: SelectionPolicy = DEFAULT_POLICY
) -> ExclusionReason | None:
    """The reason to leave out of a routine draw what was inspected within the window (D2); others know no window."""
    if not is_routine or last_inspected_on is None:
        return None
    is_recent = today - last_inspected_on < timedelta(days=policy.window_days)
    return ExclusionReason.RECENTLY_INSPECTED if is_recent else None


def share_of(register_size: int, share: int) -> int:
    """The total cap that a share of the register, in ten-thousandths, leaves."""
    return register_size * share // WHOLE
