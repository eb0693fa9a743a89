"""全量数据 of published results as the night's round makes it: read page by page, packed, sealed, in the store."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from api.open_data import dump_results
from api.wiring import open_parts
from benchmarks.apart import Figures, MeasurementFailed, peak_mb
from domain.evidence.model import BlobPlace
from domain.search.open_data import store
from domain.shared.clock import WORKING_ZONE

_HOUR = 3
_COPIED = ("inspection", "inspection_party", "publication")


async def measure(dsn: str, keys_folder: Path, results: int = 200_000) -> Figures:
    """Rows a second and the peak of the process, MB of 10^6 bytes, over at least `results` published ones."""
    await _have(dsn, results)
    blobs = BlobPlace(str(keys_folder / "blobs"))
    async with open_parts(
        dsn, keys_folder, blobs=blobs, pool_size=2, application="benchmark", clock=_at_night
    ) as parts:
        before, began = peak_mb(), time.monotonic()
        await dump_results(parts)
        seconds = time.monotonic() - began
        async with parts.work.reading() as connection:
            dump = await store.NEWEST_DUMP.first(connection)
    if dump is None or dump.results < results:
        raise MeasurementFailed(f"not all is in the dump: {dump}")
    rows = dump.results + dump.withdrawn
    return {
        "rows_per_second": rows / seconds,
        "rows": rows,
        "seconds": seconds,
        "gzip_mb": dump.size / 1e6,
        "peak_mb": peak_mb(),
        "before_mb": before,
    }


def _at_night() -> datetime:
    """Now, or the next time that the night's round would run."""
    now = datetime.now(UTC)
    local = now.astimezone(WORKING_ZONE)
    return now if local.hour >= _HOUR else now + timedelta(hours=_HOUR - local.hour)


async def _have(dsn: str, results: int) -> None:
    """Lay down copies of the seeded results, each with an inspection of its own, until there are so many."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        published = await connection.fetchval("SELECT count(*) FROM publication WHERE state = 'published'")
        for _ in range(-(-results // published) - 1):
            await _copy(connection, published)
        await connection.execute("VACUUM (ANALYZE) inspection, inspection_party, publication")
    finally:
        await connection.close()


async def _copy(connection: asyncpg.Connection, count: int) -> None:
    await connection.execute("DROP TABLE IF EXISTS copied")
    await connection.execute(
        "CREATE TEMP TABLE copied AS SELECT id AS publication, inspection_id AS inspection, "
        "gen_random_uuid() AS new_publication, gen_random_uuid() AS new_inspection "
        "FROM publication WHERE state = 'published' ORDER BY id LIMIT $1",
        count,
    )
    of = {
        "inspection": ("id", {"id": "c.new_inspection"}, "c.inspection"),
        "inspection_party": ("inspection_id", {"inspection_id": "c.new_inspection"}, "c.inspection"),
        "publication": ("id", {"id": "c.new_publication", "inspection_id": "c.new_inspection"}, "c.publication"),
    }
    for table in _COPIED:
        key, replaced, old = of[table]
        names = await connection.fetch(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 "
            "AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            table,
        )
        columns = [row["attname"] for row in names]
        values = ", ".join(replaced.get(name, f"t.{name}") for name in columns)
        await connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - our own names
            f"SELECT {values} FROM {table} t JOIN copied c ON t.{key} = {old}"
        )
