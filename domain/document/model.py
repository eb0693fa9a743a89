"""Values of papers: what stands on one, and where it is in its life."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from domain.document.events import DocumentIssued
from domain.shared.numbers import NumberKind, NumberRequest, paper_number


class DocumentKind(enum.StrEnum):
    """检查通知书 / 现场检查笔录 / 责令改正通知书 / 检查结果告知书."""

    INSPECTION_NOTICE = "inspection_notice"
    INSPECTION_RECORD = "inspection_record"
    RECTIFICATION_ORDER = "rectification_order"
    RESULT_NOTICE = "result_notice"

    @property
    def label(self) -> str:
        """The Chinese name that people see."""
        return _LABELS[self]

    @property
    def number_kind(self) -> NumberKind:
        """The series that its 文号 comes from."""
        return _NUMBER_KINDS[self]

    @property
    def bears_seal(self) -> bool:
        """Whether the authority seals it. A record is signed by those present and bears no seal."""
        return self is not DocumentKind.INSPECTION_RECORD


_LABELS = {
    DocumentKind.INSPECTION_NOTICE: "检查通知书",
    DocumentKind.INSPECTION_RECORD: "现场检查笔录",
    DocumentKind.RECTIFICATION_ORDER: "责令改正通知书",
    DocumentKind.RESULT_NOTICE: "检查结果告知书",
}
_NUMBER_KINDS = {
    DocumentKind.INSPECTION_NOTICE: NumberKind.NOTICE,
    DocumentKind.INSPECTION_RECORD: NumberKind.RECORD,
    DocumentKind.RECTIFICATION_ORDER: NumberKind.RECTIFICATION,
    DocumentKind.RESULT_NOTICE: NumberKind.RESULT,
}


class Heading(msgspec.Struct, frozen=True, tag="heading"):
    """小标题 within a paper."""

    text: str


class Paragraph(msgspec.Struct, frozen=True, tag="paragraph"):
    """A paragraph, its first line two characters in unless said otherwise; a line break in `text` starts a new one."""

    text: str
    is_indented: bool = True


class Facts(msgspec.Struct, frozen=True, tag="facts"):
    """A table of labels and values; an empty value leaves room to write by hand."""

    rows: list[tuple[str, str]]


class Finding(msgspec.Struct, frozen=True):
    """One line of a table of findings; `photos` are hexadecimal digests, shown as references."""

    place: int
    title: str
    text: str
    verdict: str
    measures: str = ""
    basis: str = ""
    photos: list[str] = []


class Findings(msgspec.Struct, frozen=True, tag="findings"):
    """Findings item by item; `headings` of the columns: place, title with basis, text, verdict with measures."""

    rows: list[Finding]
    headings: tuple[str, str, str, str] = ("序号", "检查内容", "检查情况", "结果")


class Photo(msgspec.Struct, frozen=True):
    """A picture by the SHA-256 of its original, in hexadecimal."""

    digest: str
    caption: str


class Photos(msgspec.Struct, frozen=True, tag="photos"):
    """照片, three in a row."""

    photos: list[Photo]


class SignatureBox(msgspec.Struct, frozen=True):
    """签名栏. `image` is the digest of a signature's picture; without one there is room to sign by hand."""

    label: str
    name: str = ""
    capacity: str = ""
    image: str | None = None
    signed_on: str = ""
    note: str = ""


class Signatures(msgspec.Struct, frozen=True, tag="signatures"):
    """签名 of everybody concerned, two boxes in a row, none broken across pages."""

    boxes: list[SignatureBox]


class Stamp(msgspec.Struct, frozen=True, tag="stamp"):
    """落款: the place of the seal."""

    authority: str
    issued_on: date


class Note(msgspec.Struct, frozen=True, tag="note"):
    """附注 in small type."""

    text: str


Block: TypeAlias = Heading | Paragraph | Facts | Findings | Photos | Signatures | Stamp | Note


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """文书 as it is frozen when it is issued: all that is printed but what the server adds (文号, code, QR, pages).

    `secrecy_mark` is printed at the head (商业秘密), `watermark` across each page.
    """

    kind: DocumentKind
    title: str
    authority: str
    issued_on: date
    blocks: list[Block]
    watermark: str | None = None
    secrecy_mark: str | None = None


class DocumentState(enum.StrEnum):
    """待生成 / 已生成 / 生成失败: of the PDF, which the worker makes."""

    WAITING = "waiting"
    RENDERED = "rendered"
    FAILED = "failed"


class Seal(enum.StrEnum):
    """未盖章 / 已盖章 on paper, the scan handed in / 电子印章."""

    NONE = "none"
    PAPER = "paper"
    ELECTRONIC = "electronic"


class DocumentOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be issued, about what (`subject_id`), in whose name. `id` is given where a phone made it."""

    kind: DocumentKind
    subject_id: UUID
    inspection_id: UUID
    department_id: UUID
    department_code: str
    enterprise_id: UUID
    site_id: UUID
    region: str
    paper: Paper
    record_digest: bytes | None = None
    template_id: UUID | None = None
    id: UUID | None = None
    is_numbered: bool = True


class IssuedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An issued paper, with what its transaction still has to do: tell the event, issue the number."""

    id: UUID
    verification_code: str
    event: DocumentIssued
    numbers: tuple[NumberRequest, ...]


class NumberColumns(msgspec.Struct, frozen=True, kw_only=True):
    """The number that a paper bears, as the register of numbers holds it; all None for a paper without."""

    paper_word: str | None
    number_department: str | None
    number_kind: NumberKind | None
    number_year: int | None
    number_sequence: int | None

    @property
    def number(self) -> str | None:
        """文号, or the internal number of a department without 机关代字."""
        department, kind, year = self.number_department, self.number_kind, self.number_year
        if department is None or kind is None or year is None or self.number_sequence is None:
            return None
        return paper_number(self.paper_word, department, kind, year, self.number_sequence)


class Document(NumberColumns, frozen=True, kw_only=True):
    """An issued paper without its content."""

    id: UUID
    kind: DocumentKind
    subject_id: UUID
    inspection_id: UUID
    department_id: UUID
    department_name: str
    enterprise_id: UUID
    enterprise_name: str
    site_id: UUID
    region: str
    template_id: UUID | None
    title: str
    record_digest: bytes | None
    verification_code: str
    issued_on: date
    state: DocumentState
    pdf_digest: bytes | None
    pdf_size: int | None
    page_count: int | None
    rendered_at: datetime | None
    seal: Seal
    sealed_copy: bytes | None
    revoked_at: datetime | None
    revoke_reason: str | None
    created_at: datetime


class SealedDocument(Document, frozen=True, kw_only=True):
    """An issued paper with its content, sealed by the vault."""

    content_sealed: bytes


class Verified(NumberColumns, frozen=True, kw_only=True):
    """What anybody learns of a paper by its verification code, and no more."""

    kind: DocumentKind
    issued_on: date
    seal: Seal
    pdf_digest: bytes | None
    record_digest: bytes | None
    revoked_at: datetime | None


class VerificationState(enum.StrEnum):
    """真实 / 未盖章 (真实) / 已撤销."""

    GENUINE = "genuine"
    UNSEALED = "unsealed"
    REVOKED = "revoked"


class SealedCopy(msgspec.Struct, frozen=True, kw_only=True):
    """已盖章: the scan of the sealed paper is on file."""

    document_id: UUID
    seal: Seal
    digest: str
