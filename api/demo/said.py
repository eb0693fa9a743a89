"""What is said in the demonstration's rooms, by whom and when; all of it is invented."""

from __future__ import annotations

from typing import Final

import msgspec

from domain.checklist.builtin import FOOD_SERVICE_TYPE
from domain.complaint.model import GrievanceKind, GrievanceStep, GrievanceType
from domain.request.model import RequestCategory
from domain.self_inspection.assigned.model import NewRow

EXPOSURES: Final = (
    (
        "谨防冒充市场监管人员上门推销消防器材、健康证",
        "近期有商户反映，有人自称执法人员上门推销器材、代办健康证。执法检查不收取任何费用，请用一码核验来人身份。",
        12,
    ),
    (
        "一经营单位检查发现问题被责令限期改正",
        "执法人员在检查中发现该单位存在问题，已依法责令限期改正，整改情况以企业码页面公示为准。请各经营单位对照经营手册自查自纠。",
        5,
    ),
)
"""信息标题, text, and how many days ago it was published; the second is about an enterprise."""


class DemoGrievance(msgspec.Struct, frozen=True, kw_only=True):
    """投诉 or 举报 `days` ago at the main site of the enterprise account `at`; `steps` are what the lead did:
    which, how many days ago, in which words, and what the enterprise may read.
    """

    kind: GrievanceKind = GrievanceKind.COMPLAINT
    type: GrievanceType
    at: int
    days: int
    text: str
    wish: str | None = None
    name: str | None = None
    phone: str = ""
    steps: tuple[tuple[GrievanceStep, int, str | None, str | None], ...] = ()


GRIEVANCES: Final = (
    DemoGrievance(
        type=GrievanceType.CONSUMER_DISPUTE,
        at=0,
        days=52,
        text="充值500元的储值卡，店里装修后说旧卡作废，不肯退余额186元。",
        wish="退还余额",
        name="陆小燕",
        phone="19900008001",
        steps=(
            (GrievanceStep.ACCEPT, 50, None, "储值卡余额退还纠纷，请三日内说明情况。"),
            (GrievanceStep.TAKE_OVER, 50, None, None),
            (GrievanceStep.ANSWER, 44, "经调解，商家已原路退还储值卡余额186元。", None),
            (GrievanceStep.CLOSE, 40, None, None),
        ),
    ),
    DemoGrievance(
        type=GrievanceType.FOOD_SAFETY,
        at=0,
        days=35,
        text="晚上打包的卤味有酸味，豆腐已经变质，店员说天气热正常。",
        wish="退款，并检查后厨",
        name="覃建国",
        phone="19900008002",
        steps=(
            (GrievanceStep.ACCEPT, 34, None, "卤味疑似变质，请说明加工和存放时间。"),
            (GrievanceStep.TAKE_OVER, 34, None, None),
            (GrievanceStep.ANSWER, 28, "经核查，商家卤味存放超过规定时间，已当场改正并退款38元。", None),
            (GrievanceStep.CLOSE, 27, None, None),
        ),
    ),
    DemoGrievance(
        type=GrievanceType.SERVICE_QUALITY,
        at=0,
        days=4,
        text="外卖点了两份只送来一份，打电话到店里说不归他们管。",
        wish="补送或者退款18元",
        name="黄丽",
        phone="19900008003",
        steps=((GrievanceStep.ACCEPT, 2, None, "外卖少送一份，顾客要求补送或者退款。"),),
    ),
    DemoGrievance(
        type=GrievanceType.PRICE,
        at=1,
        days=1,
        text="柜台标价一斤10元，称好以后按一斤15元收钱，说标价没有更新。",
        wish="按标示价格退还差额",
        name="农志远",
        phone="19900008004",
    ),
    DemoGrievance(
        kind=GrievanceKind.TIP_OFF,
        type=GrievanceType.SAFETY_HAZARD,
        at=2,
        days=3,
        text="后厨的煤气罐放在通往后门的过道里，安全出口常年锁着。",
    ),
)

TASK: Final = "餐饮服务单位夏季食品安全自查"
TASK_TRADE: Final = FOOD_SERVICE_TYPE
TASK_DAYS: Final = 20
TASK_ROWS: Final = (
    NewRow(content="从业人员健康证明是否在有效期内", requirement="逐人核对，过期的先离岗办理"),
    NewRow(content="冷藏、冷冻设备温度是否正常", requirement="拍一张温度显示的照片", needs_photo=True),
    NewRow(content="食品原料是否有过期、变质", requirement="清点后厨和仓库"),
    NewRow(content="安全出口和疏散通道是否畅通"),
)

OPENING_HOURS: Final = ("每日 07:00—21:30", "周一至周日 10:00—22:00", "每日 06:30—14:00，17:00—21:00")
"""Of the enterprise accounts in turn."""


class DemoRequest(msgspec.Struct, frozen=True, kw_only=True):
    """诉求 of so many `days` ago; the department's `answer` came a day later, where there is one."""

    title: str
    category: RequestCategory
    text: str
    days: int
    answer: str | None = None


REQUESTS: Final = (
    DemoRequest(
        title="咨询食品经营许可证延续的时间和材料",
        category=RequestCategory.CONSULTATION,
        text="我店的食品经营许可证下月到期，想咨询延续要提前多久申请、需要哪些材料，能否网上办理。",
        days=6,
        answer="请在有效期届满前提出延续申请，可以网上办理；经营条件没有变化的，按办事指南提交声明和申请表即可。",
    ),
    DemoRequest(
        title="门前道路施工，希望错开入企检查时间",
        category=RequestCategory.DIFFICULTY,
        text="门前道路正在施工，本月下旬只有后门能进出，希望检查安排在施工结束之后。",
        days=1,
    ),
)
"""Of the enterprise accounts in turn."""


class DemoMaterial(msgspec.Struct, frozen=True, kw_only=True):
    """材料 by the code of its standard; `days_left` until it runs out."""

    code: str
    number: str | None = None
    is_of_site: bool = True
    days_left: int | None = None


MATERIALS: Final = (
    DemoMaterial(code="TY-01", is_of_site=False),
    DemoMaterial(code="CY-01", number="JY24501030000001", days_left=26),
    DemoMaterial(code="CY-03"),
)
