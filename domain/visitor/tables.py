"""Tables of visitors: phones on the way to being verified, counts of writes, and proofs of work that are used up."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import instant, metadata

phone_verification = sa.Table(
    "phone_verification",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("phone_sealed", sa.LargeBinary, nullable=False),
    sa.Column("phone_index", sa.LargeBinary, nullable=False),
    sa.Column("code_sealed", sa.LargeBinary, nullable=True),
    instant("requested_at"),
    instant("expires_at"),
    sa.Column("tries", sa.SmallInteger, nullable=False),
    instant("voided_at", nullable=True),
    instant("proven_at", nullable=True),
    sa.CheckConstraint("proven_at is null or code_sealed is null", name="proven_forgets_the_code"),
    sa.Index(
        "ix_phone_verification_open",
        "phone_index",
        postgresql_where=sa.text("voided_at is null and proven_at is null"),
    ),
    sa.Index("ix_phone_verification_requested_at", "requested_at"),
    comment="手机验证 of a citizen: number and code sealed; forgotten after a day",
)

write_count = sa.Table(
    "write_count",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("key", sa.LargeBinary, primary_key=True),
    # Which window since 1970: with the count of the one before it a window can slide.
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("current", sa.Integer, nullable=False),
    sa.Column("previous", sa.Integer, nullable=False),
    instant("counted_at"),
    sa.Index("ix_write_count_counted_at", "counted_at"),
    prefixes=["UNLOGGED"],
    comment="How often one address, device or phone wrote of late; keys are blind indexes, a crash may forget it",
)

spent_proof = sa.Table(
    "spent_proof",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    instant("expires_at"),
    sa.Index("ix_spent_proof_expires_at", "expires_at"),
    prefixes=["UNLOGGED"],
    comment="Proofs of work that are used up; after their time they would not be taken anyway",
)
