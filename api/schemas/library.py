"""Checklists on the wire as anybody reads them (PUB-06, PUB-07)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from domain.checklist.model import ChecklistItem, ItemMode, PublicChecklist, Severity
from domain.shared.law import LegalBasis


class PublicChecklistLine(msgspec.Struct, frozen=True, kw_only=True):
    """检查单 in use (PUB-06): 检查单编码, 业态, 牵头部门, 检查单名称, 参与部门, 检查单说明."""

    id: UUID
    code: str
    name: str
    business_type: str
    lead_department: str
    participant_names: list[str]
    note: str | None
    version: int
    published_at: datetime


class PublicChecklistPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some lists, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[PublicChecklistLine]
    next_cursor: str | None


class PublicItem(msgspec.Struct, frozen=True, kw_only=True):
    """检查项 as anybody reads it (PUB-07).

    What guides the inspectors stays inside: their notes, and which objects get a row and how often. Who knew that
    would know what is not looked at.
    """

    code: str
    area: str
    matter: str
    sub_matter: str | None
    content: str
    method: str
    mode: ItemMode
    is_on_site: bool
    severity: Severity
    is_self_check: bool
    penalty_if_overdue: bool
    legal_basis: list[LegalBasis]


class PublicChecklistDetail(PublicChecklistLine, frozen=True, kw_only=True):
    """检查单 with the rows of its current version."""

    items: list[PublicItem]


def to_checklist_line(found: PublicChecklist) -> PublicChecklistLine:
    """What the public list tells."""
    return PublicChecklistLine(**{name: getattr(found, name) for name in PublicChecklistLine.__struct_fields__})


def to_checklist(found: PublicChecklist, items: Sequence[ChecklistItem]) -> PublicChecklistDetail:
    """The whole of it, as far as it is public."""
    return PublicChecklistDetail(
        **msgspec.structs.asdict(to_checklist_line(found)),
        items=[PublicItem(**{name: getattr(item, name) for name in PublicItem.__struct_fields__}) for item in items],
    )
