"""监管对象导入 One row of an import file becomes an `EnterpriseRow`, or the list of its faults (E1).

Pure. A row goes in whole or not at all; a wrong check digit of the credit code and the like only warn. Personal
values are still in clear here: `sealed_values` seals them for the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from codes.uscc import UsccOutcome, UsccVerdict
from domain.enterprise.columns import (
    BY_HEADER,
    Capital,
    Places,
    default_object_type,
    find_place,
    phone_to_index,
)
from domain.enterprise.model import CreditGrade, RiskLevel
from domain.shared.cells import (
    Cell,
    CellFault,
    FaultLevel,
    RowFault,
    fault_in,
    is_mobile,
    read_cells,
)
from domain.shared.vault import Vault

NAME_LABEL: Final = "enterprise.liaison_name"
RESIDENT_ID_LABEL: Final = "enterprise.liaison_resident_id"
LIAISON_PHONE_LABEL: Final = "enterprise.liaison_phone"
OPERATOR_PHONE_LABEL: Final = "enterprise.operator_phone"
"""What the vault seals and indexes these values as. Telephones are indexed without their extension."""


class EnterpriseRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that goes in: the values of the enterprise and of its main site.

    `registered_capital` counts in ten thousands (万) of its currency; `region` is the ltree path; None says nothing and
    leaves what is stored.
    """

    line: int
    uscc: str
    name: str
    object_type: str
    region_code: str
    region: str
    registration_number: str | None = None
    industry_type: str | None = None
    organisation_category: str | None = None
    economic_class: str | None = None
    brand_name: str | None = None
    legal_representative: str | None = None
    registered_capital: Decimal | None = None
    capital_currency: str | None = None
    domicile: str | None = None
    term_from: date | None = None
    term_to: date | None = None
    business_scope: str | None = None
    scope_type: str | None = None
    registration_authority: str | None = None
    established_on: date | None = None
    approved_on: date | None = None
    revoked_on: date | None = None
    revoke_reason: str | None = None
    liaison_name: str | None = None
    liaison_resident_id: str | None = None
    liaison_phone: str | None = None
    operator_phone: str | None = None
    nature: str | None = None
    risk_level: RiskLevel | None = None
    credit_grade: CreditGrade | None = None
    agreement_signed: bool | None = None
    prepaid_cards: bool | None = None
    address: str | None = None
    floor: str | None = None
    longitude: float | None = None
    latitude: float | None = None
    business_types: tuple[str, ...] | None = None
    warnings: tuple[RowFault, ...] = ()


_COUNTRY: Final = ((73.0, 136.0), (3.0, 54.0))
_PROVINCE: Final = ((104.4, 112.1), (20.8, 26.4))
"""Longitudes and latitudes that hold all of China, and all of Guangxi."""


class _Judgement:
    """One row while it is judged: its cells, its values so far, what is wrong and what is doubtful."""

    def __init__(self, line: int, cells: Mapping[str, Cell]) -> None:
        self.line = line
        self.cells = cells
        self.values: dict[str, Any]
        self.values, self.faults = read_cells(line, cells, BY_HEADER)
        self.warnings: list[RowFault] = []

    def refuse(self, header: str, reason: str) -> None:
        self.faults.append(fault_in(self.line, BY_HEADER[header], reason, self.cells.get(header)))

    def doubt(self, header: str, reason: str) -> None:
        cell = self.cells.get(header)
        self.warnings.append(fault_in(self.line, BY_HEADER[header], reason, cell, FaultLevel.WARNING))


def judge_enterprise(line: int, cells: Mapping[str, Cell], places: Places) -> EnterpriseRow | list[RowFault]:
    """The row at `line`, its cells by header, or everything that is wrong with it. Never raises."""
    row = _Judgement(line, cells)
    _settle_uscc(row)
    _settle_region(row, places)
    _settle_capital(row)
    _settle_position(row)
    _settle_terms(row)
    _doubt_phone(row)
    if row.faults:
        return row.faults
    values = row.values
    premises = values.pop("premises", None)
    values.setdefault("address", premises)
    return EnterpriseRow(line=line, warnings=tuple(row.warnings), **values)


