"""投诉 and 举报: terms, steps, reopening, merging, masking; who may, and what follows what (section 5.5)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from domain.complaint import course, rules
from domain.complaint.model import (
    CONSENT_VERSION,
    OPEN,
    Grievance,
    GrievanceKind,
    GrievanceState,
    GrievanceStep,
    GrievanceTerm,
    GrievanceType,
    NewGrievance,
)
from domain.enterprise.rules import ReasonMissing
from domain.identity.model import Principal, Role
from domain.shared.errors import InvalidField
from domain.shared.numbers import NumberKind

FILED = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
"""Wednesday, ten o'clock in Nanning."""
DEPARTMENT = uuid4()
KINDS = list(GrievanceKind)


def a_grievance(**changes: Any) -> Grievance:
    usual = Grievance(
        id=uuid4(),
        site_id=uuid4(),
        enterprise_id=uuid4(),
        department_id=DEPARTMENT,
        region="450000.450100.450103",
        type=GrievanceType.FOOD_SAFETY,
        state=GrievanceState.RECEIVED,
        is_open=True,
        term=GrievanceTerm.DECISION,
        due_on=date(2026, 8, 14),
        filed_at=FILED,
        accepted_at=None,
        answered_at=None,
        closed_at=None,
        is_reopened=False,
        is_extended=False,
        is_abusive=False,
        handler_id=None,
        leading_id=None,
        inspection_id=None,
        content_sealed=b"",
        person_sealed=None,
        released_sealed=None,
        department_code="SJ01",
        department_name="南宁市监",
        hotline=None,
    )
    return msgspec.structs.replace(usual, **changes)


def standing(state: GrievanceState, **changes: Any) -> Grievance:
    return a_grievance(state=state, is_open=state in OPEN, answered_at=FILED, **changes)


def somebody(role: Role, **scope: Any) -> Principal:
    return Principal(account_id=uuid4(), session_id=uuid4(), name="某人", role=role, post="某职", **scope)


LEAD = somebody(Role.LEAD, department_id=DEPARTMENT)


def take(kind: GrievanceKind, grievance: Grievance, step: GrievanceStep) -> Grievance:
    return course.take_step(kind, grievance, step, LEAD, FILED)


def new(**changes: Any) -> NewGrievance:
    fields: dict[str, Any] = {
        "type": GrievanceType.PRICE,
        "description": "门口停车收费没有明码标价。",
        "consent_version": CONSENT_VERSION,
        "code": "X",
        **changes,
    }
    return NewGrievance(**fields)


# Terms


def test_the_terms_are_those_that_were_decided() -> None:
    assert rules.decision_due(GrievanceKind.COMPLAINT, FILED) == date(2026, 8, 14)
    assert rules.decision_due(GrievanceKind.TIP_OFF, FILED) == date(2026, 8, 26)
    assert rules.answer_due(GrievanceKind.COMPLAINT, FILED) == date(2026, 9, 19)
    assert rules.answer_due(GrievanceKind.TIP_OFF, FILED) == date(2026, 8, 12)
    assert rules.decision_due(GrievanceKind.COMPLAINT, datetime(2026, 9, 28, 2, tzinfo=UTC)) == date(2026, 10, 13)
    assert rules.DEFAULT_POLICY.source == "待核"


def test_a_term_is_due_soon_three_working_days_before_its_end() -> None:
    assert rules.last_day_due_soon(date(2026, 8, 11)) == a_grievance().due_on
    assert rules.last_day_due_soon(date(2026, 8, 10)) < a_grievance().due_on


# Steps


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", GrievanceState)
@pytest.mark.parametrize("step", GrievanceStep)
def test_each_step_starts_where_it_may_and_nowhere_else(
    kind: GrievanceKind, state: GrievanceState, step: GrievanceStep
) -> None:
    received = step in {GrievanceStep.ACCEPT, GrievanceStep.DECLINE, GrievanceStep.EXTEND}
    may = {
        GrievanceStep.TAKE_OVER: state in OPEN,
        GrievanceStep.NOT_HANDLE: state in OPEN,
        GrievanceStep.ANSWER: state in OPEN and state is not GrievanceState.RECEIVED,
        GrievanceStep.CLOSE: state is GrievanceState.ANSWERED,
    }.get(step, received and state is GrievanceState.RECEIVED)
    if step is GrievanceStep.EXTEND and kind is GrievanceKind.COMPLAINT:
        may = False
    if may:
        after = take(kind, standing(state), step)
        assert after.is_open == (after.state in OPEN)
    else:
        with pytest.raises(rules.StepNotPossible):
            take(kind, standing(state), step)


