"""Kill -9 at any point of a whole visit: each receipt has its rows, nothing is done twice, photos and papers appear."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import psutil
import pytest
from PIL import Image

from api.cluster import running_dsn
from tests.support.installation import Installation, running_installation
from tests.support.whole_visits import Client, Inspector

pytestmark = pytest.mark.slow

SEED = "a whole visit"
KILLS = {"server": 7, "postgres": 6, "worker": 9, "relay": 8}
WRITES_BETWEEN = 6
PATIENCE = 90.0  # seconds
TRACED = {
    "check-in": "inspection.checked_in",
    "identification": "inspection.officers_identified",
    "photo": "evidence.stored",
    "answer": "inspection.answer_recorded",
    "facts": "inspection.record_facts_recorded",
    "signature": "inspection.record_signed",
    "order": "rectification.order_issued",
    "departure": "inspection.departed",
    "completion": "inspection.completed",
}
"""Each accepted act, and the one line that it leaves in the trace."""
KEPT = {
    "check-in": "check_in c JOIN visit v ON v.id = c.visit_id",
    "identification": "identification i JOIN check_in c ON c.id = i.check_in_id JOIN visit v ON v.id = c.visit_id",
    "photo": "evidence",
    "signature": "signature",
    "order": "rectification_order",
    "facts": "record_part",
    "departure": "visit WHERE departed_at IS NOT NULL",
    "completion": "publication p JOIN visit v USING (inspection_id) WHERE p.state = 'published'",
}
"""Where each accepted act left exactly one row."""


class Visitor(threading.Thread):
    """Goes from site to site until told to stop, and finishes the visit that is under way."""

    def __init__(self, inspector: Inspector, sites: list[dict[str, Any]]) -> None:
        super().__init__()
        self.inspector = inspector
        self.enough = threading.Event()
        self.failure: BaseException | None = None
        self._sites = sites

    def run(self) -> None:
        """Visit."""
        try:
            for site in self._sites:
                if self.enough.is_set():
                    return
                self.inspector.visit(site)
        except BaseException as failure:  # noqa: BLE001 - told by the thread that waits
            self.failure = failure

    def wait_for(self, writes: int) -> None:
        """Until so many writes are accepted. Raises whatever ended the visits before that."""
        deadline = time.monotonic() + PATIENCE
        while len(self.inspector.accepted) < writes:
            if self.failure is not None:
                raise self.failure
            assert self.is_alive(), f"all visits done after {len(self.inspector.accepted)} writes, {writes} wanted"
            assert time.monotonic() < deadline, f"stuck at {len(self.inspector.accepted)} writes"
            time.sleep(0.002)


def kill_at_random(installation: Installation, visitor: Visitor) -> list[tuple[str, int]]:
    """Every kill falls on a moment in the middle of a visit; gives which process, and after how many writes."""
    chance = Random(SEED)
    order = [role for role, times in KILLS.items() for _ in range(times)]
    chance.shuffle(order)
    killed: list[tuple[str, int]] = []
    while order:
        visitor.wait_for(len(visitor.inspector.accepted) + chance.randint(1, WRITES_BETWEEN))
        role = next((each for each in order if installation.find(each) is not None), order[0])
        visitor.inspector.may_go_on.clear()  # no visit is over before what is to be killed has come back
        process = installation.wait_for(role)
        visitor.inspector.may_go_on.set()
        time.sleep(chance.uniform(0, 0.05))
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue  # it was ending by itself, for its database was gone
        order.remove(role)
        killed.append((role, len(visitor.inspector.accepted)))
    return killed


def sites_of(installation: Installation, inspector: Inspector) -> Iterator[dict[str, Any]]:
    """Where the account's own department alone is expected, and a list was drawn."""
    for site in installation.facts()["sites"]:
        if site["inspection_id"] and site["position"]:
            detail = inspector.read(f"/api/v1/inspections/{site['inspection_id']}").json()
            if len(detail["parties"]) == 1:
                yield site


async def ask(installation: Installation, query: str) -> list[Any]:
    """What the installation's database answers."""
    dsn = running_dsn(installation.var)
    assert dsn is not None
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


async def check_receipts(installation: Installation, inspector: Inspector) -> None:
    """Each receipt has its row, and there is no row without its receipt."""
    stored = {row["key"]: str(row["receipt_id"]) for row in await ask(installation, "SELECT * FROM idempotency")}
    assert stored == {each.key: each.receipt_id for each in inspector.accepted}


