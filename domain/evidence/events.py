"""What happens to evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class EvidenceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A file handed in, as trace and live feed tell it."""

    inspection_id: UUID
    digest: str
    media_type: str
    size: int
    is_of_enterprise: bool
    is_quarantined: bool


class EvidenceStored(Event, frozen=True, kw_only=True):
    """证据材料上传: a file is kept for an inspection."""

    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "行政检查权"
    duty: ClassVar[str] = "证据材料上传"
    action: ClassVar[str] = "evidence.stored"
    subject: ClassVar[str] = "inspection"

    before: None = None
    after: EvidenceFacts


class OpenedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which original was looked at."""

    inspection_id: UUID
    digest: str


class EvidenceOriginalOpened(Event, frozen=True, kw_only=True):
    """原件调阅: somebody looked at a sealed original, which may show what the copies do not."""

    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "行政检查权"
    duty: ClassVar[str] = "证据原件调阅"
    action: ClassVar[str] = "evidence.original_opened"
    subject: ClassVar[str] = "inspection"

    before: None = None
    after: OpenedFacts


class SweptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch removed."""

    orphans: list[str]
    parts: int


class OrphansSwept(Event, frozen=True, kw_only=True):
    """清理: files to which nothing referred for 30 days, and parts of uploads given up."""

    business: ClassVar[str] = "行政检查"
    power: ClassVar[str] = "行政检查权"
    duty: ClassVar[str] = "证据材料清理"
    action: ClassVar[str] = "evidence.orphans_swept"
    subject: ClassVar[str] = "evidence"

    before: None = None
    after: SweptFacts


class AttachmentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """附件 as the trace tells it."""

    digest: str
    media_type: str
    size: int
    is_quarantined: bool


class AttachmentStored(Event, frozen=True, kw_only=True):
    """附件上传: an account or a citizen's pass, which is the subject, handed in a file."""

    business: ClassVar[str] = "公众服务"
    power: ClassVar[str] = "材料接收"
    duty: ClassVar[str] = "附件上传"
    action: ClassVar[str] = "attachment.stored"
    subject: ClassVar[str] = "uploader"

    before: None = None
    after: AttachmentFacts


class AttachmentOpened(Event, frozen=True, kw_only=True):
    """附件原件调阅: somebody looked at the original of a file in the folder that is the subject."""

    business: ClassVar[str] = "公众服务"
    power: ClassVar[str] = "材料接收"
    duty: ClassVar[str] = "附件原件调阅"
    action: ClassVar[str] = "attachment.original_opened"
    subject: ClassVar[str] = "folder"

    before: None = None
    after: AttachmentFacts


class SweptUploads(msgspec.Struct, frozen=True, kw_only=True):
    """Files that nobody attached within a day."""

    digests: list[str]


class UploadsSwept(Event, frozen=True, kw_only=True):
    """附件清理: files that nobody attached within a day are gone."""

    business: ClassVar[str] = "公众服务"
    power: ClassVar[str] = "材料接收"
    duty: ClassVar[str] = "附件清理"
    action: ClassVar[str] = "attachment.uploads_swept"
    subject: ClassVar[str] = "attachment"

    before: None = None
    after: SweptUploads

    @classmethod
    def of(cls, subject_id: UUID, digests: Sequence[bytes]) -> UploadsSwept:
        """The removal of `digests`."""
        return cls(subject_id=subject_id, after=SweptUploads(digests=[digest.hex() for digest in digests]))
