"""亮码告知 over HTTP (ONE-02): one code, many readers; what a scan costs, and how fresh it is."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from api.live import Feed
from api.relay import Relay
from codes.token import issue_token
from domain.complaint.store import ACCEPTED_OF_ENTERPRISE
from domain.enterprise.operations import reissue_code, revoke_code
from domain.identity.model import Principal
from domain.inspection import store
from domain.publication.store import WAITING_OF_SITE
from domain.scan.store import OPEN_CORRECTIONS_OF_SITE, PAPERS_OF_SITE, SCANNED_SITE, SELF_INSPECTIONS_OF_SITE
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, open_lines, refused, statements
from tests.support.factories import INSTALLATION, World, check_in_order, make_enterprise, make_site
from tests.support.linksets import faults_of
from tests.support.relaying import running

LINKSET = "application/linkset+json"
A_BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PUBLIC = {
    "audience",
    "site_id",
    "actions",
    "basics",
    "licences",
    "regulator",
    "contact",
    "results",
    "manuals",
    "complaint_counts",
}
OWN = {"own_pending_publications", "open_corrections", "own_papers", "own_self_inspections", "accepted_complaints"}


async def scanned(api: Api, world: World, who: Principal | None = None, code: str = "") -> dict[str, Any]:
    """What `who` is told by the code at the world's site."""
    actor = api.anyone if who is None else api.as_(who)
    response = await actor.get(f"/api/v1/codes/{code or world.code}")
    assert response.status_code == 200, response.text
    return response.json()


async def replace_code(api: Api, world: World) -> str:
    """换码; gives the new token."""
    keys = api.parts.code_keys
    code = await api.parts.work.run(INSTALLATION, lambda tx: reissue_code(tx, world.site.id, keys, "码牌破损"))
    return issue_token(keys, code.code_id)


async def revoke(api: Api, world: World) -> None:
    """停用码."""
    await api.parts.work.run(INSTALLATION, lambda tx: revoke_code(tx, world.site.id, "场所已关闭"))


async def complete(api: Api, inspection: UUID) -> None:
    """Completing comes with a later room; the row alone is what the scan reads."""
    async with borrow(api.parts.pool) as connection:
        await connection.execute(
            "UPDATE inspection SET state = 'completed', completed_at = $1, outcome = 'no_problem' WHERE id = $2",
            api.clock.now,
            inspection,
        )


# One code, many readers


async def test_nobody_signed_in_reads_what_the_public_may(api: Api, world: World) -> None:
    view = await scanned(api, world)

    assert set(view) == PUBLIC
    assert (view["audience"], view["actions"]) == ("citizen", ["complain", "follow_up", "suggest", "tip_off"])
    assert view["basics"]["uscc"] == world.enterprise.uscc
    assert {licence["name"] for licence in view["licences"]} == {"食品经营许可证", "酒类经营许可证"}
    assert view["regulator"] == {"name": "南宁市市场监督管理局", "hotline": "0771-12345"}


async def test_the_same_code_tells_each_reader_their_own_part(api: Api, world: World) -> None:
    citizen = await scanned(api, world)
    expected = {
        "enterprise": (world.enterprise_user, {"orders", "history"} | OWN),
        "inspector_with_order": (world.inspector, {"orders", "history", "grades", "location", "open_corrections"}),
        "inspector": (world.unassigned_inspector, {"history"}),
        "lead": (world.lead, {"orders", "history", "grades", "location", "open_corrections"}),
    }
    for audience, (who, more) in expected.items():
        view = await scanned(api, world, who)
        assert (view["audience"], set(view)) == (audience, PUBLIC | more)
        assert view["basics"] == citizen["basics"]


async def test_out_of_their_own_field_everybody_is_a_citizen(api: Api, world: World) -> None:
    citizen = await scanned(api, world)

    for who in (world.foreign_user, world.foreign_lead, world.administrator):
        assert await scanned(api, world, who) == citizen


async def test_an_inspectors_order_counts_at_its_own_site_only(api: Api, world: World) -> None:
    assert (await scanned(api, world, world.inspector))["actions"] == ["check_in", "inspect", "re_inspect"]
    elsewhere = await scanned(api, world, world.inspector, world.second_code)
    assert (elsewhere["audience"], elsewhere["actions"]) == ("inspector", [])


