"""Short-lived codes 实时码, 亮证码: shown on a phone, proven without the database, worthless a minute later.

    LIVE CODE = base32(kind and key id: 1 byte | code id: 8 bytes | slot: 4 bytes | HMAC-SM3 of these: 10 bytes)
    BADGE     = base32(kind and key id: 1 byte | officer's id: 16 bytes | issued: 4 bytes | HMAC-SM3: 10 bytes)

The live code stands for the enterprise (a slot is 30 seconds), the badge for one officer (60 seconds). Both are as
long as no other code of ours, so that a scanner's text is never taken for another one.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Final
from uuid import UUID

import msgspec

from codes.crockford import ALPHABET, ANY_CASE
from codes.token import CODE_ID_BYTES, TokenKeys, code_url

SLOT: Final = timedelta(seconds=30)
"""How long a live code is shown before the next one takes its place."""
SLOTS_AROUND: Final = 1
"""A code of the slot before or after counts too: scanning takes a moment, and two clocks never agree."""
BADGE_LIFETIME: Final = timedelta(seconds=60)
_AHEAD: Final = timedelta(seconds=30)
"""How far another server process's clock may run ahead of the one that checks."""

_LIVE_KIND: Final = 2
_BADGE_KIND: Final = 3
_TAG_BYTES: Final = 10
_STAMP_BYTES: Final = 4
_OFFICER_BYTES: Final = 16
_LIVE_BYTES: Final = 1 + CODE_ID_BYTES + _STAMP_BYTES + _TAG_BYTES
_BADGE_BYTES: Final = 1 + _OFFICER_BYTES + _STAMP_BYTES + _TAG_BYTES
LIVE_LENGTH: Final = 37
BADGE_LENGTH: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC4648: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TO_CROCKFORD = str.maketrans(_RFC4648, ALPHABET)
_FROM_CROCKFORD = str.maketrans(ALPHABET, _RFC4648)


def _scanned(place: str, length: int) -> re.Pattern[str]:
    upper, lower = place.upper(), place.lower()
    return re.compile(
        rf"(?:[Hh][Tt][Tt][Pp][Ss]?://[^/?#\s]+/[{upper}{lower}]/)?({ANY_CASE}{{{length}}})(?:/?(?:[?#]\S*)?)?"
    )


_LIVE = _scanned("L", LIVE_LENGTH)
_BADGE = _scanned("B", BADGE_LENGTH)


class InvalidShortCode(ValueError):
    """A text that is no live code or badge of ours."""


class LiveCode(msgspec.Struct, frozen=True):
    """What a proven live code says: the site's code, and in which slot since 1970 it was shown."""

    code_id: bytes
    slot: int

    @property
    def shown_from(self) -> datetime:
        """When the slot began."""
        return _EPOCH + self.slot * SLOT


class Badge(msgspec.Struct, frozen=True):
    """What a proven badge says: whose, and when it was shown."""

    officer_id: UUID
    issued_at: datetime

    @property
    def expires_at(self) -> datetime:
        """From when it is worth nothing."""
        return self.issued_at + BADGE_LIFETIME

    def is_current(self, now: datetime) -> bool:
        """Whether it is worth anything at `now`."""
        return self.issued_at - _AHEAD <= now < self.expires_at


def slot_of(instant: datetime) -> int:
    """The slot since 1970 in which `instant` lies."""
    return (instant - _EPOCH) // SLOT


def is_near(code: LiveCode, instant: datetime) -> bool:
    """Whether the code was shown in the slot of `instant`, or in one beside it."""
    return abs(code.slot - slot_of(instant)) <= SLOTS_AROUND


def issue_live_code(keys: TokenKeys, code_id: bytes, now: datetime) -> str:
    """The text that stands for the site in the slot of `now`. Raises ValueError unless `code_id` has 8 bytes."""
    if len(code_id) != CODE_ID_BYTES:
        raise ValueError(f"a code's id has {CODE_ID_BYTES} bytes, not {len(code_id)}")
    return _spell(keys, _LIVE_KIND, code_id + slot_of(now).to_bytes(_STAMP_BYTES, "big"))


def issue_badge(keys: TokenKeys, officer_id: UUID, now: datetime) -> str:
    """The text that stands for the officer from `now` on."""
    seconds = (now - _EPOCH) // timedelta(seconds=1)
    return _spell(keys, _BADGE_KIND, officer_id.bytes + seconds.to_bytes(_STAMP_BYTES, "big"))


def live_code_from_scan(text: str) -> str | None:
    """The 37 characters of what a scanner read, in upper case; None when it is something else. Not proven yet."""
    found = _LIVE.fullmatch(text.strip())
    return found[1].upper() if found else None


def badge_from_scan(text: str) -> str | None:
    """The 50 characters of what a scanner read, in upper case; None when it is something else. Not proven yet."""
    found = _BADGE.fullmatch(text.strip())
    return found[1].upper() if found else None


def read_live_code(keys: TokenKeys, text: str) -> LiveCode:
    """Prove a live code; whether its time is right, the caller judges. Raises `InvalidShortCode`."""
    said = _proven(keys, _LIVE_KIND, text, _LIVE_BYTES)
    return LiveCode(said[:CODE_ID_BYTES], int.from_bytes(said[CODE_ID_BYTES:], "big"))


def read_badge(keys: TokenKeys, text: str) -> Badge:
    """Prove a badge; whether it is still current, the caller asks. Raises `InvalidShortCode`."""
    said = _proven(keys, _BADGE_KIND, text, _BADGE_BYTES)
    issued_at = _EPOCH + timedelta(seconds=int.from_bytes(said[_OFFICER_BYTES:], "big"))
    return Badge(UUID(bytes=said[:_OFFICER_BYTES]), issued_at)


def _spell(keys: TokenKeys, kind: int, said: bytes) -> str:
    head = bytes([kind << 4 | keys.current]) + said
    spelled = base64.b32encode(head + keys.tag(keys.current, head)).decode("ascii")
    return spelled.rstrip("=").translate(_TO_CROCKFORD)


def _proven(keys: TokenKeys, kind: int, text: str, size: int) -> bytes:
    """What stands between the head and the tag. Raises `InvalidShortCode`."""
    spelled = text.upper().translate(_FROM_CROCKFORD)
    try:
        raw = base64.b32decode(spelled + "=" * (-len(spelled) % 8))
    except ValueError as broken:
        raise InvalidShortCode(text) from broken
    head, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
    if len(raw) != size or head[0] >> 4 != kind or not keys.verifies(head[0] & 0x0F):
        raise InvalidShortCode(text)
    if not compare_digest(keys.tag(head[0] & 0x0F, head), tag):
        raise InvalidShortCode(text)
    return head[1:]


def live_code_url(public_url: str, text: str) -> str:
    """`HTTPS://<HOST>/L/<TEXT>` for the picture on the enterprise's phone. Raises `InvalidPublicUrl`."""
    return _url(public_url, "L", text)


def badge_url(public_url: str, text: str) -> str:
    """`HTTPS://<HOST>/B/<TEXT>` for the picture on the officer's phone. Raises `InvalidPublicUrl`."""
    return _url(public_url, "B", text)


def _url(public_url: str, place: str, text: str) -> str:
    return f"{code_url(public_url, '').removesuffix('C/')}{place}/{text}"
