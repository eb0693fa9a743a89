from __future__ import annotations
from datetime import timedelta
import pytest
from tests.support.client import Api, accepted
from tests.support.factories import NOW, World
from tests.support.inspecting import photo, prepare_inspection, path
from tests.support.offline import *
from tests.support.visits import rows

CAM = {"statement_and_defence": "无", "body_camera": "x"}

async def phones(api, world, e_at):
    inspection = await prepare_inspection(api, world, is_joint=True)
    m = InspectorsPhone(world.inspector, await download(api, world.inspector, inspection), world.code, NOW, "market")
    e = InspectorsPhone(world.emergency_inspector, await download(api, world.emergency_inspector, inspection), world.code, e_at, "emergency")
    return m, e

def whole(phone, world, second):
    phone.check_in(second)
    phone.identify({"name": "韦秀英", "post": "店长"})
    for code in phone.unanswered:
        phone.answer(code)
    phone.add_facts(person={"name": "韦秀英", "post": "店长", "phone": None}, **CAM)
    phone.sign_all(phone.photo(photo(9)))
    phone.depart()

@pytest.mark.parametrize("order", ["me", "em"])
async def test_one_after_the_other(api: Api, world: World, order: str) -> None:
    m, e = await phones(api, world, NOW + timedelta(hours=3))
    whole(m, world, world.partner.id)
    whole(e, world, world.emergency_partner.id)
    api.clock.now = NOW + timedelta(days=3)
    for phone in (m, e) if order == "me" else (e, m):
        for w in phone.queue:
            r = await w.send(api)
            print(order, w.name, r.status_code, r.text[:200] if r.status_code != 201 else "")
    for v in await rows(api, "visit"):
        print(v["sequence"], v["arrived_at"], v["departed_at"])

@pytest.mark.parametrize("order", ["m1 m2 e1 e2", "m1 e1 m2 e2", "e1 e2 m1 m2", "m1 m2half e1 e2"])
async def test_two_days(api: Api, world: World, order: str) -> None:
    m, e = await phones(api, world, NOW + timedelta(minutes=10))
    parts = {}
    def first(phone, second):
        n = len(phone.queue)
        phone.check_in(second); phone.identify({"name": "韦秀英", "post": "店长"}); phone.answer(phone.unanswered[0]); phone.wait(minutes=30); phone.depart()
        return phone.queue[n:]
    def again(phone, second):
        n = len(phone.queue)
        phone.check_in(second); phone.identify({"name": "韦秀英", "post": "店长"}); [phone.answer(c) for c in phone.unanswered]; phone.wait(minutes=30); phone.depart()
        return phone.queue[n:]
    parts["m1"] = first(m, world.partner.id); parts["e1"] = first(e, world.emergency_partner.id)
    m.now += timedelta(days=1); e.now += timedelta(days=1)
    parts["m2"] = again(m, world.partner.id); parts["e2"] = again(e, world.emergency_partner.id)
    parts["m2half"] = parts["m2"][:-1]
    api.clock.now = NOW + timedelta(days=3)
    for p in order.split():
        for w in parts[p]:
            r = await w.send(api)
            print(order, "|", p, w.name.rpartition("/")[2], r.status_code, r.text[:200] if r.status_code != 201 else "")
    for v in await rows(api, "visit"):
        print(v["sequence"], v["arrived_at"], v["departed_at"])

async def test_partner_first(api: Api, world: World) -> None:
    m, e = await phones(api, world, NOW + timedelta(minutes=10))
    m.check_in(world.partner.id)
    p = InspectorsPhone(world.partner_inspector, m.pack, world.code, m.now, "partner")
    p.answer("T01")
    api.clock.now = NOW + timedelta(days=3)
    for w in (*p.queue, *m.queue, *p.queue):
        r = await w.send(api)
        print(w.name, r.status_code, r.text[:300] if r.status_code != 201 else "")
