"""退信: the address to which a mail comes back, and what is done with what came there.

    bounce+<reference, 26 characters of base32>.<MAC, 16 characters>@<domain>

Mail comes back to the sender's address of the envelope (VERP). The MAC keeps anybody from declaring mail undelivered,
or a mailbox dead, that is not: a report tells nothing else that can be believed. Base32, for servers fold capitals.
"""

from __future__ import annotations

import asyncio
import base64
import enum
import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, hmac

from api.address_blocks import KnownAddress, set_block
from api.delivery.receipts import take_receipts
from api.register import INSTALLATION
from api.wiring import Parts
from domain.shared.errors import DomainError
from domain.shared.keys import KeyPurpose, KeyRing
from domain.shared.sql import Query
from domain.shared.transaction import Outcome, Transaction
from notifications.blocks import BlockKind
from notifications.mail.access import MailAccess
from notifications.mail.bounce import BounceReport, read_report
from notifications.mail.smtp import SmtpSender
from notifications.message import Channel
from notifications.sms.port import ReceiptNote, ReceiptState
from notifications.tables import message_attempt

_FOR_BOUNCE: Final = b"yima/mail bounce\x00"
_MAC_BYTES: Final = 10
_LOCAL: Final = re.compile(r"bounce\+([a-z2-7]{26})\.([a-z2-7]{16})")


class MailSecretWrong(DomainError):
    """Whoever hands back mail does not know the secret that was agreed with the mail server."""


class ReportUnreadable(DomainError):
    """What came is no mail."""


class ReportNotOurs(DomainError):
    """The report came to no address that we have given out."""


class BounceOutcome(enum.StrEnum):
    """What became of a report: `noted` with the message, or `ignored` for it says nothing final."""

    NOTED = "noted"
    IGNORED = "ignored"


class _Address(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a try to send, as blocks know it."""

    channel: Channel
    address_index: bytes | None
    address_masked: str | None


_ADDRESS_OF_TRY = Query(
    sa.select(message_attempt.c.channel, message_attempt.c.address_index, message_attempt.c.address_masked).where(
        message_attempt.c.id == sa.bindparam("attempt_id")
    ),
    _Address,
)


def open_mail_sender(access: MailAccess, parts: Parts) -> SmtpSender:
    """The sender of mail, whose envelopes lead back here."""
    return SmtpSender(
        access,
        envelope_of=lambda reference: bounce_address(parts.keys, access.returns_to, reference),
        clock=parts.clock,
    )


def bounce_address(keys: KeyRing, domain: str, reference: UUID) -> str:
    """Where a mail of `reference` comes back to."""
    _, key = keys.current(KeyPurpose.RECEIPT)
    return f"bounce+{_spell(reference.bytes)}.{_spell(_mac(key, reference))}@{domain}"


def reference_of(keys: KeyRing, domain: str, addresses: Iterable[str]) -> UUID | None:
    """The reference in the first of `addresses` that is one of ours, under any key that still verifies."""
    for address in addresses:
        local, _, host = address.strip().lower().rpartition("@")
        found = _LOCAL.fullmatch(local)
        if found is None or host != domain.lower():
            continue
        reference, mac = UUID(bytes=_read(found[1])), _read(found[2])
        if keys.verify(KeyPurpose.RECEIPT, mac, lambda key, reference=reference: _mac(key, reference)):
            return reference
    return None


async def take_report(parts: Parts, access: MailAccess, raw: bytes, recipient: str | None = None) -> BounceOutcome:
    """Note with its message what `raw` reports; `recipient` is the address to which it came, where the server tells.

    A mailbox that does not exist gets no more mail. A report may come any number of times. Raises `ReportUnreadable`
    and `ReportNotOurs`.
    """
    report = await asyncio.to_thread(read_report, raw)  # whatever stands in it holds up nobody else
    if report is None:
        raise ReportUnreadable("内容不是邮件，无法识别。")
    reference = reference_of(parts.keys, access.returns_to, (*((recipient,) if recipient else ()), *report.sent_to))
    if reference is None:
        raise ReportNotOurs("收件地址不是本系统发出的退信地址。")
    if report.state is None:
        return BounceOutcome.IGNORED
    taken = await take_receipts(parts, [_note(reference, report, report.state, parts)])
    if taken and report.is_no_address:
        await parts.work.run(INSTALLATION, lambda tx: _block(tx, reference, report.status))
    return BounceOutcome.NOTED if taken else BounceOutcome.IGNORED


def _note(reference: UUID, report: BounceReport, state: ReceiptState, parts: Parts) -> ReceiptNote:
    return ReceiptNote(
        attempt_id=reference,
        provider=SmtpSender.name,
        provider_reference=None,
        state=state,
        provider_status=report.status or state.value,
        at=parts.clock(),
    )


async def _block(tx: Transaction, attempt_id: UUID, status: str) -> Outcome[None]:
    address = await _ADDRESS_OF_TRY.first(tx.connection, attempt_id=attempt_id)
    if address is None or address.channel is not Channel.EMAIL or address.address_index is None:
        return Outcome(answer=None)
    known = KnownAddress(index=address.address_index, masked=address.address_masked or "***")
    stands = await set_block(tx, Channel.EMAIL, known, BlockKind.BOUNCED, note=f"退信 {status}")
    return Outcome(answer=None, events=stands.events)


def _mac(key: bytes, reference: UUID) -> bytes:
    mac = hmac.HMAC(key, hashes.SM3())
    mac.update(_FOR_BOUNCE + reference.bytes)
    return mac.finalize()[:_MAC_BYTES]


def _spell(raw: bytes) -> str:
    return base64.b32encode(raw).rstrip(b"=").decode("ascii").lower()


def _read(text: str) -> bytes:
    return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
