"""批量发码 Codes for every site of a region, with their sticker files: `yima code batch`.

A page of sites at a time: the codes that are missing are issued in one transaction, and drawn while the next page is
being read. Stopped anywhere, it is simply run again: codes that were committed stay, files that are whole are kept.
"""

from __future__ import annotations

import asyncio
import csv
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Final, Literal, Self, TextIO

import msgspec

from api.register import INSTALLATION
from api.stickers.files import Drawn, StickerFile
from api.stickers.region import CodedPage, Place, count_sites, cursor_of, find_place, take_sites
from api.wiring import Parts
from codes.token import code_url, issue_token
from domain.enterprise.store import SiteToCode
from domain.shared.events import Operator

INDEX: Final = "index.csv"
PAGE: Final = 1000
"""Sites to a transaction: a longer one would hold back the trace for every reader."""
_SHARE: Final = 125  # files that a drawing process gets at once: 0.15 s of work
_PAINTERS: Final = min(os.cpu_count() or 1, 4)
_ROOT: Final = Path(__file__).resolve().parents[1]
_COLUMNS: Final = ("uscc", "name", "site", "url", "file")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

StickerKind = Literal["png", "svg"]
Progress = Callable[[int, int], None]
"""Called with the sites done and the sites in all."""


class DrawingFailed(Exception):
    """A sticker file could not be written; the message says why."""


class BatchReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch did: `retired` counts sites whose code was made with a key that no longer verifies."""

    region_code: str
    sites: int
    issued: int
    drawn: int
    kept: int
    retired: int
    seconds: float
    index: str


async def print_codes(
    parts: Parts,
    *,
    region_code: str,
    folder: Path,
    public_url: str,
    operator: Operator = INSTALLATION,
    kinds: Sequence[StickerKind] = ("png",),
    progress: Progress = lambda _done, _total: None,
) -> BatchReport:
    """Issue what is missing in the region's subtree and write `folder/<county>/<USCC>-<site>.png` and `index.csv`.

    Raises `NotFound` for an unknown region, `InvalidPublicUrl`, and `DrawingFailed`; running it again goes on.
    """
    started = time.monotonic()
    code_url(public_url, "")
    place = await find_place(parts, region_code)
    batch = _Batch(parts, operator, place, public_url, folder)
    total = await count_sites(parts, place)
    async with _open_painters() as painters:
        with _Index(folder, place.codes) as index:
            page = await batch.take(None)
            while page.rows:
                printable = batch.printable(page.rows)
                files = [each.file(folder, kind) for each in printable for kind in kinds]
                page, answer = await asyncio.gather(batch.take(page.rows[-1]), painters.draw(files))
                index.add(printable, kinds[0])
                batch.drawn += answer.drawn
                batch.kept += answer.kept
                progress(batch.sites, max(total, batch.sites))
    return BatchReport(
        region_code=region_code,
        sites=batch.sites,
        issued=batch.issued,
        drawn=batch.drawn,
        kept=batch.kept,
        retired=batch.retired,
        seconds=round(time.monotonic() - started, 2),
        index=str(folder / INDEX),
    )


class _Sticker(msgspec.Struct, frozen=True):
    """One site's code, ready to print."""

    row: SiteToCode
    url: str

    def name(self, kind: str) -> str:
        """The file below the folder. An enterprise's sites differ in the random end of their ids."""
        county = self.row.region.rpartition(".")[2]
        return f"{county}/{self.row.uscc}-{self.row.site_id.hex[-8:]}.{kind}"

    def file(self, folder: Path, kind: str) -> StickerFile:
        """The file as a drawing process wants it."""
        return StickerFile(str(folder / self.name(kind)), self.url)


