"""Rules of notice links: how long they lead somewhere, when they are over, how often an opening is recorded."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final

import msgspec

from domain.document.link.model import NoticeLink
from domain.document.model import Document
from domain.shared.clock import WORKING_ZONE
from domain.shared.errors import DomainError

_WHAT_TO_DO: Final = (
    "请核对短信或邮件中的链接是否完整；需要查看文书的，请登录智桂通“一码”企业空间，或者联系发送文书的单位。"
)


class LinkPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Terms of links. None is fixed by law: they only have to outlive what the paper asks for."""

    days_after_due: int = 60
    days: int = 90
    openings_a_day: int = 10


DEFAULT_POLICY: Final = LinkPolicy()


class NoticeLinkUnknown(DomainError):
    """No link of ours."""


class NoticeLinkOver(DomainError):
    """The link led somewhere once: it has expired or was revoked, or its paper was."""


class NoticeTicketOver(DomainError):
    """The PDF is handed out for a while after an opening; then the link is opened again."""


class LinkAlreadyRevoked(DomainError):
    """The link was revoked before."""


def expires_at(made_at: datetime, due_on: date | None, policy: LinkPolicy = DEFAULT_POLICY) -> datetime:
    """Until when a link leads to its paper: beyond what the paper asks for, where it asks for something by a day."""
    if due_on is None:
        return made_at + timedelta(days=policy.days)
    return max(until_after(due_on, policy), made_at + timedelta(days=policy.days_after_due))


def until_after(due_on: date, policy: LinkPolicy = DEFAULT_POLICY) -> datetime:
    """The end of the last day on which a paper with this term is to be found by its link."""
    return datetime.combine(due_on + timedelta(days=policy.days_after_due + 1), time.min, WORKING_ZONE)


def unknown() -> NoticeLinkUnknown:
    """No link of ours: told like one that is over, so that nobody learns which."""
    return NoticeLinkUnknown(_WHAT_TO_DO)


def require_usable(link: NoticeLink, document: Document, now: datetime) -> None:
    """Raises `NoticeLinkUnknown` for a paper of another enterprise, `NoticeLinkOver` when it leads nowhere any more."""
    if document.enterprise_id != link.enterprise_id:
        raise unknown()
    if link.revoked_at is not None or document.revoked_at is not None or now >= link.expires_at:
        raise NoticeLinkOver(_WHAT_TO_DO)


def delivered_at(link: NoticeLink, told: datetime, now: datetime) -> datetime:
    """When the message arrived, by the provider's clock as far as it can be true: not before it went, not in future."""
    return min(max(told, link.asked_at), now)
