"""单元格 What a spreadsheet's cell says: columns, the usual spellings of dates and numbers, faults by line and field.

Pure: a cell in, a value or a `CellFault` out. The rooms' `intake.py` name their columns with these readers.
"""

from __future__ import annotations

import enum
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from codes.phone import mask_phone, normalise_mobile
from codes.resident_id import mask_resident_id

Cell = str | int | float | bool | date | datetime | time | timedelta | None
"""What a row reader gives: text from a CSV file, whatever the spreadsheet keeps from an XLSX file."""

_BLANKS: Final = " \t\r\n\v\f\u00a0\u3000\u200b\u200c\u200d\ufeff"
_NOTHING: Final = frozenset({"", "-", "--", "—", "——", "/", "\\", "无", "暂无", "null", "NULL", "None", "N/A", "#N/A"})
_EXACT_BELOW: Final = 10**15  # a spreadsheet keeps 15 significant digits; a longer number has lost its end
_DATE = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?(?:[ T][0-9:.]*)?")
_DAYS_WRITTEN_TOGETHER = re.compile(r"([12][0-9]{3})([0-9]{2})([0-9]{2})")
_EXCEL_EPOCH = date(1899, 12, 30)  # day 0, shifted by Excel's belief that 1900 was a leap year
_EXCEL_SERIALS = range(10_000, 100_000)  # 1927 to 2173; of four digits it is a year, of six a year and month
_YEARS = range(1850, 2201)
_SHOWN_LENGTH = 60
_UNWRITABLE: Final = {"Cc", "Cs", "Cn"}
_LOOKS_LIKE_A_PERSON = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]{4}[0-9Xx](?![0-9A-Za-z])"
)
_LOOKS_LIKE_A_MOBILE = re.compile(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?![0-9A-Za-z])")


class CellFault(ValueError):
    """A cell that cannot be used; its text is the reason, in Chinese, without the cell's own value."""


class FaultLevel(enum.StrEnum):
    """An error keeps the row out; with a warning it goes in."""

    ERROR = "error"
    WARNING = "warning"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return "错误" if self is FaultLevel.ERROR else "警告"


class RowFault(msgspec.Struct, frozen=True):
    """行错误: in which line and field of the file, why, and the value as it stood, personal parts masked."""

    line: int
    field: str
    reason: str
    value: str = ""
    level: FaultLevel = FaultLevel.ERROR


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """列 of an import file: its Chinese `header`, the `name` of the value, and how a cell is read.

    `aliases` are headers that mean the same; `mask` hides a personal value in reports; `note` and `example` explain
    the column in the template.
    """

    header: str
    name: str
    read: Callable[[Cell], object]
    mandatory: bool = False
    aliases: tuple[str, ...] = ()
    mask: Callable[[str], str] | None = None
    note: str = ""
    example: str = ""


def is_blank(cell: Cell) -> bool:
    """Whether the cell says nothing: empty, blanks, or what people type for nothing (`-`, `无`, `NULL`)."""
    return cell is None or (isinstance(cell, str) and cell.strip(_BLANKS) in _NOTHING)


def read_cells(
    line: int, cells: Mapping[str, Cell], columns: Mapping[str, Column]
) -> tuple[dict[str, Any], list[RowFault]]:
    """The values by name and every fault of one row. `cells` and `columns` go by header; blank cells give no value."""
    values: dict[str, Any] = {}
    faults: list[RowFault] = []
    at_fault: set[str] = set()
    for header, cell in cells.items():
        if is_blank(cell):
            continue
        column = columns[header]
        try:
            values[column.name] = column.read(cell)
        except CellFault as fault:
            faults.append(fault_in(line, column, str(fault), cell))
            at_fault.add(column.name)
    faults.extend(
        RowFault(line, column.header, "必填，不能为空")
        for column in columns.values()
        if column.mandatory and column.name not in values and column.name not in at_fault
    )
    return values, faults


def fault_in(
    line: int, column: Column, reason: str, cell: Cell = None, level: FaultLevel = FaultLevel.ERROR
) -> RowFault:
    """A fault of `column` that shows its cell as far as it may be shown."""
    return RowFault(line, column.header, reason, shown(cell, column.mask), level)


def shown(cell: Cell, mask: Callable[[str], str] | None = None) -> str:
    """The cell for a report: masked by its column's `mask`; in any column, identity numbers and mobiles are masked.

    People put an identity number into the column of credit codes, and a telephone into any.
    """
    if is_blank(cell):
        return ""
    written = str(cell).strip(_BLANKS)
    if mask is not None:
        return mask(written)[:_SHOWN_LENGTH]
    readable = unicodedata.normalize("NFKC", written)
    if not (_LOOKS_LIKE_A_PERSON.search(readable) or _LOOKS_LIKE_A_MOBILE.search(readable)):
        return written[:_SHOWN_LENGTH]
    masked = _LOOKS_LIKE_A_PERSON.sub(lambda found: mask_resident_id(found[0]), readable)
    return _LOOKS_LIKE_A_MOBILE.sub(lambda found: mask_phone(found[0]), masked)[:_SHOWN_LENGTH]


