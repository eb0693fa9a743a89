"""What was done to the trace afterwards is found, and the finding names the row."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import cast
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from api.wiring import Parts
from domain.shared.sql import Connection
from domain.shared.tables import trace
from domain.shared.trace_check import Finding, Head, TraceFault, check_trace, read_head
from domain.shared.transaction import Outcome, Transaction
from tests.support.acts import Facts, Noted, principal, submission
from tests.support.database import Database
from tests.support.relaying import open_relay, place_all

ROWS = 30
VICTIM = 17
"""The position of the row that is tampered with."""


class Ledger:
    """A finished trace, and the hand that tampers with it in a transaction that is taken back at the end."""

    def __init__(self, connection: Connection, parts: Parts) -> None:
        self.connection = connection
        self.parts = parts

    async def tamper(self, statement: str, *arguments: object) -> None:
        tag = await self.connection.execute(statement, *arguments)
        assert tag.endswith(" 1"), f"one row was meant: {tag}"

    async def findings(self, handed_out: Head | None = None) -> list[Finding]:
        return [finding async for finding in check_trace(self.connection, self.parts.seal, handed_out)]

    async def row_at(self, position: int) -> UUID:
        row = await self.connection.fetchrow("SELECT trace_id FROM trace_position WHERE position = $1", position)
        return row["trace_id"]


async def act(parts: Parts, number: int, events: int = 1) -> None:
    """One accepted write with that many rows, every column of them filled."""

    async def operation(_tx: Transaction) -> Outcome[str]:
        told = [
            Noted(
                subject_id=uuid4(),
                department_id=uuid4(),
                region="450000.450100",
                site_id=uuid4(),
                before=Facts(note=f"前 {number}"),
                after=Facts(note=f"后 {number}"),
            )
            for _ in range(events)
        ]
        return Outcome(answer="", events=tuple(told))

    write = submission(principal(), f"key-{number:05}")
    where = msgspec.structs.replace(
        write.circumstances, device_at="2026-03-02T17:00:00+08:00", longitude=108.366, latitude=22.817
    )
    await parts.work.submit(msgspec.structs.replace(write, circumstances=where), operation)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def written(shared_parts: Parts, database: Database) -> Parts:
    """Thirty placed rows, some of one transaction, and two that wait for the relay."""
    for number in range(14):
        await act(shared_parts, number, events=1 + 2 * (number % 2))
    await act(shared_parts, 98, events=2)
    async with open_relay(database, shared_parts) as relay:
        assert await place_all(relay) == ROWS
    await act(shared_parts, 99, events=2)
    return shared_parts


@pytest_asyncio.fixture(loop_scope="module")
async def ledger(written: Parts, database: Database) -> AsyncGenerator[Ledger]:
    """The trace under a superuser's hand; all that is done to it is taken back."""
    plain = await asyncpg.connect(database.dsn)
    transaction = plain.transaction(isolation="repeatable_read")
    await transaction.start()
    yield Ledger(cast("Connection", plain), written)
    await transaction.rollback()
    await plain.close()


def found(fault: TraceFault, position: int | None = None, trace_id: UUID | None = None) -> Finding:
    return Finding(fault=fault, position=position, trace_id=trace_id)


async def test_an_untouched_trace_has_no_fault(ledger: Ledger) -> None:
    assert await ledger.findings() == []
    assert await ledger.findings(await read_head(ledger.connection)) == []


async def test_every_head_handed_out_on_the_way_still_fits(ledger: Ledger) -> None:
    for row in await ledger.connection.fetch("SELECT position, link FROM trace_position"):
        assert await ledger.findings(Head(position=row["position"], link=row["link"])) == []


# One value of one row

OTHER_VALUE = {
    "uuid": "gen_random_uuid()",
    "text": "overlay({} placing chr(ascii({}) + 1) from 1)",
    "datetime": "{} + interval '1 microsecond'",
    "JSON": "replace({}::text, 'note', 'n0te')::json",
    "double": "{} + 1e-12",
    "big_integer": "{} + 100000",
    "small_integer": "{} + 1",
    "user_defined": "({}::text::bigint + 100000)::text::xid8",
    "large_binary": "set_byte({}, 31, 255 - get_byte({}, 31))",
}
COLUMNS = [column.name for column in trace.columns]
OPTIONAL = [column.name for column in trace.columns if column.nullable]


async def change(ledger: Ledger, trace_id: UUID, column: str, value: str) -> None:
    """Set one column of one row to an expression; `n` first loses what keeps even its owner from it."""
    if column == "n":
        await ledger.connection.execute("ALTER TABLE trace ALTER n DROP IDENTITY")
    await ledger.tamper(f'UPDATE trace SET "{column}" = {value} WHERE id = $1', trace_id)  # noqa: S608


def other_value(column: str) -> str:
    return OTHER_VALUE[trace.c[column].type.__visit_name__].replace("{}", f'"{column}"')


