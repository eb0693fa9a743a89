"""企业人员 Who acts for an enterprise, and log-ins that fail again and again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NEW = ("provider_user", "membership", "log_in_failure")


def upgrade() -> None:
    """Make the tables; whoever acted for an enterprise so far is its 企业管理员."""
    _give_accounts_a_post()
    _make_tables()
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")
    op.execute(
        "INSERT INTO membership (id, enterprise_id, account_id, basis, state, post, created_at, joined_at) "
        "SELECT gen_random_uuid(), a.enterprise_id, a.id, 'installation', 'active', 'manager', a.created_at, "
        "a.created_at FROM account a JOIN enterprise e ON e.id = a.enterprise_id "
        "WHERE a.role = 'enterprise' AND a.disabled_at IS NULL"
    )


def _give_accounts_a_post() -> None:
    op.add_column("account", sa.Column("enterprise_post", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("site_ids", sa.ARRAY(sa.Uuid()), nullable=True))
    op.execute("UPDATE account SET enterprise_post = 'manager' WHERE role = 'enterprise'")
    op.create_check_constraint(
        "ck_account_known_enterprise_post", "account", "enterprise_post in ('manager', 'clerk', 'viewer')"
    )
    op.create_check_constraint(
        "ck_account_enterprise_has_post", "account", "(role = 'enterprise') = (enterprise_post is not null)"
    )
    op.create_check_constraint(
        "ck_account_sites_are_an_enterprises", "account", "site_ids is null or role = 'enterprise'"
    )


def _make_tables() -> None:
    op.create_table(
        "provider_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_type", sa.Text(), nullable=False),
        sa.Column("user_id_code", sa.Text(), nullable=True),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("number_index", sa.LargeBinary(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mobile_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("mobile_index", sa.LargeBinary(), nullable=True),
        sa.Column("provider_time", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("user_type in ('person', 'legal_person')", name="ck_provider_user_known_user_type"),
        sa.CheckConstraint("(number_sealed is null) = (number_index is null)", name="ck_provider_user_number_is_found"),
        sa.CheckConstraint(
            "user_id_code is not null or number_index is not null", name="ck_provider_user_user_is_found"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_provider_user"),
        comment="智桂通用户 as last told (8.1, 8.5): number is the resident id or, of a legal person, the credit code",
    )
    op.create_index("uq_provider_user_code", "provider_user", ["user_type", "user_id_code"], unique=True)
    op.create_index("uq_provider_user_number", "provider_user", ["user_type", "number_index"], unique=True)
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("site_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("representative", sa.Text(), nullable=True),
        sa.Column("representative_index", sa.LargeBinary(), nullable=True),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("doubted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(basis = 'claim') = (representative is not null)", name="ck_membership_claim_names_representative"
        ),
        sa.CheckConstraint("(state = 'ended') = (ended_at is not null)", name="ck_membership_end_is_dated"),
        sa.CheckConstraint(
            "basis <> 'invitation' or phone_index is not null", name="ck_membership_invitation_has_phone"
        ),
        sa.CheckConstraint("basis in ('claim', 'invitation', 'installation')", name="ck_membership_known_basis"),
        sa.CheckConstraint("post in ('manager', 'clerk', 'viewer')", name="ck_membership_known_post"),
        sa.CheckConstraint("state in ('invited', 'active', 'doubted', 'ended')", name="ck_membership_known_state"),
        sa.CheckConstraint(
            "state not in ('active', 'doubted') or account_id is not null", name="ck_membership_who_acts_has_account"
        ),
        sa.CheckConstraint("(ended_at is null) = (end_reason is null)", name="ck_membership_end_has_reason"),
        sa.CheckConstraint("cardinality(site_ids) > 0", name="ck_membership_branch_has_sites"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_membership_account_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_membership_enterprise_id"),
        sa.ForeignKeyConstraint(["invited_by"], ["account.id"], name="fk_membership_invited_by"),
        sa.ForeignKeyConstraint(["user_id"], ["provider_user.id"], name="fk_membership_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
        comment="企业人员: who acts for an enterprise, by claim or invitation, in which post, for which sites",
    )
    op.create_index("ix_membership_enterprise_id", "membership", ["enterprise_id", "id"], unique=False)
    op.create_index(
        "ix_membership_claim",
        "membership",
        ["enterprise_id"],
        unique=False,
        postgresql_where=sa.text("basis = 'claim' and state in ('active', 'doubted')"),
    )
    op.create_index(
        "uq_membership_account",
        "membership",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("state in ('active', 'doubted')"),
    )
    op.create_index(
        "uq_membership_phone",
        "membership",
        ["phone_index", "enterprise_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'ended' and phone_index is not null"),
    )
    op.create_index(
        "uq_membership_user",
        "membership",
        ["user_id", "enterprise_id"],
        unique=True,
        postgresql_where=sa.text("state in ('active', 'doubted')"),
    )
    op.create_table(
        "log_in_failure",
        sa.Column("login_index", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("login_index", name="pk_log_in_failure"),
        comment="登录失败 of one log-in name, known by blind index alone (SEC-02)",
    )
    op.create_index("ix_log_in_failure_since", "log_in_failure", ["since"], unique=False)
