"""Rules of answers: values in, values or a refusal out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.inspection.answers.model import (
    Answer,
    AnswerContext,
    AnswerFlag,
    AnswerOrder,
    AnswerValue,
    BeforeCheckIn,
    ChecklistLine,
    Measure,
    MeasureKind,
)
from domain.inspection.rules import LateScanReasonRequired, NotAssigned
from domain.shared.errors import DomainError, InvalidField

LATE_AFTER = timedelta(hours=1)
"""An answer that reaches us that long after it was given bears the mark `late`."""
_NEEDS_REASON = frozenset({AnswerValue.NOT_APPLICABLE, AnswerValue.NOT_CHECKED})
_MIN_REASON = 2


class ItemNotDrawn(DomainError):
    """The item is not on the list that was drawn for this inspection."""


class ItemOfAnotherDepartment(DomainError):
    """Each department records the items that are its own."""


class AnswerReasonRequired(DomainError):
    """不涉及 and 未检查 need a reason."""


class MeasureRequired(DomainError):
    """A problem carries at least one measure, and nothing else does."""


class RecordAlreadySigned(DomainError):
    """The department's record is signed: what it says no longer changes, unless it is opened again with a reason."""


class AnswerConflict(DomainError):
    """Somebody else answered meanwhile: both versions are told, nothing is overwritten."""


class AnswerBoundByOrder(DomainError):
    """A 责令改正通知书 rests on this problem: revoke the order before the answer says something else."""


class ListStillSealed(DomainError):
    """The list opens with the scan of the site's code, not before."""


def require_answerer(context: AnswerContext | None) -> AnswerContext:
    """The context of an assigned officer to whom the list is open. Raises `NotAssigned` or `ListStillSealed`.

    Asked before anything is said of an item: an answer must not tell what was drawn to who has not scanned.
    """
    if context is None:
        raise NotAssigned("你不是该检查任务的执法人员。")
    if context.is_sealed and context.arrived_at is None:
        raise ListStillSealed("检查单已封存，扫码报到后开启；二维码损坏的，请申请解封。")
    return context


def require_own_item(context: AnswerContext) -> None:
    """Raises `ItemNotDrawn` or `ItemOfAnotherDepartment`."""
    if context.item_department_id is None:
        raise ItemNotDrawn("该检查项不在本次抽取的检查单内。", field="item_id")
    if context.item_department_id != context.acts_for:
        raise ItemOfAnotherDepartment("该检查项由其他参与部门负责。", field="item_id")


def require_unsigned(context: AnswerContext) -> None:
    """Raises `RecordAlreadySigned`."""
    if context.is_signed:
        raise RecordAlreadySigned("本部门的检查笔录已签字；如需更改，请先说明原因并重新打开笔录。")


def require_complete(order: AnswerOrder) -> None:
    """Raises `AnswerReasonRequired`, `MeasureRequired` or `InvalidField` for what the value does not go with."""
    if order.value in _NEEDS_REASON and len((order.reason or "").strip()) < _MIN_REASON:
        raise AnswerReasonRequired("选择“不涉及”或“未检查”时请填写原因。", field="reason")
    if (order.value is AnswerValue.PROBLEM) != bool(order.measures):
        raise MeasureRequired("发现问题须选择处理措施；未发现问题不填处理措施。", field="measures")
    kinds = [measure.kind for measure in order.measures]
    if len(set(kinds)) != len(kinds):
        raise InvalidField("同一处理措施只填一次。", field="measures")
    if any(measure.kind is MeasureKind.OTHER and not (measure.note or "").strip() for measure in order.measures):
        raise InvalidField("选择“其他处理措施”时请说明。", field="measures")
    if len(set(order.photos)) != len(order.photos):
        raise InvalidField("同一张照片只附一次。", field="photos")


def require_unbound(former: Answer | None, order: AnswerOrder) -> None:
    """Raises `AnswerBoundByOrder`."""
    if former is not None and former.order_id is not None and order.value is not AnswerValue.PROBLEM:
        raise AnswerBoundByOrder("该问题已制发责令改正通知书，请先撤销通知书。", field="value")


def judge_time(
    context: AnswerContext, done_at: datetime, now: datetime, excuse: BeforeCheckIn | None
) -> list[AnswerFlag]:
    """Scan before work: an answer before the check-in is refused unless a reason is given (one-code.md).

    Raises `LateScanReasonRequired`.
    """
    flags: list[AnswerFlag] = []
    if context.arrived_at is None or done_at < context.arrived_at:
        if excuse is None:
            raise LateScanReasonRequired(
                "请先扫码报到；确因紧急情形或网络、系统故障的，请选择原因并说明。", field="before_check_in"
            )
        flags.append(AnswerFlag.BEFORE_CHECK_IN)
    elif not context.is_present and context.departed_at is not None and done_at > context.departed_at:
        flags.append(AnswerFlag.AFTER_DEPARTURE)
    if now - done_at > LATE_AFTER:
        flags.append(AnswerFlag.LATE)
    return flags


def open_in_area(lines: Sequence[ChecklistLine], area: str, department_id: UUID) -> tuple[list[UUID], list[UUID]]:
    """The unanswered items of a department in one 检查领域: those that one tap may mark, and the mandatory ones."""
    waiting = [
        line for line in lines if line.area == area and line.department_id == department_id and line.answer is None
    ]
    return (
        [line.item_id for line in waiting if not line.is_mandatory],
        [line.item_id for line in waiting if line.is_mandatory],
    )


def measure_is_whole(measure: Measure) -> bool:
    """Whether a measure records what the law wants of it before the inspection may be completed."""
    if measure.kind is MeasureKind.COERCIVE:
        return bool(
            measure.document_number and measure.approved_by and measure.taken_at is not None and measure.inventory
        )
    if measure.kind is MeasureKind.TRANSFER_FOR_PENALTY:
        return bool(measure.receipt_number)
    return True
