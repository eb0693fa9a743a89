"""监管人员导入: what a row says, and that it agrees with the identity number."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from stdnum.cn import ric

from domain.enterprise.columns import Place
from domain.identity.model import Department
from domain.officer.intake import Departments, OfficerRow, judge_officer
from domain.shared.cells import Cell, RowFault

PLACES = {"450103": Place("450103", "450000.450100.450103")}


def department(number: int, code: str, name: str) -> Department:
    return Department(
        id=UUID(int=number), code=code, name=name, short_name=f"{name}简称", parent_id=None, path=code,
        region_code="450103", region="450000.450100.450103", hotline=None,
    )  # fmt: skip


DEPARTMENTS = Departments(
    [department(1, "SCJG", "青秀区市场监督管理局"), department(2, "XF1", "消防队"), department(3, "XF2", "消防队")]
)


def resident_id(body: str) -> str:
    return body + ric.calc_check_digit(body + "0")


MAN = resident_id("45010319900101123")


def judged(**cells: Cell) -> OfficerRow | list[RowFault]:
    given: dict[str, Cell] = {
        "姓名": "覃某", "所属主体（受委托组织）全称": "青秀区市场监督管理局", "身份证号": MAN, "性别": "男",
        "是否监督人员": "否", "所属部门": "SCJG", "是否组长": "是",
    }  # fmt: skip
    return judge_officer(3, {**given, **cells}, PLACES, DEPARTMENTS)


def good(**cells: Cell) -> OfficerRow:
    row = judged(**cells)
    assert isinstance(row, OfficerRow), row
    return row


def fault(**cells: Cell) -> RowFault:
    faults = judged(**cells)
    assert isinstance(faults, list)
    (only,) = faults
    return only


def test_the_least_row_goes_in() -> None:
    row = good()
    assert (row.resident_id, row.gender, row.born_on) == (MAN, "男", date(1990, 1, 1))
    assert (row.department_id, row.is_supervisor, row.is_team_leader) == (UUID(int=1), False, True)


@pytest.mark.parametrize(
    "missing",
    ["姓名", "所属主体（受委托组织）全称", "身份证号", "性别", "是否监督人员", "所属部门", "是否组长"],
)
def test_a_mandatory_field_without_a_value_is_named(missing: str) -> None:
    assert fault(**{missing: " "}) == RowFault(3, missing, "必填，不能为空")


def test_gender_and_birth_agree_with_the_identity_number() -> None:
    assert fault(性别="女").field == "性别"
    assert fault(出生日期="1990-01-02").field == "出生日期"
    assert good(出生日期="1990年1月1日").born_on == date(1990, 1, 1)


def test_a_wrong_identity_number_is_refused_and_hidden() -> None:
    wrong = MAN[:-1] + ("0" if MAN[-1] != "0" else "1")
    refused = fault(身份证号=wrong)
    assert refused.reason == "校验位不符"
    assert "19900101" not in refused.value
    assert "末尾数位已丢失" in fault(身份证号=450103199001011000).reason


@pytest.mark.parametrize("called", ["SCJG", "青秀区市场监督管理局", "青秀区市场监督管理局简称"])
def test_a_department_is_found_by_code_or_name(called: str) -> None:
    assert good(所属部门=called).department_id == UUID(int=1)


def test_a_department_that_is_unknown_or_not_the_only_one_is_refused() -> None:
    assert "没有这个部门" in fault(所属部门="天文台").reason
    assert "多个部门" in fault(所属部门="消防队").reason


@pytest.mark.parametrize(
    ("typed", "begins"),
    [
        ("2028-12-31", None),
        ("至2028-12-31", None),
        ("2023-01-01至2028-12-31", date(2023, 1, 1)),
        ("2023/1/1-2028/12/31", date(2023, 1, 1)),
        ("2023.01.01 - 2028.12.31", date(2023, 1, 1)),
        ("20230101-20281231", date(2023, 1, 1)),
        ("自2023年1月1日至2028年12月31日止", date(2023, 1, 1)),
        (date(2028, 12, 31), None),
    ],
)
def test_the_validity_of_the_certificate_gives_its_last_day(typed: Cell, begins: date | None) -> None:
    row = good(证件有效期=typed)
    assert (row.certificate_valid_from, row.certificate_valid_to) == (begins, date(2028, 12, 31))


@pytest.mark.parametrize("typed", ["长期", "2028-12-31至2023-01-01", "2020-1-1至2021-1-1至2022-1-1"])
def test_a_certificate_ends_and_does_so_after_it_begins(typed: str) -> None:
    assert fault(证件有效期=typed).field == "证件有效期"


def test_an_optional_region_is_resolved() -> None:
    assert good().region_code is None
    assert good(行政区划="450103").region_code == "450103"
    assert fault(行政区划="青秀区").field == "行政区划"
