"""The port of SMS providers: the base logs and times each call, a provider fills in one method, two if it can."""

from __future__ import annotations

import enum
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from notifications.outcome import Accepted, Refused

_logger = logging.getLogger(__name__)


class OutgoingSms(msgspec.Struct, frozen=True, kw_only=True):
    """One SMS as a provider takes it: whole text with its signature, and the template's values for those who fill in
    the text themselves.

    `reference` comes back with every receipt. `number` is a mainland mobile of eleven digits.
    """

    reference: UUID
    number: str
    text: str
    template: str
    template_version: int
    values: Mapping[str, str]

    def __repr__(self) -> str:
        """Its reference alone: number and text must not come into a log."""
        return f"OutgoingSms({self.reference})"


class ReceiptState(enum.StrEnum):
    """What a receipt tells: `taken` by the provider or carrier, `delivered` to the phone, `failed` for good."""

    TAKEN = "taken"
    DELIVERED = "delivered"
    FAILED = "failed"


class ReceiptNote(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt as a provider told it: of which try, by our reference or by the provider's own, and its very code."""

    attempt_id: UUID | None
    provider: str
    provider_reference: str | None
    state: ReceiptState
    provider_status: str
    at: datetime


class Found(enum.StrEnum):
    """What a provider answers when asked for a message by our reference."""

    TAKEN = "taken"
    UNKNOWN_THERE = "unknown_there"
    CANNOT_TELL = "cannot_tell"


class SmsProvider(ABC):
    """A way to the carriers."""

    name: ClassVar[str]

    async def send(self, sms: OutgoingSms) -> Accepted:
        """Hand `sms` over. Raises `Refused`, and nothing else, when it was not taken or nobody knows."""
        begun = time.perf_counter()
        told = "accepted"
        try:
            return await self._hand_over(sms)
        except Refused as refused:
            told = str(refused)
            raise
        finally:
            _logger.info("sms %s by %s: %s in %.0f ms", sms.reference, self.name, told, _ms_since(begun))

    async def find(self, reference: UUID, number: str, sent_on: date) -> Found:
        """Whether the provider has taken the message of our `reference`; asked after a crash, before sending again."""
        begun = time.perf_counter()
        found = Found.CANNOT_TELL
        try:
            found = await self._find(reference, number, sent_on)
        except Refused as refused:
            _logger.warning("sms %s not looked up by %s: %s", reference, self.name, refused)
        _logger.info("sms %s by %s: %s in %.0f ms", reference, self.name, found.value, _ms_since(begun))
        return found

    def carries(self, template: str) -> bool:
        """Whether messages of this template can go this way at all; those who compose the text know only some."""
        del template
        return True

    @abstractmethod
    async def _hand_over(self, sms: OutgoingSms) -> Accepted: ...

    async def _find(self, reference: UUID, number: str, sent_on: date) -> Found:
        """A provider that keeps no register by our reference cannot tell."""
        del reference, number, sent_on
        return Found.CANNOT_TELL

    async def close(self) -> None:  # noqa: B027 - most drivers hold nothing
        """Let go of connections."""


def _ms_since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000
