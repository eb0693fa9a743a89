"""Tables of inspections, their parties and officers, visits, check-ins and 亮证告知."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata

inspection = sa.Table(
    "inspection",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=True),
    sa.Column("outcome_reason", sa.Text, nullable=True),
    sa.Column("outcome_evidence", sa.ARRAY(sa.LargeBinary), nullable=True),
    sa.Column("checklist_version_id", sa.Uuid, sa.ForeignKey("checklist_version.id"), nullable=True),
    sa.Column("list_digest", sa.LargeBinary, nullable=True),
    sa.Column("nonce", sa.LargeBinary, nullable=True),
    instant("list_released_at", nullable=True),
    # As the register had it at dispatch, for phone and server must write the same record days later.
    sa.Column("party", JSONB, nullable=True),
    sa.Column("scene_code", sa.Text, sa.ForeignKey("scene.code"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("region", Ltree, nullable=False),
    sa.Column("initiating_department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("starts_on", sa.Date, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    instant("approved_at", nullable=True),
    sa.Column("approved_by", sa.Text, nullable=True),
    sa.Column("is_urgent", sa.Boolean, nullable=False),
    instant("approval_due_at", nullable=True),
    instant("completed_at", nullable=True),
    instant("created_at"),
    sa.CheckConstraint("kind in ('routine', 'special', 'case')", name="known_kind"),
    sa.CheckConstraint("mode in ('on_site', 'off_site')", name="known_mode"),
    sa.CheckConstraint("state in ('pending', 'completed', 'cancelled')", name="known_state"),
    sa.CheckConstraint("due_on >= starts_on", name="dates_in_order"),
    sa.CheckConstraint(
        "outcome in ('no_problem', 'ordered_to_rectify', 'problem_pending', 'not_reachable', 'no_business_found', "
        "'closed_down', 'uncooperative', 'suspended')",
        name="known_outcome",
    ),
    sa.CheckConstraint("(list_digest is null) = (nonce is null)", name="list_is_sealed"),
    sa.CheckConstraint("(approved_at is null) = (approved_by is null)", name="approval_is_whole"),
    sa.CheckConstraint("not is_urgent or approved_at is not null or approval_due_at is not null", name="urgent"),
    sa.CheckConstraint("(state = 'completed') = (completed_at is not null)", name="completion_is_dated"),
    sa.Index("ix_inspection_site_id", "site_id", "completed_at"),
    sa.Index("ix_inspection_state_due", "state", "due_on", "id"),
    sa.Index("ix_inspection_region", "region", postgresql_using="gist"),
    comment="检查任务 at one site (E18), with its approval",
)

inspection_party = sa.Table(
    "inspection_party",
    metadata,
    sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspection.id"), primary_key=True),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), primary_key=True),
    sa.Column("is_lead", sa.Boolean, nullable=False),
    sa.Index("ix_inspection_party_department_id", "department_id", "inspection_id"),
    sa.Index("uq_inspection_party_lead", "inspection_id", unique=True, postgresql_where=sa.text("is_lead")),
    comment="发起 and 参与部门 of an inspection",
)

inspection_officer = sa.Table(
    "inspection_officer",
    metadata,
    sa.Column("inspection_id", sa.Uuid, primary_key=True),
    sa.Column("officer_id", sa.Uuid, sa.ForeignKey("officer.id"), primary_key=True),
    sa.Column("department_id", sa.Uuid, nullable=False),
    sa.ForeignKeyConstraint(
        ["inspection_id", "department_id"],
        ["inspection_party.inspection_id", "inspection_party.department_id"],
        name="fk_inspection_officer_party",
    ),
    sa.Index("ix_inspection_officer_officer_id", "officer_id", "inspection_id"),
    comment="执法人员 assigned, each for a department that takes part",
)

visit = sa.Table(
    "visit",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspection.id"), nullable=False),
    sa.Column("sequence", sa.SmallInteger, nullable=False),
    # The visit and the check-in that opens it name each other; the database holds them to it at commit.
    sa.Column(
        "opened_by",
        sa.Uuid,
        sa.ForeignKey("check_in.id", deferrable=True, initially="DEFERRED", use_alter=True, name="fk_visit_opened_by"),
        nullable=False,
    ),
    instant("arrived_at"),
    instant("departed_at", nullable=True),
    instant("voided_at", nullable=True),
    sa.Column("void_reason", sa.Text, nullable=True),
    sa.CheckConstraint("departed_at is null or departed_at >= arrived_at", name="departs_after_arrival"),
    sa.CheckConstraint("(voided_at is null) = (void_reason is null)", name="void_has_reason"),
    sa.Index("uq_visit_sequence", "inspection_id", "sequence", unique=True),
    sa.Index(
        "uq_visit_open",
        "inspection_id",
        unique=True,
        postgresql_where=sa.text("departed_at is null and voided_at is null"),
    ),
    # What is under way today, for the picture with which the live feed begins.
    sa.Index("ix_visit_arrived_at", "arrived_at", "id", postgresql_where=sa.text("voided_at is null")),
    comment="上门 of one day: arrival and departure; at most one is open per inspection",
)

check_in = sa.Table(
    "check_in",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("visit_id", sa.Uuid, sa.ForeignKey("visit.id"), nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("officer_id", sa.Uuid, sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("second_officer_id", sa.Uuid, sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("means", sa.Text, nullable=False),
    sa.Column("code_id", sa.LargeBinary, sa.ForeignKey("site_code.code_id"), nullable=True),
    sa.Column("longitude", sa.Double, nullable=True),
    sa.Column("latitude", sa.Double, nullable=True),
    sa.Column("accuracy_m", sa.Double, nullable=True),
    instant("fixed_at", nullable=True),
    sa.Column("datum", sa.Text, nullable=True),
    sa.Column("wgs84_longitude", sa.Double, nullable=True),
    sa.Column("wgs84_latitude", sa.Double, nullable=True),
    sa.Column("distance_outside_m", sa.Double, nullable=True),
    sa.Column("flags", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("position_reason", sa.Text, nullable=True),
    sa.Column("late_scan_reason", sa.Text, nullable=True),
    sa.Column("late_scan_note", sa.Text, nullable=True),
    instant("done_at"),
    instant("received_at"),
    instant("departed_at", nullable=True),
    sa.CheckConstraint("second_officer_id <> officer_id", name="two_officers"),
    sa.CheckConstraint("means in ('printed_code', 'live_code', 'business_licence', 'back_entry')", name="known_means"),
    sa.CheckConstraint("(means in ('printed_code', 'live_code')) = (code_id is not null)", name="code_is_named"),
    sa.CheckConstraint("late_scan_reason in ('emergency', 'system_failure')", name="known_late_reason"),
    sa.Index("uq_check_in_department", "visit_id", "department_id", unique=True),
    comment="扫码报到 of one department at one visit, with its evidence of position as sent and as converted",
)

identification = sa.Table(
    "identification",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("check_in_id", sa.Uuid, sa.ForeignKey("check_in.id"), nullable=False, index=True),
    sa.Column("response", sa.Text, nullable=False),
    sa.Column("shown_on", sa.Text, nullable=False),
    sa.Column("person_name_sealed", sa.LargeBinary, nullable=True),
    sa.Column("person_post", sa.Text, nullable=True),
    sa.Column("reason", sa.Text, nullable=True),
    instant("responded_at"),
    instant("received_at"),
    sa.CheckConstraint("response in ('acknowledged', 'recusal_requested', 'identity_mismatch')", name="known_response"),
    sa.CheckConstraint("response = 'acknowledged' or reason is not null", name="refusal_has_reason"),
    comment="亮证告知: shown to whom on which screen, acknowledged or refused",
)

inspection_item = sa.Table(
    "inspection_item",
    metadata,
    sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspection.id"), primary_key=True),
    sa.Column("item_id", sa.Uuid, sa.ForeignKey("checklist_item.id"), primary_key=True),
    sa.Column("place", sa.SmallInteger, nullable=False),
    sa.Column("department_id", sa.Uuid, nullable=False),
    sa.ForeignKeyConstraint(
        ["inspection_id", "department_id"],
        ["inspection_party.inspection_id", "inspection_party.department_id"],
        name="fk_inspection_item_party",
    ),
    comment="检查内容 drawn at dispatch and frozen; the text stands in the published version, which never changes",
)

answer = sa.Table(
    "answer",
    metadata,
    sa.Column("inspection_id", sa.Uuid, primary_key=True),
    sa.Column("item_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("measures", JSONB, nullable=False),
    sa.Column("reason", sa.Text, nullable=True),
    sa.Column("remark", sa.Text, nullable=True),
    sa.Column("photos", sa.ARRAY(sa.LargeBinary), nullable=False),
    sa.Column("is_bulk", sa.Boolean, nullable=False),
    # Set when an order of a room above takes the problem up, so that completion can tell what still waits.
    sa.Column("order_id", sa.Uuid, nullable=True),
    sa.Column("flags", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("officer_id", sa.Uuid, sa.ForeignKey("officer.id"), nullable=False),
    instant("done_at"),
    instant("received_at"),
    sa.ForeignKeyConstraint(
        ["inspection_id", "item_id"],
        ["inspection_item.inspection_id", "inspection_item.item_id"],
        name="fk_answer_item",
    ),
    sa.CheckConstraint("value in ('no_problem', 'problem', 'not_applicable', 'not_checked')", name="known_value"),
    sa.CheckConstraint("value in ('no_problem', 'problem') or reason is not null", name="unchecked_has_reason"),
    comment="检查结果 of one item as it stands; earlier versions stand in the trace",
)

record_part = sa.Table(
    "record_part",
    metadata,
    sa.Column("inspection_id", sa.Uuid, primary_key=True),
    sa.Column("department_id", sa.Uuid, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("facts_sealed", sa.LargeBinary, nullable=False),
    sa.Column("canonical_sealed", sa.LargeBinary, nullable=True),
    sa.Column("digest", sa.LargeBinary, nullable=True),
    instant("frozen_at", nullable=True),
    instant("updated_at"),
    sa.ForeignKeyConstraint(
        ["inspection_id", "department_id"],
        ["inspection_party.inspection_id", "inspection_party.department_id"],
        name="fk_record_part_party",
    ),
    sa.CheckConstraint(
        "(digest is null) = (canonical_sealed is null) and (digest is null) = (frozen_at is null)",
        name="frozen_is_whole",
    ),
    comment="现场检查笔录 of one department: what was added by hand, and, once signed, its canonical text; sealed",
)

signature = sa.Table(
    "signature",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("inspection_id", sa.Uuid, nullable=False),
    sa.Column("department_id", sa.Uuid, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("officer_id", sa.Uuid, sa.ForeignKey("officer.id"), nullable=True),
    sa.Column("means", sa.Text, nullable=False),
    sa.Column("person_sealed", sa.LargeBinary, nullable=True),
    sa.Column("opinion", sa.Text, nullable=True),
    sa.Column("reason", sa.Text, nullable=True),
    sa.Column("images", sa.ARRAY(sa.LargeBinary), nullable=False),
    sa.Column("record_digest", sa.LargeBinary, nullable=False),
    instant("done_at"),
    instant("received_at"),
    instant("voided_at", nullable=True),
    sa.Column("void_reason", sa.Text, nullable=True),
    sa.ForeignKeyConstraint(
        ["inspection_id", "department_id"],
        ["record_part.inspection_id", "record_part.department_id"],
        name="fk_signature_record_part",
    ),
    sa.CheckConstraint(
        "role in ('inspected_party', 'officer', 'recorder', 'witness', 'assistant', 'interpreter', 'paper')",
        name="known_role",
    ),
    sa.CheckConstraint("means in ('screen', 'paper', 'refused', 'absent')", name="known_means"),
    sa.CheckConstraint("means not in ('refused', 'absent') or reason is not null", name="refusal_has_reason"),
    sa.CheckConstraint("means in ('refused', 'absent') or cardinality(images) > 0", name="signature_has_image"),
    sa.CheckConstraint("(voided_at is null) = (void_reason is null)", name="void_has_reason"),
    sa.Index(
        "uq_signature_role",
        "inspection_id",
        "department_id",
        "role",
        "officer_id",
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("voided_at is null and role in ('inspected_party', 'officer', 'recorder', 'paper')"),
    ),
    comment="检查签字 (MOB-13) under the digest of the record; names and capacities sealed",
)

officer_replacement = sa.Table(
    "officer_replacement",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspection.id"), nullable=False, index=True),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("former_officer_id", sa.Uuid, sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("officer_id", sa.Uuid, sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("replaced_by", sa.Uuid, nullable=False),
    instant("replaced_at"),
    comment="人员替换 (TASK-13)",
)