def _settle_uscc(row: _Judgement) -> None:
    verdict: UsccVerdict | None = row.values.get("uscc")
    if verdict is None:
        return
    row.values["uscc"] = verdict.uscc
    row.values.setdefault("object_type", default_object_type(verdict.uscc))
    if verdict.outcome is UsccOutcome.BAD_CHECK_DIGIT:
        row.doubt("统一社会信用代码", "校验位不符，请核对；已照此导入")


def _settle_region(row: _Judgement, places: Places) -> None:
    code: str | None = row.values.get("region_code")
    if code is None:
        return
    try:
        place = find_place(code, places)
    except CellFault as fault:
        row.refuse("区划编码", str(fault))
        return
    row.values["region_code"] = place.code
    row.values["region"] = place.path


def _settle_capital(row: _Judgement) -> None:
    capital: Capital | None = row.values.get("registered_capital")
    if capital is not None:
        row.values["registered_capital"] = capital.amount
        if capital.currency is not None:
            row.values.setdefault("capital_currency", capital.currency)


def _within(longitude: float, latitude: float, bounds: tuple[tuple[float, float], tuple[float, float]]) -> bool:
    (west, east), (south, north) = bounds
    return west <= longitude <= east and south <= latitude <= north


def _settle_position(row: _Judgement) -> None:
    longitude: float | None = row.values.get("longitude")
    latitude: float | None = row.values.get("latitude")
    if longitude is None or latitude is None:
        given = longitude is not None or latitude is not None
        if given and not any(fault.field.startswith("经营地址") for fault in row.faults):
            absent = "经营地址经度" if longitude is None else "经营地址纬度"
            row.refuse(absent, "经度与纬度须同时填写")
    elif not _within(longitude, latitude, _COUNTRY):
        swapped = _within(latitude, longitude, _COUNTRY)
        row.refuse("经营地址经度", "经度与纬度似乎填反" if swapped else "坐标不在中国境内")
    elif not _within(longitude, latitude, _PROVINCE):
        row.doubt("经营地址经度", "坐标不在广西境内，请核对")


def _settle_terms(row: _Judgement) -> None:
    begins: date | None = row.values.get("term_from")
    ends: date | None = row.values.get("term_to")
    if begins is not None and ends is not None and ends < begins:
        row.refuse("经营期限至", "早于经营期限自")


def _doubt_phone(row: _Judgement) -> None:
    phone: str | None = row.values.get("liaison_phone")
    if phone is not None and not is_mobile(phone):
        row.doubt("联络员手机号码", "不是手机号码，无法接收短信")


# ---- sealing


def sealed_values(row: EnterpriseRow, vault: Vault) -> dict[str, bytes | None]:
    """The personal values of `row` by column: sealed, and with the blind index of the normalised value."""
    name, resident_id = row.liaison_name, row.liaison_resident_id
    return {
        "liaison_name_sealed": None if name is None else vault.seal(NAME_LABEL, name),
        "liaison_resident_id_sealed": None if resident_id is None else vault.seal(RESIDENT_ID_LABEL, resident_id),
        "liaison_resident_id_index": (
            None if resident_id is None else vault.blind_index(RESIDENT_ID_LABEL, resident_id)
        ),
        **_sealed_phone("liaison_phone", LIAISON_PHONE_LABEL, row.liaison_phone, vault),
        **_sealed_phone("operator_phone", OPERATOR_PHONE_LABEL, row.operator_phone, vault),
    }


def _sealed_phone(name: str, label: str, phone: str | None, vault: Vault) -> dict[str, bytes | None]:
    if phone is None:
        return {f"{name}_sealed": None, f"{name}_index": None}
    return {
        f"{name}_sealed": vault.seal(label, phone),
        f"{name}_index": vault.blind_index(label, phone_to_index(phone)),
    }
