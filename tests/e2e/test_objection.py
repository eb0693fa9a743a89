"""结果异议 and the preview over HTTP: what the enterprise sees before, objects to, and who decides."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from domain.identity.model import EnterprisePost, Principal
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, World
from tests.support.inspecting import arrive, digest, leave, photo
from tests.support.publishing import complete, publish
from tests.support.visits import nothing_changes, rows

REASONS = "检查当日该冷柜已停用待修，不在使用中，请更正。"
DECIDED = {"decision": "rejected", "reason": "经核对现场照片，检查时冷柜在使用。"}
UPHELD = {"decision": "upheld", "reason": "经核查，该冷柜当日确已停用。"}


async def file(api: Api, world: World, publication: UUID, **changes: Any) -> httpx.Response:
    """提出异议 by the enterprise's manager."""
    body = {"reasons": REASONS, **changes}
    return await api.as_(world.enterprise_user).post(f"/api/v1/publications/{publication}/objections", body)


async def decide(api: Api, who: Principal, objection: str, **changes: Any) -> httpx.Response:
    """异议处理."""
    return await api.as_(who).post(f"/api/v1/objections/{objection}/decision", {**DECIDED, **changes})


async def read(api: Api, who: Principal, path: str) -> dict[str, Any]:
    """What `who` is answered."""
    response = await api.as_(who).get(f"/api/v1/{path}")
    assert response.status_code == 200, response.text
    return response.json()


async def preview(api: Api, world: World, publication: UUID) -> dict[str, Any]:
    """公示预览 of the enterprise."""
    return await read(api, world.enterprise_user, f"publications/{publication}/preview")


async def results(api: Api, world: World) -> list[dict[str, Any]]:
    """What anybody reads behind the code, right now."""
    api.forget()
    return (await api.anyone.get(f"/api/v1/codes/{world.code}")).json()["results"]


# Preview


async def test_the_preview_is_byte_for_byte_what_the_public_reads(api: Api, world: World) -> None:
    publication = await complete(api, world)
    reply = {"text": "已经整改完毕，欢迎监督。"}
    accepted(await api.as_(world.enterprise_user).post(f"/api/v1/publications/{publication}/replies", reply))
    before = await api.as_(world.enterprise_user).get(f"/api/v1/publications/{publication}/preview")
    shown = before.json()
    assert shown["is_final"] is False
    assert shown["public_from"] == "2026-08-12T16:00:00Z"
    assert shown["ends_on"] == "2029-08-13"
    assert shown["result"]["reply"]["text"] == reply["text"]
    assert any("执法人员" in each for each in shown["never_public"])

    api.clock.now = msgspec.convert(shown["public_from"], type=type(NOW)) + timedelta(seconds=3)
    assert await publish(api) == 1
    api.forget()
    public = await api.anyone.get(f"/api/v1/codes/{world.code}")
    told = msgspec.json.decode(before.content, type=dict[str, msgspec.Raw])["result"]
    assert bytes(told) in public.content
    for who in (world.manager, world.lead):
        after = await read(api, who, f"publications/{publication}/preview")
        assert (after["is_final"], after["result"]) == (True, shown["result"])


async def test_the_preview_of_a_contested_result_says_so(api: Api, world: World) -> None:
    publication = await complete(api, world)
    accepted(await file(api, world, publication))
    shown = await preview(api, world, publication)
    assert shown["result"]["is_contested"] is True
    assert shown["public_from"] == "2026-09-01T16:00:00Z"

    api.clock.now = msgspec.convert(shown["public_from"], type=type(NOW))
    assert await publish(api) == 1
    assert await results(api, world) == [shown["result"]]


async def test_what_is_held_back_for_good_reason_has_no_day_and_no_result(api: Api, world: World) -> None:
    publication = await complete(api, world)
    held = {"reason": "trade_secret", "note": "涉及企业配方"}
    accepted(await api.as_(world.manager).post(f"/api/v1/publications/{publication}/withholding", held))
    shown = await preview(api, world, publication)
    assert (shown["state"], shown["result"], shown["public_from"], shown["ends_on"]) == ("withheld", None, None, None)


async def test_nobody_else_previews(api: Api, world: World) -> None:
    publication = await complete(api, world)
    path = f"/api/v1/publications/{publication}/preview"
    for who in (world.foreign_user, world.foreign_lead):
        refused(await api.as_(who).get(path), 404, "not-found")
    refused(await api.as_(world.inspector).get(path), 403, "forbidden")
    assert (await api.anyone.get(path)).status_code == 401


# Filing