async def test_an_enterprise_learns_of_an_order_once_officers_came(api: Api, world: World) -> None:
    assert (await scanned(api, world, world.enterprise_user))["orders"] == []

    path = f"/api/v1/inspections/{world.inspection}/check-ins"
    accepted(await api.as_(world.inspector).post(path, check_in_order(world)))

    (order,) = (await scanned(api, world, world.enterprise_user))["orders"]
    assert order["id"] == str(world.inspection)


async def test_history_is_whole_for_who_works_there_and_brief_for_other_inspectors(api: Api, world: World) -> None:
    done = await world.dispatch(name="去年的检查")
    await complete(api, done)

    (whole,) = (await scanned(api, world, world.inspector))["history"]
    (brief,) = (await scanned(api, world, world.unassigned_inspector))["history"]
    assert brief == {"completed_on": "2026-08-05", "outcome": "no_problem"}
    assert whole == {
        **brief,
        "name": "去年的检查",
        "kind": "routine",
        "authority": "南宁市市场监督管理局",
    }


async def test_what_is_private_is_kept_by_nobody_on_the_way(api: Api, world: World) -> None:
    private = await api.as_(world.lead).get(f"/api/v1/codes/{world.code}")
    public = await api.anyone.get(f"/api/v1/codes/{world.code}")

    assert private.headers["cache-control"] == "private, no-store"
    assert "etag" not in private.headers
    assert public.headers["cache-control"] == "no-cache"
    assert "Authorization" in public.headers["vary"]


async def test_the_public_register_is_told_by_its_code_too(api: Api, world: World) -> None:
    answer = (await api.anyone.get(f"/api/v1/public/enterprises/{world.enterprise.uscc.lower()}")).json()

    assert answer["name"] == world.enterprise.name
    assert [site["basics"]["site_name"] for site in answer["sites"]] == ["总店", "分店"]
    assert all(set(site) == PUBLIC for site in answer["sites"])
    refused(await api.anyone.get("/api/v1/public/enterprises/91450100NOBODY0000"), 404, "not-found", "uscc")


# The page


async def test_a_browser_gets_a_page_that_needs_no_script(api: Api, world: World) -> None:
    response = await api.anyone.get(f"/c/{world.code}", A_BROWSER)

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    text = response.text
    for word in (world.enterprise.name, world.enterprise.uscc, "食品经营许可证", "0771-12345", "韦大山"):
        assert word in text, word
    assert "<script" not in text.lower()
    assert len(response.content) <= 15 * 1024
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_the_page_marks_the_licence_that_has_run_out(api: Api, world: World) -> None:
    text = (await api.anyone.get(f"/c/{world.code}", A_BROWSER)).text

    assert text.count("已过期") == 1
    assert text.index("酒类经营许可证") < text.index("已过期")


async def test_the_page_shows_what_the_register_says_as_text(api: Api, world: World) -> None:
    async with borrow(api.parts.pool) as connection:
        odd = await make_enterprise(connection, api.parts.vault, name="<script>alert(1)</script>&店")
        site = await make_site(connection, odd, world.market)
    code = await api.parts.work.run(INSTALLATION, lambda tx: issue(api, tx, site.id))

    text = (await api.anyone.get(f"/c/{code}", A_BROWSER)).text

    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;店" in text


async def issue(api: Api, tx: Any, site_id: UUID) -> Any:
    """发码, with the token as its answer."""
    from domain.enterprise.operations import issue_code
    from domain.shared.transaction import Outcome

    outcome = await issue_code(tx, site_id, api.parts.code_keys)
    return Outcome(answer=issue_token(api.parts.code_keys, outcome.answer.code_id), events=outcome.events)


async def test_the_address_reads_the_same_in_either_case(api: Api, world: World) -> None:
    pages = {
        (await api.anyone.get(f"/{letter}/{token}", A_BROWSER)).content
        for letter in ("C", "c")
        for token in (world.code, world.code.lower())
    }

    assert len(pages) == 1
    assert world.enterprise.name.encode() in pages.pop()


