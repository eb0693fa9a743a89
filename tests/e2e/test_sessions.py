"""登录, refresh and 退出 over HTTP (MOB-01, SEC-07): one answer for every way to fail, no token beyond its right."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest

from domain.identity.model import Principal
from domain.identity.operations import SessionGrant, start_checked_session
from domain.identity.rules import LogInLocked
from domain.identity.store import ACCOUNT_BY_ID, DELETE_OLD_LOG_IN_FAILURES
from domain.shared.sql import borrow
from domain.shared.transaction import Outcome, Transaction
from tests.support.client import Api, refused
from tests.support.factories import INSTALLATION, NOW, PASSWORD, World, login_of

SESSIONS = "/api/v1/sessions"


async def log_in(api: Api, name: str, password: str = PASSWORD) -> httpx.Response:
    """Ask for a session."""
    return await api.anyone.post(SESSIONS, {"name": name, "password": password}, key="")


async def signed_in(api: Api, who: Principal) -> dict[str, Any]:
    """The tokens of a new session of `who`."""
    response = await log_in(api, login_of(who))
    assert response.status_code == 201, response.text
    return response.json()


async def refresh(api: Api, token: str) -> httpx.Response:
    """Ask for the successor of a refresh token."""
    return await api.anyone.post(f"{SESSIONS}/refresh", {"refresh_token": token}, key="")


async def refreshed(api: Api, token: str) -> dict[str, Any]:
    """New tokens."""
    response = await refresh(api, token)
    assert response.status_code == 201, response.text
    return response.json()


async def list_with(api: Api, access_token: str) -> httpx.Response:
    """Something that only officials may read."""
    return await api.anyone.get("/api/v1/inspections", {"Authorization": f"Bearer {access_token}"})


async def disable(api: Api, who: Principal) -> None:
    """Account administration comes with a later room; the row is what sessions read."""
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE account SET disabled_at = $1 WHERE id = $2", NOW, who.account_id)


# 登录


async def test_the_right_password_opens_a_session(api: Api, world: World) -> None:
    tokens = await signed_in(api, world.inspector)

    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 900)
    assert tokens["account"] == {
        "account_id": str(world.inspector.account_id),
        "name": world.inspector.name,
        "role": "inspector",
        "role_label": "执法人员",
        "post": "一级主办",
        "department_id": str(world.market.id),
        "officer_id": str(world.officer.id),
        "enterprise_id": None,
        "enterprise_post": None,
        "site_ids": None,
    }
    assert (await list_with(api, tokens["access_token"])).status_code == 200


async def test_a_log_in_is_traced_with_who_and_when(api: Api, world: World) -> None:
    await signed_in(api, world.inspector)

    async with borrow(api.parts.pool) as connection:
        row = await connection.fetchrow("SELECT * FROM trace WHERE action = 'session.started'")
    assert (row["operator_id"], row["at"]) == (world.inspector.account_id, NOW)
    assert row["department_id"] == world.market.id


async def test_every_way_to_fail_gets_the_same_answer(api: Api, world: World) -> None:
    await disable(api, world.lead)

    wrong_password = await log_in(api, login_of(world.inspector), "wrong")
    unknown_name = await log_in(api, "nobody")
    disabled = await log_in(api, login_of(world.lead))

    for response in (wrong_password, unknown_name, disabled):
        refused(response, 401, "log-in-refused")
        assert response.content == wrong_password.content
        assert dict(response.headers) == dict(wrong_password.headers)


async def test_an_unknown_name_is_not_told_by_the_time_it_takes(api: Api, world: World) -> None:
    known = min([await seconds(api, login_of(world.inspector)) for _ in range(5)])
    unknown = min([await seconds(api, "nobody") for _ in range(5)])

    assert 0.4 < unknown / known < 2.5


async def seconds(api: Api, name: str) -> float:
    """How long a wrong password takes."""
    begun = time.perf_counter()
    await log_in(api, name, "wrong")
    return time.perf_counter() - begun


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "password": "x"}, "name"),
        ({"name": "x", "password": "y" * 201}, "password"),
    ],
)
async def test_a_log_in_that_cannot_be_one_is_told_by_its_field(api: Api, body: dict[str, str], field: str) -> None:
    refused(await api.anyone.post(SESSIONS, body), 422, "invalid-field", field)


# Refresh


async def test_a_refresh_carries_the_session_on(api: Api, world: World) -> None:
    first = await signed_in(api, world.inspector)
    api.clock.advance(timedelta(hours=1))
    refused(await list_with(api, first["access_token"]), 401, "token-expired")

    second = await refreshed(api, first["refresh_token"])

    assert second["refresh_token"] != first["refresh_token"]
    assert (await list_with(api, second["access_token"])).status_code == 200


async def test_a_lost_answer_does_not_log_anybody_out(api: Api, world: World) -> None:
    first = await signed_in(api, world.inspector)

    lost = await refreshed(api, first["refresh_token"])
    asked_again = await refreshed(api, first["refresh_token"])

    assert asked_again["refresh_token"] == lost["refresh_token"]
    await refreshed(api, asked_again["refresh_token"])


async def test_a_refresh_token_whose_successor_was_used_ends_the_session(api: Api, world: World) -> None:
    first = await signed_in(api, world.inspector)
    second = await refreshed(api, first["refresh_token"])
    third = await refreshed(api, second["refresh_token"])

    refused(await refresh(api, first["refresh_token"]), 401, "session-ended")

    for token in (second, third):
        refused(await refresh(api, token["refresh_token"]), 401, "session-ended")


async def test_ending_one_session_leaves_the_others(api: Api, world: World) -> None:
    phone, desk = await signed_in(api, world.inspector), await signed_in(api, world.inspector)
    second = await refreshed(api, phone["refresh_token"])
    await refreshed(api, second["refresh_token"])
    refused(await refresh(api, phone["refresh_token"]), 401, "session-ended")

    await refreshed(api, desk["refresh_token"])


async def test_a_session_ends_after_thirty_days(api: Api, world: World) -> None:
    tokens = await signed_in(api, world.inspector)

    api.clock.advance(timedelta(days=30) - timedelta(seconds=1))
    successor = await refreshed(api, tokens["refresh_token"])
    api.clock.advance(timedelta(seconds=1))
    refused(await refresh(api, successor["refresh_token"]), 401, "session-ended")


async def test_a_disabled_account_cannot_go_on(api: Api, world: World) -> None:
    tokens = await signed_in(api, world.inspector)
    await disable(api, world.inspector)

    refused(await refresh(api, tokens["refresh_token"]), 401, "session-ended")


async def test_a_refresh_gives_the_rights_of_today(api: Api, world: World) -> None:
    tokens = await signed_in(api, world.lead)
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE account SET region = '450000.450200' WHERE id = $1", world.lead.account_id)

    renewed = await refreshed(api, tokens["refresh_token"])

    assert (await list_with(api, renewed["access_token"])).json()["items"] == []
    assert len((await list_with(api, tokens["access_token"])).json()["items"]) == 1  # for its last minutes


async def test_a_refresh_token_that_is_none_of_ours_is_refused(api: Api, world: World) -> None:
    good = (await signed_in(api, world.inspector))["refresh_token"]
    swapped = good[:30] + ("A" if good[30] != "A" else "B") + good[31:]

    for false in (good[:-1], swapped, "A" * len(good), "汉" * 20):
        refused(await refresh(api, false), 401, "token-invalid")
    await refreshed(api, good)


async def test_an_access_token_refreshes_nothing(api: Api, world: World) -> None:
    tokens = await signed_in(api, world.inspector)

    assert (await refresh(api, tokens["access_token"][:200])).status_code == 401


# 退出


async def test_who_logged_out_cannot_refresh(api: Api, world: World) -> None:
    tokens = await signed_in(api, world.inspector)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}

    first = await api.http.delete(f"{SESSIONS}/current", headers=bearer)
    again = await api.http.delete(f"{SESSIONS}/current", headers=bearer)

    assert (first.status_code, again.status_code) == (204, 204)
    refused(await refresh(api, tokens["refresh_token"]), 401, "session-ended")
    async with borrow(api.parts.pool) as connection:
        assert await connection.fetchrow("SELECT count(*) AS n FROM trace WHERE action = 'session.ended'") == (1,)


async def test_nobody_logs_out_who_is_not_signed_in(api: Api) -> None:
    refused(await api.anyone.delete(f"{SESSIONS}/current"), 401, "not-signed-in")


# Access tokens


async def test_an_access_token_is_good_for_fifteen_minutes(api: Api, world: World) -> None:
    tokens = await signed_in(api, world.inspector)

    api.clock.advance(timedelta(minutes=15) - timedelta(seconds=1))
    assert (await list_with(api, tokens["access_token"])).status_code == 200
    api.clock.advance(timedelta(seconds=1))
    response = await list_with(api, tokens["access_token"])
    refused(response, 401, "token-expired")
    assert response.headers["www-authenticate"] == "Bearer"


def tampered(token: str) -> list[str]:
    """Tokens that look like `token` and are not."""
    head, claims, tag = token.split(".")
    return [
        f"{head}.{claims}.{tag[:-4]}AAAA",
        f"{head}.{claims[:-4]}AAAA.{tag}",
        f"{head}.{claims}.",
        "eyJhbGciOiJub25lIiwia2lkIjoiMSJ9." + claims + ".",
        token[:-10],
        "nonsense",
        "",
    ]


@pytest.mark.parametrize("path", ["/api/v1/inspections", "/api/v1/codes/{}", "/c/{}", "/", "/health/live"])
async def test_a_tampered_token_is_refused_also_where_none_is_needed(api: Api, world: World, path: str) -> None:
    token = (await signed_in(api, world.inspector))["access_token"]

    for false in tampered(token):
        response = await api.anyone.get(path.format(world.code), {"Authorization": f"Bearer {false}"})
        refused(response, 401, "token-invalid")
    other_scheme = await api.anyone.get(path.format(world.code), {"Authorization": "Basic dXNlcjpwYXNz"})
    refused(other_scheme, 401, "token-invalid")


async def test_an_expired_token_is_told_also_where_none_is_needed(api: Api, world: World) -> None:
    bearer = api.as_(world.inspector).bearer()
    api.clock.advance(timedelta(minutes=15))

    refused(await api.anyone.get(f"/api/v1/codes/{world.code}", bearer), 401, "token-expired")


async def test_somebody_elses_token_gives_what_that_account_may_and_no_more(api: Api, world: World) -> None:
    borrowed = api.as_(world.foreign_user).bearer()

    public = await api.anyone.get(f"/api/v1/codes/{world.code}")
    shown = await api.anyone.get(f"/api/v1/codes/{world.code}", borrowed)
    assert shown.json() == public.json()
    refused(await api.anyone.get("/api/v1/inspections", borrowed), 403, "forbidden")
    refused(await api.anyone.get(f"/api/v1/inspections/{world.inspection}", borrowed), 403, "forbidden")


async def test_a_token_says_who_and_nothing_in_the_request_can_say_more(api: Api, world: World) -> None:
    bearer = api.as_(world.enterprise_user).bearer()
    boasting = {**bearer, "X-Role": "lead", "X-User": str(world.lead.account_id), "Cookie": "role=lead"}

    response = await api.anyone.get(f"/api/v1/codes/{world.code}", boasting, role="lead")

    assert response.json()["audience"] == "enterprise"


# Too many failures (SEC-02)


async def test_after_five_failures_a_name_waits_even_for_the_right_password(api: Api, world: World) -> None:
    name = login_of(world.lead)
    for _ in range(5):
        refused(await log_in(api, name, "wrong"), 401, "log-in-refused")
    locked = await log_in(api, name)
    assert refused(locked, 429, "login-locked") == {"retry_after": 900}
    assert locked.headers["Retry-After"] == "900"
    await signed_in(api, world.manager)  # nobody else waits

    api.clock.now = NOW + timedelta(minutes=14, seconds=59)
    assert refused(await log_in(api, name), 429, "login-locked") == {"retry_after": 1}
    api.clock.now = NOW + timedelta(minutes=15)
    await signed_in(api, world.lead)
    refused(await log_in(api, name, "wrong"), 401, "log-in-refused")


async def test_a_name_that_does_not_exist_waits_alike(api: Api, world: World) -> None:
    for _ in range(5):
        refused(await log_in(api, "nobody"), 401, "log-in-refused")
    refused(await log_in(api, "nobody"), 429, "login-locked")
    assert world.lead.name


async def test_failures_are_forgotten_by_success_and_by_time(api: Api, world: World) -> None:
    name = login_of(world.lead)
    for _ in range(3):
        for _ in range(4):
            await log_in(api, name, "wrong")
        await signed_in(api, world.lead)
    for minutes in range(0, 60, 4):
        api.clock.now = NOW + timedelta(minutes=minutes)
        refused(await log_in(api, name, "wrong"), 401, "log-in-refused")


async def test_of_many_guesses_at_once_those_after_the_fifth_get_nothing(api: Api, world: World) -> None:
    name = login_of(world.lead)
    await asyncio.gather(*(log_in(api, name, "wrong") for _ in range(12)))
    refused(await log_in(api, name), 429, "login-locked")
    async with borrow(api.parts.pool) as connection:
        rows = await connection.fetch("SELECT * FROM log_in_failure")
        traced = await connection.fetch("SELECT * FROM trace WHERE action = 'account.log_in_locked'")
    assert [row["failures"] for row in rows] == [12]
    assert name not in str(rows)
    assert [row["subject_id"] for row in traced] == [world.lead.account_id]


async def test_a_right_guess_among_many_is_refused_once_the_name_waits(api: Api, world: World) -> None:
    index = api.parts.vault.blind_index("account.login", login_of(world.lead))
    account = world.lead.account_id
    for _ in range(5):
        await log_in(api, login_of(world.lead), "wrong")

    async def late(tx: Transaction) -> Outcome[SessionGrant]:
        found = await ACCOUNT_BY_ID.one(tx.connection, id=account)
        return await start_checked_session(tx, found, index)

    with pytest.raises(LogInLocked):
        await api.parts.work.run(INSTALLATION, late)


async def test_failures_of_yesterday_are_swept(api: Api, world: World) -> None:
    await log_in(api, login_of(world.lead), "wrong")
    async with borrow(api.parts.pool) as connection:
        assert await DELETE_OLD_LOG_IN_FAILURES.run(connection, before=NOW) == 0
        assert await DELETE_OLD_LOG_IN_FAILURES.run(connection, before=NOW + timedelta(seconds=1)) == 1
