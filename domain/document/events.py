"""What happens to papers and their templates."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.shared.events import Event


class _DocumentEvent(Event, frozen=True, kw_only=True):
    business: ClassVar[str] = "执法文书"
    power: ClassVar[str] = "行政检查权"
    subject: ClassVar[str] = "document"


class IssuedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was issued. `content_digest` is the SHA-256 of the frozen content, both digests in hexadecimal."""

    kind: str
    inspection_id: UUID
    about_id: UUID
    template_id: UUID | None
    issued_on: date
    content_digest: str
    record_digest: str | None


class DocumentIssued(_DocumentEvent, frozen=True, kw_only=True):
    """文书制发: the paper's content is frozen; the worker makes its PDF. `subject_id` is the document's id."""

    duty: ClassVar[str] = "文书制发"
    action: ClassVar[str] = "document.issued"

    before: None = None
    after: IssuedFacts


class RenderedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The PDF: its SHA-256 in hexadecimal, size in bytes, pages."""

    digest: str
    size: int
    page_count: int


class DocumentRendered(_DocumentEvent, frozen=True, kw_only=True):
    """文书生成: the PDF is there."""

    duty: ClassVar[str] = "文书生成"
    action: ClassVar[str] = "document.rendered"

    before: None = None
    after: RenderedFacts


class FailureFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Why no PDF could be made."""

    reason: str


class DocumentNotRendered(_DocumentEvent, frozen=True, kw_only=True):
    """文书生成失败: told once; the worker tries again all the same."""

    duty: ClassVar[str] = "文书生成"
    action: ClassVar[str] = "document.not_rendered"

    before: None = None
    after: FailureFacts


class SealFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How the paper is sealed, and the digest of its scan."""

    seal: str
    digest: str | None


class DocumentSealed(_DocumentEvent, frozen=True, kw_only=True):
    """文书盖章: the scan of the sealed paper was handed in."""

    duty: ClassVar[str] = "文书盖章"
    action: ClassVar[str] = "document.sealed"

    before: SealFacts
    after: SealFacts


class RevocationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Why the paper no longer holds."""

    reason: str


class DocumentRevoked(_DocumentEvent, frozen=True, kw_only=True):
    """文书撤销: it keeps its number; who verifies it is told."""

    duty: ClassVar[str] = "文书撤销"
    action: ClassVar[str] = "document.revoked"

    before: None = None
    after: RevocationFacts


class TemplateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A template as the trace tells it; `body_digest` is the SHA-256 of its canonical body, in hexadecimal."""

    kind: str
    name: str
    version: int
    state: str
    body_digest: str
    note: str | None = None


class TemplateChanged(Event, frozen=True, kw_only=True):
    """部门文书 drafted, edited, reviewed or put to use (LAW-02 to LAW-05); `after` is None once it is deleted."""

    business: ClassVar[str] = "执法文书"
    power: ClassVar[str] = "文书管理权"
    duty: ClassVar[str] = "文书模板管理与审核"
    action: ClassVar[str] = "document_template.changed"
    subject: ClassVar[str] = "document_template"

    before: TemplateFacts | None
    after: TemplateFacts | None
