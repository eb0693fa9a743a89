"""Has posters drawn in a process of their own, under a limit of time and memory, one job at a time."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

from codes.poster import PosterJob, write_job

PAGES: Final = 500
"""To a PDF: 2 s of work, 4 MB, some 250 MB of memory while it is drawn."""
_TIME_LIMIT: Final = 120.0
_ROOT: Final = Path(__file__).resolve().parents[2]


class PostersNotDrawn(Exception):
    """The posters could not be set; the message says why, for whoever runs the installation."""


class PosterPress:
    """One per process: so many drawings at once as it is, however many ask."""

    def __init__(self, *, time_limit: float = _TIME_LIMIT) -> None:
        """End a drawing after `time_limit` seconds."""
        self._time_limit = time_limit
        self._turn = asyncio.Semaphore(1)

    async def draw(self, job: PosterJob) -> bytes:
        """The PDF of `job`. Raises `PostersNotDrawn`."""
        async with self._turn:
            return await self._run(write_job(job))

    async def _run(self, order: bytes) -> bytes:
        pipe = asyncio.subprocess.PIPE
        argv = (sys.executable, "-m", "codes.poster")
        process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe, cwd=_ROOT)
        try:
            async with asyncio.timeout(self._time_limit):
                pdf, told = await process.communicate(order)
        except TimeoutError as late:
            raise PostersNotDrawn(f"not drawn within {self._time_limit:g} s") from late
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise PostersNotDrawn(told.decode("utf-8", "replace")[-500:] or f"ended with {process.returncode}")
        return pdf


PRESS: Final = PosterPress()
