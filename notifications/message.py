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


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message to be; `parameters` fill the template and hold no personal data."""

    template: str
    channel: Channel
    recipient: Recipient
    recipient_id: UUID
    parameters: dict[str, str]
