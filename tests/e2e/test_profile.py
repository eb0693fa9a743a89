"""What the enterprise says of itself: its own to change, sealed where it names people, traced without them."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.support.client import Api, accepted, refused
from tests.support.factories import World
from tests.support.visits import rows

WORDS = {
    "liaison_name": "梁小燕",
    "liaison_phone": "138 0771 2345",
    "email": "laoyou@example.com",
    "brand_name": "老友记",
}
OF_SITE = {
    "opening_hours": "7:00—22:00",
    "business_phone": "0771-5812345",
    "is_phone_public": False,
    "contact_name": "覃店长",
    "contact_phone": "13907710001",
}


def profile_of(world: World) -> str:
    return f"/api/v1/enterprises/{world.enterprise.id}/profile"


def site_of(world: World) -> str:
    return f"/api/v1/sites/{world.site.id}/profile"


async def test_the_register_is_shown_and_the_own_words_are_changed(api: Api, world: World) -> None:
    own = api.as_(world.enterprise_user)
    before = (await own.get(profile_of(world))).json()
    assert (before["registered"]["uscc"], before["version"]) == (world.enterprise.uscc, 0)
    assert len(before["licences"]) == 2
    assert accepted(await own.put(profile_of(world), WORDS))["version"] == 1
    assert accepted(await own.put(site_of(world), OF_SITE))["version"] == 1
    after = (await own.get(profile_of(world))).json()
    assert after["said"] == {**WORDS, "liaison_phone": "13807712345"}
    assert after["registered"] == before["registered"]
    [main] = [each for each in after["sites"] if each["is_main"]]
    assert (main["version"], main["said"]) == (1, OF_SITE)
    assert accepted(await own.put(profile_of(world), {"brand_name": "老友记"}, if_match=1))["version"] == 2
    assert (await own.get(profile_of(world))).json()["said"]["liaison_phone"] is None


async def test_what_the_register_owns_cannot_be_sent(api: Api, world: World) -> None:
    own = api.as_(world.enterprise_user)
    for field in ("legal_representative", "registered_capital", "name", "uscc"):
        assert (await own.put(profile_of(world), {field: "另一个"})).status_code == 422


async def test_of_two_who_change_it_at_once_the_second_is_told(api: Api, world: World) -> None:
    own = api.as_(world.enterprise_user)
    accepted(await own.put(profile_of(world), WORDS))
    facts = refused(await own.put(profile_of(world), {}), 412, "profile-conflict", "If-Match")
    assert facts == {"version": 1}
    accepted(await own.put(site_of(world), OF_SITE))
    refused(await own.put(site_of(world), OF_SITE, if_match=7), 412, "profile-conflict", "If-Match")


async def test_fields_are_judged_one_by_one(api: Api, world: World) -> None:
    own = api.as_(world.enterprise_user)
    wrong: list[tuple[str, dict[str, Any], str]] = [
        (profile_of(world), {"liaison_phone": "12345"}, "liaison_phone"),
        (profile_of(world), {"email": "laoyou"}, "email"),
        (profile_of(world), {"brand_name": "两\n行"}, "brand_name"),
        (site_of(world), {"contact_phone": "x"}, "contact_phone"),
        (site_of(world), {"is_phone_public": True}, "business_phone"),
    ]
    for path, body, field in wrong:
        refused(await own.put(path, body), 422, "invalid-field", field)


async def test_nobody_else_reads_or_writes_it(api: Api, world: World) -> None:
    foreign = api.as_(world.foreign_user)
    refused(await foreign.get(profile_of(world)), 404, "not-found")
    refused(await foreign.put(profile_of(world), WORDS), 404, "not-found")
    refused(await foreign.put(site_of(world), OF_SITE), 404, "not-found")
    refused(await api.as_(world.lead).get(profile_of(world)), 403, "forbidden")
    branch = api.as_(msgspec.structs.replace(world.enterprise_user, site_ids=(world.second_site.id,)))
    refused(await branch.put(profile_of(world), WORDS), 403, "forbidden")
    refused(await branch.put(site_of(world), OF_SITE), 404, "not-found")
    [seen] = (await branch.get(profile_of(world))).json()["sites"]
    assert seen["id"] == str(world.second_site.id)


async def test_people_are_sealed_and_no_trace_names_them(api: Api, world: World) -> None:
    own = api.as_(world.enterprise_user)
    accepted(await own.put(profile_of(world), WORDS))
    accepted(await own.put(site_of(world), OF_SITE))
    accepted(await own.put(profile_of(world), {**WORDS, "email": None}, if_match=1))
    marks = ("梁小燕", "13807712345", "laoyou@example.com", "覃店长", "13907710001", "5812345")
    for table in ("enterprise_profile", "site_profile", "trace", "message", "idempotency"):
        for row in await rows(api, table):
            assert not any(mark in str(dict(row)) for mark in marks), table
    traced = [row for row in await rows(api, "trace") if row["action"].endswith("profile_changed")]
    assert [msgspec.json.decode(row["after"])["fields"] for row in traced] == [
        ["liaison_name", "liaison_phone", "email", "brand_name"],
        ["opening_hours", "business_phone", "contact_name", "contact_phone"],
        ["email"],
    ]
    first, last = (msgspec.json.decode(traced[place]["after"])["digests"] for place in (0, 2))
    assert first["liaison_phone"] == last["liaison_phone"]
    assert last["email"] is None


async def test_a_phone_is_in_clear_only_once_the_enterprise_wants_it_public(api: Api, world: World) -> None:
    own = api.as_(world.enterprise_user)
    accepted(await own.put(site_of(world), OF_SITE))
    [stored] = await rows(api, "site_profile")
    assert stored["public_phone"] is None
    accepted(await own.put(site_of(world), {**OF_SITE, "is_phone_public": True}, if_match=1))
    [stored] = await rows(api, "site_profile")
    assert stored["public_phone"] == "0771-5812345"