def test_accepting_starts_the_term_of_the_answer() -> None:
    after = take(GrievanceKind.COMPLAINT, a_grievance(), GrievanceStep.ACCEPT)
    assert (after.state, after.term, after.due_on) == (
        GrievanceState.ACCEPTED,
        GrievanceTerm.ANSWER,
        date(2026, 9, 19),
    )


def test_taking_over_what_was_only_received_decides_nothing() -> None:
    after = take(GrievanceKind.TIP_OFF, a_grievance(), GrievanceStep.TAKE_OVER)
    assert (after.state, after.handler_id) == (GrievanceState.RECEIVED, LEAD.account_id)
    accepted = take(GrievanceKind.TIP_OFF, standing(GrievanceState.ACCEPTED), GrievanceStep.TAKE_OVER)
    assert accepted.state is GrievanceState.HANDLING


def test_an_inspection_accepts_what_was_only_received() -> None:
    begun = course.begin_handling(GrievanceKind.COMPLAINT, a_grievance(), FILED)
    assert (begun.state, begun.accepted_at, begun.term) == (GrievanceState.HANDLING, FILED, GrievanceTerm.ANSWER)


def test_a_tip_off_is_extended_once() -> None:
    longer = take(GrievanceKind.TIP_OFF, a_grievance(due_on=date(2026, 8, 26)), GrievanceStep.EXTEND)
    assert longer.due_on == date(2026, 9, 16)
    with pytest.raises(rules.AlreadyExtended):
        take(GrievanceKind.TIP_OFF, longer, GrievanceStep.EXTEND)


def test_reasons_and_answers_are_required() -> None:
    for step in (GrievanceStep.DECLINE, GrievanceStep.NOT_HANDLE, GrievanceStep.EXTEND):
        with pytest.raises(ReasonMissing):
            course.require_step_text(step, " ")
    with pytest.raises(InvalidField):
        course.require_step_text(GrievanceStep.ANSWER, None)
    assert course.require_step_text(GrievanceStep.ACCEPT, " ") is None
    assert course.require_step_text(GrievanceStep.CLOSE, " 已回访 ") == "已回访"


# The complainant


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_reopened_once_within_fifteen_days(kind: GrievanceKind) -> None:
    answered = standing(GrievanceState.CLOSED, leading_id=uuid4(), inspection_id=uuid4())
    last = FILED + timedelta(days=15)
    again = course.reopen(kind, answered, last)
    assert (again.state, again.is_open, again.leading_id, again.inspection_id) == (
        GrievanceState.REOPENED,
        True,
        None,
        None,
    )
    with pytest.raises(rules.ReopeningTermOver):
        course.reopen(kind, answered, last + timedelta(days=1))
    with pytest.raises(rules.AlreadyReopened):
        course.reopen(kind, course.answer(again, last), last)
    for state in set(GrievanceState) - {GrievanceState.ANSWERED, GrievanceState.CLOSED}:
        assert not course.may_reopen(kind, standing(state), last)


def test_only_what_is_open_is_withdrawn() -> None:
    for state in GrievanceState:
        if state in OPEN:
            assert course.withdraw(standing(state), FILED).state is GrievanceState.WITHDRAWN
        else:
            with pytest.raises(rules.StepNotPossible):
                course.withdraw(standing(state), FILED)
            with pytest.raises(rules.StepNotPossible):
                course.require_supplementable(standing(state))


# Merging


def test_only_open_ones_about_one_site_are_merged() -> None:
    leading = a_grievance()
    course.require_mergeable(leading, a_grievance(site_id=leading.site_id))
    with pytest.raises(rules.NotTheSameMatter):
        course.require_mergeable(leading, a_grievance())
    with pytest.raises(rules.NotTheSameMatter):
        course.require_mergeable(leading, standing(GrievanceState.CLOSED, site_id=leading.site_id))
    with pytest.raises(rules.FollowsAnother):
        course.require_mergeable(leading, a_grievance(site_id=leading.site_id, leading_id=uuid4()))
    with pytest.raises(InvalidField):
        course.require_mergeable(leading, leading)


def test_a_follower_stands_as_its_leader_and_keeps_what_is_its_own() -> None:
    leading = standing(GrievanceState.ANSWERED, handler_id=uuid4())
    follower = a_grievance(is_reopened=True, is_abusive=True)
    after = course.follow(leading, follower)
    assert (after.state, after.handler_id, after.leading_id) == (leading.state, leading.handler_id, leading.id)
    assert (after.id, after.is_reopened, after.is_abusive) == (follower.id, True, True)
    with pytest.raises(rules.FollowsAnother):
        take(GrievanceKind.COMPLAINT, after, GrievanceStep.CLOSE)


