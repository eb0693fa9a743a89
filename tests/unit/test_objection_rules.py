"""Rules of objections and of the preview: until when, by whom, and what becomes of the publication."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.identity.model import Principal, Role
from domain.publication.model import Publication, PublicationState, StoredResult, WithholdingReason
from domain.publication.objection import rules
from domain.publication.objection.model import Attendance, Decision, Objection, ObjectionState
from domain.publication.rules import (
    AlreadyWithdrawn,
    ObjectionDecides,
    ObjectionTermOver,
    as_published,
    public_from,
    require_by_hand,
    require_releasable,
)
from domain.shared.errors import Forbidden, InvalidField

NOW = datetime(2026, 8, 5, 2, 0, tzinfo=UTC)
DUE = NOW + timedelta(days=8)
LATEST = NOW + timedelta(days=28)
REASONS = "检查当日该冷柜已停用待修。"
MARKET = uuid4()


def a_publication(state: PublicationState = PublicationState.PENDING, **changes: Any) -> Publication:
    made = Publication(
        id=uuid4(),
        inspection_id=uuid4(),
        enterprise_id=uuid4(),
        site_id=uuid4(),
        region="r45.r4501",
        department_id=MARKET,
        departments=[MARKET],
        state=state,
        due_at=DUE,
        latest_at=LATEST,
        ends_on=date(2029, 8, 13),
        published_at=NOW if state is PublicationState.PUBLISHED else None,
        withheld_at=None,
        withheld_reason=None,
        withheld_note=None,
        is_contested=False,
        withdrawn_at=None,
        withdrawn_reason=None,
    )
    return msgspec.structs.replace(made, **changes)


def an_objection(of: Publication, state: ObjectionState = ObjectionState.OPEN) -> Objection:
    return Objection(
        id=uuid4(),
        publication_id=of.id,
        inspection_id=of.inspection_id,
        enterprise_id=of.enterprise_id,
        site_id=of.site_id,
        region=of.region,
        department_id=of.department_id,
        state=state,
        reasons_sealed=b"",
        filed_by=uuid4(),
        filed_at=NOW,
        due_at=of.latest_at,
        decided_by=None,
        decision=None,
        ended_at=None,
    )


def somebody(role: Role = Role.DEPARTMENT_MANAGER, **fields: Any) -> Principal:
    known: dict[str, Any] = {"department_id": MARKET, **fields}
    return Principal(account_id=uuid4(), session_id=uuid4(), name="某人", role=role, post="某职", **known)


def a_result(of: Publication) -> StoredResult:
    return StoredResult(
        id=of.id,
        state=of.state,
        due_at=of.due_at,
        ends_on=of.ends_on,
        published_at=of.published_at,
        withdrawn_at=of.withdrawn_at,
        is_contested=of.is_contested,
        kind="routine",
        outcome="no_problem",
        completed_at=NOW,
        authorities=["南宁市市场监督管理局"],
        orders=[],
        unchecked_items=0,
        reply=None,
    )


@pytest.mark.parametrize(
    ("publication", "reasons", "refusal"),
    [
        (a_publication(PublicationState.WITHDRAWN), REASONS, AlreadyWithdrawn),
        (a_publication(latest_at=NOW), REASONS, ObjectionTermOver),
        (a_publication(), "  不服  ", InvalidField),
        (a_publication(), "长" * 2001, InvalidField),
        (
            a_publication(PublicationState.WITHHELD, withheld_reason=WithholdingReason.OBJECTION_UPHELD),
            REASONS,
            rules.ObjectionClosed,
        ),
    ],
)
def test_what_cannot_be_filed(publication: Publication, reasons: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        rules.require_filing(publication, reasons, NOW)


def test_an_objection_holds_back_or_marks_and_ends_no_other_reason() -> None:
    held = rules.held_back(a_publication(), NOW)
    assert (held.state, held.withheld_reason) == (PublicationState.WITHHELD, WithholdingReason.OBJECTION)
    marked = rules.held_back(a_publication(PublicationState.PUBLISHED), NOW)
    assert (marked.state, marked.is_contested) == (PublicationState.PUBLISHED, True)
    private = a_publication(PublicationState.WITHHELD, withheld_reason=WithholdingReason.PRIVACY)
    assert rules.held_back(private, NOW) == private
    assert rules.freed(private, NOW) == private


def test_freed_it_goes_on_as_if_there_had_been_none() -> None:
    waiting = a_publication()
    assert rules.freed(rules.held_back(waiting, NOW), NOW) == waiting
    late = rules.freed(rules.held_back(a_publication(due_at=NOW), NOW), NOW)
    assert late.state is PublicationState.PUBLISHED
    assert late.is_contested is False


@pytest.mark.parametrize("decision", [Decision.UPHELD, Decision.PARTLY_UPHELD])
def test_a_result_found_wrong_is_not_public_as_it_stands(decision: Decision) -> None:
    public = rules.after_decision(a_publication(PublicationState.PUBLISHED, is_contested=True), decision, NOW)
    assert (public.state, public.is_contested) == (PublicationState.WITHDRAWN, False)
    never = rules.after_decision(rules.held_back(a_publication(), NOW), decision, NOW)
    assert (never.state, never.withheld_reason) == (PublicationState.WITHHELD, WithholdingReason.OBJECTION_UPHELD)
    gone = a_publication(PublicationState.WITHDRAWN)
    assert rules.after_decision(gone, decision, NOW) is gone


def test_who_was_there_does_not_decide() -> None:
    objection = an_objection(a_publication())
    officer = uuid4()
    by = somebody(Role.INSPECTOR, officer_id=officer)
    rules.require_decider(by, objection, Attendance(officers=[uuid4()], accounts=[]))
    for attendance in (
        Attendance(officers=[officer], accounts=[]),
        Attendance(officers=[], accounts=[by.account_id]),
    ):
        with pytest.raises(rules.DeciderWasThere):
            rules.require_decider(by, objection, attendance)
    with pytest.raises(Forbidden):
        rules.require_decider(somebody(department_id=uuid4()), objection, Attendance(officers=[], accounts=[]))
    rules.require_decider(
        somebody(Role.LEAD, department_id=None, region="r45"), objection, Attendance(officers=[], accounts=[])
    )


@pytest.mark.parametrize("state", [each for each in ObjectionState if each is not ObjectionState.OPEN])
def test_what_is_over_is_not_decided_again(state: ObjectionState) -> None:
    with pytest.raises(rules.ObjectionClosed):
        rules.require_open(an_objection(a_publication(), state))


def test_an_objection_is_neither_faked_nor_ended_by_hand() -> None:
    for reason in (WithholdingReason.OBJECTION, WithholdingReason.OBJECTION_UPHELD):
        with pytest.raises(ObjectionDecides):
            require_by_hand(a_publication(), reason)
    require_by_hand(rules.held_back(a_publication(), NOW), WithholdingReason.STATE_SECRET)
    upheld = a_publication(PublicationState.WITHHELD, withheld_reason=WithholdingReason.OBJECTION_UPHELD)
    with pytest.raises(ObjectionDecides):
        require_by_hand(upheld, WithholdingReason.PRIVACY)
    for publication, is_open in ((upheld, False), (a_publication(), True)):
        with pytest.raises(ObjectionDecides):
            require_releasable(publication, has_open_objection=is_open)
    require_releasable(a_publication(), has_open_objection=False)


def test_the_preview_is_of_the_day_on_which_it_will_be_public() -> None:
    waiting = a_publication()
    shown = as_published(a_result(waiting), waiting, NOW)
    assert shown is not None
    assert (shown.published_on, shown.is_contested) == (date(2026, 8, 13), False)
    held = rules.held_back(waiting, NOW)
    contested = as_published(a_result(held), held, NOW)
    assert contested is not None
    assert (contested.published_on, contested.is_contested) == (date(2026, 9, 2), True)
    assert (public_from(waiting), public_from(held)) == (DUE, LATEST)


def test_scope_is_the_enterprises_the_departments_or_the_regions() -> None:
    objection = an_objection(a_publication())
    own = somebody(Role.ENTERPRISE, enterprise_id=objection.enterprise_id, department_id=None)
    branch = msgspec.structs.replace(own, site_ids=(uuid4(),))
    seen: list[tuple[Principal, bool]] = [
        (own, True),
        (branch, False),
        (somebody(), True),
        (somebody(department_id=uuid4()), False),
        (somebody(Role.LEAD, region="r45"), True),
        (somebody(Role.LEAD, region="r46"), False),
        (somebody(Role.ADMINISTRATOR), False),
    ]
    departments: set[UUID] = {MARKET}
    assert [rules.may_see(who, objection, departments) for who, _ in seen] == [expected for _, expected in seen]
