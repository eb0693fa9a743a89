"""企业自查, 隐患 and 交办任务: the rules alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.checklist.model import Severity
from domain.identity.model import Principal, Role
from domain.self_inspection import rules
from domain.self_inspection.assigned import rules as tasks
from domain.self_inspection.assigned.model import (
    AnsweredRow,
    ObjectsOrder,
    ObjectState,
    Task,
    TaskFields,
    TaskObject,
    TaskState,
)
from domain.self_inspection.hazard import rules as hazards
from domain.self_inspection.hazard.model import ClosingOrder, HandlingOrder, Hazard, HazardState
from domain.self_inspection.model import (
    SelfAnswer,
    SelfAnswerOrder,
    SelfAnswerValue,
    SelfCheckLine,
    SelfInspection,
    SelfInspectionState,
)
from domain.shared.errors import Forbidden, InvalidField
from notifications.sms.segments import measure
from notifications.templates import compose_sms, current

NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
TODAY = date(2026, 8, 5)
PHOTO = "ab" * 32
SITE, ENTERPRISE, DEPARTMENT = uuid4(), uuid4(), uuid4()
REGION = "450000.450100"


def somebody(role: Role = Role.ENTERPRISE, **fields: Any) -> Principal:
    """An account of that role."""
    return Principal(account_id=uuid4(), session_id=uuid4(), name="某人", role=role, post="某职", **fields)


def an_answer(value: str = "no_problem", **fields: Any) -> SelfAnswer:
    """An answer as it stands, in its first version."""
    blank: dict[str, Any] = {"version": 1, "reason": None, "remark": None, "photos": []}
    return SelfAnswer(**{**blank, **fields}, value=SelfAnswerValue(value), answered_at=NOW, received_at=NOW)


def a_line(answer: SelfAnswer | None) -> SelfCheckLine:
    """An item with its answer."""
    return SelfCheckLine(
        item_id=uuid4(),
        code="T01",
        area="许可管理",
        matter="许可",
        sub_matter=None,
        content="许可证在有效期内。",
        method="查看",
        severity=Severity.GENERAL,
        legal_basis=[],
        answer=answer,
    )


def a_hazard(**fields: Any) -> Hazard:
    """An open hazard found today, due in a week."""
    blank: dict[str, Any] = dict.fromkeys(Hazard.__struct_fields__) | {
        "id": uuid4(),
        "enterprise_id": ENTERPRISE,
        "site_id": SITE,
        "region": f"{REGION}.450103",
        "title": "灭火器过期",
        "severity": Severity.GENERAL,
        "state": HazardState.OPEN,
        "version": 1,
        "found_at": NOW,
        "found_by": uuid4(),
        "due_on": TODAY + timedelta(days=7),
        "photos_before": [],
        "photos_after": [],
        "reminders": 0,
    }
    return Hazard(**{**blank, **fields})


def a_task(state: TaskState = TaskState.DRAFT, **fields: Any) -> Task:
    """A task of the city's department."""
    return msgspec.structs.replace(
        Task(
            id=uuid4(),
            department_id=DEPARTMENT,
            region=REGION,
            name="节前自巡查",
            patrol_type="节前",
            object_type="餐饮单位",
            starts_on=TODAY,
            ends_on=TODAY + timedelta(days=10),
            created_by=uuid4(),
            created_at=NOW,
        ),
        state=state,
        **fields,
    )


# The quarter


@pytest.mark.parametrize(
    ("day", "quarter", "last"),
    [
        (date(2026, 1, 1), "2026Q1", date(2026, 3, 31)),
        (date(2026, 3, 31), "2026Q1", date(2026, 3, 31)),
        (date(2026, 4, 1), "2026Q2", date(2026, 6, 30)),
        (date(2026, 9, 30), "2026Q3", date(2026, 9, 30)),
        (date(2026, 12, 31), "2026Q4", date(2026, 12, 31)),
    ],
)
def test_a_day_lies_in_its_quarter_which_has_a_last_day(day: date, quarter: str, last: date) -> None:
    assert rules.quarter_of(day) == quarter
    assert rules.last_day_of(quarter) == last


@pytest.mark.parametrize("text", ["", "2026", "2026Q5", "2026q1", "1999Q1", "2026Q11"])
def test_what_is_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        rules.last_day_of(text)


def test_reminders_begin_fifteen_days_before_the_quarters_end() -> None:
    assert not rules.is_time_to_remind(date(2026, 9, 15))
    assert rules.is_time_to_remind(date(2026, 9, 16))
    assert rules.is_time_to_remind(date(2026, 9, 30))
    assert not rules.is_time_to_remind(date(2026, 10, 1))


