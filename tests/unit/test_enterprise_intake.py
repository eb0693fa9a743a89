"""监管对象导入: what a row says, however it was typed, and what is told of a row that cannot go in."""

from __future__ import annotations

import random
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from codes.uscc import make_uscc
from domain.enterprise.columns import Place, places_of
from domain.enterprise.intake import EnterpriseRow, judge_enterprise, sealed_values
from domain.enterprise.model import CreditGrade, RiskLevel
from domain.identity.model import RegionRow
from domain.shared.cells import Cell, FaultLevel, RowFault
from domain.shared.keys import KeyPurpose, KeyRing, first_version
from domain.shared.vault import Vault

USCC = make_uscc("91450103MA5KCX1N0")
PLACES = {"450103": Place("450103", "450000.450100.450103")}


def judged(**cells: Cell) -> EnterpriseRow | list[RowFault]:
    given: dict[str, Cell] = {"监管对象名称": "南宁某粉店", "统一社会信用代码": USCC, "区划编码": "450103"}
    return judge_enterprise(7, {**given, **cells}, PLACES)


def good(**cells: Cell) -> EnterpriseRow:
    row = judged(**cells)
    assert isinstance(row, EnterpriseRow), row
    return row


def fault(**cells: Cell) -> RowFault:
    faults = judged(**cells)
    assert isinstance(faults, list)
    (only,) = faults
    assert only.line == 7
    assert only.level is FaultLevel.ERROR
    return only


def test_the_least_row_goes_in() -> None:
    row = good()
    assert (row.line, row.uscc, row.object_type) == (7, USCC, "企业")
    assert (row.region_code, row.region) == ("450103", "450000.450100.450103")
    assert row.warnings == ()


@pytest.mark.parametrize("missing", ["监管对象名称", "统一社会信用代码", "区划编码"])
@pytest.mark.parametrize("nothing", [None, "", "　", "无", "-", "NULL"])
def test_a_mandatory_field_without_a_value_is_named(missing: str, nothing: Cell) -> None:
    assert fault(**{missing: nothing}) == RowFault(7, missing, "必填，不能为空")


def test_every_fault_of_a_row_is_told_at_once() -> None:
    faults = judged(监管对象名称="", 成立日期="昨天", 信用等级="E")
    assert isinstance(faults, list)
    assert {fault.field for fault in faults} == {"监管对象名称", "成立日期", "信用等级"}


@pytest.mark.parametrize(
    "typed",
    [
        USCC.lower(),
        f" {USCC[:8]} {USCC[8:]}\u200b",
        "".join(chr(ord(character) + 0xFEE0) for character in USCC),
    ],
)
def test_a_credit_code_is_stored_as_the_standard_writes_it(typed: str) -> None:
    assert good(统一社会信用代码=typed).uscc == USCC


@pytest.mark.parametrize("mangled", ["9.14501E+17", 914501030000000000, 9.1450103e17, "914501030000000000"])
def test_a_credit_code_that_a_spreadsheet_cut_is_refused(mangled: Cell) -> None:
    assert "末尾数位已丢失" in fault(统一社会信用代码=mangled).reason


def test_a_wrong_check_digit_only_warns() -> None:
    wrong = USCC[:-1] + ("0" if USCC[-1] != "0" else "1")
    row = good(统一社会信用代码=wrong)
    assert row.uscc == wrong
    (warning,) = row.warnings
    assert (warning.level, warning.field) == (FaultLevel.WARNING, "统一社会信用代码")


@pytest.mark.parametrize(("start", "kind"), [("92", "个体工商户"), ("12", "事业单位"), ("91", "企业")])
def test_the_kind_of_object_is_told_by_the_credit_code_unless_given(start: str, kind: str) -> None:
    uscc = make_uscc(f"{start}450103MA5KCX1N0")
    assert good(统一社会信用代码=uscc).object_type == kind
    assert good(统一社会信用代码=uscc, 监管对象类型="其他").object_type == "其他"


@pytest.mark.parametrize(
    "typed",
    [
        "2020-01-02", "2020/1/2", "2020.1.2", "20200102", "2020年1月2日", "２０２０－０１－０２", "2020-01-02 00:00:00",
        43832, "43832", date(2020, 1, 2), datetime(2020, 1, 2, 8),  # noqa: DTZ001 -- a cell's date has no zone
    ],
)  # fmt: skip
def test_a_day_is_understood_in_its_usual_spellings(typed: Cell) -> None:
    assert good(成立日期=typed).established_on == date(2020, 1, 2)


@pytest.mark.parametrize("typed", ["2020-02-30", "2020-13-01", "0020-01-01", "不详", "2020", "１", "99999999"])
def test_what_is_no_day_is_refused(typed: str) -> None:
    assert fault(成立日期=typed).field == "成立日期"


def test_a_term_may_be_open_but_not_end_before_it_begins() -> None:
    assert good(经营期限自="2020-01-02", 经营期限至="长期").term_to is None
    assert fault(经营期限自="2020-01-02", 经营期限至="2019-01-02").field == "经营期限至"


@pytest.mark.parametrize(
    ("typed", "amount", "currency"),
    [
        ("500", "500", None),
        (500, "500", None),
        (0.5, "0.5", None),
        ("1,200.5万元", "1200.5", None),
        ("1.2亿元", "12000", None),
        ("5000000元", "500", None),
        ("100万美元", "100", "美元"),
        ("100万元人民币", "100", "人民币"),
        ("500(万元)", "500", None),
    ],
)
def test_capital_counts_in_ten_thousands(typed: Cell, amount: str, currency: str | None) -> None:
    row = good(**{"注册资本/注册资金/成员出资额": typed})
    assert row.registered_capital == Decimal(amount)
    assert row.capital_currency == currency


