"""导入文件 The rows of an import file, one at a time: CSV in any size, XLSX as far as a worksheet goes.

CSV streams in constant memory. An XLSX file is read by calamine while it is small enough to be held (55,000 rows/s,
2.4 KB a row of 20 cells) and streamed by openpyxl beyond that (5,500 rows/s; what Excel keeps in its table of shared
strings must still be held), measured with 50,000 rows of 20 texts.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import itertools
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from domain.shared.cells import Cell, Column, is_blank

_HEADER_NOISE = re.compile(r"\s|\*|\((?:必填|选填)\)")
_SNIFFED_BYTES: Final = 1024 * 1024
_TITLE_ROWS: Final = 5  # a title or a date may stand above the headers
HELD_BYTES: Final = 128 * 1024 * 1024
"""An XLSX file whose unpacked sheets are larger is streamed, not held."""
_OVERLONG_CELL: Final = 1024 * 1024
_SPREADSHEETS = frozenset({".xlsx", ".xlsm"})
_TEXTS = frozenset({".csv", ".tsv", ".txt"})

_Raw = tuple[int, Sequence[Cell] | str]
"""A line's number, and its cells or, where they could not be told apart, the reason."""


class FileUnreadable(Exception):
    """The file as a whole cannot be imported; the message says why and what to do, in Chinese."""


class FileRow(msgspec.Struct, frozen=True):
    """One row: the line where it begins, its cells by header (blank ones may be missing), or why it has none."""

    line: int
    cells: Mapping[str, Cell]
    fault: str | None = None


class _Extent:
    """How far a file goes: its last line where that is known, else its bytes."""

    def __init__(self, handle: BinaryIO, size: int) -> None:
        self.handle = handle
        self.size = size
        self.is_text = False
        self.last_line = 0

    def fraction(self, line: int) -> float | None:
        if self.is_text:
            return 1.0 if self.handle.closed else min(1.0, self.handle.tell() / max(1, self.size))
        return min(1.0, line / self.last_line) if self.last_line else None


class RowFile:
    """An open import file whose headers fit; iterate for the rows. Wholly blank rows are passed over."""

    def __init__(
        self, raw: Iterator[_Raw], headers: Sequence[str | None], extent: _Extent, unknown: tuple[str, ...]
    ) -> None:
        """Keep what `open_rows` found."""
        self._raw = raw
        self._headers = headers
        self._extent = extent
        self._line = 0
        self.unknown = unknown
        """Headers that no column has, or that came before; their cells are not read."""

    def __iter__(self) -> Iterator[FileRow]:
        """Each row that holds anything."""
        headers = self._headers
        width = len(headers)
        for line, cells in self._raw:
            self._line = line
            if isinstance(cells, str):
                yield FileRow(line, {}, cells)
            elif any(not is_blank(cell) for cell in cells):
                named = {header: cell for header, cell in zip(headers, cells, strict=False) if header and cell != ""}
                beyond = len(cells) > width and any(not is_blank(cell) for cell in cells[width:])
                yield FileRow(line, named, "单元格多于表头，可能有未加引号的逗号" if beyond else None)

    @property
    def fraction(self) -> float | None:
        """How much of the file has been read, 0 to 1; None where the file does not say how long it is."""
        return self._extent.fraction(self._line)


def digest_file(file: Path) -> bytes:
    """The SHA-256 of the file. Raises `FileUnreadable`."""
    try:
        with file.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").digest()
    except OSError as problem:
        raise FileUnreadable(f"无法读取文件{file}：{problem.strerror}") from problem


def normalise_header(cell: Cell) -> str:
    """A header as columns are named: half-width, without blanks, asterisks and （必填）."""
    return _HEADER_NOISE.sub("", unicodedata.normalize("NFKC", str(cell))) if isinstance(cell, str) else ""


@contextmanager
def open_rows(file: Path, columns: Sequence[Column], *, held_bytes: int = HELD_BYTES) -> Generator[RowFile]:
    """The rows of `file` (.xlsx, .csv, .tsv, .txt) under the headers of `columns`.

    Raises `FileUnreadable`, also in the midst of a broken file: it is no spreadsheet, has no rows, or lacks the
    column of a mandatory field, which the message names.
    """
    suffix = file.suffix.lower()
    if suffix not in _SPREADSHEETS | _TEXTS:
        raise FileUnreadable(f"不支持{suffix or '没有扩展名'}的文件，请另存为.xlsx或.csv。")
    try:
        handle = file.open("rb")
    except OSError as problem:
        raise FileUnreadable(f"无法读取文件{file}：{problem.strerror}") from problem
    with handle:
        extent = _Extent(handle, file.stat().st_size)
        with closing(_texts(extent) if suffix in _TEXTS else _sheet(extent, held_bytes)) as raw:
            yield _with_headers(raw, columns, extent)


