"""What a scan answers: sections that are not granted are absent from the very bytes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.enterprise.model import CreditGrade, LicenceCard, RiskLevel, SiteCard
from domain.identity.model import Principal, Role
from domain.inspection.store import SiteInspection
from domain.publication.model import Correction, PendingPublication, PublicationState, PublicResult
from domain.scan.disclosure import Audience
from domain.scan.view import OwnParts, PublicParts, disclose

OFFICER = uuid4()
CARD = SiteCard(
    site_id=uuid4(),
    site_name="总店",
    address="民族大道1号",
    region="450000.450100.450103",
    region_name="青秀区",
    longitude=108.32,
    latitude=22.82,
    regulator="南宁市市场监督管理局",
    hotline="0771-12345",
    enterprise_id=uuid4(),
    uscc="914501000000000017",
    name="南宁市老友餐饮有限公司",
    object_type="企业",
    industry_type="餐饮业",
    legal_representative="韦大山",
    registered_capital=Decimal("100.0000"),
    capital_currency="人民币",
    domicile="民族大道1号",
    business_scope="餐饮服务",
    registration_authority="南宁市市场监督管理局",
    established_on=date(2019, 5, 6),
    term_from=None,
    term_to=None,
    revoked_on=None,
    risk_level=RiskLevel.HIGH,
    credit_grade=CreditGrade.D,
    licences=[
        LicenceCard(
            number="JY14501000000001",
            name="食品经营许可证",
            authority="青秀区市场监督管理局",
            content=None,
            valid_from=date(2023, 1, 1),
            valid_to=date(2028, 1, 1),
        )
    ],
)


def an_inspection(**changes: Any) -> SiteInspection:
    usual = SiteInspection(
        id=uuid4(),
        name="日常检查",
        kind="routine",
        state="pending",
        outcome=None,
        starts_on=date(2026, 8, 3),
        due_on=date(2026, 8, 20),
        completed_on=None,
        authority="南宁市市场监督管理局",
        officers=[OFFICER, uuid4()],
        has_visit=False,
    )
    return msgspec.structs.replace(usual, **changes)


MINE = an_inspection(name="我的检查")
OTHERS = an_inspection(name="别人的检查", officers=[uuid4()])
BEGUN = an_inspection(name="已上门的检查", officers=[uuid4()], has_visit=True)
DONE = an_inspection(name="办结的检查", state="completed", completed_on=date(2026, 3, 9), outcome="no_problem")
INSPECTIONS = [MINE, OTHERS, BEGUN, DONE]

_ALWAYS = {
    "audience",
    "site_id",
    "actions",
    "basics",
    "licences",
    "regulator",
    "contact",
    "results",
    "manuals",
    "complaint_counts",
}
_OWN = {"own_pending_publications", "open_corrections", "own_papers", "own_self_inspections", "accepted_complaints"}
RESULT = PublicResult(
    id=uuid4(),
    authorities=["南宁市市场监督管理局"],
    kind="routine",
    kind_label="日常检查",
    completed_on=date(2026, 3, 9),
    published_on=date(2026, 3, 17),
    outcome="no_problem",
    outcome_label="未发现问题",
    correction=Correction.NOT_REQUIRED,
    correction_label="无需整改",
)
PENDING = PendingPublication(
    id=uuid4(), state=PublicationState.PENDING, due_at=datetime(2026, 8, 12, 16, 0, tzinfo=UTC), result=RESULT
)


def an_inspector(officer_id: UUID) -> Principal:
    return Principal(
        account_id=uuid4(),
        session_id=uuid4(),
        name="覃勇",
        role=Role.INSPECTOR,
        post="一级主办",
        officer_id=officer_id,
    )


def as_sent(audience: Audience, officer_id: UUID | None = None) -> bytes:
    principal = None if officer_id is None else an_inspector(officer_id)
    return msgspec.json.encode(disclose(CARD, audience, INSPECTIONS, principal, public=PublicParts()))


@pytest.mark.parametrize("audience", Audience)
def test_public_results_are_shown_to_everybody_and_waiting_ones_to_the_enterprise(audience: Audience) -> None:
    shown = disclose(CARD, audience, [], public=PublicParts(results=[RESULT]), own=OwnParts(pending=[PENDING]))
    view = json.loads(msgspec.json.encode(shown))
    assert [each["outcome_label"] for each in view["results"]] == ["未发现问题"]
    waiting = view.get("own_pending_publications")
    if audience is Audience.ENTERPRISE:
        assert [each["id"] for each in waiting] == [str(PENDING.id)]
    else:
        assert waiting is None


def names(view: dict[str, Any], section: str) -> list[str]:
    return [each["name"] for each in view[section]]


@pytest.mark.parametrize(
    ("audience", "more"),
    [
        (Audience.CITIZEN, set[str]()),
        (Audience.ENTERPRISE, {"orders", "history"} | _OWN),
        (Audience.INSPECTOR_WITH_ORDER, {"orders", "history", "grades", "location", "open_corrections"}),
        (Audience.INSPECTOR, {"history"}),
        (Audience.LEAD, {"orders", "history", "grades", "location", "open_corrections"}),
    ],
)
def test_only_granted_sections_are_in_the_bytes(audience: Audience, more: set[str]) -> None:
    assert set(json.loads(as_sent(audience))) == _ALWAYS | more


@pytest.mark.parametrize("audience", [Audience.CITIZEN, Audience.ENTERPRISE, Audience.INSPECTOR])
def test_risk_and_credit_are_not_so_much_as_named(audience: Audience) -> None:
    text = as_sent(audience).decode()
    for word in ("risk", "credit", "grade", "high", '"D"', "longitude", "108.32"):
        assert word not in text, word


@pytest.mark.parametrize("audience", [Audience.INSPECTOR_WITH_ORDER, Audience.LEAD])
def test_officials_at_work_see_risk_and_credit_apart(audience: Audience) -> None:
    view = json.loads(as_sent(audience))
    assert view["grades"] == {"risk_level": "high", "credit_grade": "D"}
    assert view["location"] == {"longitude": 108.32, "latitude": 22.82}


def test_a_citizen_hears_nothing_of_inspections_and_officers() -> None:
    text = as_sent(Audience.CITIZEN, OFFICER).decode()
    for word in ("检查", "officer", str(OFFICER), "region_id", str(CARD.enterprise_id), "450103"):
        assert word not in text, word


def test_a_citizen_sees_what_the_public_register_says() -> None:
    view = json.loads(as_sent(Audience.CITIZEN))
    assert view["basics"]["name"] == "南宁市老友餐饮有限公司"
    assert view["basics"]["legal_representative"] == "韦大山"
    assert view["licences"][0]["name"] == "食品经营许可证"
    assert view["regulator"] == {"name": "南宁市市场监督管理局", "hotline": "0771-12345"}
    assert view["actions"] == ["complain", "follow_up", "suggest", "tip_off"]


def test_an_enterprise_sees_orders_once_officers_stood_at_its_door() -> None:
    view = json.loads(as_sent(Audience.ENTERPRISE))
    assert names(view, "orders") == ["已上门的检查"]
    assert names(view, "history") == ["办结的检查"]


def test_an_inspector_sees_orders_of_their_own() -> None:
    view = json.loads(as_sent(Audience.INSPECTOR_WITH_ORDER, OFFICER))
    assert names(view, "orders") == ["我的检查"]
    assert names(view, "history") == ["办结的检查"]
    assert view["actions"] == ["check_in", "inspect", "re_inspect"]


def test_an_inspector_without_an_order_sees_conclusion_and_date_only() -> None:
    view = json.loads(as_sent(Audience.INSPECTOR, OFFICER))
    assert view["history"] == [{"completed_on": "2026-03-09", "outcome": "no_problem"}]
    assert view["actions"] == []


def test_a_lead_sees_every_order() -> None:
    view = json.loads(as_sent(Audience.LEAD))
    assert names(view, "orders") == ["我的检查", "别人的检查", "已上门的检查"]
    assert view["actions"] == ["reassign", "watch"]


@pytest.mark.parametrize("audience", Audience)
def test_nobody_is_told_who_the_officers_are(audience: Audience) -> None:
    assert str(OFFICER) not in as_sent(audience, OFFICER).decode()


@pytest.mark.parametrize(
    ("object_type", "audience", "shown"),
    [
        ("个体工商户", Audience.CITIZEN, None),
        ("个体工商户", Audience.ENTERPRISE, "民族大道1号"),
        ("个体工商户", Audience.INSPECTOR_WITH_ORDER, "民族大道1号"),
        ("企业", Audience.CITIZEN, "民族大道1号"),
    ],
)
def test_what_may_be_a_home_is_shown_to_no_citizen(object_type: str, audience: Audience, shown: str | None) -> None:
    card = msgspec.structs.replace(CARD, object_type=object_type)
    basics = disclose(card, audience, [], public=PublicParts()).basics
    assert not isinstance(basics, msgspec.UnsetType)
    assert basics.domicile == shown
