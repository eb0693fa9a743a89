"""监管人员的导入列 The columns of an import file of officers (E3); a mandatory one is marked * in the source."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

import msgspec

from codes.phone import mask_phone
from codes.resident_id import mask_resident_id
from domain.enterprise.columns import phone, region_code, resident_id
from domain.shared.cells import Cell, CellFault, Column, by_header, day, one_of, text, written, yes_no

GENDERS: Final = {
    **dict.fromkeys(("男", "男性", "1", "MALE", "M"), "男"),
    **dict.fromkeys(("女", "女性", "2", "FEMALE", "F"), "女"),
}
_DASHES = re.compile(r"\s*(?:至|到|~|--|—+|–)\s*|\s+-\s+|(?<=[0-9日])-(?=[0-9]{4}[-/.年]|[0-9]{8}$)")
_OPENINGS = "自从"


class Validity(msgspec.Struct, frozen=True):
    """证件有效期: both ends count. A certificate always ends: without an end it would not be valid."""

    begins: date | None
    ends: date


def validity(cell: Cell) -> Validity:
    """The last day alone, 2028-12-31, or both days, 2023-01-01至2028-12-31. Raises `CellFault`."""
    if not isinstance(cell, str):
        return Validity(None, day(cell))
    said = unicodedata.normalize("NFKC", written(cell)).lstrip(_OPENINGS).removeprefix("至").removesuffix("止")
    ends = [part for part in _DASHES.split(said) if part]
    if len(ends) == 1:
        return Validity(None, day(ends[0]))
    if len(ends) != 2:  # noqa: PLR2004 -- two ends
        raise CellFault("应为截止日期，或如2023-01-01至2028-12-31")
    begins, until = day(ends[0]), day(ends[1])
    if until < begins:
        raise CellFault("截止日期早于开始日期")
    return Validity(begins, until)


COLUMNS: Final = (
    Column(header="姓名", name="name", read=text(50), mandatory=True, example="覃某"),
    Column(
        header="所属主体（受委托组织）全称",
        name="organisation_name",
        read=text(),
        mandatory=True,
        aliases=("所属主体全称", "所属主体", "所属主体（受委托组织）"),
        example="南宁市青秀区市场监督管理局",
    ),
    Column(header="所属主体编码", name="organisation_code", read=text(40), note="以文本填写"),
    Column(
        header="身份证号",
        name="resident_id",
        read=resident_id,
        mandatory=True,
        aliases=("身份证号码", "公民身份号码"),
        mask=mask_resident_id,
        note="18位，以文本填写；加密保存",
        example="450103199001011238",
    ),
    Column(
        header="性别",
        name="gender",
        read=one_of(GENDERS, "男、女"),
        mandatory=True,
        note="男、女；须与身份证号一致",
        example="男",
    ),
    Column(header="出生日期", name="born_on", read=day, note="不填则取自身份证号", example="1990-01-01"),
    Column(header="政治面貌", name="political_status", read=text(40)),
    Column(header="职级", name="rank", read=text(40)),
    Column(header="民族", name="ethnicity", read=text(40), example="壮族"),
    Column(header="最高学历", name="education", read=text(40)),
    Column(header="执法人员性质", name="officer_nature", read=text(40)),
    Column(header="是否监督人员", name="is_supervisor", read=yes_no, mandatory=True, note="是、否", example="否"),
    Column(header="是否具有法律职业资格", name="has_legal_qualification", read=yes_no, note="是、否"),
    Column(
        header="联系电话",
        name="phone",
        read=phone,
        mask=mask_phone,
        note="以文本填写；加密保存",
        example="13800005678",
    ),
    Column(header="执法证号", name="certificate_number", read=text(40), note="以文本填写", example="桂A01012345"),
    Column(header="学历专业", name="education_major", read=text(100)),
    Column(header="发证机关", name="certificate_authority", read=text(100)),
    Column(header="执法区域", name="certificate_area", read=text(100)),
    Column(header="执法类别", name="certificate_category", read=text(100)),
    Column(
        header="证件有效期",
        name="validity",
        read=validity,
        note="截止日期，或如2023-01-01至2028-12-31",
        example="2023-01-01至2028-12-31",
    ),
    Column(
        header="行政区划",
        name="region_code",
        read=region_code,
        aliases=("行政区划代码", "区划编码"),
        note="6位编码",
        example="450103",
    ),
    Column(
        header="所属部门",
        name="department",
        read=text(),
        mandatory=True,
        note="本系统中部门的编码或全称",
        example="南宁市青秀区市场监督管理局",
    ),
    Column(header="是否组长", name="is_team_leader", read=yes_no, mandatory=True, note="是、否", example="否"),
    Column(header="岗位", name="post", read=text(40)),
)
BY_HEADER: Final = by_header(COLUMNS)
