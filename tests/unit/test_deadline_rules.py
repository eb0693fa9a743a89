"""When which stage of a deadline comes (D4, D13), and who urges and answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from domain.deadline import rules
from domain.deadline.intake import read_days
from domain.deadline.model import (
    CalendarDay,
    Deadline,
    DeadlineKind,
    DeadlineStage,
    OrderSource,
    SupervisionJudgement,
    SupervisionOrder,
    SupervisionState,
    WarningLevel,
)
from domain.enterprise.rules import ReasonMissing
from domain.identity.model import Principal, Role
from domain.shared.errors import Forbidden, InvalidField
from domain.shared.working_days import (
    WorkingCalendar,
    add_working_days,
    is_working_day,
    use_calendar,
    working_days_before,
)

DUE_ON = date(2026, 8, 20)
"""A Thursday."""
SET_AT = datetime(2026, 8, 3, 0, 30, tzinfo=UTC)
DUE_SOON, FIRST, SECOND = DeadlineStage.DUE_SOON, DeadlineStage.FIRST_WARNING, DeadlineStage.SECOND_WARNING


@pytest.fixture(autouse=True)
def _calendar() -> Iterator[None]:
    use_calendar(WorkingCalendar())
    yield
    use_calendar(WorkingCalendar())


def at(text: str) -> datetime:
    """An instant of the region's own clock."""
    return datetime.fromisoformat(f"{text}:00+08:00")


def a_deadline(**changes: Any) -> Deadline:
    """An inspection that is to be finished by `DUE_ON`."""
    usual = Deadline(
        id=uuid4(),
        kind=DeadlineKind.INSPECTION,
        subject_id=uuid4(),
        department_id=uuid4(),
        region="45.4501",
        due_on=DUE_ON,
        set_at=SET_AT,
        closed_at=None,
        stage=None,
        department_name="南宁市监",
        hotline=None,
    )
    return msgspec.structs.replace(usual, **changes)


# Stages


def test_the_stages_come_in_working_days_at_eight_in_the_morning() -> None:
    assert rules.schedule(DeadlineKind.INSPECTION, DUE_ON, SET_AT) == (
        (DUE_SOON, at("2026-08-17T08:00")),
        (FIRST, at("2026-08-21T08:00")),
        (SECOND, at("2026-08-26T08:00")),
    )


def test_over_a_holiday_the_stages_wait_for_its_end() -> None:
    stages = dict(rules.schedule(DeadlineKind.REQUEST, date(2026, 9, 30), SET_AT))
    assert stages[FIRST] == at("2026-10-01T08:00")
    assert stages[SECOND] == at("2026-10-10T08:00")  # the 8th, the 9th, and a Saturday that is worked for the holiday


def test_a_supervision_order_has_one_stage_and_it_is_red() -> None:
    ((stage, instant),) = rules.schedule(DeadlineKind.SUPERVISION_ORDER, date(2026, 8, 28), SET_AT)
    assert (stage, stage.level) == (DeadlineStage.ORDER_UNANSWERED, WarningLevel.RED)
    assert instant == at("2026-08-29T08:00")


def test_each_stage_has_its_colour() -> None:
    assert [stage.level for stage in DeadlineStage] == [4, 3, 2, 1]
    assert [stage.level.label for stage in DeadlineStage] == ["蓝色", "黄色", "橙色", "红色"]


def test_who_was_told_of_a_short_term_today_is_not_reminded_of_it_today() -> None:
    told_on_monday = at("2026-08-17T09:00")
    assert [stage for stage, _ in rules.schedule(DeadlineKind.REQUEST, DUE_ON, told_on_monday)] == [FIRST, SECOND]
    told_on_sunday = at("2026-08-16T09:00")
    assert rules.first_stage_at(DeadlineKind.REQUEST, DUE_ON, told_on_sunday) == at("2026-08-17T08:00")


