"""送达信息: what was sent of a paper, and what is known of it, as the file of the matter shows it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class NoticeTry(msgspec.Struct, frozen=True, kw_only=True):
    """One try to hand the message to a provider; `reason` in Chinese where it was not taken."""

    number: int
    provider: str
    state: str
    began_at: datetime
    ended_at: datetime | None
    reason: str | None


class NoticeReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """回执 of the provider: `at` by its clock, `received_at` by ours."""

    number: int
    state: str
    at: datetime
    received_at: datetime


class NoticeMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message about a paper, from the act that wrote it to the openings of its link.

    `address` is masked; `is_notice`: it is the paper's own, sent under consent, and not a reminder.
    """

    id: UUID
    title: str
    channel: str
    is_notice: bool
    state: str
    state_label: str
    address: str | None
    written_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    reason: str | None
    tries: list[NoticeTry]
    receipts: list[NoticeReceipt]
    openings: list[datetime]
