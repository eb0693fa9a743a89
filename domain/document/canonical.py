"""规范化 JSON (RFC 8785): the same bytes on every phone and server, so that a digest of a record means one thing.

The published vectors are `mobile_contract/test_vectors/canonical.json`.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import rfc8785


class NotCanonical(ValueError):
    """A value that has no canonical form: NaN, infinity, an integer beyond 2^53, a lone surrogate."""


def canonical(value: Any) -> bytes:
    """The canonical text of `value` in UTF-8: a JSON value, or what msgspec writes as one (Structs, dates, ids).

    Raises `NotCanonical`.
    """
    try:
        return rfc8785.dumps(msgspec.to_builtins(value, str_keys=True))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as refused:
        raise NotCanonical(str(refused)) from refused


def record_digest(value: Any) -> bytes:
    """SHA-256 of the canonical text: what is signed."""
    return hashlib.sha256(canonical(value)).digest()
