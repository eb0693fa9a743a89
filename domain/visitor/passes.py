"""通行凭证 on the wire: signed by HMAC-SM3, kept nowhere. Whoever holds one may write until it is over.

The bytes are: format, key version, id (16), time of its end (8), verification id (16) and blind index of the phone
(32), zeros where there is none, tag (16); in base64url without padding.
"""

from __future__ import annotations

import base64
import binascii
import hmac as stdlib_hmac
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives import hashes, hmac

from domain.shared.ids import new_id
from domain.shared.keys import KeyPurpose, KeyRing
from domain.shared.random import Random
from domain.visitor.model import PASS_LIFETIME, CitizenPass
from domain.visitor.rules import PassRequired

_FORMAT: Final = 1
_INDEX: Final = 32
_TAG: Final = 16
_BODY: Final = 2 + 16 + 8 + 16 + _INDEX
_NOBODY: Final = UUID(int=0)
_LABEL: Final = b"yima/pass\x00"


class Passes:
    """Makes and reads passes."""

    def __init__(self, keys: KeyRing, random: Random) -> None:
        """Use the pass keys of `keys`, and `random` for ids."""
        self._version, _ = keys.current(KeyPurpose.PASS)
        self._macs = {version: hmac.HMAC(key, hashes.SM3()) for version, key in keys.all(KeyPurpose.PASS).items()}
        self._random = random

    def make(
        self, now: datetime, *, verification_id: UUID | None = None, phone_index: bytes | None = None
    ) -> CitizenPass:
        """A new pass, with a verified phone or without."""
        return CitizenPass(
            id=new_id(now, self._random),
            expires_at=now + PASS_LIFETIME,
            verification_id=verification_id,
            phone_index=phone_index,
        )

    def write(self, citizen: CitizenPass) -> str:
        """The pass as text."""
        body = (
            bytes([_FORMAT, self._version])
            + citizen.id.bytes
            + int(citizen.expires_at.timestamp()).to_bytes(8, "big")
            + (citizen.verification_id or _NOBODY).bytes
            + (citizen.phone_index or bytes(_INDEX))
        )
        return base64.urlsafe_b64encode(body + self._tag(self._version, body)).rstrip(b"=").decode()

    def read(self, text: str, now: datetime) -> CitizenPass:
        """The pass that is in force. Raises `PassRequired`."""
        citizen = self.recognise(text)
        if citizen is None or citizen.expires_at <= now:
            raise PassRequired("通行凭证无效或已过期，请重新获取。")
        return citizen

    def recognise(self, text: str) -> CitizenPass | None:
        """The pass that it is or was; None for what is not ours."""
        try:
            given = text.strip().encode("ascii")
            stored = base64.urlsafe_b64decode(given + b"=" * (-len(given) % 4))
        except (UnicodeEncodeError, binascii.Error, ValueError):
            return None
        body, tag = stored[:_BODY], stored[_BODY:]
        if len(stored) != _BODY + _TAG or body[0] != _FORMAT or body[1] not in self._macs:
            return None
        if not stdlib_hmac.compare_digest(self._tag(body[1], body), tag):
            return None
        verification_id, phone_index = UUID(bytes=body[26:42]), body[42:]
        is_verified = verification_id != _NOBODY
        return CitizenPass(
            id=UUID(bytes=body[2:18]),
            expires_at=datetime.fromtimestamp(int.from_bytes(body[18:26], "big"), UTC),
            verification_id=verification_id if is_verified else None,
            phone_index=phone_index if is_verified else None,
        )

    def _tag(self, version: int, body: bytes) -> bytes:
        mac = self._macs[version].copy()
        mac.update(_LABEL + body)
        return mac.finalize()[:_TAG]
