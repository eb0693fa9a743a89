"""企业认领 and 企业人员 over HTTP (ENT-01, 8.1, 8.5): who enters for an enterprise, and what they may do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio

from api.imports.commands import import_enterprises
from domain.identity.model import EnterprisePost, Principal, Role
from domain.membership import store
from domain.publication.operations import open_publication
from domain.shared.sql import Command, borrow
from domain.shared.transaction import Outcome, Transaction
from tests.support.client import Api, accepted, refused, statements
from tests.support.database import Database
from tests.support.factories import INSTALLATION, NOW, World, make_account
from tests.support.problems import PLAIN, ordered
from tests.support.visits import rows
from tests.support.zhiguitong import LU, QIN, Identity, Person, identity_service, legal_person

LOG_IN = "/api/v1/sessions/zhiguitong"
CLAIMS = "/api/v1/enterprise-claims"
MEMBERS = "/api/v1/enterprise-members"
WEI = "450103190001010010"
"""The number of 韦大山, whom the register names."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(running_api: Api) -> AsyncIterator[Identity]:
    """智桂通, simulated, which the application asks."""
    async with identity_service() as identity:
        running_api.app.state.identity_provider = identity.client
        yield identity


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


# 企业认领


async def test_the_representative_claims_the_enterprise_and_manages_it_at_once(
    api: Api, world: World, service: Identity
) -> None:
    answer = await claimed(api, world, service)
    account = answer["session"]["account"]
    assert (account["enterprise_id"], account["enterprise_post"], account["site_ids"]) == (
        str(world.enterprise.id),
        "manager",
        None,
    )
    assert answer["enterprise"]["enterprise_name"] == world.enterprise.name
    assert (await with_token(api, answer, MEMBERS)).status_code == 200
    accepted(await with_token(api, answer, MEMBERS, invitation()))
    assert await actions(api) == ["membership.claimed", "membership.invited"]


async def test_claiming_again_is_only_another_log_in(api: Api, world: World, service: Identity) -> None:
    first = await claimed(api, world, service)
    again = await claimed(api, world, service)
    later = await entered(api, "legal")
    assert first["membership_id"] == again["membership_id"]
    accounts = {each["session"]["account"]["account_id"] for each in (first, again, later)}
    assert len(accounts) == 1
    assert await actions(api) == ["membership.claimed"]


async def test_two_claims_at_once_make_one(api: Api, world: World, service: Identity) -> None:
    service.know("legal", legal_person(world.enterprise.uscc))
    answers = await asyncio.gather(*(claim(api, "legal", world.enterprise.uscc) for _ in range(4)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["membership_id"] for each in answers}) == 1


@pytest.mark.parametrize(
    ("changes", "status", "kind", "field"),
    [
        ({"representative": "韦小山"}, 409, "claim-mismatch", "legal_representative"),
        ({"idcardNum": "91450100MA5K000016"}, 409, "claim-mismatch", "uscc"),
        ({"legalIdcardNum": None}, 409, "claim-mismatch", "legal_representative"),
        ({"legalName": None}, 409, "claim-mismatch", "legal_representative"),
        ({"userState": "0"}, 403, "identity-frozen", None),
        ({"userLevel": "0"}, 403, "account-type-insufficient", None),
    ],
)
async def test_what_does_not_fit_is_refused_with_the_field_at_fault(
    api: Api, world: World, service: Identity, changes: dict[str, Any], status: int, kind: str, field: str | None
) -> None:
    token = service.know("legal", legal_person(world.enterprise.uscc, **changes))
    response = await claim(api, token, world.enterprise.uscc)
    refused(response, status, kind, field)
    assert "韦大山" not in response.text  # the register's own value
    assert await rows(api, "provider_user") == []


async def test_a_person_claims_nothing_and_an_unknown_enterprise_is_not_found(
    api: Api, world: World, service: Identity
) -> None:
    service.know("person", LU.told())
    problem = (await claim(api, "person", world.enterprise.uscc)).json()
    assert problem["type"].endswith("account-type-insufficient")
    assert "您登录本系统的账户类别不满足业务办理要求，请使用符合要求的账户重新登录系统" in problem["detail"]
    service.know("other", legal_person("91450100MA5K000016"))
    refused(await claim(api, "other", "91450100MA5K000016"), 404, "not-found", "uscc")


async def test_spelling_of_name_and_code_does_not_count(api: Api, world: World, service: Identity) -> None:
    token = service.know("legal", legal_person(world.enterprise.uscc.lower(), representative="韦 大山"))
    assert (await claim(api, token, f" {world.enterprise.uscc}")).status_code == 201


