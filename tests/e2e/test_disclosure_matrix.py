"""亮码告知, the whole matrix: every audience, every representation, every column that is nobody's business.

Words that cannot be mistaken stand in every such column of the database (`tests/support/marking.py`); each answer is
searched for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import msgspec

from domain.identity.model import EnterprisePost, Principal
from domain.shared.sql import borrow
from tests.support.client import Api, accepted
from tests.support.database import Database
from tests.support.factories import World, check_in_order, make_account, make_enterprise, make_site
from tests.support.inspecting import prepare_list
from tests.support.linked_pages import links
from tests.support.marking import mark_everything
from tests.support.publishing import complete

MARK = re.compile(r"MARK_([a-z_]+)")
LINKSET = "application/linkset+json"
NEVER_NAMED = {
    "risk_level",
    "credit_grade",
    "grades",
    "longitude",
    "latitude",
    "location",
    "officers",
    "officer_id",
    "photos",
    "orders",
    "history",
    "own_papers",
    "open_corrections",
    "accepted_complaints",
    "tip_offs",
    "enterprise_id",
    "withheld_note",
    "withdrawn_reason",
}
"""Keys that no public answer has, wherever in it."""
EXPOSED = {
    "exposure_title_published",
    "exposure_text_published",
    "site_profile_opening_hours",
    "site_profile_public_phone",
}
"""The words of a published exposure, and what an enterprise itself puts out of a site, are public: nothing else is."""


async def prepare(api: Api, world: World, database: Database) -> None:
    """A site with a list, an open visit, results that wait, are public and were withdrawn; then every word planted."""
    await prepare_list(api.parts, world)
    path = f"/api/v1/inspections/{world.inspection}/check-ins"
    accepted(await api.as_(world.inspector).post(path, check_in_order(world)))
    await complete(api, world, await world.dispatch(), outcome="uncooperative")
    await complete(api, world, await world.dispatch(), days=0)
    withdrawn = await complete(api, world, await world.dispatch(), days=0, outcome="closed_down")
    reason = {"reason": "检查对象有误"}
    accepted(await api.as_(world.manager).post(f"/api/v1/publications/{withdrawn}/withdrawal", reason))
    async with borrow(api.parts.pool) as connection:
        trader = await make_enterprise(
            connection, api.parts.vault, name="巷口米粉", object_type="个体工商户", domicile="MARK_home"
        )
        await make_site(connection, trader, world.market)
    assert await mark_everything(database.dsn, world) > 150
    api.app.state.page_cache.evict_all()


def public_places(world: World) -> list[tuple[str, str]]:
    """Every public address, with what is asked for there."""
    pages = [
        f"/c/{world.code}",
        f"/c/{world.code}/elder",
        f"/e/{world.enterprise.uscc}",
        "/search?q=老友",
        "/search?q=MARK",
        "/search?q=巷口",
        "/open-data",
        "/exposures",
        "/manuals",
        "/checklists",
        "/",
        f"/c/{world.code}/complaint",
        f"/c/{world.code}/tip-off",
        "/subscriptions/new",
        f"/subscriptions/new?uscc={world.enterprise.uscc}",
        f"/subscriptions/new?site={world.site.id}",
    ]
    answers = [
        f"/c/{world.code}",
        f"/api/v1/codes/{world.code}",
        f"/api/v1/codes/{world.second_code}",
        f"/api/v1/public/enterprises/{world.enterprise.uscc}",
        "/api/v1/public/results",
        "/api/v1/public/results?format=csv",
        f"/api/v1/public/results?uscc={world.enterprise.uscc}",
        "/api/v1/public/results/dumps",
        "/api/v1/public/exposures",
        "/api/v1/public/manuals",
        "/api/v1/public/checklists",
        "/api/v1/public/search?q=MARK",
        "/api/v1/public/search?q=mark_inspection",
        "/api/v1/public/search?q=老友",
        "/api/v1/public/search?q=巷口米粉",
        "/api/v1/public/search?q=不配合检查",
        "/api/v1/public/search?q=检查",
    ]
    linksets = [f"/c/{world.code}", f"/api/v1/public/enterprises/{world.enterprise.uscc}"]
    return [
        *((place, "text/html") for place in pages),
        *((place, "application/json") for place in answers),
        *((place, LINKSET) for place in linksets),
    ]


def leaks(response: httpx.Response, allowed: set[str] = EXPOSED) -> set[str]:
    """The planted words in an answer, body and headers, that should not be there."""
    told = response.text + json.dumps(dict(response.headers), ensure_ascii=False)
    words = {found.rstrip("_") for found in MARK.findall(told)}
    return {word for word in words if not any(word.startswith(each) for each in allowed)}


def keys_in(value: Any) -> set[str]:
    """Every key of a JSON value."""
    if isinstance(value, Mapping):
        return set(value) | {key for each in value.values() for key in keys_in(each)}
    if isinstance(value, list):
        return {key for each in value for key in keys_in(each)}
    return set()


def assert_public(response: httpx.Response, place: str) -> None:
    """Nothing in it that is not everybody's."""
    assert response.status_code < 500, place
    assert leaks(response) == set(), place
    for secret in ("111.101101", "23.202202", "不配合检查", "已停业或注销"):
        assert secret not in response.text.replace("q=不配合检查", ""), (place, secret)
    if response.headers["content-type"].startswith(("application/json", LINKSET)):
        assert keys_in(response.json()) & NEVER_NAMED == set(), place


