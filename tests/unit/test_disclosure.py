"""亮码告知 (ONE-02): the disclosure table, cell by cell, and which audience somebody is."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.identity.model import EnterprisePost, Principal, Role
from domain.scan.disclosure import DISCLOSURES, Action, Audience, Section, Standing, actions_of, audience_of

# Written out by hand from one-code.md, "What scanning gives": a mark is a yes, a dot is a no. 催办 and the draft of an
# approval are not there yet.
EXPECTED_SECTIONS = """
                 citizen  enterprise  inspector_with_order  inspector  lead
basics              x         x                x                x        x
licences            x         x                x                x        x
regulator           x         x                x                x        x
contact             x         x                x                x        x
results             x         x                x                x        x
manuals             x         x                x                x        x
complaint_counts    x         x                x                x        x
own_pending_publications  .   x                .                .        .
own_inspections     .         x                .                .        .
open_corrections    .         x                x                .        x
own_papers          .         x                .                .        .
own_self_inspections  .       x                .                .        .
accepted_complaints .         x                .                .        .
orders              .         .                x                .        .
all_orders          .         .                .                .        x
history             .         .                x                .        x
history_brief       .         .                .                x        .
grades              .         .                x                .        x
location            .         .                x                .        x
"""
EXPECTED_ACTIONS = """
                 citizen  enterprise  inspector_with_order  inspector  lead
