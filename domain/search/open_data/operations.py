"""开放数据: read pages of results, register a dump, forget old ones."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec

from domain.search.open_data import rules, store
from domain.search.open_data.events import dumped
from domain.search.open_data.model import Dump, OpenResult, ResultFilters, StoredOpenResult
from domain.shared.clock import WORKING_ZONE, local_date
from domain.shared.errors import Conflict
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

_LAST_DAY = date(9999, 1, 1)
_FIRST_DAY = date(1, 1, 2)


class ResultPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some results, the newest first, and where the next page goes on."""

    items: list[OpenResult]
    next_at: tuple[datetime, UUID] | None


def start_of(day: date) -> datetime:
    """The first instant of a local day."""
    return datetime.combine(day, time.min, WORKING_ZONE)


def end_of(filters: ResultFilters) -> datetime:
    """The first instant that is too late for the filters."""
    return start_of(min(filters.published_to or _LAST_DAY, _LAST_DAY) + timedelta(days=1))


async def read_results(
    connection: Connection, filters: ResultFilters, after: tuple[datetime, UUID] | None, limit: int, today: date
) -> ResultPage:
    """A page of what is or was public and has not reached its end, the newest first."""
    before_at, before_id = after or (end_of(filters), UUID(int=0))
    given = {"before_at": before_at, "before_id": before_id, "limit": limit + 1, "today": today}
    statement = store.RESULTS if filters.uscc is None else store.RESULTS_OF_ENTERPRISE
    rows = await statement.all(connection, **given, **_conditions(filters))
    since = filters.published_from or _FIRST_DAY
    wanted = [row for row in rows if local_date(row.published_at) >= since]
    shown = wanted[:limit]
    more = (shown[-1].published_at, shown[-1].result.id) if len(wanted) > limit else None
    return ResultPage(items=_open(shown), next_at=more)


async def count_results(connection: Connection, filters: ResultFilters, today: date) -> int:
    """How many there are, `EXACT_UP_TO` + 1 at most."""
    statement = store.COUNT_RESULTS if filters.uscc is None else store.COUNT_OF_ENTERPRISE
    found = await statement.one(
        connection,
        since=start_of(filters.published_from or _FIRST_DAY),
        until=end_of(filters),
        today=today,
        **_conditions(filters),
    )
    return found.count


async def read_all(connection: Connection, after: tuple[datetime, UUID], limit: int, today: date) -> ResultPage:
    """The same without filters, for the dump: each page is a statement of its own, so no transaction stays open."""
    rows = await store.ALL_RESULTS.all(connection, before_at=after[0], before_id=after[1], limit=limit, today=today)
    more = (rows[-1].published_at, rows[-1].result.id) if len(rows) == limit else None
    return ResultPage(items=_open(rows), next_at=more)


async def forget_dumps_with(tx: Transaction, publication_id: UUID) -> None:
    """撤下 reaches the dumps, too: those that hold the whole result are shown no more, and a new one is made."""
    await store.LOCK_DUMPS.run(tx.connection)
    await store.DELETE_DUMPS_SINCE.run(tx.connection, publication_id=publication_id)


async def register_dump(tx: Transaction, dump: Dump, begun_at: datetime) -> Outcome[list[Dump]]:
    """全量数据: shown from now on; those of more than seven days are forgotten. Answers all that were there.

    Raises `Conflict` when another worker was quicker, or when a result was withdrawn while the dump was written.
    """
    await store.LOCK_DUMPS.run(tx.connection)
    withdrawn = await store.WITHDRAWN_SINCE.one(tx.connection, since=begun_at - rules.SLOWEST_WITHDRAWAL)
    if withdrawn.count:
        raise Conflict("生成期间有结果撤下，稍后重新生成。")
    await store.INSERT_DUMP.run(tx.connection, **msgspec.structs.asdict(dump))
    known = await store.DUMPS.all(tx.connection)
    await store.DELETE_OLD_DUMPS.run(tx.connection, through=dump.made_on - rules.DUMPS_KEPT)
    return Outcome(answer=known, events=(dumped(dump),))


def _conditions(filters: ResultFilters) -> dict[str, str | None]:
    given = {
        "region": filters.region,
        "authority": filters.authority,
        "outcome": filters.outcome,
        "kind": filters.kind,
    }
    return given if filters.uscc is None else {**given, "uscc": filters.uscc}


def _open(rows: list[StoredOpenResult]) -> list[OpenResult]:
    return [each for each in map(rules.open_result, rows) if each is not None]
