"""The signature of Alibaba Cloud's HTTP interfaces, version 3 (ACS3-HMAC-SHA256), of a request without a body."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import msgspec

_ALGORITHM: Final = "ACS3-HMAC-SHA256"
_NO_BODY: Final = hashlib.sha256(b"").hexdigest()


class Acs3Key(msgspec.Struct, frozen=True, kw_only=True):
    """An AccessKey: who calls, and the secret that proves it."""

    access_key_id: str
    secret: str

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Acs3Key()"


def canonical_query(parameters: Mapping[str, str]) -> str:
    """The parameters in order of their names, encoded as RFC 3986 asks: this very text is sent, too."""
    return "&".join(f"{quote(name, safe='~')}={quote(parameters[name], safe='~')}" for name in sorted(parameters))


def signed_headers(
    key: Acs3Key, *, action: str, version: str, host: str, query: str, now: datetime, nonce: str
) -> dict[str, str]:
    """The headers of a POST to `/?query` of `host`, Authorization among them."""
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": _NO_BODY,
        "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n{query}\n{listed}\n{names}\n{_NO_BODY}"
    to_sign = f"{_ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(key.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={key.access_key_id},SignedHeaders={names},Signature={signature}"
    return {**headers, "Authorization": f"{_ALGORITHM} {credential}"}
