"""Papers and their templates on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from domain.document.automatic import Automatic, automatic_of
from domain.document.model import (
    Document,
    DocumentKind,
    DocumentState,
    Seal,
    VerificationState,
    Verified,
)
from domain.document.rules import spaced, verification_state
from domain.document.template_model import DocumentTemplate, TemplateLine
from domain.document.templates import MarkedField, TemplateBody, fields_of


class DocumentCard(msgspec.Struct, frozen=True, kw_only=True):
    """执法文书 (LAW-06). Digests are SHA-256 in hexadecimal; `size` in bytes; neither before the PDF is there."""

    id: UUID
    kind: DocumentKind
    kind_label: str
    title: str
    number: str | None
    subject_id: UUID
    inspection_id: UUID
    department_id: UUID
    department_name: str
    enterprise_id: UUID
    enterprise_name: str
    issued_on: date
    state: DocumentState
    digest: str | None
    size: int | None
    page_count: int | None
    record_digest: str | None
    seal: Seal
    bears_seal: bool
    sealed_copy: str | None
    verification_code: str
    file_url: str
    revoked_at: datetime | None
    revoke_reason: str | None
    created_at: datetime


class DocumentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some papers, the newest first, and the cursor of the next; no cursor means the end."""

    items: list[DocumentCard]
    next_cursor: str | None


class SealedCopyOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The scan of the sealed paper, handed in before as evidence of the inspection: its SHA-256 in hexadecimal."""

    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class VerificationView(msgspec.Struct, frozen=True, kw_only=True):
    """文书核验, for anybody: whether it is genuine, its number, date and digests, and nothing else."""

    state: VerificationState
    number: str | None
    issued_on: date
    digest: str | None
    record_digest: str | None


class TemplateList(msgspec.Struct, frozen=True, kw_only=True):
    """文书模板 that the caller may see."""

    items: list[TemplateLine]


class TemplateDetail(DocumentTemplate, frozen=True, kw_only=True):
    """文书模板 with what may be edited in it and what is put in by itself."""

    fields: list[MarkedField]
    automatic: list[Automatic]


def to_card(document: Document) -> DocumentCard:
    """A paper without its content."""
    same: dict[str, Any] = {
        name: getattr(document, name) for name in DocumentCard.__struct_fields__ if name in Document.__struct_fields__
    }
    told: dict[str, Any] = {
        "number": document.number,
        "kind_label": document.kind.label,
        "digest": _hex(document.pdf_digest),
        "size": document.pdf_size,
        "record_digest": _hex(document.record_digest),
        "sealed_copy": _hex(document.sealed_copy),
        "bears_seal": document.kind.bears_seal,
        "verification_code": spaced(document.verification_code),
        "file_url": f"/api/v1/documents/{document.id}/file.pdf",
    }
    return DocumentCard(**(same | told))


def to_verification(verified: Verified) -> VerificationView:
    """What anybody may know."""
    return VerificationView(
        state=verification_state(verified),
        number=verified.number,
        issued_on=verified.issued_on,
        digest=_hex(verified.pdf_digest),
        record_digest=_hex(verified.record_digest),
    )


def to_template_detail(template: DocumentTemplate) -> TemplateDetail:
    """A template with its fields."""
    return TemplateDetail(
        **msgspec.structs.asdict(template), fields=fields_of(template.body), automatic=automatic_of(template.kind)
    )


def encode_body(body: TemplateBody) -> bytes:
    """The body as a file that people can read."""
    return msgspec.json.format(msgspec.json.encode(body), indent=2)


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()
