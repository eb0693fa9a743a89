"""Rules of evidence: functions of values."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from domain.evidence.model import (
    MAX_FILE_BYTES,
    MAX_INSPECTION_BYTES,
    MIN_PART_BYTES,
    ContentRange,
    HandedIn,
    Part,
    Piece,
    Shown,
    StoredFile,
)
from domain.shared.errors import DomainError, Forbidden, InvalidField

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_RANGE = re.compile(r"bytes (\d{1,12})-(\d{1,12})/(\d{1,12})")


class DigestMismatch(DomainError):
    """The SHA-256 of what came is not the one in the path; nothing of it was kept."""


class EvidenceTooLarge(DomainError):
    """A file of more than 20 MiB."""


class EvidenceQuotaReached(DomainError):
    """The inspection's 200 MiB are used up."""


class EvidenceTypeRefused(DomainError):
    """The content is none of JPEG, PNG, WebP, HEIC, PDF and MP4, or a PDF that would act by itself."""


class EvidenceUnreadable(DomainError):
    """The content is of an accepted type and broken, truncated or too large to decode."""


class EvidenceMissing(DomainError):
    """A write refers to files that were not handed in for its inspection; `digests` in the facts names them."""


class EvidenceQuarantined(DomainError):
    """The scanner has set the file aside; it is shown to nobody."""


def parse_digest(text: str) -> bytes:
    """The SHA-256 that names a file, from its 64 hexadecimal digits. Raises `InvalidField`."""
    if not _DIGEST.fullmatch(text):
        raise InvalidField("应为文件 SHA-256 的64位十六进制。", field="digest")
    return bytes.fromhex(text)


def parse_content_range(text: str) -> ContentRange:
    """A part's place. Raises `InvalidField`, or `EvidenceTooLarge` when the whole would be more than 20 MiB."""
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise InvalidField("应为 bytes 起-止/总长。", field="Content-Range")
    start, last, total = (int(each) for each in match.groups())
    if total > MAX_FILE_BYTES:
        raise EvidenceTooLarge("单个文件不超过20MB。")
    if not start <= last < total:
        raise InvalidField("起止位置不在总长之内。", field="Content-Range")
    place = ContentRange(start=start, last=last, total=total)
    if place.size < MIN_PART_BYTES and last + 1 < total:
        raise InvalidField("除最后一段外，每段不少于64KB。", field="Content-Range", minimum=MIN_PART_BYTES)
    return place


def require_size(size: int) -> None:
    """Raises `EvidenceTooLarge`."""
    if size > MAX_FILE_BYTES:
        raise EvidenceTooLarge("单个文件不超过20MB。")


def require_room(used: int, size: int) -> None:
    """Raises `EvidenceQuotaReached` when `size` more bytes would pass the inspection's limit."""
    if used + size > MAX_INSPECTION_BYTES:
        raise EvidenceQuotaReached("本次检查的证据材料已达200MB上限。", used=used, limit=MAX_INSPECTION_BYTES)


def contiguous_end(parts: Sequence[Part], total: int) -> int:
    """How many bytes from the beginning are here without a gap; parts of another total do not count."""
    end = 0
    for part in sorted(parts, key=lambda part: part.start):
        if part.total != total:
            continue
        if part.start > end:
            break
        end = max(end, part.start + part.size)
    return min(end, total)


def plan_assembly(parts: Sequence[Part], total: int) -> list[Piece] | None:
    """Which bytes of which part make the whole, overlaps taken once; None while something is missing."""
    if contiguous_end(parts, total) < total:
        return None
    pieces: list[Piece] = []
    at = 0
    for part in sorted(parts, key=lambda part: (part.start, -part.size)):
        end = min(part.start + part.size, total)
        if part.total == total and part.start <= at < end:
            pieces.append(Piece(part=part, skip=at - part.start, take=end - at))
            at = end
    return pieces


def visible_to_enterprise(rows: Sequence[HandedIn], cited: Collection[bytes]) -> list[HandedIn]:
    """Of one file's rows those an enterprise may see: what its own side handed in, and what is `cited` to it."""
    return [row for row in rows if row.is_of_enterprise or row.digest in cited]


def require_shown(file: StoredFile, shown: Shown, *, is_lead: bool) -> None:
    """Raises `EvidenceQuarantined`, or `Forbidden` for an original that only leads may open."""
    if file.quarantine_reason is not None:
        raise EvidenceQuarantined("该文件已被隔离，不予显示。")
    if shown is Shown.ORIGINAL and not is_lead:
        raise Forbidden("原始文件仅限部门管理员和牵头部门领导调阅。")
