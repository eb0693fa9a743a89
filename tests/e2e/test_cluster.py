"""The embedded PostgreSQL starts, survives and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from api.cluster import Cluster, ClusterError, check_server_version, cluster_dsn, running_dsn
from api.settings import Settings
from tests.support.installation import forget_cluster


def wait_until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Poll, for processes end when the kernel says so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def is_gone(process: psutil.Process) -> bool:
    """Whether it ended; an init that reaps nobody leaves it a zombie."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def answer(dsn: str, *statements: str) -> object:
    """Run the statements on a new connection; returns the last one's value."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    """A var folder; root's cluster, which lies elsewhere, goes with it."""
    folder = tmp_path / "var"
    folder.mkdir()
    yield folder
    forget_cluster(folder)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster without fsync for the tests that only ask it something."""
    with Cluster(tmp_path_factory.mktemp("scratch"), durable=False) as cluster:
        yield cluster


def data_folder(var: Path) -> Path:
    """Where the cluster of `var` keeps its data: elsewhere for root."""
    kept = var / "cluster-id"
    home = Path("/var/lib/yima") / kept.read_text().split()[0] if kept.exists() else var / "postgres"
    return home / "data"


async def test_it_answers_and_asks_nobody_for_a_network_port(scratch: Cluster) -> None:
    assert await answer(scratch.dsn, "select 1") == 1
    assert await answer(scratch.dsn, "show listen_addresses") == ""
    assert await answer(scratch.dsn, "show data_checksums") == "on"
    await check_server_version(scratch.dsn)


async def test_chinese_names_are_similar_though_lang_is_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANG", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    with Cluster(tmp_path, durable=False) as cluster:
        similarity = await answer(
            cluster.dsn,
            "create extension pg_trgm",
            "select similarity('宁波市海曙区老街餐饮店', '海曙区老街餐饮')",
        )
    assert isinstance(similarity, float)
    assert similarity > 0.3


async def test_other_commands_find_the_running_server_and_lose_it_when_it_stops(tmp_path: Path) -> None:
    settings = Settings(var=tmp_path, keys=tmp_path / "keys")
    with Cluster(tmp_path, durable=False) as cluster:
        assert running_dsn(tmp_path) == cluster.dsn
        with cluster_dsn(settings) as dsn:
            assert dsn == cluster.dsn
        assert cluster.is_running()
    assert running_dsn(tmp_path) is None
    assert not cluster.is_running()


def test_database_url_goes_before_the_embedded_server(tmp_path: Path) -> None:
    elsewhere = Settings(var=tmp_path, keys=tmp_path, database_url="postgresql://example.invalid/yima")
    with cluster_dsn(elsewhere) as dsn:
        assert dsn == "postgresql://example.invalid/yima"
    assert not (tmp_path / "cluster.lock").exists()


async def test_a_command_starts_a_server_of_its_own_and_the_rows_outlive_it(var: Path) -> None:
    settings = Settings(var=var, keys=var / "keys")
    with cluster_dsn(settings) as dsn:
        await answer(dsn, "create table kept (n integer)", "insert into kept values (7) returning n")
    with cluster_dsn(settings) as dsn:
        assert await answer(dsn, "select n from kept") == 7


async def test_a_killed_server_starts_again_at_the_same_place_with_every_committed_row(var: Path) -> None:
    with Cluster(var) as cluster:
        place = cluster.dsn
        await answer(place, "create table kept (n integer)", "insert into kept values (7) returning n")
        assert cluster.process is not None
        cluster.process.kill()
        wait_until(lambda: not cluster.is_running())
        assert cluster.start() == place
        assert await answer(place, "select n from kept") == 7


async def test_a_server_starts_though_the_killed_ones_backends_are_still_leaving(var: Path) -> None:
    with Cluster(var) as cluster:
        connection = await asyncpg.connect(cluster.dsn)
        backend = await connection.fetchval("select pg_backend_pid()")
        os.kill(backend, signal.SIGSTOP)  # it holds the shared memory until it may notice
        assert cluster.process is not None
        cluster.process.kill()
        wait_until(lambda: not cluster.is_running())
        threading.Timer(1.0, os.kill, (backend, signal.SIGCONT)).start()
        cluster.start()
        assert await answer(cluster.dsn, "select 1") == 1
        connection.terminate()


PARENT = """
import sys, time
from pathlib import Path
from api.cluster import Cluster
cluster = Cluster(Path(sys.argv[1]), durable=False)
cluster.start()
print(cluster.process.pid, flush=True)
time.sleep(600)
"""


def test_a_killed_parent_leaves_no_postgres_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as parent:
        assert parent.stdout is not None
        postmaster = psutil.Process(int(parent.stdout.readline()))
        family = [postmaster, *postmaster.children(recursive=True)]
        assert len(family) > 3
        parent.kill()
    wait_until(lambda: all(is_gone(process) for process in family))
    with Cluster(tmp_path, durable=False) as successor:
        assert successor.is_running()


def test_a_second_start_in_the_same_folder_is_refused_with_the_holders_number(scratch: Cluster) -> None:
    with pytest.raises(ClusterError, match=rf"in use by the yima of process {os.getpid()}\."):
        Cluster(scratch.var, durable=False).start()
    assert scratch.is_running()


def test_data_of_an_older_postgresql_are_refused_and_left_alone(var: Path) -> None:
    with Cluster(var):
        pass
    mark = data_folder(var) / "PG_VERSION"
    mark.write_text("16\n")
    with pytest.raises(ClusterError, match=r"made by PostgreSQL 16.*yima doctor"):
        Cluster(var).start()
    assert mark.read_text() == "16\n"


async def test_a_half_made_cluster_is_made_anew(var: Path) -> None:
    with Cluster(var):
        pass
    data = data_folder(var)
    data.rename(data.with_name("data.part"))  # as a kill between initdb and the last rename leaves it
    (data.with_name("data.part") / "PG_VERSION").unlink()
    if (var / "cluster-id").exists():
        (var / "cluster-id").write_text(f"{data.parent.name}\n")
    with Cluster(var) as cluster:
        assert await answer(cluster.dsn, "select current_database()") == "yima"
    assert not data.with_name("data.part").exists()


async def test_a_stale_lock_file_with_a_living_strangers_number_does_not_stop_it(var: Path) -> None:
    with Cluster(var):
        pass
    stale = data_folder(var) / "postmaster.pid"
    # pid 1 always lives: a container that starts again gives the old number to another program.
    stale.write_text(f"1\n{stale.parent}\n0\n5432\n\n\n0 0\n")
    with Cluster(var) as cluster:
        assert await answer(cluster.dsn, "select 1") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's data lie outside var")
def test_a_lost_database_is_refused_and_not_replaced_by_an_empty_one(var: Path) -> None:
    with Cluster(var):
        pass
    shutil.rmtree(data_folder(var))
    with pytest.raises(ClusterError, match="to begin anew with an empty database, delete"):
        Cluster(var).start()


async def test_a_folder_too_long_for_a_socket_works_all_the_same(tmp_path: Path) -> None:
    deep = tmp_path / "很长的文件夹名" / ("x" * 90)
    with Cluster(deep, durable=False) as cluster:
        assert await answer(cluster.dsn, "select 1") == 1


async def test_an_external_database_that_does_not_answer_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="DATABASE_URL cannot be used"):
        await check_server_version(f"postgresql://yima@/yima?host={tmp_path}&port=5432")


def test_the_log_is_kept_small(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, durable=False)
    cluster.log.write_bytes(b"x" * (9 * 1024 * 1024))
    cluster.bound_log()
    assert cluster.log.stat().st_size == 0
    assert (tmp_path / "postgres.log.1").stat().st_size == 9 * 1024 * 1024
