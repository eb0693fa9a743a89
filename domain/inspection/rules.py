"""Rules of a visit, in the order one-code.md gives: values in, values or a refusal out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from codes.live_code import LiveCode, is_near
from domain.inspection.model import (
    AssignedOfficer,
    CheckInCard,
    CheckInMeans,
    DueMark,
    IdentificationResponse,
    InspectionState,
    LateScanReason,
    Visit,
)
from domain.inspection.position import PositionFlag, PositionVerdict
from domain.officer.rules import require_certificate
from domain.shared.clock import local_date
from domain.shared.errors import DomainError, InvalidField
from domain.shared.working_days import add_working_days

DUE_SOON_WORKING_DAYS = 3
"""即将超期 begins that many working days before the due date (D4)."""
BACK_ENTRY_DAYS = 10
"""A scan that a failing network or system prevented is entered within so many natural days after the inspection."""
_NOTE_LENGTH = range(2, 201)


class InvalidCode(DomainError):
    """What was scanned is no code of ours, or none that exists."""


class LiveCodeExpired(DomainError):
    """The live code that was scanned is not the one of that moment."""


class CodeRequired(DomainError):
    """A check-in needs the scanned code, unless a failure of the system is entered afterwards."""


class InspectionNotApproved(DomainError):
    """The inspection has no approval and is not urgent."""


class InspectionNotBegun(DomainError):
    """The inspection's first day has not come."""


class InspectionAlreadyClosed(DomainError):
    """The inspection is completed or cancelled."""


class NotAssigned(DomainError):
    """The officer is not assigned to this inspection."""


class SecondOfficerRequired(DomainError):
    """At least two certified officers of each department must be there."""


class WrongSite(DomainError):
    """The code that was scanned stands at another site."""


class AlreadyCheckedIn(DomainError):
    """The department has checked in for this visit."""


class NotCheckedIn(DomainError):
    """The department has no open check-in."""


class PositionReasonRequired(DomainError):
    """The position is outside, unknown or doubtful: allowed, with a reason."""


class LateScanReasonRequired(DomainError):
    """Work began before the scan: allowed in an emergency or after a failure only, with the reason."""


class BackEntryTooLate(DomainError):
    """The ten natural days for entering a scan afterwards are over."""


class AlreadyAcknowledged(DomainError):
    """亮证告知 was acknowledged for this check-in."""


class RefusalReasonRequired(DomainError):
    """Asking for recusal or doubting the identity needs a reason."""


class DepartureBeforeArrival(DomainError):
    """One cannot leave before one came."""


class VisitAlreadyOver(DomainError):
    """The visit has ended or was voided."""


def due_mark(state: InspectionState, due_on: date, today: date) -> DueMark:
    """超期预警状态 on `today`; what is closed is on time for good (MOB-07)."""
    if state is not InspectionState.PENDING:
        return DueMark.ON_TIME
    if due_on < today:
        return DueMark.OVERDUE
    return DueMark.DUE_SOON if due_on <= last_day_due_soon(today) else DueMark.ON_TIME


def last_day_due_soon(today: date) -> date:
    """The latest due date that counts as due soon on `today`."""
    return add_working_days(today, DUE_SOON_WORKING_DAYS)


def days_overdue(state: InspectionState, due_on: date, today: date) -> int:
    """超期预警天数: natural days past the due date, 0 when not overdue."""
    return max(0, (today - due_on).days) if state is InspectionState.PENDING else 0


class Openable(Protocol):
    """What of an inspection decides whether work on it may go on."""

    @property
    def state(self) -> InspectionState: ...
    @property
    def approved_at(self) -> datetime | None: ...
    @property
    def is_urgent(self) -> bool: ...
    @property
    def starts_on(self) -> date: ...
    @property
    def created_at(self) -> datetime: ...


def bounded_done_at(claimed: datetime, inspection: Openable) -> datetime:
    """The phone's time, never before the inspection was issued: authority cannot be older than the order."""
    return max(claimed, inspection.created_at)


