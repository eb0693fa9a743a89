"""The worker's chore, whole: the content opened, 44 pictures fetched and opened, the paper set, sealed and kept."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from uuid import UUID

import api.jobs
from api.chores import PERFORMANCES
from api.wiring import open_parts
from benchmarks.apart import Figures, peak_mb
from domain.document.operations import find_document
from domain.evidence.model import BlobPlace
from domain.shared.chores import ChoreKind

_WORKER = api.jobs.run_worker
"""Loaded with all that a worker loads, so that the memory is a worker's."""


async def measure(dsn: str, keys_folder: Path, blobs_folder: Path, document: str) -> Figures:
    """Seconds of one paper, and the peaks of this process (the worker) and of the renderer, in MB of 10^6 bytes.

    The renderer is forked from this process, so its peak is told too high should it need less than this one.
    """
    document_id = UUID(document)
    blobs = BlobPlace(str(blobs_folder))
    async with open_parts(dsn, keys_folder, blobs=blobs, pool_size=6, application="benchmark worker") as parts:
        async with parts.work.reading() as connection:
            await find_document(connection, document_id)
        idle = peak_mb()
        began = time.perf_counter()
        await PERFORMANCES[ChoreKind.RENDER_DOCUMENT](parts, document_id.bytes)
        seconds = time.perf_counter() - began
        async with parts.work.reading() as connection:
            made = await find_document(connection, document_id)
    assert made.pdf_size is not None
    return {
        "seconds": seconds,
        "renderer_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6,
        "worker_mb": peak_mb(),
        "idle_mb": idle,
        "pages": made.page_count,
        "kilobytes": made.pdf_size // 1000,
    }
