"""Rules of a visit: what the law and the work demand, as functions of values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.inspection.model import (
    AssignedOfficer,
    CheckInCard,
    CheckInMeans,
    DueMark,
    IdentificationResponse,
    Inspection,
    InspectionKind,
    InspectionMode,
    InspectionState,
    LateScanReason,
    Visit,
)
from domain.inspection.position import Coordinates, PositionFlag, PositionVerdict
from domain.inspection.rules import (
    AlreadyAcknowledged,
    AlreadyCheckedIn,
    BackEntryTooLate,
    DepartureBeforeArrival,
    InspectionAlreadyClosed,
    InspectionNotApproved,
    InspectionNotBegun,
    LateScanReasonRequired,
    NotAssigned,
    NotCheckedIn,
    PositionReasonRequired,
    RefusalReasonRequired,
    SecondOfficerRequired,
    VisitAlreadyOver,
    bounded_done_at,
    days_overdue,
    due_mark,
    find_check_in,
    last_day_due_soon,
    require_checked_in,
    require_departure,
    require_late_scan,
    require_not_checked_in,
    require_open,
    require_position_reason,
    require_response,
    require_two_officers,
    require_voidable,
)
from domain.officer.rules import CertificateInvalid
from domain.shared.errors import InvalidField

NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
TODAY = date(2026, 8, 5)
MARKET, EMERGENCY = uuid4(), uuid4()
HOUR = timedelta(hours=1)

AN_INSPECTION = Inspection(
    id=uuid4(),
    name="日常检查",
    number="SJ01-2026-JC-000001",
    kind=InspectionKind.ROUTINE,
    state=InspectionState.PENDING,
    scene_name="餐饮",
    enterprise_name="老友餐饮",
    site_id=uuid4(),
    site_name="总店",
    address=None,
    initiating_department="南宁市市场监督管理局",
    starts_on=date(2026, 8, 3),
    due_on=date(2026, 8, 20),
    outcome=None,
    mode=InspectionMode.ON_SITE,
    source="年度检查计划",
    basis="《食品安全法》",
    notice_number="SJ01-2026-TZ-000001",
    approved_at=NOW - timedelta(days=3),
    approved_by="莫局长",
    is_urgent=False,
    approval_due_at=None,
    completed_at=None,
    created_at=NOW - timedelta(days=2),
    uscc="914501000000000017",
    enterprise_id=uuid4(),
    region="450000.450100.450103",
    longitude=108.32,
    latitude=22.82,
    radius_m=200,
    polygon=None,
)
A_VISIT = Visit(
    id=uuid4(), inspection_id=AN_INSPECTION.id, sequence=1, arrived_at=NOW, departed_at=None, voided_at=None
)
A_CARD = CheckInCard(
    id=uuid4(),
    visit_id=A_VISIT.id,
    visit_sequence=1,
    department_id=MARKET,
    officer_id=uuid4(),
    second_officer_id=uuid4(),
    means=CheckInMeans.PRINTED_CODE,
    flags=[],
    distance_outside_m=0,
    position_reason=None,
    late_scan_reason=None,
    done_at=NOW,
    received_at=NOW,
    departed_at=None,
    visit_voided_at=None,
    identification=None,
)


def an_officer(of: UUID = MARKET, valid_to: date | None = date(2027, 1, 1)) -> AssignedOfficer:
    return AssignedOfficer(
        id=uuid4(),
        name="黄志强",
        department_id=of,
        certificate_number="4501000001",
        certificate_valid_from=date(2022, 1, 1),
        certificate_valid_to=valid_to,
        acts_for=of,
    )


def an_inspection(**changes: Any) -> Inspection:
    return msgspec.structs.replace(AN_INSPECTION, **changes)


def a_card(**changes: Any) -> CheckInCard:
    return msgspec.structs.replace(A_CARD, **changes)


def a_visit(**changes: Any) -> Visit:
    return msgspec.structs.replace(A_VISIT, **changes)


# Due marks


@pytest.mark.parametrize(
    ("today", "last_day"),
    [
        (date(2026, 8, 3), date(2026, 8, 6)),  # a Monday: Tuesday, Wednesday, Thursday
        (date(2026, 8, 5), date(2026, 8, 10)),  # a Wednesday: the weekend does not count
        (date(2026, 8, 8), date(2026, 8, 12)),  # a Saturday
        (date(2026, 9, 29), date(2026, 10, 9)),  # the National Day holidays, 1 to 7 October
        (date(2026, 9, 18), date(2026, 9, 22)),  # Sunday 20 September is worked in exchange for the holidays
        (date(2027, 3, 5), date(2027, 3, 10)),  # no notice for 2027 is known: Monday to Friday
    ],
)
def test_due_soon_reaches_three_working_days_ahead(today: date, last_day: date) -> None:
    assert last_day_due_soon(today) == last_day
    assert due_mark(InspectionState.PENDING, last_day, today) is DueMark.DUE_SOON
    assert due_mark(InspectionState.PENDING, last_day + timedelta(days=1), today) is DueMark.ON_TIME


def test_what_is_due_today_is_due_soon_and_overdue_only_tomorrow() -> None:
    assert due_mark(InspectionState.PENDING, TODAY, TODAY) is DueMark.DUE_SOON
    assert due_mark(InspectionState.PENDING, TODAY, TODAY + timedelta(days=1)) is DueMark.OVERDUE


def test_days_overdue_are_natural_days() -> None:
    friday = date(2026, 7, 31)
    assert days_overdue(InspectionState.PENDING, friday, TODAY) == 5
    assert days_overdue(InspectionState.PENDING, TODAY, TODAY) == 0
    assert days_overdue(InspectionState.PENDING, TODAY + timedelta(days=9), TODAY) == 0


@pytest.mark.parametrize("state", [InspectionState.COMPLETED, InspectionState.CANCELLED])
def test_what_is_closed_is_on_time_for_good(state: InspectionState) -> None:
    long_ago = date(2026, 1, 1)
    assert due_mark(state, long_ago, TODAY) is DueMark.ON_TIME
    assert days_overdue(state, long_ago, TODAY) == 0


# An open inspection


def test_authority_is_as_old_as_the_order_at_most() -> None:
    assert bounded_done_at(NOW, AN_INSPECTION) == NOW
    assert bounded_done_at(NOW - timedelta(days=9), AN_INSPECTION) == AN_INSPECTION.created_at


def test_an_approved_inspection_is_open_from_its_first_day() -> None:
    first_moment = datetime(2026, 8, 2, 16, 0, tzinfo=UTC)  # midnight in Nanning
    require_open(AN_INSPECTION, first_moment)
    with pytest.raises(InspectionNotBegun) as refusal:
        require_open(AN_INSPECTION, first_moment - timedelta(seconds=1))
    assert refusal.value.facts == {"starts_on": "2026-08-03"}


def test_an_inspection_stays_open_after_its_due_date() -> None:
    require_open(AN_INSPECTION, NOW + timedelta(days=60))


@pytest.mark.parametrize("state", [InspectionState.COMPLETED, InspectionState.CANCELLED])
def test_a_closed_inspection_is_not_open(state: InspectionState) -> None:
    with pytest.raises(InspectionAlreadyClosed) as refusal:
        require_open(an_inspection(state=state), NOW)
    assert refusal.value.facts == {"state": state}


def test_an_inspection_needs_its_approval_unless_it_is_urgent() -> None:
    with pytest.raises(InspectionNotApproved):
        require_open(an_inspection(approved_at=None), NOW)
    require_open(an_inspection(approved_at=None, is_urgent=True), NOW)


# Two officers


def test_two_certified_officers_of_one_department_may_act() -> None:
    first, second, third = an_officer(), an_officer(), an_officer(EMERGENCY)
    assert require_two_officers([first, second, third], first.id, second.id, TODAY) == (first, second)


def test_who_is_not_assigned_does_not_act() -> None:
    second = an_officer()
    with pytest.raises(NotAssigned):
        require_two_officers([second], uuid4(), second.id, TODAY)


def test_the_second_officer_is_another_one_of_the_same_department_on_the_order() -> None:
    first, foreign = an_officer(), an_officer(EMERGENCY)
    for second_id in (None, first.id, foreign.id, uuid4()):
        with pytest.raises(SecondOfficerRequired) as refusal:
            require_two_officers([first, foreign], first.id, second_id, TODAY)
        assert refusal.value.field == "second_officer_id"


def test_an_officer_acts_for_the_department_of_the_order_not_of_the_payroll() -> None:
    first = an_officer()
    lent = msgspec.structs.replace(an_officer(EMERGENCY), acts_for=MARKET)
    assert require_two_officers([first, lent], first.id, lent.id, TODAY) == (first, lent)


@pytest.mark.parametrize(("first_valid_to", "field"), [(date(2026, 8, 4), "officer"), (TODAY, "second_officer_id")])
def test_both_certificates_are_valid_on_the_day(first_valid_to: date, field: str) -> None:
    first, second = an_officer(valid_to=first_valid_to), an_officer(valid_to=date(2026, 8, 4))
    with pytest.raises(CertificateInvalid) as refusal:
        require_two_officers([first, second], first.id, second.id, TODAY)
    assert refusal.value.field == field


# Check-ins of a visit


def test_a_departments_check_in_is_found_in_its_visit_only() -> None:
    former = a_card(id=uuid4(), visit_id=uuid4())
    assert find_check_in([former, A_CARD], MARKET, A_VISIT) is A_CARD
    assert find_check_in([former, A_CARD], EMERGENCY, A_VISIT) is None
    assert find_check_in([former], MARKET, A_VISIT) is None
    assert find_check_in([A_CARD], MARKET, None) is None


def test_a_department_checks_in_once_per_visit() -> None:
    require_not_checked_in([A_CARD], EMERGENCY, A_VISIT)
    require_not_checked_in([A_CARD], MARKET, None)
    require_not_checked_in([A_CARD], MARKET, a_visit(id=uuid4()))
    with pytest.raises(AlreadyCheckedIn) as refusal:
        require_not_checked_in([A_CARD], MARKET, A_VISIT)
    assert refusal.value.facts == {"visit_id": str(A_VISIT.id)}


def test_what_follows_needs_an_open_check_in() -> None:
    assert require_checked_in([A_CARD], MARKET, A_VISIT) == (A_CARD, A_VISIT)
    left = a_card(departed_at=NOW + HOUR)
    for cards, department, visit in (
        ([A_CARD], EMERGENCY, A_VISIT),
        ([A_CARD], MARKET, None),
        ([left], MARKET, A_VISIT),
    ):
        with pytest.raises(NotCheckedIn):
            require_checked_in(cards, department, visit)


# The position


def a_verdict(*flags: PositionFlag, distance_m: float | None = 0) -> PositionVerdict:
    return PositionVerdict(Coordinates(108.32, 22.82), distance_m, flags)


def test_a_plain_position_needs_no_reason_and_keeps_none() -> None:
    assert require_position_reason(a_verdict(), None) is None
    assert require_position_reason(a_verdict(), "多余的原因") is None


@pytest.mark.parametrize("flag", PositionFlag)
def test_every_doubt_is_allowed_with_a_reason(flag: PositionFlag) -> None:
    assert require_position_reason(a_verdict(flag), "  后门进入 ") == "后门进入"


@pytest.mark.parametrize("reason", [None, "", "  ", "是", "长" * 201])
def test_a_doubt_without_a_reason_of_2_to_200_characters_is_refused(reason: str | None) -> None:
    with pytest.raises(PositionReasonRequired) as refusal:
        require_position_reason(a_verdict(PositionFlag.OUTSIDE, PositionFlag.STALE, distance_m=800.6), reason)
    assert refusal.value.field == "position_reason"
    assert refusal.value.facts == {"flags": ["outside", "stale"], "distance_outside_m": 801}


@pytest.mark.parametrize("reason", ["后门", "长" * 200])
def test_the_bounds_of_a_reason_count(reason: str) -> None:
    assert require_position_reason(a_verdict(PositionFlag.UNKNOWN, distance_m=None), reason) == reason


# Scan before work


def a_late_scan(**changes: Any) -> str | None:
    usual: dict[str, Any] = {
        "began_at": NOW - 2 * HOUR,
        "ended_at": NOW - HOUR,
        "reason": LateScanReason.SYSTEM_FAILURE,
        "note": " 网络中断 ",
        "done_at": NOW,
        "now": NOW,
    }
    return require_late_scan(**{**usual, **changes})


def test_who_scans_first_has_nothing_to_explain() -> None:
    assert a_late_scan(began_at=None, ended_at=None, reason=None, note=None) is None


def test_a_failure_is_entered_afterwards_with_its_note() -> None:
    assert a_late_scan() == "网络中断"
    assert a_late_scan(ended_at=None) == "网络中断"


def test_an_emergency_is_scanned_before_leaving() -> None:
    assert a_late_scan(reason=LateScanReason.EMERGENCY, ended_at=None) == "网络中断"
    with pytest.raises(LateScanReasonRequired) as refusal:
        a_late_scan(reason=LateScanReason.EMERGENCY)
    assert refusal.value.field == "late_scan.ended_at"


@pytest.mark.parametrize(
    "missing",
    [{"reason": None}, {"began_at": None}, {"note": None}, {"note": " "}, {"note": "断"}, {"note": "长" * 201}],
)
def test_a_late_scan_tells_reason_note_and_beginning(missing: dict[str, Any]) -> None:
    with pytest.raises(LateScanReasonRequired) as refusal:
        a_late_scan(**missing)
    assert refusal.value.field == "late_scan"


def test_ten_days_exactly_are_in_time_and_a_second_more_is_not() -> None:
    ended_at = NOW - HOUR
    tenth_day = ended_at + timedelta(days=10)
    assert a_late_scan(done_at=tenth_day, now=tenth_day) == "网络中断"
    late = tenth_day + timedelta(seconds=1)
    with pytest.raises(BackEntryTooLate):
        a_late_scan(done_at=late, now=late)


def test_the_ten_days_end_at_the_receipt_not_at_the_phones_claim() -> None:
    with pytest.raises(BackEntryTooLate):
        a_late_scan(done_at=NOW, now=NOW + timedelta(days=10))


def test_nobody_left_before_they_came() -> None:
    with pytest.raises(DepartureBeforeArrival):
        a_late_scan(ended_at=NOW - 3 * HOUR)


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"began_at": NOW + HOUR, "ended_at": None}, "late_scan.began_at"),
        ({"ended_at": NOW + timedelta(seconds=1)}, "late_scan.ended_at"),
    ],
)
def test_work_before_the_scan_lies_before_the_scan(times: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        a_late_scan(**times)
    assert refusal.value.field == field


# 亮证告知


def test_an_acknowledgement_needs_no_reason() -> None:
    assert require_response(A_CARD, IdentificationResponse.ACKNOWLEDGED, None) is None
    assert require_response(A_CARD, IdentificationResponse.ACKNOWLEDGED, " ") is None
    assert require_response(A_CARD, IdentificationResponse.ACKNOWLEDGED, " 已核验证件 ") == "已核验证件"


@pytest.mark.parametrize(
    "response", [IdentificationResponse.RECUSAL_REQUESTED, IdentificationResponse.IDENTITY_MISMATCH]
)
def test_a_refusal_needs_a_reason(response: IdentificationResponse) -> None:
    assert require_response(A_CARD, response, " 亲属关系 ") == "亲属关系"
    for reason in (None, " ", "无", "长" * 201):
        with pytest.raises(RefusalReasonRequired):
            require_response(A_CARD, response, reason)


@pytest.mark.parametrize("response", IdentificationResponse)
def test_an_acknowledgement_is_final_and_a_refusal_is_not(response: IdentificationResponse) -> None:
    refused = a_card(identification=IdentificationResponse.IDENTITY_MISMATCH)
    assert require_response(refused, response, "再次核对证件") == "再次核对证件"
    with pytest.raises(AlreadyAcknowledged):
        require_response(a_card(identification=IdentificationResponse.ACKNOWLEDGED), response, "再次核对证件")


# Leaving and voiding


def test_one_leaves_at_the_earliest_when_one_came() -> None:
    require_departure(A_CARD, NOW)
    with pytest.raises(DepartureBeforeArrival):
        require_departure(A_CARD, NOW - timedelta(microseconds=1))


def test_only_an_open_visit_can_be_voided() -> None:
    assert require_voidable(A_VISIT) is A_VISIT
    for visit in (None, a_visit(departed_at=NOW), a_visit(voided_at=NOW)):
        with pytest.raises(VisitAlreadyOver):
            require_voidable(visit)
