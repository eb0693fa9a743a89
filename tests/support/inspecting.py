"""A whole inspection over HTTP: its list, photos, answers, record, signatures, and its end."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx
import msgspec
from PIL import Image

from api.wiring import Parts
from domain.checklist import operations as checklists
from domain.checklist.model import (
    ChecklistState,
    Editor,
    Grade,
    ItemContent,
    ItemMode,
    LegalBasis,
    NewChecklist,
    Severity,
)
from domain.document.template_operations import load_builtin_templates
from domain.identity.model import Principal
from domain.shared.events import Event, Operator
from domain.shared.transaction import Outcome, Transaction
from tests.support.client import Api, accepted
from tests.support.factories import INSTALLATION, NOW, World
from tests.support.visits import acknowledgement, check_in_to

REVIEWER = Operator(id=UUID(int=2), name="审核人", post="法制审核")
LEFT_AT = NOW + timedelta(hours=2)
_ALL = [Grade.A, Grade.B, Grade.C, Grade.D]


def _item(code: str, area: str, content: str, **changes: Any) -> ItemContent:
    item = ItemContent(
        code=code,
        area=area,
        matter=f"{area}检查",
        content=content,
        method="实地查验",
        mode=ItemMode.DAILY,
        severity=Severity.GENERAL,
        grades=_ALL,
        is_mandatory=True,
        legal_basis=[LegalBasis(law="中华人民共和国食品安全法", article="第三十三条")],
    )
    return msgspec.structs.replace(item, **changes)


ITEMS = (
    _item("T01", "许可管理", "食品经营许可证在有效期内并公示。"),
    _item("T02", "许可管理", "经营项目与许可范围一致。", penalty_if_overdue=True),
    _item("T03", "环境卫生", "后厨地面无积水、油污。", is_mandatory=False, severity=Severity.MINOR),
    _item("T04", "环境卫生", "垃圾桶加盖。", is_mandatory=False, severity=Severity.MINOR),
    _item("T05", "环境卫生", "灭蝇灯正常使用。", is_mandatory=False, severity=Severity.MINOR),
    _item("T06", "原料控制", "进货查验记录齐全。", severity=Severity.SEVERE),
    _item("T07", "燃气安全", "安装可燃气体报警装置。", department_code="YJ01"),
    _item("T08", "燃气安全", "燃气软管未老化。", department_code="YJ01"),
)
"""Eight rows: one 检查领域 without mandatory items, one of the second department."""


async def prepare_papers(parts: Parts) -> None:
    """The built-in templates, reviewed and in use."""
    await parts.work.run(INSTALLATION, lambda tx: load_builtin_templates(tx, INSTALLATION, REVIEWER))


async def prepare_list(parts: Parts, world: World, items: Sequence[ItemContent] = ITEMS) -> UUID:
    """A published, enabled checklist of the market department; gives its version."""
    editor = Editor(name="莫主任", department_id=world.market.id)

    async def make(tx: Transaction) -> Outcome[UUID]:
        order = NewChecklist(code="CS-01", name="餐饮服务检查单", business_type="餐饮服务")
        created = await checklists.create_checklist(tx, editor, order)
        of = created.answer.id
        replaced = await checklists.replace_items(tx, editor, of, list(items))
        published = await checklists.publish_checklist(tx, editor, of)
        enabled = await checklists.set_state(tx, editor, of, ChecklistState.ENABLED)
        events: tuple[Event, ...] = (*created.events, *replaced.events, *published.events, *enabled.events)
        return Outcome(answer=published.answer.version_id, events=events)

    return await parts.work.run(INSTALLATION, make)


async def prepare_inspection(api: Api, world: World, *, is_joint: bool = False, **changes: object) -> UUID:
    """Templates in use, a list published, and an inspection dispatched with its items drawn."""
    now = api.clock.now
    api.clock.now = NOW - timedelta(days=2)
    await prepare_papers(api.parts)
    version = await prepare_list(api.parts, world)
    teams = world.teams if is_joint else world.teams[:1]
    inspection = await dispatch_with(api, world, version, teams, **changes)
    api.clock.now = now
    return inspection


async def dispatch_with(api: Api, world: World, version: UUID, teams: Sequence[Any], **changes: object) -> UUID:
    """An inspection at the world's site whose items are drawn out of `version`."""
    from tests.support.factories import dispatch

    return await dispatch(api.parts, world.site, teams, checklist_version_id=version, **changes)


@cache
def photo(number: int = 1) -> bytes:
    """A small JPEG, another one for each number."""
    picture = Image.new("RGB", (64, 48), (number * 37 % 256, number * 91 % 256, 90))
    out = BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def digest(body: bytes) -> str:
    """By which a file is known."""
    return hashlib.sha256(body).hexdigest()


