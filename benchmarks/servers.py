"""The contestants as processes: each one uvicorn worker on uvloop and httptools, same settings, same pool size."""

from __future__ import annotations

import cProfile
import http.client
import io
import os
import pstats
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import psutil
import uvicorn

from api.cluster_home import dies_with_parent
from api.settings import Settings
from benchmarks.apart import MeasurementFailed

POOL_SIZE = 12
PROFILE_VARIABLE = "YIMA_BENCH_PROFILE"
"""Where a server writes, when it ends, what `Server.start_profile` began; no profile is taken when unset."""
_PROFILED_LINES = 45
_STARTING_SECONDS = 30.0


class Kind(StrEnum):
    """Who can be asked."""

    TRIVIAL = "trivial"
    LIMIT = "limit"
    PEER = "peer"
    YIMA = "yima"
    YIMA_CACHED = "yima_cached"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a server process is told."""

    kind: Kind
    dsn: str
    keys: Path
    listening: int


class Server(msgspec.Struct, frozen=True):
    """A running contestant."""

    kind: Kind
    port: int
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """Processor time that the process has taken so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def start_profile(self) -> None:
        """From now on; start-up and warm-up would only hide what a request costs."""
        self.process.send_signal(signal.SIGUSR1)


@contextmanager
def serving(kind: Kind, *, dsn: str, keys: Path, profile: Path | None = None) -> Generator[Server]:
    """A contestant that listens on a free port of 127.0.0.1 and answers. Raises `MeasurementFailed`."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        port: int = listening.getsockname()[1]
        order = Order(kind=kind, dsn=dsn, keys=keys, listening=listening.fileno())
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.servers", msgspec.json.encode(order, enc_hook=str).decode()],
            pass_fds=(listening.fileno(),),
            env={**os.environ, **({PROFILE_VARIABLE: str(profile)} if profile else {})},
            preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - only prctl and getppid
        )
    try:
        _await_answer(process, port)
        yield Server(kind, port, process)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    """Any answer will do: the socket listens before the server is up."""
    deadline = time.monotonic() + _STARTING_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            ask(port, "/health/live")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise MeasurementFailed("a server did not start; its words are above")


def ask(
    port: int, path: str, *, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """One request outside the load: status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


async def trivial_app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers at once: what it serves a second is what the load can ask for."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def _as_path(_kind: type, text: str) -> Path:
    return Path(text)


def _app(order: Order) -> Any:
    if order.kind is Kind.TRIVIAL:
        return trivial_app
    if order.kind is Kind.LIMIT:
        from benchmarks.limit import Limit

        return Limit(order.dsn, POOL_SIZE, order.keys.parent / "limit")
    if order.kind is Kind.PEER:
        from benchmarks.peer import create_peer

        return create_peer(order.dsn, order.keys, POOL_SIZE, order.keys.parent / "peer")
    from api.app import create_app
    from api.client_address import parse_networks
    from api.public_lane import public_lane

    settings = Settings(
        var=order.keys.parent,
        keys=order.keys,
        database_url=order.dsn,
        pool_size=POOL_SIZE,
        trusted_proxies=parse_networks("127.0.0.1/32"),
    )
    if order.kind is Kind.YIMA:
        settings = msgspec.structs.replace(settings, page_cache_bytes=0)
    return public_lane(create_app(settings, order.dsn))


def _end_well(_number: int, _frame: FrameType | None) -> None:
    """What is left to do is done by the code after the server."""


def main() -> None:
    """Serve until SIGTERM."""
    order = msgspec.json.decode(sys.argv[1], type=Order, dec_hook=_as_path)
    config = uvicorn.Config(
        _app(order),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=60,  # on a machine that is not quiet a slow contestant would take its own delay for silence
    )
    # uvicorn raises the signal again once it has ended well; the profile is still to be written then.
    signal.signal(signal.SIGTERM, _end_well)
    server = uvicorn.Server(config)
    sockets = [socket.socket(fileno=order.listening)]
    path = os.environ.get(PROFILE_VARIABLE)
    if path is None:
        server.run(sockets)
        return
    profile = cProfile.Profile()
    signal.signal(signal.SIGUSR1, lambda _number, _frame: profile.enable())
    server.run(sockets)
    profile.disable()
    Path(path).write_text(_readable(profile), "utf-8")


def _readable(profile: cProfile.Profile) -> str:
    """By own time and by time with callees: the first names the cost, the second who incurs it."""
    text = io.StringIO()
    stats = pstats.Stats(profile, stream=text)
    stats.strip_dirs()
    for order in ("tottime", "cumulative"):
        stats.sort_stats(order).print_stats(_PROFILED_LINES)
    return text.getvalue()


if __name__ == "__main__":
    main()
