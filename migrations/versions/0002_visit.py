"""The whole visit: checklists, answers, evidence, papers, orders, publication."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON, JSONB

from domain.shared.sql import Ltree

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


_NEW = (
    "chore",
    "draw",
    "evidence_file",
    "evidence_part",
    "evidence",
    "checklist",
    "document_template",
    "service_consent",
    "checklist_change",
    "checklist_version",
    "document",
    "checklist_item",
    "officer_replacement",
    "publication",
    "rectification_order",
    "enforcement_transfer",
    "extension_request",
    "inspection_item",
    "public_reply",
    "re_inspection",
    "record_part",
    "rectification_feedback",
    "rectification_item",
    "service_record",
    "answer",
    "signature",
)
"""The tables of this revision."""
_OUTCOMES = (
    "outcome in ('no_problem', 'ordered_to_rectify', 'problem_pending', 'not_reachable', 'no_business_found', "
    "'closed_down', 'uncooperative', 'suspended')"
)


def upgrade() -> None:
    """Make the rooms of a visit, and widen the inspection."""
    _make_tables()
    op.add_column("department", sa.Column("paper_word", sa.Text(), nullable=True))
    op.create_table_comment(
        "department",
        "监管部门 as a tree; short_name is the 机关简称 shown to the public, paper_word the 机关代字 of its papers",
        existing_comment="监管部门 as a tree; short_name is the 机关简称 shown to the public",
        schema=None,
    )
    op.add_column("inspection", sa.Column("outcome_reason", sa.Text(), nullable=True))
    op.add_column("inspection", sa.Column("outcome_evidence", sa.ARRAY(sa.LargeBinary()), nullable=True))
    op.add_column("inspection", sa.Column("checklist_version_id", sa.Uuid(), nullable=True))
    op.add_column("inspection", sa.Column("list_digest", sa.LargeBinary(), nullable=True))
    op.add_column("inspection", sa.Column("nonce", sa.LargeBinary(), nullable=True))
    op.add_column("inspection", sa.Column("list_released_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("inspection", sa.Column("party", JSONB(), nullable=True))
    op.create_foreign_key(
        "fk_inspection_checklist_version_id", "inspection", "checklist_version", ["checklist_version_id"], ["id"]
    )
    # What the first demonstration called a corrected problem.
    op.execute("UPDATE inspection SET outcome = 'ordered_to_rectify' WHERE outcome = 'problem_corrected'")
    op.create_check_constraint("ck_inspection_known_outcome", "inspection", _OUTCOMES)
    op.create_check_constraint("ck_inspection_list_is_sealed", "inspection", "(list_digest is null) = (nonce is null)")
    _grant()


def _grant() -> None:
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")
    op.execute("GRANT SELECT ON chore TO yima_relay")


def _make_tables() -> None:
    op.create_table(
        "chore",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trace_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'done', 'abandoned')", name="ck_chore_known_state"),
        sa.PrimaryKeyConstraint("id", name="pk_chore"),
        comment="What the worker has to do for a committed act: render a paper, make the copies of a photo",
    )
    op.create_index("ix_chore_trace_id", "chore", ["trace_id"], unique=False)
    op.create_index(
        "ix_chore_waiting", "chore", ["created_at"], unique=False, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "draw",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("record", JSON(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("purpose in ('objects', 'officers', 'items')", name="ck_draw_known_purpose"),
        sa.CheckConstraint("(voided_at is null) = (void_reason is null)", name="ck_draw_void_has_reason"),
        sa.PrimaryKeyConstraint("id", name="pk_draw"),
        comment="随机抽取 with all that re-runs it; a voided one stays",
    )
    op.create_index("ix_draw_subject_id", "draw", ["subject_id"], unique=False)
    op.create_table(
        "evidence_file",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("copies", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quarantine_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("copies in ('waiting', 'ready', 'none', 'failed')", name="ck_evidence_file_known_copies"),
        sa.CheckConstraint("octet_length(digest) = 32", name="ck_evidence_file_sha256"),
        sa.PrimaryKeyConstraint("digest", name="pk_evidence_file"),
        comment="One stored original, sealed in the object store under its SHA-256",
    )
    op.create_table(
        "evidence_part",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("inspection_id", "digest", "account_id", "start", name="pk_evidence_part"),
        comment="A range of an upload that is still on its way",
    )
    op.create_index("ix_evidence_part_received_at", "evidence_part", ["received_at"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("is_of_enterprise", sa.Boolean(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("referenced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["digest"], ["evidence_file.digest"], name="fk_evidence_digest"),
        sa.PrimaryKeyConstraint("inspection_id", "digest", "is_of_enterprise", name="pk_evidence"),
        comment="A file handed in for an inspection; kept once a record, an order or an answer refers to it",
    )
    op.create_index("ix_evidence_digest", "evidence", ["digest"], unique=False)
    op.create_index(
        "ix_evidence_orphans",
        "evidence",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("referenced_at is null"),
    )
    op.create_table(
        "checklist",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("business_type", sa.Text(), nullable=False),
        sa.Column("scene_code", sa.Text(), nullable=True),
        sa.Column("lead_department_id", sa.Uuid(), nullable=False),
        sa.Column("participants", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("current_version_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state <> 'enabled' or current_version_id is not null", name="ck_checklist_enabled_has_version"
        ),
        sa.CheckConstraint("state in ('draft', 'enabled', 'disabled')", name="ck_checklist_known_state"),
        sa.ForeignKeyConstraint(["lead_department_id"], ["department.id"], name="fk_checklist_lead_department_id"),
        sa.ForeignKeyConstraint(["scene_code"], ["scene.code"], name="fk_checklist_scene_code"),
        sa.PrimaryKeyConstraint("id", name="pk_checklist"),
        sa.UniqueConstraint("code", name="uq_checklist_code"),
        comment="检查单 (CHK-05): one per 业态 and lead department, several versions",
    )
    op.create_index(
        "ix_checklist_business_type",
        "checklist",
        ["business_type"],
        unique=False,
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "document_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("drafted_by", sa.Uuid(), nullable=False),
        sa.Column("drafted_by_name", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.Column("reviewed_by_name", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_note", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('inspection_notice', 'inspection_record', 'rectification_order', 'result_notice')",
            name="ck_document_template_known_kind",
        ),
        sa.CheckConstraint(
            "state <> 'published' or reviewed_by is not null", name="ck_document_template_published_was_reviewed"
        ),
        sa.CheckConstraint(
            "state in ('draft', 'in_review', 'returned', 'published', 'disabled')",
            name="ck_document_template_known_state",
        ),
        sa.CheckConstraint("reviewed_by is null or reviewed_by <> drafted_by", name="ck_document_template_four_eyes"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_document_template_department_id"),
        sa.PrimaryKeyConstraint("id", name="pk_document_template"),
        comment="部门文书 (LAW-02..05): versions, each reviewed by another person before use; no department: for all",
    )
    op.create_index(
        "uq_document_template_version",
        "document_template",
        ["kind", "department_id", "version"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "service_consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("means", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("addresses_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paper", sa.LargeBinary(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "means <@ array['sms', 'email'] and cardinality(means) > 0", name="ck_service_consent_known_means"
        ),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_service_consent_enterprise_id"),
        sa.PrimaryKeyConstraint("id", name="pk_service_consent"),
        comment="送达地址确认书: consent to electronic service; addresses sealed",
    )
    op.create_index(
        "uq_service_consent_enterprise",
        "service_consent",
        ["enterprise_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at is null"),
    )
    op.create_table(
        "checklist_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("operator_name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["checklist_id"], ["checklist.id"], name="fk_checklist_change_checklist_id"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_checklist_change_department_id"),
        sa.PrimaryKeyConstraint("id", name="pk_checklist_change"),
        comment="变更记录 (CHK-07): 操作类型, 操作部门, 操作人, 操作时间",
    )
    op.create_index("ix_checklist_change_checklist_id", "checklist_change", ["checklist_id", "at"], unique=False)
    op.create_table(
        "checklist_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(published_at is null) = (digest is null)", name="ck_checklist_version_published_has_digest"
        ),
        sa.ForeignKeyConstraint(["checklist_id"], ["checklist.id"], name="fk_checklist_version_checklist_id"),
        sa.PrimaryKeyConstraint("id", name="pk_checklist_version"),
        comment="A version of a checklist: a draft until it is published, unchangeable afterwards (D11)",
    )
    op.create_index(
        "uq_checklist_version_draft",
        "checklist_version",
        ["checklist_id"],
        unique=True,
        postgresql_where=sa.text("published_at is null"),
    )
    op.create_index("uq_checklist_version_number", "checklist_version", ["checklist_id", "number"], unique=True)
    op.create_table(
        "document",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("record_digest", sa.LargeBinary(), nullable=True),
        sa.Column("verification_code", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("pdf_digest", sa.LargeBinary(), nullable=True),
        sa.Column("pdf_size", sa.BigInteger(), nullable=True),
        sa.Column("page_count", sa.SmallInteger(), nullable=True),
        sa.Column("rendered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.Column("sealed_copy", sa.LargeBinary(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(seal = 'paper') = (sealed_copy is not null)", name="ck_document_paper_seal_is_scanned"),
        sa.CheckConstraint("(state = 'rendered') = (pdf_digest is not null)", name="ck_document_rendered_has_pdf"),
        sa.CheckConstraint(
            "kind in ('inspection_notice', 'inspection_record', 'rectification_order', 'result_notice')",
            name="ck_document_known_kind",
        ),
        sa.CheckConstraint("seal in ('none', 'paper', 'electronic')", name="ck_document_known_seal"),
        sa.CheckConstraint("state in ('waiting', 'rendered', 'failed')", name="ck_document_known_state"),
        sa.CheckConstraint("(revoked_at is null) = (revoke_reason is null)", name="ck_document_revocation_has_reason"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_document_department_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_document_site_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_document_enterprise_id"),
        sa.ForeignKeyConstraint(["template_id"], ["document_template.id"], name="fk_document_template_id"),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.UniqueConstraint("verification_code", name="uq_document_verification_code"),
        comment="执法文书 (LAW-06): content sealed, since it names people; the PDF lies in the object store",
    )
    op.create_index("ix_document_department_id", "document", ["department_id", "id"], unique=False)
    op.create_index("ix_document_region", "document", ["region"], unique=False, postgresql_using="gist")
    op.create_index("ix_document_inspection_id", "document", ["inspection_id"], unique=False)
    op.create_index("ix_document_subject_id", "document", ["subject_id", "kind"], unique=False)
    op.create_table(
        "checklist_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("sub_matter", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("is_on_site", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("grades", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("is_mandatory", sa.Boolean(), nullable=False),
        sa.Column("is_self_check", sa.Boolean(), nullable=False),
        sa.Column("penalty_if_overdue", sa.Boolean(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("guidance", sa.Text(), nullable=True),
        sa.Column("legal_basis", JSONB(), nullable=False),
        sa.CheckConstraint(
            "grades <@ array['A', 'B', 'C', 'D'] and cardinality(grades) > 0", name="ck_checklist_item_known_grades"
        ),
        sa.CheckConstraint("mode in ('once', 'daily')", name="ck_checklist_item_known_mode"),
        sa.CheckConstraint("severity in ('minor', 'general', 'severe')", name="ck_checklist_item_known_severity"),
        sa.ForeignKeyConstraint(["version_id"], ["checklist_version.id"], name="fk_checklist_item_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_checklist_item"),
        comment="检查内容: one row of a version (CHK-03, CHK-06), with its legal basis by article",
    )
    op.create_index("uq_checklist_item_code", "checklist_item", ["version_id", "code"], unique=True)
    op.create_index("uq_checklist_item_place", "checklist_item", ["version_id", "place"], unique=True)
    op.create_table(
        "officer_replacement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("former_officer_id", sa.Uuid(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("replaced_by", sa.Uuid(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_officer_replacement_department_id"),
        sa.ForeignKeyConstraint(["former_officer_id"], ["officer.id"], name="fk_officer_replacement_former_officer_id"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_officer_replacement_inspection_id"),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name="fk_officer_replacement_officer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_officer_replacement"),
        comment="人员替换 (TASK-13)",
    )
    op.create_index("ix_officer_replacement_inspection_id", "officer_replacement", ["inspection_id"], unique=False)
    op.create_table(
        "publication",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latest_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withheld_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withheld_reason", sa.Text(), nullable=True),
        sa.Column("withheld_note", sa.Text(), nullable=True),
        sa.Column("is_contested", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state <> 'published' or published_at is not null", name="ck_publication_published_is_dated"
        ),
        sa.CheckConstraint(
            "state <> 'withdrawn' or withdrawn_reason is not null", name="ck_publication_withdrawn_has_reason"
        ),
        sa.CheckConstraint(
            "state <> 'withheld' or withheld_reason is not null", name="ck_publication_withheld_has_reason"
        ),
        sa.CheckConstraint(
            "state in ('pending', 'published', 'withheld', 'withdrawn')", name="ck_publication_known_state"
        ),
        sa.CheckConstraint("not is_contested or state = 'published'", name="ck_publication_contested_is_published"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_publication_enterprise_id"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_publication_inspection_id"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_publication_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_publication"),
        sa.UniqueConstraint("inspection_id", name="uq_publication_inspection_id"),
        comment="公示 of one finished inspection (POST-06, D10): after its embargo, until its end",
    )
    op.create_index(
        "ix_publication_due", "publication", ["due_at"], unique=False, postgresql_where=sa.text("state = 'pending'")
    )
    op.create_index(
        "ix_publication_objection",
        "publication",
        ["latest_at"],
        unique=False,
        postgresql_where=sa.text("state = 'withheld' and withheld_reason = 'objection'"),
    )
    op.create_index("ix_publication_state_due", "publication", ["state", "due_at", "id"], unique=False)
    op.create_index("ix_publication_enterprise_id", "publication", ["enterprise_id"], unique=False)
    op.create_index(
        "ix_publication_site_id",
        "publication",
        ["site_id", "published_at"],
        unique=False,
        postgresql_where=sa.text("state in ('published', 'withdrawn')"),
    )
    op.create_table(
        "rectification_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("re_inspection_due_on", sa.Date(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=True),
        sa.Column("fed_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state in ('rectified', 'transferred', 'revoked')) = (closed_at is not null)",
            name="ck_rectification_order_closing_is_dated",
        ),
        sa.CheckConstraint(
            "state in ('to_rectify', 'fed_back', 'rectified', 'transferred', 'revoked')",
            name="ck_rectification_order_known_state",
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_rectification_order_department_id"),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="fk_rectification_order_document_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_rectification_order_enterprise_id"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_rectification_order_inspection_id"),
        sa.ForeignKeyConstraint(["issued_by"], ["officer.id"], name="fk_rectification_order_issued_by"),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_rectification_order_site_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rectification_order"),
        comment="责令改正通知书 of one department at one inspection (5.3)",
    )
    op.create_index(
        "ix_rectification_order_department",
        "rectification_order",
        ["department_id", "state", "due_on", "id"],
        unique=False,
    )
    op.create_index(
        "ix_rectification_order_enterprise_id", "rectification_order", ["enterprise_id", "issued_at"], unique=False
    )
    op.create_index("ix_rectification_order_inspection_id", "rectification_order", ["inspection_id"], unique=False)
    op.create_index(
        "ix_rectification_order_region", "rectification_order", ["region"], unique=False, postgresql_using="gist"
    )
    op.create_index("ix_rectification_order_site_id", "rectification_order", ["site_id", "state"], unique=False)
    op.create_table(
        "enforcement_transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("receiving_body", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("receipt_number", sa.Text(), nullable=True),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_over_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(state = 'handed_over') = (handed_over_at is not null)", name="ck_enforcement_transfer_hand_over_is_dated"
        ),
        sa.CheckConstraint("state in ('open', 'handed_over')", name="ck_enforcement_transfer_known_state"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_enforcement_transfer_department_id"),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_enforcement_transfer_inspection_id"),
        sa.ForeignKeyConstraint(["order_id"], ["rectification_order.id"], name="fk_enforcement_transfer_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_enforcement_transfer"),
        sa.UniqueConstraint("order_id", name="uq_enforcement_transfer_order_id"),
        comment="移交执法 (POST-04): the file that goes to whom may punish, and their receipt",
    )
    op.create_index("ix_enforcement_transfer_inspection_id", "enforcement_transfer", ["inspection_id"], unique=False)
    op.create_table(
        "extension_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_on_before", sa.Date(), nullable=False),
        sa.Column("due_on_after", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'granted') = (due_on_after is not null)", name="ck_extension_request_granted_has_date"
        ),
        sa.CheckConstraint("state in ('pending', 'granted', 'declined')", name="ck_extension_request_known_state"),
        sa.CheckConstraint("days between 1 and 90", name="ck_extension_request_days_are_bounded"),
        sa.ForeignKeyConstraint(["order_id"], ["rectification_order.id"], name="fk_extension_request_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_extension_request"),
        sa.UniqueConstraint("order_id", name="uq_extension_request_order_id"),
        comment="延期整改: asked once for more time, granted or declined",
    )
    op.create_table(
        "inspection_item",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id", "department_id"],
            ["inspection_party.inspection_id", "inspection_party.department_id"],
            name="fk_inspection_item_party",
        ),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspection.id"], name="fk_inspection_item_inspection_id"),
        sa.ForeignKeyConstraint(["item_id"], ["checklist_item.id"], name="fk_inspection_item_item_id"),
        sa.PrimaryKeyConstraint("inspection_id", "item_id", name="pk_inspection_item"),
        comment="检查内容 drawn at dispatch and frozen; the text stands in the published version, which never changes",
    )
    op.create_table(
        "public_reply",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("publication_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name="fk_public_reply_publication_id"),
        sa.PrimaryKeyConstraint("id", name="pk_public_reply"),
        comment="企业回应: the enterprise's own words beside its published result",
    )
    op.create_index("ix_public_reply_publication_id", "public_reply", ["publication_id"], unique=False)
    op.create_index(
        "uq_public_reply_in_force",
        "public_reply",
        ["publication_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at is null"),
    )
    op.create_table(
        "re_inspection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("items", JSONB(), nullable=False),
        sa.Column("evidence", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("second_officer_id", sa.Uuid(), nullable=False),
        sa.Column("next_due_on", sa.Date(), nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approval_reason", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(result = 'order_to_rectify') = (next_due_on is not null)", name="ck_re_inspection_another_round_is_dated"
        ),
        sa.CheckConstraint(
            "result in ('no_problem', 'administrative_guidance', 'order_to_rectify', 'transfer_conditions_met')",
            name="ck_re_inspection_known_result",
        ),
        sa.CheckConstraint(
            "next_due_on is null or approved_by is not null", name="ck_re_inspection_another_round_is_approved"
        ),
        sa.CheckConstraint("second_officer_id <> officer_id", name="ck_re_inspection_two_officers"),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name="fk_re_inspection_officer_id"),
        sa.ForeignKeyConstraint(["order_id"], ["rectification_order.id"], name="fk_re_inspection_order_id"),
        sa.ForeignKeyConstraint(["second_officer_id"], ["officer.id"], name="fk_re_inspection_second_officer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_re_inspection"),
        comment="整改复查 (POST-01, MOB-16): the documents' four-value result (X9)",
    )
    op.create_index("uq_re_inspection_round", "re_inspection", ["order_id", "round"], unique=True)
    op.create_table(
        "record_part",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("facts_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("canonical_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(digest is null) = (canonical_sealed is null) and (digest is null) = (frozen_at is null)",
            name="ck_record_part_frozen_is_whole",
        ),
        sa.ForeignKeyConstraint(
            ["inspection_id", "department_id"],
            ["inspection_party.inspection_id", "inspection_party.department_id"],
            name="fk_record_part_party",
        ),
        sa.PrimaryKeyConstraint("inspection_id", "department_id", name="pk_record_part"),
        comment="现场检查笔录 of one department: what was added by hand, and, once signed, its canonical text; sealed",
    )
    op.create_table(
        "rectification_feedback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.SmallInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("items", JSONB(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["rectification_order.id"], name="fk_rectification_feedback_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rectification_feedback"),
        comment="整改反馈 of the enterprise (ENT-03), item by item with photos",
    )
    op.create_index("ix_rectification_feedback_order_id", "rectification_feedback", ["order_id"], unique=False)
    op.create_table(
        "rectification_item",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("clauses", sa.Text(), nullable=False),
        sa.Column("demand", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("penalty_if_overdue", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["rectification_order.id"], name="fk_rectification_item_order_id"),
        sa.PrimaryKeyConstraint("order_id", "item_id", name="pk_rectification_item"),
        comment="What is to be put right; no date: at once (立即改正)",
    )
    op.create_table(
        "service_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("people_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("evidence", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(means = 'electronic') = (consent_id is not null)", name="ck_service_record_electronic_needs_consent"
        ),
        sa.CheckConstraint(
            "means in ('direct', 'lien', 'post', 'entrusted', 'announcement', 'electronic')",
            name="ck_service_record_known_means",
        ),
        sa.ForeignKeyConstraint(["consent_id"], ["service_consent.id"], name="fk_service_record_consent_id"),
        sa.ForeignKeyConstraint(["document_id"], ["document.id"], name="fk_service_record_document_id"),
        sa.ForeignKeyConstraint(["order_id"], ["rectification_order.id"], name="fk_service_record_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_service_record"),
        comment="送达: 直接, 留置, 邮寄, 委托, 公告, 电子; receiver and witness sealed",
    )
    op.create_index("ix_service_record_document_id", "service_record", ["document_id"], unique=False)
    op.create_index("ix_service_record_order_id", "service_record", ["order_id"], unique=False)
    op.create_table(
        "answer",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("measures", JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("photos", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("is_bulk", sa.Boolean(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("flags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "value in ('no_problem', 'problem') or reason is not null", name="ck_answer_unchecked_has_reason"
        ),
        sa.CheckConstraint(
            "value in ('no_problem', 'problem', 'not_applicable', 'not_checked')", name="ck_answer_known_value"
        ),
        sa.ForeignKeyConstraint(
            ["inspection_id", "item_id"],
            ["inspection_item.inspection_id", "inspection_item.item_id"],
            name="fk_answer_item",
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name="fk_answer_officer_id"),
        sa.PrimaryKeyConstraint("inspection_id", "item_id", name="pk_answer"),
        comment="检查结果 of one item as it stands; earlier versions stand in the trace",
    )
    op.create_table(
        "signature",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=True),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("person_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("images", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("record_digest", sa.LargeBinary(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "means in ('refused', 'absent') or cardinality(images) > 0", name="ck_signature_signature_has_image"
        ),
        sa.CheckConstraint("means in ('screen', 'paper', 'refused', 'absent')", name="ck_signature_known_means"),
        sa.CheckConstraint(
            "means not in ('refused', 'absent') or reason is not null", name="ck_signature_refusal_has_reason"
        ),
        sa.CheckConstraint(
            "role in ('inspected_party', 'officer', 'recorder', 'witness', 'assistant', 'interpreter', 'paper')",
            name="ck_signature_known_role",
        ),
        sa.CheckConstraint("(voided_at is null) = (void_reason is null)", name="ck_signature_void_has_reason"),
        sa.ForeignKeyConstraint(
            ["inspection_id", "department_id"],
            ["record_part.inspection_id", "record_part.department_id"],
            name="fk_signature_record_part",
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name="fk_signature_officer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_signature"),
        comment="检查签字 (MOB-13) under the digest of the record; names and capacities sealed",
    )
    op.create_index(
        "uq_signature_role",
        "signature",
        ["inspection_id", "department_id", "role", "officer_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("voided_at is null and role in ('inspected_party', 'officer', 'recorder', 'paper')"),
    )