async def test_an_objection_holds_back_what_is_not_public(api: Api, world: World) -> None:
    publication = await complete(api, world)
    filed = accepted(await file(api, world, publication))
    assert (filed["state"], filed["publication_state"], filed["is_contested"]) == ("open", "withheld", False)
    assert filed["due_at"] == "2026-09-01T16:00:00Z"

    seen = await read(api, world.enterprise_user, f"objections/{filed['id']}")
    assert (seen["number"], seen["reasons"], seen["decision"]) == ("SJ01-2026-YY-000001", REASONS, None)
    for who in (world.manager, world.lead, world.enterprise_user, world.unassigned_inspector):
        (line,) = (await read(api, who, "objections"))["items"]
        assert line["id"] == filed["id"]
    api.clock.advance(timedelta(days=14))
    assert await publish(api) == 0
    refused(await file(api, world, publication), 409, "objection-open")


async def test_an_objection_marks_what_is_public(api: Api, world: World) -> None:
    publication = await complete(api, world, days=0)
    filed = accepted(await file(api, world, publication))
    assert (filed["publication_state"], filed["is_contested"]) == ("published", True)
    (result,) = await results(api, world)
    assert result["is_contested"] is True


async def test_files_come_with_an_objection_and_are_shown_to_those_who_may_read_it(api: Api, world: World) -> None:
    publication = await complete(api, world)
    content = photo(71)
    missing = await file(api, world, publication, attachments=[digest(content)])
    refused(missing, 409, "attachment-missing", "attachments")
    handed = await api.http.put(
        f"/api/v1/attachments/{digest(content)}", content=content, headers=api.as_(world.enterprise_user).bearer()
    )
    assert handed.status_code == 201, handed.text
    filed = accepted(await file(api, world, publication, attachments=[digest(content)]))

    seen = await read(api, world.manager, f"objections/{filed['id']}")
    assert [each["digest"] for each in seen["attachments"]] == [digest(content)]
    path = f"/api/v1/objections/{filed['id']}/attachments/{digest(content)}"
    shown = await api.as_(world.manager).get(path)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    refused(await api.as_(world.foreign_user).get(path), 404, "not-found")


async def test_what_is_no_objection_is_refused_and_changes_nothing(api: Api, world: World) -> None:
    publication = await complete(api, world)
    clerk = msgspec.structs.replace(world.enterprise_user, enterprise_post=EnterprisePost.CLERK)
    path = f"/api/v1/publications/{publication}/objections"
    async with nothing_changes(api):
        refused(await file(api, world, publication, reasons="不服"), 422, "invalid-field", "reasons")
        refused(await api.as_(clerk).post(path, {"reasons": REASONS}), 403, "forbidden")
        refused(await api.as_(world.foreign_user).post(path, {"reasons": REASONS}), 404, "not-found")
        api.clock.now += timedelta(days=40)
        refused(await file(api, world, publication), 409, "objection-term-over")


async def test_another_lawful_reason_outlives_the_objection(api: Api, world: World) -> None:
    publication = await complete(api, world)
    held = {"reason": "privacy", "note": "含个人信息"}
    accepted(await api.as_(world.manager).post(f"/api/v1/publications/{publication}/withholding", held))
    filed = accepted(await file(api, world, publication))
    release = f"/api/v1/publications/{publication}/release"
    refused(await api.as_(world.manager).post(release), 409, "objection-decides")

    accepted(await decide(api, world.manager, filed["id"]))
    assert (await rows(api, "publication"))[0]["withheld_reason"] == "privacy"
    assert accepted(await api.as_(world.manager).post(release))["state"] == "pending"


# Deciding


async def test_a_rejected_objection_frees_the_result(api: Api, world: World) -> None:
    publication = await complete(api, world)
    filed = accepted(await file(api, world, publication))
    decided = accepted(await decide(api, world.manager, filed["id"]))
    assert (decided["state"], decided["publication_state"]) == ("rejected", "pending")
    seen = await read(api, world.enterprise_user, f"objections/{filed['id']}")
    assert seen["decision"] == DECIDED["reason"]
    refused(await decide(api, world.manager, filed["id"]), 409, "objection-closed")
    api.clock.advance(timedelta(days=9))
    assert await publish(api) == 1
    again = accepted(await file(api, world, publication))
    assert again["id"] != filed["id"]


@pytest.mark.parametrize("decision", ["upheld", "partly_upheld"])
async def test_an_upheld_objection_keeps_the_result_from_the_public(api: Api, world: World, decision: str) -> None:
    publication = await complete(api, world)
    filed = accepted(await file(api, world, publication))
    decided = accepted(await decide(api, world.unassigned_inspector, filed["id"], **{**UPHELD, "decision": decision}))
    assert (decided["state"], decided["publication_state"]) == (decision, "withheld")
    refused(await file(api, world, publication), 409, "objection-closed")
    refused(await api.as_(world.manager).post(f"/api/v1/publications/{publication}/release"), 409, "objection-decides")
    api.clock.advance(timedelta(days=60))
    assert await publish(api) == 0
    assert await results(api, world) == []


