"""证据材料 in parts over HTTP: twice, in any order, to several servers; HEAD tells where to go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest_asyncio

from api.settings import Settings
from domain.identity.model import Principal
from domain.shared.sql import borrow
from tests.support.client import Api, accepted, api_client, refused
from tests.support.database import Database
from tests.support.factories import World
from tests.support.files import digest_of, film, picture
from tests.support.uploads import kept, put_file, put_part, read_file
from tests.support.visits import rows

PHOTO = picture(size=(2000, 1500), seed=7)
MEBIBYTE = 1024 * 1024
LONG = film(payload=bytes(range(256)) * 4 * 1024 * 5)
"""Somewhat more than 5 MiB."""
CUTS = [0, 2 * MEBIBYTE, 4 * MEBIBYTE, len(LONG)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def second_api(running_api: Api, database: Database, keys_folder: Path) -> AsyncIterator[Api]:
    """Another server process over the same database and store, as far as uploads can tell."""
    place: Settings = running_api.app.state.settings
    settings = Settings(var=place.var, keys=keys_folder, public_url=place.public_url)
    async with api_client(settings, database.dsn, running_api.clock) as other:
        yield other


async def where(api: Api, world: World, content: bytes, who: Principal | None = None) -> tuple[int, int, str | None]:
    """What HEAD tells: status, offset and range."""
    response = await api.http.head(
        f"/api/v1/evidence/{digest_of(content)}",
        params={"inspection_id": str(world.inspection)},
        headers=api.as_(who or world.inspector).bearer(),
    )
    assert response.content == b""
    return response.status_code, int(response.headers["upload-offset"]), response.headers.get("range")


async def test_a_film_comes_in_parts_and_head_tells_how_far(api: Api, world: World) -> None:
    assert await where(api, world, LONG) == (204, 0, None)
    for start, end in pairwise(CUTS[:-1]):
        response = await put_part(api, world, LONG, start, end)
        assert (response.status_code, response.json()) == (202, {"offset": end, "total": len(LONG)})
        assert (response.headers["upload-offset"], response.headers["range"]) == (str(end), f"bytes=0-{end - 1}")
        assert await where(api, world, LONG) == (204, end, f"bytes=0-{end - 1}")

    accepted(await put_part(api, world, LONG, CUTS[2], CUTS[3]))

    assert await where(api, world, LONG) == (200, len(LONG), f"bytes=0-{len(LONG) - 1}")
    assert (await read_file(api, world, LONG)).content == LONG
    assert await rows(api, "evidence_part") == []
    assert [blob async for blob in api.parts.blobs.list(f"parts/{world.inspection}")] == []
    assert await kept(api) == (1, 1, 1)


async def test_parts_come_twice_in_any_order_and_to_two_servers(api: Api, second_api: Api, world: World) -> None:
    spans = list(pairwise(CUTS))
    assert (await put_part(api, world, LONG, *spans[2])).json()["offset"] == 0
    assert (await put_part(second_api, world, LONG, *spans[1])).json()["offset"] == 0
    assert (await put_part(api, world, LONG, *spans[2])).status_code == 202
    # The last one is sent to both at once, and its answer is lost on one.
    answers = await asyncio.gather(put_part(api, world, LONG, *spans[0]), put_part(second_api, world, LONG, *spans[0]))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert (await put_part(second_api, world, LONG, *spans[0])).status_code == 200
    assert (await read_file(second_api, world, LONG)).content == LONG
    assert await kept(api) == (1, 1, 1)


async def test_overlapping_parts_are_joined(api: Api, world: World) -> None:
    step = MEBIBYTE
    await put_part(api, world, LONG, 0, 3 * step)
    await put_part(api, world, LONG, step, 2 * step)
    accepted(await put_part(api, world, LONG, 2 * step, len(LONG)))
    assert (await read_file(api, world, LONG)).content == LONG


async def test_a_part_whose_blob_was_lost_comes_again(api: Api, world: World) -> None:
    await put_part(api, world, LONG, CUTS[0], CUTS[1])
    await put_part(api, world, LONG, CUTS[1], CUTS[2])
    (lost,) = [blob.key async for blob in api.parts.blobs.list(f"parts/{world.inspection}") if "/0-" in blob.key]
    await api.parts.blobs.delete(lost)

    response = await put_part(api, world, LONG, CUTS[2], CUTS[3])

    assert (response.status_code, response.json()["offset"]) == (202, 0)
    accepted(await put_part(api, world, LONG, CUTS[0], CUTS[1]))
    assert (await read_file(api, world, LONG)).content == LONG


async def test_parts_that_make_another_file_are_all_discarded(api: Api, world: World) -> None:
    wrong = bytes(MEBIBYTE) + LONG[MEBIBYTE:]
    place = {"Content-Range": f"bytes 0-{CUTS[1] - 1}/{len(LONG)}"}
    await put_file(api, world, wrong[: CUTS[1]], digest=digest_of(LONG), headers=place)

    refused(await put_part(api, world, LONG, CUTS[1], len(LONG)), 422, "digest-mismatch", "digest")

    assert await where(api, world, LONG) == (204, 0, None)
    assert await kept(api) == (0, 0, 0)


async def test_each_account_uploads_its_own_parts(api: Api, world: World) -> None:
    await put_part(api, world, LONG, 0, CUTS[1])
    assert await where(api, world, LONG, world.partner_inspector) == (204, 0, None)


async def test_a_part_that_is_not_as_long_as_it_says_is_refused(api: Api, world: World) -> None:
    for content in (LONG[: CUTS[1] - 1], LONG[: CUTS[1] + 1]):
        place = {"Content-Range": f"bytes 0-{CUTS[1] - 1}/{len(LONG)}"}
        response = await put_file(api, world, content, digest=digest_of(LONG), headers=place)
        refused(response, 422, "invalid-field", "Content-Range")
    assert await rows(api, "evidence_part") == []


async def test_parts_under_way_take_up_room(api: Api, world: World) -> None:
    await put_part(api, world, LONG, 0, CUTS[1])
    async with borrow(api.parts.pool) as connection:
        await connection.execute("UPDATE evidence_part SET size = $1", 200 * MEBIBYTE)
    refused(await put_file(api, world, PHOTO), 409, "evidence-quota")


async def test_one_part_that_is_all_of_it_is_a_whole(api: Api, world: World) -> None:
    accepted(await put_part(api, world, PHOTO, 0, len(PHOTO)))


async def test_head_is_for_who_may_hand_in(api: Api, world: World) -> None:
    for stranger, status in ((world.unassigned_inspector, 404), (world.lead, 403)):
        response = await api.http.head(
            f"/api/v1/evidence/{digest_of(LONG)}",
            params={"inspection_id": str(world.inspection)},
            headers=api.as_(stranger).bearer(),
        )
        assert response.status_code == status
