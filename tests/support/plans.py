"""How PostgreSQL would carry a statement out, proved over rows that are there."""

from __future__ import annotations

import re
from typing import Any, Final

from domain.shared.sql import Command, borrow
from tests.support.client import Api

_TOUCHED: Final = re.compile(r"(?:hit|read)=(\d+)")
"""What is written on the way, marks of rows known to be committed, is counted by who comes first."""


async def explain(api: Api, statement: Command, mode: str, arguments: dict[str, Any]) -> tuple[str, int]:
    """The plan as it ran, and the pages that it touched."""
    async with borrow(api.parts.pool) as connection, connection.transaction():
        await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
        found = await connection.fetch(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT TEXT) {statement.text}", *statement.arguments(arguments)
        )
    lines = [row[0] for row in found]
    top = next(line for line in lines if "Buffers: shared" in line)
    return "\n".join(lines), sum(int(pages) for pages in _TOUCHED.findall(top))
