"""内置检查单 The checklists that come with Yima: values out of a file, stored by `load_builtin_checklists`."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from typing import Final
from uuid import UUID

import msgspec

from domain.checklist import operations, store
from domain.checklist.intake import judge_rows
from domain.checklist.model import ChecklistState, Editor, ItemContent, NewChecklist
from domain.checklist.rules import with_codes
from domain.shared.events import Event
from domain.shared.rows import FileRow
from domain.shared.transaction import Outcome, Transaction

FOOD_SERVICE_TYPE: Final = "餐饮服务"
HAZARDOUS_CHEMICALS_TYPE: Final = "危险化学品经营"
TRAVEL_AGENCY_TYPE: Final = "旅行社"
_FIRE: Final = "消防救援"
_GAS: Final = "燃气管理"
WORDS: Final = (_FIRE, _GAS)
"""Departments that a built-in list names by their task, since it knows none by code."""


class BuiltinChecklist(msgspec.Struct, frozen=True, kw_only=True):
    """A list as it comes; the `department_code` of an item is one of `WORDS`, or None."""

    order: NewChecklist
    items: list[ItemContent]


class BuiltinBroken(ValueError):
    """A file that comes with Yima has a row that cannot be used: a defect of ours."""


_UNCHECKED: Final = "法律依据按法律名称和条款列出，均待核实后使用；法律法规有修订的，以现行有效的为准。"
_LISTS: Final = {
    "food_service.csv": NewChecklist(
        code="CYFW-01",
        name="餐饮服务食品安全监督检查单",
        business_type=FOOD_SERVICE_TYPE,
        is_default=True,
        note=f"通用于持证餐饮服务提供者；{_UNCHECKED}",
    ),
    "hazardous_chemicals.csv": NewChecklist(
        code="WHJY-01",
        name="危险化学品经营企业安全生产检查单",
        business_type=HAZARDOUS_CHEMICALS_TYPE,
        is_default=True,
        note=f"通用于取得危险化学品经营许可证的企业，没有储存设施的相关项选不涉及；{_UNCHECKED}",
    ),
    "travel_agency.csv": NewChecklist(
        code="LXS-01",
        name="旅行社经营监督检查单",
        business_type=TRAVEL_AGENCY_TYPE,
        is_default=True,
        note=f"通用于取得业务经营许可证的旅行社；{_UNCHECKED}",
    ),
}


@cache
def builtin_checklists() -> tuple[BuiltinChecklist, ...]:
    """Every list that comes with Yima, food service first. Raises `BuiltinBroken`."""
    return tuple(BuiltinChecklist(order=order, items=_read(file)) for file, order in _LISTS.items())


def _read(name: str) -> list[ItemContent]:
    table = resources.files("domain.checklist").joinpath(name).read_text(encoding="utf-8")
    rows = (FileRow(line, row) for line, row in enumerate(csv.DictReader(table.splitlines()), start=2))
    good, faults, _ = judge_rows(rows, {word: word for word in WORDS})
    if faults:
        raise BuiltinBroken(f"{name}: {faults}")
    return with_codes(good)


async def load_builtin_checklists(
    tx: Transaction,
    lead_department_id: UUID,
    *,
    business_types: Collection[str] | None = None,
    departments: Mapping[str, str] | None = None,
    participants: tuple[UUID, ...] = (),
    operator_name: str = "安装",
) -> Outcome[list[UUID]]:
    """Create, publish and enable every built-in list that is not there yet; gives the ids of the new ones.

    `business_types` are those that the department leads; all of them unless given.
    `departments` gives the code of the department that a word of `WORDS` means here; a word without one leaves the
    item to the lead department.
    """
    editor = Editor(name=operator_name, department_id=lead_department_id)
    codes = departments or {}
    made: list[UUID] = []
    events: list[Event] = []
    for each in builtin_checklists():
        if business_types is not None and each.order.business_type not in business_types:
            continue
        if await store.CHECKLIST_OF_CODE.first(tx.connection, code=each.order.code) is not None:
            continue
        order = msgspec.structs.replace(each.order, participants=list(participants))
        created = await operations.create_checklist(tx, editor, order)
        checklist_id = created.answer.id
        items = [_placed(item, codes) for item in each.items]
        replaced = await operations.replace_items(tx, editor, checklist_id, items)
        published = await operations.publish_checklist(tx, editor, checklist_id)
        enabled = await operations.set_state(tx, editor, checklist_id, ChecklistState.ENABLED)
        events += [*created.events, *replaced.events, *published.events, *enabled.events]
        made.append(checklist_id)
    return Outcome(answer=made, events=tuple(events))


def _placed(item: ItemContent, codes: Mapping[str, str]) -> ItemContent:
    word = item.department_code
    return msgspec.structs.replace(item, department_code=None if word is None else codes.get(word))
