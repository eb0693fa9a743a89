"""What happens to a checklist."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class _ChecklistEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "检查单管理"
    power: ClassVar[str] = "行政检查权"
    duty: ClassVar[str] = "检查单编制"
    subject: ClassVar[str] = "checklist"


class BasicFacts(msgspec.Struct, frozen=True, kw_only=True):
    """基本信息 of a list."""

    code: str
    name: str
    business_type: str
    scene_code: str | None
    participants: list[UUID]
    is_default: bool
    note: str | None


class ChecklistCreated(_ChecklistEvent, frozen=True, kw_only=True):
    """新建."""

    action: ClassVar[str] = "checklist.created"

    before: None = None
    after: BasicFacts


class ChecklistEdited(_ChecklistEvent, frozen=True, kw_only=True):
    """修改基本信息."""

    action: ClassVar[str] = "checklist.edited"

    before: BasicFacts
    after: BasicFacts


class ContentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a version holds: how many rows, and the SHA-256 of them, in hexadecimal."""

    version_id: UUID
    number: int
    item_count: int
    digest: str
    file_digest: str | None = None


class ChecklistDraftBegun(_ChecklistEvent, frozen=True, kw_only=True):
    """新建版本 out of the current one."""

    action: ClassVar[str] = "checklist.draft_begun"

    before: None = None
    after: ContentFacts


class ChecklistContentReplaced(_ChecklistEvent, frozen=True, kw_only=True):
    """修改检查内容 of the draft, by hand or from a file."""

    action: ClassVar[str] = "checklist.content_replaced"

    before: ContentFacts
    after: ContentFacts


class ChecklistPublished(_ChecklistEvent, frozen=True, kw_only=True):
    """发布: the version is frozen, and current from now on."""

    duty: ClassVar[str] = "检查单发布"
    action: ClassVar[str] = "checklist.published"

    before: None = None
    after: ContentFacts


class StateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """启用, 停用 or deleted."""

    state: str
    is_deleted: bool = False


class ChecklistStateChanged(_ChecklistEvent, frozen=True, kw_only=True):
    """启用 or 停用."""

    duty: ClassVar[str] = "检查单启用停用"
    action: ClassVar[str] = "checklist.state_changed"

    before: StateFacts
    after: StateFacts


class ChecklistDeleted(_ChecklistEvent, frozen=True, kw_only=True):
    """删除: marked, and gone from every list; what was inspected by it stays."""

    duty: ClassVar[str] = "检查单删除"
    action: ClassVar[str] = "checklist.deleted"

    before: StateFacts
    after: StateFacts
