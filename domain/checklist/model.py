"""Values of checklists, their versions, items and changes."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.shared.law import MOST_BASES, LegalBasis

MOST_ITEMS = 500
"""How many rows a version may have."""


class ChecklistState(enum.StrEnum):
    """未启用 / 启用 / 停用: a list begins as a draft, and is switched between the others once published."""

    DRAFT = "draft"
    ENABLED = "enabled"
    DISABLED = "disabled"


class ItemMode(enum.StrEnum):
    """一次查 / 日常查."""

    ONCE = "once"
    DAILY = "daily"

    @property
    def label(self) -> str:
        """The word that stands in a file."""
        return "一次查" if self is ItemMode.ONCE else "日常查"


class Severity(enum.StrEnum):
    """轻微 / 一般 / 严重: how grave a problem found here is."""

    MINOR = "minor"
    GENERAL = "general"
    SEVERE = "severe"

    @property
    def label(self) -> str:
        """The word that stands in a file."""
        return {Severity.MINOR: "轻微", Severity.GENERAL: "一般", Severity.SEVERE: "严重"}[self]


class Grade(enum.StrEnum):
    """等级 A to D of an object: which objects get an item (CHK-03); D gets most."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class ChangeKind(enum.StrEnum):
    """操作类型 of the change log (CHK-07)."""

    CREATED = "created"
    EDITED = "edited"
    DRAFT_BEGUN = "draft_begun"
    ITEMS_REPLACED = "items_replaced"
    ITEMS_IMPORTED = "items_imported"
    PUBLISHED = "published"
    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"


Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^\S(?:[^\r\n]*\S)?$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
LongText = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class ItemContent(msgspec.Struct, frozen=True, kw_only=True):
    """检查内容: one row as people write it (CHK-03, CHK-06); its place is the order in which the rows stand.

    `code` names the row across versions. `department_code` None means the lead department's. `penalty_if_overdue`:
    a problem that is not corrected in time is handed over for penalty by default.
    """

    code: Code
    area: Name
    matter: Name
    sub_matter: Name | None = None
    content: LongText
    method: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    mode: ItemMode
    is_on_site: bool = True
    severity: Severity
    grades: Annotated[list[Grade], msgspec.Meta(min_length=1, max_length=4)]
    is_mandatory: bool = False
    is_self_check: bool = False
    penalty_if_overdue: bool = False
    department_code: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] | None = None
    guidance: LongText | None = None
    legal_basis: Annotated[list[LegalBasis], msgspec.Meta(max_length=MOST_BASES)] = []


class ChecklistItem(ItemContent, frozen=True, kw_only=True):
    """A stored row of one version, at its place from 1."""

    id: UUID
    place: int


class ChecklistVersion(msgspec.Struct, frozen=True, kw_only=True):
    """版本: a draft until `published_at`; `digest` is the SHA-256 of its items (see `digest_of`)."""

    id: UUID
    checklist_id: UUID
    number: int
    digest: bytes | None
    created_at: datetime
    published_at: datetime | None
    published_by: str | None


class ChecklistSummary(msgspec.Struct, frozen=True, kw_only=True):
    """检查单 without its rows (CHK-01, CHK-05)."""

    id: UUID
    code: str
    name: str
    business_type: str
    scene_code: str | None
    lead_department_id: UUID
    lead_department: str
    participants: list[UUID]
    participant_names: list[str]
    is_default: bool
    state: ChecklistState
    current_version_id: UUID | None
    current_version_number: int | None
    note: str | None
    created_at: datetime
    updated_at: datetime


class ChecklistCard(ChecklistSummary, frozen=True, kw_only=True):
    """检查单 with the ltree path of the region that its lead department is of."""

    region: str


class PublicChecklist(msgspec.Struct, frozen=True, kw_only=True):
    """检查单 in use, as anybody may know of it (PUB-06); `version` is the number of the current one."""

    id: UUID
    code: str
    name: str
    business_type: str
    lead_department: str
    participant_names: list[str]
    note: str | None
    version: int
    version_id: UUID
    published_at: datetime


class ChecklistChange(msgspec.Struct, frozen=True, kw_only=True):
    """变更记录 (CHK-07): 操作类型, 操作部门, 操作人, 操作时间."""

    id: UUID
    action: ChangeKind
    department: str | None
    operator_name: str
    note: str | None
    at: datetime


class EnabledChecklist(msgspec.Struct, frozen=True, kw_only=True):
    """The version that an inspection dispatched now works by, and keeps (D11)."""

    checklist_id: UUID
    code: str
    name: str
    version_id: UUID
    version_number: int
    digest: bytes


class Editor(msgspec.Struct, frozen=True, kw_only=True):
    """操作人 of a change, for which department, and the region whose subtree they may see."""

    name: str
    department_id: UUID
    region: str | None = None


class BasicFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """基本信息 that may be changed at any time (CHK-05)."""

    name: Name
    business_type: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    scene_code: Annotated[str, msgspec.Meta(max_length=10)] | None = None
    participants: Annotated[list[UUID], msgspec.Meta(max_length=30)] = []
    is_default: bool = False
    note: Annotated[str, msgspec.Meta(max_length=2000)] | None = None


class NewChecklist(BasicFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """新建检查单, with an empty first draft, or one that begins with the current rows of `copy_of` (CHK-08)."""

    code: Code
    copy_of: UUID | None = None


class ChecklistAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a list stands after a change of it."""

    id: UUID
    code: str
    state: ChecklistState
    updated_at: datetime


class VersionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a version stands after a change of it; `digest` in hexadecimal, also of a draft."""

    checklist_id: UUID
    version_id: UUID
    number: int
    item_count: int
    digest: str
    published_at: datetime | None = None
