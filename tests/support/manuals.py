"""Manuals as the desk writes them, where they are read, and what the server does by itself."""

from __future__ import annotations

import asyncio
from typing import Any

from api.live import Feed
from api.view_counts import ViewCounts
from domain.checklist.builtin import load_builtin_checklists
from domain.identity.model import Principal
from domain.manual.builtin import load_builtin_manuals
from tests.support.client import Api, accepted
from tests.support.factories import (
    INSTALLATION,
    World,
)

DESK = "/api/v1/manuals"
PUBLIC = "/api/v1/public/manuals"
LISTS = "/api/v1/public/checklists"
A_BROWSER = {"Accept": "text/html"}


def a_requirement(code: str, **changes: object) -> dict[str, Any]:
    """条款 as the desk sends it."""
    return {
        "code": code,
        "text": f"进货时查验票证（{code}）。",
        "hint": f"没有票证会被罚款（{code}）。",
        "legal_basis": [{"law": "中华人民共和国食品安全法", "article": "第五十三条"}],
        "item_codes": ["CY-022"],
        **changes,
    }


def a_tree(*requirements: dict[str, Any]) -> dict[str, Any]:
    """要素 of a draft: two chapters, one with a section."""
    return {
        "chapters": [
            {"code": "one", "title": "原料", "requirements": list(requirements) or [a_requirement("a")]},
            {
                "code": "two",
                "title": "加工",
                "sections": [{"code": "two.1", "title": "生熟分开", "requirements": [a_requirement("z")]}],
            },
        ]
    }


async def create(api: Api, who: Principal, **changes: object) -> str:
    """A new manual of the caller's department; gives its path at the desk."""
    order = {"name": "餐饮服务经营手册", "business_type": "餐饮服务", "object_scope": "餐饮店", **changes}
    return f"{DESK}/{accepted(await api.as_(who).post(DESK, order))['id']}"


async def publish(api: Api, who: Principal, path: str, *requirements: dict[str, Any]) -> dict[str, Any]:
    """Write the requirements into the draft and publish it."""
    accepted(await api.as_(who).put(f"{path}/draft/elements", a_tree(*requirements)))
    return accepted(await api.as_(who).post(f"{path}/publish"))


def public_path(path: str) -> str:
    """Where anybody reads the manual."""
    return path.replace(DESK, PUBLIC)


def page_path(path: str) -> str:
    """Where a browser reads it."""
    return path.replace(DESK, "/manuals")


async def flush(api: Api) -> int:
    """What the server does every ten seconds."""
    counts: ViewCounts = api.app.state.view_counts
    return await counts.flush()


async def views(api: Api, who: Principal) -> list[dict[str, int]]:
    """浏览次数 in the desk's list."""
    return [each["views"] for each in (await api.as_(who).get(DESK)).json()["items"]]


async def keeps(api: Api) -> None:
    """Wait until this process keeps pages."""
    feed: Feed = api.app.state.feed
    while not feed.is_current:
        await asyncio.sleep(0.01)


async def load_builtin(api: Api, world: World) -> None:
    """The built-in lists and manuals, all of the market department."""
    await api.parts.work.run(INSTALLATION, lambda tx: load_builtin_checklists(tx, world.market.id))
    await api.parts.work.run(INSTALLATION, lambda tx: load_builtin_manuals(tx, world.market.id))
    api.forget()
