"""Access and refresh tokens, both under HMAC-SM3.

An access token is a JWT that carries the principal. A refresh token names a session and a generation; the same
generation always gives the same token, so that asking twice for the successor gives one successor.
"""

from __future__ import annotations

import base64
import binascii
import hmac as stdlib_hmac
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

import jwt
import msgspec
from cryptography.hazmat.primitives import hashes, hmac
from jwt.algorithms import Algorithm

from domain.identity.model import Principal
from domain.identity.rules import ACCESS_LIFETIME
from domain.shared.errors import DomainError
from domain.shared.keys import KeyPurpose, KeyRing

_ALGORITHM = "HSM3"
_TAG = 16
_REFRESH_BYTES = 1 + 16 + 4 + _TAG


class TokenInvalid(DomainError):
    """The access or refresh token is not one of ours, or was changed."""


class TokenExpired(DomainError):
    """The access token's time is over; refresh it."""


class _HmacSm3(Algorithm):
    """HMAC-SM3 for PyJWT, in a registry of our own instance."""

    def __init__(self, macs: dict[int, hmac.HMAC]) -> None:
        self._macs = macs

    def prepare_key(self, key: Any) -> Any:
        return self._macs[key]

    def sign(self, msg: bytes, key: Any) -> bytes:
        mac: hmac.HMAC = key.copy()
        mac.update(msg)
        return mac.finalize()

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:
        return stdlib_hmac.compare_digest(self.sign(msg, key), sig)

    @staticmethod
    def to_jwk(key_obj: Any, as_dict: bool = False) -> NoReturn:
        raise NotImplementedError

    @staticmethod
    def from_jwk(jwk: Any) -> NoReturn:
        raise NotImplementedError


class RefreshToken(msgspec.Struct, frozen=True):
    """A decoded refresh token."""

    session_id: UUID
    generation: int


class SessionTokens:
    """Makes and reads both kinds of token."""

    def __init__(self, keys: KeyRing) -> None:
        """Prepare the session keys of `keys`."""
        self._version, _ = keys.current(KeyPurpose.SESSION)
        self._macs = {version: hmac.HMAC(key, hashes.SM3()) for version, key in keys.all(KeyPurpose.SESSION).items()}
        self._jws = jwt.PyJWS(algorithms=[])
        self._jws.register_algorithm(_ALGORITHM, _HmacSm3(self._macs))

    def issue_access(self, principal: Principal, now: datetime) -> str:
        """A JWT of `principal`, good for `ACCESS_LIFETIME` from `now`."""
        claims = {"iss": "yima", "exp": int((now + ACCESS_LIFETIME).timestamp()), "who": principal}
        return self._jws.encode(
            msgspec.json.encode(claims),
            key=self._version,  # type: ignore[arg-type] - our algorithm looks the key up by its version
            algorithm=_ALGORITHM,
            headers={"kid": str(self._version)},
        )

    def read_access(self, token: str, now: datetime) -> Principal:
        """The principal of `token`. Raises `TokenInvalid` or `TokenExpired`."""
        try:
            version = int(jwt.get_unverified_header(token).get("kid", ""))
            payload = self._jws.decode(token, key=version, algorithms=[_ALGORITHM])  # type: ignore[arg-type]
            claims = msgspec.json.decode(payload, type=_Claims)
        except (jwt.PyJWTError, msgspec.DecodeError, KeyError, ValueError) as broken:
            raise TokenInvalid("登录凭证无效，请重新登录。") from broken
        if claims.exp <= now.timestamp():
            raise TokenExpired("登录凭证已过期，请刷新。")
        return claims.who

    def issue_refresh(self, session_id: UUID, generation: int) -> str:
        """The refresh token of that session and generation: always the same text."""
        body = bytes([self._version]) + session_id.bytes + generation.to_bytes(4, "big")
        return _base64(body + self._tag(self._version, body))

    def read_refresh(self, token: str) -> RefreshToken:
        """Raises `TokenInvalid` for anything that `issue_refresh` did not give."""
        try:
            data = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (UnicodeEncodeError, binascii.Error, ValueError) as broken:
            raise TokenInvalid("登录凭证无效，请重新登录。") from broken
        if len(data) != _REFRESH_BYTES or data[0] not in self._macs or _base64(data) != token:
            raise TokenInvalid("登录凭证无效，请重新登录。")
        body, tag = data[:-_TAG], data[-_TAG:]
        if not stdlib_hmac.compare_digest(self._tag(data[0], body), tag):
            raise TokenInvalid("登录凭证无效，请重新登录。")
        return RefreshToken(UUID(bytes=body[1:17]), int.from_bytes(body[17:], "big"))

    def _tag(self, version: int, body: bytes) -> bytes:
        mac = self._macs[version].copy()
        mac.update(b"refresh" + body)
        return mac.finalize()[:_TAG]


class _Claims(msgspec.Struct):
    exp: int
    who: Principal


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