@pytest.mark.parametrize("column", COLUMNS)
async def test_a_changed_value_is_found_in_exactly_its_row(ledger: Ledger, column: str) -> None:
    victim = await ledger.row_at(VICTIM)
    await change(ledger, victim, column, other_value(column))
    findings = await ledger.findings()
    if column == "id":
        [removed, inserted] = findings
        assert removed == found(TraceFault.REMOVED, VICTIM, victim)
        assert inserted.fault is TraceFault.INSERTED
        assert inserted.trace_id != victim
    else:
        assert findings == [found(TraceFault.CHANGED, VICTIM, victim)]


@pytest.mark.parametrize("column", OPTIONAL)
async def test_a_value_taken_away_is_found(ledger: Ledger, column: str) -> None:
    victim = await ledger.row_at(VICTIM)
    await change(ledger, victim, column, "NULL")
    assert await ledger.findings() == [found(TraceFault.CHANGED, VICTIM, victim)]


@pytest.mark.parametrize("column", ["before", "after"])
async def test_json_that_means_the_same_but_reads_otherwise_is_found(ledger: Ledger, column: str) -> None:
    victim = await ledger.row_at(VICTIM)
    await change(ledger, victim, column, f"replace(\"{column}\"::text, ':', ': ')::json")
    assert await ledger.findings() == [found(TraceFault.CHANGED, VICTIM, victim)]


@pytest.mark.parametrize("column", [name for name in COLUMNS if name not in {"tx", "n"}])
async def test_a_changed_row_that_has_no_position_yet_is_found_too(ledger: Ledger, column: str) -> None:
    waiting = await ledger.connection.fetchrow("SELECT id FROM trace ORDER BY tx DESC, n LIMIT 1")
    await change(ledger, waiting["id"], column, other_value(column))
    [finding] = await ledger.findings()
    assert (finding.fault, finding.position) == (TraceFault.CHANGED, None)
    assert (finding.trace_id == waiting["id"]) is (column != "id")


async def test_several_changed_rows_are_each_named(ledger: Ledger) -> None:
    victims = {position: await ledger.row_at(position) for position in (1, 2, 16, ROWS)}
    for victim in victims.values():
        await change(ledger, victim, "post", "'局长'")
    assert await ledger.findings() == [found(TraceFault.CHANGED, *victim) for victim in victims.items()]


# Whole rows


@pytest.mark.parametrize("position", [1, VICTIM, ROWS])
async def test_a_removed_row_is_named(ledger: Ledger, position: int) -> None:
    victim = await ledger.row_at(position)
    await ledger.tamper("DELETE FROM trace WHERE id = $1", victim)
    assert await ledger.findings() == [found(TraceFault.REMOVED, position, victim)]


async def forge(ledger: Ledger, **values: str) -> UUID:
    """A row made after that at `VICTIM`: all of it, its seal too, but with a new id and these values."""
    forged = uuid4()
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    values = {"id": f"'{forged}'", **values}
    chosen = ", ".join(values.get(name, f'"{name}"') for name in COLUMNS)
    await ledger.tamper(
        f"INSERT INTO trace ({names}) OVERRIDING SYSTEM VALUE SELECT {chosen} FROM trace WHERE id = $1",  # noqa: S608
        await ledger.row_at(VICTIM),
    )
    return forged


async def test_a_row_forged_among_those_already_placed_is_named(ledger: Ledger) -> None:
    forged = await forge(ledger, n="-n")
    assert await ledger.findings() == [found(TraceFault.INSERTED, None, forged)]


async def test_a_row_forged_to_wait_for_the_relay_is_named(ledger: Ledger) -> None:
    forged = await forge(ledger, n="n + 100000", tx="pg_current_xact_id()")
    assert await ledger.findings() == [found(TraceFault.CHANGED, None, forged)]


async def test_a_row_forged_in_the_place_of_a_removed_one_is_named(ledger: Ledger) -> None:
    victim = await ledger.row_at(VICTIM)
    forged = await forge(ledger, n="-n")
    await ledger.tamper("DELETE FROM trace WHERE id = $1", victim)
    await change(ledger, forged, "n", "-n")
    await ledger.tamper("UPDATE trace_position SET trace_id = $1 WHERE position = $2", forged, VICTIM)
    assert await ledger.findings() == [found(TraceFault.CHANGED, VICTIM, forged)]


# Positions and links


@pytest.mark.parametrize("position", [1, VICTIM])
async def test_a_removed_position_is_named_and_so_is_the_row_that_lost_it(ledger: Ledger, position: int) -> None:
    victim = await ledger.row_at(position)
    await ledger.tamper("DELETE FROM trace_position WHERE position = $1", position)
    assert await ledger.findings() == [
        found(TraceFault.POSITION_REMOVED, position),
        found(TraceFault.INSERTED, None, victim),
    ]


async def test_a_row_removed_together_with_its_position_is_noticed(ledger: Ledger) -> None:
    victim = await ledger.row_at(VICTIM)
    await ledger.tamper("DELETE FROM trace_position WHERE position = $1", VICTIM)
    await ledger.tamper("DELETE FROM trace WHERE id = $1", victim)
    assert await ledger.findings() == [found(TraceFault.POSITION_REMOVED, VICTIM)]


