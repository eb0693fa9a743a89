"""仅查看, and branches (ENT-01): what those may do who act for an enterprise in part."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import asyncpg

from domain.identity.model import EnterprisePost, Principal, Role
from domain.membership import store
from domain.publication.operations import open_publication
from domain.shared.sql import Command, borrow
from domain.shared.transaction import Outcome, Transaction
from tests.support.acting import (
    MEMBERS,
    invitation,
    invite,
    members,
)
from tests.support.client import Api, accepted, refused, statements
from tests.support.database import Database
from tests.support.factories import INSTALLATION, NOW, World, make_account
from tests.support.problems import PLAIN, ordered
from tests.support.zhiguitong import QIN

# 仅查看, and branches


async def a_member(api: Api, world: World, post: EnterprisePost, *sites: UUID) -> Principal:
    """Somebody of the world's enterprise."""
    async with borrow(api.parts.pool) as connection:
        return await make_account(
            connection,
            Role.ENTERPRISE,
            enterprise_id=world.enterprise.id,
            enterprise_post=post,
            site_ids=sites or None,
        )


async def test_a_viewer_reads_and_writes_nothing_but_may_log_out(api: Api, world: World) -> None:
    viewer = api.as_(await a_member(api, world, EnterprisePost.VIEWER))
    assert (await viewer.get("/api/v1/rectification-orders")).status_code == 200
    consents = f"/api/v1/enterprises/{world.enterprise.id}/service-consents"
    refused(await viewer.post(consents, {}), 403, "forbidden")
    refused(await viewer.post(f"/api/v1/publications/{uuid4()}/replies", {"text": "回应"}), 403, "forbidden")
    refused(await viewer.get(MEMBERS), 403, "forbidden")
    assert (await viewer.delete("/api/v1/sessions/current")).status_code == 204


async def test_only_a_manager_of_the_whole_consents_to_service(api: Api, world: World) -> None:
    consents = f"/api/v1/enterprises/{world.enterprise.id}/service-consents"
    body = {"means": ["sms"], "phone": "13977100001"}
    for post, sites in ((EnterprisePost.CLERK, ()), (EnterprisePost.MANAGER, (world.site.id,))):
        member = await a_member(api, world, post, *sites)
        refused(await api.as_(member).post(consents, body), 403, "forbidden")
        refused(await api.as_(member).post(f"{consents}/withdrawal"), 403, "forbidden")


async def test_a_branchs_manager_invites_for_its_sites_alone(api: Api, world: World) -> None:
    branch = await a_member(api, world, EnterprisePost.MANAGER, world.second_site.id)
    actor = api.as_(branch)
    refused(await actor.post(MEMBERS, invitation()), 403, "forbidden")
    refused(await actor.post(MEMBERS, invitation(site_ids=[world.site.id])), 403, "forbidden")
    member = accepted(await actor.post(MEMBERS, invitation(site_ids=[world.second_site.id])))["id"]
    refused(await actor.put(f"{MEMBERS}/{member}", {"post": "clerk"}), 403, "forbidden")
    whole = await invite(api, world, QIN)
    refused(await actor.post(f"{MEMBERS}/{whole}/removal"), 403, "forbidden")
    assert {each["id"] for each in await members(api, branch)} >= {member}
    assert whole not in {each["id"] for each in await members(api, branch)}
    accepted(await actor.post(f"{MEMBERS}/{member}/removal"))


async def a_publication(api: Api, world: World, inspection: UUID) -> UUID:
    """A result that waits to be public."""

    async def operation(tx: Transaction) -> Outcome[UUID]:
        events = await open_publication(
            tx,
            inspection_id=inspection,
            enterprise_id=world.enterprise.id,
            site_id=world.site.id,
            region=world.site.region,
            department_id=world.market.id,
            completed_at=tx.now,
            embargo_working_days=5,
        )
        return Outcome(answer=events[0].subject_id, events=events)

    return await api.parts.work.run(INSTALLATION, operation)


async def test_a_branch_sees_orders_and_publications_of_its_sites_alone(api: Api, world: World) -> None:
    here = await a_member(api, world, EnterprisePost.CLERK, world.site.id)
    elsewhere = await a_member(api, world, EnterprisePost.CLERK, world.second_site.id)
    found, order = await ordered(api, world, PLAIN)
    publication = await a_publication(api, world, found.inspection)
    for who, listed, status in ((here, 1, 200), (elsewhere, 0, 404), (world.enterprise_user, 1, 200)):
        actor = api.as_(who)
        for path, one in (("rectification-orders", order["id"]), ("publications", publication)):
            assert len((await actor.get(f"/api/v1/{path}")).json()["items"]) == listed, path
            assert (await actor.get(f"/api/v1/{path}/{one}")).status_code == status, path
        assert (await actor.get("/api/v1/transfers")).json()["items"] == []
        assert (await actor.get(f"/api/v1/inspections/{found.inspection}/documents")).status_code == status


