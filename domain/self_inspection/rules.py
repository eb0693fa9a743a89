"""Rules of self-inspections: values in, values or a refusal out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from domain.self_inspection.model import (
    SelfAnswer,
    SelfAnswerOrder,
    SelfAnswerValue,
    SelfCheckLine,
    SelfInspection,
    SelfInspectionState,
)
from domain.shared.errors import DomainError, InvalidField

_QUARTER = re.compile(r"(20\d\d)Q([1-4])")
_MIN_REASON: Final = 2


class SchedulePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """季度自查 (D24). `source` says where the terms come from; 待核 until a department has checked them."""

    remind_days_before_end: int = 15
    source: str = "待核"


DEFAULT_POLICY: Final = SchedulePolicy()
_LONGEST_OFFLINE: Final = timedelta(days=30)


class NoSelfCheckList(DomainError):
    """No checklist in force for this 业态 has items marked for self-check."""


class SelfInspectionUnderWay(DomainError):
    """The site has an unfinished self-inspection of this 业态: go on with that one, or discard it."""


class SelfInspectionClosed(DomainError):
    """The self-inspection was submitted or discarded; it does not change any more."""


class SelfInspectionIncomplete(DomainError):
    """Items are still without an answer; `open` names them."""


class SelfAnswerConflict(DomainError):
    """Somebody else answered meanwhile: both versions are told, nothing is overwritten."""


def believed(claimed: datetime, now: datetime) -> datetime:
    """When it was done by the phone's clock, which is believed a month back. Terms are judged at receipt."""
    return max(claimed, now - _LONGEST_OFFLINE)


# ---- quarters


def quarter_of(day: date) -> str:
    """季度 in which `day` lies, as `2026Q3`."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def last_day_of(quarter: str) -> date:
    """The last day of a quarter: until then its self-inspection is due. Raises `InvalidField`."""
    match = _QUARTER.fullmatch(quarter)
    if match is None:
        raise InvalidField("季度应如 2026Q3。", field="quarter")
    year, number = int(match[1]), int(match[2])
    following = date(year + 1, 1, 1) if number == 4 else date(year, number * 3 + 1, 1)  # noqa: PLR2004 - of four
    return following - timedelta(days=1)


def is_time_to_remind(today: date, policy: SchedulePolicy = DEFAULT_POLICY) -> bool:
    """Whether the quarter is so near its end that who has not inspected is reminded."""
    return last_day_of(quarter_of(today)) - today < timedelta(days=policy.remind_days_before_end)


# ---- answers


def require_whole(order: SelfAnswerOrder) -> SelfAnswerOrder:
    """The answer without blank texts. Raises `InvalidField` for 不涉及 without a reason, or a photo named twice."""
    reason, remark = (order.reason or "").strip() or None, (order.remark or "").strip() or None
    if order.value is SelfAnswerValue.NOT_APPLICABLE and len(reason or "") < _MIN_REASON:
        raise InvalidField("选择“不涉及”时请填写原因。", field="reason")
    if len(set(order.photos)) != len(order.photos):
        raise InvalidField("同一张照片只附一次。", field="photos")
    return msgspec.structs.replace(order, reason=reason, remark=remark)


def require_version(former: SelfAnswer | None, expected: int, order: SelfAnswerOrder) -> None:
    """Raises `SelfAnswerConflict`."""
    if (0 if former is None else former.version) != expected:
        raise SelfAnswerConflict(
            "该项已有其他人填写的结果，请对照后重新提交。",
            field="If-Match",
            current=None if former is None else msgspec.to_builtins(former),
            yours=msgspec.to_builtins(order),
        )


def require_draft(found: SelfInspection) -> SelfInspection:
    """Raises `SelfInspectionClosed`."""
    if found.state is not SelfInspectionState.DRAFT:
        raise SelfInspectionClosed("该自查已提交或已放弃。")
    return found


def require_all_answered(lines: Sequence[SelfCheckLine]) -> list[SelfCheckLine]:
    """The lines with a problem. Raises `SelfInspectionIncomplete`."""
    waiting = [str(line.item_id) for line in lines if line.answer is None]
    if waiting:
        raise SelfInspectionIncomplete(f"还有{len(waiting)}项未填写。", open=waiting)
    return [line for line in lines if line.answer is not None and line.answer.value is SelfAnswerValue.PROBLEM]


def digest_of(value: object) -> str:
    """SHA-256, hexadecimal, of what an enterprise wrote of itself: the trace proves it and does not tell it."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
