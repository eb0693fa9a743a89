"""Rules of orders to rectify: terms, marks, items, and what a re-inspection may result in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.enterprise.rules import ReasonMissing
from domain.rectification import rules
from domain.rectification.acts import ItemDemand, ItemResult, ReInspect
from domain.rectification.model import AnsweredItem, Order, OrderedItem, OrderMark, OrderState, ReInspectionResult
from domain.shared.errors import InvalidField

TODAY = date(2026, 8, 5)
DUE_ON = date(2026, 8, 20)
OURS, THEIRS = UUID(int=1), UUID(int=2)
FIRST, SECOND = UUID(int=11), UUID(int=12)

ANSWERED = AnsweredItem(
    item_id=FIRST,
    place=3,
    department_id=OURS,
    matter="许可管理",
    content="食品经营许可证在有效期内并公示。",
    severity="general",
    penalty_if_overdue=False,
    legal_basis=[{"law": "中华人民共和国食品安全法", "article": "第三十三条", "verified": False}],
    value="problem",
    measures=[{"kind": "rectify_within"}],
    remark="许可证未公示。",
    photos=[],
    order_id=None,
)
ORDER = Order(
    id=UUID(int=21),
    inspection_id=UUID(int=22),
    department_id=OURS,
    enterprise_id=UUID(int=23),
    site_id=UUID(int=24),
    region="r45.r4501",
    document_id=UUID(int=25),
    state=OrderState.TO_RECTIFY,
    round=1,
    issued_by=UUID(int=26),
    issued_at=datetime(2026, 8, 5, 2, 0, tzinfo=UTC),
    due_on=DUE_ON,
    re_inspection_due_on=date(2026, 8, 30),
    served_on=None,
    fed_back_at=None,
    closed_at=None,
)
ITEMS = {
    each: OrderedItem(
        item_id=each,
        place=place,
        title="内容",
        facts="事实",
        clauses="条款",
        demand="要求",
        due_on=None,
        penalty_if_overdue=each == SECOND,
    )
    for place, each in enumerate((FIRST, SECOND), start=1)
}


def demand(**fields: Any) -> ItemDemand:
    values: dict[str, Any] = {"item_id": FIRST, "demand": "公示许可证。", "due_on": DUE_ON, **fields}
    return ItemDemand(**values)


def ordered(wish: ItemDemand, item: AnsweredItem = ANSWERED) -> OrderedItem:
    (made,) = rules.ordered_items([wish], {item.item_id: item}, OURS, TODAY, DUE_ON)
    return made


def re_inspect(result: ReInspectionResult, failed: set[UUID], **fields: Any) -> ReInspect:
    return ReInspect(
        id=UUID(int=31),
        result=result,
        second_officer_id=UUID(int=32),
        note="复查",
        items=[ItemResult(item_id=each, is_corrected=each not in failed) for each in ITEMS],
        **fields,
    )


def judge(asked: ReInspect, on: date = DUE_ON + timedelta(days=1)) -> None:
    rules.require_re_inspection(ORDER, ITEMS, asked, on)


def test_a_term_is_suggested_but_never_for_a_severe_hazard() -> None:
    assert rules.suggested_due_on("general", TODAY) == DUE_ON
    assert rules.suggested_due_on("severe", TODAY) is None


@pytest.mark.parametrize(
    "term", [rules.SUGGESTED_TERM, rules.RE_INSPECTION_TERM, rules.ANNOUNCEMENT_TERM], ids=lambda term: str(term.days)
)
def test_terms_of_general_knowledge_say_that_they_are_to_be_checked(term: rules.Term) -> None:
    assert not term.verified
    assert "待核" in term.source


@pytest.mark.parametrize(
    ("state", "served_on", "today", "mark"),
    [
        (OrderState.TO_RECTIFY, None, DUE_ON + timedelta(days=9), OrderMark.NOT_SERVED),
        (OrderState.TO_RECTIFY, DUE_ON + timedelta(days=1), DUE_ON + timedelta(days=9), OrderMark.NOT_SERVED),
        (OrderState.TO_RECTIFY, TODAY, TODAY, OrderMark.ON_TIME),
        (OrderState.FED_BACK, TODAY, DUE_ON - timedelta(days=1), OrderMark.DUE_SOON),
        (OrderState.TO_RECTIFY, TODAY, DUE_ON, OrderMark.DUE_SOON),
        (OrderState.TO_RECTIFY, TODAY, DUE_ON + timedelta(days=1), OrderMark.OVERDUE),
        (OrderState.RECTIFIED, TODAY, DUE_ON + timedelta(days=1), OrderMark.CLOSED),
    ],
    ids=["not served", "served too late", "on time", "due soon", "its last day", "overdue", "closed"],
)
def test_terms_count_from_lawful_service(
    state: OrderState, served_on: date | None, today: date, mark: OrderMark
) -> None:
    assert rules.mark_of(state, DUE_ON, served_on, today) is mark


def test_an_item_takes_its_facts_from_the_answer_unless_others_are_given() -> None:
    assert ordered(demand()).facts == "许可证未公示。"
    assert ordered(demand(facts="墙上无许可证。")).facts == "墙上无许可证。"
    with pytest.raises(InvalidField) as missing:
        ordered(demand(), msgspec.structs.replace(ANSWERED, remark=None))
    assert missing.value.field == "items[0].facts"


def test_clauses_say_whether_they_were_checked() -> None:
    assert ordered(demand()).clauses == "《中华人民共和国食品安全法》第三十三条（待核）"
    checked = [{"law": "《食品安全法》", "article": "第三十三条", "verified": True}]
    assert rules.clauses_of(checked) == "《食品安全法》第三十三条"


@pytest.mark.parametrize(
    "changes",
    [{"department_id": THEIRS}, {"value": "no_problem"}, {"measures": [{"kind": "guidance"}]}],
    ids=["another department's", "no problem", "only guidance"],
)
def test_only_an_own_problem_with_an_ordering_measure_is_ordered(changes: dict[str, Any]) -> None:
    with pytest.raises(rules.ItemNotOrderable):
        ordered(demand(), msgspec.structs.replace(ANSWERED, **changes))


def test_what_is_not_on_the_list_is_not_ordered() -> None:
    with pytest.raises(rules.ItemNotOrderable):
        ordered(demand(item_id=SECOND))


def test_no_item_comes_twice() -> None:
    with pytest.raises(InvalidField):
        rules.ordered_items([demand(), demand()], {FIRST: ANSWERED}, OURS, TODAY, DUE_ON)


def test_an_items_date_lies_between_the_issue_and_the_orders() -> None:
    for day in (TODAY - timedelta(days=1), DUE_ON + timedelta(days=1)):
        with pytest.raises(InvalidField) as wrong:
            ordered(demand(due_on=day))
        assert wrong.value.field == "items[0].due_on"


def test_a_severe_item_has_a_reason_for_its_date_or_none() -> None:
    severe = msgspec.structs.replace(ANSWERED, severity="severe")
    with pytest.raises(ReasonMissing):
        ordered(demand(), severe)
    assert ordered(demand(term_reason="设备须外购"), severe).due_on == DUE_ON
    assert ordered(demand(due_on=None), severe).due_on is None


def test_an_order_runs_180_days_at_most() -> None:
    longest = TODAY + timedelta(days=180)
    assert rules.require_term(longest, TODAY, "due_on") == longest
    with pytest.raises(InvalidField):
        rules.require_term(longest + timedelta(days=1), TODAY, "due_on")


def test_more_time_is_asked_for_until_the_last_day() -> None:
    assert rules.require_extendable(ORDER, 5, DUE_ON) == date(2026, 8, 25)
    with pytest.raises(rules.TermAlreadyOver):
        rules.require_extendable(ORDER, 5, DUE_ON + timedelta(days=1))


@pytest.mark.parametrize("state", [OrderState.RECTIFIED, OrderState.TRANSFERRED, OrderState.REVOKED])
def test_a_closed_order_asks_for_nothing(state: OrderState) -> None:
    with pytest.raises(rules.OrderAlreadyClosed):
        rules.require_open(msgspec.structs.replace(ORDER, state=state))


def test_passed_means_every_item() -> None:
    judge(re_inspect(ReInspectionResult.NO_PROBLEM, set()))
    with pytest.raises(rules.ResultContradictsItems):
        judge(re_inspect(ReInspectionResult.NO_PROBLEM, {FIRST}))


@pytest.mark.parametrize(
    "result",
    [ReInspectionResult.NO_PROBLEM, ReInspectionResult.ADMINISTRATIVE_GUIDANCE, ReInspectionResult.ORDER_TO_RECTIFY],
)
def test_what_is_to_be_punished_is_transferred_and_nothing_else(result: ReInspectionResult) -> None:
    with pytest.raises(rules.PenaltyItemsRemain) as remain:
        judge(re_inspect(result, {SECOND}))
    assert remain.value.facts == {"items": [str(SECOND)]}
    judge(re_inspect(ReInspectionResult.TRANSFER_CONDITIONS_MET, {SECOND}, receiving_body="执法支队"))


def test_a_transfer_names_who_receives_it() -> None:
    with pytest.raises(InvalidField) as missing:
        judge(re_inspect(ReInspectionResult.TRANSFER_CONDITIONS_MET, {SECOND}))
    assert missing.value.field == "receiving_body"


APPROVED: dict[str, Any] = {
    "approved_by": "莫局长",
    "approval_reason": "已整改大部分",
    "next_due_on": date(2026, 9, 10),
}


@pytest.mark.parametrize("missing", sorted(APPROVED))
def test_another_round_is_approved_reasoned_and_dated(missing: str) -> None:
    judge(re_inspect(ReInspectionResult.ORDER_TO_RECTIFY, {FIRST}, **APPROVED))
    with pytest.raises(rules.FurtherRoundNotApproved):
        judge(re_inspect(ReInspectionResult.ORDER_TO_RECTIFY, {FIRST}, **{**APPROVED, missing: None}))


def test_another_round_follows_a_failure_after_the_first() -> None:
    with pytest.raises(rules.ResultContradictsItems):
        judge(re_inspect(ReInspectionResult.ORDER_TO_RECTIFY, set(), **APPROVED))
    with pytest.raises(rules.TermStillRuns):
        judge(re_inspect(ReInspectionResult.ORDER_TO_RECTIFY, {FIRST}, **APPROVED), DUE_ON)


def test_a_phones_ids_are_version_7() -> None:
    with pytest.raises(InvalidField):
        rules.require_version_7(UUID("6f1c2f5e-1f0a-4f8e-9d5f-0a1b2c3d4e5f"))