async def test_a_gap_closed_by_moving_up_what_follows_breaks_every_link_after_it(ledger: Ledger) -> None:
    victim = await ledger.row_at(VICTIM)
    await ledger.tamper("DELETE FROM trace_position WHERE position = $1", VICTIM)
    await ledger.tamper("DELETE FROM trace WHERE id = $1", victim)
    for position in range(VICTIM + 1, ROWS + 1):
        await ledger.tamper("UPDATE trace_position SET position = position - 1 WHERE position = $1", position)
    await ledger.tamper("UPDATE trace_cursor SET position = position - 1")
    findings = await ledger.findings()
    assert [finding.fault for finding in findings] == [TraceFault.LINK_BROKEN] * (ROWS - VICTIM)
    assert findings[0].position == VICTIM


async def swap(ledger: Ledger, one: int, other: int, columns: str) -> None:
    """Exchange these columns of two positions."""
    await ledger.connection.execute("ALTER TABLE trace_position DROP CONSTRAINT uq_trace_position_trace_id")
    rows = {
        position: await ledger.connection.fetchrow("SELECT * FROM trace_position WHERE position = $1", position)
        for position in (one, other)
    }
    for to, source in ((one, other), (other, one)):
        for column in columns.split():
            await ledger.tamper(
                f"UPDATE trace_position SET {column} = $1 WHERE position = $2",  # noqa: S608
                rows[source][column],
                to,
            )


@pytest.mark.parametrize(
    ("columns", "fault"),
    [("trace_id", TraceFault.CHANGED), ("trace_id tx n", TraceFault.LINK_BROKEN)],
)
async def test_two_rows_that_changed_places_are_both_named(ledger: Ledger, columns: str, fault: TraceFault) -> None:
    one, other = await ledger.row_at(5), await ledger.row_at(VICTIM)
    await swap(ledger, 5, VICTIM, columns)
    assert await ledger.findings() == [found(fault, 5, other), found(fault, VICTIM, one)]


async def test_two_rows_that_changed_places_with_their_links_are_named_with_their_successors(ledger: Ledger) -> None:
    await swap(ledger, 5, VICTIM, "trace_id tx n link")
    findings = await ledger.findings()
    assert [(finding.fault, finding.position) for finding in findings] == [
        (TraceFault.LINK_BROKEN, position) for position in (5, 6, VICTIM, VICTIM + 1)
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [("tx", "'1'"), ("n", "n + 100000"), ("link", "set_byte(link, 0, 255 - get_byte(link, 0))")],
)
async def test_a_changed_position_is_named(ledger: Ledger, column: str, value: str) -> None:
    victim = await ledger.row_at(VICTIM)
    await ledger.tamper(f"UPDATE trace_position SET {column} = {value} WHERE position = $1", VICTIM)  # noqa: S608
    assert (await ledger.findings())[0] in (
        found(TraceFault.CHANGED, VICTIM, victim),
        found(TraceFault.LINK_BROKEN, VICTIM, victim),
    )


# The end


async def cut(ledger: Ledger, last: int) -> None:
    """Remove every row and position after `last`."""
    await ledger.connection.execute(
        "DELETE FROM trace WHERE id IN (SELECT trace_id FROM trace_position WHERE position > $1)", last
    )
    await ledger.connection.execute("DELETE FROM trace_position WHERE position > $1", last)


@pytest.mark.parametrize("last", [ROWS - 1, VICTIM, 0])
async def test_a_tail_cut_off_does_not_fit_the_cursor(ledger: Ledger, last: int) -> None:
    await cut(ledger, last)
    assert await ledger.findings() == [found(TraceFault.END_CHANGED, last)]


@pytest.mark.parametrize("last", [ROWS - 1, VICTIM, 0])
async def test_a_tail_cut_off_with_the_cursor_set_back_does_not_fit_the_head_noted_earlier(
    ledger: Ledger, last: int
) -> None:
    head = await read_head(ledger.connection)
    await cut(ledger, last)
    await ledger.tamper(
        "UPDATE trace_cursor SET position = $1, "
        "tx = coalesce((SELECT tx FROM trace_position WHERE position = $1), '0'), "
        "n = coalesce((SELECT n FROM trace_position WHERE position = $1), 0), "
        "link = coalesce((SELECT link FROM trace_position WHERE position = $1), decode(repeat('00', 32), 'hex'))",
        last,
    )
    assert await ledger.findings() == []  # whoever noted no head cannot tell
    assert await ledger.findings(head) == [found(TraceFault.HEAD_DIFFERS, head.position)]


async def test_a_head_of_another_chain_does_not_fit(ledger: Ledger) -> None:
    findings = await ledger.findings(Head(position=VICTIM, link=bytes(32)))
    assert findings == [found(TraceFault.HEAD_DIFFERS, VICTIM, await ledger.row_at(VICTIM))]


@pytest.mark.parametrize("value", ["position = position - 1", "link = set_byte(link, 0, 255 - get_byte(link, 0))"])
async def test_a_changed_cursor_does_not_fit_the_end(ledger: Ledger, value: str) -> None:
    await ledger.tamper(f"UPDATE trace_cursor SET {value}")  # noqa: S608
    assert await ledger.findings() == [found(TraceFault.END_CHANGED, ROWS)]
