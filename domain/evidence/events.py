"""What happens to evidence."""

from __future__ import annotations

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