async def test_an_upheld_objection_withdraws_what_was_public(api: Api, world: World) -> None:
    publication = await complete(api, world, days=0)
    filed = accepted(await file(api, world, publication))
    decided = accepted(await decide(api, world.manager, filed["id"], **UPHELD))
    assert decided["publication_state"] == "withdrawn"
    (tombstone,) = await results(api, world)
    assert (tombstone["withdrawn_on"], tombstone["outcome"]) == ("2026-08-05", None)


async def test_the_enterprise_withdraws_its_objection(api: Api, world: World) -> None:
    publication = await complete(api, world)
    filed = accepted(await file(api, world, publication))
    path = f"/api/v1/objections/{filed['id']}/withdrawal"
    refused(await api.as_(world.foreign_user).post(path), 404, "not-found")
    withdrawn = accepted(await api.as_(world.enterprise_user).post(path))
    assert (withdrawn["state"], withdrawn["publication_state"]) == ("withdrawn", "pending")
    refused(await api.as_(world.enterprise_user).post(path), 409, "objection-closed")


async def test_nobody_who_was_there_decides(api: Api, world: World) -> None:
    await arrive(api, world, world.inspection)
    await leave(api, world.inspector, world.inspection)
    publication = await complete(api, world)
    filed = accepted(await file(api, world, publication))
    async with nothing_changes(api):
        for who in (world.inspector, world.partner_inspector, world.expired_inspector):
            refused(await decide(api, who, filed["id"]), 403, "decider-was-there")
        refused(await decide(api, world.emergency_manager, filed["id"]), 403, "forbidden")
        refused(await decide(api, world.foreign_lead, filed["id"]), 404, "not-found")
        refused(await decide(api, world.manager, filed["id"], reason="不"), 422, "invalid-field", "reason")
    accepted(await decide(api, world.unassigned_inspector, filed["id"]))


async def test_who_was_replaced_or_completed_it_does_not_decide_either(api: Api, world: World) -> None:
    body = {
        "former_officer_id": world.partner.id,
        "officer_id": world.unassigned_officer.id,
        "reason": "原执法人员请假。",
    }
    accepted(await api.as_(world.manager).post(f"/api/v1/inspections/{world.inspection}/replacements", body))
    publication = await complete(api, world)
    filed = accepted(await file(api, world, publication))
    for who in (world.partner_inspector, world.unassigned_inspector):
        refused(await decide(api, who, filed["id"]), 403, "decider-was-there")
    # Replacing an officer from a desk makes the manager none who was there.
    accepted(await decide(api, world.manager, filed["id"]))


async def test_whoever_the_trace_names_was_there(api: Api, world: World) -> None:
    publication = await complete(api, world)
    filed = accepted(await file(api, world, publication))
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "INSERT INTO trace (id, business, power, duty, action, at, operator_id, operator_name, post, subject, "
            "subject_id, request_id, key_version, mac) SELECT gen_random_uuid(), business, power, duty, "
            "'inspection.completed', at, $1, operator_name, post, 'inspection', $2, request_id, key_version, mac "
            "FROM trace LIMIT 1",
            world.manager.account_id,
            world.inspection,
        )
    refused(await decide(api, world.manager, filed["id"]), 403, "decider-was-there")


# Marks


async def test_reasons_and_decisions_stay_out_of_rows_and_trace(api: Api, world: World) -> None:
    publication = await complete(api, world)
    filed = accepted(await file(api, world, publication))
    accepted(await decide(api, world.manager, filed["id"]))
    for table in ("objection", "trace", "message", "idempotency"):
        kept = str(await rows(api, table))
        assert "冷柜已停用" not in kept
    told = [row for row in await rows(api, "trace") if row["subject"] == "objection"]
    assert [row["action"] for row in told] == ["objection.filed", "objection.decided"]
    assert DECIDED["reason"] not in str(told)
    assert json.loads(told[0]["after"])["reasons_digest"]
    messages = {row["template"] for row in await rows(api, "message")}
    assert messages == {"objection_filed", "objection_decided"}


async def test_two_filed_at_once_make_one(api: Api, world: World) -> None:
    publication = await complete(api, world)
    answers = await asyncio.gather(*[file(api, world, publication) for _ in range(3)])
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    assert len(await rows(api, "objection")) == 1
