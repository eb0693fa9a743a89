"""信息反馈 over HTTP (PUB-08): given by a citizen or an enterprise, answered by the department, read by its code."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.shared.sql import borrow
from tests.support.citizens import anonymous
from tests.support.client import Api, accepted, refused
from tests.support.factories import World
from tests.support.inspecting import prepare_list
from tests.support.visits import rows

PUBLIC = "/api/v1/public/feedback"
DESK = "/api/v1/feedback"
A_BROWSER = {"Accept": "text/html"}


async def a_checklist(api: Api, world: World) -> UUID:
    """An enabled checklist of the market department."""
    await prepare_list(api.parts, world)
    async with borrow(api.parts.pool) as connection:
        return await connection.fetchval("SELECT id FROM checklist")  # type: ignore[attr-defined]


def an_order(of: UUID, **changes: object) -> dict[str, Any]:
    """A suggestion on a checklist."""
    order = {"kind": "suggestion", "about": "checklist", "about_id": str(of), "text": "第三项可以更明确"}
    return {**order, **changes}


async def test_a_citizen_gives_and_reads_the_answer_by_the_code(api: Api, world: World) -> None:
    checklist = await a_checklist(api, world)
    citizen = await anonymous(api)
    key = str(uuid4())

    receipt = accepted(await citizen.post(PUBLIC, an_order(checklist, item_code="T03"), key=key))

    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{12}", receipt["query_code"])
    again = await citizen.post(PUBLIC, an_order(checklist, item_code="T03"), key=key)
    assert accepted(again) == receipt
    assert again.headers["idempotency-replayed"] == "true"
    status = (await api.http.post(f"{PUBLIC}/follow-up", json={"code": receipt["query_code"].lower()})).json()
    assert (status["state"], status["state_label"], status["answer"]) == ("open", "待答复", None)

    (line,) = (await api.as_(world.manager).get(DESK)).json()["items"]
    assert (line["about_name"], line["item_code"], line["enterprise_name"]) == ("餐饮服务检查单", "T03", None)
    detail = (await api.as_(world.lead).get(f"{DESK}/{line['id']}")).json()
    assert detail["text"] == "第三项可以更明确"
    accepted(await api.as_(world.manager).post(f"{DESK}/{line['id']}/answer", {"text": "下一版改写，谢谢。"}))
    refused(
        await api.as_(world.manager).post(f"{DESK}/{line['id']}/answer", {"text": "再答一次"}),
        409,
        "feedback-already-answered",
    )
    spaced = "-".join(receipt["query_code"][at : at + 4] for at in (0, 4, 8))
    status = (await api.http.post(f"{PUBLIC}/follow-up", json={"code": spaced})).json()
    assert (status["state"], status["answer"]) == ("answered", "下一版改写，谢谢。")
    assert "text" not in status


async def test_an_enterprise_gives_under_its_name(api: Api, world: World) -> None:
    checklist = await a_checklist(api, world)
    receipt = accepted(await api.as_(world.enterprise_user).post(DESK, an_order(checklist, kind="question")))
    assert receipt["query_code"]
    (line,) = (await api.as_(world.manager).get(DESK)).json()["items"]
    assert (line["enterprise_name"], line["kind"]) == (world.enterprise.name, "question")


async def test_what_was_written_and_its_code_are_nowhere_in_clear(api: Api, world: World) -> None:
    checklist = await a_checklist(api, world)
    words = "我是韦秀英，电话13877155555"
    receipt = accepted(await (await anonymous(api)).post(PUBLIC, an_order(checklist, text=words)))
    for table in ("feedback", "trace", "idempotency", "message"):
        for row in await rows(api, table):
            for value in row.values():
                for secret in ("韦秀英", "13877155555", receipt["query_code"]):
                    assert secret not in str(value), table
                    if isinstance(value, bytes):
                        assert secret.encode() not in value, table


async def test_another_department_sees_none_of_it(api: Api, world: World) -> None:
    checklist = await a_checklist(api, world)
    given = accepted(await (await anonymous(api)).post(PUBLIC, an_order(checklist)))
    for who in (world.emergency_manager,):
        assert (await api.as_(who).get(DESK)).json()["items"] == []
        refused(await api.as_(who).get(f"{DESK}/{given['id']}"), 404, "not-found")
        refused(await api.as_(who).post(f"{DESK}/{given['id']}/answer", {"text": "不归我管"}), 404, "not-found")
    refused(await api.as_(world.foreign_lead).get(f"{DESK}/{given['id']}"), 403, "forbidden")


async def test_without_a_pass_nothing_is_given(api: Api, world: World) -> None:
    checklist = await a_checklist(api, world)
    refused(await api.anyone.post(PUBLIC, an_order(checklist)), 401, "pass-required")


@pytest.mark.parametrize(
    ("changes", "status", "kind", "field"),
    [
        ({"about_id": str(UUID(int=1))}, 404, "not-found", "about_id"),
        ({"about": "manual"}, 404, "not-found", "about_id"),
        ({"item_code": "X99"}, 422, "invalid-field", "item_code"),
        ({"text": " "}, 422, "invalid-field", "text"),
        ({"text": "长" * 1001}, 422, "invalid-field", "text"),
    ],
)
async def test_what_cannot_be_given_is_refused(
    api: Api, world: World, changes: dict[str, object], status: int, kind: str, field: str
) -> None:
    checklist = await a_checklist(api, world)
    refused(await (await anonymous(api)).post(PUBLIC, an_order(checklist, **changes)), status, kind, field)


@pytest.mark.parametrize("code", ["", "ABCD", "0" * 12, "UUUUUUUUUUUU", "查询码"])
async def test_a_code_of_nobody_leads_nowhere(api: Api, world: World, code: str) -> None:
    assert world
    refused(await api.http.post(f"{PUBLIC}/follow-up", json={"code": code}), 404, "not-found", "code")


async def test_the_forms_need_no_script_and_lose_nothing_typed(api: Api, world: World) -> None:
    checklist = await a_checklist(api, world)
    form = (await api.anyone.get("/feedback/new", A_BROWSER, checklist=checklist, item="T03")).text
    assert "餐饮服务检查单" in form
    assert "<script" not in form
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))

    wrong = await api.http.post("/feedback", data={**fields, "kind": "question", "text": "？"})
    assert wrong.status_code == 422
    assert 'href="#text"' in wrong.text
    assert ">？</textarea>" in wrong.text

    sent = await api.http.post("/feedback", data={**fields, "kind": "question", "text": "这一项怎么理解？"})
    assert sent.status_code == 200, sent.text
    (code,) = re.findall(r'class="code">([0-9A-Z-]+)<', sent.text)
    again = await api.http.post("/feedback", data={**fields, "kind": "question", "text": "这一项怎么理解？"})
    assert code in again.text
    assert len((await api.as_(world.manager).get(DESK)).json()["items"]) == 1
    told = await api.http.post("/feedback/follow-up", data={"code": code})
    assert "待答复" in told.text
    nobody = await api.http.post("/feedback/follow-up", data={"code": "0000-0000-0000"})
    assert nobody.status_code == 404
    assert "没有该查询码" in nobody.text


@pytest.mark.parametrize("query", [{}, {"manual": str(UUID(int=1))}])
async def test_a_form_on_nothing_says_so_kindly(api: Api, world: World, query: dict[str, str]) -> None:
    assert world
    response = await api.anyone.get("/feedback/new", A_BROWSER, **query)
    assert response.status_code == 404
    assert "无法在此提意见" in response.text
    empty = await api.http.post("/feedback", data={"about": "nonsense"})
    assert empty.status_code == 422
