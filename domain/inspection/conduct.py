"""五个严禁 and what else the enterprise is told at the door: rules from outside, kept with where each comes from.

Nothing here has been held against an official text yet: every line is shown as 待核 until somebody has (decisions,
"legal basis").
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

SOURCE: Final = "国办发〔2024〕54号（待核）"


class Prohibition(enum.StrEnum):
    """五个严禁 of inspecting enterprises."""

    PROFIT = "profit"
    GIFTS = "gifts"
    BANQUETS = "banquets"
    COSTS = "costs"
    ARBITRARY = "arbitrary"

    @property
    def label(self) -> str:
        """The Chinese words that people see."""
        return _PROHIBITIONS[self]


_PROHIBITIONS: Final = {
    Prohibition.PROFIT: "严禁逐利检查",
    Prohibition.GIFTS: "严禁接受被检查企业的馈赠、报酬、福利待遇",
    Prohibition.BANQUETS: "严禁参加被检查企业提供的宴请、娱乐、旅游等活动",
    Prohibition.COSTS: "严禁由被检查企业支付消费开支或者转嫁检查费用",
    Prohibition.ARBITRARY: "严禁任性检查、变相检查",
}


class ToldRule(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence that the enterprise is told, and where it comes from; 待核 until `verified`."""

    text: str
    source: str
    verified: bool = False


_LAW: Final = "行政检查有关规定（待核）"
RIGHTS: Final = (
    ToldRule(text="执法人员不出示执法证件，或者少于两人的，可以拒绝检查。", source=_LAW),
    ToldRule(text="认为执法人员与检查有直接利害关系的，可以申请回避。", source=_LAW),
    ToldRule(text="有权进行陈述和申辩。", source=_LAW),
    ToldRule(text="对笔录有异议的，可以注明理由后拒绝签字。", source=_LAW),
    ToldRule(text="可以拨打监督电话核实或者投诉。", source=_LAW),
)
DUTIES: Final = (ToldRule(text="应当配合依法进行的检查，如实提供情况和材料，不得阻碍检查。", source=_LAW),)
PROHIBITIONS: Final = tuple(ToldRule(text=each.label, source=SOURCE) for each in Prohibition)


class VisitCapPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """入企检查频次上限 of one authority at one enterprise in a year; it counts routine inspections."""

    visits_a_year: int = 2
    source: str = "待核"


VISIT_CAP: Final = VisitCapPolicy()