# A change of the 法定代表人


async def test_a_claim_is_in_doubt_once_the_register_names_another_and_reads_no_more_than(
    api: Api, world: World, service: Identity, tmp_path: Path
) -> None:
    answer = await claimed(api, world, service)
    await change_representative(api, world, tmp_path, "黄新")

    refreshed = (await refresh(api, answer)).json()
    assert refreshed["account"]["enterprise_post"] == "viewer"
    after = {"session": refreshed}
    refused(await with_token(api, after, MEMBERS, invitation()), 403, "forbidden")
    assert (await entered(api, "legal"))["enterprises"][0]["state"] == "doubted"

    await change_representative(api, world, tmp_path, "韦大山")
    assert (await entered(api, "legal"))["session"]["account"]["enterprise_post"] == "manager"
    assert await actions(api) == ["membership.claimed", "membership.doubted", "membership.confirmed"]


async def test_the_new_representative_takes_over_and_the_former_is_out(
    api: Api, world: World, service: Identity, tmp_path: Path
) -> None:
    former = await claimed(api, world, service)
    await change_representative(api, world, tmp_path, "黄新")
    new = await claimed(api, world, service, representative="黄新", number="450103190001010045")

    assert new["session"]["account"]["account_id"] != former["session"]["account"]["account_id"]
    refused(await refresh(api, former), 401, "session-ended")
    service.know("legal", legal_person(world.enterprise.uscc))  # the former one, with the company's account
    refused(await log_in(api, "legal"), 403, "no-enterprise-yet")
    refused(await claim(api, "legal", world.enterprise.uscc), 409, "claim-mismatch", "legal_representative")
    assert (await actions(api))[-2:] == ["membership.ended", "membership.claimed"]


async def test_an_import_that_says_nothing_new_leaves_claims_alone(
    api: Api, world: World, service: Identity, tmp_path: Path
) -> None:
    await claimed(api, world, service)
    await change_representative(api, world, tmp_path, "韦大山")
    assert await actions(api) == ["membership.claimed"]


# 企业人员


async def test_who_is_invited_gets_a_message_and_joins_by_the_phone(api: Api, world: World, service: Identity) -> None:
    member = await invite(api, world)
    (message,) = [each for each in await rows(api, "message") if each["template"] == "member_invitation"]
    assert (message["recipient"], str(message["recipient_id"])) == ("enterprise_member", member)
    assert LU.mobile not in str(dict(message))

    answer = await entered(api, service.know("lu", LU.told()))
    account = answer["session"]["account"]
    assert (account["enterprise_post"], account["post"], account["name"]) == ("clerk", "经办人", "陆**")
    assert (await entered(api, "lu"))["session"]["account"]["account_id"] == account["account_id"]
    assert await actions(api) == ["membership.invited", "membership.joined"]


async def test_nothing_personal_stands_in_clear(api: Api, world: World, service: Identity) -> None:
    await joined(api, world, service)
    await claimed(api, world, service)
    for table in ("trace", "message", "membership", "provider_user", "account", "idempotency"):
        stored = json.dumps([str(dict(each)) for each in await rows(api, table)], ensure_ascii=False)
        for secret in (LU.mobile, LU.idcard, LU.name, WEI):
            assert secret not in stored, table
            assert secret.encode().hex() not in stored, table


async def test_who_comes_several_times_at_once_joins_once(api: Api, world: World, service: Identity) -> None:
    await invite(api, world)
    service.know("lu", LU.told(userMobile=f"+86 {LU.mobile}"))
    answers = await asyncio.gather(*(log_in(api, "lu") for _ in range(4)))
    assert {each.status_code for each in answers} == {201}
    assert len({each.json()["session"]["account"]["account_id"] for each in answers}) == 1
    assert len(await rows(api, "provider_user")) == 1
    assert await actions(api) == ["membership.invited", "membership.joined"]


async def test_another_phone_joins_nothing(api: Api, world: World, service: Identity) -> None:
    await invite(api, world, LU)
    refused(await log_in(api, service.know("qin", QIN.told())), 403, "no-enterprise-yet")
    assert await rows(api, "provider_user") == []


@pytest.mark.parametrize("level", ["0", None])
async def test_who_is_not_verified_joins_nothing(api: Api, world: World, service: Identity, level: str | None) -> None:
    await invite(api, world, LU)
    token = service.know("lu", LU.told(userLevel=level))
    refused(await log_in(api, token), 403, "account-type-insufficient")