async def test_a_signed_in_browser_gets_the_public_page(api: Api, world: World) -> None:
    page = await api.anyone.get(f"/c/{world.code}", A_BROWSER)

    assert (await api.as_(world.lead).get(f"/c/{world.code}", A_BROWSER)).content == page.content


async def test_a_client_that_asks_for_json_gets_what_the_api_says(api: Api, world: World) -> None:
    json_please = {"Accept": "application/json"}

    assert (await api.anyone.get(f"/c/{world.code}", json_please)).json() == await scanned(api, world)
    assert (await api.as_(world.lead).get(f"/C/{world.code}", json_please)).json()["audience"] == "lead"


# The linkset (RFC 9264)


async def test_a_linkset_has_one_context_and_exactly_one_default_link(api: Api, world: World) -> None:
    response = await api.anyone.get(f"/c/{world.code.lower()}", {"Accept": LINKSET})

    assert response.headers["content-type"].startswith(LINKSET)
    document = response.json()
    assert faults_of(document) == []
    (context,) = document["linkset"]
    assert context["anchor"] == f"http://yima.test/c/{world.code}"
    (default,) = context["https://ref.gs1.org/voc/defaultLink"]
    assert default["href"] == context["anchor"]
    assert (default["type"], default["hreflang"]) == ("text/html", ["zh-CN"])
    assert default["title*"] == [{"value": world.enterprise.name, "language": "zh-CN"}]


async def test_an_enterprises_linkset_names_no_code(api: Api, world: World) -> None:
    path = f"/api/v1/public/enterprises/{world.enterprise.uscc}"
    response = await api.anyone.get(path, {"Accept": LINKSET})

    assert response.headers["content-type"].startswith(LINKSET)
    document = response.json()
    assert faults_of(document) == []
    (context,) = document["linkset"]
    assert context["anchor"] == f"http://yima.test{path}"
    assert [each["href"] for each in context["self"]] == [context["anchor"]]
    assert len(context["https://ref.gs1.org/voc/defaultLink"]) == 1
    for code in (world.code, world.second_code):
        assert code not in response.text.upper()


@pytest.mark.parametrize("path", ["/c/{code}", "/api/v1/public/enterprises/{uscc}"])
async def test_every_link_leads_somewhere(api: Api, world: World, path: str) -> None:
    place = path.format(code=world.code, uscc=world.enterprise.uscc)
    (context,) = (await api.anyone.get(place, {"Accept": LINKSET})).json()["linkset"]
    targets = [target for relation in context if relation != "anchor" for target in context[relation]]

    assert len(targets) >= 4
    for target in targets:
        response = await api.anyone.get(target["href"], {"Accept": target["type"]})
        assert response.status_code == 200, target["href"]
        assert response.headers["content-type"].startswith(target["type"])


# Asked again


