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
from benchmarks.seed import Seeded, Visitable, seed
from domain.identity.tokens import SessionTokens

_OF_ROOT = Path("/var/lib/yima")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much one run does. Times in seconds; the load never exceeds them, nor 200,000 requests a round."""

    enterprises: int
    inspections: int
    rounds: int
    scan_seconds: float
    check_ins: int
    relay_seconds: int
    codes: int
    import_rows: int


FULL = Size(
    enterprises=200_000,
    inspections=24_000,
    rounds=5,
    scan_seconds=4,
    check_ins=1000,
    relay_seconds=15,
    codes=10_000,
    import_rows=50_000,
)
QUICK = Size(
    enterprises=20_000,
    inspections=6_000,
    rounds=3,
    scan_seconds=1.5,
    check_ins=300,
    relay_seconds=6,
    codes=500,
    import_rows=5_000,
)


class Stage:
    """What every benchmark stands on. With `profiles` the server is profiled also where the target is met."""

    def __init__(self, folder: Path, dsn: str, size: Size, seeded: Seeded, tokens: SessionTokens) -> None:
        """Keep the parts; inspections are handed out from the first on."""
        self.profiles = False
        self.folder = folder
        self.keys = folder / "keys"
        self.dsn = dsn
        self.size = size
        self.seeded = seeded
        self.session_tokens = tokens
        self._visited = 0

    def take_visitables(self, count: int) -> list[Visitable]:
        """The next inspections; each is given out once, for a check-in succeeds once."""
        taken = self.seeded.visitables[self._visited : self._visited + count]
        if len(taken) < count:
            raise LookupError(f"only {len(taken)} of {count} inspections are left: seed more of them")
        self._visited += count
        return taken


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
    async with open_parts(dsn, folder / "keys", pool_size=2, application="benchmark") as parts:
        seeded = await seed(dsn, parts, enterprises=size.enterprises, inspections=size.inspections)
        return Stage(folder, dsn, size, seeded, parts.session_tokens)


def _remove(folder: Path) -> None:
    """Also what a durable cluster of root's leaves where the service user can read it."""
    kept = folder / "var" / "cluster-id"
    if kept.exists():
        shutil.rmtree(_OF_ROOT / kept.read_text().split()[0], ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
