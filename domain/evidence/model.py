"""Evidence as values: media types, sizes, what is stored of a file, and how far an upload has come."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

MEBIBYTE = 1024 * 1024
MAX_FILE_BYTES = 20 * MEBIBYTE
"""Of one file (D28)."""
MAX_INSPECTION_BYTES = 200 * MEBIBYTE
"""Of all files of one inspection together, parts under way included (D28)."""
MAX_PIXELS = 50_000_000
"""Of one picture: a larger one is no photo but a bomb."""
MAX_DECODED_BYTES = 110 * MEBIBYTE
"""That decoding one picture may take: a few kilobytes can hold a picture that takes 800 MiB. 24 megapixels of HEIC, as
phones take them, and 28 of PNG are within it."""
MIN_PART_BYTES = 64 * 1024
"""Of every part but the last: 20 MiB are then at most 320 parts."""
PARTS_KEPT = timedelta(days=3)
ORPHANS_KEPT = timedelta(days=30)
"""How long a file is kept to which nothing refers."""


class MediaType(enum.StrEnum):
    """What is accepted (D28), as found in the content."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    HEIC = "image/heic"
    PDF = "application/pdf"
    MP4 = "video/mp4"

    @property
    def is_picture(self) -> bool:
        """Whether copies are made and shown instead of the original."""
        return self.value.startswith("image/")

    @property
    def suffix(self) -> str:
        """The ending of a file name."""
        return "jpg" if self is MediaType.JPEG else self.value.partition("/")[2]


class Shown(enum.StrEnum):
    """Which rendition is asked for: a copy whose longer side has so many pixels, or the sealed original."""

    THUMBNAIL = "320"
    LARGE = "1600"
    ORIGINAL = "original"


COPIES: Mapping[Shown, int] = {Shown.THUMBNAIL: 320, Shown.LARGE: 1600}
"""The longer side of each copy in pixels, at most."""


class CopiesState(enum.StrEnum):
    """`none`: there are none to make; `failed`: the original does not decode, which upload should have found."""

    WAITING = "waiting"
    READY = "ready"
    NONE = "none"
    FAILED = "failed"


class BlobPlace(msgspec.Struct, frozen=True):
    """Where blobs are kept: a folder's path or an `s3://bucket/prefix` address, with the store's own options."""

    url: str
    options: Mapping[str, str] = {}

    def __repr__(self) -> str:
        """Without the options: credentials are among them."""
        return f"BlobPlace({self.url!r})"


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What examining the content found."""

    media_type: MediaType
    width: int | None = None
    height: int | None = None


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """One stored original."""

    digest: bytes
    media_type: MediaType
    size: int
    width: int | None
    height: int | None
    copies: CopiesState
    quarantine_reason: str | None


class HandedIn(StoredFile, frozen=True, kw_only=True):
    """A file as it was handed in for one inspection by one side."""

    uploaded_by: UUID
    is_of_enterprise: bool
    done_at: datetime
    received_at: datetime


class EvidenceCard(msgspec.Struct, frozen=True, kw_only=True):
    """证据材料 as its upload is answered. `is_quarantined`: kept and sealed, and shown to nobody."""

    digest: str
    inspection_id: UUID
    media_type: MediaType
    size: int
    width: int | None
    height: int | None
    is_quarantined: bool
    done_at: datetime
    received_at: datetime


class UploadProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an upload in parts has come: `offset` bytes from the beginning are here without a gap, of `total`."""

    offset: int
    total: int


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A range that has arrived."""

    start: int
    size: int
    total: int


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """What assembling takes of a part: the bytes `skip` to `skip + take`."""

    part: Part
    skip: int
    take: int


class ContentRange(msgspec.Struct, frozen=True, kw_only=True):
    """`Content-Range: bytes start-last/total` of a part that comes."""

    start: int
    last: int
    total: int

    @property
    def size(self) -> int:
        """How many bytes the part has."""
        return self.last - self.start + 1


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Who hands in what: the side matters for what is shown later, the account for parts under way."""

    inspection_id: UUID
    digest: bytes
    account_id: UUID
    is_of_enterprise: bool
    department_id: UUID | None
    region: str
    site_id: UUID


class UploadStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What is known before the body is read: is the file stored, how much has the inspection, what is on its way."""

    is_stored: bool
    used: int