@pytest.mark.parametrize("accept", ["text/html", LINKSET, "application/json"])
async def test_who_has_it_already_is_not_sent_it_again(api: Api, world: World, accept: str) -> None:
    path = f"/c/{world.code}"
    first = await api.anyone.get(path, {"Accept": accept})
    etag = first.headers["etag"]

    for known in (etag, f"W/{etag}", f'"another", {etag}'):
        again = await api.anyone.get(path, {"Accept": accept, "If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    changed = await api.anyone.get(path, {"Accept": accept, "If-None-Match": '"another"'})
    assert (changed.status_code, changed.content) == (200, first.content)


# Codes that have ended, and none at all


async def test_a_replaced_code_says_so_kindly(api: Api, world: World) -> None:
    renewed = await replace_code(api, world)

    page = await api.anyone.get(f"/c/{world.code}", A_BROWSER)
    assert (page.status_code, page.headers["content-type"][:9]) == (410, "text/html")
    assert "这个码已经换新" in page.text
    assert "请扫描新码" in page.text
    assert "0771-12345" in page.text
    assert "content-security-policy" in page.headers
    refused(await api.anyone.get(f"/api/v1/codes/{world.code}"), 410, "code-replaced", "code")
    refused(await api.as_(world.lead).get(f"/api/v1/codes/{world.code}"), 410, "code-replaced", "code")
    refused(await api.anyone.get(f"/c/{world.code}", {"Accept": LINKSET}), 410, "code-replaced", "code")
    assert (await scanned(api, world, code=renewed))["site_id"] == str(world.site.id)


async def test_a_revoked_code_says_so_kindly(api: Api, world: World) -> None:
    await revoke(api, world)

    page = await api.anyone.get(f"/c/{world.code}", A_BROWSER)
    assert page.status_code == 410
    assert "这个码已经停用" in page.text
    assert "场所已关闭" not in page.text
    refused(await api.anyone.get(f"/api/v1/codes/{world.code}"), 410, "code-revoked", "code")


async def test_what_is_no_code_says_so_kindly(api: Api, world: World) -> None:
    for token in (world.code[:-1], "NOTACODE", issue_token(api.parts.code_keys, b"neverwas")):
        page = await api.anyone.get(f"/c/{token}", A_BROWSER)
        assert (page.status_code, page.headers["content-type"][:9]) == (404, "text/html")
        assert "没有认出这个码" in page.text
        refused(await api.anyone.get(f"/api/v1/codes/{token}"), 404, "invalid-code", "token")


# What it costs


@pytest.mark.parametrize("path", ["/api/v1/codes/{}", "/c/{}", "/C/{}"])
async def test_an_invalid_code_costs_no_statement(api: Api, world: World, path: str) -> None:
    forged = world.code[:10] + ("0" if world.code[10] != "0" else "1") + world.code[11:]

    async with statements(api) as sent:
        for token in (forged, "NOTACODE", world.code + "0"):
            assert (await api.anyone.get(path.format(token), A_BROWSER)).status_code == 404

    assert sent == []


@pytest.mark.parametrize("accept", ["text/html", LINKSET, "application/json"])
async def test_a_public_scan_costs_one_statement_and_none_when_kept(api: Api, world: World, accept: str) -> None:
    await current(api)
    async with statements(api) as sent:
        first = await api.anyone.get(f"/c/{world.code}", {"Accept": accept})
        assert sent == [SCANNED_SITE.text]
        again = await api.anyone.get(f"/c/{world.code}", {"Accept": accept})

    assert sent == [SCANNED_SITE.text]
    assert again.content == first.content


async def test_a_signed_in_scan_costs_two_statements_and_one_for_each_section_of_its_own(
    api: Api, world: World
) -> None:
    everybody = [SCANNED_SITE.text, store.INSPECTIONS_OF_SITE.text]
    at_work = [*everybody, OPEN_CORRECTIONS_OF_SITE.text]
    own = [WAITING_OF_SITE, OPEN_CORRECTIONS_OF_SITE, PAPERS_OF_SITE, SELF_INSPECTIONS_OF_SITE, ACCEPTED_OF_ENTERPRISE]
    costs = [
        (world.foreign_user, everybody),
        (world.unassigned_inspector, everybody),
        (world.inspector, at_work),
        (world.lead, at_work),
        (world.enterprise_user, [*everybody, *(statement.text for statement in own)]),
    ]
    for who, expected in costs:
        async with statements(api) as sent:
            await scanned(api, world, who)
        assert sent == expected


async def test_a_list_costs_one_statement_and_a_detail_four(api: Api, world: World) -> None:
    async with statements(api) as sent:
        assert (await api.as_(world.inspector).get("/api/v1/inspections")).status_code == 200
    assert sent == [store.LIST_OF_OFFICER.text]

    async with statements(api) as sent:
        assert (await api.as_(world.lead).get(f"/api/v1/inspections/{world.inspection}")).status_code == 200
    asked = [store.INSPECTION_BY_ID, store.PARTIES, store.ASSIGNED_OFFICERS, store.CHECK_INS]
    assert sent == [query.text for query in asked]


async def test_a_check_in_costs_eleven_statements_in_one_transaction(api: Api, world: World) -> None:
    path = f"/api/v1/inspections/{world.inspection}/check-ins"

    async with statements(api) as sent:
        accepted(await api.as_(world.inspector).post(path, check_in_order(world)))

    begin, claim, *acts, trace, message, keep, commit = sent
    assert (begin, commit) == ("BEGIN;", "COMMIT;")
    assert claim.startswith("INSERT INTO idempotency ")  # first, so that a second one of the same key waits here
    in_order = [
        store.LOCK_INSPECTION,  # one act at a time per inspection
        store.LATEST_VISIT,  # none yet, so nobody's check-ins are asked for
        store.ASSIGNED_OFFICERS,
        store.CODE_SITE,
        store.INSERT_VISIT,
        store.INSERT_CHECK_IN,
        store.PARTIES,  # whose name and hotline the arrival message bears
    ]
    assert acts == [statement.text for statement in in_order]
    assert trace.startswith("INSERT INTO trace ")
    assert message.startswith("INSERT INTO message ")
    assert keep.startswith("UPDATE idempotency ")  # the answer that a repetition gets


async def test_public_reads_write_nothing(api: Api, world: World) -> None:
    paths = [f"/api/v1/codes/{world.code}", f"/api/v1/public/enterprises/{world.enterprise.uscc}", "/"]
    check_in = f"/api/v1/inspections/{world.inspection}/check-ins"

    async with read_only(api):
        for path in paths:
            assert (await api.anyone.get(path)).status_code == 200
        for accept in ("text/html", LINKSET, "application/json"):
            assert (await api.anyone.get(f"/c/{world.code}", {"Accept": accept})).status_code == 200
        assert (await api.as_(world.lead).get(f"/api/v1/codes/{world.code}")).status_code == 200
        denied = await api.as_(world.inspector).post(check_in, check_in_order(world))
        assert denied.status_code == 500  # the proof that writing is impossible here


@asynccontextmanager
async def read_only(api: Api) -> AsyncGenerator[None]:
    """PostgreSQL refuses every write of the application meanwhile."""
    for line in open_lines(api):
        await line.execute("SET default_transaction_read_only = on")
    try:
        yield
    finally:
        for line in open_lines(api):
            await line.execute("SET default_transaction_read_only = off")


# How fresh it is


async def current(api: Api) -> None:
    """Wait until the feed has read: before that, no page is kept."""
    feed: Feed = api.app.state.feed
    while not feed.is_current:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("path", ["/api/v1/codes/{}", "/c/{}"])
async def test_a_kept_page_is_gone_within_a_second_of_a_new_code(
    api: Api, world: World, relay: Relay, path: str
) -> None:
    await current(api)
    async with running(relay):
        await asyncio.sleep(0.3)  # what the world's making left in the trace is placed by now
        assert (await api.anyone.get(path.format(world.code), A_BROWSER)).status_code == 200
        async with statements(api) as sent:
            assert (await api.anyone.get(path.format(world.code), A_BROWSER)).status_code == 200
        assert sent == []  # it is kept

        await replace_code(api, world)
        replaced_at = time.monotonic()
        while (await api.anyone.get(path.format(world.code), A_BROWSER)).status_code == 200:
            assert time.monotonic() - replaced_at < 1
            await asyncio.sleep(0.02)

    assert (await api.anyone.get(path.format(world.code), A_BROWSER)).status_code == 410


async def test_a_renewed_code_leaves_both_values_in_the_trace(api: Api, world: World) -> None:
    renewed = await replace_code(api, world)

    async with borrow(api.parts.pool) as connection:
        row = await connection.fetchrow("SELECT before, after, site_id FROM trace WHERE action = 'code.reissued'")
        codes = await connection.fetch(
            "SELECT code_id, state, end_reason FROM site_code WHERE site_id = $1", row["site_id"]
        )
    before, after = json.loads(row["before"]), json.loads(row["after"])
    states = {code["code_id"].hex(): (code["state"], code["end_reason"]) for code in codes}
    assert (before["state"], after["state"], after["reason"]) == ("issued", "issued", "码牌破损")
    assert states == {before["code_id"]: ("replaced", "码牌破损"), after["code_id"]: ("issued", None)}
    assert (await scanned(api, world, code=renewed))["basics"]["established_on"] == date(2019, 5, 6).isoformat()
