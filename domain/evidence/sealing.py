"""Sealed blobs: SM4-GCM in chunks, so that a file is sealed and opened as a stream and no change goes unnoticed.

Sealed bytes are a header of 20 bytes (`YB`, format 1, version of the vault's key, 16 bytes of salt) and chunks of
64 KiB, the last one shorter or full, each followed by its tag of 16 bytes. The key of a file is HKDF-SM3 of the vault's
key with the salt, for the blob's own key name (`label`): under another name it does not open. The nonce of a chunk is
its number in 11 bytes and one byte that is 1 for the last: swapped, missing or added chunks do not open, and neither
does what ends too early (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár).
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.shared.keys import KeyPurpose, KeyRing
from domain.shared.random import Random
from domain.shared.vault import SealBroken

CHUNK_BYTES: Final = 64 * 1024
_MAGIC: Final = b"YB\x01"
_SALT: Final = 16
_TAG: Final = 16
_HEADER: Final = len(_MAGIC) + 1 + _SALT
_KEY: Final = 16


def sealed_size(size: int) -> int:
    """How many bytes `size` bytes become."""
    return _HEADER + size + _TAG * max(1, -(-size // CHUNK_BYTES))


class Sealing:
    """Seals one blob piece by piece."""

    def __init__(self, key: bytes, header: bytes) -> None:
        """Begin with `header`, which the first piece carries."""
        self._key = key
        self._out = bytearray(header)
        self._held = bytearray()
        self._number = 0

    def update(self, piece: bytes | bytearray) -> bytes:
        """What is sealed by now. A chunk goes out when more follows: only then it is known not to be the last."""
        self._held += piece
        while len(self._held) > CHUNK_BYTES:
            self._seal(bytes(self._held[:CHUNK_BYTES]), is_last=False)
            del self._held[:CHUNK_BYTES]
        return self._taken()

    def finish(self) -> bytes:
        """The rest, with the mark of the end."""
        self._seal(bytes(self._held), is_last=True)
        self._held.clear()
        return self._taken()

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        encryptor = Cipher(algorithms.SM4(self._key), modes.GCM(_nonce(self._number, is_last))).encryptor()
        self._out += encryptor.update(chunk) + encryptor.finalize() + encryptor.tag
        self._number += 1

    def _taken(self) -> bytes:
        taken = bytes(self._out)
        self._out.clear()
        return taken


class Opening:
    """Opens one blob piece by piece; what it gives is authentic, and whole only once `finish` has returned."""

    def __init__(self, keys: KeyRing, label: str) -> None:
        """Expect the blob that was sealed for `label`."""
        self._keys = keys
        self._label = label
        self._key: bytes | None = None
        self._held = bytearray()
        self._number = 0

    def update(self, piece: bytes | bytearray) -> bytes:
        """What is opened by now. Raises `SealBroken`."""
        self._held += piece
        if self._key is None and len(self._held) >= _HEADER:
            self._read_header()
        opened = bytearray()
        while self._key is not None and len(self._held) > CHUNK_BYTES + _TAG:
            opened += self._open(bytes(self._held[: CHUNK_BYTES + _TAG]), is_last=False)
            del self._held[: CHUNK_BYTES + _TAG]
        return bytes(opened)

    def finish(self) -> bytes:
        """The last chunk. Raises `SealBroken` when it is not the last, or not there."""
        return self._open(bytes(self._held), is_last=True)

    def _read_header(self) -> None:
        header = bytes(self._held[:_HEADER])
        if not header.startswith(_MAGIC):
            raise SealBroken(self._label)
        vault_key = self._keys.find(KeyPurpose.VAULT, header[len(_MAGIC)])
        self._key = _file_key(vault_key, header, self._label)
        del self._held[:_HEADER]

    def _open(self, chunk: bytes, *, is_last: bool) -> bytes:
        if self._key is None or len(chunk) < _TAG:
            raise SealBroken(self._label)
        sealed, tag = chunk[:-_TAG], chunk[-_TAG:]
        decryptor = Cipher(algorithms.SM4(self._key), modes.GCM(_nonce(self._number, is_last), tag)).decryptor()
        self._number += 1
        try:
            return decryptor.update(sealed) + decryptor.finalize()
        except InvalidTag as broken:
            raise SealBroken(self._label) from broken


class Sealer:
    """Seals and opens blobs under the vault's keys of one installation."""

    def __init__(self, keys: KeyRing, random: Random) -> None:
        """Use `keys`, and `random` for salts."""
        self._keys = keys
        self._random = random

    def sealing(self, label: str) -> Sealing:
        """A new blob for `label`."""
        version, vault_key = self._keys.current(KeyPurpose.VAULT)
        header = _MAGIC + bytes([version]) + self._random(_SALT)
        return Sealing(_file_key(vault_key, header, label), header)

    def opening(self, label: str) -> Opening:
        """The blob that was sealed for `label`."""
        return Opening(self._keys, label)

    def seal(self, label: str, content: bytes) -> bytes:
        """`content` sealed in one go."""
        sealing = self.sealing(label)
        return sealing.update(content) + sealing.finish()

    def open(self, label: str, sealed: bytes) -> bytes:
        """The whole content. Raises `SealBroken`, or `UnknownKey` when its key is retired."""
        opening = self.opening(label)
        return opening.update(sealed) + opening.finish()


def _file_key(vault_key: bytes, header: bytes, label: str) -> bytes:
    info = b"yima/blob/1 " + label.encode()
    return HKDF(algorithm=hashes.SM3(), length=_KEY, salt=header[-_SALT:], info=info).derive(vault_key)


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
