"""Problems found at an inspection, and the orders that follow from them, over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec

from domain.identity.model import Principal
from domain.shared.ids import new_id
from tests.support.client import Api, accepted
from tests.support.factories import NOW, World
from tests.support.inspecting import answer_all, arrive, lines, path, photo, prepare_inspection, upload

DUE_ON = date(2026, 8, 20)
PLAIN, PENAL, SEVERE = "T01", "T02", "T06"
"""Codes of three items of the list: a plain one, one marked `penalty_if_overdue`, a severe one."""


class Found(msgspec.Struct, frozen=True):
    """An inspection at which problems were found, and the items by their codes."""

    inspection: UUID
    items: Mapping[str, UUID]


def fresh_id(at: datetime = NOW) -> str:
    """A UUIDv7 as a phone makes it."""
    return str(new_id(at, secrets.token_bytes))


def rectify_within(remark: str = "许可证未公示。", *others: str) -> dict[str, Any]:
    """限期改正, and other measures beside it."""
    return {"measures": [{"kind": each} for each in ("rectify_within", *others)], "remark": remark}


async def find_problems(
    api: Api, world: World, problems: Mapping[str, Mapping[str, Any]] | None = None, *, is_joint: bool = False
) -> Found:
    """Arrive and answer the market department's list; unless said otherwise three items are problems."""
    inspection = await prepare_inspection(api, world, is_joint=is_joint)
    await arrive(api, world, inspection)
    found = problems or {code: rectify_within() for code in (PLAIN, PENAL, SEVERE)}
    await answer_all(api, world.inspector, inspection, world.market.id, found)
    known = await lines(api, world.inspector, inspection)
    return Found(inspection, {line["code"]: UUID(line["item_id"]) for line in known})


def demand(item: UUID, **fields: Any) -> dict[str, Any]:
    """整改事项, to be put right by the order's date."""
    return {"item_id": item, "demand": "在醒目位置公示许可证。", "due_on": DUE_ON, **fields}


def order_body(found: Found, *codes: str, **changes: Any) -> dict[str, Any]:
    """责令改正通知书 over the items of `codes`, or what `changes` make of it; a change to None leaves it out."""
    body: dict[str, Any] = {
        "id": fresh_id(),
        "items": [demand(found.items[code]) for code in codes or (PLAIN,)],
        "due_on": DUE_ON,
        "contact": {"name": "黄志强", "phone": "0771-5512345"},
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


async def issue(
    api: Api, who: Principal, found: Found, *codes: str, done_at: datetime | None = None, **changes: Any
) -> httpx.Response:
    """Issue an order."""
    body = order_body(found, *codes, **changes)
    return await api.as_(who).post(path(found.inspection, "rectification-orders"), body, done_at=done_at)


async def ordered(api: Api, world: World, *codes: str, **changes: Any) -> tuple[Found, dict[str, Any]]:
    """Problems found and an order issued; gives both."""
    found = await find_problems(api, world)
    return found, accepted(await issue(api, world.inspector, found, *codes, **changes))


def order_path(order: object, *rest: str) -> str:
    """Below an order."""
    return "/".join([f"/api/v1/rectification-orders/{order}", *rest])


async def read_order(api: Api, who: Principal, order: object) -> dict[str, Any]:
    """The order as `who` reads it."""
    response = await api.as_(who).get(order_path(order))
    assert response.status_code == 200, response.text
    return response.json()


async def feed_back(api: Api, world: World, found: Found, order: object, *codes: str, **changes: Any) -> httpx.Response:
    """The enterprise answers with a photo of after."""
    after = await upload(api, world.enterprise_user, found.inspection, photo(40))
    items = [{"item_id": found.items[code], "answer": "已公示。", "after": [after]} for code in codes or (PLAIN,)]
    return await api.as_(world.enterprise_user).post(order_path(order, "feedback"), {"items": items, **changes})


def re_inspection(
    world: World, found: Found, result: str, *codes: str, failed: Sequence[str] = (), **changes: Any
) -> dict[str, Any]:
    """整改复查 of the items of `codes`, of which those of `failed` are not put right."""
    return {
        "id": fresh_id(),
        "result": result,
        "second_officer_id": world.partner.id,
        "note": "现场复查，情况属实。",
        "items": [{"item_id": found.items[code], "is_corrected": code not in failed} for code in codes or (PLAIN,)],
        **changes,
    }


async def re_inspect(api: Api, who: Principal, order: object, body: Mapping[str, Any], **how: Any) -> httpx.Response:
    """Record it."""
    return await api.as_(who).post(order_path(order, "re-inspections"), body, **how)


async def serve(api: Api, who: Principal, order: object, **fields: Any) -> httpx.Response:
    """Record a service."""
    body = {"served_on": NOW.date(), **fields}
    return await api.as_(who).post(order_path(order, "services"), body)


def days(count: int) -> date:
    """That many days after the visit."""
    return NOW.date() + timedelta(days=count)
