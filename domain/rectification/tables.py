"""Tables of orders, their service, feedback, extensions, re-inspections and transfers."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata

rectification_order = sa.Table(
    "rectification_order",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspection.id"), nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("region", Ltree, nullable=False),
    sa.Column("document_id", sa.Uuid, sa.ForeignKey("document.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("round", sa.SmallInteger, nullable=False),
    sa.Column("issued_by", sa.Uuid, sa.ForeignKey("officer.id"), nullable=False),
    instant("issued_at"),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("re_inspection_due_on", sa.Date, nullable=False),
    sa.Column("served_on", sa.Date, nullable=True),
    instant("fed_back_at", nullable=True),
    instant("closed_at", nullable=True),
    sa.CheckConstraint(
        "state in ('to_rectify', 'fed_back', 'rectified', 'transferred', 'revoked')", name="known_state"
    ),
    sa.CheckConstraint(
        "(state in ('rectified', 'transferred', 'revoked')) = (closed_at is not null)", name="closing_is_dated"
    ),
    sa.Index("ix_rectification_order_inspection_id", "inspection_id"),
    sa.Index("ix_rectification_order_enterprise_id", "enterprise_id", "issued_at"),
    sa.Index("ix_rectification_order_department", "department_id", "state", "due_on", "id"),
    sa.Index("ix_rectification_order_site_id", "site_id", "state"),
    sa.Index("ix_rectification_order_region", "region", postgresql_using="gist"),
    comment="责令改正通知书 of one department at one inspection (5.3)",
)

rectification_item = sa.Table(
    "rectification_item",
    metadata,
    sa.Column("order_id", sa.Uuid, sa.ForeignKey("rectification_order.id"), primary_key=True),
    sa.Column("item_id", sa.Uuid, primary_key=True),
    sa.Column("place", sa.SmallInteger, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("clauses", sa.Text, nullable=False),
    sa.Column("demand", sa.Text, nullable=False),
    sa.Column("due_on", sa.Date, nullable=True),
    sa.Column("penalty_if_overdue", sa.Boolean, nullable=False),
    comment="What is to be put right; no date: at once (立即改正)",
)

service_consent = sa.Table(
    "service_consent",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    sa.Column("means", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("addresses_sealed", sa.LargeBinary, nullable=False),
    sa.Column("given_by", sa.Uuid, nullable=False),
    instant("given_at"),
    sa.Column("paper", sa.LargeBinary, nullable=True),
    instant("withdrawn_at", nullable=True),
    sa.CheckConstraint("means <@ array['sms', 'email'] and cardinality(means) > 0", name="known_means"),
    sa.Index(
        "uq_service_consent_enterprise",
        "enterprise_id",
        unique=True,
        postgresql_where=sa.text("withdrawn_at is null"),
    ),
    comment="送达地址确认书: consent to electronic service; addresses sealed",
)

service_record = sa.Table(
    "service_record",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("document_id", sa.Uuid, sa.ForeignKey("document.id"), nullable=False, index=True),
    sa.Column("order_id", sa.Uuid, sa.ForeignKey("rectification_order.id"), nullable=True, index=True),
    sa.Column("means", sa.Text, nullable=False),
    sa.Column("served_on", sa.Date, nullable=False),
    sa.Column("people_sealed", sa.LargeBinary, nullable=True),
    sa.Column("note", sa.Text, nullable=True),
    sa.Column("tracking_number", sa.Text, nullable=True),
    sa.Column("evidence", sa.ARRAY(sa.LargeBinary), nullable=False),
    sa.Column("consent_id", sa.Uuid, sa.ForeignKey("service_consent.id"), nullable=True),
    sa.Column("recorded_by", sa.Uuid, nullable=False),
    instant("done_at"),
    instant("received_at"),
    sa.CheckConstraint(
        "means in ('direct', 'lien', 'post', 'entrusted', 'announcement', 'electronic')", name="known_means"
    ),
    sa.CheckConstraint("(means = 'electronic') = (consent_id is not null)", name="electronic_needs_consent"),
    comment="送达: 直接, 留置, 邮寄, 委托, 公告, 电子; receiver and witness sealed",
)

rectification_feedback = sa.Table(
    "rectification_feedback",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("order_id", sa.Uuid, sa.ForeignKey("rectification_order.id"), nullable=False, index=True),
    sa.Column("round", sa.SmallInteger, nullable=False),
    sa.Column("note", sa.Text, nullable=True),
    sa.Column("items", JSONB, nullable=False),
    sa.Column("submitted_by", sa.Uuid, nullable=False),
    instant("done_at"),
    instant("received_at"),
    comment="整改反馈 of the enterprise (ENT-03), item by item with photos",
)

extension_request = sa.Table(
    "extension_request",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    # One for the life of an order, whatever became of it (D7).
    sa.Column("order_id", sa.Uuid, sa.ForeignKey("rectification_order.id"), nullable=False, unique=True),
    sa.Column("days", sa.SmallInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Uuid, nullable=False),
    instant("requested_at"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("due_on_before", sa.Date, nullable=False),
    sa.Column("due_on_after", sa.Date, nullable=True),
    sa.Column("decided_by", sa.Uuid, nullable=True),
    instant("decided_at", nullable=True),
    sa.Column("decision_reason", sa.Text, nullable=True),
    sa.CheckConstraint("state in ('pending', 'granted', 'declined')", name="known_state"),
    sa.CheckConstraint("days between 1 and 90", name="days_are_bounded"),
    sa.CheckConstraint("(state = 'granted') = (due_on_after is not null)", name="granted_has_date"),
    comment="延期整改: asked once for more time, granted or declined",
)

re_inspection = sa.Table(
    "re_inspection",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("order_id", sa.Uuid, sa.ForeignKey("rectification_order.id"), nullable=False),
    sa.Column("round", sa.SmallInteger, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("items", JSONB, nullable=False),
    sa.Column("evidence", sa.ARRAY(sa.LargeBinary), nullable=False),
    sa.Column("officer_id", sa.Uuid, sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("second_officer_id", sa.Uuid, sa.ForeignKey("officer.id"), nullable=False),
    sa.Column("next_due_on", sa.Date, nullable=True),
    sa.Column("approved_by", sa.Text, nullable=True),
    sa.Column("approval_reason", sa.Text, nullable=True),
    instant("done_at"),
    instant("received_at"),
    sa.CheckConstraint(
        "result in ('no_problem', 'administrative_guidance', 'order_to_rectify', 'transfer_conditions_met')",
        name="known_result",
    ),
    sa.CheckConstraint("second_officer_id <> officer_id", name="two_officers"),
    sa.CheckConstraint("(result = 'order_to_rectify') = (next_due_on is not null)", name="another_round_is_dated"),
    sa.CheckConstraint("next_due_on is null or approved_by is not null", name="another_round_is_approved"),
    sa.Index("uq_re_inspection_round", "order_id", "round", unique=True),
    comment="整改复查 (POST-01, MOB-16): the documents' four-value result (X9)",
)

enforcement_transfer = sa.Table(
    "enforcement_transfer",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspection.id"), nullable=False, index=True),
    sa.Column("order_id", sa.Uuid, sa.ForeignKey("rectification_order.id"), nullable=True, unique=True),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("receiving_body", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("receipt_number", sa.Text, nullable=True),
    sa.Column("receipt", sa.LargeBinary, nullable=True),
    instant("opened_at"),
    instant("handed_over_at", nullable=True),
    sa.Column("handed_over_by", sa.Uuid, nullable=True),
    sa.CheckConstraint("state in ('open', 'handed_over')", name="known_state"),
    sa.CheckConstraint("(state = 'handed_over') = (handed_over_at is not null)", name="hand_over_is_dated"),
    comment="移交执法 (POST-04): the file that goes to whom may punish, and their receipt",
)
