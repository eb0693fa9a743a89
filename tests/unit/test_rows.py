"""导入文件: every file that an office hands over is read the same, and a broken one says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from domain.shared.cells import Column, day, number, text, written
from domain.shared.rows import FileRow, FileUnreadable, open_rows

COLUMNS = (
    Column(header="名称", name="name", read=text(), mandatory=True),
    Column(header="代码", name="code", read=written, mandatory=True, aliases=("编码",)),
    Column(header="成立日期", name="founded", read=day),
    Column(header="资本（万元）", name="capital", read=number),
)


def rows_of(file: Path, **options: Any) -> list[FileRow]:
    with open_rows(file, COLUMNS, **options) as rows:
        return list(rows)


def csv_file(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    file = folder / "名册.csv"
    file.write_bytes(content.encode(encoding))
    return file


def sheet_file(folder: Path, rows: Sequence[Sequence[Any]]) -> Path:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(row)
    file = folder / "名册.xlsx"
    book.save(file)
    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_text_is_read_whatever_its_encoding_and_separator(tmp_path: Path, encoding: str, separator: str) -> None:
    content = "名称,代码\r\n兴宁区㐂记粉店,A1\r\n".replace(",", separator)
    assert rows_of(csv_file(tmp_path, content, encoding)) == [FileRow(2, {"名称": "兴宁区㐂记粉店", "代码": "A1"})]


def test_headers_fit_with_blanks_asterisks_full_width_and_aliases(tmp_path: Path) -> None:
    file = csv_file(tmp_path, " 名 称＊,编码* ,成立日期（必填）,资本(万元)\nA,1,2020-01-02,5\n")
    assert rows_of(file) == [FileRow(2, {"名称": "A", "代码": "1", "成立日期": "2020-01-02", "资本（万元）": "5"})]


def test_a_missing_mandatory_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="缺少必填列：代码"):
        rows_of(csv_file(tmp_path, "名称,成立日期\nA,2020-01-02\n"))


def test_unknown_and_repeated_columns_are_told_and_not_read(tmp_path: Path) -> None:
    with open_rows(csv_file(tmp_path, "名称,代码,备注,编码\nA,1,x,2\n"), COLUMNS) as rows:
        assert rows.unknown == ("备注", "编码")
        assert [row.cells for row in rows] == [{"名称": "A", "代码": "1"}]


def test_a_title_above_the_headers_and_blank_rows_are_passed_over(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "青秀区监管对象名册,\n\n名称,代码\n,\nA,1\n\nB,2\n")
    assert [row.line for row in rows_of(file)] == [5, 7]


def test_lines_are_those_of_the_file_also_after_a_cell_with_a_line_break(tmp_path: Path) -> None:
    file = csv_file(tmp_path, '名称,代码\n"A\n分店",1\nB,2\n')
    assert [(row.line, row.cells["名称"]) for row in rows_of(file)] == [(2, "A\n分店"), (4, "B")]


def test_more_cells_than_headers_are_a_fault_of_that_row_alone(tmp_path: Path) -> None:
    first, second = rows_of(csv_file(tmp_path, "名称,代码\nA,B,1\nC,2,,\n"))
    assert first.fault is not None
    assert "逗号" in first.fault
    assert second.fault is None


def test_an_open_quote_is_a_fault_and_does_not_stop_the_rest(tmp_path: Path) -> None:
    swallowed = "".join(f"企业{n},{n}\n" for n in range(80_000))
    rows = rows_of(csv_file(tmp_path, f'名称,代码\nA,1\n"B,2\n{swallowed}'))
    assert rows[0].cells["名称"] == "A"
    assert any(row.fault and "引号" in row.fault for row in rows)
    assert rows[-1].cells == {"名称": "企业79999", "代码": "79999"}


def test_a_worksheet_gives_the_same_held_and_streamed(tmp_path: Path) -> None:
    file = sheet_file(
        tmp_path,
        [
            ["名称*", "代码*", "成立日期", "资本（万元）"],
            ["甲", "0012", datetime(2020, 1, 2), 5.0],  # noqa: DTZ001 -- a cell's date has no zone
            [None, None, None, None],
            ["乙", 34, 43832, 1.5],
        ],
    )
    held = rows_of(file)
    streamed = rows_of(file, held_bytes=0)
    assert [row.line for row in held] == [row.line for row in streamed] == [2, 4]
    for rows in (held, streamed):
        assert [row.cells["代码"] for row in rows] == ["0012", 34]
        assert [day(row.cells["成立日期"]) for row in rows] == [date(2020, 1, 2), date(2020, 1, 2)]
        assert [str(number(row.cells["资本（万元）"])) for row in rows] == ["5", "1.5"]


def test_the_share_read_grows_to_the_whole(tmp_path: Path) -> None:
    for file in (csv_file(tmp_path, "名称,代码\nA,1\nB,2\n"), sheet_file(tmp_path, [["名称", "代码"], ["A", 1]])):
        with open_rows(file, COLUMNS) as rows:
            assert len(list(rows)) >= 1
            assert rows.fraction == 1.0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("a.xlsx", b"PK nothing", "不是完好"), ("a.xls", b"", "不支持.xls"), ("a.csv", b"", "文件是空的")],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(FileUnreadable, match=says):
        rows_of(file)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="无法读取文件"):
        rows_of(tmp_path / "没有.csv")
