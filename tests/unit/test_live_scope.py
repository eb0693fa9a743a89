"""Who sees what live, and that an event reaches each of them once."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.live.fanout import Consumer, Fanout
from api.live.model import Placed, Reach, ServerLeaves, SlowConsumer
from api.live.scope import Scope, narrow, read_wish, scope_of
from domain.identity.model import Department, Principal, Role
from domain.shared.errors import Forbidden, InvalidField
from tests.support.acts import principal

GUANGXI, NANNING, QINGXIU, LIUZHOU = "450000", "450000.450100", "450000.450100.450103", "450000.450200"
OWN, OTHER, ME = UUID(int=1), UUID(int=2), UUID(int=3)
LEAD = principal(Role.LEAD, region=NANNING)
MANAGER = msgspec.structs.replace(principal(Role.DEPARTMENT_MANAGER, region=NANNING), department_id=OWN)
INSPECTOR = msgspec.structs.replace(principal(Role.INSPECTOR, region=NANNING), department_id=OWN, officer_id=ME)


def department(of: UUID, region: str) -> Department:
    """A department somewhere."""
    return Department(
        id=of,
        code="SJ01",
        name="市场监督管理局",
        short_name="市监局",
        parent_id=None,
        path="SJ01",
        region_code=region.rpartition(".")[2],
        region=region,
        hotline=None,
    )


def narrowed(by: Principal, named: Department | None = None, **query: str) -> Scope:
    return narrow(scope_of(by), by, read_wish(query), named)


@pytest.mark.parametrize(
    ("by", "reach", "sees"),
    [
        (LEAD, Reach(region=NANNING), True),
        (LEAD, Reach(region=QINGXIU), True),
        (LEAD, Reach(region=LIUZHOU), False),
        (LEAD, Reach(region=GUANGXI), False),
        (LEAD, Reach(region=NANNING + "1"), False),
        (LEAD, Reach(departments=frozenset({OWN})), False),
        (MANAGER, Reach(region=LIUZHOU, departments=frozenset({OWN, OTHER})), True),
        (MANAGER, Reach(region=NANNING, departments=frozenset({OTHER})), False),
        (INSPECTOR, Reach(officers=frozenset({ME})), True),
        (INSPECTOR, Reach(region=NANNING, departments=frozenset({OWN}), officers=frozenset({OTHER})), False),
    ],
)
def test_leads_see_their_region_managers_their_department_and_inspectors_their_own(
    by: Principal, reach: Reach, sees: bool
) -> None:
    assert scope_of(by).admits(reach) is sees


@pytest.mark.parametrize(
    "by",
    [
        principal(Role.LEAD),
        principal(Role.DEPARTMENT_MANAGER, region=NANNING),
        principal(Role.INSPECTOR, region=NANNING),
        principal(Role.ENTERPRISE, region=NANNING),
        principal(Role.ADMINISTRATOR, region=GUANGXI),
    ],
)
def test_nobody_else_sees_anything(by: Principal) -> None:
    with pytest.raises(Forbidden):
        scope_of(by)


def test_a_lead_may_look_at_a_part_of_the_own_region_and_at_a_scene_there() -> None:
    scope = narrowed(LEAD, region="450103", scene="S06")
    assert scope == Scope(region=QINGXIU, scene="S06")
    assert scope.admits(Reach(region=QINGXIU, scene="S06"))
    assert not scope.admits(Reach(region=QINGXIU, scene="S07"))
    assert not scope.admits(Reach(region=NANNING, scene="S06"))


@pytest.mark.parametrize("region", ["450200", "450000"])
def test_a_region_outside_is_refused_also_when_it_is_the_one_above(region: str) -> None:
    with pytest.raises(Forbidden):
        narrowed(LEAD, region=region)


def test_a_lead_may_name_a_department_of_the_own_region_only() -> None:
    assert narrowed(LEAD, department(OTHER, QINGXIU), department=str(OTHER)).region == NANNING
    for named in (department(OTHER, LIUZHOU), department(OTHER, GUANGXI), None):
        with pytest.raises(Forbidden):
            narrowed(LEAD, named, department=str(OTHER))


@pytest.mark.parametrize("by", [MANAGER, INSPECTOR])
def test_everybody_else_may_name_the_own_department_only(by: Principal) -> None:
    assert narrowed(by, department(OWN, NANNING), department=str(OWN)).department_id == OWN
    with pytest.raises(Forbidden):
        narrowed(by, department(OTHER, NANNING), department=str(OTHER))


def test_to_narrow_never_widens() -> None:
    assert narrowed(INSPECTOR, department(OWN, NANNING), department=str(OWN)).officer_id == ME


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"region": "nowhere"}, "region"),
        ({"region": ""}, "region"),
        ({"scene": "S99"}, "scene"),
        ({"department": "x"}, "department"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_name(query: Mapping[str, str], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        read_wish(query)
    assert refused.value.field == field


_UUIDS = st.sampled_from([UUID(int=number) for number in range(1, 4)])
_REGIONS = st.sampled_from([GUANGXI, NANNING, QINGXIU, LIUZHOU])
_SCENES = st.sampled_from(["S01", "S02"])
_SCOPES = st.builds(
    Scope,
    region=st.none() | _REGIONS,
    department_id=st.none() | _UUIDS,
    officer_id=st.none() | _UUIDS,
    scene=st.none() | _SCENES,
).filter(lambda scope: (scope.region, scope.department_id, scope.officer_id) != (None, None, None))
_REACHES = st.builds(
    Reach,
    region=st.none() | _REGIONS,
    departments=st.frozensets(_UUIDS),
    officers=st.frozensets(_UUIDS),
    scene=st.none() | _SCENES,
)


@given(st.lists(_SCOPES, max_size=12), st.lists(_REACHES, max_size=6))
async def test_an_event_reaches_whom_it_concerns_once_and_nobody_else(
    scopes: list[Scope], reaches: list[Reach]
) -> None:
    fanout, consumers = Fanout(), [Consumer(scope) for scope in scopes]
    for consumer in consumers:
        fanout.join(consumer)
    for position, reach in enumerate(reaches):
        fanout.spread(Placed(position, reach, ""))
    for consumer in consumers:
        due = [position for position, reach in enumerate(reaches) if consumer.scope.admits(reach)]
        got = [await consumer.take(0) for _ in due]
        assert [placed.position for placed in got if placed] == due
        assert await consumer.take(0) is None
        fanout.leave(consumer)
    assert len(fanout) == 0
    assert vars(fanout) == vars(Fanout()), "nothing is left of those who left"


async def test_a_queue_that_is_full_ends_its_reader_alone() -> None:
    fanout, slow, quick = Fanout(), Consumer(Scope(region=NANNING), most=2), Consumer(Scope(region=NANNING), most=9)
    for consumer in (slow, quick):
        fanout.join(consumer)
    for position in range(3):
        fanout.spread(Placed(position, Reach(region=NANNING), ""))
    with pytest.raises(SlowConsumer):
        await slow.take(1)
    assert [(await quick.take(1)) is not None for _ in range(3)] == [True] * 3


async def test_a_server_that_leaves_tells_everybody_at_once() -> None:
    fanout, consumer = Fanout(), Consumer(Scope(officer_id=uuid4()))
    fanout.join(consumer)
    fanout.end()
    with pytest.raises(ServerLeaves):
        await consumer.take(60)
