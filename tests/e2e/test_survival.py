"""Kill -9 of anything, at any moment: no accepted write is lost, none is done twice, no process is left behind."""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import psutil
import pytest

from api.cluster import running_dsn
from tests.support.installation import Installation, running_installation, start_installation

pytestmark = pytest.mark.slow

ROLES = ("server", "worker", "relay", "postgres")
KILLS = 16


class Accepted(msgspec.Struct, frozen=True):
    """A write that was answered with 2xx."""

    key: str
    receipt_id: str
    path: str


class Visitor:
    """An inspector who checks in and leaves, again and again, and repeats whatever got no answer."""

    def __init__(self, installation: Installation, until: threading.Event) -> None:
        self._facts = installation.facts()
        self._until = until
        self._http = httpx.Client(base_url=installation.base_url, timeout=5)
        self.accepted: list[Accepted] = []
        self.refused: list[str] = []

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send until an answer comes that is no passing trouble."""
        for _ in range(200):
            try:
                answer = self._http.request(method, path, **arguments)
            except httpx.HTTPError:
                time.sleep(0.1)
                continue
            if answer.status_code < 500 and not answer.text.count("in-progress"):
                return answer
            time.sleep(0.1)
        raise TimeoutError(path)

    def _sign_in(self) -> tuple[dict[str, str], str]:
        account = self._facts["accounts"]["inspector"]
        body = {"name": account["name"], "password": account["password"]}
        session = self._send("POST", "/api/v1/sessions", json=body).json()
        return {"Authorization": f"Bearer {session['access_token']}"}, session["account"]["officer_id"]

    def _write(self, headers: dict[str, str], path: str, body: dict[str, Any]) -> None:
        key = str(uuid.uuid4())
        answer = self._send("POST", path, json=body, headers={**headers, "Idempotency-Key": key})
        if answer.is_success:
            self.accepted.append(Accepted(key, answer.json()["receipt"]["id"], path))
        else:
            self.refused.append(answer.text)

    def visit(self) -> None:
        """One visit after the other until told to stop."""
        with self._http:
            self._visit_again_and_again()

    def _visit_again_and_again(self) -> None:
        headers, my_id = self._sign_in()
        site = next(site for site in self._facts["sites"] if site["inspection_id"])
        inspection = f"/api/v1/inspections/{site['inspection_id']}"
        detail = self._send("GET", inspection, headers=headers).json()
        department = next(each["department_id"] for each in detail["officers"] if each["id"] == my_id)
        second = next(
            each["id"] for each in detail["officers"] if each["department_id"] == department and each["id"] != my_id
        )
        check_in = {"code": site["token"], "second_officer_id": second, "position_reason": "室内无定位信号"}
        while not self._until.is_set():
            self._write(headers, f"{inspection}/check-ins", check_in)
            self._write(headers, f"{inspection}/departures", {})


def kill_at_random(installation: Installation, visitor: Visitor) -> Counter[str]:
    """Kill one child after another, each role equally often, always in the middle of work.

    The next kill waits for two more accepted writes, and then a moment of at most a few writes' length.
    """
    chance = random.Random("survival")
    order = list(ROLES) * (KILLS // len(ROLES))
    chance.shuffle(order)
    killed: Counter[str] = Counter()
    for role in order:
        wait_for_writes(visitor, len(visitor.accepted) + 2)
        time.sleep(chance.uniform(0, 0.05))
        installation.wait_for(role).kill()
        killed[role] += 1
    return killed


def wait_for_writes(visitor: Visitor, wanted: int) -> None:
    """Raises TimeoutError when the visitor gets no further within half a minute."""
    deadline = time.monotonic() + 30
    while len(visitor.accepted) < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {len(visitor.accepted)} writes were accepted")
        time.sleep(0.005)


async def count(dsn: str, query: str) -> int:
    """One number out of the installation's database."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


async def stored_keys(dsn: str) -> dict[str, str]:
    """Every accepted key with its receipt, as the database has them."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT key, receipt_id::text FROM idempotency")
    finally:
        await connection.close()
    return dict(rows)


def wait_for_quiet(installation: Installation) -> None:
    """Until the relay has placed everything."""
    for _ in range(300):
        ready = httpx.get(f"{installation.base_url}/health/ready", timeout=5)
        if ready.is_success and ready.json()["unplaced"] == 0:
            return
        time.sleep(0.1)
    raise TimeoutError("the relay did not catch up")


async def test_killing_any_process_at_any_moment_loses_no_accepted_write_and_doubles_none(tmp_path: Path) -> None:
    with running_installation(tmp_path / "var") as installation:
        until = threading.Event()
        visitor = Visitor(installation, until)
        visiting = threading.Thread(target=visitor.visit)
        visiting.start()
        try:
            killed = kill_at_random(installation, visitor)
        finally:
            until.set()
            visiting.join(60)
        installation.wait_until_ready()
        wait_for_quiet(installation)
        dsn = running_dsn(installation.var)
        assert dsn is not None
        assert killed == dict.fromkeys(ROLES, KILLS // len(ROLES))
        assert len(visitor.accepted) > KILLS
        assert visitor.refused == []
        keys = await stored_keys(dsn)
        assert {each.key: each.receipt_id for each in visitor.accepted} == keys
        arrivals = sum(each.path.endswith("check-ins") for each in visitor.accepted)
        assert await count(dsn, "SELECT count(*) FROM check_in") == arrivals
        told = "SELECT count(*) FROM trace WHERE action = 'inspection.checked_in'"
        assert await count(dsn, told) == arrivals
        assert await count(dsn, "SELECT count(*) FROM trace") == await count(
            dsn, "SELECT max(position) FROM trace_position"
        )
        verified = installation.command("trace", "verify")
        assert verified.returncode == 0, verified.stderr


async def test_every_message_is_delivered_although_workers_are_killed(tmp_path: Path) -> None:
    with running_installation(tmp_path / "var") as installation:
        until = threading.Event()
        visitor = Visitor(installation, until)
        visiting = threading.Thread(target=visitor.visit)
        visiting.start()
        for _ in range(5):
            await asyncio.sleep(0.5)
            installation.wait_for("worker").kill()
        until.set()
        visiting.join(60)
        dsn = running_dsn(installation.var)
        assert dsn is not None
        waiting = "SELECT count(*) FROM message WHERE state <> 'delivered'"
        deadline = time.monotonic() + 60
        while await count(dsn, waiting) and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        assert await count(dsn, waiting) == 0
        lines = (installation.var / "messages.jsonl").read_text("utf-8").splitlines()
        sent = {json.loads(line)["id"] for line in lines}
        assert len(sent) == await count(dsn, "SELECT count(*) FROM message WHERE channel <> 'in_app'")


def test_no_process_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    serving, installation = start_installation(tmp_path / "var")
    children = installation.processes()
    serving.kill()
    serving.wait()
    _gone, alive = psutil.wait_procs(children, timeout=20)
    assert len(children) > len(ROLES)
    assert [process.cmdline() for process in alive] == []
    accounts = installation.facts()["accounts"]
    with running_installation(tmp_path / "var") as again:
        assert again.facts()["accounts"] == accounts