# A citizen, whatever they add


async def test_a_citizen_reads_nothing_that_is_not_public(api: Api, world: World, database: Database) -> None:
    await prepare(api, world, database)
    for place, accept in public_places(world):
        assert_public(await api.http.get(place, headers={"Accept": accept}), f"{accept} {place}")
    board = (await api.anyone.get("/api/v1/public/exposures")).json()["items"]
    assert [each["title"] for each in board] == ["MARK_exposure_title_published"]


async def test_what_a_citizen_adds_changes_nothing(api: Api, world: World, database: Database) -> None:
    await prepare(api, world, database)
    added: list[dict[str, str]] = [
        {"X-Forwarded-User": "lead"},
        {"X-Remote-User": str(world.lead.account_id), "X-Role": "lead"},
        {"X-Original-URL": "/api/v1/inspections", "X-Rewrite-URL": "/api/v1/inspections"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"Cookie": "session=lead; Authorization=Bearer"},
        {"Forwarded": "for=127.0.0.1;host=localhost"},
        {"Yima-Pass": "anything", "Yima-Device": "x" * 20},
    ]
    asked = ("audience=lead", "role=lead&region=450000", f"principal={world.lead.account_id}", "section=grades&all=1")
    for place, accept in public_places(world):
        plain = await api.http.get(place, headers={"Accept": accept})
        is_form = any(
            each in place for each in ("/complaint", "/tip-off", "/subscriptions")
        )  # carries a fresh pass each time
        for headers in added:
            response = await api.http.get(place, headers={"Accept": accept, **headers})
            assert_public(response, f"{headers} {place}")
            assert is_form or response.content == plain.content, (place, headers)
        for query in asked:
            response = await api.http.get(f"{place}{'&' if '?' in place else '?'}{query}", headers={"Accept": accept})
            assert_public(response, f"{query} {place}")


ACCEPTS = (
    "*/*",
    "",
    "application/json;q=0.1, text/html;q=0.9",
    "application/vnd.yima.internal+json",
    "application/xml",
    f"{LINKSET}, */*",
    "text/csv",
    "x" * 5000,
)


async def test_no_representation_tells_more(api: Api, world: World, database: Database) -> None:
    await prepare(api, world, database)
    for accept in ACCEPTS:
        for place in (f"/c/{world.code}", f"/api/v1/codes/{world.code}", "/api/v1/public/results"):
            assert_public(await api.http.get(place, headers={"Accept": accept}), f"{accept[:40]} {place}")


async def test_a_token_that_is_none_opens_nothing(api: Api, world: World, database: Database) -> None:
    await prepare(api, world, database)
    good = api.as_(world.lead).bearer()["Authorization"]
    tokens = {
        "of another kind": "Basic bGVhZDpsZWFk",
        "garbage": "Bearer garbage",
        "cut": good[:-4],
        "unsigned": good.rpartition(".")[0] + ".",
        "empty": "Bearer ",
    }
    for place, accept in public_places(world):
        for name, token in tokens.items():
            response = await api.http.get(place, headers={"Accept": accept, "Authorization": token})
            assert response.status_code == 401, (name, place)
            assert leaks(response, set()) == set(), (name, place)
    api.clock.now += timedelta(hours=1)
    expired = await api.http.get(f"/api/v1/codes/{world.code}", headers={"Authorization": good})
    assert (expired.status_code, leaks(expired, set())) == (401, set())


