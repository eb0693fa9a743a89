"""`yima serve` keeps its children alive, takes them along when it dies, and stops them in order."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from api.settings import SettingsError
from api.supervisor import listen

ROOT = Path(__file__).parents[2]

# Every child writes its number on one line as it starts, and "done" when asked to stop.
CHILD = """
import os, signal, sys, time
def stop(*_):
    print("done", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if sys.argv[1] == "deaf" else stop)
print("pid", os.getpid(), flush=True)
if sys.argv[1] == "short":
    sys.exit(3)
while True:
    time.sleep(60)
"""

PARENT = """
import sys
from pathlib import Path
from api.cluster import Cluster
from api.supervisor import Child, Supervisor
kinds, var = sys.argv[1].split(","), sys.argv[2]
children = [
    Child(name=f"{kind}{n}", argv=[sys.executable, "-c", sys.argv[3], kind], environment={}, stage=n)
    for n, kind in enumerate(kinds)
]
cluster = Cluster(Path(var), durable=False) if var else None
Supervisor(children, cluster, grace=1.0).run()
print("bye", flush=True)
"""


class Serving:
    """A supervisor in a process of its own, and all that it has said."""

    def __init__(self, kinds: str, var: Path | None = None) -> None:
        command = [sys.executable, "-c", PARENT, kinds, str(var or ""), CHILD]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.said = ""

    def hear(self) -> str:
        assert self.process.stdout is not None
        self.said += (self.process.stdout.read() or b"").decode()
        return self.said

    def pids(self, name: str) -> list[int]:
        """The numbers of all processes that this child has been, oldest first."""
        return [int(pid) for pid in re.findall(rf"^{name} *\| pid (\d+)$", self.hear(), re.MULTILINE)]

    def wait_for(self, condition: Callable[[], bool], seconds: float = 15.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"it did not happen in time; said:\n{self.hear()}"
            time.sleep(0.02)

    def postmaster(self) -> psutil.Process | None:
        """The PostgreSQL that it has started, once it runs."""
        for child in psutil.Process(self.process.pid).children():
            if child.name() == "postgres":
                return child
        return None


@pytest.fixture
def serve() -> Iterator[Callable[..., Serving]]:
    """Starts supervisors, and ends those that a failed test left."""
    started: list[Serving] = []

    def start(kinds: str, var: Path | None = None) -> Serving:
        started.append(Serving(kinds, var))
        return started[-1]

    yield start
    for serving in started:
        if serving.process.poll() is None:
            serving.process.kill()
        serving.process.wait()
        assert serving.process.stdout is not None
        serving.process.stdout.close()


def is_gone(pid: int) -> bool:
    """Whether it ended; an init that reaps nobody leaves it a zombie."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_killed_child_is_started_again_and_the_others_live_on(serve: Callable[..., Serving]) -> None:
    serving = serve("steady,steady")
    serving.wait_for(lambda: len(serving.pids("steady0")) == 1 and len(serving.pids("steady1")) == 1)
    os.kill(serving.pids("steady0")[0], signal.SIGKILL)
    serving.wait_for(lambda: len(serving.pids("steady0")) == 2)
    assert "steady0 ended (SIGKILL); again in 0.1 s" in serving.hear()
    assert not is_gone(serving.pids("steady1")[0])


def test_a_child_that_keeps_dying_is_started_ever_more_seldom(serve: Callable[..., Serving]) -> None:
    serving = serve("short")
    serving.wait_for(lambda: len(re.findall("ended", serving.hear())) == 4)
    delays = [float(delay) for delay in re.findall(r"again in ([\d.]+) s", serving.hear())]
    for delay, least in zip(delays, (0.1, 0.2, 0.4, 0.8), strict=True):
        assert least <= delay <= least * 1.5 + 0.05


def test_a_killed_supervisor_leaves_no_child_and_no_postgres(serve: Callable[..., Serving], tmp_path: Path) -> None:
    serving = serve("steady,steady", tmp_path)
    serving.wait_for(lambda: bool(serving.pids("steady0") and serving.pids("steady1")))
    family = [child.pid for child in psutil.Process(serving.process.pid).children(recursive=True)]
    assert len(family) > 5
    serving.process.kill()
    serving.wait_for(lambda: all(is_gone(pid) for pid in family))


def test_sigterm_stops_the_children_in_order_and_postgres_last(serve: Callable[..., Serving], tmp_path: Path) -> None:
    serving = serve("server,worker,relay", tmp_path)
    serving.wait_for(lambda: bool(serving.pids("relay2")))
    postmaster = serving.postmaster()
    assert postmaster is not None
    serving.process.terminate()
    assert serving.process.wait(15) == 0
    told = re.findall(r"(server0 ended|worker1 ended|relay2 ended|stopping PostgreSQL|bye)", serving.hear())
    assert told == ["server0 ended", "worker1 ended", "relay2 ended", "stopping PostgreSQL", "bye"]
    assert serving.said.count("| done") == 3
    assert is_gone(postmaster.pid)


def test_a_killed_postgres_comes_back_while_the_children_live_on(serve: Callable[..., Serving], tmp_path: Path) -> None:
    serving = serve("steady", tmp_path)
    serving.wait_for(lambda: bool(serving.pids("steady0")))
    first = serving.postmaster()
    assert first is not None
    first.kill()
    serving.wait_for(lambda: serving.postmaster() not in {None, first})
    assert "PostgreSQL ended (SIGKILL); starting it again" in serving.hear()
    assert len(serving.pids("steady0")) == 1
    assert not is_gone(serving.pids("steady0")[0])


def test_a_child_deaf_to_sigterm_is_killed_after_the_grace(serve: Callable[..., Serving]) -> None:
    serving = serve("deaf")
    serving.wait_for(lambda: bool(serving.pids("deaf0")))
    begun = time.monotonic()
    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(10) == 0
    assert 1.0 <= time.monotonic() - begun < 3.0
    assert "deaf0 ended (SIGKILL)" in serving.hear()


def test_a_second_ctrl_c_does_not_wait_for_the_grace(serve: Callable[..., Serving]) -> None:
    serving = serve("deaf")
    serving.wait_for(lambda: bool(serving.pids("deaf0")))
    begun = time.monotonic()
    serving.process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(10) == 0
    assert time.monotonic() - begun < 0.9


def test_connections_wait_in_the_backlog_while_no_server_runs() -> None:
    with listen("127.0.0.1", 0) as door, socket.create_connection(door.getsockname()) as caller:
        caller.sendall(b"hello")
        served, _ = door.accept()
        with served:
            assert served.recv(5) == b"hello"


def test_a_port_in_use_is_said_plainly() -> None:
    with listen("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"port {port}: Address already in use.*another PORT"):
            listen("127.0.0.1", port)
