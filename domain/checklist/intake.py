"""检查内容导入 Rows of a file become `ItemContent`, or faults by line and column; pure but for the reading itself."""

from __future__ import annotations

import hashlib
import itertools
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import msgspec

from domain.checklist.columns import BY_HEADER, COLUMNS, GRADE_HEADERS, OFF_SITE
from domain.checklist.model import MOST_ITEMS, ItemContent
from domain.checklist.rules import ChecklistFileUnreadable, with_codes
from domain.identity.model import Department
from domain.shared.cells import Cell, RowFault, fault_in, read_cells
from domain.shared.rows import FileRow, FileUnreadable, open_rows

_ZIP: Final = b"PK\x03\x04"
_UNPACKED_BYTES: Final = 64 * 1024 * 1024


class ItemReading(msgspec.Struct, frozen=True, kw_only=True):
    """What a file said: the rows that can be used, every fault of the others, and columns nobody asked for.

    `digest` is the SHA-256 of the file, in hexadecimal.
    """

    items: list[ItemContent]
    rejected: int
    faults: list[RowFault]
    unknown_columns: list[str]
    digest: str


def department_words(departments: Iterable[Department]) -> dict[str, str]:
    """The code of a department by its code, name and short name; a word that two of them bear means neither."""
    known = list(departments)
    words: dict[str, str] = {}
    doubtful: set[str] = set()
    for each in known:
        for word in {each.name, each.short_name}:
            if words.setdefault(word, each.code) != each.code:
                doubtful.add(word)
    return {word: code for word, code in words.items() if word not in doubtful} | {
        each.code: each.code for each in known
    }


def judge_item(
    line: int, cells: Mapping[str, Cell], words: Mapping[str, str]
) -> tuple[str | None, ItemContent] | list[RowFault]:
    """The row at `line` with the code it gives, or everything that is wrong with it. Never raises.

    `words` are the departments as `department_words` has them.
    """
    values, faults = read_cells(line, cells, BY_HEADER)
    grades = [grade for header, grade in GRADE_HEADERS.items() if values.pop(header, False)]
    if not grades and not any(fault.field in GRADE_HEADERS for fault in faults):
        faults.append(RowFault(line, "A级", "A级至D级至少一列填“是”"))
    word: str | None = values.pop("department", None)
    if word is not None and word not in words:
        faults.append(fault_in(line, BY_HEADER["责任部门"], "没有这个部门，应填部门编码或名称", word))
    if faults:
        return faults
    code: str | None = values.pop("code", None)
    is_on_site = values.pop("place", None) != OFF_SITE
    department_code = None if word is None else words[word]
    item = ItemContent(code="-", grades=grades, is_on_site=is_on_site, department_code=department_code, **values)
    return code, item


def judge_rows(
    rows: Iterable[FileRow], words: Mapping[str, str]
) -> tuple[list[tuple[str | None, ItemContent]], list[RowFault], int]:
    """The good rows, every fault, and how many rows are bad."""
    good: list[tuple[str | None, ItemContent]] = []
    faults: list[RowFault] = []
    rejected = 0
    lines: dict[str, int] = {}
    for row in rows:
        judged: Any = [RowFault(row.line, "", row.fault)] if row.fault else judge_item(row.line, row.cells, words)
        if isinstance(judged, tuple) and judged[0] is not None:
            first = lines.setdefault(judged[0], row.line)
            if first != row.line:
                judged = [fault_in(row.line, BY_HEADER["编号"], f"与第{first}行重复", judged[0])]
        if isinstance(judged, tuple):
            good.append(judged)
        else:
            faults += judged
            rejected += 1
    return good, faults, rejected


def read_items(body: bytes, words: Mapping[str, str]) -> ItemReading:
    """The rows of an uploaded .xlsx or .csv file of at most `MOST_ITEMS` rows. Raises `ChecklistFileUnreadable`.

    It takes as long as the file is large: call it in a thread.
    """
    is_sheet = body.startswith(_ZIP)
    if is_sheet:
        _require_modest(body)
    with tempfile.TemporaryDirectory(prefix="checklist-") as folder:
        file = Path(folder, "rows.xlsx" if is_sheet else "rows.csv")
        file.write_bytes(body)
        try:
            # Streamed even when small: only that way is no part of the archive unpacked beyond the size it claims.
            with open_rows(file, COLUMNS, held_bytes=0) as opened:
                rows = list(itertools.islice(opened, MOST_ITEMS + 1))
                unknown = list(opened.unknown)
        except FileUnreadable as broken:
            raise ChecklistFileUnreadable(str(broken)) from broken
    if len(rows) > MOST_ITEMS:
        raise ChecklistFileUnreadable(f"一份检查单最多{MOST_ITEMS}项。", most=MOST_ITEMS)
    good, faults, rejected = judge_rows(rows, words)
    return ItemReading(
        items=with_codes(good),
        rejected=rejected,
        faults=faults,
        unknown_columns=unknown,
        digest=hashlib.sha256(body).hexdigest(),
    )


def _require_modest(body: bytes) -> None:
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile as broken:
        raise ChecklistFileUnreadable("不是完好的.xlsx文件，请用表格软件打开后另存一次。") from broken
    if unpacked > _UNPACKED_BYTES:
        raise ChecklistFileUnreadable("文件展开后过大，请删除图片和多余的工作表后再试。")