def looks_like_resident_id(said: str) -> bool:
    """Whether a text is built like a person's identity number, right or wrong in its check digit."""
    return _LOOKS_LIKE_A_PERSON.fullmatch(said) is not None


# ---- readers


def written(cell: Cell) -> str:
    """The cell as text, trimmed. Raises `CellFault` for a number that a spreadsheet has cut, and for broken text."""
    if isinstance(cell, str):
        said = cell.strip(_BLANKS)
        if "\x00" in said or "\ufffd" in said:
            raise CellFault("含无法识别的字符，请检查文件编码")
        return said
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, int | float):
        if not math.isfinite(cell):
            raise CellFault("不是数字，请检查该单元格的公式")
        if abs(cell) >= _EXACT_BELOW:
            raise CellFault("被表格软件当作数字，末尾数位已丢失；请将该列设为文本后重新填写")
        return str(int(cell)) if cell == int(cell) else repr(cell)
    return "" if cell is None else str(cell)


def tidy(said: str) -> str | None:
    """A text as a spreadsheet gives it back: trimmed, lines ended alike; None where it says nothing.

    Raises `CellFault` for what a spreadsheet cannot hold.
    """
    text = written(said.replace("\r\n", "\n").replace("\r", "\n"))
    if any(unicodedata.category(sign) in _UNWRITABLE and sign not in "\n\t" for sign in text):
        raise CellFault("含无法保存的控制字符")
    return None if is_blank(text) else text


def text(longest: int = 200) -> Callable[[Cell], str]:
    """A reader of text of at most `longest` characters."""

    def read(cell: Cell) -> str:
        said = written(cell)
        if len(said) > longest:
            raise CellFault(f"超过{longest}字")
        return said

    return read


def day(cell: Cell) -> date:
    """A date: 2020-01-02, 2020/1/2, 2020.1.2, 20200102, 2020年1月2日, a date cell, or Excel's serial day."""
    if isinstance(cell, datetime):
        found = cell.date()
    elif isinstance(cell, date):
        found = cell
    else:
        found = _day_in(unicodedata.normalize("NFKC", written(cell)))
    if found.year not in _YEARS:
        raise CellFault("日期不合理")
    return found


def day_or_open(cell: Cell) -> date | None:
    """A date, or None for an end that is open: 长期, 永久, 9999-12-31."""
    said = written(cell)
    return None if said in {"长期", "永久", "无固定期限"} or said.startswith("9999") else day(cell)


def _day_in(said: str) -> date:
    if len(said) <= 8 and said.isdigit():  # noqa: PLR2004 -- YYYYMMDD, or a serial day
        serial = int(said)
        if serial in _EXCEL_SERIALS:
            return _EXCEL_EPOCH + timedelta(days=serial)
        found = _DAYS_WRITTEN_TOGETHER.fullmatch(said)
    else:
        found = _DATE.fullmatch(said)
    if found is None:
        raise CellFault("不是日期，应如2020-01-02")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise CellFault("没有这一天") from None


def number(cell: Cell) -> Decimal:
    """A decimal number; commas between thousands are taken away."""
    said = unicodedata.normalize("NFKC", repr(cell) if isinstance(cell, float) else written(cell))
    try:
        found = Decimal(said.replace(",", "").replace(" ", ""))
    except InvalidOperation:
        raise CellFault("不是数字") from None
    if not found.is_finite():
        raise CellFault("不是数字")
    return found


_YES = {"是", "有", "已", "1", "Y", "YES", "TRUE", "T", "√", "1.0"}
_NO = {"否", "没有", "未", "0", "N", "NO", "FALSE", "F", "×", "0.0"}


def yes_no(cell: Cell) -> bool:
    """是 or 否, also 1/0, Y/N, true/false."""
    said = unicodedata.normalize("NFKC", written(cell)).upper()
    if said in _YES:
        return True
    if said in _NO:
        return False
    raise CellFault("应填“是”或“否”")


def one_of(meanings: Mapping[str, str], offered: str) -> Callable[[Cell], str]:
    """A reader of one of a few words; `meanings` goes by the word in upper case, `offered` names them to people."""

    def read(cell: Cell) -> str:
        meaning = meanings.get(unicodedata.normalize("NFKC", written(cell)).upper())
        if meaning is None:
            raise CellFault(f"应为{offered}之一")
        return meaning

    return read


def is_mobile(phone: str) -> bool:
    """Whether a normalised telephone number can receive a message."""
    return normalise_mobile(phone) is not None


def by_header(columns: Sequence[Column]) -> dict[str, Column]:
    """The columns as `read_cells` takes them."""
    return {column.header: column for column in columns}
