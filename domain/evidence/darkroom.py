"""Where pictures are decoded: a few threads beside the event loop, so that time and memory stay bounded."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from domain.evidence.draft import Draft
from domain.evidence.model import FileFacts, Shown
from domain.evidence.ports import Scanner

_AT_ONCE: Final = 2
"""Each holds one file in clear (at most 20 MiB) and one decoded picture (50 megapixels at the very most)."""


class Darkroom:
    """Examines and copies, `_AT_ONCE` at a time; whoever comes later waits without holding a file."""

    def __init__(self) -> None:
        """Threads start with the first picture."""
        self._threads = ThreadPoolExecutor(max_workers=_AT_ONCE, thread_name_prefix="darkroom")

    async def examine(self, draft: Draft, scanner: Scanner) -> tuple[FileFacts, str | None]:
        """What the draft's content is, and why it is to be set aside, if it is.

        Raises `EvidenceTypeRefused`, `EvidenceUnreadable` or `ScannerAway`.
        """

        def work() -> tuple[FileFacts, str | None]:
            from domain.evidence import images  # loads the decoders, which most processes never need

            content = draft.content()
            return images.examine(content), scanner.scan(content)

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def make_copies(self, content: bytes) -> dict[Shown, bytes]:
        """The copies of a picture. Raises `EvidenceUnreadable`."""

        def work() -> dict[Shown, bytes]:
            from domain.evidence import images

            return images.make_copies(content)

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)
