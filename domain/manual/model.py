"""Values of manuals: their versions, chapters, sections and requirements, and how two versions differ."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.shared.law import MOST_BASES, LegalBasis

MOST_ELEMENTS = 500
"""How many chapters, sections and requirements a version may have in all."""


class ManualState(enum.StrEnum):
    """编制中 / 已发布 / 已停用: in force only while published (MAN-06)."""

    DRAFT = "draft"
    PUBLISHED = "published"
    DISABLED = "disabled"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return {"draft": "编制中", "published": "已发布", "disabled": "已停用"}[self.value]


class ElementKind(enum.StrEnum):
    """章, 节, 条款."""

    CHAPTER = "chapter"
    SECTION = "section"
    REQUIREMENT = "requirement"


ElementCode = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^\S(?:[^\r\n]*\S)?$")]
ElementText = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Heading = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """条款: what an enterprise has to do, and in `hint` (风险提示) what happens to who does not, one to one (MAN-01).

    `item_codes` are the rows of the checklist of the same 业态 that it answers. `code` names it across versions.
    """

    code: ElementCode
    text: ElementText
    hint: ElementText | None = None
    legal_basis: Annotated[list[LegalBasis], msgspec.Meta(max_length=MOST_BASES)] = []
    item_codes: Annotated[list[ElementCode], msgspec.Meta(max_length=20)] = []


class ManualSection(msgspec.Struct, frozen=True, kw_only=True):
    """节 of a chapter."""

    code: ElementCode
    title: Heading
    requirements: Annotated[list[Requirement], msgspec.Meta(max_length=MOST_ELEMENTS)] = []


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """章: its own requirements, then its sections."""

    code: ElementCode
    title: Heading
    requirements: Annotated[list[Requirement], msgspec.Meta(max_length=MOST_ELEMENTS)] = []
    sections: Annotated[list[ManualSection], msgspec.Meta(max_length=MOST_ELEMENTS)] = []


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """要素 as it is stored: one row of the tree, in the order in which it is read; a heading has only its `text`."""

    kind: ElementKind
    code: str
    text: str
    hint: str | None = None
    legal_basis: list[LegalBasis] = []
    item_codes: list[str] = []


def requirements_of(chapters: Sequence[Chapter]) -> Iterator[Requirement]:
    """Every requirement, in order."""
    for chapter in chapters:
        yield from chapter.requirements
        for section in chapter.sections:
            yield from section.requirements


class ManualVersion(msgspec.Struct, frozen=True, kw_only=True):
    """版本: a draft until `published_at`; `digest` is the SHA-256 of its elements (see `rules.digest_of`)."""

    id: UUID
    manual_id: UUID
    number: int
    digest: bytes | None
    file_digest: bytes | None
    created_at: datetime
    created_by: str
    published_at: datetime | None
    published_by: str | None


class ManualCard(msgspec.Struct, frozen=True, kw_only=True):
    """经营手册 without its elements (MAN-02, MAN-03); `region` is the ltree path of the making department."""

    id: UUID
    name: str
    business_type: str
    object_scope: str | None
    department_id: UUID
    department: str
    region: str
    place: int
    state: ManualState
    current_version_id: UUID | None
    current_version_number: int | None
    public_views: int
    staff_views: int
    created_at: datetime
    updated_at: datetime


class PublishedManual(msgspec.Struct, frozen=True, kw_only=True):
    """经营手册 in force, as anybody may know of it (PUB-01)."""

    id: UUID
    name: str
    business_type: str
    object_scope: str | None
    department: str
    place: int
    version: int
    version_id: UUID
    has_file: bool
    published_at: datetime


class ManualOfSite(msgspec.Struct, frozen=True, kw_only=True):
    """经营手册 that a site of that 业态 goes by; `version` is the number of the one in force."""

    id: UUID
    name: str
    business_type: str
    version: int


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """操作人 of a change, of which department, and the region whose subtree they may see."""

    name: str
    department_id: UUID
    region: str | None = None


class ManualFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """基本信息 that may be changed at any time (MAN-03): 手册名称, 监管对象范围, 排序值; the smaller comes first."""

    name: Heading
    object_scope: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    place: Annotated[int, msgspec.Meta(ge=0, le=9999)] = 0


class NewManual(ManualFields, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """新建手册 of the caller's department, for one 业态 (一业一册), with an empty first draft."""

    business_type: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class ManualAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a manual stands after a change of it."""

    id: UUID
    state: ManualState
    updated_at: datetime


class ManualVersionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a version stands after a change of it; digests in hexadecimal, also of a draft."""

    manual_id: UUID
    version_id: UUID
    number: int
    requirement_count: int
    digest: str
    file_digest: str | None = None
    published_at: datetime | None = None


# ---- how two versions differ


class PartKind(enum.StrEnum):
    """Whether a part of a text stayed, went or came."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


class TextPart(msgspec.Struct, frozen=True, kw_only=True):
    """A run of words of a changed text."""

    kind: PartKind
    text: str


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field of an element that reads differently, word by word; joined, the parts give both texts."""

    field: str
    parts: list[TextPart]


class ElementChange(msgspec.Struct, frozen=True, kw_only=True):
    """An element that both versions have, and what became of it; `is_moved`: it stands under another heading."""

    kind: ElementKind
    code: str
    text: str
    is_moved: bool
    fields: list[FieldChange]


class ManualComparison(msgspec.Struct, frozen=True, kw_only=True):
    """版本比较 (MAN-05): element by element, in the order of the version that has them."""

    added: list[Element]
    removed: list[Element]
    changed: list[ElementChange]
    unchanged_count: int