async def test_no_other_method_tells_more(api: Api, world: World, database: Database) -> None:
    await prepare(api, world, database)
    for method in ("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
        for place, accept in public_places(world):
            response = await api.http.request(method, place, headers={"Accept": accept})
            assert response.status_code < 500, (method, place)
            assert leaks(response, set()) == set(), (method, place)


# Everybody else, at the code


AT_WORK = {"inspection_name", "rectification_item_title"}
OWN = AT_WORK | {"document_title", "self_inspection_business_type"}


async def audiences(api: Api, world: World) -> list[tuple[str, Principal, str, set[str]]]:
    """Who, as which audience, and which planted words may stand in their answer."""
    async with borrow(api.parts.pool) as connection:
        viewer = await make_account(connection, world.enterprise_user.role, enterprise_id=world.enterprise.id)
    viewer = msgspec.structs.replace(viewer, enterprise_post=EnterprisePost.VIEWER)
    branch = msgspec.structs.replace(viewer, site_ids=(world.second_site.id,))
    return [
        ("another enterprise", world.foreign_user, "citizen", set()),
        ("a lead elsewhere", world.foreign_lead, "citizen", set()),
        ("an administrator", world.administrator, "citizen", set()),
        ("another branch", branch, "citizen", set()),
        ("the enterprise", world.enterprise_user, "enterprise", OWN),
        ("its viewer", viewer, "enterprise", OWN),
        ("an inspector with an order", world.inspector, "inspector_with_order", AT_WORK),
        ("an inspector without one", world.unassigned_inspector, "inspector", set()),
        ("a department's manager", world.manager, "lead", AT_WORK),
        ("a lead", world.lead, "lead", AT_WORK),
    ]


async def test_each_audience_is_told_its_own_words_and_no_others(api: Api, world: World, database: Database) -> None:
    who = await audiences(api, world)
    await prepare(api, world, database)
    for name, principal, audience, allowed in who:
        response = await api.as_(principal).get(f"/api/v1/codes/{world.code}")
        assert response.status_code == 200, response.text
        assert response.json()["audience"] == audience, name
        assert leaks(response, allowed | EXPOSED) == set(), name
        told = leaks(response, set())
        for word in allowed & AT_WORK:
            assert any(each.startswith(word) for each in told), (name, word, told)
        grades = response.json().get("grades")
        assert (grades is not None) is (audience in {"lead", "inspector_with_order"}), name


async def test_who_is_signed_in_reads_the_same_public_pages(api: Api, world: World, database: Database) -> None:
    who = await audiences(api, world)
    await prepare(api, world, database)
    places = [
        (place, accept)
        for place, accept in public_places(world)
        if "/codes/" not in place and not (place.startswith("/c/") and accept == "application/json")
    ]
    for name, principal, _, _ in who:
        for place, accept in places:
            response = await api.as_(principal).get(place, {"Accept": accept})
            assert_public(response, f"{name} {accept} {place}")


# Whoever a message led here


async def test_a_link_shows_what_it_is_for_and_nothing_else(api: Api, world: World, database: Database) -> None:
    linked = await links(api, world)
    assert await mark_everything(database.dsn, world) > 150
    api.app.state.page_cache.evict_all()
    owned: set[str] = set()
    for place in linked:
        response = await api.http.get(place)
        assert response.status_code < 500, place
        # What somebody asked to be told of stands before themselves alone.
        is_own = "/subscription" in place
        assert leaks(response, EXPOSED | ({"subscription_label"} if is_own else set())) == set(), place
        owned |= leaks(response)
    assert owned, "what is their own is shown"


async def test_a_paper_behind_a_link_shows_what_stands_in_it(api: Api, world: World, database: Database) -> None:
    notice = (await links(api, world))[0]
    assert await mark_everything(database.dsn, world) > 150
    opened = await api.http.post(notice, follow_redirects=True)
    assert (opened.status_code, leaks(opened)) == (200, set())
    told = await api.anyone.post(f"/api/v1/notice-links/{notice.rpartition('/')[2]}/openings", key="")
    assert (told.status_code, leaks(told)) == (201, set())
    assert keys_in(told.json()) & {"enterprise_id", "message_id", "link_id", "officers", "history"} == set()


# Who answers for messages and deadlines

DESKS: Mapping[str, set[str]] = {
    "messages": set(),
    "messages/counts": set(),
    "to-dos": set(),
    "message-log": set(),
    "message-log?state=failed": set(),
    "message-log/statistics": set(),
    "message-providers": set(),
    "message-templates": set(),
    "deadlines": set(),
    "supervision-orders": set(),
    "supervision-orders?box=issued": set(),
    "supervision-orders?box=region": set(),
    "working-calendar/2028": {"calendar_day_note"},
}
"""Where somebody reads of messages and of what is due, and which planted words stand there before all who may."""
MESSAGE_MARKS = """
INSERT INTO message (id, trace_id, template, template_version, purpose, channel, recipient, recipient_id, parameters,
    state, attempts, created_at, department_id, region, subject, subject_id, address_masked, last_error)
SELECT gen_random_uuid(), gen_random_uuid(), 'phone_code', 1, 'verification', 'sms', each, gen_random_uuid(),
    '{"minutes": "5", "code": "MARK_code"}', 'failed', 1, $1, $2, $3::text::ltree, 'MARK_subject', gen_random_uuid(),
    'MARK_address', NULL
FROM unnest(array['complainant', 'informant', 'phone_verification', 'enterprise_member', 'subscription']) AS each
"""


async def test_messages_and_deadlines_tell_each_their_own_and_no_word_of_another(
    api: Api, world: World, database: Database
) -> None:
    who = await audiences(api, world)
    await prepare(api, world, database)
    async with borrow(api.parts.pool) as connection:
        await connection.execute(MESSAGE_MARKS, api.clock.now, world.market.id, world.site.region)
    for name, principal, _, _ in who:
        for desk, shown in DESKS.items():
            response = await api.as_(principal).get(f"/api/v1/{desk}")
            assert response.status_code in {200, 403}, (name, desk, response.text)
            assert leaks(response, shown | {"subject"}) == set(), (name, desk)
