"""Tables of the search, and of the nightly dumps of published results."""

from __future__ import annotations

import sqlalchemy as sa

from domain.shared.sql import Ltree
from domain.shared.tables import instant, metadata

search_entry = sa.Table(
    "search_entry",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("authority", sa.Text, nullable=True),
    sa.Column("region", Ltree, nullable=True),
    sa.Column("business_types", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("dated_on", sa.Date, nullable=True),
    sa.Column("ends_on", sa.Date, nullable=True),
    sa.Column("site_id", sa.Uuid, nullable=True),
    # What may be found of it, and its kind, regions and business types: one index answers words and filters.
    sa.Column("terms", sa.ARRAY(sa.Text), nullable=False),
    sa.CheckConstraint("kind in ('manual', 'checklist', 'result', 'exposure', 'enterprise')", name="known_kind"),
    # What was just written waits in a list that every search reads through: a short one, so that an import slows none.
    sa.Index("ix_search_entry_terms", "terms", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": 512}),
    sa.Index("ix_search_entry_site_id", "site_id", postgresql_where=sa.text("site_id is not null")),
    comment="搜索 (PUB-03): what anybody may find, written in the transaction that makes it public",
)

open_data_dump = sa.Table(
    "open_data_dump",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("made_on", sa.Date, nullable=False, unique=True),
    sa.Column("results", sa.BigInteger, nullable=False),
    sa.Column("withdrawn", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    instant("made_at"),
    comment="开放数据 of one night: whole in the object store before its row is here, kept seven days",
)