def test_a_phones_clock_is_believed_a_month_back() -> None:
    assert rules.believed(NOW - timedelta(days=2), NOW) == NOW - timedelta(days=2)
    assert rules.believed(datetime.fromisoformat("0001-01-01T00:00:00+08:00"), NOW) == NOW - timedelta(days=30)


# Answers


def test_not_applicable_needs_a_reason() -> None:
    for reason in (None, "", " 无 "):
        with pytest.raises(InvalidField):
            rules.require_whole(SelfAnswerOrder(value=SelfAnswerValue.NOT_APPLICABLE, reason=reason))
    kept = rules.require_whole(SelfAnswerOrder(value=SelfAnswerValue.NOT_APPLICABLE, reason=" 未设后厨 ", remark=" "))
    assert (kept.reason, kept.remark) == ("未设后厨", None)


def test_a_photo_is_named_once() -> None:
    with pytest.raises(InvalidField):
        rules.require_whole(SelfAnswerOrder(value=SelfAnswerValue.PROBLEM, photos=[PHOTO, PHOTO]))


def test_an_answer_over_another_version_is_a_conflict_that_tells_both() -> None:
    order = SelfAnswerOrder(value=SelfAnswerValue.PROBLEM)
    rules.require_version(None, 0, order)
    rules.require_version(an_answer(), 1, order)
    with pytest.raises(rules.SelfAnswerConflict) as refused:
        rules.require_version(an_answer(remark="同事填写"), 0, order)
    assert refused.value.facts["current"]["remark"] == "同事填写"  # type: ignore[index]
    assert refused.value.facts["yours"]["value"] == "problem"  # type: ignore[index]


def test_all_items_are_answered_before_it_is_submitted() -> None:
    problem = a_line(an_answer("problem"))
    assert rules.require_all_answered([a_line(an_answer()), problem]) == [problem]
    waiting = a_line(None)
    with pytest.raises(rules.SelfInspectionIncomplete) as refused:
        rules.require_all_answered([problem, waiting])
    assert refused.value.facts["open"] == [str(waiting.item_id)]


@pytest.mark.parametrize("state", [SelfInspectionState.SUBMITTED, SelfInspectionState.DISCARDED])
def test_only_a_draft_changes(state: SelfInspectionState) -> None:
    found = SelfInspection(
        id=uuid4(),
        enterprise_id=ENTERPRISE,
        site_id=SITE,
        region=REGION,
        business_type="餐饮服务",
        checklist_version_id=uuid4(),
        state=state,
        item_count=1,
        problem_count=0,
        started_at=NOW,
        submitted_at=None,
        quarter=None,
    )
    with pytest.raises(rules.SelfInspectionClosed):
        rules.require_draft(found)


def test_the_trace_proves_an_answer_and_does_not_tell_it() -> None:
    assert rules.digest_of(an_answer("problem")) == rules.digest_of(an_answer("problem"))
    assert rules.digest_of(an_answer("problem")) != rules.digest_of(an_answer())
    assert "problem" not in rules.digest_of(an_answer("problem"))


# Hazards


def test_the_graver_the_shorter_the_suggested_term() -> None:
    days = [(hazards.suggested_due_on(each, TODAY) - TODAY).days for each in (*Severity,)]
    assert days == sorted(days, reverse=True)


def test_a_term_lies_between_the_day_found_and_the_longest() -> None:
    longest = TODAY + timedelta(days=15)
    assert hazards.require_term(Severity.SEVERE, TODAY, longest) == longest
    for due_on in (TODAY - timedelta(days=1), longest + timedelta(days=1)):
        with pytest.raises(InvalidField):
            hazards.require_term(Severity.SEVERE, TODAY, due_on)


def test_a_new_term_is_reminded_of_anew() -> None:
    hazard = a_hazard(reminders=2)
    same = HandlingOrder(measures="更换灭火器", responsible="韦某", due_on=hazard.due_on)
    assert hazards.plan(hazard, same, b"sealed", TODAY, 1).reminders == 2
    later = msgspec.structs.replace(same, due_on=hazard.due_on + timedelta(days=3))
    planned = hazards.plan(hazard, later, b"sealed", TODAY, 1)
    assert (planned.reminders, planned.version, planned.responsible_sealed) == (0, 2, b"sealed")


