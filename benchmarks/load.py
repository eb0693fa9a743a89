"""The load: HTTP/1.1 over a few kept connections to 127.0.0.1, one request at a time on each, bounded.

It builds nothing and parses next to nothing, so that the figures are the server's and not its own.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import cast

import msgspec

from benchmarks.apart import Figures, MeasurementFailed, measure_apart

CONNECTIONS = 32
AT_MOST = 200_000
_HOST = "127.0.0.1"
_PATIENCE = 20.0
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Burst(msgspec.Struct, frozen=True, kw_only=True):
    """What one burst of load measured. Latencies in milliseconds; `client_cpu` is the load's own share of one core."""

    count: int
    seconds: float
    rate: float
    p50_ms: float
    p99_ms: float
    client_cpu: float


def send_load(port: int, requests: list[bytes], folder: Path, *, seconds: float, once: bool = False) -> Burst:
    """Send `requests` round and round for `seconds`, or each only `once`, from another process.

    Raises `MeasurementFailed` at the first answer that is not 2xx.
    """
    path = folder / "requests.msgpack"
    path.write_bytes(msgspec.msgpack.encode(requests))
    at_most = len(requests) if once else AT_MOST
    figures = measure_apart(
        "benchmarks.load",
        within=seconds + 2 * _PATIENCE,
        port=port,
        requests=str(path),
        connections=CONNECTIONS,
        seconds=seconds,
        at_most=at_most,
    )
    if once and figures["count"] < at_most:
        raise MeasurementFailed(f"only {figures['count']} of {at_most} requests were answered in {seconds:.0f} s")
    return msgspec.convert(figures, Burst)


async def measure(port: int, requests: str, connections: int, seconds: float, at_most: int) -> Figures:
    """The figures of one burst, as `Burst` has them."""
    prepared = msgspec.msgpack.decode(Path(requests).read_bytes(), type=list[bytes])  # noqa: ASYNC240 - before the clock starts
    burst = _Running(prepared, at_most, time.perf_counter() + seconds)
    loop = asyncio.get_running_loop()
    transports = [(await loop.create_connection(lambda: _Lane(burst), _HOST, port))[0] for _ in range(connections)]
    began, cpu = time.perf_counter(), time.process_time()
    burst.until = began + seconds
    for lane in burst.lanes:
        lane.send_next()
    try:
        await asyncio.wait_for(burst.done.wait(), seconds + _PATIENCE)
    finally:
        for transport in transports:
            transport.abort()
    elapsed = burst.last_answer - began
    if burst.failure is not None:
        raise MeasurementFailed(burst.failure)
    return {
        "count": len(burst.latencies),
        "seconds": elapsed,
        "rate": len(burst.latencies) / elapsed,
        "p50_ms": percentile(burst.latencies, 0.50) * 1000,
        "p99_ms": percentile(burst.latencies, 0.99) * 1000,
        "client_cpu": (time.process_time() - cpu) / elapsed,
    }


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class _Running:
    """What the lanes share."""

    def __init__(self, requests: list[bytes], at_most: int, until: float) -> None:
        self.requests = requests
        self.at_most = at_most
        self.until = until
        self.sent = 0
        self.waiting = 0
        self.latencies: list[float] = []
        self.last_answer = 0.0
        self.failure: str | None = None
        self.done = asyncio.Event()
        self.lanes: list[_Lane] = []

    def next_request(self, now: float) -> bytes | None:
        """The next one, or None when count or time is up."""
        if self.sent >= self.at_most or now >= self.until or self.failure is not None:
            if self.waiting == 0:
                self.done.set()
            return None
        request = self.requests[self.sent % len(self.requests)]
        self.sent += 1
        self.waiting += 1
        return request

    def fail(self, words: str) -> None:
        self.failure = self.failure or words
        self.done.set()


class _Lane(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends the next."""

    def __init__(self, burst: _Running) -> None:
        self._burst = burst
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is registered nowhere
        self._burst.lanes.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._burst.done.is_set():
            self._burst.fail(f"the server closed a connection: {exc}")

    def send_next(self) -> None:
        now = time.perf_counter()
        request = self._burst.next_request(now)
        if request is not None and self._transport is not None:
            self._sent_at = now
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = data.find(_HEAD_END)
        at = data.find(_LENGTH, 0, end)
        if end < 0 or len(data) < end + 4 + _length(data, at):
            self._buffer = data
            return
        self._buffer = b""
        burst = self._burst
        burst.last_answer = time.perf_counter()
        burst.latencies.append(burst.last_answer - self._sent_at)
        burst.waiting -= 1
        if data[9:10] != b"2":
            burst.fail(data.decode(errors="replace"))
            return
        self.send_next()


def _length(data: bytes, at: int) -> int:
    return 0 if at < 0 else int(data[at + len(_LENGTH) : data.index(b"\r", at)])
