"""文号: without gap, without double, without deadlock, anew each year of the region's calendar."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from api.wiring import Parts
from domain.shared.numbers import (
    NUMBERS_OF,
    IssuedNumber,
    NumberKind,
    NumberRequest,
    issue_numbers,
    lease_numbers,
    void_number,
)
from domain.shared.sql import borrow
from tests.support.database import Database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DEVICE = UUID(int=1)


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection to look with."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


def wanted(kind: NumberKind = NumberKind.NOTICE, *, code: str = "DEP") -> NumberRequest:
    return NumberRequest(department_code=code, kind=kind, subject_id=uuid4())


async def issued(parts: Parts, *requests: NumberRequest, now: datetime = NOW) -> list[IssuedNumber]:
    async with borrow(parts.pool) as connection:
        return await issue_numbers(connection, requests, now)


async def leased(parts: Parts, count: int) -> list[IssuedNumber]:
    async with borrow(parts.pool) as connection:
        return await lease_numbers(connection, "DEP", NumberKind.NOTICE, DEVICE, count, NOW)


def texts(numbers: list[IssuedNumber]) -> list[str]:
    return [number.text for number in numbers]


async def test_a_series_counts_from_one_and_says_department_year_and_kind(parts: Parts) -> None:
    assert texts(await issued(parts, wanted())) == ["DEP-2026-TZ-000001"]
    assert texts(await issued(parts, wanted())) == ["DEP-2026-TZ-000002"]
    assert texts(await issued(parts, wanted(NumberKind.INSPECTION))) == ["DEP-2026-JC-000001"]
    assert texts(await issued(parts, wanted(code="OTHER"))) == ["OTHER-2026-TZ-000001"]


async def test_nothing_asked_gives_nothing(parts: Parts, owner: asyncpg.Connection) -> None:
    assert await issued(parts) == []
    assert await owner.fetchval("SELECT count(*) FROM number_counter") == 0


async def test_many_requests_at_once_are_answered_in_the_order_asked(parts: Parts) -> None:
    chance = random.Random(7)
    asked = [wanted(chance.choice(list(NumberKind)), code=chance.choice(["B", "A", "C"])) for _ in range(60)]
    numbers = await issued(parts, *asked)
    assert [(number.department_code, number.kind, number.subject_id) for number in numbers] == [
        (request.department_code, request.kind, request.subject_id) for request in asked
    ]
    for code in "ABC":
        for kind in NumberKind:
            series = [each.sequence for each in numbers if (each.department_code, each.kind) == (code, kind)]
            assert series == list(range(1, len(series) + 1))


async def test_a_number_is_found_by_what_it_was_given_to(parts: Parts) -> None:
    request = wanted()
    [number] = await issued(parts, request)
    await issued(parts, wanted())
    async with borrow(parts.pool) as connection:
        assert await NUMBERS_OF.all(connection, subjects=[request.subject_id]) == [number]


async def test_sixteen_at_two_counters_with_aborts_leave_no_gap_no_double_and_no_deadlock(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    given: list[str] = []
    aborted: list[str] = []

    async def ask(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(20):
            requests = [wanted(code="A"), wanted(NumberKind.INSPECTION, code="B"), wanted(code="A")]
            chance.shuffle(requests)
            async with borrow(parts.pool) as connection:
                transaction = connection.transaction()
                await transaction.start()
                numbers = await issue_numbers(connection, requests, NOW)
                await asyncio.sleep(chance.random() * 0.002)
                if chance.random() < 0.15:
                    await transaction.rollback()
                    aborted.extend(texts(numbers))
                else:
                    await transaction.commit()
                    given.extend(texts(numbers))

    await asyncio.gather(*(ask(seed) for seed in range(16)))
    assert aborted
    assert len(given) == len(set(given))
    for code, kind, each in (("A", "TZ", 2), ("B", "JC", 1)):
        series = await owner.fetch(
            "SELECT sequence FROM issued_number WHERE department_code = $1 AND kind = $2 ORDER BY sequence", code, kind
        )
        total = len(given) * each // 3
        assert [sequence for (sequence,) in series] == list(range(1, total + 1))
        assert await owner.fetchval("SELECT last FROM number_counter WHERE department_code = $1", code) == total


async def test_a_lease_holds_a_block_that_nobody_else_is_given(parts: Parts, owner: asyncpg.Connection) -> None:
    await issued(parts, wanted())
    block = await leased(parts, 5)
    after = await issued(parts, wanted())
    assert [number.sequence for number in block] == [2, 3, 4, 5, 6]
    assert [number.sequence for number in after] == [7]
    holders = await owner.fetch("SELECT device_id FROM issued_number WHERE subject_id IS NULL")
    assert [device for (device,) in holders] == [DEVICE] * 5


@pytest.mark.parametrize("count", [0, -1, 101])
async def test_a_lease_holds_one_to_a_hundred(parts: Parts, count: int) -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        await leased(parts, count)


async def test_a_voided_number_is_kept_with_its_reason_and_never_given_again(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [number] = await issued(parts, wanted())
    [kept] = await issued(parts, wanted())
    async with borrow(parts.pool) as connection:
        assert await void_number(connection, number, "误填", NOW)
        assert not await void_number(connection, number, "又一次", NOW)
        assert await NUMBERS_OF.all(connection, subjects=[number.subject_id, kept.subject_id]) == [kept]
    assert texts(await issued(parts, wanted())) == ["DEP-2026-TZ-000003"]
    rows = await owner.fetch("SELECT sequence, void_reason FROM issued_number ORDER BY sequence")
    assert [tuple(row) for row in rows] == [(1, "误填"), (2, None), (3, None)]


async def test_a_leased_number_may_be_voided_too(parts: Parts) -> None:
    block = await leased(parts, 2)
    async with borrow(parts.pool) as connection:
        assert await void_number(connection, block[0], "设备遗失", NOW)
    assert texts(await issued(parts, wanted())) == ["DEP-2026-TZ-000003"]


async def test_the_year_is_that_of_the_regions_calendar(parts: Parts) -> None:
    last = datetime(2026, 12, 31, 15, 59, 59, 999_999, tzinfo=UTC)
    first = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    assert texts(await issued(parts, wanted(), now=NOW)) == ["DEP-2026-TZ-000001"]
    assert texts(await issued(parts, wanted(), now=last)) == ["DEP-2026-TZ-000002"]
    assert texts(await issued(parts, wanted(), now=first)) == ["DEP-2027-TZ-000001"]
    assert texts(await issued(parts, wanted(), now=last)) == ["DEP-2026-TZ-000003"]