async def test_a_branch_answers_no_order_of_another_site(api: Api, world: World) -> None:
    elsewhere = await a_member(api, world, EnterprisePost.CLERK, world.second_site.id)
    _, order = await ordered(api, world, PLAIN)
    path = f"/api/v1/rectification-orders/{order['id']}"
    more_time = {"days": 5, "reason": "设备未到"}
    refused(await api.as_(elsewhere).post(f"{path}/extension", more_time), 404, "not-found")
    answers = {"items": [{"item_id": order["items"][0], "answer": "已改正。"}]}
    response = await api.as_(elsewhere).post(f"{path}/feedback", answers)
    assert response.status_code == 404, response.text
    here = await a_member(api, world, EnterprisePost.CLERK, world.site.id)
    accepted(await api.as_(here).post(f"{path}/extension", more_time))


async def test_the_lists_of_an_enterprise_are_one_statement(api: Api, world: World) -> None:
    async with statements(api) as sent:
        await members(api, world.enterprise_user)
    assert len([text for text in sent if "membership" in text]) == 1


async def test_every_statement_finds_its_rows_by_an_index(api: Api, world: World, database: Database) -> None:
    await _fill(database, world)
    some = uuid4()
    page = {"after_id": UUID(int=0), "with_ended": False, "within": None, "limit": 21}
    looked_for: list[tuple[Command, dict[str, Any], str]] = [
        (store.MEMBERS, {"enterprise_id": some, **page}, "ix_membership_enterprise_id"),
        (store.LOCK_OF_ENTERPRISE, {"enterprise_id": some}, "ix_membership_enterprise_id"),
        (store.LOCK_INVITATIONS_OF_PHONE, {"phone_index": b"x", "since": NOW}, "uq_membership_phone"),
        (store.CHOICES_OF_USER, {"user_id": some}, "uq_membership_user"),
        (store.LOCK_USER_BY_NUMBER, {"user_type": "person", "number_index": b"x"}, "uq_provider_user_number"),
        (store.CLAIMS_TO_REVIEW, {"usccs": [f"uscc-{number}" for number in range(1000)]}, "ix_membership_claim"),
    ]
    async with borrow(api.parts.pool) as connection:
        for statement, given, index in looked_for:
            plan = await connection.fetch(f"EXPLAIN {statement.text}", *statement.arguments(given))
            assert index in "\n".join(line for (line,) in plan), plan


async def _fill(database: Database, world: World) -> None:
    """20,000 enterprises, each with somebody who was invited, who joined, and who claimed it."""
    connection = await asyncpg.connect(database.dsn)
    try:
        await connection.execute("SET session_replication_role = replica")  # foreign keys wait
        await connection.execute(
            "INSERT INTO enterprise (id, uscc, name, object_type, region_code, created_at, updated_at) "
            "SELECT gen_random_uuid(), 'uscc-' || n, '企业' || n, '企业', '450103', now(), now() "
            "FROM generate_series(1, 20000) n"
        )
        await connection.execute(
            "INSERT INTO membership (id, enterprise_id, account_id, user_id, basis, state, post, phone_index, "
            "created_at) SELECT gen_random_uuid(), e.id, CASE WHEN s.state = 'active' THEN gen_random_uuid() END, "
            "CASE WHEN s.state = 'active' THEN gen_random_uuid() END, 'invitation', s.state, 'clerk', "
            "decode(md5(e.uscc || s.state), 'hex'), now() FROM enterprise e "
            "CROSS JOIN (VALUES ('active'), ('invited')) s (state) WHERE e.id <> $1",
            world.enterprise.id,
        )
        await connection.execute(
            "INSERT INTO membership (id, enterprise_id, account_id, user_id, basis, state, post, representative, "
            "created_at) SELECT gen_random_uuid(), id, gen_random_uuid(), gen_random_uuid(), 'claim', 'active', "
            "'manager', '韦大山', now() FROM enterprise WHERE id <> $1",
            world.enterprise.id,
        )
        await connection.execute(
            "INSERT INTO provider_user (id, user_type, user_id_code, number_index, number_sealed, name_sealed, "
            "created_at, updated_at) SELECT gen_random_uuid(), 'person', 'c' || n, decode(md5(n::text), 'hex'), "
            "''::bytea, ''::bytea, now(), now() FROM generate_series(1, 20000) n"
        )
        await connection.execute("ANALYZE membership, provider_user, enterprise")
    finally:
        await connection.close()
