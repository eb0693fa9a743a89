"""Delivery of one message by a driver of its channel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from notifications.message import Channel
from notifications.outbox import StoredMessage

ATTEMPTS = 8
"""After so many failures a message is given up, visibly."""

SEGMENT = 70
"""Characters of one SMS; a longer one is split into parts of 67, each paid for."""

_TEXTS: Mapping[str, str | tuple[str, ...]] = {
    "arrival": (
        "【{department}】{officers}名执法人员已到你单位，检查通知书{notice}。请扫执法人员码核验；不亮证可拒绝检查。监督{hotline}"
    ),
    # Of several texts an SMS takes the first that is one segment, anything else the first.
    "order_issued": (
        "【{department}】你单位收到责令改正通知书({number}),{due}改正。查看 {link}",
        "【{department}】你单位收到责令改正通知书({sequence}号),{due}改正。查看 {bare_link}",
        "【{department}】责令改正通知书{sequence}号,{due}改正:{bare_link}",
    ),
    "order_issued_reminder": (
        (
            "【{department}】责令改正通知书({sequence}号)纸质件另行送达,{due}改正。"
            "本短信仅作提醒,可在智桂通核对,核实电话{hotline}"
        ),
        "【{department}】责令改正通知书({sequence}号)纸质件另行送达,{due}改正。本短信仅作提醒,核实电话{hotline}",
    ),
    "phone_code": "【一码】验证码{code}，{minutes}分钟内有效，用于核验手机号码。请勿告诉他人；非本人操作请忽略。",
    "grievance_filed": "【{department}】您的{matter}已收到，{due}前告知是否受理。请凭回执上的查询码查询进度。",
    "grievance_accepted": "【{department}】您的{matter}已受理，{due}前答复。请凭回执上的查询码查询进度。",
    "grievance_declined": "【{department}】您的{matter}不予受理，原因请凭回执上的查询码查看。",
    "grievance_not_handled": "【{department}】您的{matter}已终止办理，原因请凭回执上的查询码查看。",
    "grievance_answered": ("【{department}】您的{matter}已答复，请凭查询码查看；如不满意，15日内可申请重新办理一次。"),
    "grievance_due_soon": "{matter}即将到期：{grievance_id}（{term}{due}），请及时办理。",
    "grievance_overdue": "{matter}已超期：{grievance_id}（{term}{due}），请立即办理。",
    "self_inspection_due": "本季度企业自查尚未完成，请在{due}前完成。自查发现的一般隐患由企业自行整改。",
    "hazard_overdue": "【企业自查】你单位有1项自查隐患已超过整改期限{days}天，请尽快处理，并在企业空间登记处理结果。",
    "hazard_escalated": "重大隐患上报：隐患{hazard_id}已上报，请在重大隐患清单中查看。",
    "task_assigned": "{department}交办任务“{task}”，请在{due}前填写反馈。",
    "member_invitation": (
        "【一码】{enterprise}邀请你加入企业空间({post}),{days}日内用本机号登录智桂通一码即加入;非本人请忽略",
        "【一码】你所在企业邀请你加入企业空间({post}),{days}日内用本机号登录智桂通一码即加入;非本人请忽略",
    ),
    "rectification_fed_back": "整改反馈：企业已反馈责令改正通知书{number}的整改情况，请安排复查。",
    "extension_requested": "延期申请：企业申请延长责令改正通知书{number}的整改期限，请审批。",
    "extension_decided": "【一码】你单位关于责令改正通知书({sequence}号)的延期申请{decision},请于{due}前改正。",
    "order_re_inspected": "【一码】责令改正通知书({sequence}号){result}。详情请在企业空间查看。",
    "expiring": "【一码】你单位的{name}有效期至{day}，请及时办理延续，并在企业空间更新。",
    "expired": "【一码】你单位的{name}已于{day}到期，请尽快办理，并在企业空间更新。",
    "identification_refused": "亮证告知：检查任务{inspection}的被检查方{refusal}，请立即核实。",
    "request_submitted": "企业诉求：诉求{request}待办理，请在{due}前答复。",
    "request_answered": "你单位的诉求已答复，请在企业空间查看。",
    "request_returned": "你单位的诉求需要补充材料，请在企业空间查看。",
    "objection_filed": "结果异议：异议{objection}待处理，请在{due}前由未参加检查的人员处理。",
    "objection_decided": "你单位提出的结果异议已处理，处理结论和理由请在企业空间查看。",
    "position_in_doubt": "位置待核：检查任务{inspection_id}的报到位置存疑（{flags}），请核实。",
}


class Undeliverable(Exception):
    """The driver could not hand the message over; it may be tried again."""


class Driver(Protocol):
    """Hands a message over, or raises `Undeliverable`."""

    async def send(self, message: StoredMessage, text: str) -> None:
        """Hand `text` over to the message's recipient."""
        ...


def compose(message: StoredMessage, known: Mapping[str, str] | None = None) -> str:
    """The message's text, out of its own parameters and of what was `known` only once it was committed.

    KeyError for a template or parameter that does not exist: a defect of ours.
    """
    texts = _TEXTS[message.template]
    parameters = {**message.parameters, **(known or {})}
    composed = [text.format_map(parameters) for text in ((texts,) if isinstance(texts, str) else texts)]
    if message.channel is not Channel.SMS:
        return composed[0]
    return next((text for text in composed if len(text) <= SEGMENT), composed[-1])


class LogDriver:
    """Writes messages to a file instead of sending them: what an installation without a gateway has."""

    def __init__(self, path: Path) -> None:
        """Append to `path`, one JSON line a message."""
        self._path = path

    async def send(self, message: StoredMessage, text: str) -> None:
        """Append the line; the recipient stands there by id."""
        line = {
            "id": str(message.id),
            "channel": message.channel,
            "recipient": f"{message.recipient}/{message.recipient_id}",
            "text": text,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def driver_of(drivers: Mapping[Channel, Driver], message: StoredMessage) -> Driver:
    """The driver of the message's channel. KeyError when none is set up."""
    return drivers[message.channel]
