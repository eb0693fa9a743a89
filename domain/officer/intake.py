"""监管人员导入 One row of an import file becomes an `OfficerRow`, or the list of its faults (E3, STF-01).

Pure. What the identity number says of birth and gender must agree with what the row says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec

from codes.resident_id import check_resident_id
from domain.enterprise.columns import Places, find_place, phone_to_index
from domain.identity.model import Department
from domain.officer.columns import BY_HEADER, Validity
from domain.shared.cells import Cell, CellFault, RowFault, fault_in, read_cells
from domain.shared.vault import Vault

RESIDENT_ID_LABEL: Final = "officer.resident_id"
PHONE_LABEL: Final = "officer.phone"
"""What the vault seals and indexes these values as. Telephones are indexed without their extension."""


class OfficerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that goes in; None says nothing and leaves what is stored."""

    line: int
    name: str
    department_id: UUID
    organisation_name: str
    resident_id: str
    gender: str
    born_on: date
    is_supervisor: bool
    is_team_leader: bool
    organisation_code: str | None = None
    post: str | None = None
    phone: str | None = None
    political_status: str | None = None
    rank: str | None = None
    ethnicity: str | None = None
    education: str | None = None
    education_major: str | None = None
    officer_nature: str | None = None
    has_legal_qualification: bool | None = None
    certificate_number: str | None = None
    certificate_authority: str | None = None
    certificate_area: str | None = None
    certificate_category: str | None = None
    certificate_valid_from: date | None = None
    certificate_valid_to: date | None = None
    region_code: str | None = None
    warnings: tuple[RowFault, ...] = ()


class Departments:
    """监管部门 as a row names them: by code, or by a name that only one has."""

    def __init__(self, departments: Iterable[Department]) -> None:
        """Index `departments` by code, name and short name."""
        self._found: dict[str, set[UUID]] = {}
        for department in departments:
            for called in (department.code, department.name, department.short_name):
                self._found.setdefault(called, set()).add(department.id)

    def find(self, called: str) -> UUID:
        """The department of that code or name. Raises `CellFault`."""
        found = self._found.get(called, set())
        if not found:
            raise CellFault("本系统没有这个部门，请填部门编码或全称")
        if len(found) > 1:
            raise CellFault("有多个部门使用这个名称，请改填部门编码")
        return next(iter(found))


class _Judgement:
    """One row while it is judged."""

    def __init__(self, line: int, cells: Mapping[str, Cell]) -> None:
        self.line = line
        self.cells = cells
        self.values: dict[str, Any]
        self.values, self.faults = read_cells(line, cells, BY_HEADER)

    def refuse(self, header: str, reason: str) -> None:
        self.faults.append(fault_in(self.line, BY_HEADER[header], reason, self.cells.get(header)))


def judge_officer(
    line: int, cells: Mapping[str, Cell], places: Places, departments: Departments
) -> OfficerRow | list[RowFault]:
    """The row at `line`, its cells by header, or everything that is wrong with it. Never raises."""
    row = _Judgement(line, cells)
    _settle_person(row)
    _settle_department(row, departments)
    _settle_region(row, places)
    _settle_validity(row)
    return row.faults or OfficerRow(line=line, **row.values)


def _settle_person(row: _Judgement) -> None:
    number: str | None = row.values.get("resident_id")
    if number is None:
        return
    born_on = check_resident_id(number).born_on
    if row.values.setdefault("born_on", born_on) != born_on:
        row.refuse("出生日期", "与身份证号中的出生日期不符")
    gender = "男" if int(number[16]) % 2 else "女"
    if row.values.get("gender", gender) != gender:
        row.refuse("性别", "与身份证号中的性别不符")


def _settle_department(row: _Judgement, departments: Departments) -> None:
    called: str | None = row.values.pop("department", None)
    if called is None:
        return
    try:
        row.values["department_id"] = departments.find(called)
    except CellFault as fault:
        row.refuse("所属部门", str(fault))


def _settle_region(row: _Judgement, places: Places) -> None:
    code: str | None = row.values.get("region_code")
    if code is None:
        return
    try:
        row.values["region_code"] = find_place(code, places).code
    except CellFault as fault:
        row.refuse("行政区划", str(fault))


def _settle_validity(row: _Judgement) -> None:
    validity: Validity | None = row.values.pop("validity", None)
    if validity is not None:
        row.values["certificate_valid_from"] = validity.begins
        row.values["certificate_valid_to"] = validity.ends


def sealed_values(row: OfficerRow, vault: Vault) -> dict[str, bytes | None]:
    """The personal values of `row` by column: sealed, and with the blind index of the normalised value."""
    phone = row.phone
    return {
        "resident_id_sealed": vault.seal(RESIDENT_ID_LABEL, row.resident_id),
        "resident_id_index": vault.blind_index(RESIDENT_ID_LABEL, row.resident_id),
        "phone_sealed": None if phone is None else vault.seal(PHONE_LABEL, phone),
        "phone_index": None if phone is None else vault.blind_index(PHONE_LABEL, phone_to_index(phone)),
    }
