"""What a file is, told by its content and never by its name or by what its sender calls it (D28)."""

from __future__ import annotations

import re
from typing import Final

from domain.evidence.model import MediaType
from domain.evidence.rules import EvidenceTypeRefused, EvidenceUnreadable

_ACCEPTED: Final = "仅接受 JPEG、PNG、WebP、HEIC、PDF、MP4 文件。"
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_MP4_BRANDS: Final = frozenset(
    {b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"mp71", b"avc1", b"dash", b"M4V "}
)
_TRAILER_WITHIN: Final = 1024
_SHORT_BOX: Final = 8
_LONG_BOX: Final = 16
_MAX_BOXES: Final = 100_000
"""A fragmented recording of 20 MiB has some thousands."""


def _name(word: str) -> bytes:
    """A PDF name as a pattern; each of its letters may be written as `#` and two hexadecimal digits (ISO 32000)."""
    return b"/" + b"".join(b"(?:%c|#(?i:%02x))" % (ord(letter), ord(letter)) for letter in word)


_ACTS: Final = re.compile(b"(?:" + b"|".join(_name(word) for word in ("JavaScript", "Launch")) + rb")(?![A-Za-z0-9])")


def media_type_of(content: bytes) -> MediaType:
    """The type of `content`; pictures are still to be decoded, PDF and MP4 are checked in their structure.

    Raises `EvidenceTypeRefused` or `EvidenceUnreadable`.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return MediaType.WEBP
    if content.startswith(b"%PDF-"):
        _require_plain_pdf(content)
        return MediaType.PDF
    if content[4:8] == b"ftyp":
        return _of_brands(content)
    raise EvidenceTypeRefused(_ACCEPTED)


def _require_plain_pdf(content: bytes) -> None:
    """Whole at both ends, and nothing in plain sight that acts by itself; what is compressed is the scanner's."""
    if b"%%EOF" not in content[-_TRAILER_WITHIN:]:
        raise EvidenceUnreadable("PDF 文件不完整。")
    if _ACTS.search(content):
        raise EvidenceTypeRefused("PDF 文件含有脚本或启动动作，不予接收。")


def _of_brands(content: bytes) -> MediaType:
    """HEIC or MP4: both are boxes, told apart by the brands in the first."""
    size = int.from_bytes(content[:4], "big")
    if not _LONG_BOX <= size <= len(content) or size % 4:
        raise EvidenceUnreadable("文件结构不完整。")
    major = content[8:12]
    brands = {major, *(content[at : at + 4] for at in range(_LONG_BOX, size, 4))}
    if major in _AVIF_BRANDS:
        raise EvidenceTypeRefused(_ACCEPTED)
    if major in _HEIC_BRANDS:
        return MediaType.HEIC
    if brands.isdisjoint(_MP4_BRANDS):
        raise EvidenceTypeRefused(_ACCEPTED)
    kinds = _top_level_boxes(content)
    if b"moov" not in kinds or not kinds & {b"mdat", b"moof"}:
        raise EvidenceUnreadable("MP4 文件不完整。")
    return MediaType.MP4


def _top_level_boxes(content: bytes) -> set[bytes]:
    """The kinds of the boxes that follow one another to the very end. Raises `EvidenceUnreadable`."""
    kinds: set[bytes] = set()
    at = 0
    for _ in range(_MAX_BOXES):
        if at == len(content):
            return kinds
        kinds.add(content[at + 4 : at + _SHORT_BOX])
        at += _box_size(content, at)
    raise EvidenceUnreadable("MP4 文件结构不完整。")


def _box_size(content: bytes, at: int) -> int:
    left = len(content) - at
    size, header = int.from_bytes(content[at : at + 4], "big"), _SHORT_BOX
    if size == 0:  # to the end, by ISO/IEC 14496-12
        size = left
    elif size == 1:
        size, header = int.from_bytes(content[at + _SHORT_BOX : at + _LONG_BOX], "big"), _LONG_BOX
    if left < header or not header <= size <= left:
        raise EvidenceUnreadable("MP4 文件结构不完整。")
    return size
