"""Manuals on the wire, for the desk and for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec

from domain.manual.model import (
    MOST_ELEMENTS,
    Chapter,
    ManualCard,
    ManualState,
    ManualVersion,
    PublishedManual,
)


class ManualStart(NamedTuple):
    """After which manual a list goes on."""

    place: int
    id: UUID


FIRST_MANUAL = ManualStart(-1, UUID(int=0))


class ManualViews(msgspec.Struct, frozen=True, kw_only=True):
    """浏览次数 (MAN-09): of everybody, and of them the public's and the staff's; some seconds late."""

    total: int
    public: int
    staff: int


class ManualSummary(msgspec.Struct, frozen=True, kw_only=True):
    """经营手册 in the desk's list (MAN-02): 手册名称, 所属业态, 制定部门, 状态, 排序, 浏览次数."""

    id: UUID
    name: str
    business_type: str
    object_scope: str | None
    department_id: UUID
    department: str
    place: int
    state: ManualState
    current_version_number: int | None
    views: ManualViews
    created_at: datetime
    updated_at: datetime


class ManualPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some manuals by 排序值, and the cursor of the next; no cursor means the end."""

    items: list[ManualSummary]
    next_cursor: str | None


class ManualVersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """版本 (MAN-05); a draft has no digest (SHA-256 of its elements, hexadecimal) yet."""

    id: UUID
    number: int
    is_current: bool
    digest: str | None
    file_digest: str | None
    created_at: datetime
    created_by: str
    published_at: datetime | None
    published_by: str | None


class ManualDetail(ManualSummary, frozen=True, kw_only=True):
    """经营手册 whole: its versions, and the elements of the one that `shown_version` names."""

    versions: list[ManualVersionLine]
    shown_version: int | None
    chapters: list[Chapter]


class DraftElements(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The draft's elements, whole and in order."""

    chapters: Annotated[list[Chapter], msgspec.Meta(max_length=MOST_ELEMENTS)]


class ManualFileOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """手册附件 by its SHA-256 (hexadecimal), handed in as an attachment before; null: none."""

    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None


class DisableOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """停用 (撤回), and why."""

    reason: Annotated[str, msgspec.Meta(max_length=400)]


def to_summary(card: ManualCard) -> ManualSummary:
    """What a line of the desk's list tells."""
    same = {name: getattr(card, name) for name in ManualSummary.__struct_fields__ if name != "views"}
    views = ManualViews(total=card.public_views + card.staff_views, public=card.public_views, staff=card.staff_views)
    return ManualSummary(**same, views=views)


def to_detail(
    card: ManualCard, versions: Sequence[ManualVersion], shown: ManualVersion | None, chapters: list[Chapter]
) -> ManualDetail:
    """The whole of it, with the elements of the version `shown`."""
    return ManualDetail(
        **msgspec.structs.asdict(to_summary(card)),
        versions=[_line(version, card.current_version_id) for version in versions],
        shown_version=None if shown is None else shown.number,
        chapters=chapters,
    )


def _line(version: ManualVersion, current: UUID | None) -> ManualVersionLine:
    return ManualVersionLine(
        id=version.id,
        number=version.number,
        is_current=version.id == current,
        digest=None if version.digest is None else version.digest.hex(),
        file_digest=None if version.file_digest is None else version.file_digest.hex(),
        created_at=version.created_at,
        created_by=version.created_by,
        published_at=version.published_at,
        published_by=version.published_by,
    )


class PublicManualLine(msgspec.Struct, frozen=True, kw_only=True):
    """经营手册 in force, in the public list (PUB-01): 手册名称, 所属业态, 制定部门."""

    id: UUID
    name: str
    business_type: str
    object_scope: str | None
    department: str
    version: int
    has_file: bool
    published_at: datetime


class PublicManualPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some manuals in force, and the cursor of the next; no cursor means the end."""

    items: list[PublicManualLine]
    next_cursor: str | None


class PublicManual(PublicManualLine, frozen=True, kw_only=True):
    """经营手册 as anybody reads it (PUB-02): by chapter, section and requirement, each with its 风险提示."""

    chapters: list[Chapter]


def to_public_line(manual: PublishedManual) -> PublicManualLine:
    """What the public list tells."""
    return PublicManualLine(**{name: getattr(manual, name) for name in PublicManualLine.__struct_fields__})


def to_public(manual: PublishedManual, chapters: list[Chapter]) -> PublicManual:
    """The whole of it."""
    return PublicManual(**msgspec.structs.asdict(to_public_line(manual)), chapters=chapters)


def to_draft_view(card: ManualCard, version: ManualVersion, chapters: list[Chapter]) -> PublicManual:
    """A version as it would be read were it in force."""
    same = {name: getattr(card, name) for name in ("id", "name", "business_type", "object_scope", "department")}
    return PublicManual(
        **same,
        version=version.number,
        has_file=version.file_digest is not None,
        published_at=version.published_at or version.created_at,
        chapters=chapters,
    )
