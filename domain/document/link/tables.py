"""Tables of notice links and of their openings."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.tables import instant, metadata

notice_link = sa.Table(
    "notice_link",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("document_id", sa.Uuid, sa.ForeignKey("document.id"), nullable=False, index=True),
    sa.Column("enterprise_id", sa.Uuid, sa.ForeignKey("enterprise.id"), nullable=False),
    # Messages belong to the outbox, which knows no papers: no foreign key leads there.
    sa.Column("message_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("means", sa.Text, nullable=False),
    sa.Column("serves", sa.Boolean, nullable=False),
    instant("made_at"),
    instant("asked_at"),
    instant("expires_at"),
    instant("delivered_at", nullable=True),
    instant("revoked_at", nullable=True),
    sa.Column("revoke_reason", sa.Text, nullable=True),
    sa.CheckConstraint("means in ('sms', 'email')", name="known_means"),
    sa.CheckConstraint("octet_length(number) = 5", name="number_is_short"),
    sa.CheckConstraint("(revoked_at is null) = (revoke_reason is null)", name="revocation_has_reason"),
    comment="短链接 to one paper in one message; the token is not kept, only the number that it proves",
)

notice_opening = sa.Table(
    "notice_opening",
    metadata,
    sa.Column("link_id", sa.Uuid, sa.ForeignKey("notice_link.id"), primary_key=True),
    sa.Column("opened_on", sa.Date, primary_key=True),
    # The key bounds how many are kept of a day, however many open it at once.
    sa.Column("place", sa.SmallInteger, primary_key=True),
    instant("opened_at"),
    sa.Column("address", sa.LargeBinary, nullable=False),
    sa.Column("device", sa.LargeBinary, nullable=True),
    comment="打开记录: evidence that somebody had the paper before them; address and device as keyed digests",
)
