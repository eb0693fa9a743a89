"""The doctor finds nothing wrong with what is well, and names what is spoiled."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from api.cluster import Cluster
from api.doctor import Finding, examine
from api.migrate import migrate
from api.wiring import Parts, open_parts
from domain.evidence.model import BlobPlace
from domain.shared.keys import make_root_key
from domain.shared.random import system_random
from tests.support.database import Database, drop_database
from tests.support.installation import forget_cluster, free_port


def bad(findings: list[Finding]) -> str:
    """Everything that is wrong, as it is printed."""
    return "\n".join(str(finding) for finding in findings if finding.is_bad)


def set_modes(folder: Path, of_folder: int, of_key: int) -> None:
    """Open or close a key folder."""
    folder.chmod(of_folder)
    (folder / "root.key").chmod(of_key)


def names_in(folder: Path) -> list[str]:
    """What lies there."""
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def healthy(parts: Parts, database: Database, keys_folder: Path, tmp_path: Path) -> dict[str, str]:
    """The variables of an installation with nothing wrong: its database is migrated and has its keys."""
    assert parts.keys
    keys_folder.chmod(0o700)
    return {
        "YIMA_VAR": str(tmp_path / "var"),
        "YIMA_KEYS": str(keys_folder),
        "DATABASE_URL": database.dsn,
        "PORT": str(free_port()),
    }


@pytest_asyncio.fixture(loop_scope="module")
async def empty_database(database: Database) -> AsyncIterator[Database]:
    """A database in which nothing was made yet."""
    empty = database.named(f"{database.name}_empty")
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(f'CREATE DATABASE "{empty.name}"')
    await connection.close()
    yield empty
    await drop_database(empty)


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """A var folder; root's cluster, which lies elsewhere, goes with it."""
    folder = tmp_path / "embedded"
    yield folder
    forget_cluster(folder)


async def test_a_healthy_installation_has_no_bad_finding(healthy: dict[str, str]) -> None:
    findings = await examine(healthy)
    assert bad(findings) == ""
    said = "\n".join(str(finding) for finding in findings)
    for looked_at in ("Python", "free for", "closed to others", "is free", "clock", "opens this database", "position"):
        assert looked_at in said


async def test_an_installation_that_was_never_started_is_healthy_and_stays_unmade(tmp_path: Path) -> None:
    findings = await examine({"YIMA_VAR": str(tmp_path / "var"), "PORT": str(free_port())})
    assert bad(findings) == ""
    assert names_in(tmp_path) == []


async def test_a_bad_port_is_named(healthy: dict[str, str]) -> None:
    assert "PORT='eighty'" in bad(await examine({**healthy, "PORT": "eighty"}))


async def test_a_port_that_another_program_has_is_named(healthy: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(healthy["PORT"]))):
        said = bad(await examine(healthy))
    assert f"port {healthy['PORT']} cannot be had" in said
    assert "choose another PORT" in said


async def test_a_database_url_without_keys_is_named(healthy: dict[str, str]) -> None:
    del healthy["YIMA_KEYS"]
    assert "YIMA_KEYS is not" in bad(await examine(healthy))


async def test_a_key_folder_open_to_others_is_named_with_the_cure(healthy: dict[str, str]) -> None:
    folder = Path(healthy["YIMA_KEYS"])
    set_modes(folder, 0o755, 0o644)
    try:
        said = bad(await examine(healthy))
    finally:
        set_modes(folder, 0o700, 0o600)
    assert f"chmod 700 {folder}" in said
    assert f"chmod 600 {folder / 'root.key'}" in said


async def test_the_key_of_another_installation_is_named_and_left_alone(healthy: dict[str, str], tmp_path: Path) -> None:
    others = tmp_path / "others"
    make_root_key(others, system_random)
    before = (others / "root.key").read_bytes()
    said = bad(await examine({**healthy, "YIMA_KEYS": str(others)}))
    assert "do not open this database" in said
    assert "Never make a new one" in said
    assert (others / "root.key").read_bytes() == before


async def test_a_missing_key_is_named_and_not_made(healthy: dict[str, str], tmp_path: Path) -> None:
    said = bad(await examine({**healthy, "YIMA_KEYS": str(tmp_path / "nowhere")}))
    assert "do not open this database" in said
    assert not (tmp_path / "nowhere").exists()


async def test_a_database_that_is_not_migrated_is_named(healthy: dict[str, str], empty_database: Database) -> None:
    said = bad(await examine({**healthy, "DATABASE_URL": empty_database.dsn}))
    assert "not at this version" in said
    assert "yima migrate" in said


async def test_a_database_that_does_not_answer_is_named(healthy: dict[str, str]) -> None:
    nobody = f"postgresql://yima@127.0.0.1:{free_port()}/yima"
    said = bad(await examine({**healthy, "DATABASE_URL": nobody}))
    assert "DATABASE_URL cannot be used" in said


async def test_a_paper_that_was_given_up_is_named_with_its_reason(healthy: dict[str, str], database: Database) -> None:
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(
        "INSERT INTO chore (id, trace_id, kind, subject, state, created_at, last_error) "
        "VALUES (gen_random_uuid(), gen_random_uuid(), 'render_document', '\\x00', 'abandoned', now(), 'no font')"
    )
    await connection.close()

    assert "no font" in bad(await examine(healthy))


async def test_a_file_where_the_var_folder_should_be_is_named(healthy: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "is a file where a folder is needed" in bad(await examine({**healthy, "YIMA_VAR": str(tmp_path / "file")}))


@pytest.mark.slow
async def test_a_stopped_embedded_database_is_started_looked_at_and_stopped(var: Path) -> None:
    with Cluster(var) as cluster:
        await migrate(cluster.dsn)
        blobs = BlobPlace(str(var / "blobs"))
        async with open_parts(cluster.dsn, var / "keys", blobs=blobs, pool_size=2, application="tests"):
            pass
    findings = await examine({"YIMA_VAR": str(var), "PORT": str(free_port())})
    assert bad(findings) == ""
    assert any("started for this look" in finding.text for finding in findings)
    assert not (var / "cluster.json").exists()


def test_a_bad_finding_says_what_to_do() -> None:
    spoiled = Finding(is_bad=True, text="The key is gone", remedy="Put it back.")
    assert str(spoiled) == "✗ The key is gone\n  → Put it back."
    assert str(Finding(is_bad=False, text="All is well")) == "✓ All is well"
