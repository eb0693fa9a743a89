"""Rules of completion: what each outcome wants before it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from domain.inspection.answers.model import Answer, AnswerValue, ChecklistLine, MeasureKind
from domain.inspection.answers.rules import measure_is_whole
from domain.inspection.completion.model import CompletionOrder, InspectionOutcome, TransferReceipt
from domain.inspection.model import CheckInCard, Party
from domain.inspection.record.model import SignatureRole
from domain.shared.errors import DomainError, InvalidField

_ORDERED = frozenset({MeasureKind.RECTIFY_WITHIN})
_MIN_REASON = 2


class VisitStillOpen(DomainError):
    """Every visit ends with a departure before the inspection is completed."""


class DepartmentNotCheckedIn(DomainError):
    """A department that takes part was never at the site."""


class OutcomeDiffersFromAnswers(DomainError):
    """The outcome says something else than the answers do."""


class OrderMissing(DomainError):
    """A problem that is to be put right within a term has no 责令改正通知书 yet."""


class MeasureIncomplete(DomainError):
    """行政强制措施 lacks its paper, approval, time or inventory, or 转行政处罚 its receipt."""


class SignaturesMissing(DomainError):
    """A department's record is not signed by all who must."""


class OutcomeReasonRequired(DomainError):
    """An outcome without the list needs its reason."""


class OutcomePhotosRequired(DomainError):
    """An outcome without the list needs a photo of what was found."""


def require_visited(parties: Sequence[Party], check_ins: Sequence[CheckInCard], outcome: InspectionOutcome) -> None:
    """Who must have been there, and left. Raises `VisitStillOpen` or `DepartmentNotCheckedIn`.

    With the list every department must; without it the lead department's two officers are enough.
    """
    counted = [each for each in check_ins if each.visit_voided_at is None]
    if any(each.departed_at is None for each in counted):
        raise VisitStillOpen("还有部门未登记离场。")
    came = {each.department_id for each in counted}
    wanted = [party for party in parties if outcome.needs_list or party.is_lead]
    absent = [party for party in wanted if party.department_id not in came]
    if absent:
        names = "、".join(party.name for party in absent)
        raise DepartmentNotCheckedIn(f"{names}尚未报到。", departments=[str(party.department_id) for party in absent])


def require_reason_and_photos(order: CompletionOrder) -> str | None:
    """The reason of an outcome that needs one. Raises `OutcomeReasonRequired` or `OutcomePhotosRequired`."""
    reason = (order.reason or "").strip()
    if order.outcome.needs_list:
        return reason or None
    if len(reason) < _MIN_REASON:
        raise OutcomeReasonRequired("请说明情况。", field="reason")
    if order.outcome is not InspectionOutcome.SUSPENDED and not order.photos:
        raise OutcomePhotosRequired("请上传现场照片。", field="photos")
    return reason


def require_consistent(outcome: InspectionOutcome, lines: Sequence[ChecklistLine]) -> None:
    """The outcome says what the answers say, and every measure is whole.

    Raises `OutcomeDiffersFromAnswers`, `OrderMissing` or `MeasureIncomplete`.
    """
    problems = [line.answer for line in lines if line.answer is not None and line.answer.value is AnswerValue.PROBLEM]
    if outcome is InspectionOutcome.NO_PROBLEM:
        if problems:
            raise OutcomeDiffersFromAnswers("检查结果中有发现问题的检查项。", field="outcome")
        if lines and not any(line.answer is not None and line.answer.value is AnswerValue.NO_PROBLEM for line in lines):
            raise OutcomeDiffersFromAnswers("没有一项实际检查过，不能认定未发现问题。", field="outcome")
        return
    if not problems:
        raise OutcomeDiffersFromAnswers("检查结果中没有发现问题的检查项。", field="outcome")
    _require_measures(problems)
    waiting = [each for each in problems if not _is_taken_care_of(each)]
    if outcome is InspectionOutcome.ORDERED_TO_RECTIFY and waiting:
        raise OutcomeDiffersFromAnswers("还有问题未责令改正，请选择“发现问题待后续处理”。", field="outcome")
    if outcome is InspectionOutcome.PROBLEM_PENDING and not waiting:
        raise OutcomeDiffersFromAnswers("全部问题均已责令改正，请选择“发现问题已责令改正”。", field="outcome")


def _require_measures(problems: Sequence[Answer]) -> None:
    without_order = [
        str(each.item_id)
        for each in problems
        if each.order_id is None and any(measure.kind in _ORDERED for measure in each.measures)
    ]
    if without_order:
        raise OrderMissing("有限期改正的问题尚未制发责令改正通知书。", items=without_order)
    broken = [str(each.item_id) for each in problems if not all(map(measure_is_whole, each.measures))]
    if broken:
        raise MeasureIncomplete(
            "行政强制措施须填写文书号、批准人、时间和清单，转行政处罚须填写接收回执。", items=broken
        )


def _is_taken_care_of(answer: Answer) -> bool:
    """Ordered, or put right on the spot; nothing of it is left for later."""
    settled = {MeasureKind.RECTIFY_WITHIN, MeasureKind.CORRECTED_ON_SPOT}
    return all(measure.kind in settled or measure.kind is MeasureKind.GUIDANCE for measure in answer.measures) and any(
        measure.kind in settled for measure in answer.measures
    )


def with_receipts(lines: Sequence[ChecklistLine], receipts: Sequence[TransferReceipt]) -> list[ChecklistLine]:
    """The lines with the receipts put in. Raises `InvalidField` for an item that nothing is transferred of."""
    given = {each.item_id: each.receipt_number for each in receipts}
    filled = [_with_receipt(line, given.pop(line.item_id)) if line.item_id in given else line for line in lines]
    if given:
        raise InvalidField("接收回执对应的检查项没有转行政处罚。", field="receipts")
    return filled


def _with_receipt(line: ChecklistLine, receipt: str) -> ChecklistLine:
    answer = line.answer
    if answer is None or all(each.kind is not MeasureKind.TRANSFER_FOR_PENALTY for each in answer.measures):
        raise InvalidField("接收回执对应的检查项没有转行政处罚。", field="receipts")
    measures = [
        msgspec.structs.replace(each, receipt_number=receipt) if each.kind is MeasureKind.TRANSFER_FOR_PENALTY else each
        for each in answer.measures
    ]
    return msgspec.structs.replace(line, answer=msgspec.structs.replace(answer, measures=measures))


def require_signed(missing: Mapping[UUID, Sequence[SignatureRole]], parties: Sequence[Party]) -> None:
    """Raises `SignaturesMissing`, with the roles by department."""
    waiting = {party: missing[party.department_id] for party in parties if missing.get(party.department_id)}
    if waiting:
        told = "；".join(f"{party.name}：{'、'.join(role.label for role in roles)}" for party, roles in waiting.items())
        raise SignaturesMissing(
            f"检查笔录尚缺签字（{told}）。",
            missing={str(party.department_id): [role.value for role in roles] for party, roles in waiting.items()},
        )
