"""Papers: issued, rendered, sealed, revoked, verified."""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import UUID

import msgspec

from domain.document import rules, store
from domain.document.events import (
    DocumentIssued,
    DocumentNotRendered,
    DocumentRendered,
    DocumentRevoked,
    DocumentSealed,
    FailureFacts,
    IssuedFacts,
    RenderedFacts,
    RevocationFacts,
    SealFacts,
)
from domain.document.model import (
    Document,
    DocumentOrder,
    DocumentState,
    IssuedDocument,
    Paper,
    Seal,
    SealedCopy,
    SealedDocument,
    Verified,
)
from domain.shared.errors import NotFound
from domain.shared.numbers import NumberRequest
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction
from domain.shared.vault import Vault

CONTENT_LABEL: Final = "document.content"


async def issue_document(tx: Transaction, order: DocumentOrder) -> IssuedDocument:
    """文书制发 (MOB-12): freeze and seal the content; the PDF is made after the commit.

    The caller's outcome carries the event and the numbers on, since they belong to its own act.
    """
    document_id = order.id or tx.new_id()
    content = msgspec.json.encode(order.paper).decode()
    code = rules.make_verification_code(tx.random)
    named = ("kind", "subject_id", "inspection_id", "department_id", "enterprise_id", "site_id", "region")
    await store.INSERT_DOCUMENT.run(
        tx.connection,
        **{name: getattr(order, name) for name in named},
        id=document_id,
        template_id=order.template_id,
        title=order.paper.title,
        content_sealed=tx.vault.seal(CONTENT_LABEL, content),
        record_digest=order.record_digest,
        verification_code=code,
        issued_on=order.paper.issued_on,
        state=DocumentState.WAITING,
        pdf_digest=None,
        pdf_size=None,
        page_count=None,
        rendered_at=None,
        seal=Seal.NONE,
        sealed_copy=None,
        revoked_at=None,
        revoke_reason=None,
        created_at=tx.now,
    )
    numbers: tuple[NumberRequest, ...] = ()
    if order.is_numbered:
        request = NumberRequest(
            department_code=order.department_code, kind=order.kind.number_kind, subject_id=document_id
        )
        numbers = (request,)
    event = _issued(document_id, order, content)
    return IssuedDocument(id=document_id, verification_code=code, event=event, numbers=numbers)


def _issued(document_id: UUID, order: DocumentOrder, content: str) -> DocumentIssued:
    return DocumentIssued(
        subject_id=document_id,
        department_id=order.department_id,
        region=order.region,
        site_id=order.site_id,
        after=IssuedFacts(
            kind=order.kind,
            inspection_id=order.inspection_id,
            about_id=order.subject_id,
            template_id=order.template_id,
            issued_on=order.paper.issued_on,
            content_digest=hashlib.sha256(content.encode()).hexdigest(),
            record_digest=None if order.record_digest is None else order.record_digest.hex(),
        ),
    )


def open_paper(vault: Vault, document: SealedDocument) -> Paper:
    """The content of an issued paper."""
    return msgspec.json.decode(vault.open(CONTENT_LABEL, document.content_sealed), type=Paper)


async def find_document(connection: Connection, document_id: UUID) -> SealedDocument:
    """An issued paper, whoever asks. Raises `NotFound`."""
    document = await store.DOCUMENT_BY_ID.first(connection, document_id=document_id)
    if document is None:
        raise NotFound("没有该文书。")
    return document


async def verify_document(connection: Connection, typed: str) -> Verified:
    """文书核验 by anybody, in one statement whatever was typed. Raises `NotFound`."""
    verified = await store.VERIFY.first(connection, code=rules.read_verification_code(typed))
    if verified is None:
        raise NotFound("没有查到该文书。")
    return verified


async def revoke_document(tx: Transaction, document_id: UUID, reason: str) -> DocumentRevoked:
    """文书撤销: it stays, with its number and its reason. Gives the event, for the outcome of the caller's act.

    Raises `NotFound`, `PaperAlreadyRevoked` or `RevocationReasonRequired`.
    """
    document = await _lock(tx, document_id)
    kept = rules.require_revocable(document, reason)
    await store.MARK_REVOKED.run(tx.connection, document_id=document_id, now=tx.now, reason=kept)
    return DocumentRevoked(
        subject_id=document_id,
        department_id=document.department_id,
        region=document.region,
        site_id=document.site_id,
        after=RevocationFacts(reason=kept),
    )


async def mark_sealed(tx: Transaction, document_id: UUID, digest: bytes) -> Outcome[SealedCopy]:
    """文书盖章: printed, sealed, and the scan `digest` handed in, which the caller has checked.

    Raises `NotFound`, `PaperAlreadyRevoked` or `PaperAlreadySealed`.
    """
    document = await _lock(tx, document_id)
    answer = SealedCopy(document_id=document_id, seal=Seal.PAPER, digest=digest.hex())
    if not rules.require_sealable(document, digest):
        return Outcome(answer=answer)
    await store.MARK_SEALED.run(tx.connection, document_id=document_id, digest=digest)
    event = DocumentSealed(
        subject_id=document_id,
        department_id=document.department_id,
        region=document.region,
        site_id=document.site_id,
        before=SealFacts(seal=Seal.NONE, digest=None),
        after=SealFacts(seal=Seal.PAPER, digest=digest.hex()),
    )
    return Outcome(answer=answer, events=(event,))


async def mark_rendered(tx: Transaction, document: Document, pdf: RenderedFacts) -> Outcome[bool]:
    """文书生成: the PDF lies in the object store. False, and no event, when another worker was first."""
    first = await store.MARK_RENDERED.run(
        tx.connection,
        document_id=document.id,
        digest=bytes.fromhex(pdf.digest),
        size=pdf.size,
        pages=pdf.page_count,
        now=tx.now,
    )
    if not first:
        return Outcome(answer=False)
    event = DocumentRendered(
        subject_id=document.id,
        department_id=document.department_id,
        region=document.region,
        site_id=document.site_id,
        after=pdf,
    )
    return Outcome(answer=True, events=(event,))


async def mark_not_rendered(tx: Transaction, document: Document, reason: str) -> Outcome[bool]:
    """文书生成失败, told the first time only."""
    if not await store.MARK_FAILED.run(tx.connection, document_id=document.id):
        return Outcome(answer=False)
    event = DocumentNotRendered(
        subject_id=document.id,
        department_id=document.department_id,
        region=document.region,
        site_id=document.site_id,
        after=FailureFacts(reason=reason),
    )
    return Outcome(answer=True, events=(event,))


async def _lock(tx: Transaction, document_id: UUID) -> SealedDocument:
    document = await store.LOCK_DOCUMENT.first(tx.connection, document_id=document_id)
    if document is None:
        raise NotFound("没有该文书。")
    return document