# Who


def test_leads_handle_and_managers_read() -> None:
    one = a_grievance()
    assert rules.may_handle(LEAD, one)
    assert rules.may_handle(somebody(Role.LEAD, region="450000.450100"), one)
    assert not rules.may_read(somebody(Role.LEAD, region="450000.450200", department_id=uuid4()), one)
    assert not rules.may_read(somebody(Role.LEAD), one)
    manager = somebody(Role.DEPARTMENT_MANAGER, department_id=DEPARTMENT)
    assert rules.may_read(manager, one)
    assert not rules.may_handle(manager, one)
    for role in (Role.INSPECTOR, Role.ENTERPRISE, Role.ADMINISTRATOR):
        outsider = somebody(role, department_id=DEPARTMENT, region="450000", enterprise_id=one.enterprise_id)
        assert not rules.may_read(outsider, one)


def test_an_enterprise_is_concerned_by_what_was_accepted_about_its_sites() -> None:
    one = a_grievance(accepted_at=FILED)
    owner = somebody(Role.ENTERPRISE, enterprise_id=one.enterprise_id)
    assert rules.concerns(owner, one)
    assert rules.concerns(msgspec.structs.replace(owner, site_ids=(one.site_id,)), one)
    assert not rules.concerns(msgspec.structs.replace(owner, site_ids=(uuid4(),)), one)
    assert not rules.concerns(owner, msgspec.structs.replace(one, accepted_at=None))
    assert not rules.concerns(somebody(Role.ENTERPRISE, enterprise_id=uuid4()), one)
    assert not rules.concerns(LEAD, one)


# What is written


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("description", {"description": "太差了"}),
        ("description", {"description": "差" * 2001}),
        ("happened_on", {"happened_on": date(2026, 8, 6)}),
        ("happened_on", {"happened_on": date(2022, 8, 6)}),
        ("place", {"place": "厅"}),
        ("wish", {"wish": "退" * 1001}),
        ("site_id", {"code": None}),
        ("site_id", {"site_id": uuid4()}),
    ],
)
def test_what_is_handed_in_has_its_bounds(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidField) as refused:
        rules.require_narrative(new(**changes), FILED)
    assert refused.value.field == field


def test_blanks_say_nothing() -> None:
    narrative = rules.require_narrative(new(place=" ", wish="\n"), FILED)
    assert (narrative.place, narrative.wish) == (None, None)
    assert rules.require_name(GrievanceKind.TIP_OFF, " ") is None
    with pytest.raises(InvalidField):
        rules.require_name(GrievanceKind.COMPLAINT, " ")
    with pytest.raises(rules.ConsentMissing):
        rules.require_narrative(new(consent_version="2019-01"), FILED)


def test_people_are_masked_also_within_words() -> None:
    words = "我叫王小明，电话13877155555，身份证11010519491231002X，订单号138771555550。"
    shown = rules.masked_text(words, "王小明")
    assert "王小明" not in shown
    assert "13877155555，" not in shown
    assert "11010519491231002X" not in shown
    assert "王**" in shown
    assert "138****5555" in shown
    assert "138771555550" in shown  # no phone: too long


# Codes and numbers


def test_what_is_no_query_code_is_refused() -> None:
    with pytest.raises(InvalidField):
        rules.require_query_code("0" * 11)


def test_the_phones_last_digits() -> None:
    assert rules.read_tail(" 5555 ") == "5555"
    assert rules.read_tail("") is rules.read_tail(None) is None
    for bad in ("555", "55555", "55a5", "５５５５"):
        with pytest.raises(InvalidField):
            rules.read_tail(bad)


def test_a_number_leads_to_its_own_kind_only() -> None:
    found = rules.read_number(" sj01-2026-ts-000012 ", NumberKind.COMPLAINT)
    assert found is not None
    assert (found.department_code, found.year, found.sequence) == ("SJ01", 2026, 12)
    assert rules.read_number("SJ01-2026-JB-000012", NumberKind.COMPLAINT) is None
    assert rules.read_number("12", NumberKind.COMPLAINT) is None


def test_every_outcome_of_an_inspection_has_public_words() -> None:
    for kind in KINDS:
        words = course.answer_of_inspection(kind, "closed_down", date(2026, 8, 7))
        assert words == f"针对您的{kind.label}，执法人员已于2026年8月7日完成检查，结果为：该单位已停业或注销。"
    assert "已依法处理" in course.answer_of_inspection(GrievanceKind.TIP_OFF, None, date(2026, 8, 7))


def test_everything_has_its_words() -> None:
    for each in (*GrievanceKind, *GrievanceType, *GrievanceState, *GrievanceTerm):
        assert each.label
