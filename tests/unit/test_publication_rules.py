"""公示 (POST-06, D10): when a result becomes public, who may stop it, and what of it is shown."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.identity.model import Principal, Role
from domain.publication import rules
from domain.publication.model import (
    OUTCOME_LABELS,
    Correction,
    Publication,
    PublicationState,
    StoredReply,
    StoredResult,
    WithholdingReason,
)
from domain.publication.rules import (
    AlreadyPublished,
    AlreadyWithdrawn,
    NotPublished,
    NotWithheld,
    ObjectionTermOver,
    ReplyInForce,
)
from domain.shared.clock import WORKING_ZONE
from domain.shared.errors import InvalidField

COMPLETED = datetime(2026, 8, 5, 8, 0, tzinfo=UTC)
"""Wednesday, four in the afternoon in Nanning."""
ENTERPRISE, DEPARTMENT = uuid4(), uuid4()


def start_of(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=WORKING_ZONE)


def a_publication(**changes: Any) -> Publication:
    usual = Publication(
        id=uuid4(),
        inspection_id=uuid4(),
        enterprise_id=ENTERPRISE,
        site_id=uuid4(),
        region="450000.450100.450103",
        department_id=DEPARTMENT,
        departments=[DEPARTMENT, uuid4()],
        state=PublicationState.PENDING,
        due_at=rules.due_at(COMPLETED, 5),
        latest_at=rules.latest_at(COMPLETED),
        ends_on=date(2029, 8, 13),
        published_at=None,
        withheld_at=None,
        withheld_reason=None,
        withheld_note=None,
        is_contested=False,
        withdrawn_at=None,
        withdrawn_reason=None,
    )
    return msgspec.structs.replace(usual, **changes)


def published(**changes: Any) -> Publication:
    return msgspec.structs.replace(rules.publish(a_publication(), rules.due_at(COMPLETED, 5)), **changes)


def withheld(reason: WithholdingReason = WithholdingReason.PRIVACY) -> Publication:
    return rules.withhold(a_publication(), reason, "含个人信息", COMPLETED)


def withdrawn() -> Publication:
    return rules.withdraw(published(), "公示内容有误", COMPLETED + timedelta(days=30))


# When


@pytest.mark.parametrize(
    ("completed_at", "days", "due_at"),
    [
        (COMPLETED, 0, COMPLETED),
        (COMPLETED, 1, start_of(2026, 8, 7)),
        (COMPLETED, 5, start_of(2026, 8, 13)),  # over a weekend
        (datetime(2026, 8, 5, 16, 30, tzinfo=UTC), 1, start_of(2026, 8, 10)),  # Thursday already, half past midnight
        (datetime(2026, 9, 28, 2, 0, tzinfo=UTC), 2, start_of(2026, 10, 8)),  # over the National Day holidays
        (COMPLETED, 90, start_of(2026, 9, 2)),  # never later than the twentieth working day
    ],
)
def test_a_result_is_due_when_its_embargo_is_over(completed_at: datetime, days: int, due_at: datetime) -> None:
    assert rules.due_at(completed_at, days) == due_at


def test_no_objection_holds_longer_than_twenty_working_days() -> None:
    assert rules.latest_at(COMPLETED) == start_of(2026, 9, 2)


@pytest.mark.parametrize(
    ("day", "end"),
    [(date(2026, 8, 13), date(2029, 8, 13)), (date(2028, 2, 29), date(2031, 2, 28))],
)
def test_a_publication_ends(day: date, end: date) -> None:
    assert rules.ends_on(day) == end
    assert rules.DEFAULT_POLICY.years_source == "待核"


def test_publishing_dates_it_and_its_end() -> None:
    now = start_of(2026, 8, 14)
    made = rules.publish(a_publication(), now)
    assert (made.state, made.published_at, made.ends_on) == (PublicationState.PUBLISHED, now, date(2029, 8, 14))
    assert not made.is_contested


# Who may stop it


@pytest.mark.parametrize("reason", WithholdingReason)
def test_each_lawful_reason_withholds_what_is_pending(reason: WithholdingReason) -> None:
    held = rules.withhold(a_publication(), reason, "说明", COMPLETED)
    assert (held.state, held.withheld_reason, held.withheld_note) == (PublicationState.WITHHELD, reason, "说明")
    assert reason.label


@pytest.mark.parametrize("reason", sorted(set(WithholdingReason) - {WithholdingReason.OBJECTION}))
def test_what_is_public_is_withdrawn_and_not_withheld(reason: WithholdingReason) -> None:
    with pytest.raises(AlreadyPublished):
        rules.withhold(published(), reason, "说明", COMPLETED)


def test_an_objection_to_what_is_public_marks_it_until_it_is_decided() -> None:
    marked = rules.withhold(published(), WithholdingReason.OBJECTION, "已受理", rules.latest_at(COMPLETED))
    assert (marked.state, marked.is_contested) == (PublicationState.PUBLISHED, True)
    decided = rules.release(marked, rules.latest_at(COMPLETED))
    assert (decided.state, decided.is_contested) == (PublicationState.PUBLISHED, False)


def test_an_objection_whose_term_is_over_publishes_the_result_as_contested() -> None:
    held = withheld(WithholdingReason.OBJECTION)
    made = rules.publish(held, held.latest_at)
    assert (made.state, made.is_contested, made.withheld_reason) == (PublicationState.PUBLISHED, True, None)


def test_beyond_the_term_only_another_lawful_reason_holds_it_back() -> None:
    held = withheld(WithholdingReason.TRADE_SECRET)
    with pytest.raises(ObjectionTermOver):
        rules.withhold(held, WithholdingReason.OBJECTION, "又有异议", held.latest_at)
    again = rules.withhold(withheld(WithholdingReason.OBJECTION), WithholdingReason.PRIVACY, "说明", held.latest_at)
    assert again.withheld_reason is WithholdingReason.PRIVACY


def test_what_is_released_waits_for_its_time_or_is_public_at_once() -> None:
    held = withheld()
    early, late = held.due_at - timedelta(seconds=1), held.due_at
    assert rules.release(held, early).state is PublicationState.PENDING
    assert rules.release(held, early).withheld_reason is None
    assert rules.release(held, late).state is PublicationState.PUBLISHED
    assert not rules.release(withheld(WithholdingReason.OBJECTION), late).is_contested


def test_nothing_changes_that_is_not_in_the_state_for_it() -> None:
    now = COMPLETED
    for free in (a_publication(), published()):
        with pytest.raises(NotWithheld):
            rules.release(free, now)
    for hidden in (a_publication(), withheld()):
        with pytest.raises(NotPublished):
            rules.withdraw(hidden, "原因", now)
    gone = withdrawn()
    assert (gone.state, gone.withdrawn_reason) == (PublicationState.WITHDRAWN, "公示内容有误")
    with pytest.raises(AlreadyWithdrawn):
        rules.withhold(gone, WithholdingReason.PRIVACY, "说明", now)
    with pytest.raises(AlreadyWithdrawn):
        rules.release(gone, now)
    with pytest.raises(AlreadyWithdrawn):
        rules.withdraw(gone, "原因", now)
    with pytest.raises(AlreadyWithdrawn):
        rules.require_reply(gone, None, "回应")


def somebody(role: Role, **scope: Any) -> Principal:
    return Principal(account_id=uuid4(), session_id=uuid4(), name="某人", role=role, post="某职", **scope)


def test_who_may_see_it() -> None:
    one = a_publication()
    assert rules.may_see(somebody(Role.DEPARTMENT_MANAGER, department_id=one.departments[1]), one)
    assert not rules.may_see(somebody(Role.DEPARTMENT_MANAGER, department_id=uuid4()), one)
    assert not rules.may_see(somebody(Role.DEPARTMENT_MANAGER, region="450000"), one)
    assert rules.may_see(somebody(Role.LEAD, region="450000.450100"), one)
    assert not rules.may_see(somebody(Role.LEAD, region="450000.450200"), one)
    assert not rules.may_see(somebody(Role.LEAD), one)
    assert rules.may_see(somebody(Role.ENTERPRISE, enterprise_id=ENTERPRISE), one)
    assert not rules.may_see(somebody(Role.ENTERPRISE, enterprise_id=uuid4(), department_id=DEPARTMENT), one)
    assert not rules.may_see(somebody(Role.INSPECTOR, department_id=DEPARTMENT, region="450000"), one)
    assert not rules.may_see(somebody(Role.ADMINISTRATOR, region="450000"), one)


# The reply


def test_one_reply_at_a_time_of_two_to_five_hundred_characters() -> None:
    one = a_publication()
    assert rules.require_reply(one, None, "  已整改 \n") == "已整改"
    assert len(rules.require_reply(published(), None, "改" * 500)) == 500
    for bad in ("", " 改 ", "改" * 501):
        with pytest.raises(InvalidField):
            rules.require_reply(one, None, bad)
    with pytest.raises(ReplyInForce):
        rules.require_reply(one, StoredReply(id=uuid4(), text="先前的", submitted_at=COMPLETED), "再来一份")


# What is shown


def a_result(**changes: Any) -> StoredResult:
    usual = StoredResult(
        id=UUID(int=5),
        state=PublicationState.PUBLISHED,
        due_at=start_of(2026, 8, 13),
        ends_on=date(2029, 8, 13),
        published_at=start_of(2026, 8, 13),
        withdrawn_at=None,
        is_contested=False,
        kind="routine",
        outcome="ordered_to_rectify",
        completed_at=COMPLETED,
        authorities=["南宁市市场监督管理局", "南宁市应急管理局"],
        orders=["rectified", "to_rectify"],
        unchecked_items=0,
        reply=StoredReply(id=uuid4(), text="正在整改", submitted_at=COMPLETED),
    )
    return msgspec.structs.replace(usual, **changes)


def test_a_result_is_told_in_words() -> None:
    (shown,) = rules.public_results([a_result()], date(2026, 8, 14))
    assert json.loads(msgspec.json.encode(shown)) == {
        "id": str(UUID(int=5)),
        "authorities": ["南宁市市场监督管理局", "南宁市应急管理局"],
        "kind": "routine",
        "kind_label": "日常检查",
        "completed_on": "2026-08-05",
        "published_on": "2026-08-13",
        "withdrawn_on": None,
        "outcome": "ordered_to_rectify",
        "outcome_label": "发现问题已责令改正",
        "unchecked_items": 0,
        "correction": "pending",
        "correction_label": "待整改",
        "is_contested": False,
        "reply": {"text": "正在整改", "submitted_on": "2026-08-05"},
    }


def test_every_outcome_but_the_internal_one_has_words() -> None:
    for outcome in OUTCOME_LABELS:
        assert rules.public_result(a_result(outcome=outcome)) is not None
    assert len(OUTCOME_LABELS) == 7
    for hidden in ("suspended", None, "unheard"):
        assert rules.public_result(a_result(outcome=hidden)) is None
    assert rules.public_result(a_result(completed_at=None)) is None


@pytest.mark.parametrize(
    ("orders", "correction"),
    [
        ([], Correction.NOT_REQUIRED),
        (["revoked"], Correction.NOT_REQUIRED),
        (["to_rectify"], Correction.PENDING),
        (["fed_back"], Correction.PENDING),
        (["rectified"], Correction.DONE),
        (["rectified", "revoked"], Correction.DONE),
        (["transferred", "rectified"], Correction.TRANSFERRED),
        (["transferred", "fed_back"], Correction.PENDING),
    ],
)
def test_correction_of(orders: list[str], correction: Correction) -> None:
    assert rules.correction_of(orders) is correction


def test_a_correction_never_looks_better_than_its_worst_order() -> None:
    states = ("to_rectify", "fed_back", "rectified", "transferred", "revoked")
    for orders in product(states, repeat=3):
        if {"to_rectify", "fed_back"} & set(orders):
            assert rules.correction_of(orders) is Correction.PENDING


def test_only_what_is_public_today_is_shown() -> None:
    today = date(2026, 8, 14)
    for state in (PublicationState.PENDING, PublicationState.WITHHELD):
        assert rules.public_results([a_result(state=state)], today) == []
    assert len(rules.public_results([a_result(ends_on=today)], today)) == 1
    assert rules.public_results([a_result(ends_on=today - timedelta(days=1))], today) == []


def test_what_was_withdrawn_leaves_a_tombstone_and_no_result() -> None:
    gone = a_result(state=PublicationState.WITHDRAWN, withdrawn_at=COMPLETED + timedelta(days=40))
    (shown,) = rules.public_results([gone], date(2026, 9, 20))
    told = msgspec.json.encode(shown).decode()
    assert shown.withdrawn_on == date(2026, 9, 14)
    assert (shown.outcome, shown.correction, shown.reply) == (None, None, None)
    for word in ("责令改正", "待整改", "正在整改"):
        assert word not in told


def test_what_was_not_checked_is_told_of() -> None:
    (shown,) = rules.public_results([a_result(outcome="no_problem", orders=[], unchecked_items=3)], date(2026, 8, 14))
    assert (shown.outcome_label, shown.unchecked_items) == ("未发现问题", 3)


def test_the_enterprise_sees_what_waits() -> None:
    stored = [a_result(state=state) for state in PublicationState]
    waiting = rules.pending_publications(stored)
    assert [each.state for each in waiting] == [PublicationState.PENDING, PublicationState.WITHHELD]
    assert waiting[0].result == rules.public_result(stored[0])
