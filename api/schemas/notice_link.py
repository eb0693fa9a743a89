"""A paper as its link shows it to who holds it, and the links of a paper as the office sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from domain.document.link.model import LinkCard, NoticeLink, Sender
from domain.document.model import Document, DocumentKind, DocumentState
from domain.document.templates import chinese_date
from domain.rectification.model import Order, OrderedItem, OrderState

_SERVES = "电子送达：你单位已书面确认电子送达地址，本文书按确认的地址发送，到达之日即为送达日期。"
_NOT_SERVED = "本页面供你单位查阅，不算送达；文书会按法定方式另行送达，如当面送交、邮寄。"
_ANSWER = {
    OrderState.TO_RECTIFY: (
        "请在期限前改正，并登录智桂通“一码”企业空间逐项反馈改正情况；确需延期的，在期限届满前可以申请一次。"
        "不便上网的，请联系发送文书的单位。"
    ),
    OrderState.FED_BACK: "你单位已反馈改正情况，请等待复查。",
    OrderState.RECTIFIED: "复查已通过，该通知书已办结。",
    OrderState.TRANSFERRED: "该事项已移交处理，请与发送文书的单位联系。",
    OrderState.REVOKED: "该通知书已撤销。",
}
_READ = "请查看文书全文。"
_RIGHTS = "陈述申辩、申请行政复议和提起行政诉讼的权利与期限，以文书全文为准。"


class NoticeItem(msgspec.Struct, frozen=True, kw_only=True):
    """整改事项 as its addressee reads it; no `due_on`: at once (立即改正)."""

    title: str
    facts: str
    demand: str
    due_on: date | None


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    """文书 behind a short link. `due_on`, `state` and `items` of a 责令改正通知书 alone.

    `paper_path` leads to the PDF until `paper_until`; None while the PDF is being made.
    """

    kind: DocumentKind
    kind_label: str
    number: str | None
    department_name: str
    party: str
    issued_on: date
    due_on: date | None
    state: OrderState | None
    items: list[NoticeItem]
    service_note: str
    how_to_answer: str
    rights: str
    hotline: str | None
    verification_path: str
    paper_path: str | None
    paper_until: datetime | None


class LinkList(msgspec.Struct, frozen=True, kw_only=True):
    """短链接 of one paper, in the order in which their messages went."""

    items: list[LinkCard]


class RevokeLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the link is to lead nowhere any more."""

    reason: str


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Where the PDF is fetched, and until when."""

    path: str
    until: datetime


def to_view(
    link: NoticeLink, document: Document, sender: Sender, order: Order | None, items: Sequence[OrderedItem], to: Ticket
) -> NoticeView:
    """The paper as its link shows it."""
    is_there = document.state is DocumentState.RENDERED
    return NoticeView(
        kind=document.kind,
        kind_label=document.kind.label,
        number=document.number,
        department_name=sender.name,
        party=document.enterprise_name,
        issued_on=document.issued_on,
        due_on=None if order is None else order.due_on,
        state=None if order is None else order.state,
        items=[
            NoticeItem(title=each.title, facts=each.facts, demand=each.demand, due_on=each.due_on) for each in items
        ],
        service_note=_service_note(link, order),
        how_to_answer=_READ if order is None else _ANSWER[order.state],
        rights=_RIGHTS,
        hotline=sender.hotline,
        verification_path=f"/v/{document.verification_code}",
        paper_path=to.path if is_there else None,
        paper_until=to.until if is_there else None,
    )


def _service_note(link: NoticeLink, order: Order | None) -> str:
    """Whether the paper counts as served: by the service on record, else by what its message may do."""
    if order is not None and order.served_on is not None:
        return f"已于{chinese_date(order.served_on)}依法送达。"
    return _SERVES if link.serves else _NOT_SERVED
