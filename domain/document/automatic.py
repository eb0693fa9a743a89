"""自动填充值: what templates of each kind may ask for, and who fills one promises to give."""

from __future__ import annotations

from typing import Final

import msgspec

from domain.document.model import DocumentKind


class Automatic(msgspec.Struct, frozen=True, kw_only=True):
    """自动填充值: its name in a template, what it is, an example, and in which kinds of papers it is known."""

    name: str
    label: str
    sample: str
    kinds: frozenset[DocumentKind] = frozenset(DocumentKind)


_ORDER = frozenset({DocumentKind.RECTIFICATION_ORDER})
_NOTICE = frozenset({DocumentKind.INSPECTION_NOTICE})
_RECORD = frozenset({DocumentKind.INSPECTION_RECORD})
_RESULT = frozenset({DocumentKind.RESULT_NOTICE})
_VISITED = _ORDER | _RECORD | _RESULT

AUTOMATIC: Final[tuple[Automatic, ...]] = (
    Automatic(name="authority", label="机关全称", sample="南宁市市场监督管理局"),
    Automatic(name="party", label="当事人（检查对象）名称", sample="南宁邕江鲜面馆"),
    Automatic(name="uscc", label="统一社会信用代码", sample="92450103MA5NX7K42P"),
    Automatic(name="representative", label="法定代表人或负责人，不详为“／”", sample="覃小燕"),
    Automatic(name="address", label="经营场所地址", sample="南宁市青秀区民族大道131号"),
    Automatic(name="inspection_name", label="检查任务名称", sample="餐饮服务日常检查"),
    Automatic(name="inspection_kind", label="检查类型：日常、专项、个案", sample="日常检查"),
    Automatic(name="inspection_basis", label="检查依据", sample="年度行政检查计划（待核）"),
    Automatic(
        name="officers",
        label="执法人员姓名及执法证号，顿号分隔",
        sample="黄志强（4501000001）、陆小梅（4501000002）",
    ),
    Automatic(name="issued_on", label="文书日期", sample="2026-08-05"),
    Automatic(name="contact_person", label="联系人", sample="黄志强"),
    Automatic(name="contact_phone", label="联系电话", sample="0771-12345"),
    Automatic(name="authority_address", label="机关地址，不详为“／”", sample="／"),
    Automatic(name="inspected_on", label="检查日期", sample="2026-08-05", kinds=_VISITED),
    Automatic(name="notice_number", label="检查通知书文号", sample="南市监检通〔2026〕12号", kinds=_VISITED),
    Automatic(name="inspection_source", label="检查来源", sample="年度检查计划", kinds=_NOTICE),
    Automatic(name="inspection_mode", label="检查方式：现场、非现场", sample="现场检查", kinds=_NOTICE),
    Automatic(
        name="inspection_items", label="检查内容概述", sample="食品经营许可、从业人员健康、进货查验等", kinds=_NOTICE
    ),
    Automatic(name="starts_on", label="检查开始日期", sample="2026-08-03", kinds=_NOTICE),
    Automatic(name="ends_on", label="检查结束日期", sample="2026-08-20", kinds=_NOTICE),
    Automatic(name="assistants", label="协助检查人员，无则为“无”", sample="无", kinds=_NOTICE),
    Automatic(name="approval", label="批准人及批准时间", sample="莫局长，2026年8月2日", kinds=_NOTICE),
    Automatic(
        name="facts",
        label="查明的事实，每项一行",
        sample="1．后厨冷藏柜内生熟食品混放。\n2．未能提供大米的进货查验记录。",
        kinds=_ORDER,
    ),
    Automatic(name="clauses", label="违反的规定，每条一行", sample="《示例规定》第×条（待核）", kinds=_ORDER),
    Automatic(
        name="demands",
        label="责令改正的事项、要求和期限，每项一行",
        sample="1．生熟食品分开存放，立即改正。\n2．补齐进货查验记录，于2026年8月15日前改正。",
        kinds=_ORDER,
    ),
    Automatic(name="term", label="改正期限：立即，或于某日前", sample="于2026年8月15日前", kinds=_ORDER),
    Automatic(name="outcome", label="检查结论", sample="发现问题已责令改正", kinds=_RESULT),
    Automatic(name="findings", label="发现的问题，每项一行；无则“未发现问题。”", sample="未发现问题。", kinds=_RESULT),
    Automatic(name="follow_up", label="处理措施和后续要求，每项一行；没有则为“无”", sample="无", kinds=_RESULT),
    Automatic(name="publication", label="公开安排", sample="检查结果将依法向社会公开。", kinds=_RESULT),
)
"""Every value that a template may ask for; who fills a template of a kind gives all of that kind's."""


def automatic_of(kind: DocumentKind) -> list[Automatic]:
    """The values known for papers of `kind`."""
    return [each for each in AUTOMATIC if kind in each.kinds]


def samples_of(kind: DocumentKind) -> dict[str, str]:
    """Sample values for a preview."""
    return {each.name: each.sample for each in automatic_of(kind)}