def test_a_plan_over_another_version_is_refused() -> None:
    order = HandlingOrder(measures="更换灭火器", responsible="韦某", due_on=TODAY)
    with pytest.raises(hazards.HazardChanged):
        hazards.plan(a_hazard(version=3), order, b"", TODAY, 2)


def test_a_severe_hazard_is_closed_with_a_photo() -> None:
    severe = a_hazard(severity=Severity.SEVERE)
    with pytest.raises(InvalidField):
        hazards.close(severe, ClosingOrder(note="已更换"), uuid4(), NOW)
    closed = hazards.close(severe, ClosingOrder(note="已更换", photos=[PHOTO]), uuid4(), NOW)
    assert (closed.state, closed.photos_after) == (HazardState.CLOSED, [bytes.fromhex(PHOTO)])
    with pytest.raises(hazards.HazardAlreadyClosed):
        hazards.close(closed, ClosingOrder(note="再次"), uuid4(), NOW)


def test_only_a_severe_hazard_escalates_and_only_once() -> None:
    with pytest.raises(hazards.HazardNotSevere):
        hazards.escalate(a_hazard(), DEPARTMENT, NOW)
    told = hazards.escalate(a_hazard(severity=Severity.SEVERE), DEPARTMENT, NOW)
    assert (told.escalated_at, told.escalated_to) == (NOW, DEPARTMENT)
    with pytest.raises(hazards.HazardAlreadyEscalated):
        hazards.escalate(told, DEPARTMENT, NOW)


@pytest.mark.parametrize(("overdue", "reminders"), [(-1, 0), (0, 0), (1, 1), (6, 1), (7, 2), (400, 2)])
def test_reminders_are_due_a_day_and_a_week_after_the_term(overdue: int, reminders: int) -> None:
    assert hazards.reminders_due(a_hazard(due_on=TODAY - timedelta(days=overdue)), TODAY) == reminders


def test_nobody_but_the_enterprise_sees_a_hazard_that_did_not_escalate() -> None:
    officials = [
        somebody(Role.LEAD, region=REGION, department_id=DEPARTMENT),
        somebody(Role.DEPARTMENT_MANAGER, region=REGION, department_id=DEPARTMENT),
        somebody(Role.INSPECTOR, region=REGION, department_id=DEPARTMENT),
        somebody(Role.ADMINISTRATOR),
    ]
    own = a_hazard(severity=Severity.SEVERE)
    assert hazards.may_see(somebody(enterprise_id=ENTERPRISE), own)
    assert [hazards.may_see(who, own) for who in officials] == [False, False, False, False]
    told = hazards.escalate(own, DEPARTMENT, NOW)
    assert [hazards.may_see(who, told) for who in officials] == [True, True, False, False]
    assert not hazards.may_see(somebody(Role.LEAD, region="450000.450200"), told)
    assert not hazards.may_see(somebody(Role.DEPARTMENT_MANAGER, department_id=uuid4()), told)


def test_the_reminder_by_sms_is_one_segment() -> None:
    assert measure(compose_sms(current("hazard_overdue"), {"days": "365"})).segments == 1


# Assigned tasks


def test_a_task_is_made_for_a_department_and_a_region() -> None:
    maker = somebody(Role.DEPARTMENT_MANAGER, department_id=DEPARTMENT, region=REGION)
    assert tasks.maker_of(maker) == (DEPARTMENT, REGION)
    for who in (
        somebody(Role.LEAD, region=REGION),
        somebody(Role.DEPARTMENT_MANAGER, department_id=DEPARTMENT),
        somebody(Role.INSPECTOR, department_id=DEPARTMENT, region=REGION),
    ):
        with pytest.raises(Forbidden):
            tasks.maker_of(who)


def test_a_term_that_is_over_or_turned_round_is_refused() -> None:
    fields = TaskFields(name=" 自巡查 ", patrol_type="专项", object_type="餐饮", starts_on=TODAY, ends_on=TODAY)
    assert tasks.require_fields(fields, TODAY).name == "自巡查"
    for changes in ({"ends_on": TODAY - timedelta(days=1)}, {"starts_on": TODAY + timedelta(days=1)}, {"name": "  "}):
        with pytest.raises(InvalidField):
            tasks.require_fields(msgspec.structs.replace(fields, **changes), TODAY)


@pytest.mark.parametrize("code", ["450200", "999999", "450000"])
def test_objects_are_chosen_within_the_departments_region(code: str) -> None:
    with pytest.raises(InvalidField):
        tasks.chosen(a_task(), ObjectsOrder(regions=[code]))


