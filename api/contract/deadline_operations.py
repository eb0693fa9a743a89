"""Operations of deadlines, supervision orders and the working calendar."""

from __future__ import annotations

from collections.abc import Mapping

from api.contract.told import KEYED, Told
from api.work import Accepted, DatabaseAway
from domain.deadline import rules
from domain.deadline.model import CalendarChange, SupervisionAnswer
from domain.enterprise.rules import ReasonMissing
from domain.shared.errors import Forbidden, InvalidField, NotFound

DEADLINE_OPERATIONS: Mapping[str, Told] = {
    "listDeadlines": Told(refuses=(InvalidField, DatabaseAway)),
    "readDeadline": Told(refuses=(NotFound, DatabaseAway)),
    "issueSupervisionOrder": Told(
        result=Accepted[SupervisionAnswer],
        refuses=(
            NotFound,
            *KEYED,
            rules.DeadlineClosed,
            rules.AlreadyUrged,
            rules.SupervisionStepNotPossible,
            InvalidField,
            DatabaseAway,
        ),
    ),
    "listSupervisionOrders": Told(refuses=(Forbidden, InvalidField, DatabaseAway)),
    "readSupervisionOrder": Told(refuses=(NotFound, DatabaseAway)),
    "answerSupervisionOrder": Told(
        result=Accepted[SupervisionAnswer],
        refuses=(NotFound, Forbidden, *KEYED, rules.SupervisionStepNotPossible, InvalidField, DatabaseAway),
    ),
    "judgeSupervisionAnswer": Told(
        result=Accepted[SupervisionAnswer],
        refuses=(
            NotFound,
            Forbidden,
            *KEYED,
            rules.SupervisionStepNotPossible,
            ReasonMissing,
            InvalidField,
            DatabaseAway,
        ),
    ),
    "readWorkingCalendar": Told(refuses=(InvalidField, DatabaseAway)),
    "changeWorkingCalendar": Told(result=Accepted[CalendarChange], refuses=(*KEYED, InvalidField, DatabaseAway)),
}
"""Rows of `api/contract/operations.py`."""