def require_open(inspection: Openable, done_at: datetime) -> None:
    """Raises `InspectionAlreadyClosed`, `InspectionNotApproved` or `InspectionNotBegun`."""
    if inspection.state is not InspectionState.PENDING:
        raise InspectionAlreadyClosed("该检查任务已办结或取消。", state=inspection.state)
    if inspection.approved_at is None and not inspection.is_urgent:
        raise InspectionNotApproved("该检查任务尚未批准。")
    if local_date(done_at) < inspection.starts_on:
        raise InspectionNotBegun(
            f"该检查任务自{inspection.starts_on.isoformat()}起方可实施。", starts_on=inspection.starts_on.isoformat()
        )


def require_two_officers(
    assigned: Sequence[AssignedOfficer], officer_id: UUID, second_officer_id: UUID | None, on: date
) -> tuple[AssignedOfficer, AssignedOfficer]:
    """The acting officer and a second one of the same department, both with a certificate valid that day.

    Raises `NotAssigned`, `SecondOfficerRequired` or `CertificateInvalid`.
    """
    by_id = {officer.id: officer for officer in assigned}
    first = by_id.get(officer_id)
    if first is None:
        raise NotAssigned("你不是该检查任务的执法人员。")
    second = None if second_officer_id is None else by_id.get(second_officer_id)
    if second is None or second.id == first.id or second.acts_for != first.acts_for:
        raise SecondOfficerRequired(
            "现场检查须有同一部门两名以上执法人员，请选择本任务的另一名执法人员。", field="second_officer_id"
        )
    require_certificate(first, on, "officer")
    require_certificate(second, on, "second_officer_id")
    return first, second


def require_not_checked_in(check_ins: Sequence[CheckInCard], department_id: UUID, visit: Visit | None) -> None:
    """Raises `AlreadyCheckedIn` when the department is in the open visit."""
    if visit is not None and find_check_in(check_ins, department_id, visit) is not None:
        raise AlreadyCheckedIn("本部门已在本次上门中报到。", visit_id=str(visit.id))


def find_check_in(check_ins: Sequence[CheckInCard], department_id: UUID, visit: Visit | None) -> CheckInCard | None:
    """The department's check-in of that visit."""
    if visit is None:
        return None
    return next((each for each in check_ins if each.visit_id == visit.id and each.department_id == department_id), None)


def find_ended_visit(check_ins: Sequence[CheckInCard], department_id: UUID, arrived_at: datetime) -> CheckInCard | None:
    """A check-in of the ended visit in which the department took part, its arrival reaching us late; None: of none.

    The others were still there when it came, and had come that day or before. Of two visits on two days it is the
    earlier that fits, whichever day's queue arrives first.
    """
    counted = [each for each in check_ins if each.visit_voided_at is None]
    joined = {each.visit_id for each in counted if each.department_id == department_id}
    for first in sorted(counted, key=lambda each: each.visit_sequence):
        there = [each for each in counted if each.visit_id == first.visit_id]
        left = [each.departed_at for each in there if each.departed_at is not None]
        if first.visit_id in joined or len(left) < len(there):
            continue
        began = min(*left, *(each.done_at for each in there))  # a back-entry is done after its own end
        if local_date(began) <= local_date(arrived_at) and arrived_at <= max(left):
            return first
    return None


def is_in_doubt(means: str, flags: Sequence[str]) -> bool:
    """Whether a position needs a reason and the lead's eye.

    A live code proves that its enterprise's phone was there, so that a position merely unknown or old is recorded and
    no more than that; one that lies elsewhere stays a doubt, for a picture of the code travels fast.
    """
    return PositionFlag.OUTSIDE in flags if means == CheckInMeans.LIVE_CODE else bool(flags)


def require_live(code: LiveCode, done_at: datetime) -> None:
    """Raises `LiveCodeExpired` for a live code that was not shown when the officer was there."""
    if not is_near(code, done_at):
        raise LiveCodeExpired("企业实时码已过期，请重新扫描。", field="code")