@pytest.mark.parametrize("typed", ["若干", "-5", "99999999999999999999"])
def test_what_is_no_capital_is_refused(typed: str) -> None:
    fault(**{"注册资本/注册资金/成员出资额": typed})


@pytest.mark.parametrize(
    "typed", ["餐饮服务、旅行社", " 餐饮服务；旅行社； ", "餐饮服务;旅行社;餐饮服务", "餐饮服务\n旅行社"]
)
def test_the_trades_of_a_site_are_parted_by_the_usual_signs(typed: str) -> None:
    assert good(业态=typed).business_types == ("餐饮服务", "旅行社")


def test_a_row_may_say_nothing_of_trades_and_not_too_much() -> None:
    assert good().business_types is None
    assert "超过60字" in fault(业态="长" * 61).reason
    assert "超过20个" in fault(业态="、".join(str(number) for number in range(21))).reason


def test_risk_and_credit_are_two_things() -> None:
    row = good(风险等级="中低风险", 信用等级="b级")
    assert (row.risk_level, row.credit_grade) == (RiskLevel.MEDIUM_LOW, CreditGrade.B)
    assert fault(风险等级="A").field == "风险等级"


def test_a_position_is_whole_and_plausible() -> None:
    row = good(经营地址经度="108.366", 经营地址纬度=22.817)
    assert (row.longitude, row.latitude) == (108.366, 22.817)
    assert fault(经营地址经度="108.366").field == "经营地址纬度"
    assert "填反" in fault(经营地址经度="22.817", 经营地址纬度="88.366").reason
    assert fault(经营地址经度="0", 经营地址纬度="0").reason == "坐标不在中国境内"
    assert fault(经营地址经度="200", 经营地址纬度="22").field == "经营地址经度"
    (warning,) = good(经营地址经度="116.4", 经营地址纬度="39.9").warnings
    assert "广西" in warning.reason


def test_the_address_of_the_site_is_the_business_address_else_the_premises() -> None:
    premises = {"营业场所/经营场所": "民族大道1号"}
    assert good(**premises).address == "民族大道1号"
    assert good(**premises, 经营地址="民族大道2号").address == "民族大道2号"


def test_a_telephone_is_normalised_and_a_wrong_one_is_hidden_in_the_report() -> None:
    assert good(联络员手机号码="+86 138-0000-5678").liaison_phone == "13800005678"
    assert good(经营者联系人电话="(0771) 5812345 转 8").operator_phone == "0771-5812345转8"
    refused = fault(联络员手机号码="1380000567")
    assert set(refused.value) == {"*"}
    (warning,) = good(联络员手机号码="0771-5812345").warnings
    assert "短信" in warning.reason


def test_an_identity_number_in_the_wrong_column_is_hidden_too() -> None:
    refused = fault(统一社会信用代码="450103199001011234")
    assert "19900101" not in refused.value


@pytest.mark.parametrize("typed", ["450103.0", 450103, "450103000000", "４５０１０３", 450103.0])
def test_a_region_is_known_by_its_code_however_written(typed: Cell) -> None:
    assert good(区划编码=typed).region_code == "450103"


def test_a_former_region_leads_to_its_successor_and_an_unknown_one_is_refused() -> None:
    regions = [_region("450110", "450000.450100.450110", None), _region("450122", "450000.450100.450122", "450110")]
    places = places_of(regions)
    cells = {"监管对象名称": "某店", "统一社会信用代码": USCC, "区划编码": "450122"}
    row = judge_enterprise(1, cells, places)
    assert isinstance(row, EnterpriseRow)
    assert (row.region_code, row.region) == ("450110", "450000.450100.450110")
    assert "没有这个区划编码" in fault(区划编码="999999").reason
    assert "尚未录入" in fault(区划编码="450102").reason


def _region(code: str, path: str, successor: str | None) -> RegionRow:
    return RegionRow(
        code=code, name=code, level="county", parent_code=None, path=path,
        valid_from=None, valid_to=None, successor_code=successor,
    )  # fmt: skip


@pytest.mark.parametrize("broken", ["某\x00店", "某\ufffd店"])
def test_broken_text_is_refused_before_it_reaches_the_database(broken: str) -> None:
    assert "编码" in fault(监管对象名称=broken).reason


def test_personal_values_are_sealed_and_found_by_their_normalised_form() -> None:
    dice = random.Random(3)
    root = dice.randbytes(32)
    vault = Vault(KeyRing(root, [first_version(root, purpose) for purpose in KeyPurpose]), dice.randbytes)
    sealed: dict[str, Any] = sealed_values(
        good(联络员手机号码="138 0000 5678", 经营者联系人电话="0771-5812345转8"), vault
    )
    assert vault.open("enterprise.liaison_phone", sealed["liaison_phone_sealed"]) == "13800005678"
    assert sealed["liaison_phone_index"] == vault.blind_index("enterprise.liaison_phone", "13800005678")
    assert vault.open("enterprise.operator_phone", sealed["operator_phone_sealed"]) == "0771-5812345转8"
    assert sealed["operator_phone_index"] == vault.blind_index("enterprise.operator_phone", "0771-5812345")
    assert sealed["liaison_name_sealed"] is None
