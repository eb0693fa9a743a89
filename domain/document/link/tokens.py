"""The token of a notice link: 11 characters that name a link and prove that we made it.

    TOKEN = base64url(number: 5 random bytes | HMAC-SM3 over what it is for and the number: 3 bytes)

A forged or mistyped one is recognised without a look into the database, and who reads the database cannot write one.
The last character is never - or _ (two of its bits are always zero), so that no phone cuts the link short.
A ticket lets whoever opened a link fetch the paper itself for a short while.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives import hashes, hmac

from domain.shared.keys import KeyPurpose, KeyRing

TOKEN_LENGTH: Final = 11
NUMBER_BYTES: Final = 5
TICKET_LIFETIME: Final = timedelta(minutes=30)
_TAG: Final = 3
_TICKET_TAG: Final = 12
_UNTIL: Final = 5
_FOR_LINK: Final = b"yima/notice link\x00"
_FOR_TICKET: Final = b"yima/notice ticket\x00"
_TOKEN: Final = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")
_TICKET: Final = re.compile(r"[A-Za-z0-9_-]{23}")


def write_token(keys: KeyRing, number: bytes) -> str:
    """The token of link `number`, under the current key."""
    _, key = keys.current(KeyPurpose.LINK)
    return _spell(number + _tag(key, _FOR_LINK + number)[:_TAG])


def read_token(keys: KeyRing, text: str) -> bytes | None:
    """The number of a token that is ours, under any key that still verifies; None for anything else."""
    if not _TOKEN.fullmatch(text):
        return None
    raw = base64.urlsafe_b64decode(text + "=")
    number, tag = raw[:NUMBER_BYTES], raw[NUMBER_BYTES:]
    if _spell(raw) != text:  # another spelling of the same bytes
        return None
    is_ours = keys.verify(KeyPurpose.LINK, tag, lambda key: _tag(key, _FOR_LINK + number)[:_TAG])
    return number if is_ours else None


def write_ticket(keys: KeyRing, number: bytes, now: datetime) -> str:
    """What lets its holder fetch the paper behind link `number` for half an hour."""
    _, key = keys.current(KeyPurpose.LINK)
    until = int((now + TICKET_LIFETIME).timestamp()).to_bytes(_UNTIL, "big")
    return _spell(until + _tag(key, _FOR_TICKET + number + until)[:_TICKET_TAG])


def admits(keys: KeyRing, number: bytes, ticket: str, now: datetime) -> bool:
    """Whether `ticket` is one of ours for link `number`, and not over."""
    return admits_until(keys, number, ticket, now) is not None


def admits_until(keys: KeyRing, number: bytes, ticket: str, now: datetime) -> datetime | None:
    """Until when `ticket` lets its holder fetch the paper behind link `number`; None for one that does not."""
    if not _TICKET.fullmatch(ticket):
        return None
    raw = base64.urlsafe_b64decode(ticket + "=")
    until, tag = raw[:_UNTIL], raw[_UNTIL:]
    message = _FOR_TICKET + number + until
    is_ours = keys.verify(KeyPurpose.LINK, tag, lambda key: _tag(key, message)[:_TICKET_TAG])
    end = datetime.fromtimestamp(int.from_bytes(until, "big"), UTC) if is_ours else now
    return end if now < end else None


def _spell(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _tag(key: bytes, message: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SM3())
    mac.update(message)
    return mac.finalize()
