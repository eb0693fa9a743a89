"""检查单导出 A version as a spreadsheet that the import reads back (CHK-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final

import xlsxwriter

from domain.checklist.columns import COLUMNS, GRADE_HEADERS, OFF_SITE
from domain.checklist.model import ItemContent

_WIDTHS: Final = {"检查内容": 60, "检查指引": 50, "法律依据": 50, "检查事项": 24, "检查子事项": 24, "检查领域": 20}


def write_sheet(items: Sequence[ItemContent], names: Mapping[str, str]) -> bytes:
    """The rows as .xlsx; `names` gives the name of a department by its code, which the import understands too."""
    out = BytesIO()
    options = {"in_memory": True}
    with xlsxwriter.Workbook(out, options) as book:
        head = book.add_format({"bold": True, "bg_color": "#DDEBF7", "text_wrap": True, "valign": "top"})
        body = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet("检查单")
        sheet.freeze_panes(1, 1)
        for place, column in enumerate(COLUMNS):
            sheet.set_column(place, place, _WIDTHS.get(column.header, 12), body)
            sheet.write_string(0, place, column.header, head)
        for line, item in enumerate(items, start=1):
            cells = cells_of(item, names)
            for place, column in enumerate(COLUMNS):
                said = cells[column.header]
                if said:  # never a formula: whatever begins with an equals sign stays a text
                    sheet.write_string(line, place, said, body)
    return out.getvalue()


def cells_of(item: ItemContent, names: Mapping[str, str]) -> dict[str, str]:
    """One row by header."""
    values: dict[str, Any] = {name: getattr(item, name) for name in ItemContent.__struct_fields__}
    code = item.department_code
    values |= {
        **{header: grade in item.grades for header, grade in GRADE_HEADERS.items()},
        "mode": item.mode.label,
        "severity": item.severity.label,
        "place": "现场" if item.is_on_site else OFF_SITE,
        "department": None if code is None else names.get(code, code),
        "legal_basis": "\n".join(basis.text for basis in item.legal_basis),
    }
    return {column.header: _said(values[column.name]) for column in COLUMNS}


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else str(value)
