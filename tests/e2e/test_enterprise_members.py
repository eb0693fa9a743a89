"""企业人员 over HTTP (ENT-01): invited, joined, changed, removed."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from tests.support.acting import (
    MEMBERS,
    WEI,
    actions,
    claimed,
    entered,
    invitation,
    invite,
    joined,
    log_in,
    members,
    refresh,
    with_token,
)
from tests.support.client import Api, accepted, refused
from tests.support.factories import NOW, World
from tests.support.visits import rows
from tests.support.zhiguitong import LU, QIN, Identity, Person

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


async def test_who_was_invited_by_two_numbers_is_one_member_and_enters_by_either(
    api: Api, world: World, service: Identity
) -> None:
    manager = api.as_(world.enterprise_user)
    other = msgspec.structs.replace(LU, mobile="13977100009")
    await invite(api, world)
    later = await invite(api, world, other)
    first = await entered(api, service.know("lu", other.told()))
    accepted(await manager.post(f"{MEMBERS}/{later}/removal"))
    await entered(api, service.know("lu", LU.told()))  # by the older invitation
    await invite(api, world, other)
    again = await entered(api, service.know("lu", other.told()))
    assert again["session"]["account"]["account_id"] == first["session"]["account"]["account_id"]
    in_force = [each for each in await members(api, world.enterprise_user) if each["basis"] == "invitation"]
    assert [each["state"] for each in in_force] == ["active"]


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
