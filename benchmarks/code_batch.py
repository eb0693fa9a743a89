"""How long the codes of a city take: issued, drawn and indexed (`yima code batch`)."""

from __future__ import annotations

import resource
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import sqlalchemy as sa

from api.register import INSTALLATION, load_register
from api.stickers.batch import print_codes
from api.wiring import Parts, open_parts
from codes.divisions import ltree_path
from codes.uscc import make_uscc
from domain.enterprise.tables import enterprise, site
from domain.evidence.model import BlobPlace
from domain.shared.ids import new_id
from domain.shared.sql import Command
from domain.shared.transaction import Outcome, Transaction

_COUNTY = "450127"  # a former code: nothing else stands there, so that only our own sites are printed
_BATCH = 1000


def _insert(table: sa.Table, *names: str) -> Command:
    return Command(sa.insert(table).values({name: sa.bindparam(name) for name in names}))


_INSERT_ENTERPRISE = _insert(enterprise, "id", "uscc", "name", "object_type", "region_code", "created_at", "updated_at")
_INSERT_SITE = _insert(
    site, "id", "enterprise_id", "is_main", "name", "region_code", "region", "created_at", "updated_at"
)


async def measure(dsn: str, keys_folder: Path, count: int = 10_000) -> dict[str, float]:
    """Seconds and peak memory (MB, the batch and its drawing processes together) for `count` sites."""
    blobs = BlobPlace(str(keys_folder / "blobs"))
    async with open_parts(dsn, keys_folder, blobs=blobs, pool_size=4, application="benchmark") as parts:
        await load_register(parts)
        await _make_sites(parts, count)
        with tempfile.TemporaryDirectory() as folder:
            report = await print_codes(
                parts, region_code=_COUNTY, folder=Path(folder), public_url="https://ym.gxzf.gov.cn"
            )
            again = await print_codes(
                parts, region_code=_COUNTY, folder=Path(folder), public_url="https://ym.gxzf.gov.cn"
            )
    return {
        "codes": report.drawn,
        "issued": report.issued,
        "seconds": report.seconds,
        "seconds_again": again.seconds,
        "drawn_again": again.drawn,
        "peak_rss_mb": round(_peak_rss_mb(), 1),
    }


def _peak_rss_mb() -> float:
    """The batch at its largest, and twice its largest child: two of them draw."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (own + 2 * child) / 1024


async def _make_sites(parts: Parts, count: int) -> None:
    random = Random(0)
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))

        async def insert(tx: Transaction, numbers: range = numbers) -> Outcome[None]:
            rows = [_row(number, random) for number in numbers]
            await _INSERT_ENTERPRISE.run_many(tx.connection, rows)
            await _INSERT_SITE.run_many(
                tx.connection, [{**row, "enterprise_id": row["id"], "is_main": True} for row in rows]
            )
            return Outcome(answer=None)

        await parts.work.run(INSTALLATION, insert)


def _row(number: int, random: Random) -> dict[str, object]:
    now = datetime.now(UTC)
    return {
        "id": new_id(now, random.randbytes),
        "uscc": make_uscc(f"91{_COUNTY}{number:09d}"),
        "name": f"横县第{number}号商店",
        "object_type": "企业",
        "region_code": _COUNTY,
        "region": ltree_path(_COUNTY),
        "created_at": now,
        "updated_at": now,
    }
