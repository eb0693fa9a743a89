"""密封清单 The drawn list, sealed until the site's own code opens it, on a phone that may be offline.

AES-256-GCM, which WebCrypto has too; the key is HKDF-SHA256 of the token that only the sticker at the door shows. The
server hands out the sealed list and SHA-256 of the token, so that a phone can tell whether it scanned the right one.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_INFO = b"yima/list/1 "
_KEY_BYTES = 32
_IV_BYTES = 12


class ListSealBroken(Exception):
    """The list was sealed under another token or for another inspection, or was changed."""


class SealedList(msgspec.Struct, frozen=True, kw_only=True):
    """A list that only the token opens. `ciphertext` ends with the tag of 16 bytes, as WebCrypto wants it."""

    inspection_id: UUID
    nonce: bytes
    iv: bytes
    ciphertext: bytes
    token_digest: bytes


def token_digest(token: str) -> bytes:
    """SHA-256 of the token's 31 upper-case characters."""
    return hashlib.sha256(_ikm(token)).digest()


def _ikm(token: str) -> bytes:
    return token.upper().encode("ascii")


def derive_list_key(token: str, nonce: bytes, inspection_id: UUID) -> bytes:
    """The key of one inspection's list."""
    info = _INFO + inspection_id.bytes
    return HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=nonce, info=info).derive(_ikm(token))


def derive_list_iv(token: str, nonce: bytes, inspection_id: UUID, plaintext: bytes) -> bytes:
    """An iv that is the same for the same list, so that a package made twice is the same bytes, and differs else."""
    mac = hmac.HMAC(derive_list_key(token, nonce, inspection_id), hashes.SHA256())
    mac.update(b"yima/list/1 iv" + plaintext)
    return mac.finalize()[:_IV_BYTES]


def seal_list(token: str, nonce: bytes, inspection_id: UUID, plaintext: bytes, iv: bytes) -> SealedList:
    """Seal `plaintext`; `iv` is 12 bytes, never the same for two lists of one inspection."""
    key = derive_list_key(token, nonce, inspection_id)
    return SealedList(
        inspection_id=inspection_id,
        nonce=nonce,
        iv=iv,
        ciphertext=AESGCM(key).encrypt(iv, plaintext, None),
        token_digest=token_digest(token),
    )


def open_list(sealed: SealedList, token: str) -> bytes:
    """The list. Raises `ListSealBroken`."""
    key = derive_list_key(token, sealed.nonce, sealed.inspection_id)
    try:
        return AESGCM(key).decrypt(sealed.iv, sealed.ciphertext, None)
    except InvalidTag as broken:
        raise ListSealBroken(str(sealed.inspection_id)) from broken
