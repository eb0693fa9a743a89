"""Pages of feedback: form, receipt, and what became of it."""

from __future__ import annotations

from uuid import UUID

import msgspec

from api import pages
from domain.feedback.model import About, FeedbackKind, FeedbackReceipt, FeedbackStatus, Subject
from domain.shared.errors import DomainError


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What the form says, or begins with."""

    about: About
    about_id: UUID
    item_code: str | None
    pass_: str
    key: str
    kind: str = ""
    text: str = ""


def render_form(subject: Subject, sent: Sent, *, fault: DomainError | None = None) -> bytes:
    """提意见."""
    return pages.render("feedback_form.html", subject=subject, sent=sent, kinds=list(FeedbackKind), fault=fault)


def render_receipt(subject: Subject, receipt: FeedbackReceipt) -> bytes:
    """回执, which prints well."""
    return pages.render("feedback_receipt.html", subject=subject, receipt=receipt)


def render_follow_up(
    *, code: str = "", status: FeedbackStatus | None = None, fault: DomainError | None = None
) -> bytes:
    """查询."""
    return pages.render("feedback_follow_up.html", code=code, status=status, fault=fault)
