"""监管对象的导入列 The columns of an import file of enterprises (E1), and how their own kinds of cells are read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from codes.divisions import current_division, guangxi_divisions
from codes.person_name import mask_name
from codes.phone import mask_phone, parse_phone
from codes.resident_id import ResidentIdFault, check_resident_id, mask_resident_id
from codes.uscc import UsccFault, UsccOutcome, UsccVerdict, check_uscc
from domain.enterprise.model import CreditGrade, RiskLevel
from domain.identity.model import RegionRow
from domain.shared.cells import (
    Cell,
    CellFault,
    Column,
    by_header,
    day,
    day_or_open,
    looks_like_resident_id,
    number,
    one_of,
    text,
    written,
    yes_no,
)


class Place(msgspec.Struct, frozen=True):
    """行政区划 in force that a code leads to, and its ltree path."""

    code: str
    path: str


Places = Mapping[str, Place]
"""What each code, current or replaced, leads to."""


def places_of(regions: Iterable[RegionRow]) -> dict[str, Place]:
    """The place of every code whose present successor is among the stored `regions`."""
    paths = {region.code: region.path for region in regions if region.successor_code is None}
    places = {code: Place(code, path) for code, path in paths.items()}
    for division in guangxi_divisions():
        current = current_division(division.code)
        if current is not None and current.code in paths:
            places[division.code] = Place(current.code, paths[current.code])
    return places


def find_place(code: str, places: Places) -> Place:
    """The place of a code as typed; of the 9 or 12 digits of a township or village, the county. Raises `CellFault`."""
    if len(code) in {9, 12}:
        code = code[:6]
    place = places.get(code)
    if place is None:
        known = current_division(code) is not None
        raise CellFault("该区划尚未录入本系统" if known else "没有这个区划编码，应为6位，如450103")
    return place


# ---- readers of this room's cells

_USCC_FAULTS: Final = {
    UsccFault.LENGTH: "应为18位",
    UsccFault.CHARACTERS: "含有统一社会信用代码不使用的字符",
    UsccFault.MANGLED: "被表格软件当作数字，末尾数位已丢失；请将该列设为文本后重新填写",
}
_RESIDENT_ID_FAULTS: Final = {
    ResidentIdFault.LENGTH: "应为18位",
    ResidentIdFault.CHARACTERS: "含有公民身份号码不使用的字符",
    ResidentIdFault.MANGLED: _USCC_FAULTS[UsccFault.MANGLED],
    ResidentIdFault.BIRTH_DATE: "出生日期不存在",
    ResidentIdFault.CHECK_DIGIT: "校验位不符",
}


def _uscc(cell: Cell) -> UsccVerdict:
    verdict = check_uscc(written(cell))
    if verdict.fault is not None:
        raise CellFault(_USCC_FAULTS[verdict.fault])
    if verdict.outcome is UsccOutcome.BAD_CHECK_DIGIT and looks_like_resident_id(verdict.uscc):
        raise CellFault("似为公民身份号码；个人信息不得作为统一社会信用代码以明文保存")
    return verdict


def resident_id(cell: Cell) -> str:
    """公民身份号码, normalised. Raises `CellFault`."""
    verdict = check_resident_id(written(cell))
    if verdict.fault is not None:
        raise CellFault(_RESIDENT_ID_FAULTS[verdict.fault])
    return verdict.resident_id


def phone(cell: Cell) -> str:
    """A mobile or landline, normalised, with 转 before an extension. Raises `CellFault`."""
    found = parse_phone(written(cell))
    if found is None:
        raise CellFault("不是手机号码或带区号的固定电话")
    return f"{found.number}转{found.extension}" if found.extension else found.number


def phone_to_index(normalised: str) -> str:
    """What a telephone is found by: the number without its extension."""
    return normalised.partition("转")[0]


def region_code(cell: Cell) -> str:
    """A code of digits as typed, the .0 of a number cell taken away."""
    return unicodedata.normalize("NFKC", written(cell)).removesuffix(".0").replace(" ", "")


_CAPITAL = re.compile(r"([0-9.,]+)\s*(亿|万|元)?元?\s*([^0-9]*)")
_UNITS: Final = {None: Decimal(1), "万": Decimal(1), "亿": Decimal(10_000), "元": Decimal("0.0001")}
_MOST_CAPITAL: Final = Decimal(10) ** 14


class Capital(msgspec.Struct, frozen=True):
    amount: Decimal
    currency: str | None


def _capital(cell: Cell) -> Capital:
    """An amount in 万元, as registers state it, or with its own unit: 500, 500万元, 1.2亿元人民币, 5000000元."""
    said = unicodedata.normalize("NFKC", repr(cell) if isinstance(cell, float) else written(cell))
    found = _CAPITAL.fullmatch(said.replace("(", "").replace(")", ""))
    if found is None:
        raise CellFault("不是金额，应如500或500万元")
    amount = number(found[1]) * _UNITS[found[2]]
    if amount >= _MOST_CAPITAL:
        raise CellFault("金额过大，单位应为万元")
    return Capital(amount.quantize(Decimal("0.0001")), found[3].strip() or None)


def _degrees(most: int) -> Callable[[Cell], float]:
    def read(cell: Cell) -> float:
        degrees = float(number(cell))
        if abs(degrees) > most:
            raise CellFault(f"应在-{most}至{most}度之间")
        return degrees

    return read


_RISKS: Final = {
    **dict.fromkeys(("低", "低风险", "LOW", "1"), RiskLevel.LOW),
    **dict.fromkeys(("中低", "中低风险", "MEDIUM_LOW", "2"), RiskLevel.MEDIUM_LOW),
    **dict.fromkeys(("中高", "中高风险", "MEDIUM_HIGH", "3"), RiskLevel.MEDIUM_HIGH),
    **dict.fromkeys(("高", "高风险", "HIGH", "4"), RiskLevel.HIGH),
}
_CREDITS: Final = {spelling: grade for grade in CreditGrade for spelling in (grade.value, f"{grade.value}级")}

_TYPES_BY_USCC: Final = {
    "11": "机关",
    "12": "事业单位",
    "51": "社会团体",
    "52": "民办非企业单位",
    "53": "基金会",
    "92": "个体工商户",
    "93": "农民专业合作社",
}


def default_object_type(uscc: str) -> str:
    """监管对象类型 when none is given: what the first two characters of the credit code say, else 企业."""
    return _TYPES_BY_USCC.get(uscc[:2], "企业")


_PARTING: Final = re.compile(r"[、；;\n]")
_MOST_TRADES: Final = 20
_LONGEST_TRADE: Final = 60


def business_types(cell: Cell) -> tuple[str, ...]:
    """业态 of a site, parted by 、 or ；, each once. Raises `CellFault`."""
    found = tuple(dict.fromkeys(said for part in _PARTING.split(written(cell)) if (said := part.strip())))
    if len(found) > _MOST_TRADES:
        raise CellFault(f"超过{_MOST_TRADES}个业态")
    if any(len(each) > _LONGEST_TRADE for each in found):
        raise CellFault(f"一个业态超过{_LONGEST_TRADE}字，多个业态请以、分隔")
    return found


_DATE_NOTE: Final = "日期，如2020-01-02"

COLUMNS: Final = (
    Column(
        header="监管对象名称",
        name="name",
        read=text(),
        mandatory=True,
        aliases=("企业名称", "名称", "经营主体名称"),
        example="南宁市示范餐饮有限公司",
    ),
    Column(
        header="统一社会信用代码",
        name="uscc",
        read=_uscc,
        mandatory=True,
        note="18位，以文本填写",
        example="91450103MA5KCX1N0H",
    ),
    Column(
        header="监管对象类型",
        name="object_type",
        read=text(40),
        note="不填则按信用代码前两位判断，一般为企业",
        example="企业",
    ),
    Column(
        header="区划编码",
        name="region_code",
        read=region_code,
        mandatory=True,
        aliases=("行政区划代码", "行政区划编码", "区划代码"),
        note="6位；已撤销的旧编码自动转为现行编码",
        example="450103",
    ),
    Column(header="注册号", name="registration_number", read=text(60), note="以文本填写"),
    Column(header="行业类型", name="industry_type", read=text(100), aliases=("行业类别",), example="餐饮业"),
    Column(header="组织类别", name="organisation_category", read=text(100)),
    Column(header="国民经济类型", name="economic_class", read=text(100)),
    Column(header="品牌名称", name="brand_name", read=text(100)),
    Column(
        header="法定代表人/负责人/投资人",
        name="legal_representative",
        read=text(100),
        aliases=("法定代表人", "负责人", "投资人", "经营者"),
        example="韦某",
    ),
    Column(
        header="注册资本/注册资金/成员出资额",
        name="registered_capital",
        read=_capital,
        aliases=("注册资本", "注册资金", "成员出资额"),
        note="数字，单位万元；也可带单位，如500万元、1.2亿元",
        example="500",
    ),
    Column(header="注册资本币种", name="capital_currency", read=text(20), aliases=("币种",), example="人民币"),
    Column(header="住所", name="domicile", read=text(300)),
    Column(
        header="营业场所/经营场所",
        name="premises",
        read=text(300),
        aliases=("营业场所", "经营场所"),
        note="主场所地址；与经营地址都填时以经营地址为准",
        example="南宁市青秀区民族大道1号",
    ),
    Column(header="经营期限自", name="term_from", read=day, aliases=("经营期限from", "营业期限自"), note=_DATE_NOTE),
    Column(
        header="经营期限至",
        name="term_to",
        read=day_or_open,
        aliases=("经营期限to", "营业期限至"),
        note="日期，或长期",
    ),
    Column(header="经营范围", name="business_scope", read=text(10_000)),
    Column(header="业务范围类型", name="scope_type", read=text(100)),
    Column(
        header="业态",
        name="business_types",
        read=business_types,
        aliases=("所属业态",),
        note="主场所的业态，多个以、分隔；与检查单和经营手册的业态一致",
        example="餐饮服务",
    ),
    Column(header="登记机关", name="registration_authority", read=text(100)),
    Column(
        header="成立日期", name="established_on", read=day, aliases=("注册日期",), note=_DATE_NOTE, example="2020-01-02"
    ),
    Column(header="核准日期", name="approved_on", read=day, note=_DATE_NOTE),
    Column(header="吊销日期", name="revoked_on", read=day, note=_DATE_NOTE),
    Column(header="吊销原因", name="revoke_reason", read=text(500)),
    Column(header="联络员姓名", name="liaison_name", read=text(50), mask=mask_name, note="加密保存", example="黄某"),
    Column(
        header="联络员身份证号码",
        name="liaison_resident_id",
        read=resident_id,
        aliases=("联络员身份证号",),
        mask=mask_resident_id,
        note="18位，以文本填写；加密保存",
    ),
    Column(
        header="联络员手机号码",
        name="liaison_phone",
        read=phone,
        aliases=("联络员手机号", "联络员手机", "联络员电话"),
        mask=mask_phone,
        note="以文本填写；加密保存",
        example="13800005678",
    ),
    Column(
        header="经营地址经度",
        name="longitude",
        read=_degrees(180),
        aliases=("经度",),
        note="WGS-84，度；经度与纬度须同时填写",
        example="108.366",
    ),
    Column(
        header="经营地址纬度",
        name="latitude",
        read=_degrees(90),
        aliases=("纬度",),
        note="WGS-84，度",
        example="22.817",
    ),
    Column(header="监管对象性质", name="nature", read=text(100)),
    Column(
        header="风险等级",
        name="risk_level",
        read=one_of(_RISKS, "低、中低、中高、高"),
        note="低、中低、中高、高",
        example="中低",
    ),
    Column(header="信用等级", name="credit_grade", read=one_of(_CREDITS, "A、B、C、D"), note="A、B、C、D", example="B"),
    Column(
        header="经营者联系人电话",
        name="operator_phone",
        read=phone,
        aliases=("经营者联系电话",),
        mask=mask_phone,
        note="以文本填写；加密保存",
    ),
    Column(header="是否签订协议", name="agreement_signed", read=yes_no, note="是、否"),
    Column(header="楼层", name="floor", read=text(40), example="3层"),
    Column(header="经营地址", name="address", read=text(300), note="主场所地址"),
    Column(header="是否发放预付卡", name="prepaid_cards", read=yes_no, note="是、否"),
)
BY_HEADER: Final = by_header(COLUMNS)