def _with_headers(raw: Iterator[_Raw], columns: Sequence[Column], extent: _Extent) -> RowFile:
    """The rows below the first line that holds every mandatory header; the one that comes nearest tells what lacks."""
    known = {normalise_header(said): column.header for column in columns for said in (column.header, *column.aliases)}
    fewest: list[str] | None = None
    for cells in itertools.islice(_filled(raw), _TITLE_ROWS):
        found = [known.get(normalise_header(cell)) for cell in cells]
        missing = [column.header for column in columns if column.mandatory and column.header not in found]
        if not missing:
            headers = [header if header not in found[:place] else None for place, header in enumerate(found)]
            unread = [cell for cell, header in zip(cells, headers, strict=True) if header is None]
            return RowFile(raw, headers, extent, tuple(str(cell).strip() for cell in unread if not is_blank(cell)))
        if fewest is None or len(missing) < len(fewest):
            fewest = missing
    if fewest is None:
        raise FileUnreadable("文件是空的。")
    raise FileUnreadable(f"缺少必填列：{'、'.join(fewest)}。请对照导入模板检查表头。")


def _filled(raw: Iterator[_Raw]) -> Iterator[Sequence[Cell]]:
    for _, cells in raw:
        if not isinstance(cells, str) and not all(is_blank(cell) for cell in cells):
            yield cells


# ---- text


def _texts(extent: _Extent) -> Generator[_Raw]:
    handle = extent.handle
    extent.is_text = True
    sample = handle.read(_SNIFFED_BYTES)
    handle.seek(0)
    encoding = _encoding_of(sample)
    first = sample.decode(encoding, "replace").partition("\n")[0]
    delimiter = "\t" if first.count("\t") > max(first.count(","), first.count(";")) else ","
    if delimiter == "," and first.count(";") > first.count(","):
        delimiter = ";"
    csv.field_size_limit(_OVERLONG_CELL)
    reader = csv.reader(_lines(handle, encoding), delimiter=delimiter)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, f"引号没有成对，第{line}至{reader.line_num}行无法读取"


def _lines(handle: BinaryIO, encoding: str) -> Iterator[str]:
    """Text lines that keep their ends, as the csv module wants them, without taking the handle over."""
    return codecs.getreader(encoding)(handle, "replace") if "16" in encoding else _fast(handle, encoding)


def _fast(handle: BinaryIO, encoding: str) -> Iterator[str]:
    for line in handle:  # no byte of UTF-8 or GB 18030 that follows another is a line's end
        yield line.decode(encoding, "replace")


def _encoding_of(sample: bytes) -> str:
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


# ---- spreadsheets


def _sheet(extent: _Extent, held_bytes: int) -> Generator[_Raw]:
    handle = extent.handle
    try:
        with zipfile.ZipFile(handle) as archive:
            unpacked = sum(part.file_size for part in archive.infolist() if part.filename.endswith(".xml"))
        handle.seek(0)
        yield from _held(extent) if unpacked <= held_bytes else _streamed(extent)
    except (FileUnreadable, OSError):
        raise
    except Exception as problem:  # the two libraries raise what their parsers raise
        raise FileUnreadable("不是完好的.xlsx文件，请用表格软件打开后另存一次。") from problem


def _held(extent: _Extent) -> Generator[_Raw]:
    from python_calamine import CalamineWorkbook

    sheet = CalamineWorkbook.from_filelike(extent.handle).get_sheet_by_index(0)
    if sheet.start is None:
        return
    extent.last_line = sheet.total_height
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        yield line, _as_kept(cells)


def _streamed(extent: _Extent) -> Generator[_Raw]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():  # openpyxl warns of styles and validations that it does not read
        warnings.simplefilter("ignore")
        book = load_workbook(extent.handle, read_only=True, data_only=True)
    try:
        sheet: Any = book.worksheets[0]
        extent.last_line = sheet.max_row or 0
        sheet.reset_dimensions()  # some programs write that the sheet ends at A1
        for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield line, _as_kept(cells)
    finally:
        book.close()


def _as_kept(cells: Iterable[Any]) -> list[Cell]:
    """Whole numbers as such: one of the libraries gives 5.0 where the other gives 5."""
    return [int(cell) if type(cell) is float and cell.is_integer() else cell for cell in cells]
