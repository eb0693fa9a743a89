"""Rules of enterprise requests: steps, terms, texts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from domain.identity.model import Principal, Role
from domain.request import rules
from domain.request.model import EnterpriseRequest, RequestCategory, RequestState, RequestStep, Urgency
from domain.shared.errors import Forbidden, InvalidField

NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
DEPARTMENT, ENTERPRISE = uuid4(), uuid4()


def a_request(state: RequestState = RequestState.SUBMITTED) -> EnterpriseRequest:
    return EnterpriseRequest(
        id=uuid4(),
        enterprise_id=ENTERPRISE,
        site_id=uuid4(),
        region="r45.r4501",
        department_id=DEPARTMENT,
        state=state,
        title="请说明要求",
        category=RequestCategory.CONSULTATION,
        urgency=Urgency.NORMAL,
        submitter_sealed=b"",
        contact_sealed=b"",
        description_sealed=b"",
        submitted_by=uuid4(),
        submitted_at=NOW,
        due_on=date(2026, 8, 14),
        answered_at=None,
        ended_at=None,
    )


def somebody(role: Role, **fields: Any) -> Principal:
    return Principal(account_id=uuid4(), session_id=uuid4(), name="某人", role=role, post="某职", **fields)


OFFICE = somebody(Role.DEPARTMENT_MANAGER, department_id=DEPARTMENT)
OWN = somebody(Role.ENTERPRISE, enterprise_id=ENTERPRISE)
LEADS_ON = {
    (RequestState.SUBMITTED, RequestStep.ACCEPT): RequestState.ACCEPTED,
    (RequestState.SUBMITTED, RequestStep.ANSWER): RequestState.ANSWERED,
    (RequestState.SUBMITTED, RequestStep.RETURN): RequestState.RETURNED,
    (RequestState.SUBMITTED, RequestStep.TRANSFER): RequestState.SUBMITTED,
    (RequestState.SUBMITTED, RequestStep.WITHDRAW): RequestState.WITHDRAWN,
    (RequestState.ACCEPTED, RequestStep.ANSWER): RequestState.ANSWERED,
    (RequestState.ACCEPTED, RequestStep.RETURN): RequestState.RETURNED,
    (RequestState.ACCEPTED, RequestStep.TRANSFER): RequestState.SUBMITTED,
    (RequestState.ACCEPTED, RequestStep.WITHDRAW): RequestState.WITHDRAWN,
    (RequestState.ANSWERED, RequestStep.CLOSE): RequestState.CLOSED,
    (RequestState.ANSWERED, RequestStep.CONFIRM): RequestState.CLOSED,
    (RequestState.RETURNED, RequestStep.SUPPLEMENT): RequestState.SUBMITTED,
    (RequestState.RETURNED, RequestStep.WITHDRAW): RequestState.WITHDRAWN,
}


@pytest.mark.parametrize("state", list(RequestState))
@pytest.mark.parametrize("step", [each for each in RequestStep if each is not RequestStep.SUBMIT])
def test_each_step_leads_on_from_its_own_states_alone(state: RequestState, step: RequestStep) -> None:
    is_own = step in {RequestStep.SUPPLEMENT, RequestStep.CONFIRM, RequestStep.WITHDRAW}
    by, other = (OWN, OFFICE) if is_own else (OFFICE, OWN)
    with pytest.raises(Forbidden):
        rules.require_step(other, a_request(state), step)
    after = LEADS_ON.get((state, step))
    if after is None:
        with pytest.raises(rules.RequestStepNotPossible):
            rules.require_step(by, a_request(state), step)
    else:
        assert rules.require_step(by, a_request(state), step) is after


def test_a_request_is_submitted_once_and_handled_by_its_department() -> None:
    with pytest.raises(InvalidField):
        rules.require_step(OWN, a_request(), RequestStep.SUBMIT)
    with pytest.raises(Forbidden):
        rules.require_step(somebody(Role.LEAD, department_id=uuid4()), a_request(), RequestStep.ACCEPT)


def test_an_answer_is_due_in_seven_working_days_and_late_only_while_it_waits() -> None:
    assert rules.due_on(NOW) == date(2026, 8, 14)
    late = date(2026, 8, 15)
    assert rules.is_overdue(RequestState.ACCEPTED, date(2026, 8, 14), late)
    assert not rules.is_overdue(RequestState.ACCEPTED, date(2026, 8, 14), date(2026, 8, 14))
    assert not rules.is_overdue(RequestState.RETURNED, date(2026, 8, 14), late)


@pytest.mark.parametrize(("typed", "kept"), [("138 7712 3456", "13877123456"), ("0771-5812345转8", "0771-5812345转8")])
def test_a_contact_is_kept_as_it_is_dialled(typed: str, kept: str) -> None:
    assert rules.require_contact(typed) == kept


@pytest.mark.parametrize("typed", ["", "12345", "wei@example.com"])
def test_what_cannot_be_dialled_is_no_contact(typed: str) -> None:
    with pytest.raises(InvalidField):
        rules.require_contact(typed)


def test_words_are_needed_where_somebody_waits_for_them() -> None:
    for step in (RequestStep.ANSWER, RequestStep.RETURN, RequestStep.TRANSFER, RequestStep.SUPPLEMENT):
        with pytest.raises(InvalidField):
            rules.require_words(step, " ")
    assert rules.require_words(RequestStep.ACCEPT, None) is None
    assert rules.require_words(RequestStep.ACCEPT, " 已安排 ") == "已安排"
    with pytest.raises(InvalidField):
        rules.require_words(RequestStep.ACCEPT, "长" * 2001)


def test_the_contact_is_for_who_must_call_back() -> None:
    assert rules.knows_contact(OWN, a_request())
    assert rules.knows_contact(OFFICE, a_request())
    assert not rules.knows_contact(somebody(Role.LEAD, region="r45"), a_request())
