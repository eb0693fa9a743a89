"""What a short link opens in a browser: who sent which paper, then the paper; large type, no JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api import pages
from api.schemas.notice_link import NoticeView
from domain.document.link.model import Sender
from domain.document.model import Document
from domain.document.templates import chinese_date
from domain.rectification.model import OrderState

HEADERS: Final[Mapping[str, str]] = {
    **pages.HEADERS,
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
"""Nothing of it is kept, found or told on: who has the address has the paper."""


def render_envelope(token: str, document: Document, sender: Sender) -> bytes:
    """Who sent what kind of paper, and the button that opens it."""
    return pages.render("notice_envelope.html", elder=True, token=token, kind=document.kind.label, sender=sender)


def render_notice(view: NoticeView) -> bytes:
    """The paper in plain words, and where its PDF is."""
    facts = [
        ("文号", view.number),
        ("发送单位", view.department_name),
        ("当事人", view.party),
        ("签发日期", chinese_date(view.issued_on)),
        ("改正期限", None if view.due_on is None else f"{chinese_date(view.due_on)}前（含当日）"),
        ("送达", view.service_note),
    ]
    return pages.render(
        "notice.html",
        elder=True,
        view=view,
        demand=_demand(view),
        facts=[(name, value) for name, value in facts if value],
        day=chinese_date,
    )


def _demand(view: NoticeView) -> str | None:
    """What is still to be done and until when; the last day counts."""
    if view.state is not OrderState.TO_RECTIFY or view.due_on is None:
        return None
    return f"请在{chinese_date(view.due_on)}前改正（含当日）。"


def render_refusal(heading: str, detail: str, again: str | None = None) -> bytes:
    """A link that leads nowhere, or not now; `again` is where to open it once more."""
    return pages.render("notice_refusal.html", elder=True, heading=heading, detail=detail, again=again)
