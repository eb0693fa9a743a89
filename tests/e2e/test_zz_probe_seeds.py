"""A visit wholly offline: recorded on phones, sent days later in any order, and no different from one online."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from tests.support.client import Api
from tests.support.database import Database
from tests.support.factories import DISPATCHED_AT, NOW, World, make_world
from tests.support.inspecting import photo, prepare_inspection
from tests.support.offline import (
    Delivery,
    InspectorsPhone,
    Order,
    Phone,
    Write,
    deliver_by_chance,
    deliver_in_order,
    download,
    repeat_all,
)
from tests.support.offline_world import begin_again, keep_world, picture
from tests.support.visits import rows

SEEDS = range(100, 150)
DAYS_LATER = NOW + timedelta(days=3)
FED_BACK_AT = NOW + timedelta(days=5)
RE_INSPECTED_AT = NOW + timedelta(days=8)
PERSON = {"name": "韦秀英", "post": "店长"}
CAMERA = {"statement_and_defence": "无"}
TERM = "2026-08-12"


class Visit(msgspec.Struct, frozen=True):
    """All that the phones of a visit recorded, in three parts: nobody answers an order before it has arrived."""

    inspection: UUID
    on_site: list[Write]
    feedback: list[Write]
    re_inspections: list[Write]
    records: dict[str, str]

    @property
    def parts(self) -> list[list[Write]]:
        """One after the other."""
        return [self.on_site, self.feedback, self.re_inspections]


async def record_visit(api: Api, world: World, inspection: UUID) -> Visit:
    """Two departments at one object, each with its phone; then the enterprise, then both once more."""
    packs = {who: await download(api, who, inspection) for who in (world.inspector, world.emergency_inspector)}
    first = InspectorsPhone(world.inspector, packs[world.inspector], world.code, NOW, "market")
    second = InspectorsPhone(
        world.emergency_inspector, packs[world.emergency_inspector], world.code, NOW + timedelta(minutes=7), "emergency"
    )
    records = {}
    records["market"], kitchen = _market_inspects(first, world)
    records["emergency"], gas = _emergency_inspects(second, world)
    first.now = max(first.now, second.now)
    first.complete("ordered_to_rectify")
    on_site = [*first.queue, *second.queue]
    enterprise = Phone(world.enterprise_user, inspection, "enterprise", FED_BACK_AT)
    _feed_back(enterprise, kitchen, photo(61))
    _feed_back(enterprise, gas, photo(62))
    return Visit(inspection, on_site, enterprise.queue, _re_inspect(world, first, second, kitchen, gas), records)


def _market_inspects(phone: InspectorsPhone, world: World) -> tuple[str, Order]:
    """Ten minutes after ten to about eleven."""
    shown, again, drawn = photo(1), photo(2), photo(91)
    phone.check_in(world.partner.id)
    phone.identify(PERSON)
    phone.answer("T01", photos=[phone.photo(shown)])
    phone.answer("T06", "not_applicable", reason="当日没有进货")
    phone.mark_in_bulk("环境卫生")
    measures = [{"kind": "rectify_within"}]
    phone.answer("T02", "problem", measures=measures, remark="超范围经营。", photos=[phone.photo(again)])
    phone.answer("T01", "problem", measures=[{"kind": "corrected_on_spot"}], remark="许可证被遮挡，当场移开。")
    for code in phone.unanswered:
        phone.answer(code)
    phone.add_facts(person=PERSON | {"phone": "13877100001"}, body_camera="ZF20260805-01", **CAMERA)
    digest = phone.sign_all(phone.photo(drawn))
    order = phone.order("T02", TERM, "停止超范围经营。")
    phone.depart()
    return digest, order


def _emergency_inspects(phone: InspectorsPhone, world: World) -> tuple[str, Order]:
    """Comes later, and leaves before or after the others."""
    phone.check_in(world.emergency_partner.id)
    phone.identify(PERSON)
    hose, alarm = phone.photo(photo(5)), phone.photo(photo(6))
    phone.answer("T08", photos=[hose])
    phone.answer("T07", "problem", measures=[{"kind": "rectify_within"}], remark="未装报警装置。", photos=[alarm, hose])
    phone.add_facts(person=PERSON | {"phone": None}, no_body_camera_reason="设备故障", **CAMERA)
    phone.wait(minutes=9)
    digest = phone.sign_all(phone.photo(photo(92)))
    order = phone.order("T07", TERM, "安装可燃气体报警装置。")
    phone.depart()
    return digest, order


def _feed_back(phone: Phone, order: Order, after: bytes) -> None:
    items = [{"item_id": order.item, "answer": "已改正。", "after": [phone.photo(after)]}]
    phone.write("POST", f"/api/v1/rectification-orders/{order.id}/feedback", {"items": items})


def _re_inspect(
    world: World, first: InspectorsPhone, second: InspectorsPhone, passed: Order, failed: Order
) -> list[Write]:
    begun = {phone.name: len(phone.queue) for phone in (first, second)}
    for phone in (first, second):
        phone.now = RE_INSPECTED_AT
    first.re_inspect(passed, "no_problem", world.partner.id, first.photo(photo(71)))
    approved = {"next_due_on": "2026-08-25", "approved_by": "莫局长", "approval_reason": "已订购，货未到"}
    second.re_inspect(failed, "order_to_rectify", world.emergency_partner.id, second.photo(photo(72)), **approved)
    return [write for phone in (first, second) for write in phone.queue[begun[phone.name] :]]


class Offline(msgspec.Struct, frozen=True):
    """A recorded visit, the picture that it leaves online, and how often the server was asked for that."""

    visit: Visit
    online: dict[str, Any]
    answered: int


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def offline(running_api: Api, database: Database) -> Offline:
    """The world is kept as it was before anybody went out; the visit took place once, online."""
    running_api.clock.now = DISPATCHED_AT
    world = await make_world(running_api.parts)
    running_api.clock.now = NOW
    inspection = await prepare_inspection(running_api, world, is_joint=True)
    visit = await record_visit(running_api, world, inspection)
    await keep_world(database)
    delivery = Delivery()
    for part in visit.parts:
        await deliver_in_order(running_api, part, delivery)
    return Offline(visit, await picture(running_api), len(delivery.answered))


def test_the_record_made_on_the_phone_is_the_servers(offline: Offline) -> None:
    visit = offline.visit

    digests = {digest for _, _, digest, _, _ in offline.online["record"]}

    assert digests == set(visit.records.values())
    assert len(offline.online["visit"]) == 1
    assert offline.answered == sum(map(len, visit.parts))


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_arrives_late_shuffled_repeated_and_with_losses_ends_like_online(
    running_api: Api, database: Database, offline: Offline, seed: int
) -> None:
    chance = Random(seed)
    await begin_again(running_api, database)
    delivery = Delivery()
    for part, earliest in zip(offline.visit.parts, (DAYS_LATER, FED_BACK_AT, RE_INSPECTED_AT), strict=True):
        last = max(write.done_at for write in part)
        running_api.clock.now = max(running_api.clock.now, earliest, last) + timedelta(hours=chance.uniform(2, 30))
        await deliver_by_chance(running_api, part, delivery, chance)
    before = await picture(running_api)
    await repeat_all(running_api, [write for part in offline.visit.parts for write in part], delivery, chance)

    after = await picture(running_api)

    assert after == before
    assert delivery.kept["predecessor-missing"] > 0
    assert {name: told for name, told in after.items() if told != offline.online[name]} == {}


# Visits of two departments that do not meet, or go on another day


async def two_phones(api: Api, world: World, *, apart: timedelta) -> tuple[InspectorsPhone, InspectorsPhone]:
    """Of both departments with a joint inspection; the second comes `apart` from the first."""
    inspection = await prepare_inspection(api, world, is_joint=True)
    first = InspectorsPhone(world.inspector, await download(api, world.inspector, inspection), world.code, NOW, "first")
    pack = await download(api, world.emergency_inspector, inspection)
    return first, InspectorsPhone(world.emergency_inspector, pack, world.code, NOW + apart, "second")


def come_and_go(phone: InspectorsPhone, second: UUID, *, answers: int) -> list[Write]:
    """One visit, in which so many items are answered; gives its part of the queue."""
    begun = len(phone.queue)
    phone.check_in(second)
    phone.identify(PERSON)
    for code in phone.unanswered[:answers]:
        phone.answer(code)
    phone.wait(minutes=30)
    phone.depart()
    return phone.queue[begun:]


@pytest.mark.parametrize("is_reversed", [False, True], ids=["first before second", "second before first"])
async def test_a_department_that_comes_after_the_others_left_signs_what_its_phone_made(
    api: Api, world: World, is_reversed: bool
) -> None:
    phones = await two_phones(api, world, apart=timedelta(hours=3))
    for phone, second in zip(phones, (world.partner.id, world.emergency_partner.id), strict=True):
        come_and_go(phone, second, answers=100)
        phone.add_facts(person=PERSON | {"phone": None}, body_camera="ZF-1")
        phone.sign_all(phone.photo(photo(90)))
    api.clock.now = DAYS_LATER
    delivery = Delivery()

    for phone in reversed(phones) if is_reversed else phones:
        for write in phone.queue:
            assert delivery.take(write, await write.send(api)), write.name

    assert len((await picture(api))["signature"]) == 8


@pytest.mark.parametrize(
    "arriving",
    [
        "1 Monday, 1 Tuesday, 2 Monday, 2 Tuesday",
        "2 Monday, 2 Tuesday, 1 Monday, 1 Tuesday",
        "1 Monday, 2 Monday, 1 Tuesday, 2 Tuesday",
        "2 Monday, 1 Monday, 2 Tuesday, 1 Tuesday",
    ],
)
async def test_two_days_of_two_departments_are_two_visits_in_whatever_order_they_arrive(
    api: Api, world: World, arriving: str
) -> None:
    first, second = await two_phones(api, world, apart=timedelta(minutes=10))
    parts = {
        "1 Monday": come_and_go(first, world.partner.id, answers=1),
        "2 Monday": come_and_go(second, world.emergency_partner.id, answers=1),
    }
    for phone in (first, second):
        phone.wait(days=1)
    parts["1 Tuesday"] = come_and_go(first, world.partner.id, answers=100)
    parts["2 Tuesday"] = come_and_go(second, world.emergency_partner.id, answers=100)
    api.clock.now = DAYS_LATER
    delivery = Delivery()

    for part in arriving.split(", "):
        for write in parts[part]:
            assert delivery.take(write, await write.send(api)), write.name

    visits = [(each["arrived_at"], each["departed_at"]) for each in await rows(api, "visit")]
    days = [(parts["1 Monday"], parts["2 Monday"]), (parts["1 Tuesday"], parts["2 Tuesday"])]
    assert visits == [(one[0].done_at, other[-1].done_at) for one, other in days]
