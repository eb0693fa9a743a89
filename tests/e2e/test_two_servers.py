"""Two server processes started for real, with the real relay and worker, show each change within a second."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from api.cluster import running_dsn
from api.supervisor import listen
from domain.inspection.completion.model import InspectionOutcome
from tests.support.installation import Installation, free_port, running_installation

pytestmark = pytest.mark.slow

A_BROWSER = {"Accept": "text/html"}
_PICK = """
    SELECT p.id, p.site_id, i.outcome FROM publication AS p JOIN inspection AS i ON i.id = p.inspection_id
    WHERE p.state = 'published' AND i.initiating_department_id = $1 AND p.ends_on > current_date
    AND p.site_id = ANY($2::uuid[])
    AND NOT EXISTS (SELECT FROM publication AS other WHERE other.site_id = p.site_id AND other.id <> p.id)
    ORDER BY p.id LIMIT 1
"""
"""The only result of its site, so that the words on the page are this one's."""
_PUT_BACK = """
    UPDATE publication SET state = 'pending', published_at = NULL, due_at = 'infinity', latest_at = 'infinity'
    WHERE id = $1
"""
_FALL_DUE = "UPDATE publication SET due_at = now() WHERE id = $1"


@contextmanager
def second_server(installation: Installation) -> Generator[str]:
    """One more server process over the same database, on a port of its own; gives where it answers."""
    listening = listen("127.0.0.1", free_port())
    port = listening.getsockname()[1]
    with (installation.var.parent / "second.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "server", "--fd", str(listening.fileno())],
            env=installation.environment,
            stdout=log,
            stderr=log,
            pass_fds=(listening.fileno(),),
        )
    listening.close()
    try:
        other = msgspec.structs.replace(installation, base_url=f"http://127.0.0.1:{port}")
        other.wait_until_ready()
        yield other.base_url
    finally:
        process.terminate()
        process.wait(20)


class Processes:
    """Both servers, asked one by one, and a manager who is signed in."""

    def __init__(self, clients: list[httpx.AsyncClient], headers: dict[str, str], token: str) -> None:
        self._clients = clients
        self._headers = headers
        self._place = f"/c/{token}"
        self.slowest = 0.0

    async def withdraw(self, process: int, publication: uuid.UUID) -> float:
        """撤下 by one of them; gives the moment at which it was answered."""
        headers = {**self._headers, "Idempotency-Key": str(uuid.uuid4())}
        path = f"/api/v1/publications/{publication}/withdrawal"
        answer = await self._clients[process].post(path, json={"reason": "检查对象有误"}, headers=headers)
        assert answer.status_code == 201, answer.text
        return time.monotonic()

    async def show(self, words: str, since: float, *, shown: bool = True) -> None:
        """Both pages say it (or no more) within a second of `since`."""
        for client in self._clients:
            while (words in (await client.get(self._place, headers=A_BROWSER)).text) is not shown:
                assert time.monotonic() - since < 1, (words, shown)
                await asyncio.sleep(0.01)
            self.slowest = max(self.slowest, time.monotonic() - since)

    async def keep(self) -> None:
        """Until both keep the page: what they answer next comes out of their memory."""
        for client in self._clients:
            first = await client.get(self._place, headers=A_BROWSER)
            again = await client.get(self._place, headers={**A_BROWSER, "If-None-Match": first.headers["etag"]})
            assert again.status_code == 304


@asynccontextmanager
async def database_of(installation: Installation) -> AsyncGenerator[asyncpg.Connection]:
    """A connection beside the application's."""
    connection = await asyncpg.connect(running_dsn(installation.var))
    try:
        yield connection
    finally:
        await connection.close()


async def sign_in(base_url: str, account: dict[str, Any]) -> tuple[dict[str, str], uuid.UUID]:
    """The headers of who is signed in, and their department."""
    body = {"name": account["name"], "password": account["password"]}
    async with httpx.AsyncClient(base_url=base_url) as client:
        session = (await client.post("/api/v1/sessions", json=body)).json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    return headers, uuid.UUID(session["account"]["department_id"])


async def published(database: asyncpg.Connection, publication: uuid.UUID) -> float:
    """Wait for the worker's round; gives the moment at which the result was public."""
    for _ in range(3000):
        if await database.fetchval("SELECT state FROM publication WHERE id = $1", publication) == "published":
            return time.monotonic()
        await asyncio.sleep(0.005)
    raise TimeoutError(publication)


async def test_publishing_and_withdrawing_show_on_every_process_within_a_second(tmp_path: Path) -> None:
    with running_installation(tmp_path / "var") as installation:
        facts = installation.facts()
        tokens = {uuid.UUID(site["site_id"]): site["token"] for site in facts["sites"]}
        headers, department = await sign_in(installation.base_url, facts["accounts"]["department_manager"])
        async with database_of(installation) as database, httpx.AsyncClient(base_url=installation.base_url) as first:
            picked = await database.fetchrow(_PICK, department, list(tokens))
            assert picked is not None
            publication, site, outcome = picked
            await database.execute(_PUT_BACK, publication)  # before anybody has read the page
            with second_server(installation) as other:
                async with httpx.AsyncClient(base_url=other) as second:
                    processes = Processes([first, second], headers, tokens[site])
                    words = InspectionOutcome(outcome).label
                    await processes.show(words, time.monotonic(), shown=False)
                    await processes.keep()

                    await database.execute(_FALL_DUE, publication)
                    await processes.show(words, await published(database, publication))
                    await processes.keep()

                    answered = await processes.withdraw(1, publication)
                    await processes.show("已撤下", answered)
                    await processes.show(words, answered, shown=False)
        print(f"shown everywhere after {processes.slowest * 1000:.0f} ms at most")  # noqa: T201 - a measured figure
