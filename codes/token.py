"""一码令牌 The one code's token: 31 characters that name a code and prove that we made it (design: one-code).

    TOKEN = base32(version and key id: 1 byte | code id: 8 random bytes | HMAC-SM3 of these nine: 10 bytes)

The alphabet is Crockford's, all of it within the alphanumeric mode of a QR code. A forged or mistyped token
is recognised without a look into the database.
"""

import base64
import re
from collections.abc import Mapping
from enum import StrEnum
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from codes.crockford import ALPHABET, ANY_CASE

TOKEN_LENGTH: Final = 31
CODE_ID_BYTES: Final = 8

_FORMAT_VERSION: Final = 1
_KEY_IDS: Final = 16
_KEY_BYTES: Final = 16  # the least length of a key; `yima` makes 32
_TAG_BYTES: Final = 10
_HEAD_BYTES: Final = 1 + CODE_ID_BYTES
_TOKEN_BYTES: Final = _HEAD_BYTES + _TAG_BYTES
_PADDING_BITS: Final = 5 * TOKEN_LENGTH - 8 * _TOKEN_BYTES

_RFC4648: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PYTHON: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUV"  # the digits of int(text, 32)
_TO_CROCKFORD = str.maketrans(_RFC4648, ALPHABET)
_FROM_CROCKFORD = str.maketrans(ALPHABET, _PYTHON)
# 31 characters are 155 bits, 19 bytes 152: a last character with any of its low three bits set is a second
# spelling of the same bytes, and refused.
_LAST_CHARACTERS: Final = frozenset(ALPHABET[::8])

_TOKEN = re.compile(f"{ANY_CASE}{{{TOKEN_LENGTH}}}")
_SCANNED = re.compile(rf"(?:[Hh][Tt][Tt][Pp][Ss]?://[^/?#\s]+/[Cc]/)?({ANY_CASE}{{{TOKEN_LENGTH}}})(?:/?(?:[?#]\S*)?)?")


class InvalidTokenReason(StrEnum):
    """Which test a token failed; for logs and figures, never shown to the one who sent it."""

    LENGTH = "length"
    ALPHABET = "alphabet"
    PADDING_BITS = "padding_bits"
    VERSION = "version"
    KEY = "key"
    TAG = "tag"


class InvalidToken(ValueError):
    """A text that is no token of ours."""

    def __init__(self, reason: InvalidTokenReason) -> None:
        super().__init__(f"not a token: {reason}")
        self.reason = reason


class InvalidTokenKeys(ValueError):
    """A set of token keys that cannot work."""


class InvalidPublicUrl(ValueError):
    """A public address from which no code's URL can be made."""


class DecodedToken(msgspec.Struct, frozen=True):
    """What a proven token says: the code's id (8 bytes) and the key (0 to 15) that proved it."""

    code_id: bytes
    key_id: int


class TokenKeys:
    """The keys that prove tokens, by key id (0 to 15). New tokens use the current one; all others verify.

    Retiring a key is leaving it out, which voids every sticker made with it. Raises `InvalidTokenKeys`.
    """

    __slots__ = ("_current", "_prepared")

    def __init__(self, keys: Mapping[int, bytes], *, current: int) -> None:
        if current not in keys:
            raise InvalidTokenKeys(f"the current token key {current} is missing")
        for key_id, key in keys.items():
            if not 0 <= key_id < _KEY_IDS:
                raise InvalidTokenKeys(f"a token key's id is 0 to {_KEY_IDS - 1}, not {key_id}")
            if len(key) < _KEY_BYTES:
                raise InvalidTokenKeys(f"token key {key_id} is shorter than {_KEY_BYTES} bytes")
        self._current = current
        # Copying a keyed HMAC skips hashing the key again: 1.7 us for a tag.
        self._prepared = {key_id: HMAC(key, hashes.SM3()) for key_id, key in keys.items()}

    def __repr__(self) -> str:
        """Ids only: a key must not reach a log."""
        return f"TokenKeys(ids={sorted(self._prepared)}, current={self._current})"

    @property
    def current(self) -> int:
        """The id of the key that new tokens are made with."""
        return self._current

    def verifies(self, key_id: int) -> bool:
        """Whether tokens made with this key are still good."""
        return key_id in self._prepared

    def tag(self, key_id: int, head: bytes) -> bytes:
        """The first 10 bytes of the HMAC-SM3 over `head`; raises KeyError for a retired key."""
        code = self._prepared[key_id].copy()
        code.update(head)
        return code.finalize()[:_TAG_BYTES]


