"""入企评价 over HTTP: who is invited, what a token is worth, and that nothing leads from a rating to who gave it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec

from domain.identity.model import EnterprisePost, Principal, Role
from domain.rating import operations
from domain.rating.operations import invite, release_ratings
from domain.shared.sql import borrow
from domain.shared.transaction import Outcome, Transaction
from tests.support.client import Api, accepted, refused
from tests.support.database import Database
from tests.support.factories import (
    INSTALLATION,
    NOW,
    MadeSite,
    World,
    make_account,
    make_enterprise,
    make_site,
)
from tests.support.inspecting import (
    answer_all,
    arrive,
    finish,
    leave,
    prepare_inspection,
    record_facts,
    sign_all,
)
from tests.support.visits import nothing_changes, rows

SEPTEMBER = NOW + timedelta(days=30)
STARS = {"courtesy": 5, "lawfulness": 4, "efficiency": 5, "certificates_shown": True}


class Rater(msgspec.Struct, frozen=True):
    """An enterprise that was visited, and its invitation."""

    who: Principal
    site: MadeSite
    invitation: UUID


async def invite_for(api: Api, site: MadeSite, inspection: UUID, outcome: str = "no_problem") -> None:
    """What follows when the inspection is completed."""

    async def operation(tx: Transaction) -> Outcome[None]:
        events = await invite(
            tx, inspection_id=inspection, enterprise_id=site.enterprise.id, site_id=site.id, outcome=outcome
        )
        return Outcome(answer=None, events=events)

    await api.parts.work.run(INSTALLATION, operation)


async def visited(api: Api, world: World, database: Database, number: int) -> list[Rater]:
    """So many enterprises, each visited once by the market department."""
    found: list[Rater] = []
    async with borrow(api.parts.pool) as connection, connection.transaction():
        for each in range(number):
            made = await make_enterprise(connection, api.parts.vault, name=f"南宁市第{each}餐饮店")
            site = await make_site(connection, made, world.market)
            who = await make_account(connection, Role.ENTERPRISE, enterprise_id=made.id)
            found.append(Rater(who, site, uuid4()))
    for each in found:
        inspection = await world.dispatch(each.site)
        await save_visit(database, world, inspection)
        await invite_for(api, each.site, inspection)
    return [
        msgspec.structs.replace(each, invitation=UUID((await invitations(api, each.who))[0]["id"])) for each in found
    ]


async def save_visit(database: Database, world: World, inspection: UUID) -> None:
    """A visit of the market department, as much as an invitation reads of it."""
    connection = await asyncpg.connect(database.dsn)
    visit, check_in = uuid4(), uuid4()
    try:
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO visit (id, inspection_id, sequence, opened_by, arrived_at) VALUES ($1, $2, 1, $3, $4)",
                visit,
                inspection,
                check_in,
                NOW,
            )
            await connection.execute(
                "INSERT INTO check_in (id, visit_id, department_id, officer_id, second_officer_id, means, flags, "
                "done_at, received_at) VALUES ($1, $2, $3, $4, $5, 'business_licence', '{}', $6, $6)",
                check_in,
                visit,
                world.market.id,
                world.officer.id,
                world.partner.id,
                NOW,
            )
    finally:
        await connection.close()


async def invitations(api: Api, who: Principal) -> list[dict[str, Any]]:
    """评价邀请 of the caller."""
    response = await api.as_(who).get("/api/v1/rating-invitations")
    assert response.status_code == 200, response.text
    return response.json()["items"]


def commitment(token: str) -> str:
    """What the device hands in for its token."""
    return hashlib.sha256(bytes.fromhex(token)).hexdigest()


async def draw(api: Api, who: Principal, invitation: object, token: str, key: str | None = None) -> httpx.Response:
    """领取令牌."""
    path = f"/api/v1/rating-invitations/{invitation}/token"
    return await api.as_(who).post(path, {"commitment": commitment(token)}, key=key)


async def drawn(api: Api, rater: Rater) -> str:
    """A token that counts."""
    token = secrets.token_hex(32)
    accepted(await draw(api, rater.who, rater.invitation, token))
    return token


async def rate(api: Api, token: str, key: str | None = None, **changes: Any) -> httpx.Response:
    """评价 by nobody in particular."""
    return await api.anyone.post("/api/v1/ratings", {**STARS, "token": token, **changes}, key=key)


async def release(api: Api) -> int:
    """What the worker does every hour."""
    return await api.parts.work.run(INSTALLATION, release_ratings)


async def batches(api: Api, who: Principal) -> list[dict[str, Any]]:
    """Released batches."""
    return (await api.as_(who).get("/api/v1/rating-batches")).json()["items"]


async def rate_all(api: Api, raters: Sequence[Rater]) -> None:
    """Each draws and rates; the comment tells whose it is, for the test alone."""
    for number, rater in enumerate(raters):
        accepted(await rate(api, await drawn(api, rater), comment=f"第{number}家的话"))


# Invited, drawn, spent


async def test_a_completed_visit_invites_for_each_department_that_came(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world, is_joint=True)
    await arrive(api, world, inspection)
    partner = {"second_officer_id": world.emergency_partner.id}
    await arrive(api, world, inspection, world.emergency_inspector, **partner)
    for who, department in ((world.inspector, world.market.id), (world.emergency_inspector, world.emergency.id)):
        await answer_all(api, who, inspection, department)
        await record_facts(api, who, inspection)
    await sign_all(api, world.inspector, inspection, [world.officer.id, world.partner.id])
    officers = [world.emergency_officer.id, world.emergency_partner.id]
    await sign_all(api, world.emergency_inspector, inspection, officers)
    await leave(api, world.inspector, inspection)
    await leave(api, world.emergency_inspector, inspection)
    accepted(await finish(api, world.inspector, inspection, "no_problem"))

    found = await invitations(api, world.enterprise_user)
    assert {each["department_name"] for each in found} == {"南宁市市场监督管理局", "南宁市应急管理局"}
    assert {(each["visited_on"], each["ends_on"], each["is_used"]) for each in found} == {
        ("2026-08-05", "2026-09-30", False)
    }
    assert await invitations(api, world.foreign_user) == []


async def test_who_met_nobody_is_not_asked(api: Api, world: World, database: Database) -> None:
    await save_visit(database, world, world.inspection)
    await invite_for(api, world.site, world.inspection, "not_reachable")
    assert await invitations(api, world.enterprise_user) == []
    await invite_for(api, world.site, world.inspection)
    await invite_for(api, world.site, world.inspection)
    assert len(await invitations(api, world.enterprise_user)) == 1


async def test_a_token_is_drawn_once_and_spent_once(api: Api, world: World, database: Database) -> None:
    (rater,) = await visited(api, world, database, 1)
    token, key = secrets.token_hex(32), str(uuid4())
    refused(await rate(api, token), 409, "rating-token-invalid", "token")
    first = await draw(api, rater.who, rater.invitation, token, key)
    assert (await draw(api, rater.who, rater.invitation, token, key)).content == first.content
    refused(await draw(api, rater.who, rater.invitation, secrets.token_hex(32)), 409, "rating-already-drawn")

    sent = await rate(api, token, key)
    assert accepted(sent) == {"is_taken": True}
    assert (await rate(api, token, key)).content == sent.content
    refused(await rate(api, token), 409, "rating-token-invalid", "token")
    assert len(await rows(api, "rating_pool")) == 1


async def test_of_two_sent_at_once_one_counts(api: Api, world: World, database: Database) -> None:
    (rater,) = await visited(api, world, database, 1)
    token = await drawn(api, rater)
    answers = await asyncio.gather(*[rate(api, token) for _ in range(4)])
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert len(await rows(api, "rating_pool")) == 1


async def test_many_draw_and_rate_at_once_and_none_is_lost(api: Api, world: World, database: Database) -> None:
    raters = await visited(api, world, database, 8)
    tokens = await asyncio.gather(*[drawn(api, rater) for rater in raters])
    for response in await asyncio.gather(*[rate(api, token) for token in tokens]):
        accepted(response)
    assert len(await rows(api, "rating_pool")) == 8
    assert await rows(api, "rating_token") == []


async def test_only_the_enterprise_draws_and_only_in_time(api: Api, world: World, database: Database) -> None:
    (rater,) = await visited(api, world, database, 1)
    token = secrets.token_hex(32)
    viewer = msgspec.structs.replace(rater.who, enterprise_post=EnterprisePost.VIEWER)
    async with nothing_changes(api):
        refused(await draw(api, world.foreign_user, rater.invitation, token), 404, "not-found")
        refused(await draw(api, viewer, rater.invitation, token), 403, "forbidden")
        refused(await draw(api, world.manager, rater.invitation, token), 403, "forbidden")
        api.clock.now += timedelta(days=60)
        refused(await draw(api, rater.who, rater.invitation, token), 409, "rating-term-over")


async def test_whoever_signs_a_rating_in_is_refused(api: Api, world: World, database: Database) -> None:
    (rater,) = await visited(api, world, database, 1)
    token = await drawn(api, rater)
    signed = await api.as_(rater.who).post("/api/v1/ratings", {**STARS, "token": token})
    refused(signed, 422, "invalid-field", "Authorization")
    refused(await rate(api, token, courtesy=6), 422, "invalid-field", "courtesy")
    refused(await rate(api, token, comment="长" * 201), 422, "invalid-field", "comment")
    assert (await rate(api, token, prohibitions=["unheard"])).status_code == 422
    accepted(await rate(api, token))


# Released


async def test_five_are_released_when_the_month_is_over_and_no_earlier(
    api: Api, world: World, database: Database
) -> None:
    raters = await visited(api, world, database, 5)
    await rate_all(api, raters)
    assert await release(api) == 0
    api.clock.now = SEPTEMBER
    assert await release(api) == 1
    assert await release(api) == 0
    (batch,) = await batches(api, world.manager)
    assert (batch["ratings"], batch["period_from"], batch["period_to"]) == (5, "2026-08-01", "2026-08-01")
    assert (batch["courtesy"], batch["lawfulness"], batch["certificates_shown"]) == (5.0, 4.0, 5)
    detail = (await api.as_(world.manager).get(f"/api/v1/rating-batches/{batch['id']}")).json()
    assert {each["comment"] for each in detail["items"]} == {f"第{number}家的话" for number in range(5)}
    assert await batches(api, world.emergency_manager) == []
    assert len(await batches(api, world.lead)) == 1
    assert await batches(api, world.foreign_lead) == []
    refused(await api.as_(world.emergency_manager).get(f"/api/v1/rating-batches/{batch['id']}"), 404, "not-found")
    refused(await api.as_(world.inspector).get("/api/v1/rating-batches"), 403, "forbidden")


async def test_fewer_than_five_wait_for_more(api: Api, world: World, database: Database) -> None:
    raters = await visited(api, world, database, 7)
    await rate_all(api, raters[:4])
    api.clock.now = SEPTEMBER
    assert await release(api) == 0
    assert await batches(api, world.manager) == []
    await rate_all(api, raters[4:6])
    assert await release(api) == 1
    (batch,) = await batches(api, world.manager)
    assert batch["ratings"] == 6
    accepted(await rate(api, await drawn(api, raters[6])))
    assert await release(api) == 0


async def test_misconduct_is_for_the_supervision_side_alone(api: Api, world: World, database: Database) -> None:
    raters = await visited(api, world, database, 5)
    for number, rater in enumerate(raters):
        marks = ["gifts", "banquets"] if number < 2 else []
        accepted(await rate(api, await drawn(api, rater), prohibitions=marks))
    api.clock.now = SEPTEMBER
    assert await release(api) == 1
    async with borrow(api.parts.pool) as connection:
        over_all = await make_account(connection, Role.LEAD, region=world.market.region)
    response = await api.as_(over_all).get("/api/v1/rating-misconduct")
    assert {(each["prohibition"], each["marks"]) for each in response.json()["items"]} == {
        ("gifts", 2),
        ("banquets", 2),
    }
    own = await api.as_(world.lead).get("/api/v1/rating-misconduct")
    assert own.json()["items"] == []
    refused(await api.as_(world.manager).get("/api/v1/rating-misconduct"), 403, "forbidden")
    shown = await api.as_(world.manager).get("/api/v1/rating-batches")
    (batch,) = shown.json()["items"]
    detail = await api.as_(world.manager).get(f"/api/v1/rating-batches/{batch['id']}")
    for text in (shown.text, detail.text):
        assert "gifts" not in text
        assert "prohibition" not in text


async def test_a_token_that_nobody_spends_is_forgotten(api: Api, world: World, database: Database) -> None:
    (rater,) = await visited(api, world, database, 1)
    token = await drawn(api, rater)
    api.clock.now = NOW + timedelta(days=150)
    await release(api)
    assert await rows(api, "rating_token") == []
    refused(await rate(api, token), 409, "rating-token-invalid", "token")


# Unlinkable

LEADING = {"enterprise_id", "site_id", "inspection_id", "visit_id", "account_id", "invitation_id", "done_by"}
KEPT = ("rating_pool", "visit_rating", "rating_token", "rating_batch", "rating_misconduct")


async def columns_of(api: Api, table: str) -> dict[str, str]:
    """Names and types of a table's columns."""
    async with borrow(api.parts.pool) as connection:
        found = await connection.fetch(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1", table
        )
    return {row["column_name"]: row["data_type"] for row in found}


