"""A measurement in a process of its own: `python -m benchmarks.apart MODULE` runs its `measure` as stdin says."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import uvloop

from api.cluster_home import dies_with_parent

Figures = dict[str, Any]


class MeasurementFailed(Exception):
    """A measurement ended without figures; the message holds its last words."""


def measure_apart(module: str, *, within: float, **given: object) -> Figures:
    """The figures of `module.measure(**given)`, run by a fresh interpreter that ends after `within` seconds.

    Raises `MeasurementFailed`.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.apart", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - only prctl and getppid
    )
    try:
        out, words = process.communicate(msgspec.json.encode(given), timeout=within)
    except subprocess.TimeoutExpired as late:
        raise MeasurementFailed(f"{module} did not end within {within:.0f} s") from late
    finally:
        process.kill()
        process.wait()
    if process.returncode != 0:
        raise MeasurementFailed(f"{module}: {words.decode(errors='replace')[-1500:]}")
    return msgspec.json.decode(out.splitlines()[-1], type=Figures)


def main() -> None:
    """Run one measurement and print its figures as the last line."""
    measure: Callable[..., Awaitable[Figures]] = importlib.import_module(sys.argv[1]).measure
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Figures)
    hints = get_type_hints(measure)
    arguments = {
        name: Path(given[name]) if hints.get(name) is Path else given[name]
        for name in inspect.signature(measure).parameters
        if name in given
    }

    async def run() -> Figures:
        return await measure(**arguments)

    figures = run_on_uvloop(run)
    sys.stdout.write("\n" + msgspec.json.encode(figures).decode() + "\n")


def peak_mb() -> float:
    """The largest resident set of this process so far, in MB of 10^6 bytes.

    Not `ru_maxrss`, which also remembers the larger process that this one was forked from.
    """
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def run_on_uvloop(run: Callable[[], Awaitable[Figures]]) -> Figures:
    """As the servers do."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_coroutine(run))


async def _coroutine(run: Callable[[], Awaitable[Figures]]) -> Figures:
    return await run()


if __name__ == "__main__":
    main()
