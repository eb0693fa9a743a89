"""Tables of regions, departments, accounts, sessions and failed log-ins."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata

region = sa.Table(
    "region",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("parent_code", sa.Text, sa.ForeignKey("region.code"), nullable=True),
    sa.Column("path", Ltree, nullable=False),
    sa.Column("valid_from", sa.Date, nullable=True),
    sa.Column("valid_to", sa.Date, nullable=True),
    sa.Column("successor_code", sa.Text, nullable=True),
    sa.Index("ix_region_path", "path", postgresql_using="gist"),
    comment="行政区划, current and former codes with their validity (CFG-05)",
)

department = sa.Table(
    "department",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("short_name", sa.Text, nullable=False),
    sa.Column("paper_word", sa.Text, nullable=True),
    sa.Column("parent_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=True),
    sa.Column("path", Ltree, nullable=False),
    sa.Column("region_code", sa.Text, sa.ForeignKey("region.code"), nullable=False),
    sa.Column("region", Ltree, nullable=False),
    sa.Column("hotline", sa.Text, nullable=True),
    sa.Index("ix_department_path", "path", postgresql_using="gist"),
    comment="监管部门 as a tree; short_name is the 机关简称 shown to the public, paper_word the 机关代字 of its papers",
)

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("post", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=True),
    sa.Column("region", Ltree, nullable=True),
    sa.Column("officer_id", sa.Uuid, nullable=True, unique=True),
    sa.Column("enterprise_id", sa.Uuid, nullable=True),
    sa.Column("enterprise_post", sa.Text, nullable=True),
    sa.Column("site_ids", sa.ARRAY(sa.Uuid), nullable=True),
    instant("disabled_at", nullable=True),
    instant("created_at"),
    sa.CheckConstraint(
        "role in ('inspector', 'department_manager', 'lead', 'enterprise', 'administrator')", name="known_role"
    ),
    sa.CheckConstraint("role <> 'enterprise' or enterprise_id is not null", name="enterprise_is_named"),
    sa.CheckConstraint("role <> 'inspector' or officer_id is not null", name="inspector_is_officer"),
    sa.CheckConstraint("enterprise_post in ('manager', 'clerk', 'viewer')", name="known_enterprise_post"),
    sa.CheckConstraint("(role = 'enterprise') = (enterprise_post is not null)", name="enterprise_has_post"),
    sa.CheckConstraint("site_ids is null or role = 'enterprise'", name="sites_are_an_enterprises"),
    sa.Index("ix_account_department_id", "department_id", postgresql_where=sa.text("department_id is not null")),
    comment="Who may log in, as what, within which department and region",
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id"), nullable=False, index=True),
    sa.Column("generation", sa.Integer, nullable=False),
    instant("started_at"),
    instant("expires_at"),
    instant("ended_at", nullable=True),
    sa.Column("end_reason", sa.Text, nullable=True),
    sa.Index("ix_session_expires_at", "expires_at"),
    comment="One log-in; generation is the latest refresh token that was used",
)

log_in_failure = sa.Table(
    "log_in_failure",
    metadata,
    sa.Column("login_index", sa.LargeBinary, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    instant("since"),
    instant("locked_until", nullable=True),
    sa.Index("ix_log_in_failure_since", "since"),
    comment="登录失败 of one log-in name, known by blind index alone (SEC-02)",
)
