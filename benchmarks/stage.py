"""The stage of one run: a scratch cluster that really syncs, migrated, with its keys, and seeded."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from api.cluster import Cluster
from api.migrate import migrate
from api.wiring import open_parts
from benchmarks.seed import Seeded, seed
from benchmarks.seed_public import Complainant
from benchmarks.seed_visits import ITEMS, Answerable, Visitable
from domain.evidence.model import BlobPlace
from domain.identity.tokens import SessionTokens
from domain.visitor.passes import Passes

WARM_UP, COMPARED, EFFECTS = 100, 40, 5
"""Complaints that are filed before any is timed, for each contestant."""
_OF_ROOT = Path("/var/lib/yima")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much one run does. Times in seconds; the load never exceeds them, nor 200,000 requests a round."""

    enterprises: int
    inspections: int
    visits: int
    rounds: int
    scan_seconds: float
    check_ins: int
    answers: int
    uploads: int
    package_seconds: float
    search_seconds: float
    complaints: int
    posters: int
    assigned: int
    subscribers: int
    news: int
    dumped: int
    papers: int
    relay_seconds: int
    deliveries: int
    live_leads: int
    live_seconds: int
    codes: int
    import_rows: int


def complainants_of(size: Size) -> int:
    """As many as file: three contestants in each round, and what is warmed up and compared before."""
    return 3 * (size.complaints * size.rounds + WARM_UP + COMPARED + EFFECTS)


FULL = Size(
    enterprises=200_000,
    inspections=24_000,
    visits=1_000,
    rounds=5,
    scan_seconds=3,
    check_ins=800,
    answers=600,
    uploads=120,
    package_seconds=2,
    search_seconds=1.2,
    complaints=250,
    posters=1_000,
    assigned=50_000,
    subscribers=100_000,
    news=5_000,
    dumped=200_000,
    papers=3,
    relay_seconds=15,
    deliveries=3_000,
    live_leads=1_300,
    live_seconds=60,
    codes=10_000,
    import_rows=50_000,
)
QUICK = Size(
    enterprises=20_000,
    inspections=6_000,
    visits=250,
    rounds=3,
    scan_seconds=1.5,
    check_ins=300,
    answers=300,
    uploads=60,
    package_seconds=1.5,
    search_seconds=1,
    complaints=150,
    posters=100,
    assigned=5_000,
    subscribers=5_000,
    news=1_000,
    dumped=10_000,
    papers=2,
    relay_seconds=6,
    deliveries=600,
    live_leads=310,
    live_seconds=10,
    codes=500,
    import_rows=5_000,
)


class Stage:
    """What every benchmark stands on. With `profiles` the server is profiled also where the target is met."""

    def __init__(
        self, folder: Path, dsn: str, size: Size, seeded: Seeded, tokens: SessionTokens, passes: Passes
    ) -> None:
        """Keep the parts; inspections are handed out from the first on."""
        self.profiles = False
        self.folder = folder
        self.keys = folder / "keys"
        self.dsn = dsn
        self.size = size
        self.seeded = seeded
        self.session_tokens = tokens
        self.passes = passes
        self._visited = 0
        self._answered = 0
        self._photographed = 0
        self._filed = 0

    def take_visitables(self, count: int) -> list[Visitable]:
        """The next inspections; each is given out once, for a check-in succeeds once."""
        taken = self.seeded.visitables[self._visited : self._visited + count]
        if len(taken) < count:
            raise LookupError(f"only {len(taken)} of {count} inspections are left: seed more of them")
        self._visited += count
        return taken

    def take_answers(self, count: int) -> list[tuple[Answerable, int]]:
        """The next items to answer, by their place on the list; neighbours are of different inspections."""
        begun = self.seeded.answerables
        first, self._answered = self._answered, self._answered + count
        if self._answered > len(begun) * ITEMS:
            raise LookupError(f"only {len(begun) * ITEMS - first} of {count} items are left: seed more visits")
        return [(begun[number % len(begun)], number // len(begun)) for number in range(first, self._answered)]

    def take_photographed(self, count: int) -> list[tuple[Answerable, int]]:
        """Inspections in turn, each with a number that no photo has had yet."""
        begun = self.seeded.answerables
        first, self._photographed = self._photographed, self._photographed + count
        return [(begun[number % len(begun)], number) for number in range(first, self._photographed)]

    def take_complainants(self, count: int) -> list[Complainant]:
        """The next people who complain; each files once."""
        first, self._filed = self._filed, self._filed + count
        if self._filed > len(self.seeded.complainants):
            raise LookupError(f"only {len(self.seeded.complainants) - first} of {count} complainants are left")
        return self.seeded.complainants[first : self._filed]


@contextmanager
def open_stage(size: Size) -> Generator[Stage]:
    """Set the stage and clear it away again."""
    folder = Path(tempfile.mkdtemp(prefix="yima-bench-"))
    try:
        with Cluster(folder / "var", durable=True) as cluster:
            began = time.monotonic()
            stage = asyncio.run(_prepare(folder, cluster.dsn, size))
            print(f"seeded {size.enterprises:,} enterprises in {time.monotonic() - began:.0f} s", flush=True)
            yield stage
    finally:
        _remove(folder)


async def _prepare(folder: Path, dsn: str, size: Size) -> Stage:
    await migrate(dsn)
    blobs = BlobPlace(str(folder / "blobs"))
    async with open_parts(dsn, folder / "keys", blobs=blobs, pool_size=2, application="benchmark") as parts:
        seeded = await seed(
            dsn,
            parts,
            enterprises=size.enterprises,
            inspections=size.inspections,
            visits=size.visits,
            complainants=complainants_of(size),
        )
        return Stage(folder, dsn, size, seeded, parts.session_tokens, parts.passes)


def _remove(folder: Path) -> None:
    """Also what a durable cluster of root's leaves where the service user can read it."""
    kept = folder / "var" / "cluster-id"
    if kept.exists():
        shutil.rmtree(_OF_ROOT / kept.read_text().split()[0], ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