def issue_token(keys: TokenKeys, code_id: bytes, key_id: int | None = None) -> str:
    """The token of a code, made with the current key or, to print an older sticker again, with `key_id`.

    Raises ValueError unless `code_id` has 8 bytes, and KeyError for a key that is retired.
    """
    if len(code_id) != CODE_ID_BYTES:
        raise ValueError(f"a code's id has {CODE_ID_BYTES} bytes, not {len(code_id)}")
    made_with = keys.current if key_id is None else key_id
    if not keys.verifies(made_with):
        raise KeyError(made_with)  # before it could spill into the version's bits
    head = bytes([_FORMAT_VERSION << 4 | made_with]) + code_id
    spelled = base64.b32encode(head + keys.tag(made_with, head)).decode("ascii")
    return spelled.rstrip("=").translate(_TO_CROCKFORD)


def decode_token(keys: TokenKeys, text: str) -> DecodedToken:
    """Prove a token, in upper or lower case and nothing else forgiven; raises `InvalidToken`."""
    raw = _bytes_of(text)
    version, key_id = raw[0] >> 4, raw[0] & 0x0F
    if version != _FORMAT_VERSION:
        raise InvalidToken(InvalidTokenReason.VERSION)
    if not keys.verifies(key_id):
        raise InvalidToken(InvalidTokenReason.KEY)
    head, tag = raw[:_HEAD_BYTES], raw[_HEAD_BYTES:]
    if not compare_digest(keys.tag(key_id, head), tag):
        raise InvalidToken(InvalidTokenReason.TAG)
    return DecodedToken(code_id=head[1:], key_id=key_id)


def code_url(public_url: str, token: str) -> str:
    """`HTTPS://<HOST>/C/<TOKEN>` in upper case, so that the QR stays alphanumeric and the sticker coarse.

    Takes scheme, host and port of `public_url`. Raises `InvalidPublicUrl` when it has more than these, or a
    host that is not ASCII.
    """
    parts = urlsplit(public_url)
    only_an_origin = parts.path in {"", "/"} and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not only_an_origin:
        raise InvalidPublicUrl(f"not an http(s) origin: {public_url!r}")
    if not parts.netloc.isascii():
        raise InvalidPublicUrl(f"write the host in its ASCII form: {public_url!r}")
    return f"{parts.scheme}://{parts.netloc}/C/{token}".upper()


def token_from_scan(text: str) -> str | None:
    """The 31 characters, in upper case, of what a scanner read: our URL in any case, or the bare token.

    None when it is something else, such as a business licence. The token is not proven yet.
    """
    found = _SCANNED.fullmatch(text.strip())
    return found[1].upper() if found else None


def _bytes_of(text: str) -> bytes:
    if len(text) != TOKEN_LENGTH:
        raise InvalidToken(InvalidTokenReason.LENGTH)
    if not _TOKEN.fullmatch(text):
        raise InvalidToken(InvalidTokenReason.ALPHABET)
    upper = text.upper()  # safe only now: before the alphabet is known, it may turn foreign letters into ours
    if upper[-1] not in _LAST_CHARACTERS:
        raise InvalidToken(InvalidTokenReason.PADDING_BITS)
    # Several times faster than the base64 module, which reads base 32 in Python.
    return (int(upper.translate(_FROM_CROCKFORD), 32) >> _PADDING_BITS).to_bytes(_TOKEN_BYTES, "big")
