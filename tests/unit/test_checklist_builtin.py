"""The checklists that come with Yima."""

from __future__ import annotations

import csv
from collections import Counter
from importlib import resources

import pytest

from domain.checklist.builtin import WORDS, BuiltinChecklist, builtin_checklists
from domain.checklist.columns import COLUMNS
from domain.checklist.model import Grade, ItemMode, Severity
from domain.checklist.rules import settle_items

FOOD, CHEMICALS, TRAVEL = builtin_checklists()
LISTS = [pytest.param(each, id=each.order.code) for each in builtin_checklists()]
AREAS = {
    "许可管理",
    "信息公示",
    "制度管理",
    "人员管理",
    "环境卫生",
    "原料控制（采购、贮存）",
    "加工制作过程",
    "餐饮具清洗消毒",
    "场所和设施清洁维护",
    "食品添加剂",
    "食品留样",
    "网络餐饮",
    "反食品浪费",
    "消防与燃气安全",
}


def test_it_is_a_real_list_over_all_areas() -> None:
    assert len(FOOD.items) >= 44
    assert {item.area for item in FOOD.items} == AREAS
    assert {item.mode for item in FOOD.items} == set(ItemMode)
    assert {item.severity for item in FOOD.items} == set(Severity)
    assert any(not item.is_on_site for item in FOOD.items)


def test_chemicals_and_travel_are_real_lists_too() -> None:
    assert [each.order.code for each in (FOOD, CHEMICALS, TRAVEL)] == ["CYFW-01", "WHJY-01", "LXS-01"]
    assert len(CHEMICALS.items) >= 30
    assert len(TRAVEL.items) >= 25
    for each in (CHEMICALS, TRAVEL):
        assert len({item.area for item in each.items}) >= 6
        assert {item.mode for item in each.items} == set(ItemMode)
        assert {item.severity for item in each.items} == set(Severity)
        assert any(not item.is_on_site for item in each.items)
        assert all(item.guidance for item in each.items)


@pytest.mark.parametrize("made", LISTS)
def test_it_is_kept_as_it_stands(made: BuiltinChecklist) -> None:
    assert settle_items(made.items) == made.items


@pytest.mark.parametrize("made", LISTS)
def test_no_row_is_there_twice(made: BuiltinChecklist) -> None:
    assert max(Counter(item.content for item in made.items).values()) == 1


@pytest.mark.parametrize("made", LISTS)
def test_what_is_mandatory_is_so_for_every_grade_and_d_gets_most(made: BuiltinChecklist) -> None:
    mandatory = [item for item in made.items if item.is_mandatory]
    assert 10 <= len(mandatory) <= 12
    assert all(item.grades == list(Grade) for item in mandatory)
    counts = [sum(grade in item.grades for item in made.items) for grade in Grade]
    assert counts == sorted(counts)
    assert counts[-1] == len(made.items)


@pytest.mark.parametrize("made", LISTS)
def test_enough_rows_are_for_self_inspection(made: BuiltinChecklist) -> None:
    assert sum(item.is_self_check for item in made.items) >= 20


@pytest.mark.parametrize("made", LISTS)
def test_each_row_names_a_law_and_none_is_verified_yet(made: BuiltinChecklist) -> None:
    assert all(item.legal_basis for item in made.items)
    assert not any(basis.verified for item in made.items for basis in item.legal_basis)


def test_only_fire_and_gas_are_another_departments() -> None:
    others = [item for item in FOOD.items if item.department_code is not None]
    assert {item.department_code for item in others} == set(WORDS)
    assert {item.area for item in others} == {"消防与燃气安全"}


@pytest.mark.parametrize("name", ["food_service", "hazardous_chemicals", "travel_agency"])
def test_its_headers_are_those_of_the_export(name: str) -> None:
    text = resources.files("domain.checklist").joinpath(f"{name}.csv").read_text("utf-8")
    assert next(csv.reader(text.splitlines())) == [column.header for column in COLUMNS]
