"""A real Redis for tests: on a free port of 127.0.0.1, in memory only, and gone when the context ends."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.support.debian_servers import environment_of, program
from tests.support.installation import free_port

_START_SECONDS = 20.0


class RunningRedis:
    """A `redis-server` that can be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        """Start in `folder` and wait until it answers."""
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.restart()

    @property
    def url(self) -> str:
        """What `YIMA_REDIS` holds."""
        return f"redis://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it at once: every connection breaks, and what was published meanwhile is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Start it where it does not run. Raises TimeoutError when it does not answer."""
        if self._process is not None:
            return
        path = program("redis-server")
        command = [str(path), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=environment_of(path), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise TimeoutError((self._folder / "redis.log").read_text("utf-8", "replace")[-1000:])
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def running_redis() -> Generator[RunningRedis]:
    """A Redis of one's own for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="yima-redis-") as folder:
        server = RunningRedis(Path(folder))
        try:
            yield server
        finally:
            server.kill()
