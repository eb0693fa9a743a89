"""企业自查 over HTTP (ENT-05, ENT-06, D24): begun, answered, submitted, reminded of."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from api.register import INSTALLATION
from api.self_inspection_rounds import remind
from domain.identity.model import Principal
from domain.self_inspection.operations import remind_of_quarter
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import World, make_enterprise, make_site
from tests.support.inspecting import ITEMS
from tests.support.self_inspecting import (
    FOOD,
    PROBLEMS,
    SECRET,
    SELF_CHECKED,
    answer_all,
    begin,
    execute,
    hand_in,
    inspect_self,
    messages,
    prepare_self_check,
    read,
    report_hazard,
    submit,
)
from tests.support.visits import rows


@pytest.fixture
async def ready(api: Api, world: World) -> World:
    """The list is in force and both own sites are of its 业态."""
    await prepare_self_check(api, world)
    return world


async def put(
    api: Api, who: Principal, inspection: str, item: str, body: dict[str, Any], version: int | None = None
) -> Any:
    """One answer."""
    return await api.as_(who).put(f"/api/v1/self-inspections/{inspection}/answers/{item}", body, if_match=version)


# The draft


async def test_only_self_check_items_are_asked_and_no_guidance_is_told(api: Api, ready: World) -> None:
    inspection = await begin(api, ready)
    response = await api.as_(ready.enterprise_user).get(f"/api/v1/self-inspections/{inspection}")
    shown = response.json()
    assert [line["code"] for line in shown["items"]] == list(SELF_CHECKED)
    assert (shown["state"], shown["item_count"], shown["answered"]) == ("draft", 3, 0)
    assert "仅供执法人员" not in response.text
    assert response.headers["cache-control"] == "private, no-store"


async def test_a_draft_survives_and_goes_on_where_it_was(api: Api, ready: World) -> None:
    inspection = await begin(api, ready)
    lines = (await read(api, ready.enterprise_user, f"self-inspections/{inspection}"))["items"]
    photo = await hand_in(api, ready.enterprise_user)
    body = {"value": "problem", "remark": "已过期", "photos": [photo]}
    assert accepted(await put(api, ready.enterprise_user, inspection, lines[0]["item_id"], body))["version"] == 1

    again = await api.as_(ready.enterprise_user).post(
        "/api/v1/self-inspections", {"site_id": str(ready.site.id), "business_type": FOOD}
    )
    assert refused(again, 409, "self-inspection-under-way")["id"] == inspection
    shown = await read(api, ready.enterprise_user, f"self-inspections/{inspection}")
    assert shown["answered"] == 1
    assert shown["items"][0]["answer"]["photos"] == [photo]


async def test_an_answer_over_an_old_version_is_refused_and_nothing_lost(api: Api, ready: World) -> None:
    inspection = await begin(api, ready)
    item = (await read(api, ready.enterprise_user, f"self-inspections/{inspection}"))["items"][0]["item_id"]
    accepted(await put(api, ready.enterprise_user, inspection, item, {"value": "no_problem"}))
    late = await put(api, ready.enterprise_user, inspection, item, {"value": "problem"})
    facts = refused(late, 412, "self-answer-conflict", "If-Match")
    assert (facts["current"]["value"], facts["yours"]["value"]) == ("no_problem", "problem")
    second = await put(api, ready.enterprise_user, inspection, item, {"value": "problem"}, version=1)
    assert accepted(second)["version"] == 2


async def test_two_colleagues_at_one_item_never_both_win(api: Api, ready: World) -> None:
    inspection = await begin(api, ready)
    item = (await read(api, ready.enterprise_user, f"self-inspections/{inspection}"))["items"][0]["item_id"]
    answers = await asyncio.gather(
        *[
            put(api, ready.enterprise_user, inspection, item, {"value": "no_problem", "remark": f"{n}"})
            for n in range(4)
        ]
    )
    assert sorted(each.status_code for each in answers) == [201, 412, 412, 412]


async def test_what_does_not_apply_needs_a_reason_and_photos_must_have_come(api: Api, ready: World) -> None:
    inspection = await begin(api, ready)
    item = (await read(api, ready.enterprise_user, f"self-inspections/{inspection}"))["items"][0]["item_id"]
    refused(
        await put(api, ready.enterprise_user, inspection, item, {"value": "not_applicable"}),
        422,
        "invalid-field",
        "reason",
    )
    unknown = {"value": "problem", "photos": ["ab" * 32]}
    refused(await put(api, ready.enterprise_user, inspection, item, unknown), 409, "attachment-missing", "photos")
    refused(
        await put(api, ready.enterprise_user, inspection, str(uuid4()), {"value": "problem"}),
        404,
        "not-found",
        "item_id",
    )


async def test_a_photo_that_an_answer_drops_leaves_the_folder_unless_another_names_it(api: Api, ready: World) -> None:
    inspection = await begin(api, ready)
    lines = (await read(api, ready.enterprise_user, f"self-inspections/{inspection}"))["items"]
    shared, single = [await hand_in(api, ready.enterprise_user, number) for number in (1, 2)]
    first, second = lines[0]["item_id"], lines[1]["item_id"]
    both = {"value": "problem", "photos": [shared, single]}
    accepted(await put(api, ready.enterprise_user, inspection, first, both))
    accepted(await put(api, ready.enterprise_user, inspection, second, {"value": "problem", "photos": [shared]}))
    accepted(await put(api, ready.enterprise_user, inspection, first, {"value": "problem"}, version=1))
    actor = api.as_(ready.enterprise_user)
    path = f"/api/v1/self-inspections/{inspection}/attachments"
    assert (await actor.get(f"{path}/{shared}", size="320")).status_code == 200
    refused(await actor.get(f"{path}/{single}"), 404, "not-found")
    refused(await actor.get(f"{path}/{shared}", size="original"), 403, "forbidden")


async def test_a_photo_dropped_here_while_it_is_named_there_stays(api: Api, ready: World) -> None:
    user, inspection = ready.enterprise_user, await begin(api, ready)
    here, there = [line["item_id"] for line in (await read(api, user, f"self-inspections/{inspection}"))["items"][:2]]
    for version in range(0, 12, 3):
        photo = await hand_in(api, user, version)
        named, blank = {"value": "problem", "photos": [photo]}, {"value": "problem"}
        accepted(await put(api, user, inspection, here, named, version=version))
        accepted(await put(api, user, inspection, there, blank, version=version))
        async with asyncio.TaskGroup() as both:
            dropping = both.create_task(put(api, user, inspection, here, blank, version=version + 1))
            naming = both.create_task(put(api, user, inspection, there, named, version=version + 1))
        path = f"/api/v1/self-inspections/{inspection}/attachments/{photo}"
        shown = (await api.as_(user).get(path, size="320")).status_code
        assert (dropping.result().status_code, naming.result().status_code, shown) == (201, 201, 200)
        accepted(await put(api, user, inspection, here, blank, version=version + 2))
        accepted(await put(api, user, inspection, there, blank, version=version + 2))


async def test_a_self_inspection_can_be_given_up_and_begun_anew(api: Api, ready: World) -> None:
    inspection = await begin(api, ready)
    actor = api.as_(ready.enterprise_user)
    assert accepted(await actor.post(f"/api/v1/self-inspections/{inspection}/discarding"))["state"] == "discarded"
    refused(await actor.post(f"/api/v1/self-inspections/{inspection}/submission"), 409, "self-inspection-closed")
    assert await begin(api, ready) != inspection
    listed = await read(api, ready.enterprise_user, "self-inspections")
    assert inspection not in {each["id"] for each in listed["items"]}


async def test_it_starts_only_where_the_business_type_has_a_list(api: Api, ready: World) -> None:
    actor = api.as_(ready.enterprise_user)
    body = {"site_id": str(ready.site.id), "business_type": "旅行社"}
    refused(await actor.post("/api/v1/self-inspections", body), 422, "invalid-field", "business_type")
    await execute(api, "UPDATE site SET business_types = '{旅行社}' WHERE id = $1", ready.site.id)
    refused(await actor.post("/api/v1/self-inspections", body), 409, "no-self-check-list", "business_type")
    foreign = {"site_id": str(ready.other_site.id), "business_type": FOOD}
    refused(await actor.post("/api/v1/self-inspections", foreign), 404, "not-found", "site_id")


async def test_a_list_published_meanwhile_does_not_change_what_was_begun(api: Api, ready: World) -> None:
    inspection = await begin(api, ready)
    checklist = (await rows(api, "checklist"))[0]["id"]
    manager, path = api.as_(ready.manager), f"/api/v1/checklists/{checklist}"
    accepted(await manager.post(f"{path}/versions"))
    item = msgspec.to_builtins(msgspec.structs.replace(ITEMS[0], code="N01", is_self_check=True))
    accepted(await manager.put(f"{path}/draft/items", {"items": [item]}))
    accepted(await manager.post(f"{path}/publish"))
    shown = await read(api, ready.enterprise_user, f"self-inspections/{inspection}")
    assert [line["code"] for line in shown["items"]] == list(SELF_CHECKED)
    await answer_all(api, ready, inspection)
    assert (await submit(api, ready, inspection))["hazards"] == []
    shown = await read(api, ready.enterprise_user, f"self-inspections/{await begin(api, ready)}")
    assert [line["code"] for line in shown["items"]] == ["N01"]


# Submitted


async def test_each_problem_becomes_a_hazard_of_its_items_weight(api: Api, ready: World) -> None:
    inspection = await begin(api, ready)
    incomplete = await api.as_(ready.enterprise_user).post(f"/api/v1/self-inspections/{inspection}/submission")
    assert len(refused(incomplete, 409, "self-inspection-incomplete")["open"]) == 3
    photo = await hand_in(api, ready.enterprise_user)
    await answer_all(api, ready, inspection, {"T01": {"remark": SECRET, "photos": [photo]}, "T06": {}})
    done = await submit(api, ready, inspection)

    assert done["quarter"] == "2026Q3"
    assert [(each["severity"], each["due_on"]) for each in done["hazards"]] == [
        ("general", "2026-08-20"),
        ("severe", "2026-08-08"),
    ]
    hazard = await read(api, ready.enterprise_user, f"hazards/{done['hazards'][0]['id']}")
    assert (hazard["title"], hazard["description"]) == ("食品经营许可证在有效期内并公示。", SECRET)
    assert hazard["photos_before"] == [photo]
    shown = await api.as_(ready.enterprise_user).get(f"/api/v1/hazards/{hazard['id']}/attachments/{photo}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    refused(
        await api.as_(ready.enterprise_user).post(f"/api/v1/self-inspections/{inspection}/submission"),
        409,
        "self-inspection-closed",
    )


async def test_a_clock_set_back_moves_no_term_and_breaks_nothing(api: Api, ready: World) -> None:
    actor, long_ago = api.as_(ready.enterprise_user), "0001-01-01T00:00:00+08:00"
    body = {"site_id": str(ready.site.id), "business_type": FOOD}
    begun = accepted(await actor.post("/api/v1/self-inspections", body, done_at=long_ago))
    assert begun["started_at"].startswith("2026-07-06")
    for line in (await read(api, ready.enterprise_user, f"self-inspections/{begun['id']}"))["items"]:
        path = f"/api/v1/self-inspections/{begun['id']}/answers/{line['item_id']}"
        accepted(await actor.put(path, {"value": "problem"}, done_at=long_ago))
    path = f"/api/v1/self-inspections/{begun['id']}/submission"
    done = accepted(await actor.post(path, done_at="2026-06-30T10:00:00+08:00"))
    assert done["quarter"] == "2026Q3"
    report = {"site_id": str(ready.site.id), "title": "灯箱破损", "severity": "minor"}
    accepted(await actor.post("/api/v1/hazards", report, done_at=long_ago))


async def test_records_are_filtered_by_hazard_and_paged(api: Api, ready: World) -> None:
    clean = await inspect_self(api, ready)
    api.clock.now += timedelta(minutes=1)
    found = await inspect_self(api, ready, PROBLEMS)
    api.clock.now += timedelta(minutes=1)
    draft = await begin(api, ready)

    async def ids(**query: object) -> list[str]:
        listed = await read(api, ready.enterprise_user, "self-inspections", **query)
        return [each["id"] for each in listed["items"]]

    assert await ids() == [draft, found["id"], clean["id"]]
    assert await ids(hazard="with") == [found["id"]]
    assert await ids(hazard="without") == [clean["id"]]
    assert await ids(state="draft") == [draft]
    first = await read(api, ready.enterprise_user, "self-inspections", limit=2)
    assert await ids(limit=2, cursor=first["next_cursor"]) == [clean["id"]]
    assert (await read(api, ready.foreign_user, "self-inspections"))["items"] == []
    bad = await api.as_(ready.enterprise_user).get("/api/v1/self-inspections", cursor="bm9uZQ")
    refused(bad, 422, "invalid-field", "cursor")


async def test_the_schedule_tells_which_sites_are_done(api: Api, ready: World) -> None:
    done = await inspect_self(api, ready)
    draft = await begin(api, ready, ready.second_site.id)
    schedule = await read(api, ready.enterprise_user, "self-inspection-schedule")
    assert (schedule["quarter"], schedule["due_on"]) == ("2026Q3", "2026-09-30")
    told = {each["site_id"]: (each["submitted_at"], each["draft_id"]) for each in schedule["items"]}
    assert told == {
        str(ready.site.id): (done["submitted_at"], None),
        str(ready.second_site.id): (None, draft),
    }
    former = await read(api, ready.enterprise_user, "self-inspection-schedule", quarter="2026Q2")
    assert [each["submitted_at"] for each in former["items"]] == [None, None]
    bad = await api.as_(ready.enterprise_user).get("/api/v1/self-inspection-schedule", quarter="2026Q9")
    refused(bad, 422, "invalid-field", "quarter")


async def test_who_acts_for_one_branch_knows_of_that_branch_alone(api: Api, ready: World) -> None:
    branch = msgspec.structs.replace(ready.enterprise_user, site_ids=(ready.second_site.id,))
    main = await begin(api, ready)
    hazard = await report_hazard(api, ready)
    assert (await read(api, branch, "self-inspections"))["items"] == []
    assert (await read(api, branch, "hazards"))["items"] == []
    sites = {each["site_id"] for each in (await read(api, branch, "self-inspection-schedule"))["items"]}
    assert sites == {str(ready.second_site.id)}
    refused(await api.as_(branch).get(f"/api/v1/self-inspections/{main}"), 404, "not-found")
    refused(await api.as_(branch).post(f"/api/v1/hazards/{hazard['id']}/closing", {"note": "已更换"}), 404, "not-found")
    body = {"site_id": str(ready.site.id), "business_type": FOOD}
    refused(await api.as_(branch).post("/api/v1/self-inspections", body), 404, "not-found", "site_id")


# The quarter's reminders


async def test_who_has_not_inspected_is_reminded_once_a_quarter(api: Api, ready: World) -> None:
    await inspect_self(api, ready)
    await remind(api.parts)
    assert await messages(api) == []  # 5 August: it is not yet time
    api.clock.now = datetime.fromisoformat("2026-09-20T09:00:00+08:00")
    for _ in range(3):
        await remind(api.parts)
    own = ("self_inspection_due", "in_app", "enterprise", ready.enterprise.id)
    assert await messages(api) == [own]  # the second site has not been inspected; the other enterprise has no list
    (standing,) = await rows(api, "self_inspection_round")
    assert (standing["quarter"], standing["reminded"]) == ("2026Q3", 1)
    assert standing["finished_at"] is not None

    api.clock.now = datetime.fromisoformat("2026-12-20T09:00:00+08:00")
    await remind(api.parts)
    assert await messages(api) == [own, own]


async def test_who_has_inspected_every_site_is_left_alone(api: Api, ready: World) -> None:
    await inspect_self(api, ready)
    await inspect_self(api, ready, site=ready.second_site.id)
    api.clock.now = datetime.fromisoformat("2026-09-20T09:00:00+08:00")
    await remind(api.parts)
    assert await messages(api) == []


async def test_reminders_go_page_by_page_and_are_taken_up_where_they_stopped(
    api: Api, ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.self_inspection.operations.PAGE", 3)
    async with borrow(api.parts.pool) as connection:
        for number in range(7):
            made = await make_enterprise(connection, api.parts.vault, name=f"第{number}家")
            await make_site(connection, made, ready.market, business_types=[FOOD])
    api.clock.now = datetime.fromisoformat("2026-09-20T09:00:00+08:00")
    assert await api.parts.work.run(INSTALLATION, remind_of_quarter)
    half = len(await messages(api))
    assert half <= 3
    await asyncio.gather(*[remind(api.parts) for _ in range(3)])  # others hold the row: they leave it
    await remind(api.parts)
    told = [each[3] for each in await messages(api)]
    assert (len(told), len(set(told))) == (8, 8)