async def test_no_column_of_a_rating_leads_to_anybody_or_tells_a_time(api: Api) -> None:
    for table in KEPT:
        columns = await columns_of(api, table)
        assert columns
        assert LEADING.isdisjoint(columns), table
        assert not [name for name, kind in columns.items() if kind.startswith("timestamp")], table


async def test_neither_order_nor_ids_nor_transactions_tell_ratings_apart(
    api: Api, world: World, database: Database
) -> None:
    raters = await visited(api, world, database, 12)
    await rate_all(api, raters)
    waiting = await rows(api, "rating_pool")
    assert len({row["xmin"] for row in waiting}) == 1
    assert {row["id"].version for row in waiting} == {4}
    api.clock.now = SEPTEMBER
    assert await release(api) == 1
    async with borrow(api.parts.pool) as connection:
        kept = [dict(row) for row in await connection.fetch("SELECT *, xmin FROM visit_rating ORDER BY ctid")]
    assert len({row["xmin"] for row in kept}) == 1
    assert {row["id"].version for row in kept} == {4}
    assert {row["id"] for row in kept}.isdisjoint(row["id"] for row in waiting)
    places = [int(re.sub(r"\D", "", row["comment"])) for row in kept]
    assert sorted(places) == list(range(12))
    assert places != sorted(places)
    assert [row["id"] for row in kept] == sorted(row["id"] for row in kept)


