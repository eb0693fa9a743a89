"""Tables of templates and papers (E8)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata

_KINDS = "kind in ('inspection_notice', 'inspection_record', 'rectification_order', 'result_notice')"

document_template = sa.Table(
    "document_template",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.SmallInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("body", JSONB, nullable=False),
    sa.Column("note", sa.Text, nullable=True),
    sa.Column("place", sa.SmallInteger, nullable=False),
    sa.Column("drafted_by", sa.Uuid, nullable=False),
    sa.Column("drafted_by_name", sa.Text, nullable=False),
    instant("drafted_at"),
    sa.Column("reviewed_by", sa.Uuid, nullable=True),
    sa.Column("reviewed_by_name", sa.Text, nullable=True),
    instant("reviewed_at", nullable=True),
    sa.Column("review_note", sa.Text, nullable=True),
    instant("deleted_at", nullable=True),
    sa.CheckConstraint(_KINDS, name="known_kind"),
    sa.CheckConstraint("state in ('draft', 'in_review', 'returned', 'published', 'disabled')", name="known_state"),
    sa.CheckConstraint("state <> 'published' or reviewed_by is not null", name="published_was_reviewed"),
    sa.CheckConstraint("reviewed_by is null or reviewed_by <> drafted_by", name="four_eyes"),
    sa.Index(
        "uq_document_template_version",
        "kind",
        "department_id",
        "version",
        unique=True,
        postgresql_nulls_not_distinct=True,
    ),
    comment="部门文书 (LAW-02..05): versions, each reviewed by another person before use; no department: for all",
)

document = sa.Table(
    "document",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    # What the paper is about belongs to rooms above, so no foreign keys lead there.
    sa.Column("subject_id", sa.Uuid, nullable=False),
    sa.Column("inspection_id", sa.Uuid, nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("region", Ltree, nullable=False),
    sa.Column("template_id", sa.Uuid, sa.ForeignKey("document_template.id"), nullable=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("content_sealed", sa.LargeBinary, nullable=False),
    sa.Column("record_digest", sa.LargeBinary, nullable=True),
    sa.Column("verification_code", sa.Text, nullable=False, unique=True),
    sa.Column("issued_on", sa.Date, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("pdf_digest", sa.LargeBinary, nullable=True),
    sa.Column("pdf_size", sa.BigInteger, nullable=True),
    sa.Column("page_count", sa.SmallInteger, nullable=True),
    instant("rendered_at", nullable=True),
    sa.Column("seal", sa.Text, nullable=False),
    sa.Column("sealed_copy", sa.LargeBinary, nullable=True),
    instant("revoked_at", nullable=True),
    sa.Column("revoke_reason", sa.Text, nullable=True),
    instant("created_at"),
    sa.CheckConstraint(_KINDS, name="known_kind"),
    sa.CheckConstraint("state in ('waiting', 'rendered', 'failed')", name="known_state"),
    sa.CheckConstraint("(state = 'rendered') = (pdf_digest is not null)", name="rendered_has_pdf"),
    sa.CheckConstraint("seal in ('none', 'paper', 'electronic')", name="known_seal"),
    sa.CheckConstraint("(seal = 'paper') = (sealed_copy is not null)", name="paper_seal_is_scanned"),
    sa.CheckConstraint("(revoked_at is null) = (revoke_reason is null)", name="revocation_has_reason"),
    sa.Index("ix_document_subject_id", "subject_id", "kind"),
    sa.Index("ix_document_inspection_id", "inspection_id"),
    sa.Index("ix_document_department_id", "department_id", "id"),
    sa.Index("ix_document_enterprise_id", "enterprise_id", "id"),
    sa.Index("ix_document_region", "region", postgresql_using="gist"),
    comment="执法文书 (LAW-06): content sealed, since it names people; the PDF lies in the object store",
)
