"""The live feed as a lead's screen meets it: over a real WebSocket, against a whole installation."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.support.installation import Installation, running_installation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Generator[Installation]:
    """One installation for this file."""
    with running_installation(tmp_path_factory.mktemp("live") / "var") as running:
        yield running


def token_of(installation: Installation, role: str) -> str:
    """An access token of the demo's account of that role."""
    account = installation.facts()["accounts"][role]
    body = {"name": account["name"], "password": account["password"]}
    answer = httpx.post(f"{installation.base_url}/api/v1/sessions", json=body)
    token: str = answer.json()["access_token"]
    return token


def watch(installation: Installation, role: str = "lead", query: str = "") -> ClientConnection:
    """The feed as that role opens it."""
    url = installation.base_url.replace("http", "ws", 1) + "/api/v1/live" + query
    return connect(url, additional_headers={"Authorization": f"Bearer {token_of(installation, role)}"})


def check_in_and_leave(installation: Installation) -> None:
    """Two acts of the inspector at the first site that is due."""
    site = next(site for site in installation.facts()["sites"] if site["inspection_id"])
    inspection = f"{installation.base_url}/api/v1/inspections/{site['inspection_id']}"
    account = installation.facts()["accounts"]["inspector"]
    body = {"name": account["name"], "password": account["password"]}
    session = httpx.post(f"{installation.base_url}/api/v1/sessions", json=body).json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    officers = httpx.get(inspection, headers=headers).json()["officers"]
    me = next(each for each in officers if each["id"] == session["account"]["officer_id"])
    second = next(each for each in officers if each["department_id"] == me["department_id"] and each is not me)
    order = {"code": site["token"], "second_officer_id": second["id"], "position_reason": "室内无定位信号"}
    for path, write in (("check-ins", order), ("departures", {})):
        answer = httpx.post(
            f"{inspection}/{path}", json=write, headers={**headers, "Idempotency-Key": str(uuid.uuid4())}
        )
        assert answer.status_code == httpx.codes.CREATED, answer.text


def next_event(feed: ClientConnection) -> dict[str, Any]:
    """The next frame, which must be an event."""
    frame = json.loads(feed.recv(timeout=15))
    assert frame["type"] == "event"
    event: dict[str, Any] = frame["event"]
    return event


def read_to_the_end(feed: ClientConnection) -> None:
    """Past what the sweep of deadlines may tell at this very moment. Raises `ConnectionClosed`."""
    while True:
        feed.recv(timeout=15)


def begin(feed: ClientConnection) -> int:
    """Ready and snapshot, which are not events; gives the position to go on from."""
    ready = json.loads(feed.recv(timeout=15))
    assert ready["type"] == "ready"
    while not (page := json.loads(feed.recv(timeout=15)))["is_last"]:
        assert page["type"] == "snapshot"
    position: int = ready["position"]
    return position


def test_a_lead_sees_a_check_in_and_the_departure_in_order_and_can_resume_between_them(
    installation: Installation,
) -> None:
    with watch(installation) as feed:
        ready = begin(feed)
        check_in_and_leave(installation)
        arrival, departure = next_event(feed), next_event(feed)
    assert (arrival["action"], departure["action"]) == ("inspection.checked_in", "inspection.departed")
    assert ready < arrival["position"] < departure["position"]
    assert arrival["facts"]["flags"] == ["unknown"]
    with watch(installation, query=f"?after={arrival['position']}") as resumed:
        assert json.loads(resumed.recv(timeout=15)) == {"type": "ready", "position": arrival["position"]}
        assert next_event(resumed) == departure


def test_a_position_that_is_no_number_closes_the_feed_with_its_reason(installation: Installation) -> None:
    with watch(installation, query="?after=yesterday") as feed, pytest.raises(ConnectionClosed):
        feed.recv(timeout=15)
    assert feed.close_code == 4400


@pytest.mark.parametrize("role", ["enterprise", "administrator"])
def test_nobody_else_may_watch(installation: Installation, role: str) -> None:
    with pytest.raises((InvalidStatus, ConnectionClosed)), watch(installation, role) as feed:
        feed.recv(timeout=15)


def test_an_inspector_watches_too(installation: Installation) -> None:
    with watch(installation, "inspector") as feed:
        assert begin(feed) >= 0


def test_a_server_that_is_restarted_says_so_and_the_screen_goes_on_where_it_was(installation: Installation) -> None:
    server = installation.wait_for("server")
    with watch(installation) as feed:
        position = begin(feed)
        began = time.monotonic()
        server.terminate()
        with pytest.raises(ConnectionClosed):
            read_to_the_end(feed)
    assert feed.close_code == 1012
    server.wait(15)
    assert time.monotonic() - began < 5, "it does not wait for its readers"
    installation.wait_until_ready()
    with watch(installation, query=f"?after={position}") as resumed:
        assert json.loads(resumed.recv(timeout=15)) == {"type": "ready", "position": position}


def test_a_restart_is_not_held_up_by_an_event_stream(installation: Installation) -> None:
    server = installation.wait_for("server")
    headers = {"Authorization": f"Bearer {token_of(installation, 'lead')}"}
    url = f"{installation.base_url}/api/v1/live/events"
    with httpx.stream("GET", url, headers=headers, timeout=15) as answer:
        told = answer.iter_lines()
        assert next(told).startswith("retry: ")
        began = time.monotonic()
        server.terminate()
        assert any(line.startswith('data: {"type":"closing","code":1012') for line in told)
    server.wait(15)
    assert time.monotonic() - began < 5
    installation.wait_until_ready()
