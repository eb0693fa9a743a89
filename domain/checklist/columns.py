"""检查内容的导入列 The columns of a file of checklist rows, the same for import and export (CHK-03, CHK-06)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain.checklist.model import Grade, ItemMode, Severity
from domain.shared.cells import Cell, CellFault, Column, by_header, one_of, tidy, written, yes_no
from domain.shared.law import read_bases


def _text(longest: int) -> Callable[[Cell], str | None]:
    """A reader of text as the room keeps it."""

    def read(cell: Cell) -> str | None:
        said = tidy(written(cell))
        if said is not None and len(said) > longest:
            raise CellFault(f"超过{longest}字")
        return said

    return read


_MODES: Final = {mode.label: mode for mode in ItemMode}
_SEVERITIES: Final = {severity.label: severity for severity in Severity}
_SITES: Final = {"现场": "现场", "非现场": "非现场"}
GRADE_HEADERS: Final = {f"{grade.value}级": grade for grade in Grade}
OFF_SITE: Final = "非现场"

COLUMNS: Final = (
    Column(header="编号", name="code", read=_text(40), note="不填则按顺序编号", example="CY-001"),
    Column(header="检查领域", name="area", read=_text(100), mandatory=True, example="食品留样"),
    Column(header="检查事项", name="matter", read=_text(100), mandatory=True),
    Column(header="检查子事项", name="sub_matter", read=_text(100)),
    Column(header="检查内容", name="content", read=_text(1000), mandatory=True),
    Column(header="检查方法", name="method", read=_text(200), mandatory=True, example="实地查验"),
    Column(
        header="检查方式",
        name="mode",
        read=one_of(_MODES, "、".join(_MODES)),
        mandatory=True,
        note="一次查、日常查",
        example="日常查",
    ),
    Column(
        header="现场/非现场",
        name="place",
        read=one_of(_SITES, "、".join(_SITES)),
        note="不填为现场",
        example="现场",
    ),
    Column(
        header="严重程度",
        name="severity",
        read=one_of(_SEVERITIES, "、".join(_SEVERITIES)),
        mandatory=True,
        note="轻微、一般、严重",
        example="一般",
    ),
    *(
        Column(
            header=header,
            name=header,
            read=yes_no,
            aliases=(grade.value,),
            note="该等级对象是否检查：是、否",
            example="是",
        )
        for header, grade in GRADE_HEADERS.items()
    ),
    Column(header="必查项", name="is_mandatory", read=yes_no, note="是、否", example="否"),
    Column(header="自查项", name="is_self_check", read=yes_no, note="是、否", example="是"),
    Column(header="逾期未改转处罚", name="penalty_if_overdue", read=yes_no, note="是、否", example="否"),
    Column(header="责任部门", name="department", read=_text(100), note="部门编码或名称，不填为牵头部门"),
    Column(header="检查指引", name="guidance", read=_text(1000)),
    Column(
        header="法律依据",
        name="legal_basis",
        read=read_bases,
        note="《法律名称》条款，多条以；分隔；未注明（已核）的为待核",
        example="《中华人民共和国食品安全法》第三十三条",
    ),
)
BY_HEADER: Final = by_header(COLUMNS)
