"""Statements on papers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.document.model import Document, DocumentKind, NumberColumns, SealedDocument, Verified
from domain.document.tables import document
from domain.enterprise.tables import enterprise
from domain.identity.tables import department
from domain.shared.numbers import NumberKind
from domain.shared.sql import Command, Ltree, Query
from domain.shared.tables import issued_number

_series = sa.case(
    {kind.value: sa.literal(kind.number_kind.value, sa.Text) for kind in DocumentKind}, value=document.c.kind
)
_number = (
    sa.select(
        issued_number.c.department_code,
        issued_number.c.kind,
        issued_number.c.year,
        issued_number.c.sequence,
    )
    .where(
        # The number of a 检查通知书 is issued at dispatch, to the inspection, before there is a paper.
        sa.or_(
            issued_number.c.subject_id == document.c.id,
            sa.and_(
                issued_number.c.subject_id == document.c.inspection_id,
                issued_number.c.kind == NumberKind.NOTICE.value,
            ),
        ),
        issued_number.c.kind == _series,
        issued_number.c.voided_at.is_(None),
    )
    .order_by((issued_number.c.subject_id == document.c.id).desc(), issued_number.c.year, issued_number.c.sequence)
    .limit(1)
    .lateral("number")
)
_OF_OTHER_TABLES = {
    "department_name": department.c.name,
    "enterprise_name": enterprise.c.name,
    "paper_word": department.c.paper_word,
    "number_department": _number.c.department_code,
    "number_kind": _number.c.kind,
    "number_year": _number.c.year,
    "number_sequence": _number.c.sequence,
}
_WITH_NUMBER = (
    document.join(department, department.c.id == document.c.department_id)
    .join(enterprise, enterprise.c.id == document.c.enterprise_id)
    .outerjoin(_number, sa.true())
)


def _columns(row: type[NumberColumns]) -> list[sa.Label[Any]]:
    return [
        (_OF_OTHER_TABLES[name] if name in _OF_OTHER_TABLES else document.c[name]).label(name)
        for name in row.__struct_fields__
    ]


_BY_ID = (
    sa.select(*_columns(SealedDocument))
    .select_from(_WITH_NUMBER)
    .where(document.c.id == sa.bindparam("document_id", type_=sa.Uuid))
)
DOCUMENT_BY_ID = Query(_BY_ID, SealedDocument)
LOCK_DOCUMENT = Query(_BY_ID.with_for_update(of=document), SealedDocument)
DOCUMENTS_OF_INSPECTION = Query(
    sa.select(*_columns(Document))
    .select_from(_WITH_NUMBER)
    .where(document.c.inspection_id == sa.bindparam("inspection_id"))
    .order_by(document.c.created_at, document.c.id)
    .limit(200),
    Document,
)
VERIFY = Query(
    sa.select(*_columns(Verified))
    .select_from(_WITH_NUMBER)
    .where(document.c.verification_code == sa.bindparam("code", type_=sa.Text)),
    Verified,
)


_kind = sa.bindparam("kind", type_=sa.Text)
_words = sa.bindparam("words", type_=sa.Text)
_PAGE = (
    document.c.id < sa.bindparam("before_id", type_=sa.Uuid),
    sa.or_(_kind.is_(None), document.c.kind == _kind),
    sa.or_(
        _words.is_(None),
        sa.func.strpos(document.c.title, _words) > 0,
        sa.func.strpos(enterprise.c.name, _words) > 0,
    ),
)


def search(*conditions: sa.ColumnElement[bool]) -> Query[Document]:
    """Papers by kind and words under `conditions`, the newest first; a room above asks for what it knows of them."""
    return Query(
        sa.select(*_columns(Document))
        .select_from(_WITH_NUMBER)
        .where(*_PAGE, *conditions)
        .order_by(document.c.id.desc())
        .limit(sa.bindparam("limit", type_=sa.Integer)),
        Document,
    )


SEARCH_OF_DEPARTMENT = search(document.c.department_id == sa.bindparam("department_id"))
SEARCH_OF_REGION = search(document.c.region.op("<@")(sa.bindparam("region", type_=Ltree)))

INSERT_DOCUMENT = Command(sa.insert(document))
MARK_RENDERED = Command(
    sa.update(document)
    .where(document.c.id == sa.bindparam("document_id"), document.c.state != "rendered")
    .values(
        state="rendered",
        pdf_digest=sa.bindparam("digest"),
        pdf_size=sa.bindparam("size"),
        page_count=sa.bindparam("pages"),
        rendered_at=sa.bindparam("now"),
    )
)
MARK_FAILED = Command(
    sa.update(document)
    .where(document.c.id == sa.bindparam("document_id"), document.c.state == "waiting")
    .values(state="failed")
)
MARK_SEALED = Command(
    sa.update(document)
    .where(document.c.id == sa.bindparam("document_id"))
    .values(seal="paper", sealed_copy=sa.bindparam("digest"))
)
MARK_REVOKED = Command(
    sa.update(document)
    .where(document.c.id == sa.bindparam("document_id"))
    .values(revoked_at=sa.bindparam("now"), revoke_reason=sa.bindparam("reason"))
)
