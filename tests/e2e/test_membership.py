"""企业认领 and log-in by 智桂通 over HTTP (ENT-01, 8.1, 8.5): who enters for an enterprise."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.shared.sql import borrow
from tests.support.acting import (
    MEMBERS,
    actions,
    change_representative,
    claim,
    claimed,
    entered,
    invitation,
    invite,
    joined,
    log_in,
    refresh,
    with_token,
)
from tests.support.client import Api, accepted, refused
from tests.support.factories import World
from tests.support.visits import rows
from tests.support.zhiguitong import LU, QIN, Identity, legal_person

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
