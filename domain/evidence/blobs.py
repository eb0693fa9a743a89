"""The object store: a local folder by default, S3 by setting; everything in it is sealed (`sealing.py`).

Keys: `originals/<hex>`, `copies/<hex>/1600.jpg`, `copies/<hex>/320.jpg`, `papers/<hex>.pdf`, `parts/…`. A blob is there
whole or not at all, and on disk before `put` returns.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from domain.evidence.draft import Draft
from domain.evidence.model import BlobPlace, Part, Upload
from domain.evidence.sealing import Sealer
from domain.shared.errors import DomainError

_PIECE: Final = 256 * 1024
_IN_PLACE: Final = 64 * 1024
"""What is no longer than this is sealed and opened at once; a thread would cost more."""
_CLIENT: Final = {"timeout": "30s", "connect_timeout": "5s"}
_RETRY: Final[Any] = {"max_retries": 2}
_S3_SCHEME: Final = "s3://"


class BlobMissing(Exception):
    """No blob of that key."""


class BlobsAway(DomainError):
    """The object store does not answer now; the same request may be sent again."""


class StoredBlob(msgspec.Struct, frozen=True, kw_only=True):
    """A blob as the store lists it: its sealed size, and when it was put."""

    key: str
    sealed_size: int
    put_at: datetime


def original_key(digest: bytes) -> str:
    """Where an original is kept."""
    return f"originals/{digest.hex()}"


def part_key(upload: Upload, part: Part) -> str:
    """Where a part of an upload is kept; with its size, since the same start may come again with another length."""
    of = f"parts/{upload.inspection_id}/{upload.digest.hex()}/{upload.account_id}"
    return f"{of}/{part.start}-{part.size}"


def copy_key(digest: bytes, size: str) -> str:
    """Where a copy of that many pixels is kept."""
    return f"copies/{digest.hex()}/{size}.jpg"


@asynccontextmanager
async def _store_refusals(key: str) -> AsyncGenerator[None]:
    """Tell what the store refused in the house's own errors; a key is no secret, an address may be."""
    try:
        yield
    except FileNotFoundError as missing:
        raise BlobMissing(key) from missing
    except (BaseError, OSError) as away:
        raise BlobsAway("文件存储暂时不可用，请稍后重试。") from away


def _open_store(place: BlobPlace) -> tuple[ObjectStore, Path | None]:
    if not place.url.startswith(_S3_SCHEME):
        folder = Path(place.url).absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(folder), folder
    options: dict[str, Any] = {name.lower(): value for name, value in place.options.items()}
    # A plain-text endpoint is a server beside us; object stores elsewhere are spoken to over TLS.
    plain = options.pop("aws_allow_http", "") == "true" or options.get("aws_endpoint_url", "").startswith("http://")
    client: Any = {**_CLIENT, "allow_http": plain}
    return S3Store.from_url(place.url, config=cast("Any", options), client_options=client, retry_config=_RETRY), None


class Blobs:
    """Puts and gets sealed blobs by key."""

    def __init__(self, place: BlobPlace, sealer: Sealer) -> None:
        """Open the store at `place`; a local folder is made when it is not there."""
        self._sealer = sealer
        self._store, self._folder = _open_store(place)

    def draft(self, key: str) -> Draft:
        """A blob for `key` that comes piece by piece; `keep` puts it into the store."""
        return Draft(self._sealer, key)

    async def put(self, key: str, body: bytes) -> None:
        """Seal `body` and keep it under `key`, in place of what was there. Raises `BlobsAway`."""
        if len(body) <= _IN_PLACE:
            sealed = self._sealer.seal(key, body)
        else:
            sealed = await asyncio.to_thread(self._sealer.seal, key, body)
        await self._put(key, sealed)

    async def keep(self, draft: Draft) -> None:
        """Put a complete `draft` under its key, in place of what was there. Raises `BlobsAway`."""
        await self._put(draft.key, await asyncio.to_thread(draft.sealed))

    async def _put(self, key: str, sealed: Any) -> None:
        async with _store_refusals(key):
            await obstore.put_async(self._store, key, sealed)
            if self._folder is not None:
                await asyncio.to_thread(_flush, self._folder / key)

    async def get(self, key: str) -> bytes:
        """The whole blob. Raises `BlobMissing`, `BlobsAway` or `SealBroken`."""
        async with _store_refusals(key):
            sealed = bytes(await (await obstore.get_async(self._store, key)).bytes_async())
        if len(sealed) <= _IN_PLACE:
            return self._sealer.open(key, sealed)
        return await asyncio.to_thread(self._sealer.open, key, sealed)

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        """The blob piece by piece, each authentic. Raises as `get`; `SealBroken` at the end when it is cut."""
        opening = self._sealer.opening(key)
        async with _store_refusals(key):
            answer = await obstore.get_async(self._store, key)
            async for piece in answer.stream(min_chunk_size=_PIECE):
                opened = await asyncio.to_thread(opening.update, bytes(piece))
                if opened:
                    yield opened
        yield await asyncio.to_thread(opening.finish)

    async def delete(self, key: str) -> None:
        """Remove it; nothing there is as good. Raises `BlobsAway`."""
        try:
            async with _store_refusals(key):
                await obstore.delete_async(self._store, key)
        except BlobMissing:
            return

    async def find(self, key: str) -> StoredBlob | None:
        """Size and age, without reading it; None when it is not there. Raises `BlobsAway`."""
        try:
            async with _store_refusals(key):
                meta = await obstore.head_async(self._store, key)
        except BlobMissing:
            return None
        return StoredBlob(key=key, sealed_size=meta["size"], put_at=meta["last_modified"])

    async def list(self, folder: str, *, begins: str = "") -> AsyncIterator[StoredBlob]:
        """What lies in `folder` with a name that begins so; in no order. Raises `BlobsAway`."""
        start = f"{folder}/{begins}"
        async with _store_refusals(folder):
            async for batch in obstore.list(self._store, folder, offset=start if begins else None):
                for meta in batch:
                    if meta["path"].startswith(start):
                        yield StoredBlob(key=meta["path"], sealed_size=meta["size"], put_at=meta["last_modified"])
                    elif self._folder is None and meta["path"] > start:
                        return  # S3 lists in order, a folder does not


def _flush(path: Path) -> None:
    """See the blob and its name onto the disk: the row that tells of it will be there after a power cut."""
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