async def test_an_invitation_lapses_and_makes_room_for_another(api: Api, world: World, service: Identity) -> None:
    await invite(api, world, LU)
    refused(await api.as_(world.enterprise_user).post(MEMBERS, invitation()), 409, "member-already-there", "phone")
    api.clock.now = NOW + timedelta(days=30)
    refused(await log_in(api, service.know("lu", LU.told())), 403, "no-enterprise-yet")
    await invite(api, world, LU)
    await entered(api, "lu")


async def test_the_manager_reads_names_and_no_whole_phone(api: Api, world: World, service: Identity) -> None:
    await joined(api, world, service)
    listed = {each["name"]: each for each in await members(api, world.enterprise_user)}
    assert (listed["陆小燕"]["phone"], listed["陆小燕"]["state"]) == ("139****0001", "active")
    assert len(listed) == 2
    assert await members(api, world.foreign_user) != []
    refused(await api.as_(world.inspector).get(MEMBERS), 403, "forbidden")


async def test_the_list_goes_on_by_its_cursor(api: Api, world: World) -> None:
    for number in range(5):
        person = Person(name=f"员工{number}", mobile=f"1397710100{number}", idcard="", code="")
        await invite(api, world, person)
    actor = api.as_(world.enterprise_user)
    seen: list[str] = []
    cursor = None
    while True:
        page = (await actor.get(MEMBERS, None, limit=2, cursor=cursor)).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone": "0771-5812345"}, "phone"),
        ({"phone": "12345"}, "phone"),
        ({"name": "   "}, "name"),
        ({"post": "owner"}, "post"),
        ({"site_ids": []}, "site_ids"),
        ({"site_ids": [str(uuid4())]}, "site_ids"),
    ],
)
async def test_an_invitation_that_cannot_be_is_refused(
    api: Api, world: World, changes: dict[str, Any], field: str
) -> None:
    response = await api.as_(world.enterprise_user).post(MEMBERS, invitation(**changes))
    refused(response, 422, "invalid-field", field)


async def test_a_post_changes_at_the_next_refresh_and_a_removal_ends_the_session(
    api: Api, world: World, service: Identity
) -> None:
    answer = await joined(api, world, service)
    (member,) = [each["id"] for each in await members(api, world.enterprise_user) if each["basis"] == "invitation"]
    manager = api.as_(world.enterprise_user)

    accepted(await manager.put(f"{MEMBERS}/{member}", {"post": "viewer", "site_ids": [world.second_site.id]}))
    refreshed = (await refresh(api, answer)).json()
    assert (refreshed["account"]["enterprise_post"], refreshed["account"]["site_ids"]) == (
        "viewer",
        [str(world.second_site.id)],
    )

    accepted(await manager.post(f"{MEMBERS}/{member}/removal"))
    refused(await refresh(api, {"session": refreshed}), 401, "session-ended")
    refused(await log_in(api, "person-lu"), 403, "no-enterprise-yet")
    refused(await manager.post(f"{MEMBERS}/{member}/removal"), 404, "not-found")


async def test_who_comes_back_has_the_account_of_before_and_not_its_sessions(
    api: Api, world: World, service: Identity
) -> None:
    first = await joined(api, world, service)
    (member,) = [each["id"] for each in await members(api, world.enterprise_user) if each["basis"] == "invitation"]
    accepted(await api.as_(world.enterprise_user).post(f"{MEMBERS}/{member}/removal"))
    second = await joined(api, world, service, post="manager")
    assert second["session"]["account"]["account_id"] == first["session"]["account"]["account_id"]
    assert second["session"]["account"]["enterprise_post"] == "manager"
    refused(await refresh(api, first), 401, "session-ended")


async def test_one_manager_of_the_whole_always_remains(api: Api, world: World, service: Identity) -> None:
    manager = api.as_(world.enterprise_user)
    (own,) = await members(api, world.enterprise_user)
    refused(await manager.post(f"{MEMBERS}/{own['id']}/removal"), 409, "last-manager")
    refused(await manager.put(f"{MEMBERS}/{own['id']}", {"post": "clerk"}), 409, "last-manager")
    refused(
        await manager.put(f"{MEMBERS}/{own['id']}", {"post": "manager", "site_ids": [world.site.id]}),
        409,
        "last-manager",
    )
    await joined(api, world, service, post="manager")
    accepted(await manager.put(f"{MEMBERS}/{own['id']}", {"post": "clerk"}))
    refused(await manager.post(MEMBERS, invitation(QIN)), 403, "forbidden")  # the token is older than the change


