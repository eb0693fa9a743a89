"""What happens to a manual."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class _ManualEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "经营手册管理"
    power: ClassVar[str] = "行政检查权"
    duty: ClassVar[str] = "经营手册编制"
    subject: ClassVar[str] = "manual"


class ManualFacts(msgspec.Struct, frozen=True, kw_only=True):
    """基本信息 of a manual."""

    name: str
    business_type: str
    object_scope: str | None
    place: int


class ManualCreated(_ManualEvent, frozen=True, kw_only=True):
    """新建."""

    action: ClassVar[str] = "manual.created"

    before: None = None
    after: ManualFacts


class ManualEdited(_ManualEvent, frozen=True, kw_only=True):
    """修改基本信息."""

    action: ClassVar[str] = "manual.edited"

    before: ManualFacts
    after: ManualFacts


class ManualContentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a version holds: how many requirements, the SHA-256 of its elements and of its file, in hexadecimal."""

    version_id: UUID
    number: int
    requirement_count: int
    digest: str
    file_digest: str | None = None


class ManualDraftBegun(_ManualEvent, frozen=True, kw_only=True):
    """新建版本 out of the current one."""

    action: ClassVar[str] = "manual.draft_begun"

    before: None = None
    after: ManualContentFacts


class ManualContentReplaced(_ManualEvent, frozen=True, kw_only=True):
    """修改要素 of the draft."""

    action: ClassVar[str] = "manual.content_replaced"

    before: ManualContentFacts
    after: ManualContentFacts


class ManualFileSet(_ManualEvent, frozen=True, kw_only=True):
    """手册附件: a file was attached to the draft, or taken away."""

    action: ClassVar[str] = "manual.file_set"

    before: ManualContentFacts
    after: ManualContentFacts


class ManualPublished(_ManualEvent, frozen=True, kw_only=True):
    """发布: the version is in force from now on, and never changes; or a disabled one is in force again."""

    duty: ClassVar[str] = "经营手册发布"
    action: ClassVar[str] = "manual.published"

    before: None = None
    after: ManualContentFacts


class ManualStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a manual is in force, and why not."""

    state: str
    reason: str | None = None


class ManualDisabled(_ManualEvent, frozen=True, kw_only=True):
    """停用 (撤回)."""

    duty: ClassVar[str] = "经营手册停用"
    action: ClassVar[str] = "manual.disabled"

    before: ManualStanding
    after: ManualStanding
