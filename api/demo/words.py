"""Material of the demonstration: counties, trades, departments and the parts of names.

Places, roads, laws and kinds of licence are real; every enterprise, person and number is invented.
"""

from __future__ import annotations

from typing import Final

import msgspec


class DemoCounty(msgspec.Struct, frozen=True):
    """县区 of Nanning: the middle of its seat (WGS-84), how many of the enterprises it gets, its roads."""

    code: str
    name: str
    longitude: float
    latitude: float
    share: int
    roads: tuple[str, ...]


class DemoDepartment(msgspec.Struct, frozen=True):
    """监管部门 and how many officers it has."""

    code: str
    name: str
    short_name: str
    paper_word: str
    hotline: str
    officers: int


class DemoTrade(msgspec.Struct, frozen=True):
    """业态: what its enterprises are called, which scene and department they belong to, what permits them.

    `names` are patterns over {county}, {brand}; `licence` is None where none is needed. `kind` is the first
    two characters of the credit code: 91 companies, 92 individual traders, 52 private non-enterprise units.
    """

    industry: str
    scene: str
    department: str
    kind: str
    count: int
    names: tuple[str, ...]
    scope: str
    basis: str
    licence: str | None = None
    licence_prefix: str = ""
    may_branch: bool = False

    @property
    def business_type(self) -> str | None:
        """业态, where a checklist and a manual are written for it."""
        return _BUSINESS_TYPES.get(self.industry)


CITY: Final = "450100"
CITY_PATH: Final = "450000.450100"

COUNTIES: Final = (
    DemoCounty("450102", "兴宁区", 108.3662, 22.8470, 36, ("朝阳路", "民主路", "长堽路", "望州路", "昆仑大道")),
    DemoCounty("450103", "青秀区", 108.3905, 22.8150, 70, ("民族大道", "金湖路", "东葛路", "长湖路", "凤岭北路")),
    DemoCounty("450105", "江南区", 108.3105, 22.7905, 44, ("星光大道", "白沙大道", "五一路", "亭洪路", "壮锦大道")),
    DemoCounty(
        "450107",
        "西乡塘区",
        108.3005,
        22.8370,
        58,
        ("大学东路", "明秀西路", "北湖北路", "衡阳西路", "安吉大道"),
    ),
    DemoCounty("450108", "良庆区", 108.3790, 22.7560, 32, ("五象大道", "玉洞大道", "银海大道", "平乐大道", "凯旋路")),
    DemoCounty("450109", "邕宁区", 108.4850, 22.7570, 16, ("蒲兴大道", "江湾路", "龙岗大道", "新兴街")),
    DemoCounty("450110", "武鸣区", 108.2745, 23.1580, 14, ("红岭大道", "香山大道", "永宁路", "灵源路")),
    DemoCounty("450123", "隆安县", 107.6960, 23.1660, 5, ("蝶城路", "城厢街")),
    DemoCounty("450124", "马山县", 108.1770, 23.7080, 5, ("同富路", "威马大道")),
    DemoCounty("450125", "上林县", 108.6050, 23.4320, 5, ("明山大道", "林康路")),
    DemoCounty("450126", "宾阳县", 108.8100, 23.2180, 8, ("永武街", "商贸城一路")),
    DemoCounty("450181", "横州市", 109.2610, 22.6800, 7, ("茉莉花大道", "环城路")),
)

MARKET: Final = "450100-SJ"
EMERGENCY: Final = "450100-YJ"
CULTURE: Final = "450100-WL"
FIRE: Final = "450100-XF"
HEALTH: Final = "450100-WJ"
COMMERCE: Final = "450100-SW"

DEPARTMENTS: Final = (
    DemoDepartment(MARKET, "南宁市市场监督管理局", "南宁市监", "南市监", "0771-12315", 10),
    DemoDepartment(EMERGENCY, "南宁市应急管理局", "南宁应急", "南应急", "0771-12350", 6),
    DemoDepartment(CULTURE, "南宁市文化广电和旅游局", "南宁文旅", "南文旅", "0771-12318", 6),
    DemoDepartment(FIRE, "南宁市消防救援支队", "南宁消防", "南消", "0771-96119", 6),
    DemoDepartment(HEALTH, "南宁市卫生健康委员会", "南宁卫健", "南卫", "0771-12320", 6),
    DemoDepartment(COMMERCE, "南宁市商务局", "南宁商务", "南商务", "0771-12345", 6),
)

_FOOD_LAW: Final = "《中华人民共和国食品安全法》第一百一十条"
_FOOD_LICENCE: Final = "食品经营许可证"
FOOD_SERVICE: Final = "餐饮业"
_BUSINESS_TYPES: Final = {FOOD_SERVICE: "餐饮服务", "批发业": "危险化学品经营", "旅行社": "旅行社"}

