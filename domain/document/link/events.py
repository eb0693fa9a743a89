"""What happens to notice links, told of the paper that they lead to."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class _LinkEvent(Event, frozen=True, kw_only=True):
    """`subject_id` is the document's id."""

    business: ClassVar[str] = "文书送达"
    power: ClassVar[str] = "行政检查权"
    subject: ClassVar[str] = "document"

    enterprise_id: UUID


class OpeningFacts(msgspec.Struct, frozen=True, kw_only=True):
    """打开: of which message's link; address and device as keyed digests, in hexadecimal."""

    link_id: UUID
    message_id: UUID
    means: str
    opened_at: datetime
    address: str
    device: str | None


class NoticeOpened(_LinkEvent, frozen=True, kw_only=True):
    """文书链接打开: evidence of receipt; by itself it serves nothing (one-code.md, Service)."""

    power: ClassVar[str] = "监管对象"
    duty: ClassVar[str] = "文书查阅"
    action: ClassVar[str] = "document.notice_opened"

    before: None = None
    after: OpeningFacts


class DeliveryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """回执: the message arrived, and when it had been handed over. `serves`: it was sent under consent."""

    link_id: UUID
    message_id: UUID
    means: str
    serves: bool
    sent_at: datetime
    delivered_at: datetime


class NoticeDelivered(_LinkEvent, frozen=True, kw_only=True):
    """文书送达回执: its provider says that the message with the paper has arrived.

    `about_id` is what the paper is about: an order's id.
    """

    duty: ClassVar[str] = "文书送达回执"
    action: ClassVar[str] = "document.notice_delivered"

    before: None = None
    after: DeliveryFacts
    document_kind: str
    about_id: UUID


class LinkRevocationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Why a link leads nowhere any more."""

    link_id: UUID
    reason: str


class NoticeLinkRevoked(_LinkEvent, frozen=True, kw_only=True):
    """短链接作废."""

    duty: ClassVar[str] = "文书链接作废"
    action: ClassVar[str] = "document.notice_link_revoked"

    before: None = None
    after: LinkRevocationFacts
