"""The headers of the contract: what a request may say beside its body, and what an answer tells beside its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Node = dict[str, Any]
"""A part of a JSON document."""

_TEXT: Node = {"type": "string"}
_KEY_RULE: Node = {"type": "string", "pattern": "^[A-Za-z0-9._:-]{8,128}$"}

PARAMETERS: Mapping[str, Node] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "Made by the client once per write, best the write's own UUIDv7. The same key with the same "
        "request has one effect and one answer, for 180 days; with another request it is refused.",
        "schema": _KEY_RULE,
        "example": "0198f3a2-6c1e-7d40-9a51-2b7f4c8e1d03",
    },
    "YimaAfter": {
        "name": "Yima-After",
        "in": "header",
        "required": False,
        "description": "The Idempotency-Key of the write that must have arrived before this one. When it has not, the "
        "answer is 409 `predecessor-missing`: keep this write and send that one first.",
        "schema": _KEY_RULE,
        "example": "0198f3a2-5b0d-7c11-8e42-1a6e3b7d0c92",
    },
    "YimaDoneAt": {
        "name": "Yima-Done-At",
        "in": "header",
        "required": False,
        "description": "When it was done by the phone's clock, with offset, if the write comes late. Never later than "
        "its arrival: a clock that runs ahead is set back.",
        "schema": {"type": "string", "format": "date-time"},
        "example": "2026-11-21T09:41:07+08:00",
    },
    "EvidenceKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Optional: the digest names the write. Needed where a later write names this one in Yima-After.",
        "schema": _KEY_RULE,
        "example": "0198f3a2-6c1e-7d40-9a51-2b7f4c8e1d04",
    },
    "ContentRange": {
        "name": "Content-Range",
        "in": "header",
        "required": False,
        "description": "The body is a part of the file. Parts may come twice, in any order, to any process; of each "
        "but the last at least 64 KiB. HEAD of the same address tells in `Upload-Offset` where to go on.",
        "schema": {"type": "string", "pattern": r"^bytes \d+-\d+/\d+$"},
        "example": "bytes 0-4194303/9437184",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The version that the caller changes, as the last answer told it; left out: there was none. "
        "Another version stands by now: 412, and nothing is overwritten. It is a number and no ETag.",
        "schema": {"type": "string", "pattern": r'^"?\d{1,9}"?$'},
        "example": "1",
    },
    "YimaPass": {
        "name": "Yima-Pass",
        "in": "header",
        "required": False,
        "description": "Required of citizens: the pass (通行凭证) that createPass or provePhone gave; without a good "
        "one the answer is 401 `pass-required`.",
        "schema": _TEXT,
        "example": "AQEBmPOibB59QJpRK39MjB4DAAAAAGkfz0QAAAAAAAAAAAAAAAAAAAAA",
    },
    "YimaDevice": {
        "name": "Yima-Device",
        "in": "header",
        "required": False,
        "description": "A random id that the client made and keeps. Only its keyed hash is stored, to count writes.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,64}$"},
        "example": "0198f3a2-6c1e-7d40-9a51-2b7f4c8e1d05",
    },
    "YimaProof": {
        "name": "Yima-Proof",
        "in": "header",
        "required": False,
        "description": "A solved challenge (altcha, base64 of its JSON), where 429 `proof-of-work-required` asked for "
        "one. It can be used once.",
        "schema": _TEXT,
        "example": "eyJjaGFsbGVuZ2UiOnt9LCJzb2x1dGlvbiI6e319",
    },
    "YimaMailSecret": {
        "name": "Yima-Mail-Secret",
        "in": "header",
        "required": True,
        "description": "What was agreed with the mail server that hands back mail.",
        "schema": _TEXT,
        "example": "aSecretOfTheMailServer01234",
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of the answer that the caller still has; unchanged: 304 without a body.",
        "schema": _TEXT,
        "example": '"7c1f0a3b9d2e4f6a8b0c1d2e"',
    },
}
OF_CITIZENS = ("YimaPass", "YimaDevice", "YimaProof")
"""What every write of a citizen understands."""
HEADERS: Mapping[str, Node] = {
    "IdempotencyReplayed": {
        "description": "`true`: this write had come before, and this is its first answer, byte for byte; of one above "
        "8 KiB only its receipt, with `result` null and, where there is one, `Location`.",
        "schema": {"type": "string", "const": "true"},
    },
    "ETag": {"description": "Names this very answer.", "schema": _TEXT},
    "Location": {"description": "Where what was written can be read.", "schema": _TEXT},
    "YimaRecordDigest": {
        "description": "SHA-256 of the body, in hexadecimal: what a signature names.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
    "YimaFactsVersion": {
        "description": "For If-Match of putRecordFacts; 0 before anything was added by hand.",
        "schema": {"type": "integer", "format": "int64"},
    },
    "Link": {"description": "RFC 8288: `license`, and `next` where there is another page.", "schema": _TEXT},
    "YimaTotal": {
        "description": "How many there are in all; `>=10000` where they are not counted further.",
        "schema": _TEXT,
    },
    "ReprDigest": {"description": "RFC 9530: SHA-256 of the file.", "schema": _TEXT},
    "YimaResults": {"description": "Results in the file.", "schema": {"type": "integer", "format": "int64"}},
    "YimaWithdrawn": {"description": "Tombstones in the file.", "schema": {"type": "integer", "format": "int64"}},
    "RetryAfter": {"description": "Seconds to wait before the same request is sent again.", "schema": _TEXT},
}
