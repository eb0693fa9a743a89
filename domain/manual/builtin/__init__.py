"""内置经营手册 The manuals that come with Yima: values out of files, stored by `load_builtin_manuals`."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib import resources
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.manual import operations, store
from domain.manual.model import Author, Chapter, ManualSection, NewManual, Requirement
from domain.shared.cells import Cell, Column, by_header, read_cells, text, written
from domain.shared.events import Event
from domain.shared.law import read_bases
from domain.shared.transaction import Outcome, Transaction


class BuiltinManual(msgspec.Struct, frozen=True, kw_only=True):
    """A manual as it comes; the item codes of its requirements are those of the built-in checklist of its 业态."""

    order: NewManual
    chapters: list[Chapter]


class BuiltinManualBroken(ValueError):
    """A file that comes with Yima has a row that cannot be used: a defect of ours."""


_MANUALS: Final = {
    "food_service.csv": NewManual(
        name="餐饮服务经营手册", business_type="餐饮服务", object_scope="取得食品经营许可的餐饮服务提供者", place=10
    ),
    "hazardous_chemicals.csv": NewManual(
        name="危险化学品经营手册",
        business_type="危险化学品经营",
        object_scope="取得危险化学品经营许可证的企业，含没有储存设施的",
        place=20,
    ),
    "travel_agency.csv": NewManual(
        name="旅行社经营手册", business_type="旅行社", object_scope="旅行社及其分社、服务网点", place=30
    ),
}


def _codes(cell: Cell) -> list[str]:
    return [code for part in re.split(r"[、；;]", written(cell)) if (code := part.strip())]


_COLUMNS: Final = by_header(
    (
        Column(header="编号", name="code", read=text(40), mandatory=True),
        Column(header="章", name="chapter", read=text(100), mandatory=True),
        Column(header="节", name="section", read=text(100)),
        Column(header="条款", name="text", read=text(1000), mandatory=True),
        Column(header="风险提示", name="hint", read=text(1000), mandatory=True),
        Column(header="对应检查项", name="item_codes", read=_codes, mandatory=True),
        Column(header="法律依据", name="legal_basis", read=read_bases, mandatory=True),
    )
)


@cache
def builtin_manuals() -> tuple[BuiltinManual, ...]:
    """Every manual that comes with Yima, food service first. Raises `BuiltinManualBroken`."""
    return tuple(BuiltinManual(order=order, chapters=_read(file)) for file, order in _MANUALS.items())


def _read(name: str) -> list[Chapter]:
    table = resources.files("domain.manual.builtin").joinpath(name).read_text(encoding="utf-8")
    rows = [_row(name, line, row) for line, row in enumerate(csv.DictReader(table.splitlines()), start=2)]
    return [
        _chapter(place, title, group)
        for place, (title, group) in enumerate(groupby(rows, key=lambda row: row["chapter"]), start=1)
    ]


def _row(name: str, line: int, cells: Mapping[str, Cell]) -> dict[str, Any]:
    values, faults = read_cells(line, cells, _COLUMNS)
    if faults:
        raise BuiltinManualBroken(f"{name}: {faults}")
    return values


def _chapter(place: int, title: str, rows: Iterable[dict[str, Any]]) -> Chapter:
    """A chapter out of the rows that follow each other under its title; those without 节 are its own."""
    chapter = Chapter(code=f"章{place}", title=title, requirements=[], sections=[])
    for heading, group in groupby(rows, key=lambda row: row.get("section")):
        requirements = [
            Requirement(**{key: row[key] for key in ("code", "text", "hint", "item_codes", "legal_basis")})
            for row in group
        ]
        if heading is None:
            chapter.requirements.extend(requirements)
        else:
            code = f"{chapter.code}.{len(chapter.sections) + 1}"
            chapter.sections.append(ManualSection(code=code, title=heading, requirements=requirements))
    return chapter


async def load_builtin_manuals(
    tx: Transaction,
    lead_department_id: UUID,
    *,
    business_types: Collection[str] | None = None,
    operator_name: str = "安装",
) -> Outcome[list[UUID]]:
    """Create and publish every built-in manual that the department has none of yet; gives the ids of the new ones.

    `business_types` are those that the department makes manuals for; all of them unless given.
    """
    author = Author(name=operator_name, department_id=lead_department_id)
    made: list[UUID] = []
    events: list[Event] = []
    for each in builtin_manuals():
        business_type = each.order.business_type
        if business_types is not None and business_type not in business_types:
            continue
        known = await store.MANUAL_OF_BUSINESS.first(
            tx.connection, business_type=business_type, department_id=lead_department_id
        )
        if known is not None:
            continue
        created = await operations.create_manual(tx, author, each.order)
        manual_id = created.answer.id
        written_down = await operations.replace_elements(tx, author, manual_id, each.chapters)
        published = await operations.publish_manual(tx, author, manual_id)
        events += [*created.events, *written_down.events, *published.events]
        made.append(manual_id)
    return Outcome(answer=made, events=tuple(events))