@pytest.mark.parametrize(
    ("now", "recorded", "reached", "skipped", "next_at"),
    [
        ("2026-08-17T07:59", (), None, (), "2026-08-17T08:00"),
        ("2026-08-17T08:00", (), DUE_SOON, (), "2026-08-21T08:00"),
        ("2026-08-18T08:00", (DUE_SOON,), None, (), "2026-08-21T08:00"),
        ("2026-08-21T08:00", (DUE_SOON,), FIRST, (), "2026-08-26T08:00"),
        ("2026-08-21T08:00", (), FIRST, (DUE_SOON,), "2026-08-26T08:00"),
        ("2026-12-01T08:00", (), SECOND, (DUE_SOON, FIRST), None),
        ("2026-12-01T08:00", (DUE_SOON,), SECOND, (FIRST,), None),
        ("2026-12-01T08:00", (DUE_SOON, FIRST, SECOND), None, (), None),
    ],
)
def test_only_the_newest_stage_is_told_of(
    now: str,
    recorded: tuple[DeadlineStage, ...],
    reached: DeadlineStage | None,
    skipped: tuple[DeadlineStage, ...],
    next_at: str | None,
) -> None:
    step = rules.advance(a_deadline(), recorded, at(now))
    assert (step.reached, step.skipped) == (reached, skipped)
    assert step.next_stage_at == (None if next_at is None else at(next_at))


def test_a_due_day_that_is_moved_moves_every_stage() -> None:
    moved = a_deadline(due_on=date(2026, 8, 27), set_at=at("2026-08-20T10:00"))
    assert rules.advance(moved, (), at("2026-08-21T08:00")).reached is None
    assert rules.next_stage_at(moved, ()) == at("2026-08-24T08:00")


def test_what_has_come_is_not_planned_again_and_what_follows_is() -> None:
    assert rules.next_stage_at(a_deadline(), ()) == at("2026-08-17T08:00")
    assert rules.next_stage_at(a_deadline(), (DUE_SOON,)) == at("2026-08-21T08:00")
    assert rules.next_stage_at(a_deadline(), (FIRST,)) == at("2026-08-26T08:00")
    assert rules.next_stage_at(a_deadline(), (SECOND,)) is None


def test_a_supervision_order_is_answered_within_two_working_days() -> None:
    assert rules.answer_due(at("2026-08-26T08:00")) == date(2026, 8, 28)
    assert rules.answer_due(at("2026-08-28T08:00")) == date(2026, 9, 1)


# The calendar


def test_days_that_were_laid_down_count_before_the_notices() -> None:
    use_calendar(WorkingCalendar(edition=1, days={date(2026, 8, 19): False, date(2026, 8, 22): True}))
    assert not is_working_day(date(2026, 8, 19))
    assert is_working_day(date(2026, 8, 22))
    assert rules.schedule(DeadlineKind.INSPECTION, DUE_ON, SET_AT) == (
        (DUE_SOON, at("2026-08-14T08:00")),
        (FIRST, at("2026-08-21T08:00")),
        (SECOND, at("2026-08-25T08:00")),
    )


def test_a_year_is_covered_once_days_of_it_are_laid_down() -> None:
    assert WorkingCalendar().covers(2026)
    assert not WorkingCalendar().covers(2090)
    assert WorkingCalendar(edition=1, days={date(2090, 1, 2): False}).covers(2090)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_counting_back_finds_the_day_from_which_counting_on_arrives(count: int) -> None:
    day = date(2026, 1, 1)
    while day < date(2026, 12, 31):
        found = working_days_before(day, count)
        assert add_working_days(found, count) >= day
        assert add_working_days(found - timedelta(days=1), count) < day
        day += timedelta(days=1)


def test_a_file_of_days_is_read_with_or_without_heading_in_either_encoding() -> None:
    text = "日期,安排,说明\n2027-01-01,休,元旦\n\n2027-01-03,班,元旦调休\n"
    days = [
        CalendarDay(on=date(2027, 1, 1), is_working=False, note="元旦"),
        CalendarDay(on=date(2027, 1, 3), is_working=True, note="元旦调休"),
    ]
    assert read_days(text.encode()) == days
    assert read_days(("\ufeff" + text).encode()) == days
    assert read_days(text.partition("\n")[2].encode("gb18030")) == days


@pytest.mark.parametrize(
    ("text", "line"),
    [("2027-13-01,休,元旦", 1), ("2027-01-01,休", 1), ("2027-01-01,休,元旦\n2027-01-02,?,元旦", 2)],
)
def test_a_line_that_says_no_day_is_named(text: str, line: int) -> None:
    with pytest.raises(InvalidField) as refused:
        read_days(text.encode())
    assert refused.value.facts == {"line": line}


