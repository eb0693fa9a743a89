"""诉求上报 over HTTP: from the enterprise to the department, back for more, answered, and ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from domain.identity.model import EnterprisePost, Principal
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import World
from tests.support.inspecting import digest, photo
from tests.support.visits import nothing_changes, rows

PHONE = "13877123456"
PATH = "/api/v1/enterprise-requests"


def an_order(world: World, **changes: Any) -> dict[str, Any]:
    """诉求 of the world's enterprise; a change to None leaves a field out."""
    order = {
        "site_id": world.site.id,
        "title": "请说明油烟净化设备要求",
        "submitter": "韦秀英",
        "contact": PHONE,
        "category": "consultation",
        "urgency": "urgent",
        "description": "店内准备更换油烟净化设备，请问有哪些要求？",
        **changes,
    }
    return {name: value for name, value in order.items() if value is not None}


async def submit(api: Api, world: World, who: Principal | None = None, **changes: Any) -> httpx.Response:
    """Submitted by the enterprise, a second after whatever came before."""
    api.clock.advance(timedelta(seconds=1))
    return await api.as_(who or world.enterprise_user).post(PATH, an_order(world, **changes))


async def step(api: Api, who: Principal, request: str, name: str, **fields: Any) -> httpx.Response:
    """One step of either side, a second later."""
    api.clock.advance(timedelta(seconds=1))
    return await api.as_(who).post(f"{PATH}/{request}/steps", {"step": name, **fields})


async def read(api: Api, who: Principal, path: str = "", **query: object) -> dict[str, Any]:
    """What `who` is answered."""
    response = await api.as_(who).get(f"{PATH}{path}", **query)
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_request_goes_to_the_regulator_and_comes_back_answered(api: Api, world: World) -> None:
    made = accepted(await submit(api, world))
    assert (made["state"], made["department_id"], made["due_on"]) == ("submitted", str(world.market.id), "2026-08-14")
    (line,) = (await read(api, world.manager))["items"]
    assert (line["id"], line["number"], line["is_overdue"]) == (made["id"], "SJ01-2026-SQ-000001", False)
    detail = await read(api, world.manager, f"/{made['id']}")
    assert (detail["submitter"], detail["contact"]) == ("韦秀英", PHONE)

    accepted(await step(api, world.manager, made["id"], "accept"))
    answered = accepted(await step(api, world.manager, made["id"], "answer", words="应当符合排放标准，并定期清洗。"))
    assert answered["state"] == "answered"
    accepted(await step(api, world.enterprise_user, made["id"], "confirm"))

    own = await read(api, world.enterprise_user, f"/{made['id']}")
    assert own["state"] == "closed"
    assert [each["step"] for each in own["steps"]] == ["submit", "accept", "answer", "confirm"]
    assert own["steps"][2]["words"] == "应当符合排放标准，并定期清洗。"
    templates = {row["template"] for row in await rows(api, "message")}
    assert templates == {"request_submitted", "request_answered"}


async def test_one_returned_is_supplemented_with_files_and_gets_its_term_anew(api: Api, world: World) -> None:
    made = accepted(await submit(api, world))
    accepted(await step(api, world.manager, made["id"], "return", words="请补充现有设备的照片。"))
    api.clock.advance(timedelta(days=5))
    content = photo(81)
    await api.http.put(
        f"/api/v1/attachments/{digest(content)}", content=content, headers=api.as_(world.enterprise_user).bearer()
    )
    more = {"words": "照片已补充。", "attachments": [digest(content)]}
    back = accepted(await step(api, world.enterprise_user, made["id"], "supplement", **more))
    assert (back["state"], back["due_on"]) == ("submitted", "2026-08-19")

    shown = await api.as_(world.manager).get(f"{PATH}/{made['id']}/attachments/{digest(content)}")
    assert shown.status_code == 200
    refused(
        await api.as_(world.foreign_user).get(f"{PATH}/{made['id']}/attachments/{digest(content)}"), 404, "not-found"
    )


async def test_a_transfer_hands_it_over_whole(api: Api, world: World) -> None:
    made = accepted(await submit(api, world))
    words = {"words": "涉及燃气安全，由应急部门办理。", "department_id": world.emergency.id}
    moved = accepted(await step(api, world.manager, made["id"], "transfer", **words))
    assert (moved["state"], moved["department_id"]) == ("submitted", str(world.emergency.id))
    assert (await read(api, world.manager))["items"] == []
    (line,) = (await read(api, world.emergency_manager))["items"]
    assert line["id"] == made["id"]
    refused(await step(api, world.manager, made["id"], "accept"), 404, "not-found")
    accepted(await step(api, world.emergency_manager, made["id"], "accept"))
    to_itself = {**words, "department_id": world.emergency.id}
    again = await step(api, world.emergency_manager, made["id"], "transfer", **to_itself)
    refused(again, 422, "invalid-field", "department_id")


async def test_a_lead_of_the_region_reads_with_the_person_masked(api: Api, world: World) -> None:
    made = accepted(await submit(api, world, department_id=world.emergency.id))
    detail = await read(api, world.lead, f"/{made['id']}")
    assert (detail["submitter"], detail["contact"]) == ("韦**", "138****3456")
    refused(await step(api, world.lead, made["id"], "accept"), 403, "forbidden")
    refused(await api.as_(world.foreign_lead).get(f"{PATH}/{made['id']}"), 404, "not-found")


