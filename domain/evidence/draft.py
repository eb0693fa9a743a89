"""A file on its way in: hashed as it comes, and sealed before it touches a disk.

A photo is held in memory until it is whole; what is larger goes, sealed piece by piece, into a file that has no name.
So a slow upload holds at most `HELD_BYTES`, and nothing lies about in clear.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Iterator
from typing import IO, Final

from domain.evidence.sealing import CHUNK_BYTES, Sealer

HELD_BYTES: Final = 512 * 1024
_READ_BYTES: Final = 16 * CHUNK_BYTES


class Draft:
    """One blob being written. `take` until all is there, then read it or hand it to `Blobs.keep`, then `close`."""

    def __init__(self, sealer: Sealer, key: str) -> None:
        """Begin a blob for `key`."""
        self.key = key
        self.size = 0
        self._sealer = sealer
        self._sealing = sealer.sealing(key)
        self._hash = hashlib.sha256()
        self._held = bytearray()
        self._file: IO[bytes] | None = None
        self._is_finished = False

    def digest(self) -> bytes:
        """SHA-256 of what has come."""
        return self._hash.digest()

    async def take(self, piece: bytes) -> None:
        """The next piece."""
        self.size += len(piece)
        self._hash.update(piece)
        self._held += piece
        if len(self._held) > HELD_BYTES:
            await asyncio.to_thread(self._seal_held)

    def content(self) -> bytes:
        """The whole in clear; call it where the memory is accounted for, off the event loop."""
        opened = bytearray()
        for piece in self.pieces():
            opened += piece
        return bytes(opened)

    def pieces(self) -> Iterator[bytes]:
        """The whole in clear piece by piece, none of them empty; each is opened off the event loop."""
        if self._file is None:
            if self._held:
                yield bytes(self._held)
            return
        self._finish(self._file)
        self._file.seek(0)
        opening = self._sealer.opening(self.key)
        while sealed := self._file.read(_READ_BYTES):
            if opened := opening.update(sealed):
                yield opened
        if opened := opening.finish():
            yield opened

    def sealed(self) -> bytes | IO[bytes]:
        """The whole sealed: bytes when it is small, else a file at its beginning. Off the event loop."""
        if self._file is None:
            return self._sealer.seal(self.key, bytes(self._held))
        self._finish(self._file)
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Let go of memory and file."""
        self._held.clear()
        if self._file is not None:
            self._file.close()

    def _seal_held(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._file.write(self._sealing.update(self._held))
        self._held.clear()

    def _finish(self, file: IO[bytes]) -> None:
        if not self._is_finished:
            self._seal_held()
            file.write(self._sealing.finish())
            self._is_finished = True
