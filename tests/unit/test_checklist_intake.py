"""A file of checklist rows: what is read, what is refused and how it is told, and that an export comes back."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from uuid import UUID

import msgspec
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checklist.columns import COLUMNS
from domain.checklist.intake import department_words, judge_item, read_items
from domain.checklist.model import MOST_ITEMS, Grade, ItemContent, ItemMode, LegalBasis, Severity
from domain.checklist.rules import ChecklistFileUnreadable, digest_of, settle_items
from domain.checklist.sheet import write_sheet
from domain.identity.model import Department
from domain.shared.cells import Cell, RowFault

WORDS = {"YJ01": "YJ01", "南宁市应急管理局": "YJ01"}
HEADERS = [column.header for column in COLUMNS]
GOOD: dict[str, Cell] = {
    "编号": "CY-001",
    "检查领域": "食品留样",
    "检查事项": "留样",
    "检查内容": "每餐次留样。",
    "检查方法": "实地查验",
    "检查方式": "日常查",
    "严重程度": "一般",
    "C级": "是",
    "D级": "√",
    "法律依据": "《中华人民共和国食品安全法》第三十三条；《食品经营许可和备案管理办法》（已核）",
}


def a_csv(*rows: dict[str, Cell], headers: list[str] = HEADERS) -> bytes:
    """A file as a spreadsheet program saves it."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, headers)
    writer.writeheader()
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def faults_of(**changes: Cell) -> list[tuple[str, str]]:
    """Field and reason of everything that is wrong with the good row so changed; None empties a cell."""
    judged = judge_item(2, {**GOOD, **changes}, WORDS)
    assert isinstance(judged, list)
    return [(fault.field, fault.reason) for fault in judged]


def test_a_row_says_what_it_says() -> None:
    assert judge_item(2, GOOD, WORDS) == (
        "CY-001",
        ItemContent(
            code="-",
            area="食品留样",
            matter="留样",
            content="每餐次留样。",
            method="实地查验",
            mode=ItemMode.DAILY,
            severity=Severity.GENERAL,
            grades=[Grade.C, Grade.D],
            legal_basis=[
                LegalBasis(law="中华人民共和国食品安全法", article="第三十三条"),
                LegalBasis(law="食品经营许可和备案管理办法", verified=True),
            ],
        ),
    )


def test_every_fault_of_a_row_is_told() -> None:
    assert faults_of(检查内容=None, 检查方式="有时", 必查项="也许") == [
        ("检查方式", "应为一次查、日常查之一"),
        ("必查项", "应填“是”或“否”"),
        ("检查内容", "必填，不能为空"),
    ]


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("严重程度", "很重"),
        ("现场/非现场", "远程"),
        ("责任部门", "不存在的局"),
        ("法律依据", "食品安全法第三十三条"),
        ("法律依据", "《食品安全法》第三十三条、《办法》第二条"),
        ("检查内容", "字" * 1001),
        ("检查指引", "坏\x00字"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(field: str, cell: str) -> None:
    assert [name for name, _ in faults_of(**{field: cell})] == [field]


def test_a_row_for_no_grade_is_refused() -> None:
    assert faults_of(C级=None, D级="否") == [("A级", "A级至D级至少一列填“是”")]


def test_a_department_is_named_by_code_or_name_and_a_doubtful_name_means_none() -> None:
    def department(number: int, name: str, short_name: str) -> Department:
        return Department(
            id=UUID(int=number),
            code=f"D{number}",
            name=name,
            short_name=short_name,
            parent_id=None,
            path=f"D{number}",
            region_code="450100",
            region="r45.r4501",
            hotline=None,
        )

    words = department_words([department(1, "甲局", "甲"), department(2, "乙局", "乙"), department(3, "丙局", "乙")])
    assert words == {"D1": "D1", "D2": "D2", "D3": "D3", "甲局": "D1", "甲": "D1", "乙局": "D2", "丙局": "D3"}


def test_good_rows_are_kept_and_bad_ones_told_by_line() -> None:
    body = a_csv(GOOD, {**GOOD, "编号": "CY-002", "严重程度": "很重"}, GOOD, {**GOOD, "编号": ""})

    reading = read_items(body, WORDS)

    assert [item.code for item in reading.items] == ["CY-001", "001"]
    assert reading.rejected == 2
    assert reading.faults == [
        RowFault(3, "严重程度", "应为轻微、一般、严重之一", "很重"),
        RowFault(4, "编号", "与第2行重复", "CY-001"),
    ]


def test_columns_nobody_asked_for_are_told_and_titles_passed_over() -> None:
    body = "餐饮检查单,,\n".encode() + a_csv({**GOOD, "备注": "x"}, headers=[*HEADERS, "备注"]).removeprefix(
        b"\xef\xbb\xbf"
    )

    reading = read_items(body, WORDS)

    assert (len(reading.items), reading.unknown_columns) == (1, ["备注"])


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"PK\x03\x04 not quite", a_csv(GOOD, headers=HEADERS).replace("检查内容".encode(), b"X")],
    ids=["empty", "json", "broken archive", "a column lacks"],
)
def test_a_file_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(ChecklistFileUnreadable):
        read_items(body, WORDS)


