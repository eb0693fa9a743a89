"""Tables of complaints and of tip-offs: built alike, kept apart."""

from __future__ import annotations

import enum
from typing import Any

import sqlalchemy as sa

from domain.complaint.model import OPEN, GrievanceState, GrievanceTerm, GrievanceType, HistoryKind
from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata


def _one_of(column: str, values: type[enum.StrEnum]) -> str:
    return f"{column} in ({', '.join(repr(each.value) for each in values)})"


def _grievance(name: str, *own: Any, comment: str) -> sa.Table:
    is_open = ", ".join(repr(each.value) for each in GrievanceState if each in OPEN)
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("site_id", sa.Uuid, sa.ForeignKey("site.id"), nullable=False),
        sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
        sa.Column("department_id", sa.Uuid, sa.ForeignKey("department.id"), nullable=False),
        sa.Column("region", Ltree, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        # Written out beside the state: the office's list is an index scan over what is open.
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("term", sa.Text, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        instant("filed_at"),
        instant("accepted_at", nullable=True),
        instant("answered_at", nullable=True),
        instant("closed_at", nullable=True),
        sa.Column("is_reopened", sa.Boolean, nullable=False),
        sa.Column("is_extended", sa.Boolean, nullable=False),
        sa.Column("is_abusive", sa.Boolean, nullable=False),
        sa.Column("handler_id", sa.Uuid, nullable=True),
        sa.Column("leading_id", sa.Uuid, sa.ForeignKey(f"{name}.id"), nullable=True),
        sa.Column("inspection_id", sa.Uuid, sa.ForeignKey("inspection.id"), nullable=True),
        sa.Column("content_sealed", sa.LargeBinary, nullable=False),
        sa.Column("phone_index", sa.LargeBinary, nullable=True),
        sa.Column("released_sealed", sa.LargeBinary, nullable=True),
        sa.Column("sketch", sa.ARRAY(sa.BigInteger), nullable=False),
        sa.Column("query_code_index", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("consent_version", sa.Text, nullable=False),
        sa.Column("failed_tries", sa.SmallInteger, nullable=False, server_default="0"),
        instant("tried_at", nullable=True),
        *own,
        sa.CheckConstraint(_one_of("type", GrievanceType), name="known_type"),
        sa.CheckConstraint(_one_of("state", GrievanceState), name="known_state"),
        sa.CheckConstraint(_one_of("term", GrievanceTerm), name="known_term"),
        sa.CheckConstraint(f"is_open = (state in ({is_open}))", name="open_as_state_says"),
        sa.CheckConstraint("leading_id <> id", name="leads_another"),
        sa.Index(f"ix_{name}_department_id", "department_id", "is_open", "due_on", "id"),
        sa.Index(f"ix_{name}_due", "is_open", "due_on", "id"),
        sa.Index(f"ix_{name}_site_id", "site_id", "filed_at"),
        # The round that closes what nobody can reopen any more reads this alone.
        sa.Index(
            f"ix_{name}_answered",
            "answered_at",
            "id",
            postgresql_where=sa.text("state = 'answered' and leading_id is null"),
        ),
        sa.Index(f"ix_{name}_phone_index", "phone_index", postgresql_where=sa.text("phone_index is not null")),
        sa.Index(f"ix_{name}_leading_id", "leading_id", postgresql_where=sa.text("leading_id is not null")),
        sa.Index(f"ix_{name}_inspection_id", "inspection_id", postgresql_where=sa.text("inspection_id is not null")),
        comment=comment,
    )


def _entry(name: str, of: str, *, comment: str) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("grievance_id", sa.Uuid, sa.ForeignKey(f"{of}.id"), nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        instant("at"),
        sa.Column("text_sealed", sa.LargeBinary, nullable=True),
        sa.Column("account_id", sa.Uuid, nullable=True),
        # Lines of one instant stand in the order in which they were written.
        sa.Column("n", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.CheckConstraint(_one_of("kind", HistoryKind), name="known_kind"),
        comment=comment,
    )


complaint = _grievance(
    "complaint",
    sa.Column("person_sealed", sa.LargeBinary, nullable=False),
    sa.Column("handed_over_reference", sa.Text, nullable=True),
    sa.Index(
        "ix_complaint_concluded",
        "site_id",
        "type",
        postgresql_where=sa.text("state = 'closed' and not is_abusive and leading_id is null"),
    ),
    sa.Index(
        "ix_complaint_enterprise_id",
        "enterprise_id",
        "accepted_at",
        "id",
        postgresql_where=sa.text("accepted_at is not null"),
    ),
    comment="投诉, named: what was written and who wrote it are sealed, texts are found alike by a keyed sketch",
)
complaint_entry = _entry("complaint_entry", "complaint", comment="History of 投诉, its words sealed")
tip_off = _grievance(
    "tip_off",
    sa.Column("person_sealed", sa.LargeBinary, nullable=True),
    comment="举报, named or anonymous: never shown to the enterprise, never counted in public",
)
tip_off_entry = _entry("tip_off_entry", "tip_off", comment="History of 举报, its words sealed")
