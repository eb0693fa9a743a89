"""A message as an act writes it: to whom (by id), by which channel, with which template's values."""

from __future__ import annotations

import enum
from uuid import UUID

import msgspec


class Channel(enum.StrEnum):
    """How a message travels."""

    SMS = "sms"
    EMAIL = "email"
    IN_APP = "in_app"


class Recipient(enum.StrEnum):
    """What kind of thing the recipient's id names."""

    ENTERPRISE = "enterprise"
    DEPARTMENT_LEADS = "department_leads"
    COMPLAINANT = "complainant"
    INFORMANT = "informant"
    PHONE_VERIFICATION = "phone_verification"
    ENTERPRISE_MEMBER = "enterprise_member"
    ACCOUNT = "account"
    OFFICER = "officer"
    SUBSCRIPTION = "subscription"


NAMELESS = frozenset({Recipient.COMPLAINANT, Recipient.INFORMANT})
"""Whose numbers nothing unsealed tells a digit of: seven of eleven and the day would be enough to find somebody."""


class Purpose(enum.StrEnum):
    """What a message is for. A template has one; whether it may wait, be capped or be declined follows from it."""

    LEGAL_NOTICE = "legal_notice"
    VERIFICATION = "verification"
    SERVICE = "service"
    WARNING = "warning"
    REMINDER = "reminder"
    DIGEST = "digest"


class MessageState(enum.StrEnum):
    """发送状态: where a message stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    ABANDONED = "abandoned"

    @property
    def label(self) -> str:
        """The state's Chinese name."""
        return _STATE_LABELS[self]


_STATE_LABELS = {
    MessageState.WAITING: "待发送",
    MessageState.SENDING: "发送中",
    MessageState.SENT: "已发送",
    MessageState.DELIVERED: "已送达",
    MessageState.FAILED: "未送达",
    MessageState.ABANDONED: "已放弃",
}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message to be; `parameters` fill the template and hold no personal data.

    `subject` and `subject_id` say what it is about (a trace's words: `rectification_order` and its id), so that the
    file of that thing shows it. A to-do stays open until its subject is dealt with. `level` 4 to 1 is blue to red
    (D13). `site_id` is the site that it concerns where its event tells none: a branch's people read of no other.
    """

    template: str
    channel: Channel
    recipient: Recipient
    recipient_id: UUID
    parameters: dict[str, str]
    subject: str | None = None
    subject_id: UUID | None = None
    is_to_do: bool = False
    level: int | None = None
    site_id: UUID | None = None
