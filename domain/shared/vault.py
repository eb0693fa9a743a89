"""Personal data at rest: SM4-GCM to seal, HMAC-SM3 to find by exact value (D17, CRY-04).

A vault is passed to who needs it and is never global. Sealed bytes are: key version (1), nonce (12), ciphertext,
tag (16). What a value belongs to (`label`, such as "officer.phone") is authenticated with it, so that a sealed value
moved to another column does not open.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from domain.shared.keys import KeyPurpose, KeyRing
from domain.shared.random import Random

_NONCE = 12
_TAG = 16
SUBJECT_KEY_BYTES = 16


class SealBroken(Exception):
    """The bytes were not sealed by this vault for this label, or were changed."""


def _seal(key: bytes, nonce: bytes, label: str, text: str) -> bytes:
    encryptor = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(label.encode())
    ciphertext = encryptor.update(text.encode()) + encryptor.finalize()
    return nonce + ciphertext + encryptor.tag


def _open(key: bytes, label: str, sealed: bytes) -> str:
    if len(sealed) < _NONCE + _TAG:
        raise SealBroken(label)
    nonce, ciphertext, tag = sealed[:_NONCE], sealed[_NONCE:-_TAG], sealed[-_TAG:]
    decryptor = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(label.encode())
    try:
        return (decryptor.update(ciphertext) + decryptor.finalize()).decode()
    except InvalidTag as broken:
        raise SealBroken(label) from broken


class Vault:
    """Seals, opens and indexes personal values under the ring's current keys."""

    def __init__(self, keys: KeyRing, random: Random) -> None:
        """Use `keys` for sealing and indexing and `random` for nonces."""
        self._keys = keys
        self._random = random
        version, index = keys.current(KeyPurpose.INDEX)
        self._index_version = version
        self._index = hmac.HMAC(index, hashes.SM3())

    def seal(self, label: str, text: str) -> bytes:
        """Encrypt `text` for `label`."""
        version, key = self._keys.current(KeyPurpose.VAULT)
        return bytes([version]) + _seal(key, self._random(_NONCE), label, text)

    def open(self, label: str, sealed: bytes) -> str:
        """Decrypt. Raises `SealBroken`, or `UnknownKey` when the version is retired."""
        if not sealed:
            raise SealBroken(label)
        return _open(self._keys.find(KeyPurpose.VAULT, sealed[0]), label, sealed[1:])

    def blind_index(self, label: str, text: str) -> bytes:
        """32 bytes that are equal for equal values of one label and tell nothing else."""
        mac = self._index.copy()
        mac.update(f"{label}\x00{text}".encode())
        return mac.finalize()

    def new_subject_key(self, subject: str) -> bytes:
        """A fresh key for one person's values in the trace, itself sealed: destroying it erases them."""
        return self.seal(f"subject key {subject}", self._random(SUBJECT_KEY_BYTES).hex())

    def seal_for_subject(self, subject_key: bytes, subject: str, text: str) -> str:
        """Encrypt `text` under the person's own key; hexadecimal, for the trace's JSON."""
        key = bytes.fromhex(self.open(f"subject key {subject}", subject_key))
        return _seal(key, self._random(_NONCE), subject, text).hex()

    def open_for_subject(self, subject_key: bytes, subject: str, sealed: str) -> str:
        """Decrypt what `seal_for_subject` gave. Raises `SealBroken`."""
        key = bytes.fromhex(self.open(f"subject key {subject}", subject_key))
        try:
            return _open(key, subject, bytes.fromhex(sealed))
        except ValueError as broken:
            raise SealBroken(subject) from broken
