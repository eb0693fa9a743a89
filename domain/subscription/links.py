"""Links of subscriptions: signed by HMAC-SM3, kept nowhere. Whoever holds one may do what it is for, and no more.

A long one, for mails, is: what it is for, key version, id (16), tag (12); 40 characters of base64url. A short one, for
an SMS, is the number of a digest (6) and a tag (2), 11 characters, and opens that digest's page for thirty days: among
2^64 nobody finds one of some millions by guessing, and wrong ones are counted by address.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hmac as stdlib_hmac
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives import hashes, hmac

from domain.shared.keys import KeyPurpose, KeyRing
from domain.subscription.rules import SubscriptionLinkUnknown

NUMBER_BYTES: Final = 6
_BODY: Final = 18
_TAG: Final = 12
_SHORT_TAG: Final = 2


class LinkPurpose(enum.IntEnum):
    """确认, 管理与退订."""

    CONFIRM = 1
    MANAGE = 2


class SubscriptionLinks:
    """Makes and reads the links."""

    def __init__(self, keys: KeyRing) -> None:
        """Use the link keys of `keys`."""
        self._version, _ = keys.current(KeyPurpose.LINK)
        self._macs = {version: hmac.HMAC(key, hashes.SM3()) for version, key in keys.all(KeyPurpose.LINK).items()}

    def write(self, purpose: LinkPurpose, named: UUID) -> str:
        """A link to confirm the subscription, or to manage all of the subscriber, of that id."""
        body = bytes([purpose, self._version]) + named.bytes
        return _encode(body + self._tag(self._version, b"yima/subscription\x00" + body)[:_TAG])

    def read(self, purpose: LinkPurpose, text: str) -> UUID:
        """The id that a link names. Raises `SubscriptionLinkUnknown` for one that is not ours or for something else."""
        given = _decode(text)
        body, tag = given[:_BODY], given[_BODY:]
        if len(given) != _BODY + _TAG or body[0] != purpose or body[1] not in self._macs:
            raise SubscriptionLinkUnknown
        if not stdlib_hmac.compare_digest(self._tag(body[1], b"yima/subscription\x00" + body)[:_TAG], tag):
            raise SubscriptionLinkUnknown
        return UUID(bytes=body[2:])

    def write_short(self, number: bytes) -> str:
        """The link to the digest of that number."""
        return _encode(number + self._short_tag(self._version, number))

    def read_short(self, text: str) -> bytes:
        """The number of a digest. Raises `SubscriptionLinkUnknown`."""
        given = _decode(text)
        number, tag = given[:NUMBER_BYTES], given[NUMBER_BYTES:]
        # Room for a key version there is none: each key that still verifies is tried.
        known = [stdlib_hmac.compare_digest(self._short_tag(version, number), tag) for version in self._macs]
        if len(given) != NUMBER_BYTES + _SHORT_TAG or not any(known):
            raise SubscriptionLinkUnknown
        return number

    def _short_tag(self, version: int, number: bytes) -> bytes:
        return self._tag(version, b"yima/digest\x00" + number)[:_SHORT_TAG]

    def _tag(self, version: int, signed: bytes) -> bytes:
        mac = self._macs[version].copy()
        mac.update(signed)
        return mac.finalize()


def _encode(stored: bytes) -> str:
    return base64.urlsafe_b64encode(stored).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        given = text.strip().encode("ascii")
        stored = base64.urlsafe_b64decode(given + b"=" * (-len(given) % 4))
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return b""
    # Bits that carry nothing could be changed unseen: one link has one spelling.
    return stored if _encode(stored) == text.strip() else b""
