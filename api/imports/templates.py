"""导入模板 Empty files to fill in: the headers, with numbers kept as text, and what each column wants."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from domain.shared.cells import Column

_WIDE = 40


class UnknownTemplateFormat(ValueError):
    """A template is written as .xlsx or .csv."""


def write_template(columns: Sequence[Column], out: Path) -> None:
    """Write the template to `out`, .xlsx or .csv by its name. Raises `UnknownTemplateFormat`, OSError."""
    suffix = out.suffix.lower()
    if suffix == ".csv":
        _write_csv(columns, out)
    elif suffix == ".xlsx":
        _write_xlsx(columns, out)
    else:
        raise UnknownTemplateFormat("模板文件名应以.xlsx或.csv结尾。")


def _headers(columns: Sequence[Column]) -> list[str]:
    return [f"{column.header}*" if column.mandatory else column.header for column in columns]


def _write_csv(columns: Sequence[Column], out: Path) -> None:
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerow(_headers(columns))


def _write_xlsx(columns: Sequence[Column], out: Path) -> None:
    import xlsxwriter

    with out.open("wb") as file, xlsxwriter.Workbook(file) as book:
        as_text = book.add_format({"num_format": "@"})  # else a spreadsheet rounds 18 digits to 15
        plain = book.add_format({"bold": True, "bg_color": "#DDEBF7", "text_wrap": True})
        mandatory = book.add_format({"bold": True, "bg_color": "#FCE4D6", "text_wrap": True})
        sheet = book.add_worksheet("数据")
        for place, (column, header) in enumerate(zip(columns, _headers(columns), strict=True)):
            width = min(_WIDE, max(12, 2 * len(header) + 2))
            sheet.set_column(place, place, width, as_text)
            sheet.write_string(0, place, header, mandatory if column.mandatory else plain)
        sheet.freeze_panes(1, 1)
        notes = book.add_worksheet("填写说明")
        notes.set_column(0, 0, 30)
        notes.set_column(1, 1, 8)
        notes.set_column(2, 3, 50, as_text)
        for place, title in enumerate(("字段", "必填", "说明", "示例")):
            notes.write_string(0, place, title, plain)
        for row, column in enumerate(columns, start=1):
            cells = (column.header, "是" if column.mandatory else "", column.note, column.example)
            for place, said in enumerate(cells):
                notes.write_string(row, place, said)
