"""Values of templates of papers (LAW-02 to LAW-05)."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.document.model import DocumentKind
from domain.document.templates import TemplateBody


class TemplateState(enum.StrEnum):
    """草稿 / 待审核 / 退回修改 / 已启用 / 未启用 (reviewed, not in use)."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    PUBLISHED = "published"
    DISABLED = "disabled"


class TemplateStep(enum.StrEnum):
    """送审 / 审核通过 / 退回 / 启用 / 停用."""

    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    PUBLISH = "publish"
    DISABLE = "disable"


class TemplateLine(msgspec.Struct, frozen=True, kw_only=True):
    """部门文书 in a list; no department: for all."""

    id: UUID
    kind: DocumentKind
    department_id: UUID | None
    department_name: str | None
    name: str
    version: int
    state: TemplateState
    note: str | None
    place: int
    drafted_by: UUID
    drafted_by_name: str
    drafted_at: datetime
    reviewed_by: UUID | None
    reviewed_by_name: str | None
    reviewed_at: datetime | None
    review_note: str | None


class DocumentTemplate(TemplateLine, frozen=True, kw_only=True):
    """文书模板 with its body."""

    body: TemplateBody


class TemplateText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody writes of a template. `place` is 排序号."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    body: TemplateBody
    note: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    place: Annotated[int, msgspec.Meta(ge=0, le=9999)] = 0


class NewTemplate(TemplateText, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new version of the templates of `kind`, as a draft."""

    kind: DocumentKind


class StepOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a template's life; a return needs its note."""

    step: TemplateStep
    note: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class TemplateAuthor(msgspec.Struct, frozen=True, kw_only=True):
    """Who works on templates, and of which department: None works on those for all."""

    id: UUID
    name: str
    department_id: UUID | None


class TemplateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a template stands after a write; no state once it is deleted."""

    id: UUID
    version: int
    state: TemplateState | None
