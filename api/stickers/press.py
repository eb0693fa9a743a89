"""Has posters drawn in a process of their own, under a limit of time and memory, one job at a time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from codes.poster import PosterJob, write_job
from domain.shared.child_process import ChildFailed, run_module

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
        try:
            return await run_module("codes.poster", order, time_limit=self._time_limit, folder=_ROOT)
        except TimeoutError as late:
            raise PostersNotDrawn(f"not drawn within {self._time_limit:g} s") from late
        except ChildFailed as failure:
            raise PostersNotDrawn(str(failure)) from failure


PRESS: Final = PosterPress()
