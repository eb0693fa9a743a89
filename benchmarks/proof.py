"""Proof, by pg_stat_statements, that two contestants say the same things to the database, as often."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import asyncpg

from api.wiring import APP_ROLE

Said = Counter[tuple[str, int]]
"""How often each statement was executed: by text and rows touched."""

# The feed's own reading goes on beside any request, and only where there is a feed.
_SAID = """
    SELECT query, calls, rows FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND userid = $1::text::regrole AND query NOT LIKE '%trace_position%'
"""


class StatementsDiffer(Exception):
    """Limit and Yima are not comparable: they do not execute the same statements."""


def prove_same_statements(dsn: str, count: int, limit: Callable[[], None], yima: Callable[[], None]) -> int:
    """Let both do the same `count` requests; gives how many statements one of them takes.

    Raises `StatementsDiffer`.
    """
    by_limit = asyncio.run(_said_during(dsn, limit))
    by_yima = asyncio.run(_said_during(dsn, yima))
    if by_limit != by_yima:
        raise StatementsDiffer(_difference(by_limit, by_yima))
    return sum(by_yima.values()) // count


async def _said_during(dsn: str, act: Callable[[], None]) -> Said:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        await connection.execute("SELECT pg_stat_statements_reset()")
        await asyncio.to_thread(act)
        return Counter({(row["query"], row["rows"]): row["calls"] for row in await connection.fetch(_SAID, APP_ROLE)})
    finally:
        await connection.close()


def _difference(by_limit: Said, by_yima: Said) -> str:
    lines = [f"only the limit, {n} x, {rows} rows: {text}" for (text, rows), n in (by_limit - by_yima).items()]
    lines += [f"only Yima, {n} x, {rows} rows: {text}" for (text, rows), n in (by_yima - by_limit).items()]
    return "\n".join(lines)