async def upload(api: Api, who: Principal, inspection: UUID, body: bytes | None = None) -> str:
    """Hand in a photo; gives its digest."""
    content = photo() if body is None else body
    name = digest(content)
    answer = await api.http.put(
        f"/api/v1/evidence/{name}",
        params={"inspection_id": str(inspection)},
        content=content,
        headers=api.as_(who).bearer(),
    )
    assert answer.status_code in {200, 201}, answer.text
    return name


def path(inspection: UUID, *rest: object) -> str:
    """Below an inspection."""
    return "/".join([f"/api/v1/inspections/{inspection}", *map(str, rest)])


async def arrive(api: Api, world: World, inspection: UUID, who: Principal | None = None, **changes: object) -> None:
    """Check in and show the certificates."""
    accepted(await check_in_to(api, world, inspection, who, **changes))
    actor = api.as_(who or world.inspector)
    accepted(await actor.post(path(inspection, "identifications"), acknowledgement()))


async def arrive_second(api: Api, world: World, inspection: UUID, **changes: object) -> None:
    """The second department comes too."""
    partner = {"second_officer_id": world.emergency_partner.id}
    await arrive(api, world, inspection, world.emergency_inspector, **{**partner, **changes})


async def lines(api: Api, who: Principal, inspection: UUID) -> list[dict[str, Any]]:
    """The list as `who` reads it."""
    response = await api.as_(who).get(path(inspection, "checklist"))
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def answer(
    api: Api, who: Principal, inspection: UUID, line: Mapping[str, Any], value: str = "no_problem", **fields: Any
) -> httpx.Response:
    """Answer one line, over the version that it shows."""
    known = line.get("answer")
    return await api.as_(who).put(
        path(inspection, "answers", line["item_id"]),
        {"value": value, **fields},
        if_match=None if known is None else known["version"],
    )


async def answer_all(
    api: Api,
    who: Principal,
    inspection: UUID,
    department: UUID,
    problems: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Every line of the department: no problem, but for those whose code stands in `problems`."""
    found = problems or {}
    for line in await lines(api, who, inspection):
        if line["department_id"] == str(department):
            fields = found.get(line["code"])
            if fields is None:
                accepted(await answer(api, who, inspection, line))
            else:
                accepted(await answer(api, who, inspection, line, "problem", **fields))


async def record_facts(api: Api, who: Principal, inspection: UUID, **fields: Any) -> str:
    """What is added by hand; gives the digest of the record."""
    facts = {
        "person": {"name": "韦秀英", "post": "店长", "phone": "13877100001"},
        "body_camera": "ZF20260805-01",
        "statement_and_defence": "无",
        **fields,
    }
    return accepted(await api.as_(who).put(path(inspection, "record"), facts))["record_digest"]


async def record_digest(api: Api, who: Principal, inspection: UUID) -> str:
    """The digest of the record as it stands."""
    response = await api.as_(who).get(path(inspection, "record"))
    assert response.status_code == 200, response.text
    assert digest(response.content) == response.headers["yima-record-digest"]
    return response.headers["yima-record-digest"]


def party_signature(record: str, image: str, **changes: Any) -> dict[str, Any]:
    """检查签字 of the inspected party on the screen."""
    return {
        "record_digest": record,
        "means": "screen",
        "person": {"name": "韦秀英", "capacity": "店长", "is_adult": True},
        "opinion": "以上笔录已阅，与实际一致。",
        "images": [image],
        **changes,
    }


async def sign_as(api: Api, who: Principal, inspection: UUID, role: str, body: Mapping[str, Any]) -> httpx.Response:
    """Sign in one role."""
    return await api.as_(who).put(path(inspection, "signatures", role), body)


async def sign_all(
    api: Api,
    who: Principal,
    inspection: UUID,
    officers: Sequence[UUID],
    party: Mapping[str, Any] | None = None,
) -> str:
    """Everybody signs; gives the digest that they signed."""
    record = await record_digest(api, who, inspection)
    image = await upload(api, who, inspection, photo(99))
    signed = party_signature(record, image) | dict(party or {})
    accepted(await sign_as(api, who, inspection, "inspected_party", signed))
    for officer in officers:
        body = {"record_digest": record, "images": [image], "officer_id": officer}
        accepted(await sign_as(api, who, inspection, "officer", body))
    last = await sign_as(api, who, inspection, "recorder", {"record_digest": record, "images": [image]})
    assert accepted(last)["is_complete"] or party is not None
    return record


async def leave(api: Api, who: Principal, inspection: UUID, at: datetime = LEFT_AT) -> None:
    """Depart; the clock goes on."""
    api.clock.now = max(api.clock.now, at)
    accepted(await api.as_(who).post(path(inspection, "departures")))


async def finish(api: Api, who: Principal, inspection: UUID, outcome: str, **fields: Any) -> httpx.Response:
    """完成检查."""
    return await api.as_(who).post(path(inspection, "completion"), {"outcome": outcome, **fields})