def test_a_region_stands_as_its_path() -> None:
    assert tasks.chosen(a_task(), ObjectsOrder(regions=["450103", "450103"])).regions == [f"{REGION}.450103"]


def test_a_site_that_is_not_there_is_told() -> None:
    task = tasks.chosen(a_task(), ObjectsOrder(site_ids=[uuid4(), uuid4()]))
    assert tasks.require_found(task, 2).objects_chosen == 2
    with pytest.raises(tasks.TaskObjectsUnknown) as refused:
        tasks.require_found(task, 1)
    assert refused.value.facts == {"missing": 1}


def test_a_task_needs_rows_and_objects_before_it_is_confirmed() -> None:
    with pytest.raises(tasks.TaskEmpty):
        tasks.confirm(a_task(objects_chosen=3), 0)
    for found in (None, 0):
        with pytest.raises(tasks.TaskEmpty):
            tasks.confirm(a_task(objects_chosen=found), 1)
    assert tasks.confirm(a_task(objects_chosen=3), 1).state is TaskState.CONFIRMED


def test_the_steps_of_a_task() -> None:
    confirmed = a_task(TaskState.CONFIRMED, objects_chosen=3)
    assert tasks.reopen(confirmed).state is TaskState.DRAFT
    sending = tasks.dispatch(confirmed, NOW)
    assert (sending.state, sending.dispatched_at) == (TaskState.DISPATCHING, NOW)
    stopped = tasks.stop(sending)
    again = tasks.dispatch(stopped, NOW + timedelta(hours=1))
    assert (again.state, again.dispatched_at) == (TaskState.DISPATCHING, NOW)
    for step in (tasks.reopen, tasks.stop):
        with pytest.raises(tasks.TaskStepNotPossible):
            step(stopped)
    with pytest.raises(tasks.TaskStepNotPossible):
        tasks.dispatch(a_task(), NOW)
    with pytest.raises(InvalidField):
        tasks.dispatch(confirmed, NOW + timedelta(days=11))
    with pytest.raises(tasks.TaskNotDraft):
        tasks.require_draft(confirmed)


def test_a_page_that_is_not_full_is_the_last() -> None:
    sending = a_task(TaskState.DISPATCHING, objects_chosen=5, dispatched_at=NOW)
    last = uuid4()
    half = tasks.assigned(sending, 3, 3, last, 3, NOW)
    assert (half.state, half.objects_assigned, half.after_site_id) == (TaskState.DISPATCHING, 3, last)
    whole = tasks.assigned(half, 2, 1, last, 3, NOW)
    assert (whole.state, whole.objects_assigned, whole.finished_at) == (TaskState.DISPATCHED, 4, NOW)


def test_answers_come_from_the_first_day_on_and_once() -> None:
    found = TaskObject(
        id=uuid4(),
        task_id=uuid4(),
        site_id=SITE,
        enterprise_id=ENTERPRISE,
        state=ObjectState.OPEN,
        starts_on=TODAY,
        ends_on=TODAY,
    )
    assert tasks.require_answerable(found, TODAY + timedelta(days=30)) == found
    with pytest.raises(tasks.TaskNotBegun):
        tasks.require_answerable(found, TODAY - timedelta(days=1))
    with pytest.raises(tasks.TaskAlreadyAnswered):
        tasks.require_answerable(msgspec.structs.replace(found, state=ObjectState.SUBMITTED), TODAY)


def a_row(answer: SelfAnswer | None, *, needs_photo: bool = False) -> AnsweredRow:
    """A row of a task."""
    return AnsweredRow(
        id=UUID(int=5), place=1, content="检查", requirement=None, needs_photo=needs_photo, item_id=None, answer=answer
    )


def test_a_row_that_asks_for_a_photo_gets_one() -> None:
    row = a_row(None, needs_photo=True)
    with pytest.raises(InvalidField):
        tasks.require_photo(row, SelfAnswerOrder(value=SelfAnswerValue.NO_PROBLEM))
    tasks.require_photo(row, SelfAnswerOrder(value=SelfAnswerValue.NO_PROBLEM, photos=[PHOTO]))
    tasks.require_photo(row, SelfAnswerOrder(value=SelfAnswerValue.NOT_APPLICABLE, reason="没有厨房"))


def test_problems_are_counted_once_every_row_is_answered() -> None:
    assert tasks.problems_among([a_row(an_answer()), a_row(an_answer("problem"))]) == 1
    with pytest.raises(tasks.TaskIncomplete):
        tasks.problems_among([a_row(None)])
