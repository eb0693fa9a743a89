"""Guangxi's divisions: complete, consistent, and old codes still resolve."""

from collections import Counter
from datetime import date, timedelta

import pytest

from codes.divisions import (
    Division,
    DivisionLevel,
    UnknownDivision,
    current_division,
    guangxi_divisions,
    ltree_path,
    resolve_division,
)

CURRENT = [division for division in guangxi_divisions() if division.valid_to is None]
REPLACED = [division for division in guangxi_divisions() if division.valid_to]


def found(code: str, on: date | None = None) -> Division:
    division = resolve_division(code, on)
    assert division is not None
    return division


def test_guangxi_has_14_cities_and_111_counties() -> None:
    assert Counter(division.level for division in CURRENT) == {
        DivisionLevel.PROVINCE: 1,
        DivisionLevel.CITY: 14,
        DivisionLevel.COUNTY: 111,
    }


def test_every_code_stands_once_and_under_its_parent() -> None:
    codes = [division.code for division in guangxi_divisions()]
    assert codes == sorted(set(codes))
    parents = {DivisionLevel.COUNTY: DivisionLevel.CITY, DivisionLevel.CITY: DivisionLevel.PROVINCE}
    for division in guangxi_divisions():
        if division.parent_code:
            assert found(division.parent_code).level is parents[division.level]
            assert division.code.startswith(division.parent_code.rstrip("0"))


@pytest.mark.parametrize(("code", "name"), [("450110", "武鸣区"), ("450181", "横州市"), ("451203", "宜州区")])
def test_the_decided_codes_are_current(code: str, name: str) -> None:
    division = found(code)
    assert (division.name, division.successor_code, division.valid_to) == (name, None, None)


@pytest.mark.parametrize(
    ("old", "old_name", "new", "new_name", "year"),
    [
        ("450122", "武鸣县", "450110", "武鸣区", 2015),
        ("450127", "横县", "450181", "横州市", 2021),
        ("450221", "柳江县", "450206", "柳江区", 2016),
        ("450322", "临桂县", "450312", "临桂区", 2013),
        ("450331", "荔浦县", "450381", "荔浦市", 2018),
        ("450404", "蝶山区", "450403", "万秀区", 2013),
        ("451021", "田阳县", "451003", "田阳区", 2019),
        ("451023", "平果县", "451082", "平果市", 2019),
        ("451025", "靖西县", "451081", "靖西市", 2015),
        ("451281", "宜州市", "451203", "宜州区", 2016),
    ],
)
def test_an_old_code_still_resolves_to_itself_and_leads_to_its_successor(
    old: str, old_name: str, new: str, new_name: str, year: int
) -> None:
    division = found(old, date(2026, 8, 1))
    assert (division.name, division.successor_code) == (old_name, new)
    assert division.valid_to is not None
    assert division.valid_to.year == year
    current = current_division(old)
    assert current is not None
    assert current.name == new_name


@pytest.mark.parametrize("division", REPLACED, ids=lambda division: division.name)
def test_a_replaced_code_ends_in_a_current_one_without_a_gap(division: Division) -> None:
    assert division.valid_to is not None
    last_day = division.valid_to - timedelta(days=1)
    assert division.in_force(last_day)
    assert not division.in_force(division.valid_to)
    successor = current_division(division.code)
    assert successor in CURRENT
    assert successor is not None
    assert successor.in_force(division.valid_to)


def test_a_code_does_not_resolve_before_it_came_into_force() -> None:
    assert resolve_division("450110", date(2015, 2, 15)) is None
    assert found("450110", date(2015, 2, 16)).name == "武鸣区"
    assert found("450122", date(2015, 2, 15)).in_force(date(2015, 2, 15))


def test_an_unknown_code_resolves_to_nothing() -> None:
    assert resolve_division("440100") is None
    assert current_division("") is None
    with pytest.raises(UnknownDivision, match="440100"):
        ltree_path("440100")


def test_the_path_leads_from_the_province_down() -> None:
    assert ltree_path("450000") == "450000"
    assert ltree_path("450100") == "450000.450100"
    assert ltree_path("450103") == "450000.450100.450103"
    assert ltree_path("450122") == "450000.450100.450122"


def test_a_day_that_nobody_has_verified_says_so() -> None:
    verified = {division.code for division in REPLACED if "待核" not in division.note}
    assert verified == {"450122", "450411", "451025"}