def require_position_reason(
    verdict: PositionVerdict, reason: str | None, means: CheckInMeans = CheckInMeans.PRINTED_CODE
) -> str | None:
    """The reason for a position in doubt; None when the position is plain. Raises `PositionReasonRequired`."""
    if not is_in_doubt(means, verdict.flags):
        return None
    text = (reason or "").strip()
    if len(text) not in _NOTE_LENGTH:
        raise PositionReasonRequired(
            "位置待核：请填写2至200字的原因后重新报到。",
            field="position_reason",
            flags=[flag.value for flag in verdict.flags],
            distance_outside_m=None if verdict.distance_outside_m is None else round(verdict.distance_outside_m),
        )
    return text


def require_late_scan(
    began_at: datetime | None,
    ended_at: datetime | None,
    reason: LateScanReason | None,
    note: str | None,
    done_at: datetime,
    now: datetime,
) -> str | None:
    """Whether work may have begun before the scan at `done_at` (one-code.md, "scan before work"); gives the note.

    An emergency must be scanned before leaving, so it has no `ended_at`; a failure of network or system may be entered
    within ten natural days after the inspection ended. Raises `LateScanReasonRequired`, `BackEntryTooLate`,
    `DepartureBeforeArrival`, or `InvalidField` for work that begins or ends only after the scan.
    """
    if began_at is None and ended_at is None and reason is None:
        return None
    text = (note or "").strip()
    if reason is None or began_at is None or len(text) not in _NOTE_LENGTH:
        raise LateScanReasonRequired(
            "先检查后扫码仅限紧急情形或网络、系统故障，请选择原因、填写说明和开始时间。", field="late_scan"
        )
    if began_at > done_at:
        raise InvalidField("开始时间晚于报到时间。", field="late_scan.began_at")
    if ended_at is None:
        return text
    if ended_at > done_at:
        raise InvalidField("离场时间晚于报到时间。", field="late_scan.ended_at")
    if reason is LateScanReason.EMERGENCY:
        raise LateScanReasonRequired("紧急情形须在离场前扫码。", field="late_scan.ended_at")
    if ended_at < began_at:
        raise DepartureBeforeArrival("离场时间早于到场时间。", field="late_scan.ended_at")
    if now - ended_at > timedelta(days=BACK_ENTRY_DAYS):
        raise BackEntryTooLate("已超过检查结束后10个自然日的补录期限。", field="late_scan.ended_at")
    return text


def require_checked_in(
    check_ins: Sequence[CheckInCard], department_id: UUID, visit: Visit | None
) -> tuple[CheckInCard, Visit]:
    """The department's open check-in and its visit. Raises `NotCheckedIn`."""
    found = find_check_in(check_ins, department_id, visit)
    if visit is None or found is None or found.departed_at is not None:
        raise NotCheckedIn("本部门尚未报到，或已离场。")
    return found, visit


def require_response(check_in: CheckInCard, response: IdentificationResponse, reason: str | None) -> str | None:
    """The reason of a refusal. Raises `AlreadyAcknowledged` or `RefusalReasonRequired`."""
    if check_in.identification is IdentificationResponse.ACKNOWLEDGED:
        raise AlreadyAcknowledged("本次报到的亮证告知已确认。")
    text = (reason or "").strip()
    if response is IdentificationResponse.ACKNOWLEDGED and not text:
        return None
    if len(text) not in _NOTE_LENGTH:
        raise RefusalReasonRequired("请填写2至200字的理由。", field="reason")
    return text


def require_departure(check_in: CheckInCard, departed_at: datetime) -> None:
    """Raises `DepartureBeforeArrival`."""
    if departed_at < check_in.done_at:
        raise DepartureBeforeArrival("离场时间早于到场时间。", field="departed_at")


def require_voidable(visit: Visit | None) -> Visit:
    """The open visit. Raises `VisitAlreadyOver`: what has ended is corrected by the record, not by voiding."""
    if visit is None or visit.departed_at is not None or visit.voided_at is not None:
        raise VisitAlreadyOver("该次上门已结束或已作废。")
    return visit
