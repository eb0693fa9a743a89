"""当日任务包: what a phone takes along, sealed, bounded, and only what it does not have."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.enterprise.operations import reissue_code
from domain.inspection.package import operations
from domain.selection.sealing import ListSealBroken, SealedList, open_list
from tests.support.client import Api, accepted, refused, statements
from tests.support.factories import INSTALLATION, World, dispatch
from tests.support.inspecting import arrive, lines, prepare_inspection, prepare_list

TODAY = "/api/v1/packages/today"


async def package(api: Api, world: World, **query: object) -> dict[str, Any]:
    """The package of the world's inspector."""
    response = await api.as_(world.inspector).get(TODAY, **query)
    assert response.status_code == 200, response.text
    return response.json()


def sealed(entry: dict[str, Any]) -> SealedList:
    """The sealed list of an entry, as a phone reads it."""
    packed = entry["inspection"]["sealed_list"]
    return SealedList(
        inspection_id=UUID(entry["id"]),
        nonce=bytes.fromhex(packed["nonce"]),
        iv=bytes.fromhex(packed["iv"]),
        ciphertext=bytes.fromhex(packed["ciphertext"]),
        token_digest=bytes.fromhex(packed["token_digest"]),
    )


async def test_only_the_code_at_the_door_opens_the_list(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    told = await api.as_(world.inspector).get(TODAY)
    entry = next(each for each in told.json()["entries"] if each["id"] == str(inspection))

    opened = msgspec.json.decode(open_list(sealed(entry), world.code))
    with pytest.raises(ListSealBroken):
        open_list(sealed(entry), world.second_code)
    await arrive(api, world, inspection)

    shown = await lines(api, world.inspector, inspection)
    assert opened == [{name: value for name, value in line.items() if name != "answer"} for line in shown]
    assert world.code not in told.text
    assert "进货查验" not in told.text


async def test_what_the_phone_has_comes_without_content(api: Api, world: World) -> None:
    await prepare_inspection(api, world)
    first = await package(api, world)
    versions = [each["version"] for each in first["entries"]]

    again = await package(api, world, have=",".join(versions))
    api.clock.now += timedelta(minutes=5)
    etag = (await api.as_(world.inspector).get(TODAY)).headers["etag"]
    unchanged = await api.as_(world.inspector).get(TODAY, {"If-None-Match": etag})

    assert again["entries"] == [{"id": each["id"], "version": each["version"]} for each in first["entries"]]
    assert unchanged.status_code == 304


async def test_a_new_code_at_the_door_makes_a_new_version(api: Api, world: World) -> None:
    inspection = await prepare_inspection(api, world)
    before = {each["id"]: each["version"] for each in (await package(api, world))["entries"]}
    await api.parts.work.run(
        INSTALLATION, lambda tx: reissue_code(tx, world.site.id, api.parts.code_keys, "门口二维码破损")
    )

    after = {each["id"]: each["version"] for each in (await package(api, world))["entries"]}

    assert after[str(inspection)] != before[str(inspection)]


async def test_a_package_is_bounded_and_goes_on_where_it_ended(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = await prepare_list(api.parts, world)
    for number in range(6):
        due = date(2026, 8, 10) + timedelta(days=number % 3)
        await dispatch(api.parts, world.site, world.teams, checklist_version_id=version, due_on=due)
    monkeypatch.setattr(operations, "MOST_INSPECTIONS", 3)
    whole: list[str] = []
    cursor: str | None = None

    for _ in range(4):
        part = await package(api, world, cursor=cursor)
        assert len(part["entries"]) <= 3
        whole += [each["id"] for each in part["entries"]]
        cursor = part["next_cursor"]
        if cursor is None:
            break

    assert cursor is None
    assert len(whole) == len(set(whole)) == 7


async def test_bytes_bound_it_too(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await prepare_inspection(api, world)
    monkeypatch.setattr(operations, "MOST_BYTES", 1000)

    first = await package(api, world)
    rest = await package(api, world, cursor=first["next_cursor"])

    assert (len(first["entries"]), len(rest["entries"])) == (1, 1)
    assert rest["next_cursor"] is None


async def test_a_package_takes_three_statements_however_many_inspections(api: Api, world: World) -> None:
    await prepare_inspection(api, world)
    await package(api, world)

    async with statements(api) as sent:
        await package(api, world)

    assert len([text for text in sent if "typeinfo" not in text and "'jit'" not in text]) <= 2


async def test_numbers_are_leased_to_a_device_within_bounds(api: Api, world: World) -> None:
    device = str(uuid4())
    actor = api.as_(world.inspector)

    block = accepted(await actor.post("/api/v1/number-leases", {"device_id": device, "count": 15}))["block"]
    refused(
        await actor.post("/api/v1/number-leases", {"device_id": device, "count": 6}), 409, "numbers-still-held", "count"
    )

    assert [each["sequence"] for each in block["numbers"]] == list(range(1, 16))
    assert block["numbers"][0]["text"] == "SJ01-2026-ZG-000001"
    assert (await package(api, world, device_id=device))["numbers"] == [block]
    assert (await package(api, world, device_id=uuid4()))["numbers"] == []


async def test_only_officers_have_a_package(api: Api, world: World) -> None:
    for who in (world.manager, world.lead, world.enterprise_user):
        refused(await api.as_(who).get(TODAY), 403, "forbidden")
    assert (await api.as_(world.unassigned_inspector).get(TODAY)).json()["entries"] == []
