"""Values of notice links: what leads to one paper without an account, and what is known of its way."""

from __future__ import annotations

import enum
from datetime import date, datetime
from uuid import UUID

import msgspec


class LinkMeans(enum.StrEnum):
    """How the message that carries a link travels."""

    SMS = "sms"
    EMAIL = "email"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return "短信" if self is LinkMeans.SMS else "电子邮件"


class LinkOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A link to be: to which paper, for which enterprise, in which message.

    `serves`: the message is the paper's own, sent under the party's consent, and not a reminder of it. `due_on` is the
    day by which the paper asks for something.
    """

    document_id: UUID
    enterprise_id: UUID
    message_id: UUID
    means: LinkMeans
    serves: bool
    due_on: date | None = None


class NoticeLink(msgspec.Struct, frozen=True, kw_only=True):
    """短链接 as it stands. `asked_at`: when its message was last about to be sent."""

    id: UUID
    number: bytes
    document_id: UUID
    enterprise_id: UUID
    message_id: UUID
    means: LinkMeans
    serves: bool
    made_at: datetime
    asked_at: datetime
    expires_at: datetime
    delivered_at: datetime | None
    revoked_at: datetime | None
    revoke_reason: str | None


class LinkCard(msgspec.Struct, frozen=True, kw_only=True):
    """短链接 as the office sees it: never the link itself."""

    id: UUID
    document_id: UUID
    message_id: UUID
    means: LinkMeans
    serves: bool
    made_at: datetime
    expires_at: datetime
    delivered_at: datetime | None
    revoked_at: datetime | None
    revoke_reason: str | None
    openings: int
    first_opened_at: datetime | None
    last_opened_at: datetime | None


class Opener(msgspec.Struct, frozen=True, kw_only=True):
    """Who opens a link, as keyed digests: from which network, with what device."""

    address: bytes
    device: bytes | None


class StoredOpening(msgspec.Struct, frozen=True, kw_only=True):
    """打开记录: when, and by which message's link."""

    message_id: UUID
    opened_at: datetime


class RevokedLink(msgspec.Struct, frozen=True, kw_only=True):
    """短链接作废."""

    id: UUID
    document_id: UUID
    revoked_at: datetime


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """发送单位: whose paper it is, and whom to ask."""

    name: str
    hotline: str | None