class _Batch:
    """One run: what it works on, and what it has done so far."""

    def __init__(self, parts: Parts, operator: Operator, place: Place, public_url: str, folder: Path) -> None:
        self.sites = self.issued = self.drawn = self.kept = self.retired = 0
        self._parts = parts
        self._operator = operator
        self._place = place
        self._public_url = public_url
        self._folder = folder

    async def take(self, last: SiteToCode | None) -> CodedPage:
        """The page after the site `last`, every site of it with a code."""
        page = await take_sites(self._parts, self._operator, self._place, cursor_of(last), PAGE)
        self.issued += page.issued
        return page

    def printable(self, rows: Sequence[SiteToCode]) -> list[_Sticker]:
        """The stickers of a page; a code whose key is retired has none and is counted."""
        self.sites += len(rows)
        keys = self._parts.code_keys
        stickers: list[_Sticker] = []
        for row in rows:
            if row.code_id is None or row.key_version is None or not keys.verifies(row.key_version):
                self.retired += 1
                continue
            token = issue_token(keys, row.code_id, row.key_version)
            stickers.append(_Sticker(row, code_url(self._public_url, token)))
        for county in {sticker.row.region.rpartition(".")[2] for sticker in stickers}:
            (self._folder / county).mkdir(exist_ok=True)
        return stickers


class _Index:
    """`index.csv`, written beside and put in place at the end: complete or the former one, never half of it.

    Rows of counties outside this run are kept, so that several batches may share a folder.
    """

    def __init__(self, folder: Path, codes: Collection[str]) -> None:
        self._target = folder / INDEX
        self._beside = folder / f".{INDEX}.part"
        self._codes = frozenset(codes)
        self._file: TextIO

    def __enter__(self) -> Self:
        self._target.parent.mkdir(parents=True, exist_ok=True)
        # The mark at the front tells spreadsheet programs that the names are UTF-8.
        self._file = self._beside.open("w", encoding="utf-8-sig", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(_COLUMNS)
        if self._target.exists():
            with self._target.open(encoding="utf-8-sig", newline="") as former:
                self._rows.writerows(row for row in islice(csv.reader(former), 1, None) if self._is_foreign(row))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._beside.replace(self._target)

    def add(self, stickers: Iterable[_Sticker], kind: str) -> None:
        """A row for each site; files of other kinds have the same name but for the ending."""
        self._rows.writerows(
            (each.row.uscc, plain_cell(each.row.name), plain_cell(each.row.site_name), each.url, each.name(kind))
            for each in stickers
        )

    def _is_foreign(self, row: Sequence[str]) -> bool:
        return len(row) == len(_COLUMNS) and row[-1].partition("/")[0] not in self._codes


def plain_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


class _Painter:
    """One drawing process."""

    def __init__(self, process: Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise DrawingFailed("绘制进程没有管道。")
        self._process, self._asked, self._answered = process, process.stdin, process.stdout

    @classmethod
    async def start(cls) -> Self:
        """Start one; it finds the house's packages beside this file wherever the batch was started."""
        argv = (sys.executable, "-m", "api.stickers.files")
        return cls(await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE, cwd=_ROOT))

    async def draw(self, files: Sequence[StickerFile]) -> Drawn:
        """Have `files` drawn. Raises `DrawingFailed`."""
        try:
            self._asked.write(msgspec.json.encode(files) + b"\n")
            await self._asked.drain()
            line = await self._answered.readline()
        except ConnectionError:
            line = b""
        if not line:
            raise DrawingFailed("绘制进程意外结束。")
        answer = msgspec.json.decode(line, type=Drawn)
        if answer.problem:
            raise DrawingFailed(answer.problem)
        return answer

    async def close(self) -> None:
        """End it by ending its input."""
        self._asked.close()
        await self._process.wait()


class _Painters:
    """Drawing processes, each given a share as soon as it is free."""

    def __init__(self, painters: Sequence[_Painter]) -> None:
        self._idle: asyncio.Queue[_Painter] = asyncio.Queue()
        for painter in painters:
            self._idle.put_nowait(painter)

    async def draw(self, files: Sequence[StickerFile]) -> Drawn:
        """Have all of `files` drawn. Raises `DrawingFailed`."""
        shares = [files[start : start + _SHARE] for start in range(0, len(files), _SHARE)]
        answers = await asyncio.gather(*(self._draw(share) for share in shares))
        return Drawn(sum(answer.drawn for answer in answers), sum(answer.kept for answer in answers))

    async def _draw(self, share: Sequence[StickerFile]) -> Drawn:
        painter = await self._idle.get()
        try:
            return await painter.draw(share)
        finally:
            self._idle.put_nowait(painter)


@asynccontextmanager
async def _open_painters() -> AsyncGenerator[_Painters]:
    painters = [await _Painter.start() for _ in range(_PAINTERS)]
    try:
        yield _Painters(painters)
    finally:
        await asyncio.gather(*(painter.close() for painter in painters))
