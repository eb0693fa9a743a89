"""Materials: uploaded, replaced, shown to whom they concern, and told of before they run out."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from api.expiry_round import remind_of_expiry
from domain.identity.model import Principal
from domain.material import operations
from domain.material.model import ExpirySubject
from domain.material.store import EXPIRING_LICENCES
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, World, make_licence, make_site
from tests.support.files import digest_of, paper, picture
from tests.support.visits import rows

TODAY = date(2026, 8, 5)


async def hand_in(api: Api, who: Principal, content: bytes) -> str:
    """The file, waiting to be attached; gives its digest."""
    digest = digest_of(content)
    answer = await api.http.put(f"/api/v1/attachments/{digest}", content=content, headers=api.as_(who).bearer())
    assert answer.status_code in {200, 201}, answer.text
    return digest


def materials_of(world: World) -> str:
    return f"/api/v1/enterprises/{world.enterprise.id}/materials"


async def upload(api: Api, world: World, content: bytes, **order: object) -> dict[str, Any]:
    digest = await hand_in(api, world.enterprise_user, content)
    body = {"files": [digest], **order}
    return accepted(await api.as_(world.enterprise_user).post(materials_of(world), body))


async def open_restaurant(api: Api, world: World) -> None:
    await api.parts.pool.execute("UPDATE site SET business_types = array['餐饮服务'] WHERE id = $1", world.site.id)


async def test_the_list_says_what_is_asked_what_is_there_and_since_when(api: Api, world: World) -> None:
    await open_restaurant(api, world)
    own = api.as_(world.enterprise_user)
    before = (await own.get(materials_of(world))).json()
    assert {each["name"] for each in before["items"] if each["is_required"]} >= {"营业执照", "食品经营许可证"}
    assert (before["missing"], before["expired"]) == (sum(each["is_required"] for each in before["items"]), 0)
    made = await upload(
        api, world, paper(b"1"), standard_code="CY-01", site_id=str(world.site.id), valid_to="2026-08-20", number="JY1"
    )
    after = (await own.get(materials_of(world))).json()
    [line] = [each for each in after["items"] if each["standard_code"] == "CY-01"]
    assert (line["id"], line["is_uploaded"], line["mark"], line["site_name"]) == (made["id"], True, "expiring", "总店")
    assert line["uploaded_at"] == "2026-08-05T02:00:00Z"
    assert (after["missing"], after["expiring"]) == (before["missing"] - 1, 1)
    of_second = (await own.get(materials_of(world), site_id=world.second_site.id)).json()
    assert {each["standard_code"] for each in of_second["items"]} == {"TY-01"}


async def test_a_newer_upload_takes_the_place_and_the_former_stays(api: Api, world: World) -> None:
    own = api.as_(world.enterprise_user)
    first, second = picture(seed=1), picture(seed=2)
    made = await upload(api, world, first, standard_code="TY-01")
    again = await upload(api, world, second, standard_code="TY-01")
    assert (again["id"], again["version"]) == (made["id"], 2)
    path = f"/api/v1/materials/{made['id']}"
    detail = (await own.get(path)).json()
    assert [each["version"] for each in detail["versions"]] == [2, 1]
    assert [each["files"][0]["digest"] for each in detail["versions"]] == [digest_of(second), digest_of(first)]
    assert detail["versions"][1]["replaced_at"] is not None
    shown = await own.get(f"{path}/versions/1/files/{digest_of(first)}", size="320")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    refused(await own.get(f"{path}/versions/1/files/{digest_of(second)}"), 404, "not-found")
    refused(await own.get(f"{path}/versions/9/files/{digest_of(second)}"), 404, "not-found")
    accepted(await own.post(f"{path}/removal"))
    refused(await own.get(path), 404, "not-found")
    assert len(await rows(api, "material_version")) == 2
    traced = [row["action"] for row in await rows(api, "trace") if row["action"].startswith("material.")]
    assert traced == ["material.uploaded", "material.uploaded", "material.removed"]


async def test_an_upload_that_arrives_twice_is_one(api: Api, world: World) -> None:
    own = api.as_(world.enterprise_user)
    order = {"files": [await hand_in(api, world.enterprise_user, paper())], "name": "租赁合同"}
    first = await own.post(materials_of(world), order, key="one-upload")
    second = await own.post(materials_of(world), order, key="one-upload")
    assert first.content == second.content
    assert len(await rows(api, "material_version")) == 1


async def test_uploads_at_once_follow_one_another(api: Api, world: World) -> None:
    await upload(api, world, paper(b"0"), name="租赁合同")
    own = api.as_(world.enterprise_user)
    digests = [await hand_in(api, world.enterprise_user, paper(str(each).encode())) for each in range(1, 5)]
    orders = [{"files": [digest], "name": "租赁合同"} for digest in digests]
    answers = await asyncio.gather(*(own.post(materials_of(world), order) for order in orders))
    assert sorted(accepted(each)["version"] for each in answers) == [2, 3, 4, 5]


async def test_what_cannot_be_kept_is_refused_with_its_reason(api: Api, world: World) -> None:
    own, path = api.as_(world.enterprise_user), materials_of(world)
    digest = await hand_in(api, world.enterprise_user, paper())
    refused(await own.post(path, {"files": ["0" * 64], "name": "租赁合同"}), 409, "attachment-missing", "files")
    refused(await own.post(path, {"files": [], "name": "租赁合同"}), 422, "invalid-field", "files")
    refused(await own.post(path, {"files": [digest], "standard_code": "XX"}), 422, "invalid-field", "standard_code")
    elsewhere = {"files": [digest], "name": "租赁合同", "site_id": str(world.other_site.id)}
    refused(await own.post(path, elsewhere), 404, "not-found", "site_id")
    foreign = f"/api/v1/enterprises/{world.other_enterprise.id}/materials"
    refused(await own.post(foreign, {"files": [digest], "name": "租赁合同"}), 404, "not-found")
    # A file that somebody else handed in cannot be referred to.
    other = api.as_(world.foreign_user)
    refused(await other.post(foreign, {"files": [digest], "name": "租赁合同"}), 409, "attachment-missing", "files")
    assert await rows(api, "material") == []


async def test_officials_look_only_where_they_have_business(api: Api, world: World) -> None:
    made = await upload(api, world, paper(), name="租赁合同")
    path, content = f"/api/v1/materials/{made['id']}", f"/versions/1/files/{digest_of(paper())}"
    for who in (world.inspector, world.emergency_inspector, world.lead):
        assert (await api.as_(who).get(materials_of(world))).status_code == 200
        assert (await api.as_(who).get(path)).status_code == 200
        assert (await api.as_(who).get(path + content)).status_code == 200
    for who in (world.unassigned_inspector, world.foreign_lead, world.foreign_user):
        refused(await api.as_(who).get(materials_of(world)), 404, "not-found")
        refused(await api.as_(who).get(path), 404, "not-found")
        refused(await api.as_(who).get(path + content), 404, "not-found")
    refused(await api.anyone.get(path), 401, "not-signed-in")
    await api.parts.pool.execute("UPDATE inspection SET state = 'cancelled'")
    refused(await api.as_(world.inspector).get(path), 404, "not-found")


async def test_those_of_a_branch_see_to_their_branch(api: Api, world: World) -> None:
    await upload(api, world, paper(b"1"), name="租赁合同", site_id=str(world.site.id))
    clerk = msgspec.structs.replace(world.enterprise_user, site_ids=(world.second_site.id,))
    listed = (await api.as_(clerk).get(materials_of(world))).json()["items"]
    assert {each["site_id"] for each in listed} <= {None, str(world.second_site.id)}
    digest = await hand_in(api, clerk, paper(b"2"))
    whole = {"files": [digest], "standard_code": "TY-01"}
    refused(await api.as_(clerk).post(materials_of(world), whole), 403, "forbidden")
    there = {"files": [digest], "name": "租赁合同", "site_id": str(world.site.id)}
    refused(await api.as_(clerk).post(materials_of(world), there), 404, "not-found", "site_id")
    accepted(await api.as_(clerk).post(materials_of(world), {**there, "site_id": str(world.second_site.id)}))


# ---- what expires


async def messages(api: Api) -> list[tuple[str, str, str]]:
    found = await api.parts.pool.fetch(
        "SELECT template, channel, parameters FROM message WHERE template IN ('expiring', 'expired') ORDER BY id"
    )
    return [(row["template"], row["channel"], row["parameters"]["name"]) for row in found]


async def test_each_step_is_told_once_also_when_the_round_comes_again(api: Api, world: World) -> None:
    await api.parts.pool.execute("DELETE FROM licence")
    await upload(api, world, paper(), standard_code="LX-02", valid_to="2026-09-10")
    async with borrow(api.parts.pool) as connection:
        await make_licence(connection, world.enterprise, name="烟草专卖零售许可证", valid_to=date(2026, 9, 10))
    told: list[int] = []
    for left in (37, 30, 29, 8, 7, 6, 1, 0, -1, -2, -40):
        api.clock.now = datetime(2026, 9, 10, 2, tzinfo=UTC) - timedelta(days=left)
        told.append(await remind_of_expiry(api.parts))
        assert await remind_of_expiry(api.parts) == 0
    assert told == [0, 2, 0, 0, 2, 0, 2, 0, 2, 0, 0]
    sent = await messages(api)
    assert {(template, channel) for template, channel, _ in sent} == {
        ("expiring", "in_app"),
        ("expiring", "sms"),
        ("expired", "sms"),
    }
    assert {name for _, _, name in sent} == {"旅行社责任保险保单", "烟草专卖零售许可证"}


async def test_a_renewal_is_told_of_in_its_own_time_and_the_former_no_more(api: Api, world: World) -> None:
    await api.parts.pool.execute("DELETE FROM licence")
    await upload(api, world, paper(b"1"), name="房屋租赁合同张三", valid_to="2026-08-10")
    assert await remind_of_expiry(api.parts) == 1
    await upload(api, world, paper(b"2"), name="房屋租赁合同张三", valid_to="2026-09-01")
    assert await remind_of_expiry(api.parts) == 1
    assert [name for _, _, name in await messages(api)] == ["自行上传的材料"] * 2
    for row in await rows(api, "trace"):
        assert "张三" not in str(dict(row))


async def test_who_renewed_or_went_out_of_business_is_left_alone(api: Api, world: World) -> None:
    await api.parts.pool.execute("DELETE FROM licence")
    async with borrow(api.parts.pool) as connection:
        await make_licence(connection, world.enterprise, valid_to=date(2026, 8, 12))
        await make_licence(connection, world.other_enterprise, valid_to=date(2026, 8, 12))
    number = await api.parts.pool.fetchval("SELECT number FROM licence WHERE enterprise_id = $1", world.enterprise.id)
    await upload(api, world, paper(), name="新的许可证", number=number, valid_to="2031-08-12")
    closed = "UPDATE enterprise SET revoked_on = $1 WHERE id = $2"
    await api.parts.pool.execute(closed, date(2026, 7, 1), world.other_enterprise.id)
    assert await remind_of_expiry(api.parts) == 0
    await api.parts.pool.execute(closed, None, world.other_enterprise.id)
    assert await remind_of_expiry(api.parts) == 1


async def test_a_round_that_was_cut_off_goes_on(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.parts.pool.execute("DELETE FROM licence")
    async with borrow(api.parts.pool) as connection:
        for _ in range(5):
            await make_licence(connection, world.enterprise, valid_to=TODAY + timedelta(days=7))
    monkeypatch.setattr(operations, "REMINDED_AT_ONCE", 2)

    async def first_page(tx: Any) -> Any:
        start = (TODAY, UUID(int=0))
        return await operations.remind(tx, ExpirySubject.LICENCE, 7, TODAY + timedelta(days=7), start)

    page = await api.parts.work.run(world.enterprise_user.operator, first_page)
    assert page.written == 2
    assert await remind_of_expiry(api.parts) == 3
    assert await remind_of_expiry(api.parts) == 0


@pytest.mark.slow
async def test_a_round_over_many_licences_walks_their_index(api: Api, world: World) -> None:
    pool = api.parts.pool
    await pool.execute(
        "INSERT INTO licence (id, enterprise_id, number, name, authority, valid_to) "
        "SELECT gen_random_uuid(), $1, 'N' || n, '食品经营许可证', '市场监督管理局', $2::date + (n % 1800)::int "
        "FROM generate_series(1, 50000) n",
        world.enterprise.id,
        TODAY - timedelta(days=100),
    )
    await pool.execute("ANALYZE licence")
    async with pool.acquire() as connection:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        arguments = EXPIRING_LICENCES.arguments(
            {"step": 30, "after_on": TODAY + timedelta(days=7), "after_id": UUID(int=0), "limit": 500}
            | {"last_on": TODAY + timedelta(days=30)}
        )
        prepared = await connection.prepare(EXPIRING_LICENCES.text)
        plan = str(await prepared.explain(*arguments, analyze=True))
        await connection.execute("RESET plan_cache_mode")
    assert "ix_licence_valid_to" in plan
    assert "Seq Scan on licence" not in plan


async def test_another_site_of_the_enterprise_has_its_own_papers(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        branch = await make_site(connection, world.enterprise, world.market, is_main=False, business_types=["餐饮服务"])
    await upload(api, world, paper(b"1"), standard_code="CY-03", site_id=str(branch.id))
    await open_restaurant(api, world)
    listed = (await api.as_(world.enterprise_user).get(materials_of(world))).json()["items"]
    stands = {each["site_id"]: each["is_uploaded"] for each in listed if each["standard_code"] == "CY-03"}
    assert stands == {str(branch.id): True, str(world.site.id): False}
    assert api.clock.now == NOW
