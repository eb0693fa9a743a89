"""Checklists on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Annotated
from uuid import UUID

import msgspec

from domain.checklist.intake import ItemReading
from domain.checklist.model import (
    MOST_ITEMS,
    ChecklistCard,
    ChecklistChange,
    ChecklistItem,
    ChecklistState,
    ChecklistSummary,
    ChecklistVersion,
    ItemContent,
    ItemMode,
    Severity,
    VersionAnswer,
)
from domain.shared.cells import RowFault


class ChecklistPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lists, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[ChecklistSummary]
    next_cursor: str | None


class ChecklistChangePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some changes, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[ChecklistChange]
    next_cursor: str | None


class VersionLine(msgspec.Struct, frozen=True, kw_only=True):
    """版本; a draft has no digest (SHA-256 of its rows, hexadecimal) yet."""

    id: UUID
    number: int
    is_current: bool
    digest: str | None
    created_at: datetime
    published_at: datetime | None
    published_by: str | None


class ChecklistDetail(ChecklistSummary, frozen=True, kw_only=True):
    """检查单 whole (CHK-03): every version, and the rows of the one that `shown_version` names."""

    versions: list[VersionLine]
    shown_version: int | None
    items: list[ChecklistItem]


class DraftItems(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """检查内容 of the draft, whole and in order."""

    items: Annotated[list[ItemContent], msgspec.Meta(max_length=MOST_ITEMS)]


class StateOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """启用 or 停用."""

    state: ChecklistState


class ItemImportAnswer(VersionAnswer, frozen=True, kw_only=True):
    """导入结果: how many rows are in the draft now, how many were kept out, and every fault by line and column."""

    accepted: int
    rejected: int
    faults: list[RowFault]
    unknown_columns: list[str]


class PreviewHeader(msgspec.Struct, frozen=True, kw_only=True):
    """表头 (CHK-09): 检查时间, 检查单号, 检查对象 and what identifies it; blank where no object was chosen."""

    title: str
    checklist_code: str
    version: int
    areas: list[str]
    inspected_at: datetime | None = None
    record_number: str | None = None
    object_name: str | None = None
    object_category: str | None = None
    organisation_form: str | None = None
    uscc: str | None = None
    legal_representative: str | None = None
    contact: str | None = None
    business_address: str | None = None
    inspected_address: str | None = None


class PreviewRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row as it is printed; `legal_basis` says 待核 where nobody has checked it yet."""

    place: int
    matter: str
    sub_matter: str | None
    content: str
    method: str
    mode: ItemMode
    is_on_site: bool
    severity: Severity
    is_mandatory: bool
    department_code: str | None
    legal_basis: list[str]


class PreviewArea(msgspec.Struct, frozen=True, kw_only=True):
    """检查领域 with its rows."""

    area: str
    rows: list[PreviewRow]


class ChecklistPreview(msgspec.Struct, frozen=True, kw_only=True):
    """预览 as the form is laid out (CHK-09)."""

    header: PreviewHeader
    areas: list[PreviewArea]


def to_summary(card: ChecklistCard) -> ChecklistSummary:
    """What a list line tells."""
    return ChecklistSummary(**{name: getattr(card, name) for name in ChecklistSummary.__struct_fields__})


def to_detail(
    card: ChecklistCard,
    versions: Sequence[ChecklistVersion],
    shown: ChecklistVersion | None,
    items: list[ChecklistItem],
) -> ChecklistDetail:
    """The whole of it, with the rows of the version `shown`."""
    return ChecklistDetail(
        **msgspec.structs.asdict(to_summary(card)),
        versions=[_version_line(version, card.current_version_id) for version in versions],
        shown_version=None if shown is None else shown.number,
        items=items,
    )


def _version_line(version: ChecklistVersion, current: UUID | None) -> VersionLine:
    return VersionLine(
        id=version.id,
        number=version.number,
        is_current=version.id == current,
        digest=None if version.digest is None else version.digest.hex(),
        created_at=version.created_at,
        published_at=version.published_at,
        published_by=version.published_by,
    )


def to_preview(card: ChecklistCard, version: ChecklistVersion, items: Sequence[ChecklistItem]) -> ChecklistPreview:
    """The form of one version, for no object in particular."""
    areas = [
        PreviewArea(area=area, rows=[_preview_row(item) for item in rows])
        for area, rows in groupby(items, key=lambda item: item.area)
    ]
    header = PreviewHeader(
        title=card.name,
        checklist_code=card.code,
        version=version.number,
        areas=list(dict.fromkeys(item.area for item in items)),
    )
    return ChecklistPreview(header=header, areas=areas)


def _preview_row(item: ChecklistItem) -> PreviewRow:
    same = {name: getattr(item, name) for name in PreviewRow.__struct_fields__ if name != "legal_basis"}
    return PreviewRow(**same, legal_basis=[basis.text for basis in item.legal_basis])


def to_import_answer(answer: VersionAnswer, reading: ItemReading) -> ItemImportAnswer:
    """What came of an import."""
    return ItemImportAnswer(
        **msgspec.structs.asdict(answer),
        accepted=len(reading.items),
        rejected=reading.rejected,
        faults=reading.faults,
        unknown_columns=reading.unknown_columns,
    )