async def check_effects(installation: Installation, inspector: Inspector) -> None:
    """Every act that was accepted had one effect, and no other act had any."""
    acts = Counter(each.act for each in inspector.accepted)
    told = await ask(installation, "SELECT action, count(*) FROM trace GROUP BY action")
    traced: Mapping[str, int] = dict(told)
    assert {act: traced.get(action, 0) for act, action in TRACED.items()} == {act: acts[act] for act in TRACED}
    for act, place in KEPT.items():
        (row,) = await ask(installation, f"SELECT count(*) FROM {place}")  # noqa: S608 - our own tables
        assert (act, row[0]) == (act, acts[act])
    versions = Counter((each.inspection, each.result["item_id"]) for each in inspector.accepted if each.act == "answer")
    answers = await ask(installation, "SELECT inspection_id::text, item_id::text, version FROM answer")
    assert {(row[0], row[1]): row[2] for row in answers} == versions
    signatures = {each.result["id"] for each in inspector.accepted if each.act == "signature"}
    assert {str(row[0]) for row in await ask(installation, "SELECT id FROM signature")} == signatures


async def check_numbers(installation: Installation) -> None:
    """文号: none given twice, none lost."""
    given = await ask(
        installation,
        "SELECT department_code, kind, year, array_agg(sequence ORDER BY sequence) FROM issued_number "
        "WHERE device_id IS NULL GROUP BY 1, 2, 3",
    )
    for code, kind, year, sequences in given:
        assert all(after == before + 1 for before, after in pairwise(sequences)), (code, kind, year)


def check_photos(installation: Installation, inspector: Inspector) -> None:
    """The lead gets each original back byte for byte; the inspector a copy that opens."""
    with Client(installation, "lead") as lead:
        for photo in inspector.photos:
            where = {"inspection_id": photo.inspection}
            original = lead.read(f"/api/v1/evidence/{photo.digest}", size="original", **where).content
            assert hashlib.sha256(original).hexdigest() == photo.digest
    for photo in inspector.photos:
        where = {"inspection_id": photo.inspection}
        with Image.open(BytesIO(inspector.read(f"/api/v1/evidence/{photo.digest}", **where).content)) as copy:
            copy.load()


def check_papers(inspector: Inspector) -> Counter[str]:
    """In bounded time every paper is there, with the digest that its card names; gives how many of each kind."""
    kinds: Counter[str] = Counter()
    deadline = time.monotonic() + PATIENCE
    for inspection, _token in inspector.completed:
        while True:
            cards = inspector.read(f"/api/v1/inspections/{inspection}/documents").json()["items"]
            if all(card["state"] == "rendered" for card in cards):
                break
            assert time.monotonic() < deadline, [(card["kind"], card["state"]) for card in cards]
            time.sleep(0.2)
        for card in cards:
            pdf = inspector.read(card["file_url"]).content
            assert pdf.startswith(b"%PDF")
            assert hashlib.sha256(pdf).hexdigest() == card["digest"]
            kinds[card["kind"]] += 1
    return kinds


def check_public(installation: Installation, inspector: Inspector) -> None:
    """Anybody who scans the code sees the result; the demonstration has no embargo."""
    outcomes = {each.inspection: each.result["outcome"] for each in inspector.accepted if each.act == "completion"}
    with Client(installation, None) as citizen:
        for inspection, token in inspector.completed:
            result = citizen.read(f"/api/v1/codes/{token}").json()["results"][0]
            assert (result["outcome"], result["published_on"]) == (outcomes[inspection], result["completed_on"])
            assert result["outcome_label"] in citizen.read(f"/c/{token}").text


def wait_until_placed(installation: Installation) -> None:
    """Until the relay has placed everything."""
    deadline = time.monotonic() + PATIENCE
    with Client(installation, None) as anyone:
        while anyone.read("/health/ready").json()["unplaced"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)


async def test_a_visit_survives_kill_9_at_thirty_points(tmp_path: Path) -> None:
    with (
        running_installation(tmp_path / "var") as installation,
        Inspector(installation, "inspector", Random(SEED)) as inspector,
    ):
        visitor = Visitor(inspector, list(sites_of(installation, inspector)))
        visitor.start()
        try:
            killed = kill_at_random(installation, visitor)
        finally:
            visitor.enough.set()
            inspector.may_go_on.set()
            visitor.join(PATIENCE)
        if visitor.failure is not None:
            raise visitor.failure
        installation.wait_until_ready()
        wait_until_placed(installation)

        assert Counter(role for role, _ in killed) == KILLS
        assert sum(KILLS.values()) == 30
        await check_receipts(installation, inspector)
        await check_effects(installation, inspector)
        check_photos(installation, inspector)
        kinds = check_papers(inspector)
        assert {kinds[name] for name in ("inspection_record", "result_notice")} == {len(inspector.completed)}
        await check_numbers(installation)
        check_public(installation, inspector)
        verified = installation.command("trace", "verify")
        assert verified.returncode == 0, verified.stderr
