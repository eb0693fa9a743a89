"""A piece of work in a process of its own: bounded in time, and gone when it is over, whatever became of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

_TOLD_CHARACTERS = 500


class ChildFailed(Exception):
    """The process did not do its work; the message says why."""


async def run_module(module: str, order: bytes, *, time_limit: float, folder: Path | None = None) -> bytes:
    """What `python -m module` writes to its output for `order`, in `folder`. Raises `ChildFailed` or `TimeoutError`.

    `time_limit` in seconds. The process is killed when the time is over or the caller gives up.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder
    )
    try:
        async with asyncio.timeout(time_limit):
            done, told = await process.communicate(order)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise ChildFailed(told.decode("utf-8", "replace")[-_TOLD_CHARACTERS:] or f"ended with {process.returncode}")
    return done
