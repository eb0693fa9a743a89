"""Tables of visit ratings (入企评价): nothing here leads from a rating to who gave it."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import metadata

rating_invitation = sa.Table(
    "rating_invitation",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
    sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspection.id"), nullable=False),
    sa.Column("visit_id", sa.Uuid, sa.ForeignKey("visit.id"), nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("visited_on", sa.Date, nullable=False),
    sa.Column("period", sa.Date, nullable=False),
    sa.Column("ends_on", sa.Date, nullable=False),
    # That it was used is known; when, and for what, is not.
    sa.Column("is_used", sa.Boolean, nullable=False),
    sa.Index("uq_rating_invitation_visit", "visit_id", "department_id", unique=True),
    sa.Index("ix_rating_invitation_enterprise", "enterprise_id", "id"),
    comment="评价邀请 to an enterprise: one per visit and department",
)

rating_token = sa.Table(
    "rating_token",
    metadata,
    sa.Column("mark", sa.LargeBinary, primary_key=True),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("period", sa.Date, nullable=False),
    comment="A token that was drawn and is not spent: a keyed hash of its hash, gone the moment it is spent",
)

rating_pool = sa.Table(
    "rating_pool",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False, index=True),
    sa.Column("period", sa.Date, nullable=False),
    sa.Column("courtesy", sa.SmallInteger, nullable=False),
    sa.Column("lawfulness", sa.SmallInteger, nullable=False),
    sa.Column("efficiency", sa.SmallInteger, nullable=False),
    sa.Column("certificates_shown", sa.Boolean, nullable=False),
    sa.Column("prohibitions", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("comment", sa.Text, nullable=True),
    sa.CheckConstraint(
        "courtesy between 1 and 5 and lawfulness between 1 and 5 and efficiency between 1 and 5", name="stars"
    ),
    comment="待放评价: all rows of a department are written anew with each that comes, in random order",
)

rating_batch = sa.Table(
    "rating_batch",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
    sa.Column("period_from", sa.Date, nullable=False),
    sa.Column("period_to", sa.Date, nullable=False),
    sa.Column("released_on", sa.Date, nullable=False),
    sa.Column("ratings", sa.Integer, nullable=False),
    sa.CheckConstraint("ratings >= 5", name="nobody_stands_out"),
    sa.Index("ix_rating_batch_department", "department_id", "id"),
    comment="A batch of ratings as it was released to its department",
)

visit_rating = sa.Table(
    "visit_rating",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("batch_id", sa.Uuid, sa.ForeignKey("rating_batch.id"), nullable=False, index=True),
    sa.Column("courtesy", sa.SmallInteger, nullable=False),
    sa.Column("lawfulness", sa.SmallInteger, nullable=False),
    sa.Column("efficiency", sa.SmallInteger, nullable=False),
    sa.Column("certificates_shown", sa.Boolean, nullable=False),
    sa.Column("comment", sa.Text, nullable=True),
    comment="入企评价 that was released: of its batch, and of nobody",
)

rating_misconduct = sa.Table(
    "rating_misconduct",
    metadata,
    sa.Column("batch_id", sa.Uuid, sa.ForeignKey("rating_batch.id"), primary_key=True),
    sa.Column("prohibition", sa.Text, primary_key=True),
    sa.Column("marks", sa.Integer, nullable=False),
    comment="五个严禁 that raters of a batch marked, counted: for the supervision side alone",
)