async def test_the_trace_tells_of_draws_and_batches_and_never_of_a_rating(
    api: Api, world: World, database: Database
) -> None:
    raters = await visited(api, world, database, 5)
    await rate_all(api, raters)
    api.clock.now = SEPTEMBER
    await release(api)
    told = [row for row in await rows(api, "trace") if row["business"] == "入企评价"]
    assert {row["action"] for row in told} == {"rating.token_drawn", "rating.released"}
    assert len([row for row in told if row["action"] == "rating.released"]) == 1
    for row in told:
        if row["action"] == "rating.token_drawn":
            assert (row["department_id"], row["region"], row["site_id"]) == (None, None, None)
            assert row["after"] == '{"is_used":true}'


async def test_what_is_kept_of_the_requests_does_not_join_draw_and_rating(
    api: Api, world: World, database: Database
) -> None:
    (rater,) = await visited(api, world, database, 1)
    token, key = secrets.token_hex(32), str(uuid4())
    accepted(await draw(api, rater.who, rater.invitation, token, key))
    accepted(await rate(api, token, key, comment="一句话"))
    assert [row["key"] for row in await rows(api, "idempotency")].count(key) == 1
    everything = {table: str(await rows(api, table)) for table in ("idempotency", "trace", "message", *KEPT)}
    for kept in everything.values():
        assert token not in kept
        assert commitment(token) not in kept
        assert str(bytes.fromhex(commitment(token))) not in kept
    author = operations.author_of(api.parts.vault, token)
    mine = [row for row in await rows(api, "idempotency") if row["principal_id"] == author]
    assert len(mine) == 1
    assert "一句话" not in str(mine)
    accounts = {row["id"] for row in await rows(api, "account")}
    assert author not in accounts


async def test_what_a_department_is_answered_names_no_enterprise(api: Api, world: World, database: Database) -> None:
    raters = await visited(api, world, database, 5)
    for rater in raters:
        accepted(await rate(api, await drawn(api, rater)))
    api.clock.now = SEPTEMBER
    await release(api)
    (batch,) = await batches(api, world.manager)
    answers = [
        await api.as_(world.manager).get(path)
        for path in ("/api/v1/rating-batches", f"/api/v1/rating-batches/{batch['id']}")
    ]
    for answer in answers:
        for rater in raters:
            for known in (rater.site.id, rater.site.enterprise.id, rater.invitation, rater.site.enterprise.uscc):
                assert str(known) not in answer.text
    assert date.fromisoformat(batch["released_on"]) == SEPTEMBER.date()
    refused(await api.as_(world.manager).get("/api/v1/rating-invitations"), 403, "forbidden")
