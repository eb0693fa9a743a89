"""The lane of the many answers as the routes do: it is quicker, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx
import pytest
import pytest_asyncio
from litestar.datastructures import State

from api.public_lane import public_lane
from api.work import DatabaseAway
from tests.support.client import Api
from tests.support.factories import World

LINKSET = "application/linkset+json"
READINGS = [
    ("/c/{}", "text/html"),
    ("/C/{}", "text/html"),
    ("/c/{}", LINKSET),
    ("/c/{}", "application/json"),
    ("/api/v1/codes/{}", "*/*"),
]


@pytest_asyncio.fixture(loop_scope="module")
async def routes(api: Api) -> AsyncGenerator[httpx.AsyncClient]:
    """The same application without its lane."""
    transport = httpx.ASGITransport(api.app)  # type: ignore[arg-type] - Litestar's stricter ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="http://yima.test") as client:
        yield client


def told(response: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """All that a caller learns."""
    return response.status_code, response.content, dict(response.headers)


@pytest.mark.parametrize(("path", "accept"), READINGS)
async def test_lane_and_routes_answer_the_same(
    api: Api, world: World, routes: httpx.AsyncClient, path: str, accept: str
) -> None:
    place, headers = path.format(world.code), {"Accept": accept}
    by_lane, by_routes = await api.http.get(place, headers=headers), await routes.get(place, headers=headers)
    assert by_lane.status_code == 200
    assert told(by_lane) == told(by_routes)


@pytest.mark.parametrize(("path", "accept"), READINGS)
async def test_both_say_when_the_caller_has_it_already(
    api: Api, world: World, routes: httpx.AsyncClient, path: str, accept: str
) -> None:
    place = path.format(world.code)
    etag = (await api.http.get(place, headers={"Accept": accept})).headers["etag"]
    headers = {"Accept": accept, "If-None-Match": etag}
    by_lane, by_routes = await api.http.get(place, headers=headers), await routes.get(place, headers=headers)
    assert (by_lane.status_code, by_lane.content) == (by_routes.status_code, by_routes.content) == (304, b"")


@pytest.mark.parametrize("path", ["/c/{}", "/api/v1/codes/{}"])
async def test_what_is_refused_is_told_by_the_routes(api: Api, routes: httpx.AsyncClient, path: str) -> None:
    place = path.format("0" * 31)
    by_lane, by_routes = await api.http.get(place), await routes.get(place)
    assert by_lane.status_code == 404
    assert told(by_lane) == told(by_routes)


async def test_a_signed_in_reader_is_never_answered_by_the_lane(api: Api, world: World) -> None:
    answer = await api.as_(world.inspector).get(f"/api/v1/codes/{world.code}")
    assert answer.json()["audience"] == "inspector_with_order"


class Away:
    """A reader whose database does not answer."""

    async def read(self, token: str, media_type: str) -> None:
        raise DatabaseAway(f"{token} {media_type}")


class Routes:
    """Routes that must not be asked."""

    state = State({"public_reader": Away()})

    async def __call__(self, *_asked: object) -> None:
        raise AssertionError("the database was asked a second time")


async def test_an_overloaded_database_is_not_asked_a_second_time() -> None:
    transport = httpx.ASGITransport(public_lane(Routes()))  # type: ignore[arg-type] - no more of an app is needed
    async with httpx.AsyncClient(transport=transport, base_url="http://yima.test") as client:
        answer = await client.get("/api/v1/codes/" + "0" * 31)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["type"] == "urn:yima:problem:database-away"
