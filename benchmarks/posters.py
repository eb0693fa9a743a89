"""海报 of a region: parts of 500 A4 pages, each drawn in a process of its own as the batch draws it."""

from __future__ import annotations

import resource
import time

from api.stickers.press import PAGES, PosterPress
from benchmarks.apart import Figures, MeasurementFailed
from codes.poster import Poster, PosterJob, PosterSize
from codes.token import code_url
from codes.uscc import make_uscc


async def measure(pages: int = 1_000) -> Figures:
    """Pages a second, the size of a part, and the peak of a drawing process, MB of 10^6 bytes."""
    press = PosterPress()
    posters = [_poster(number) for number in range(pages)]
    began, sizes = time.monotonic(), list[int]()
    for start in range(0, pages, PAGES):
        pdf = await press.draw(PosterJob(size=PosterSize.A4, posters=posters[start : start + PAGES]))
        if not pdf.rstrip().endswith(b"%%EOF"):
            raise MeasurementFailed("a part is not whole")
        sizes.append(len(pdf))
    seconds = time.monotonic() - began
    return {
        "pages_per_second": pages / seconds,
        "pages": pages,
        "seconds": seconds,
        "pdf_mb": max(sizes) / 1e6,
        "drawing_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6,
    }


def _poster(number: int) -> Poster:
    token = f"{number:031d}"
    return Poster(
        name=f"南宁市第{number}号餐饮管理有限公司",
        site=f"南宁市青秀区民族大道{number}号",
        uscc=make_uscc(f"91450103{number:09d}"),
        url=code_url("https://ym.gxzf.gov.cn", token),
        authority="南宁市青秀区市场监督管理局",
        hotline="0771-12345",
    )
