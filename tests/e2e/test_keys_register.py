"""The register of keys: made once, checked at every start, rolled by adding a version."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from api.wiring import load_keys, open_parts, roll_key
from domain.evidence.model import BlobPlace
from domain.identity.tokens import RefreshToken, SessionTokens, TokenInvalid
from domain.shared.keys import KeyPurpose, KeyRing, KeysMissing, KeyState, UnknownKey, WrongKeys, make_root_key
from domain.shared.sql import Connection
from tests.support.database import Database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SESSION = UUID(int=1)


@pytest_asyncio.fixture(loop_scope="module")
async def connection(database: Database) -> AsyncGenerator[Connection]:
    """A connection to a database that knows no key yet."""
    plain = await asyncpg.connect(database.dsn)
    await plain.execute("TRUNCATE key_version")
    yield cast("Connection", plain)
    await plain.close()


async def keys_in(connection: Connection, folder: Path) -> KeyRing:
    return await load_keys(connection, folder, now=NOW, random=os.urandom)


async def versions(connection: Connection) -> list[tuple[str, int, str]]:
    rows = await connection.fetch("SELECT purpose, version, state FROM key_version ORDER BY purpose, version")
    return [tuple(row) for row in rows]


async def test_the_first_start_makes_a_key_for_every_purpose_and_the_next_uses_them(
    connection: Connection, tmp_path: Path
) -> None:
    first = await keys_in(connection, tmp_path)
    stored = (tmp_path / "root.key").read_bytes()
    assert await versions(connection) == sorted((purpose.value, 1, "current") for purpose in KeyPurpose)
    again = await keys_in(connection, tmp_path)
    assert (tmp_path / "root.key").read_bytes() == stored
    assert len(await versions(connection)) == len(KeyPurpose)
    for purpose in KeyPurpose:
        assert again.current(purpose) == first.current(purpose)


async def test_the_register_holds_no_key(connection: Connection, tmp_path: Path) -> None:
    ring = await keys_in(connection, tmp_path)
    values = [row["check_value"] for row in await connection.fetch("SELECT check_value FROM key_version")]
    assert all(len(value) == 16 for value in values)
    assert not any(value in ring.current(purpose)[1] for value in values for purpose in KeyPurpose)


async def test_a_key_put_there_before_the_first_start_is_used(connection: Connection, tmp_path: Path) -> None:
    make_root_key(tmp_path, os.urandom)
    stored = (tmp_path / "root.key").read_bytes()
    await keys_in(connection, tmp_path)
    assert (tmp_path / "root.key").read_bytes() == stored


async def test_a_missing_key_is_told_and_no_new_one_is_made(connection: Connection, tmp_path: Path) -> None:
    await keys_in(connection, tmp_path / "first")
    empty = tmp_path / "second"
    with pytest.raises(KeysMissing, match=r"Put root\.key back"):
        await keys_in(connection, empty)
    assert not empty.exists()


async def test_another_installations_key_is_refused_and_left_alone(connection: Connection, tmp_path: Path) -> None:
    await keys_in(connection, tmp_path / "first")
    other = tmp_path / "second"
    make_root_key(other, os.urandom)
    stored = (other / "root.key").read_bytes()
    with pytest.raises(WrongKeys):
        await keys_in(connection, other)
    assert (other / "root.key").read_bytes() == stored


async def test_five_processes_that_start_at_once_agree_on_one_key(
    connection: Connection, database: Database, tmp_path: Path
) -> None:
    async def start() -> tuple[int, bytes]:
        blobs = BlobPlace(str(tmp_path / "blobs"))
        async with open_parts(database.dsn, tmp_path / "keys", blobs=blobs, pool_size=1, application="start") as parts:
            return parts.keys.current(KeyPurpose.CODE)

    assert len(set(await asyncio.gather(*(start() for _ in range(5))))) == 1
    assert len(await versions(connection)) == len(KeyPurpose)


async def test_a_rolled_key_makes_new_tokens_and_still_verifies_old_ones(
    connection: Connection, tmp_path: Path
) -> None:
    before = SessionTokens(await keys_in(connection, tmp_path))
    old = before.issue_refresh(SESSION, 1)
    rolled = await roll_key(connection, tmp_path, KeyPurpose.SESSION, now=NOW)
    assert (rolled.version, rolled.state) == (2, KeyState.CURRENT)
    after = SessionTokens(await keys_in(connection, tmp_path))
    new = after.issue_refresh(SESSION, 1)
    assert after.read_refresh(old) == after.read_refresh(new) == RefreshToken(SESSION, 1)
    assert new != old
    with pytest.raises(TokenInvalid):
        before.read_refresh(new)


async def test_a_roll_concerns_its_purpose_alone(connection: Connection, tmp_path: Path) -> None:
    before = await keys_in(connection, tmp_path)
    for _ in range(2):
        await roll_key(connection, tmp_path, KeyPurpose.CODE, now=NOW)
    after = await keys_in(connection, tmp_path)
    assert [state for purpose, _, state in await versions(connection) if purpose == "code"] == [
        "verifying",
        "verifying",
        "current",
    ]
    assert after.current(KeyPurpose.CODE)[0] == 3
    assert set(after.all(KeyPurpose.CODE)) == {1, 2, 3}
    assert after.current(KeyPurpose.TRACE) == before.current(KeyPurpose.TRACE)


async def test_a_retired_version_opens_nothing(connection: Connection, tmp_path: Path) -> None:
    await keys_in(connection, tmp_path)
    await roll_key(connection, tmp_path, KeyPurpose.CODE, now=NOW)
    await connection.execute("UPDATE key_version SET state = 'retired' WHERE purpose = 'code' AND version = 1")
    ring = await keys_in(connection, tmp_path)
    with pytest.raises(UnknownKey):
        ring.find(KeyPurpose.CODE, 1)


async def test_a_roll_with_another_root_is_refused_and_registers_nothing(
    connection: Connection, tmp_path: Path
) -> None:
    await keys_in(connection, tmp_path / "first")
    make_root_key(tmp_path / "second", os.urandom)
    before = await versions(connection)
    with pytest.raises(WrongKeys):
        await roll_key(connection, tmp_path / "second", KeyPurpose.CODE, now=NOW)
    assert await versions(connection) == before