TRADES: Final = (
    DemoTrade(
        FOOD_SERVICE,
        "S13",
        MARKET,
        "92",
        50,
        (
            "{county}{brand}老友粉店",
            "{county}{brand}生榨米粉店",
            "{county}{brand}柠檬鸭餐馆",
            "{county}{brand}卷筒粉早餐店",
            "{county}{brand}螺蛳粉店",
            "{county}{brand}酸嘢店",
        ),
        "小餐饮服务；食品销售。",
        _FOOD_LAW,
        _FOOD_LICENCE,
        "JY245",
    ),
    DemoTrade(
        FOOD_SERVICE,
        "S23",
        MARKET,
        "91",
        28,
        ("南宁{brand}餐饮管理有限公司", "南宁市{brand}酒楼有限公司", "广西{brand}餐饮服务有限公司"),
        "餐饮服务；餐饮管理；外卖递送服务；食品互联网销售。",
        _FOOD_LAW,
        _FOOD_LICENCE,
        "JY245",
        may_branch=True,
    ),
    DemoTrade(
        "零售业",
        "S24",
        MARKET,
        "91",
        36,
        ("南宁{brand}超市有限公司", "南宁市{brand}生鲜超市有限公司", "广西{brand}商贸有限公司"),
        "食品销售；日用百货销售；新鲜蔬菜零售；新鲜水果零售。",
        _FOOD_LAW,
        _FOOD_LICENCE,
        "JY145",
        may_branch=True,
    ),
    DemoTrade(
        "零售业",
        "S28",
        MARKET,
        "91",
        32,
        ("南宁{brand}大药房有限公司", "广西{brand}医药连锁有限公司", "南宁市{brand}药店有限公司"),
        "药品零售；第二类医疗器械销售；保健食品销售。",
        "《中华人民共和国药品管理法》第九十九条",
        "药品经营许可证",
        "桂DA771",
        may_branch=True,
    ),
    DemoTrade(
        FOOD_SERVICE,
        "S10",
        MARKET,
        "52",
        20,
        ("{county}{brand}幼儿园", "{county}{brand}实验幼儿园", "{county}{brand}艺术幼儿园"),
        "学前教育；集中用餐服务（食堂）。",
        _FOOD_LAW,
        _FOOD_LICENCE,
        "JY345",
    ),
    DemoTrade(
        "住宿业",
        "S06",
        CULTURE,
        "92",
        18,
        ("{county}{brand}民宿", "{county}{brand}山居民宿", "{county}{brand}客栈"),
        "住宿服务；餐饮服务；休闲观光活动。",
        "《中华人民共和国旅游法》第八十五条",
        "特种行业许可证",
        "桂南公特旅字",
    ),
    DemoTrade(
        "住宿业",
        "S35",
        HEALTH,
        "92",
        14,
        ("{county}{brand}旅馆", "{county}{brand}招待所", "{county}{brand}宾馆"),
        "住宿服务。",
        "《公共场所卫生管理条例》第十条",
        "卫生许可证",
        "桂南卫公字",
    ),
    DemoTrade(
        "批发业",
        "S02",
        EMERGENCY,
        "91",
        18,
        ("南宁{brand}化工有限公司", "广西{brand}化工原料贸易有限公司", "南宁市{brand}气体有限公司"),
        "危险化学品经营（凭许可证）；化工产品销售。",
        "《危险化学品安全管理条例》第七条",
        "危险化学品经营许可证",
        "桂南危化经字",
    ),
    DemoTrade(
        "旅行社",
        "S03",
        CULTURE,
        "91",
        18,
        ("南宁{brand}旅行社有限公司", "广西{brand}国际旅行社有限公司"),
        "境内旅游业务；入境旅游业务；旅游咨询。",
        "《旅行社条例》第四十一条",
        "旅行社业务经营许可证",
        "L-GX-",
    ),
    DemoTrade(
        "零售业",
        "S32",
        COMMERCE,
        "91",
        20,
        ("南宁{brand}石油销售有限公司", "南宁市{brand}加油站有限公司", "广西{brand}能源有限公司"),
        "成品油零售；便利店经营。",
        "《成品油流通管理办法》",
        "成品油零售经营批准证书",
        "油零售证书第45",
    ),
    DemoTrade(
        "娱乐业",
        "S21",
        CULTURE,
        "91",
        12,
        ("南宁{brand}娱乐有限公司", "南宁市{brand}歌舞厅有限公司"),
        "歌舞娱乐活动；食品销售。",
        "《娱乐场所管理条例》",
        "娱乐经营许可证",
        "4501",
    ),
    DemoTrade(
        "商务服务业",
        "S34",
        FIRE,
        "91",
        10,
        ("南宁{brand}广场商业管理有限公司", "南宁{brand}购物中心有限公司"),
        "商业综合体管理服务；物业管理；非居住房地产租赁。",
        "《中华人民共和国消防法》第五十三条",
        "公众聚集场所投入使用、营业前消防安全检查合格证",
        "南消安检字",
    ),
    DemoTrade(
        "居民服务业",
        "S26",
        COMMERCE,
        "91",
        10,
        ("南宁{brand}健身服务有限公司", "南宁{brand}美容有限公司"),
        "健身休闲活动；生活美容服务；单用途商业预付卡代理销售。",
        "《单用途商业预付卡管理办法（试行）》",
    ),
    DemoTrade(
        "卫生",
        "S27",
        HEALTH,
        "92",
        14,
        ("{county}{brand}诊所", "{county}{brand}口腔诊所", "{county}{brand}中医诊所"),
        "诊所服务。",
        "《医疗机构管理条例》",
        "医疗机构执业许可证",
        "PDY7710",
    ),
)

BRAND_FIRST: Final = "邕桂青绿江凤象荔竹蕉壮铜花稻榕湘晨悦金瑞"
BRAND_SECOND: Final = "源香泉和兴盛康泰顺美味园庭乐鑫晟丰润佳宁"

SURNAMES: Final = "韦黄覃陆农蒙莫梁李陈卢潘罗周谭苏何甘邓谢"
GIVEN_FIRST: Final = "志海国建春雪丽文永秀俊晓家小玉德思忠佳宏"
GIVEN_SECOND: Final = (
    "明",
    "华",
    "强",
    "玲",
    "芳",
    "军",
    "英",
    "平",
    "燕",
    "勇",
    "宁",
    "萍",
    "",
    "",
    "杰",
    "霞",
)

SOURCES: Final = ("年度检查计划", "双随机抽查", "专项整治部署", "上级交办", "投诉举报线索核查")