async def test_the_office_filters_its_list_and_pages_through_it(api: Api, world: World) -> None:
    made = [accepted(await submit(api, world, title=f"诉求{number}号"))["id"] for number in range(5)]
    other = accepted(await submit(api, world, category="suggestion", urgency="normal"))["id"]
    first = await read(api, world.manager, limit=4, category="consultation")
    second = await read(api, world.manager, limit=4, category="consultation", cursor=first["next_cursor"])
    assert [each["id"] for each in (*first["items"], *second["items"])] == made
    (line,) = (await read(api, world.manager, urgency="normal"))["items"]
    assert line["id"] == other
    assert (await read(api, world.manager, overdue="true"))["items"] == []
    api.clock.advance(timedelta(days=30))
    late = (await read(api, world.manager, overdue="true"))["items"]
    assert len(late) == 6
    assert all(each["is_overdue"] for each in late)
    assert (await read(api, world.manager, overdue="true", state="answered"))["items"] == []


async def test_the_enterprise_reads_its_own_the_newest_first(api: Api, world: World) -> None:
    made = [accepted(await submit(api, world, title=f"诉求{number}号"))["id"] for number in range(3)]
    first = await read(api, world.enterprise_user, "/own", limit=2)
    second = await read(api, world.enterprise_user, "/own", limit=2, cursor=first["next_cursor"])
    assert [each["id"] for each in (*first["items"], *second["items"])] == made[::-1]
    assert (await read(api, world.foreign_user, "/own"))["items"] == []
    branch = msgspec.structs.replace(world.enterprise_user, site_ids=(world.second_site.id,))
    assert (await read(api, branch, "/own"))["items"] == []
    refused(await api.as_(branch).get(f"{PATH}/{made[0]}"), 404, "not-found")
    refused(await submit(api, world, branch), 404, "not-found", "site_id")


async def test_each_side_takes_its_own_steps_and_only_where_they_lead_on(api: Api, world: World) -> None:
    made = accepted(await submit(api, world))["id"]
    async with nothing_changes(api):
        refused(await step(api, world.enterprise_user, made, "answer", words="我自己答复。"), 403, "forbidden")
        refused(await step(api, world.manager, made, "withdraw"), 403, "forbidden")
        refused(await step(api, world.manager, made, "submit"), 422, "invalid-field", "step")
        refused(await step(api, world.manager, made, "close"), 409, "request-step-not-possible", "step")
        refused(await step(api, world.manager, made, "answer"), 422, "invalid-field", "words")
        refused(await step(api, world.emergency_manager, made, "accept"), 404, "not-found")
        refused(await step(api, world.inspector, made, "accept"), 403, "forbidden")
    accepted(await step(api, world.enterprise_user, made, "withdraw"))
    refused(await step(api, world.manager, made, "accept"), 409, "request-step-not-possible", "step")


@pytest.mark.parametrize(
    ("changes", "status", "kind", "field"),
    [
        ({"contact": "12345"}, 422, "invalid-field", "contact"),
        ({"title": " "}, 422, "invalid-field", "title"),
        ({"submitter": ""}, 422, "invalid-field", "submitter"),
        ({"description": "？"}, 422, "invalid-field", "description"),
        ({"department_id": str(uuid4())}, 422, "invalid-field", "department_id"),
        ({"site_id": str(uuid4())}, 404, "not-found", "site_id"),
        ({"attachments": ["0" * 64]}, 409, "attachment-missing", "attachments"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_kept(
    api: Api, world: World, changes: dict[str, Any], status: int, kind: str, field: str
) -> None:
    async with nothing_changes(api):
        refused(await submit(api, world, **changes), status, kind, field)
    assert await rows(api, "enterprise_request") == []


async def test_a_viewer_sends_nothing(api: Api, world: World) -> None:
    viewer = msgspec.structs.replace(world.enterprise_user, enterprise_post=EnterprisePost.VIEWER)
    refused(await submit(api, world, viewer), 403, "forbidden")


async def test_people_and_words_stand_neither_in_rows_nor_in_the_trace(api: Api, world: World) -> None:
    made = accepted(await submit(api, world))["id"]
    accepted(await step(api, world.manager, made, "return", words="请补充照片的拍摄时间。"))
    for table in ("enterprise_request", "request_step", "trace", "message", "idempotency"):
        kept = str(await rows(api, table))
        for words in (PHONE, "韦秀英", "店内准备更换", "拍摄时间"):
            assert words not in kept, (table, words)


async def test_the_office_list_is_read_by_its_index(api: Api, world: World) -> None:
    made = accepted(await submit(api, world))["id"]
    async with borrow(api.parts.pool) as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO enterprise_request SELECT gen_random_uuid(), enterprise_id, site_id, region, "
            "(ARRAY[$2::uuid, $3::uuid])[1 + n % 2], (ARRAY['submitted', 'closed'])[1 + (n / 2) % 2], title, category, "
            "urgency, submitter_sealed, contact_sealed, description_sealed, submitted_by, submitted_at, "
            "due_on + n % 90, NULL, CASE WHEN (n / 2) % 2 = 1 THEN submitted_at END "
            "FROM enterprise_request, generate_series(1, 20000) AS n WHERE id = $1",
            made,
            world.market.id,
            world.emergency.id,
        )
    async with borrow(api.parts.pool) as connection:
        await connection.execute("ANALYZE enterprise_request")
        plan = await connection.fetch(
            "EXPLAIN SELECT id FROM enterprise_request WHERE department_id = $1 AND state = 'submitted' "
            "AND due_on <= '2027-01-01' AND (due_on, id) > ('2026-08-01', '00000000-0000-0000-0000-000000000000') "
            "ORDER BY due_on, id LIMIT 21",
            world.market.id,
        )
    assert "ix_enterprise_request_department" in str(plan)
    assert "Sort" not in str(plan)