complain            x         .                .                .        .
tip_off             x         .                .                .        .
suggest             x         .                .                .        .
follow_up           x         .                .                .        .
self_inspect        .         x                .                .        .
answer_order        .         x                .                .        .
request             .         x                .                .        .
object              .         x                .                .        .
reply               .         x                .                .        .
upload_material     .         x                .                .        .
rate                .         x                .                .        .
show_live_code      .         x                .                .        .
verify_officer      .         x                .                .        .
check_in            .         .                x                .        .
inspect             .         .                x                .        .
re_inspect          .         .                x                .        .
watch               .         .                .                .        x
reassign            .         .                .                .        x
"""


def cells(table: str) -> list[Any]:
    """(audience, row, expected) for each cell."""
    head, *lines = [line.split() for line in table.strip().splitlines()]
    return [
        pytest.param(Audience(audience), line[0], mark == "x", id=f"{audience}-{line[0]}")
        for line in lines
        for audience, mark in zip(head, line[1:], strict=True)
    ]


@pytest.mark.parametrize(("audience", "section", "expected"), cells(EXPECTED_SECTIONS))
def test_a_section_is_shown_as_the_table_says(audience: Audience, section: str, expected: bool) -> None:
    assert (Section(section) in DISCLOSURES[audience].sections) is expected


@pytest.mark.parametrize(("audience", "action", "expected"), cells(EXPECTED_ACTIONS))
def test_an_action_is_offered_as_the_table_says(audience: Audience, action: str, expected: bool) -> None:
    assert (Action(action) in DISCLOSURES[audience].actions) is expected


def test_the_expected_table_has_a_cell_for_everything() -> None:
    every_cell = [(audience, section.value) for section in Section for audience in Audience]
    assert sorted((cell.values[0], cell.values[1]) for cell in cells(EXPECTED_SECTIONS)) == sorted(every_cell)
    every_cell = [(audience, action.value) for action in Action for audience in Audience]
    assert sorted((cell.values[0], cell.values[1]) for cell in cells(EXPECTED_ACTIONS)) == sorted(every_cell)
    assert set(DISCLOSURES) == set(Audience)


# Who is which audience

ENTERPRISE, OFFICER, PLACE = uuid4(), uuid4(), uuid4()
SITE = Standing(
    site_id=PLACE,
    enterprise_id=ENTERPRISE,
    region="450000.450100.450103",
    officers_with_order=frozenset({OFFICER, uuid4()}),
)


def somebody(
    role: Role,
    *,
    region: str | None = None,
    officer_id: UUID | None = None,
    enterprise_id: UUID | None = None,
    post: EnterprisePost | None = None,
    site_ids: tuple[UUID, ...] | None = None,
) -> Principal:
    return Principal(
        account_id=uuid4(),
        session_id=uuid4(),
        name="某人",
        role=role,
        post="一级主办",
        department_id=uuid4(),
        region=region,
        officer_id=officer_id,
        enterprise_id=enterprise_id,
        enterprise_post=post,
        site_ids=site_ids,
    )


def test_nobody_signed_in_is_a_citizen() -> None:
    assert audience_of(None, SITE) is Audience.CITIZEN


@pytest.mark.parametrize(
    ("enterprise_id", "audience"), [(ENTERPRISE, Audience.ENTERPRISE), (uuid4(), Audience.CITIZEN)]
)
def test_an_enterprise_is_at_home_at_its_own_sites_only(enterprise_id: UUID, audience: Audience) -> None:
    assert audience_of(somebody(Role.ENTERPRISE, enterprise_id=enterprise_id), SITE) is audience


def test_an_enterprises_account_gains_nothing_by_a_region_or_an_officer() -> None:
    odd = somebody(Role.ENTERPRISE, region="450000", officer_id=OFFICER, enterprise_id=uuid4())
    assert audience_of(odd, SITE) is Audience.CITIZEN


@pytest.mark.parametrize(
    ("officer_id", "audience"), [(OFFICER, Audience.INSPECTOR_WITH_ORDER), (uuid4(), Audience.INSPECTOR)]
)
def test_an_inspector_works_where_they_have_an_order(officer_id: UUID, audience: Audience) -> None:
    assert audience_of(somebody(Role.INSPECTOR, region="450000.450100", officer_id=officer_id), SITE) is audience


@pytest.mark.parametrize("role", [Role.LEAD, Role.DEPARTMENT_MANAGER])
@pytest.mark.parametrize(
    ("region", "audience"),
    [
        ("450000", Audience.LEAD),
        ("450000.450100", Audience.LEAD),
        ("450000.450100.450103", Audience.LEAD),
        ("450000.450100.450102", Audience.CITIZEN),
        ("450000.450200", Audience.CITIZEN),
        ("450000.450100.450103.450103001", Audience.CITIZEN),
        ("450000.4501", Audience.CITIZEN),
        (None, Audience.CITIZEN),
    ],
)
def test_a_lead_sees_all_of_their_own_region(role: Role, region: str | None, audience: Audience) -> None:
    assert audience_of(somebody(role, region=region), SITE) is audience


@pytest.mark.parametrize("region", ["450000", "450000.450100.450103", None])
def test_an_administrator_is_a_citizen_everywhere(region: str | None) -> None:
    administrator = somebody(Role.ADMINISTRATOR, region=region, officer_id=OFFICER, enterprise_id=ENTERPRISE)
    assert audience_of(administrator, SITE) is Audience.CITIZEN


def test_every_role_has_been_asked_about() -> None:
    asked = {Role.ENTERPRISE, Role.INSPECTOR, Role.LEAD, Role.DEPARTMENT_MANAGER, Role.ADMINISTRATOR}
    assert asked == set(Role)


# What somebody of an enterprise may do there, by post and branch


@pytest.mark.parametrize(("sites", "audience"), [((PLACE,), Audience.ENTERPRISE), ((uuid4(),), Audience.CITIZEN)])
def test_who_is_of_a_branch_is_at_home_at_that_branch_only(sites: tuple[UUID, ...], audience: Audience) -> None:
    assert audience_of(somebody(Role.ENTERPRISE, enterprise_id=ENTERPRISE, site_ids=sites), SITE) is audience


@pytest.mark.parametrize(
    ("post", "missing"),
    [
        (EnterprisePost.MANAGER, set[Action]()),
        (EnterprisePost.CLERK, {Action.OBJECT}),
        (EnterprisePost.VIEWER, set(DISCLOSURES[Audience.ENTERPRISE].actions) - {Action.VERIFY_OFFICER}),
        (None, set(DISCLOSURES[Audience.ENTERPRISE].actions) - {Action.VERIFY_OFFICER}),
    ],
)
def test_of_the_enterprises_actions_each_post_is_offered_its_own(
    post: EnterprisePost | None, missing: set[Action]
) -> None:
    principal = somebody(Role.ENTERPRISE, enterprise_id=ENTERPRISE, post=post)
    offered = DISCLOSURES[Audience.ENTERPRISE].actions
    assert offered - actions_of(Audience.ENTERPRISE, principal) == missing


@pytest.mark.parametrize("audience", [each for each in Audience if each is not Audience.ENTERPRISE])
def test_a_post_counts_in_the_own_enterprise_only(audience: Audience) -> None:
    viewer = somebody(Role.ENTERPRISE, enterprise_id=uuid4(), post=EnterprisePost.VIEWER)
    assert actions_of(audience, viewer) == DISCLOSURES[audience].actions


@pytest.mark.parametrize(
    ("role", "offered"), [(Role.LEAD, {"watch"}), (Role.DEPARTMENT_MANAGER, {"watch", "reassign"})]
)
def test_a_department_replaces_its_officers_itself(role: Role, offered: set[str]) -> None:
    assert actions_of(Audience.LEAD, somebody(role)) == offered
