"""Tables of who acts for an enterprise."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import instant, metadata

provider_user = sa.Table(
    "provider_user",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_type", sa.Text, nullable=False),
    sa.Column("user_id_code", sa.Text, nullable=True),
    sa.Column("number_sealed", sa.LargeBinary, nullable=True),
    sa.Column("number_index", sa.LargeBinary, nullable=True),
    sa.Column("name_sealed", sa.LargeBinary, nullable=False),
    sa.Column("mobile_sealed", sa.LargeBinary, nullable=True),
    sa.Column("mobile_index", sa.LargeBinary, nullable=True),
    sa.Column("provider_time", sa.Text, nullable=True),
    instant("created_at"),
    instant("updated_at"),
    sa.CheckConstraint("user_type in ('person', 'legal_person')", name="known_user_type"),
    sa.CheckConstraint("(number_sealed is null) = (number_index is null)", name="number_is_found"),
    sa.CheckConstraint("user_id_code is not null or number_index is not null", name="user_is_found"),
    sa.Index("uq_provider_user_code", "user_type", "user_id_code", unique=True),
    sa.Index("uq_provider_user_number", "user_type", "number_index", unique=True),
    comment="智桂通用户 as last told (8.1, 8.5): number is the resident id or, of a legal person, the credit code",
)

membership = sa.Table(
    "membership",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id"), nullable=True),
    sa.Column("user_id", sa.Uuid, sa.ForeignKey("provider_user.id"), nullable=True),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("post", sa.Text, nullable=False),
    sa.Column("site_ids", sa.ARRAY(sa.Uuid), nullable=True),
    sa.Column("name_sealed", sa.LargeBinary, nullable=True),
    sa.Column("phone_sealed", sa.LargeBinary, nullable=True),
    sa.Column("phone_index", sa.LargeBinary, nullable=True),
    sa.Column("representative", sa.Text, nullable=True),
    sa.Column("representative_index", sa.LargeBinary, nullable=True),
    sa.Column("invited_by", sa.Uuid, sa.ForeignKey("account.id"), nullable=True),
    instant("created_at"),
    instant("joined_at", nullable=True),
    instant("doubted_at", nullable=True),
    instant("ended_at", nullable=True),
    sa.Column("end_reason", sa.Text, nullable=True),
    sa.CheckConstraint("basis in ('claim', 'invitation', 'installation')", name="known_basis"),
    sa.CheckConstraint("state in ('invited', 'active', 'doubted', 'ended')", name="known_state"),
    sa.CheckConstraint("post in ('manager', 'clerk', 'viewer')", name="known_post"),
    sa.CheckConstraint("cardinality(site_ids) > 0", name="branch_has_sites"),
    sa.CheckConstraint("state not in ('active', 'doubted') or account_id is not null", name="who_acts_has_account"),
    sa.CheckConstraint("(basis = 'claim') = (representative is not null)", name="claim_names_representative"),
    sa.CheckConstraint("basis <> 'invitation' or phone_index is not null", name="invitation_has_phone"),
    sa.CheckConstraint("(state = 'ended') = (ended_at is not null)", name="end_is_dated"),
    sa.CheckConstraint("(ended_at is null) = (end_reason is null)", name="end_has_reason"),
    sa.Index("ix_membership_enterprise_id", "enterprise_id", "id"),
    sa.Index(
        "ix_membership_claim",
        "enterprise_id",
        postgresql_where=sa.text("basis = 'claim' and state in ('active', 'doubted')"),
    ),
    sa.Index(
        "uq_membership_account",
        "account_id",
        unique=True,
        postgresql_where=sa.text("state in ('active', 'doubted')"),
    ),
    sa.Index(
        "uq_membership_user",
        "user_id",
        "enterprise_id",
        unique=True,
        postgresql_where=sa.text("state in ('active', 'doubted')"),
    ),
    sa.Index(
        "uq_membership_phone",
        "phone_index",
        "enterprise_id",
        unique=True,
        postgresql_where=sa.text("state <> 'ended' and phone_index is not null"),
    ),
    comment="企业人员: who acts for an enterprise, by claim or invitation, in which post, for which sites",
)
