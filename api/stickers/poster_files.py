"""海报 of every site of a region as files: `yima code posters`.

A part of 500 pages at a time. Stopped anywhere, it is simply run again: a part that is whole and still true is kept,
one that is not is drawn anew beside it and put in its place at once, so that no half part is ever taken for a whole.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from api.register import INSTALLATION
from api.stickers.batch import plain_cell
from api.stickers.press import PAGES, PRESS
from api.stickers.region import FIRST, count_sites, cursor_of, find_place, posters_of, take_sites
from api.wiring import Parts
from codes.poster import Poster, PosterJob, PosterSize, is_poster_file, job_digest
from codes.token import code_url
from domain.shared.events import Operator

_COLUMNS: Final = ("file", "page", "uscc", "name", "site", "url")
Progress = Callable[[int, int], None]
"""Called with the sites done and the sites in all."""


class PosterReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did: `parts` there are now, of which `drawn` were made and the others stood there already."""

    region_code: str
    sites: int
    issued: int
    parts: int
    drawn: int
    retired: int
    seconds: float
    index: str


async def print_posters(
    parts: Parts,
    *,
    region_code: str,
    size: PosterSize,
    folder: Path,
    public_url: str,
    operator: Operator = INSTALLATION,
    progress: Progress = lambda _done, _total: None,
    pages: int = PAGES,
) -> PosterReport:
    """Issue missing codes in the region's subtree and write its parts and their index below `folder`.

    Raises `NotFound` for an unknown region, `InvalidPublicUrl`, and `PostersNotDrawn`; running it again goes on.
    """
    started = time.monotonic()
    code_url(public_url, "")
    place = await find_place(parts, region_code)
    total = await count_sites(parts, place)
    run = _Run(folder, region_code, size)
    cursor, sites, issued, retired = FIRST, 0, 0, 0
    while (page := await take_sites(parts, operator, place, cursor, pages)).rows:
        posters = posters_of(page.rows, parts.code_keys, public_url)
        await run.add(posters.pages)
        cursor = cursor_of(page.rows[-1])
        sites, issued, retired = sites + len(page.rows), issued + page.issued, retired + posters.retired
        progress(sites, max(total, sites))
    index = run.finish()
    return PosterReport(
        region_code=region_code,
        sites=sites,
        issued=issued,
        parts=run.count,
        drawn=run.drawn,
        retired=retired,
        seconds=round(time.monotonic() - started, 2),
        index=str(index),
    )


class _Run:
    """The files of one run. Its index is put in place at the end: complete or the former one, never half of it."""

    def __init__(self, folder: Path, region_code: str, size: PosterSize) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.count = self.drawn = 0
        self._folder = folder
        self._stem = f"posters-{region_code}-{size}"
        self._size = size
        self._beside = folder / f".{self._stem}.csv.part"
        with self._beside.open("w", encoding="utf-8-sig", newline="") as index:
            csv.writer(index).writerow(_COLUMNS)

    async def add(self, posters: Sequence[Poster]) -> None:
        """One part more; sites without a usable code leave none."""
        if not posters:
            return
        self.count += 1
        path = self._folder / f"{self._stem}-{self.count:04d}.pdf"
        job = PosterJob(size=self._size, posters=list(posters))
        if not is_poster_file(path, job_digest(job)):
            beside = path.with_name(f".{path.name}.part")
            beside.write_bytes(await PRESS.draw(job))
            beside.replace(path)
            self.drawn += 1
        with self._beside.open("a", encoding="utf-8", newline="") as index:
            csv.writer(index).writerows(
                (path.name, page, each.uscc, plain_cell(each.name), plain_cell(each.site), each.url)
                for page, each in enumerate(posters, start=1)
            )

    def finish(self) -> Path:
        """The index in its place, and no part left of a run that had more of them."""
        index = self._folder / f"{self._stem}.csv"
        self._beside.replace(index)
        for path in self._folder.glob(f"{self._stem}-*.pdf"):
            number = path.stem.rpartition("-")[2]
            if number.isdigit() and int(number) > self.count:
                path.unlink()
        return index