def test_more_rows_than_a_list_may_have_are_refused() -> None:
    with pytest.raises(ChecklistFileUnreadable, match="500"):
        read_items(a_csv(*({**GOOD, "编号": f"{n}"} for n in range(MOST_ITEMS + 1))), WORDS)


def test_an_archive_that_swells_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b"0" * (65 * 1024 * 1024))
    assert len(out.getvalue()) < 100_000
    with pytest.raises(ChecklistFileUnreadable, match="过大"):
        read_items(out.getvalue(), WORDS)


def test_a_spreadsheet_with_cells_of_other_kinds_is_read() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADERS)
    sheet.append(
        [{**GOOD, "编号": 7, "C级": True, "D级": 1, "检查指引": date(2026, 1, 2)}.get(name) for name in HEADERS]
    )
    out = io.BytesIO()
    book.save(out)

    (item,) = read_items(out.getvalue(), WORDS).items

    assert (item.code, item.grades, item.guidance) == ("7", [Grade.C, Grade.D], "2026-01-02 00:00:00")


# An export comes back

_SIGNS = st.sampled_from("食品安全检查一二三AZ09 .,;:，。；、（）《》\"'=+-@<>&\n\t/_")
_WORDS = st.text(_SIGNS, min_size=1, max_size=40)
_NEEDED = _WORDS.map(lambda said: f"查{said}验")
_OPTIONAL = st.none() | _WORDS
_BASIS = st.builds(
    LegalBasis,
    law=st.text(st.sampled_from("中华人民法规 （）GB0-9"), min_size=1, max_size=20).map(lambda said: f"法{said}"),
    article=st.text(st.sampled_from("第一百条款项 .0-9（）"), max_size=20),
    verified=st.booleans(),
)
_ITEM = st.builds(
    ItemContent,
    code=st.just("-"),
    area=_NEEDED,
    matter=_NEEDED,
    sub_matter=_OPTIONAL,
    content=_NEEDED,
    method=_NEEDED,
    mode=st.sampled_from(ItemMode),
    is_on_site=st.booleans(),
    severity=st.sampled_from(Severity),
    grades=st.lists(st.sampled_from(Grade), min_size=1, max_size=4),
    is_mandatory=st.booleans(),
    is_self_check=st.booleans(),
    penalty_if_overdue=st.booleans(),
    department_code=st.sampled_from([None, "YJ01"]),
    guidance=_OPTIONAL,
    legal_basis=st.lists(_BASIS, max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(items=st.lists(_ITEM, min_size=1, max_size=5))
def test_what_is_exported_is_imported_as_it_was(items: list[ItemContent]) -> None:
    coded = [msgspec.structs.replace(item, code=f"甲-{place}") for place, item in enumerate(items)]
    kept = settle_items(coded)

    reading = read_items(write_sheet(kept, {"YJ01": "南宁市应急管理局"}), WORDS)

    assert reading.faults == []
    assert reading.items == kept
    assert digest_of(reading.items) == digest_of(kept)


@settings(max_examples=100, deadline=None)
@given(cells=st.dictionaries(st.sampled_from(HEADERS), st.none() | st.booleans() | st.floats() | st.text()))
def test_no_row_breaks_the_reading(cells: dict[str, Cell]) -> None:
    judged = judge_item(2, cells, WORDS)
    assert isinstance(judged, tuple) or all(fault.line == 2 for fault in judged)


def test_a_text_that_looks_like_a_formula_stays_a_text() -> None:
    item = msgspec.structs.replace(judge_good(), content="=1+1", guidance="@SUM(A1)")
    sheet = openpyxl.load_workbook(io.BytesIO(write_sheet([item], {}))).worksheets[0]
    cells = {cell.value: cell.data_type for cell in next(sheet.iter_rows(min_row=2))}
    assert (cells["=1+1"], cells["@SUM(A1)"]) == ("s", "s")


def judge_good() -> ItemContent:
    """The good row as a value."""
    judged = judge_item(2, GOOD, WORDS)
    assert isinstance(judged, tuple)
    return judged[1]
