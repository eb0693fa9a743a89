"""日历调整 out of a CSV file: one day a line, as a holiday notice lists them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from typing import Final

from domain.deadline.model import MOST_DAYS, CalendarDay
from domain.shared.errors import InvalidField

_WORKED: Final = {"班": True, "上班": True, "work": True, "休": False, "放假": False, "rest": False}
_COLUMNS: Final = 3
_HEADINGS: Final = frozenset({"日期", "date"})


def read_days(file: bytes) -> list[CalendarDay]:
    """The days of a CSV file in UTF-8 or GB 18030: `日期,班或休,说明`, its heading left out where there is one.

    Raises `InvalidField`, which names the line.
    """
    days = list(_days(_text(file)))
    if not days:
        raise InvalidField("文件中没有日期。", field="days")
    if len(days) > MOST_DAYS:
        raise InvalidField(f"一次最多{MOST_DAYS}天。", field="days")
    return days


def _text(file: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return file.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidField("文件应为UTF-8或GB 18030编码。", field="days")


def _days(text: str) -> Iterator[CalendarDay]:
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0] in _HEADINGS):
            continue
        if len(cells) != _COLUMNS or cells[1] not in _WORKED or not cells[2]:
            raise InvalidField(f"第{number}行应为“日期,班或休,说明”。", field="days", line=number)
        yield CalendarDay(on=_date(cells[0], number), is_working=_WORKED[cells[1]], note=cells[2])


def _date(text: str, number: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as odd:
        raise InvalidField(f"第{number}行的日期应如2027-01-01。", field="days", line=number) from odd
