"""企业自查 over HTTP: a list with self-check items, photos handed in, and a whole self-inspection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from domain.checklist.model import Severity
from domain.identity.model import Principal
from domain.shared.sql import borrow
from tests.support.client import Api, accepted
from tests.support.factories import World
from tests.support.inspecting import ITEMS, digest, photo, prepare_list
from tests.support.visits import rows

FOOD = "餐饮服务"
SELF_CHECKED = ("T01", "T03", "T06")
"""Of general, minor and severe weight."""
_ITEMS = [
    msgspec.structs.replace(item, is_self_check=True, guidance="仅供执法人员") if item.code in SELF_CHECKED else item
    for item in ITEMS
]
SECRET = "后厨冰柜坏了两天没敢说"
PROBLEMS = {"T01": {"remark": SECRET}, "T06": {"remark": "三批原料无票据"}}


async def execute(api: Api, statement: str, *values: object) -> None:
    """One statement straight to the database."""
    async with borrow(api.parts.pool) as connection:
        await connection.execute(statement, *values)


async def prepare_self_check(api: Api, world: World) -> None:
    """A list of 餐饮服务 is in force, three of its rows for self-check, and both own sites are of that 业态."""
    await prepare_list(api.parts, world, _ITEMS)
    await execute(api, "UPDATE site SET business_types = ARRAY[$2] WHERE enterprise_id = $1", world.enterprise.id, FOOD)


async def hand_in(api: Api, who: Principal, number: int = 1) -> str:
    """A photo handed in; gives its digest."""
    body = photo(number)
    name = digest(body)
    response = await api.http.put(f"/api/v1/attachments/{name}", content=body, headers=api.as_(who).bearer())
    assert response.status_code in {200, 201}, response.text
    return name


async def begin(api: Api, world: World, site: UUID | None = None) -> str:
    """A self-inspection is begun; gives its id."""
    body = {"site_id": str(site or world.site.id), "business_type": FOOD}
    return accepted(await api.as_(world.enterprise_user).post("/api/v1/self-inspections", body))["id"]


async def read(api: Api, who: Principal, path: str, **query: object) -> dict[str, Any]:
    """What `who` reads there."""
    response = await api.as_(who).get(f"/api/v1/{path}", **query)
    assert response.status_code == 200, response.text
    return response.json()


async def answer_all(
    api: Api, world: World, inspection: str, problems: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Every item: no problem, but for those whose code stands in `problems`."""
    actor = api.as_(world.enterprise_user)
    for line in (await read(api, world.enterprise_user, f"self-inspections/{inspection}"))["items"]:
        fields = (problems or {}).get(line["code"])
        body = {"value": "no_problem"} if fields is None else {"value": "problem", **fields}
        accepted(await actor.put(f"/api/v1/self-inspections/{inspection}/answers/{line['item_id']}", body))


async def submit(api: Api, world: World, inspection: str) -> dict[str, Any]:
    """提交自查."""
    return accepted(await api.as_(world.enterprise_user).post(f"/api/v1/self-inspections/{inspection}/submission"))


async def inspect_self(
    api: Api, world: World, problems: Mapping[str, Mapping[str, Any]] | None = None, site: UUID | None = None
) -> dict[str, Any]:
    """A whole self-inspection; gives what its submission answered."""
    inspection = await begin(api, world, site)
    await answer_all(api, world, inspection, problems)
    return await submit(api, world, inspection)


async def report_hazard(api: Api, world: World, **fields: Any) -> dict[str, Any]:
    """登记隐患 at the main site."""
    body: dict[str, Any] = {
        "site_id": str(world.site.id),
        "title": "灭火器压力不足",
        "severity": Severity.GENERAL.value,
        **fields,
    }
    return accepted(await api.as_(world.enterprise_user).post("/api/v1/hazards", body))


async def messages(api: Api) -> list[tuple[str, str, str, Any]]:
    """Template, channel, recipient and whom, oldest first."""
    found = await rows(api, "message")
    told = [(row["template"], row["channel"], row["recipient"], row["recipient_id"]) for row in found]
    return [each for each in told if each[0].startswith(("hazard", "self"))]
