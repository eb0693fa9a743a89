"""Rules of checklists: who sees and changes them, what a row must be, when a version is frozen."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import rfc8785

from domain.checklist.model import (
    BasicFields,
    ChecklistCard,
    ChecklistState,
    ChecklistVersion,
    Editor,
    Grade,
    ItemContent,
)
from domain.identity.model import Principal
from domain.shared.errors import DomainError, Forbidden, InvalidField, NotFound
from domain.shared.fields import tidied
from domain.shared.law import settle_basis

NOT_FOUND: Final = "没有该检查单。"


class ChecklistCodeTaken(DomainError):
    """Another list, perhaps a deleted one, bears the code."""


class ChecklistDraftExists(DomainError):
    """There is a draft already: edit or publish it."""


class NoChecklistDraft(DomainError):
    """There is no draft to edit or publish; a published version never changes."""


class ChecklistEmpty(DomainError):
    """A version without rows is not published."""


class ChecklistNotPublished(DomainError):
    """No version was published yet, so there is nothing to enable, disable or show."""


class ChecklistStillEnabled(DomainError):
    """An enabled list is disabled before it is deleted."""


class ChecklistStateUnchanged(DomainError):
    """The list is in that state already."""


class ChecklistFileUnreadable(DomainError):
    """The file as a whole cannot be imported."""


class ChecklistRowsUnusable(DomainError):
    """No row of the file can be imported; the draft stays as it was."""


# ---- who


def may_read(card: ChecklistCard, department_id: UUID | None, region: str | None) -> bool:
    """Whether a list is seen: by its own departments, from above, and by whoever works in the region it is for (D8)."""
    return takes_part(card, department_id) or _below(card.region, region) or _below(region, card.region)


def takes_part(card: ChecklistCard, department_id: UUID | None) -> bool:
    """Whether the department leads the list or takes part: then it sees the draft as well."""
    return department_id is not None and (
        department_id == card.lead_department_id or department_id in card.participants
    )


def _below(region: str | None, top: str | None) -> bool:
    return region is not None and top is not None and (region == top or region.startswith(f"{top}."))


def editor_of(principal: Principal) -> Editor:
    """The principal as one who changes lists. Raises `Forbidden` without a department."""
    if principal.department_id is None:
        raise Forbidden("该账号不属于任何部门。")
    return Editor(name=principal.name, department_id=principal.department_id, region=principal.region)


def require_readable(card: ChecklistCard | None, department_id: UUID | None, region: str | None) -> ChecklistCard:
    """The list. Raises `NotFound` where it is not there, or not for them."""
    if card is None or not may_read(card, department_id, region):
        raise NotFound(NOT_FOUND, field="checklist_id")
    return card


def require_editor(card: ChecklistCard | None, editor: Editor) -> ChecklistCard:
    """The list, for its lead department. Raises `NotFound`, or `Forbidden` for those who only read it."""
    found = require_readable(card, editor.department_id, editor.region)
    if found.lead_department_id != editor.department_id:
        raise Forbidden("只有牵头部门可以修改检查单。")
    return found


# ---- states


def require_draft(version: ChecklistVersion | None) -> ChecklistVersion:
    """Raises `NoChecklistDraft` when everything is published."""
    if version is None or version.published_at is not None:
        raise NoChecklistDraft("没有草稿版本；已发布的版本不可修改，请先新建版本。")
    return version


def require_no_draft(version: ChecklistVersion | None) -> None:
    """Raises `ChecklistDraftExists`."""
    if version is not None and version.published_at is None:
        raise ChecklistDraftExists("已有草稿版本，请先发布或继续修改。", number=version.number)


def require_state_change(card: ChecklistCard, state: ChecklistState) -> None:
    """启用 or 停用. Raises `ChecklistNotPublished`, `ChecklistStateUnchanged`, or `InvalidField` for 未启用."""
    if state is ChecklistState.DRAFT:
        raise InvalidField("只能启用或停用。", field="state")
    if card.current_version_id is None:
        raise ChecklistNotPublished("检查单尚未发布，不能启用或停用。")
    if card.state is state:
        raise ChecklistStateUnchanged("检查单已是该状态。", state=state.value)


def require_deletable(card: ChecklistCard) -> None:
    """Raises `ChecklistStillEnabled`."""
    if card.state is ChecklistState.ENABLED:
        raise ChecklistStillEnabled("检查单仍在启用，请先停用再删除。")


# ---- rows


def digest_of(items: Sequence[ItemContent]) -> bytes:
    """SHA-256 over the RFC 8785 JSON of the rows in their order.

    It covers what people wrote and no id, so that equal content has one digest wherever it is stored.
    """
    return hashlib.sha256(rfc8785.dumps([_plain(item) for item in items])).digest()


def _plain(item: ItemContent) -> dict[str, Any]:
    return {name: msgspec.to_builtins(getattr(item, name)) for name in ItemContent.__struct_fields__}


def settle_items(items: Sequence[ItemContent]) -> list[ItemContent]:
    """The rows as they are kept: texts tidied, grades in order. Raises `InvalidField` naming row and column."""
    settled: list[ItemContent] = []
    seen: set[str] = set()
    for place, item in enumerate(items):
        row = f"items[{place}]"
        kept = _settled(item, row)
        if kept.code in seen:
            raise InvalidField("编号重复。", field=f"{row}.code")
        seen.add(kept.code)
        settled.append(kept)
    return settled


_NEEDED: Final = ("code", "area", "matter", "content", "method")
_OPTIONAL: Final = ("sub_matter", "department_code", "guidance")


def _settled(item: ItemContent, row: str) -> ItemContent:
    texts: dict[str, str | None] = {}
    for name in (*_NEEDED, *_OPTIONAL):
        texts[name] = tidied(getattr(item, name), f"{row}.{name}", needed=name in _NEEDED)
    basis = [settle_basis(each, f"{row}.legal_basis[{place}]") for place, each in enumerate(item.legal_basis)]
    return msgspec.structs.replace(item, **texts, grades=in_order(item.grades), legal_basis=basis)


def in_order(grades: Sequence[Grade]) -> list[Grade]:
    """Each grade once, from A to D."""
    return sorted(set(grades), key=lambda grade: grade.value)


def with_codes(rows: Sequence[tuple[str | None, ItemContent]]) -> list[ItemContent]:
    """Rows under the codes that stand beside them; one without gets the next free number of three digits."""
    taken = {code for code, _ in rows}
    fresh = (number for number in map("{:03d}".format, itertools.count(1)) if number not in taken)
    return [msgspec.structs.replace(item, code=code or next(fresh)) for code, item in rows]


def settle_basics(fields: BasicFields, lead_department_id: UUID) -> BasicFields:
    """The basic fields as they are kept; the lead is not named again. Raises `InvalidField`."""
    others = sorted(set(fields.participants) - {lead_department_id})
    return msgspec.structs.replace(
        fields,
        name=tidied(fields.name, "name", needed=True),
        business_type=tidied(fields.business_type, "business_type", needed=True),
        note=tidied(fields.note, "note", needed=False),
        participants=others,
    )