@pytest.mark.parametrize("text", ["", "日期,安排,说明\n"])
def test_a_file_without_days_is_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        read_days(text.encode())


def test_each_day_is_laid_down_once_and_with_its_ground() -> None:
    day = CalendarDay(on=date(2027, 1, 1), is_working=False, note=" 元旦 ")
    assert rules.require_days([day])[0].note == "元旦"
    for wrong in ([day, day], [msgspec.structs.replace(day, note=" ")], [msgspec.structs.replace(day, on=date.max)]):
        with pytest.raises(InvalidField):
            rules.require_days(wrong)


# Who may


def somebody(role: Role, **scope: Any) -> Principal:
    """Signed in as that."""
    return Principal(account_id=uuid4(), session_id=uuid4(), name="某人", role=role, post="某职", **scope)


def an_order(**changes: Any) -> SupervisionOrder:
    """To a department's officer, from the department above."""
    usual = SupervisionOrder(
        id=uuid4(),
        deadline_id=uuid4(),
        source=OrderSource.SECOND_WARNING,
        state=SupervisionState.OPEN,
        is_open=True,
        department_id=uuid4(),
        superior_id=uuid4(),
        region="45.4501",
        account_id=None,
        officers=(uuid4(),),
        issued_by=None,
        issued_at=SET_AT,
        due_on=date(2026, 8, 5),
        answered_by=None,
        ended_at=None,
    )
    return msgspec.structs.replace(usual, **changes)


def test_an_order_is_seen_by_both_sides_and_by_leads_of_the_region() -> None:
    order = an_order()
    assert rules.may_see_order(somebody(Role.INSPECTOR, officer_id=order.officers[0]), order)
    assert not rules.may_see_order(somebody(Role.INSPECTOR, officer_id=uuid4()), order)
    for department in (order.department_id, order.superior_id):
        assert rules.may_see_order(somebody(Role.DEPARTMENT_MANAGER, department_id=department), order)
    assert not rules.may_see_order(somebody(Role.DEPARTMENT_MANAGER, department_id=uuid4()), order)
    assert rules.may_see_order(somebody(Role.LEAD, department_id=uuid4(), region="45"), order)
    assert not rules.may_see_order(somebody(Role.LEAD, department_id=uuid4(), region="45.4502"), order)
    assert not rules.may_see_order(somebody(Role.ENTERPRISE), order)
    assert not rules.may_see_order(somebody(Role.ADMINISTRATOR), order)


def test_who_issued_it_judges_and_nobody_judges_their_own_answer() -> None:
    order = an_order(state=SupervisionState.ANSWERED)
    lead = somebody(Role.LEAD, department_id=order.superior_id)
    rules.require_judge(lead, order)
    for stranger in (
        somebody(Role.LEAD, department_id=order.department_id),
        somebody(Role.DEPARTMENT_MANAGER, department_id=order.superior_id),
    ):
        with pytest.raises(Forbidden):
            rules.require_judge(stranger, order)
    with pytest.raises(Forbidden):
        rules.require_judge(lead, msgspec.structs.replace(order, answered_by=lead.account_id))


def test_returning_an_answer_needs_its_reason() -> None:
    with pytest.raises(ReasonMissing):
        rules.require_judgement(SupervisionJudgement(accepted=False))
    assert rules.require_judgement(SupervisionJudgement(accepted=False, reason=" 未说明原因 ")) == "未说明原因"
    assert rules.require_judgement(SupervisionJudgement(accepted=True)) is None


def test_what_is_done_or_urged_already_is_not_urged() -> None:
    rules.require_urgeable(a_deadline(), is_urged=False)
    with pytest.raises(rules.AlreadyUrged):
        rules.require_urgeable(a_deadline(), is_urged=True)
    with pytest.raises(rules.DeadlineClosed):
        rules.require_urgeable(a_deadline(closed_at=SET_AT), is_urged=False)
    with pytest.raises(rules.SupervisionStepNotPossible):
        rules.require_urgeable(a_deadline(kind=DeadlineKind.SUPERVISION_ORDER), is_urged=False)
