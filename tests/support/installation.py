"""A whole installation for end-to-end tests: `yima serve --demo` in a folder and on a port of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil

from api.cluster_home import SYSTEM


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Installation(msgspec.Struct, frozen=True):
    """A running `yima serve`, and where it keeps its things."""

    pid: int
    var: Path
    base_url: str
    environment: dict[str, str]

    def facts(self) -> dict[str, Any]:
        """What `var/demo.json` tells scripts."""
        return json.loads((self.var / "demo.json").read_text("utf-8"))

    def processes(self) -> list[psutil.Process]:
        """Everything that the parent started, directly or not."""
        return psutil.Process(self.pid).children(recursive=True)

    def find(self, role: str) -> psutil.Process | None:
        """The first child of that role."""
        return next(iter(self.find_all(role)), None)

    def find_all(self, role: str) -> list[psutil.Process]:
        """The children of that role: server, worker, relay, or the postmaster."""
        found: list[psutil.Process] = []
        for process in psutil.Process(self.pid).children():
            try:
                words = process.cmdline()
            except psutil.Error:
                continue
            if role in words or (role == "postgres" and words and words[0].endswith("/postgres")):
                found.append(process)
        return found

    def wait_for(self, role: str, seconds: float = 20) -> psutil.Process:
        """The child of that role, as soon as there is one. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.find(role)
            if found is not None:
                return found
            time.sleep(0.02)
        raise TimeoutError(role)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another `yima` command against this installation."""
        return subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Raises TimeoutError when the installation does not become ready."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.base_url}/health/ready", timeout=2).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise TimeoutError(self.base_url)


def start_installation(
    var: Path, settings: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], Installation]:
    """Start `yima serve --demo` over `var`, with `settings` of its own, and wait until it is ready."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "YIMA_VAR": str(var),
        "PORT": str(port),
        **(settings or {}),
    }
    log = (var.parent / "serve.log").open("ab")
    serving = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "serve", "--demo"], env=environment, stdout=log, stderr=log
    )
    log.close()
    installation = Installation(serving.pid, var, f"http://127.0.0.1:{port}", environment)
    try:
        installation.wait_until_ready()
    except TimeoutError:
        serving.kill()
        serving.wait()
        raise
    return serving, installation


def forget_cluster(var: Path) -> None:
    """Remove the cluster of `var` where it lies elsewhere: root's does, under the service user."""
    kept = var / "cluster-id"
    if kept.exists():
        shutil.rmtree(SYSTEM / kept.read_text("ascii").split()[0], ignore_errors=True)


@contextmanager
def running_installation(var: Path, settings: Mapping[str, str] | None = None) -> Generator[Installation]:
    """`yima serve --demo` for as long as the context lasts, with `settings`; ended as Ctrl-C ends it."""
    serving, installation = start_installation(var, settings)
    try:
        yield installation
    finally:
        if serving.poll() is None:
            serving.send_signal(signal.SIGINT)
            serving.wait(30)
        forget_cluster(var)