async def test_two_managers_who_remove_each_other_at_once_leave_one(api: Api, world: World, service: Identity) -> None:
    answer = await joined(api, world, service, post="manager")
    listed = await members(api, world.enterprise_user)
    own = next(each["id"] for each in listed if each["basis"] == "installation")
    other = next(each["id"] for each in listed if each["basis"] == "invitation")
    results = await asyncio.gather(
        api.as_(world.enterprise_user).post(f"{MEMBERS}/{other}/removal"),
        with_token(api, answer, f"{MEMBERS}/{own}/removal", {}),
    )
    assert [each.status_code for each in results].count(201) == 1


async def test_the_representative_is_not_removed_by_the_people(api: Api, world: World, service: Identity) -> None:
    await claimed(api, world, service)
    (representative,) = [each for each in await members(api, world.enterprise_user) if each["basis"] == "claim"]
    assert representative["name"] == "韦大山"
    refused(
        await api.as_(world.enterprise_user).post(f"{MEMBERS}/{representative['id']}/removal"),
        409,
        "representative-stays",
    )


async def test_another_enterprises_member_is_not_found(api: Api, world: World) -> None:
    member = await invite(api, world)
    foreign = api.as_(world.foreign_user)
    refused(await foreign.post(f"{MEMBERS}/{member}/removal"), 404, "not-found")
    refused(await foreign.put(f"{MEMBERS}/{member}", {"post": "viewer"}), 404, "not-found")


async def test_no_more_invitations_in_a_day_than_an_enterprise_has_use_for(api: Api, world: World) -> None:
    manager = api.as_(world.enterprise_user)
    for number in range(50):
        person = Person(name="员工", mobile=f"139772000{number:02}", idcard="", code="")
        accepted(await manager.post(MEMBERS, invitation(person)))
    refused(await manager.post(MEMBERS, invitation()), 409, "too-many-members")
    api.clock.now = NOW + timedelta(days=1)
    accepted(await manager.post(MEMBERS, invitation()))


# Several enterprises


async def test_who_belongs_to_two_enterprises_chooses_one_and_has_an_account_in_each(
    api: Api, world: World, service: Identity
) -> None:
    await invite(api, world, LU)
    accepted(await api.as_(world.foreign_user).post(MEMBERS, invitation(LU, "viewer")))
    token = service.know("lu", LU.told())

    unclear = await log_in(api, token)
    assert unclear.status_code == 201
    assert unclear.json()["session"] is None
    assert {each["enterprise_id"] for each in unclear.json()["enterprises"]} == {
        str(world.enterprise.id),
        str(world.other_enterprise.id),
    }
    here = (await entered(api, token, world.enterprise.id))["session"]["account"]
    there = (await entered(api, token, world.other_enterprise.id))["session"]["account"]
    assert (here["enterprise_post"], there["enterprise_post"]) == ("clerk", "viewer")
    assert here["account_id"] != there["account_id"]
    refused(await log_in(api, token, uuid4()), 403, "no-enterprise-yet", "enterprise_id")


async def test_a_new_provider_id_of_the_same_person_is_the_same_person(
    api: Api, world: World, service: Identity
) -> None:
    first = await joined(api, world, service)
    moved = await entered(api, service.know("moved", LU.told(userIdcode="another-code", updateTime="2026-08-05")))
    assert moved["session"]["account"]["account_id"] == first["session"]["account"]["account_id"]
    assert len(await rows(api, "provider_user")) == 1
    # The id of before belongs to somebody else now, who is nobody here.
    refused(await log_in(api, service.know("other", QIN.told(userIdcode=LU.code))), 403, "no-enterprise-yet")


# The provider


async def test_a_provider_that_is_away_is_told_with_when_to_ask_again(
    api: Api, world: World, service: Identity
) -> None:
    service.service.troubles = [500] * 3
    response = await log_in(api, service.know("lu", LU.told()))
    refused(response, 503, "identity-provider-away")
    assert response.headers["Retry-After"] == "5"
    refused(await log_in(api, "nobody"), 401, "identity-token-invalid", "token")
    assert world.enterprise.uscc


async def test_no_transaction_is_open_while_the_provider_is_asked(api: Api, world: World, service: Identity) -> None:
    await invite(api, world)
    service.know("lu", LU.told())
    service.service.troubles = [0.4]
    asking = asyncio.create_task(log_in(api, "lu"))
    await asyncio.sleep(0.2)
    async with borrow(api.parts.pool) as connection:
        open_now = await connection.fetch(
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'yima server' AND state LIKE 'idle in trans%'"
        )
    assert open_now == []
    assert (await asking).status_code == 201


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
