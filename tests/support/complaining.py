"""投诉 and 举报 over HTTP: filed by citizens, handled by the lead."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx

from domain.complaint.model import CONSENT_VERSION
from domain.identity.model import Principal
from tests.support.citizens import PHONE, Citizen, anonymous, verified
from tests.support.client import Api, accepted
from tests.support.factories import World

COMPLAINT, TIP_OFF = "complaint", "tip_off"
NAME = "王小明"
TEXT = "八月三日中午在店里吃老友粉，汤里有一只苍蝇，服务员不肯退款。"
OTHER_TEXT = "门口停车收费没有明码标价，一小时要了二十元。"


def account(world: World, **changes: object) -> dict[str, Any]:
    """What a citizen hands in about `World.site`, or what `changes` make of it; a change to None leaves it out."""
    body: dict[str, Any] = {
        "type": "food_safety",
        "description": TEXT,
        "consent_version": CONSENT_VERSION,
        "code": world.code,
        "name": NAME,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


async def complain(api: Api, world: World, phone: str = PHONE, **changes: object) -> dict[str, Any]:
    """提交投诉; gives the receipt."""
    citizen = await verified(api, phone)
    return accepted(await citizen.post("/api/v1/public/complaints", account(world, **changes)))


async def tip_off(api: Api, world: World, citizen: Citizen | None = None, **changes: object) -> dict[str, Any]:
    """提交举报, anonymous unless a name is given; gives the receipt."""
    who = citizen or await anonymous(api)
    body = account(world, **{"name": None, **changes})
    return accepted(await who.post("/api/v1/public/tip-offs", body))


def path(kind: str, *rest: object) -> str:
    """Below the office's list of one kind."""
    return "/".join([f"/api/v1/grievances/{kind}", *map(str, rest)])


async def step(
    api: Api, who: Principal, kind: str, grievance: object, what: str, text: str | None = None, **more: object
) -> httpx.Response:
    """One step by the office."""
    body = {"step": what, **({} if text is None else {"text": text}), **more}
    return await api.as_(who).post(path(kind, grievance, "steps"), body)


async def handled(api: Api, world: World, kind: str, grievance: object, answer: str = "已责令商家退款。") -> None:
    """Accepted, taken over and answered by the lead."""
    for what, text in (("accept", None), ("take_over", None), ("answer", answer)):
        accepted(await step(api, world.lead, kind, grievance, what, text))


async def detail(api: Api, who: Principal, kind: str, grievance: object) -> dict[str, Any]:
    """As the office reads it."""
    response = await api.as_(who).get(path(kind, grievance))
    assert response.status_code == 200, response.text
    return response.json()


async def listed(api: Api, who: Principal, kind: str, **query: object) -> list[dict[str, Any]]:
    """The office's list."""
    response = await api.as_(who).get(path(kind), **query)
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def follow_up(api: Api, receipt: dict[str, Any], tail: str | None = PHONE[-4:]) -> dict[str, Any]:
    """办理进度 as the complainant reads it."""
    response = await ask(api, receipt["query_code"], tail)
    assert response.status_code == 200, response.text
    return response.json()


async def ask(api: Api, code: str, tail: str | None = None) -> httpx.Response:
    """Ask for the 办理进度."""
    body = {"query_code": code} | ({} if tail is None else {"phone_tail": tail})
    return await api.anyone.post("/api/v1/public/follow-ups", body)


async def act(
    api: Api, receipt: dict[str, Any], what: str, *, tail: str | None = PHONE[-4:], **body: object
) -> httpx.Response:
    """supplements, withdrawal or reopening by the complainant."""
    citizen = await anonymous(api)
    proof = {"query_code": receipt["query_code"]} | ({} if tail is None else {"phone_tail": tail})
    return await citizen.post(f"/api/v1/public/follow-ups/{what}", {**proof, **body})


def inspection_order(world: World, *ids: object, **changes: object) -> dict[str, Any]:
    """发起检查任务 by two officers of the market department."""
    return {
        "ids": list(ids),
        "name": "投诉核查",
        "basis": "《中华人民共和国食品安全法》",
        "scene_code": "S01",
        "officer_ids": [world.officer.id, world.partner.id],
        "starts_on": "2026-08-06",
        "due_on": "2026-08-14",
        **changes,
    }


def unknown() -> UUID:
    """An id that nothing has."""
    return uuid4()
