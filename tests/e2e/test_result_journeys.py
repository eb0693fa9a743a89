"""From the visit itself to what anybody reads, every step over HTTP and each wait ended by the worker's own round."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from api.jobs import publish_what_is_due, release_what_waits
from domain.identity.model import Principal
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, World
from tests.support.inspecting import (
    answer_all,
    arrive,
    dispatch_with,
    finish,
    leave,
    prepare_inspection,
    prepare_list,
    prepare_papers,
    record_facts,
    sign_all,
)

DUE_AT = datetime.fromisoformat("2026-08-13T00:00:00+08:00")
"""The start of the working day after five working days from the visit."""
REASONS = "检查当日该冷柜已停用待修，不在使用中，请更正。"
UPHELD = {"decision": "upheld", "reason": "经核查，该冷柜当日确已停用。"}


async def visit(api: Api, world: World, inspection: UUID) -> None:
    """The whole visit of one department: nothing is found."""
    await arrive(api, world, inspection)
    await answer_all(api, world.inspector, inspection, world.market.id)
    await record_facts(api, world.inspector, inspection)
    await sign_all(api, world.inspector, inspection, [world.officer.id, world.partner.id])
    await leave(api, world.inspector, inspection, api.clock.now + timedelta(hours=1))
    accepted(await finish(api, world.inspector, inspection, "no_problem"))


async def read(api: Api, who: Principal, path: str) -> dict[str, Any]:
    """What `who` is answered."""
    response = await api.as_(who).get(f"/api/v1/{path}")
    assert response.status_code == 200, response.text
    return response.json()


async def public(api: Api, world: World) -> list[dict[str, Any]]:
    """What anybody reads of results behind the code, right now."""
    api.forget()
    return (await api.anyone.get(f"/api/v1/codes/{world.code}")).json()["results"]


async def test_a_result_waits_for_its_embargo_and_is_read_by_the_enterprise_first(api: Api, world: World) -> None:
    await visit(api, world, await prepare_inspection(api, world))
    assert await public(api, world) == []
    (waiting,) = (await read(api, world.enterprise_user, "publications"))["items"]
    shown = await read(api, world.enterprise_user, f"publications/{waiting['id']}/preview")
    assert (shown["public_from"], shown["is_final"]) == ("2026-08-12T16:00:00Z", False)
    reply = {"text": "感谢指导，欢迎监督。"}
    accepted(await api.as_(world.enterprise_user).post(f"/api/v1/publications/{waiting['id']}/replies", reply))

    for moment, is_public in ((DUE_AT - timedelta(seconds=1), False), (DUE_AT, True)):
        api.clock.now = moment
        await publish_what_is_due(api.parts)
        assert bool(await public(api, world)) is is_public
    (result,) = await public(api, world)
    assert (result["outcome"], result["published_on"], result["reply"]["text"]) == (
        "no_problem",
        "2026-08-13",
        reply["text"],
    )
    page = (await api.anyone.get(f"/c/{world.code}", {"Accept": "text/html"})).text
    assert reply["text"] in page
    assert "未发现问题" in page


async def test_an_objection_is_decided_by_an_officer_who_was_not_there(api: Api, world: World) -> None:
    await visit(api, world, await prepare_inspection(api, world))
    (waiting,) = (await read(api, world.enterprise_user, "publications"))["items"]
    objections = f"/api/v1/publications/{waiting['id']}/objections"
    filed = accepted(await api.as_(world.enterprise_user).post(objections, {"reasons": REASONS}))

    api.clock.now = DUE_AT + timedelta(days=1)
    await publish_what_is_due(api.parts)
    assert await public(api, world) == []  # it is held back as long as it is looked into
    decision = f"/api/v1/objections/{filed['id']}/decision"
    for who in (world.inspector, world.partner_inspector):
        refused(await api.as_(who).post(decision, UPHELD), 403, "decider-was-there")
    accepted(await api.as_(world.unassigned_inspector).post(decision, UPHELD))

    answered = await read(api, world.enterprise_user, f"objections/{filed['id']}")
    assert (answered["state"], answered["decision"]) == ("upheld", UPHELD["reason"])
    api.clock.now = DUE_AT + timedelta(days=60)
    await publish_what_is_due(api.parts)
    assert await public(api, world) == []


async def test_visits_are_rated_and_the_department_cannot_tell_which(api: Api, world: World) -> None:
    await prepare_papers(api.parts)
    version = await prepare_list(api.parts, world)
    told: list[dict[str, Any]] = []
    for number in range(5):
        api.clock.now = NOW  # the position of each check-in is of this moment
        await visit(api, world, await dispatch_with(api, world, version, world.teams[:1]))
        invitation = next(
            each
            for each in (await read(api, world.enterprise_user, "rating-invitations"))["items"]
            if not each["is_used"]
        )
        token = secrets.token_hex(32)
        commitment = hashlib.sha256(bytes.fromhex(token)).hexdigest()
        drawing = f"/api/v1/rating-invitations/{invitation['id']}/token"
        accepted(await api.as_(world.enterprise_user).post(drawing, {"commitment": commitment}))
        stars = {"courtesy": 5 - number, "lawfulness": 4, "efficiency": 5, "certificates_shown": True}
        accepted(await api.anyone.post("/api/v1/ratings", {**stars, "token": token, "comment": f"第{number}次的话"}))
        again = await api.anyone.post("/api/v1/ratings", {**stars, "token": token})
        refused(again, 409, "rating-token-invalid", "token")
        told.append({"invitation": invitation["id"], "token": token})
        await release_what_waits(api.parts)
        assert (await read(api, world.manager, "rating-batches"))["items"] == []

    api.clock.now = NOW + timedelta(days=30)  # the month is over
    await release_what_waits(api.parts)
    (batch,) = (await read(api, world.manager, "rating-batches"))["items"]
    detail = await read(api, world.manager, f"rating-batches/{batch['id']}")
    comments = [each["comment"] for each in detail["items"]]
    assert sorted(comments) == [f"第{number}次的话" for number in range(5)]
    assert [each["id"] for each in detail["items"]] == sorted(each["id"] for each in detail["items"])
    words = msgspec.json.encode([batch, detail]).decode()
    for hidden in (world.site.id, world.enterprise.id, world.enterprise.uscc, world.officer.id, "2026-08-05"):
        assert str(hidden) not in words
    for each in told:
        assert each["invitation"] not in words
        assert each["token"] not in words
