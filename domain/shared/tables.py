"""The tables that belong to no room: trace, positions, idempotency, numbers, keys."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from domain.shared.sql import Xid8

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A column holding an aware UTC instant."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


trace = sa.Table(
    "trace",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tx", Xid8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("n", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("business", sa.Text, nullable=False),
    sa.Column("power", sa.Text, nullable=False),
    sa.Column("duty", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    instant("at"),
    sa.Column("operator_id", sa.Uuid, nullable=False),
    sa.Column("operator_name", sa.Text, nullable=False),
    sa.Column("post", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("subject_id", sa.Uuid, nullable=False),
    sa.Column("department_id", sa.Uuid, nullable=True),
    sa.Column("region", sa.Text, nullable=True),
    sa.Column("site_id", sa.Uuid, nullable=True),
    sa.Column("before", JSON, nullable=True),
    sa.Column("after", JSON, nullable=True),
    sa.Column("request_id", sa.Uuid, nullable=False),
    sa.Column("device_at", sa.Text, nullable=True),
    sa.Column("longitude", sa.Double, nullable=True),
    sa.Column("latitude", sa.Double, nullable=True),
    sa.Column("key_version", sa.SmallInteger, nullable=False),
    sa.Column("mac", sa.LargeBinary, nullable=False),
    sa.Index("ix_trace_tx_n", "tx", "n", unique=True),
    sa.Index("ix_trace_subject_id", "subject_id", "n"),
    comment="行权留痕: append-only; the app may insert and select, nobody updates",
)

trace_position = sa.Table(
    "trace_position",
    metadata,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("trace_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("tx", Xid8, nullable=False),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("link", sa.LargeBinary, nullable=False),
    instant("placed_at"),
    comment="The order of the trace, without gap, given after commit by the relay alone",
)

trace_cursor = sa.Table(
    "trace_cursor",
    metadata,
    sa.Column("is_only", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("tx", Xid8, nullable=False),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("link", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("is_only", name="single_row"),
    comment="How far the relay has come",
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("principal_id", sa.Uuid, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("receipt_id", sa.Uuid, nullable=False),
    instant("received_at"),
    sa.Column("status", sa.SmallInteger, nullable=True),
    sa.Column("answer", sa.LargeBinary, nullable=True),
    sa.Column("location", sa.Text, nullable=True),
    sa.Index("ix_idempotency_received_at", "received_at"),
    comment="One row per accepted write, inserted first; kept 180 days",
)

number_counter = sa.Table(
    "number_counter",
    metadata,
    sa.Column("department_code", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("year", sa.SmallInteger, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
    comment="The last number given, per department, kind and year of the region's calendar",
)

issued_number = sa.Table(
    "issued_number",
    metadata,
    sa.Column("department_code", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("year", sa.SmallInteger, primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True),
    sa.Column("subject_id", sa.Uuid, nullable=True),
    sa.Column("device_id", sa.Uuid, nullable=True),
    instant("issued_at"),
    instant("voided_at", nullable=True),
    sa.Column("void_reason", sa.Text, nullable=True),
    sa.CheckConstraint("subject_id is not null or device_id is not null", name="held_by_someone"),
    sa.CheckConstraint("(voided_at is null) = (void_reason is null)", name="void_has_reason"),
    sa.Index("ix_issued_number_subject_id", "subject_id", "kind"),
    comment="Every number: used by a subject, leased to a device, or voided with a reason",
)

key_version = sa.Table(
    "key_version",
    metadata,
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("version", sa.SmallInteger, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("check_value", sa.LargeBinary, nullable=False),
    instant("created_at"),
    sa.CheckConstraint("state in ('current', 'verifying', 'retired')", name="known_state"),
    sa.Index("uq_key_version_current", "purpose", unique=True, postgresql_where=sa.text("state = 'current'")),
    comment="Register of data keys: check values only",
)

subject_key = sa.Table(
    "subject_key",
    metadata,
    sa.Column("subject_id", sa.Uuid, primary_key=True),
    sa.Column("sealed_key", sa.LargeBinary, nullable=False),
    instant("created_at"),
    comment="One person's key for values in the trace; deleting the row erases those values",
)

chore = sa.Table(
    "chore",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("trace_id", sa.Uuid, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
    instant("created_at"),
    instant("done_at", nullable=True),
    sa.Column("last_error", sa.Text, nullable=True),
    sa.CheckConstraint("state in ('waiting', 'done', 'abandoned')", name="known_state"),
    sa.Index("ix_chore_waiting", "created_at", postgresql_where=sa.text("state = 'waiting'")),
    comment="What the worker has to do for a committed act: render a paper, make the copies of a photo",
)
