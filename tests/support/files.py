"""Files as phones send them: small ones of every accepted type, and such as are made to deceive."""

from __future__ import annotations

import hashlib
import io
import random
import struct
from typing import Any

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

PLACE = b"22.8170N108.3669E"
"""Stands in the metadata of every photo made here; no copy may hold it."""


def picture(
    kind: str = "JPEG", size: tuple[int, int] = (64, 48), *, seed: int = 1, quality: int = 80, **options: Any
) -> bytes:
    """A picture that is noise in its upper left part, with EXIF that tells a place unless `exif` says otherwise."""
    image = Image.new("RGB", size, (seed % 256, 120, 200))
    grain = (min(size[0], 32), min(size[1], 32))
    image.paste(Image.frombytes("RGB", grain, random.Random(seed).randbytes(grain[0] * grain[1] * 3)))
    written = io.BytesIO()
    image.save(written, kind, **{"exif": located(), "quality": quality, **options})
    return written.getvalue()


def noisy_photo(byte_count: int, *, seed: int = 1) -> bytes:
    """A JPEG of at least `byte_count` bytes and not much more."""
    side = 64
    while True:
        image = Image.frombytes("RGB", (side, side), random.Random(seed).randbytes(side * side * 3))
        written = io.BytesIO()
        image.save(written, "JPEG", quality=95)
        if written.tell() >= byte_count:
            return written.getvalue()
        side = int(side * max(1.05, (byte_count / written.tell()) ** 0.5))


def located(orientation: int = 1) -> bytes:
    """EXIF with an orientation and a place."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = PLACE.decode()
    return exif.tobytes()


def box(kind: bytes, content: bytes) -> bytes:
    """An ISO media box."""
    return struct.pack(">I", len(content) + 8) + kind + content


def film(brand: bytes = b"isom", payload: bytes = bytes(64)) -> bytes:
    """The least that is an MP4."""
    return box(b"ftyp", brand + bytes(4) + brand) + box(b"moov", bytes(16)) + box(b"mdat", payload)


def paper(inside: bytes = b"") -> bytes:
    """The least that is a PDF."""
    return b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog " + inside + b" >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def digest_of(content: bytes) -> str:
    """The name under which it is handed in."""
    return hashlib.sha256(content).hexdigest()
