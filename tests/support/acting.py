"""Acts of those who act for an enterprise: claim, invite, log in by 智桂通."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from api.imports.commands import import_enterprises
from domain.identity.model import Principal
from tests.support.client import Api, accepted
from tests.support.factories import World
from tests.support.visits import rows
from tests.support.zhiguitong import LU, Identity, Person, legal_person

LOG_IN = "/api/v1/sessions/zhiguitong"
CLAIMS = "/api/v1/enterprise-claims"
MEMBERS = "/api/v1/enterprise-members"
WEI = "450103190001010010"
"""The number of 韦大山, whom the register names."""


async def log_in(api: Api, token: str, enterprise_id: UUID | None = None) -> httpx.Response:
    """Ask for a session by a token."""
    body: dict[str, Any] = {"token": token}
    if enterprise_id is not None:
        body["enterprise_id"] = enterprise_id
    return await api.anyone.post(LOG_IN, body, key="")


async def entered(api: Api, token: str, enterprise_id: UUID | None = None) -> dict[str, Any]:
    """The answer of a log-in that opened a session."""
    response = await log_in(api, token, enterprise_id)
    assert response.status_code == 201, response.text
    assert response.json()["session"] is not None
    return response.json()


async def claim(api: Api, token: str, uscc: str) -> httpx.Response:
    """企业认领."""
    return await api.anyone.post(CLAIMS, {"token": token, "uscc": uscc}, key="")


async def claimed(api: Api, world: World, service: Identity, **changes: Any) -> dict[str, Any]:
    """The enterprise, claimed by its representative."""
    token = service.know("legal", legal_person(world.enterprise.uscc, **changes))
    response = await claim(api, token, world.enterprise.uscc)
    assert response.status_code == 201, response.text
    return response.json()


async def with_token(api: Api, answer: dict[str, Any], path: str, body: object = None) -> httpx.Response:
    """A request under the session's own access token: a read, or with `body` a write."""
    headers = {"Authorization": f"Bearer {answer['session']['access_token']}"}
    if body is None:
        return await api.http.get(path, headers=headers)
    return await api.http.post(path, json=body, headers={**headers, "Idempotency-Key": str(uuid4())})


async def refresh(api: Api, answer: dict[str, Any]) -> httpx.Response:
    """Ask for the session's next tokens."""
    body = {"refresh_token": answer["session"]["refresh_token"]}
    return await api.anyone.post("/api/v1/sessions/refresh", body, key="")


def invitation(of: Person = LU, post: str = "clerk", **changes: Any) -> dict[str, Any]:
    """邀请企业人员."""
    return {"name": of.name, "phone": of.mobile, "post": post, **changes}


async def invite(api: Api, world: World, of: Person = LU, post: str = "clerk", **changes: Any) -> str:
    """Somebody is invited; gives the membership's id."""
    answer = await api.as_(world.enterprise_user).post(MEMBERS, invitation(of, post, **changes))
    return accepted(answer)["id"]


async def joined(
    api: Api, world: World, service: Identity, of: Person = LU, post: str = "clerk", **changes: Any
) -> Any:
    """Somebody was invited and has logged in."""
    await invite(api, world, of, post, **changes)
    return await entered(api, service.know(of.code, of.told()))


async def members(api: Api, who: Principal, **query: Any) -> list[dict[str, Any]]:
    """企业人员 as `who` lists them."""
    response = await api.as_(who).get(MEMBERS, None, **query) if query else await api.as_(who).get(MEMBERS)
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def actions(api: Api) -> list[str]:
    """What memberships left in the trace, in order."""
    return [row["action"] for row in await rows(api, "trace") if row["subject"] == "membership"]


async def change_representative(api: Api, world: World, tmp_path: Path, name: str) -> None:
    """The register names another 法定代表人."""
    file = tmp_path / f"{name}.csv"
    heads = "监管对象名称,统一社会信用代码,监管对象类型,法定代表人/负责人/投资人,区划编码"
    file.write_text(f"{heads}\n{world.enterprise.name},{world.enterprise.uscc},企业,{name},450103\n", encoding="utf-8")
    report = await import_enterprises(api.parts, file)
    assert (report.good, report.bad) == (1, 0), report
