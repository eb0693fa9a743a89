"""The port of outgoing mail."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

import msgspec

from notifications.outcome import Accepted


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a mail."""

    name: str
    media_type: str
    content: bytes


class OutgoingMail(msgspec.Struct, frozen=True, kw_only=True):
    """One mail: subject and body as text and as HTML. What bounces comes back with `reference`.

    `unsubscribe` is the address that ends a subscription by one click (RFC 8058).
    """

    reference: UUID
    address: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()
    unsubscribe: str | None = None

    def __repr__(self) -> str:
        """Its reference alone: address and text must not come into a log."""
        return f"OutgoingMail({self.reference})"


class MailSender(Protocol):
    """A way to people's mailboxes."""

    @property
    def name(self) -> str:
        """By which its turns and its health are known."""
        ...

    async def send(self, mail: OutgoingMail) -> Accepted:
        """Hand `mail` over. Raises `Refused`, and nothing else, when it was not taken or nobody knows."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
