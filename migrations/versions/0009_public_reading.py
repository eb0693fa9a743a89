"""Exposures, feedback, search, dumps of open data; what the list of published results is read by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from domain.shared.sql import Ltree

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NEW = ("search_entry", "open_data_dump", "exposure", "feedback")
"""The tables of this revision."""

# Bigrams of every word, the single characters of a title, and the filters: a kind, each region from the province
# down, each 业态. pg_trgm finds nothing for two Chinese characters, because it takes a run of them for one word.
_TERMS = r"""
CREATE FUNCTION search_terms(kind text, title text, body text, region ltree, business_types text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
WITH word AS MATERIALIZED (
    SELECT w, w ~ '^[a-z0-9]{13,}$' AS is_code
    FROM regexp_split_to_table(
        lower(normalize(title || ' ' || body, NFKC)), '[\s!-/:-@\[-`{-~、。《》〈〉「」『』【】“”‘’—·…]+'
    ) w
)
SELECT array_agg(DISTINCT term) FROM (
    SELECT substr(w, i, 2) AS term FROM word, generate_series(1, length(w) - 1) i WHERE NOT is_code
    UNION ALL SELECT w FROM word WHERE is_code
    UNION ALL SELECT 't:' || letter FROM string_to_table(lower(normalize(title, NFKC)), NULL) letter
    WHERE letter > '~'
    UNION ALL SELECT 'k:' || kind
    UNION ALL SELECT 'r:' || label FROM string_to_table(region::text, '.') label
    UNION ALL SELECT 'b:' || business_type FROM unnest(business_types) business_type
) found
$$
"""

# A statement-level trigger and no event: the register comes in batches of a thousand rows, and whoever writes a site or
# an enterprise, this keeps what anybody finds of it. Natural persons are not looked for; where somebody may live
# behind the shop, the address is not either.
_KEEP_SITES = """
CREATE FUNCTION search_keep_sites(changed uuid[]) RETURNS void LANGUAGE sql AS $$
DELETE FROM search_entry kept USING site s, enterprise e
WHERE kept.site_id = s.id AND s.id = ANY (changed) AND e.id = s.enterprise_id AND e.object_type = '自然人';
INSERT INTO search_entry AS kept
    (kind, id, target, title, body, region, business_types, dated_on, site_id, terms)
SELECT 'enterprise', s.id, e.uscc, e.name, b.body, s.region, s.business_types, e.established_on, s.id,
    search_terms('enterprise', e.name, b.body, s.region, s.business_types)
FROM site s
JOIN enterprise e ON e.id = s.enterprise_id
CROSS JOIN LATERAL (
    SELECT concat_ws(' ', e.uscc, e.brand_name, nullif(s.name, e.name),
        CASE WHEN e.object_type <> '个体工商户' THEN s.address END) AS body
) b
WHERE s.id = ANY (changed) AND e.object_type <> '自然人'
ON CONFLICT (kind, id) DO UPDATE SET target = excluded.target, title = excluded.title, body = excluded.body,
    region = excluded.region, business_types = excluded.business_types, dated_on = excluded.dated_on,
    terms = excluded.terms
WHERE (kept.target, kept.title, kept.body, kept.region, kept.business_types, kept.dated_on)
    IS DISTINCT FROM (excluded.target, excluded.title, excluded.body, excluded.region, excluded.business_types,
        excluded.dated_on);
UPDATE search_entry kept SET title = e.name, business_types = s.business_types,
    terms = search_terms(kept.kind, e.name, kept.body, kept.region, s.business_types)
FROM site s JOIN enterprise e ON e.id = s.enterprise_id
WHERE kept.site_id = s.id AND s.id = ANY (changed) AND kept.kind = 'result'
    AND (kept.title, kept.business_types) IS DISTINCT FROM (e.name, s.business_types);
$$
"""
_SITES_CHANGED = """
CREATE FUNCTION search_sites_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_keep_sites(ARRAY(SELECT id FROM changed));
    RETURN NULL;
END $$
"""
_ENTERPRISES_CHANGED = """
CREATE FUNCTION search_enterprises_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_keep_sites(ARRAY(SELECT s.id FROM site s JOIN changed c ON c.id = s.enterprise_id));
    RETURN NULL;
END $$
"""
_TRIGGERS = (
    ("search_site_made", "INSERT", "site", "search_sites_changed"),
    ("search_site_changed", "UPDATE", "site", "search_sites_changed"),
    ("search_enterprise_changed", "UPDATE", "enterprise", "search_enterprises_changed"),
)


def upgrade() -> None:
    """Make the tables, and put into the search what is public already."""
    _make_search()
    _make_exposure()
    _make_feedback()
    for table in _NEW:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO yima_app")
    op.create_index(
        "ix_publication_published",
        "publication",
        ["published_at", "id"],
        postgresql_where=sa.text("state in ('published', 'withdrawn')"),
    )
    for function in (_TERMS, _KEEP_SITES, _SITES_CHANGED, _ENTERPRISES_CHANGED):
        op.execute(function)
    for name, act, table, function in _TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} AFTER {act} ON {table} REFERENCING NEW TABLE AS changed "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    _fill_search()


def _make_search() -> None:
    op.create_table(
        "search_entry",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=True),
        sa.Column("region", Ltree(), nullable=True),
        sa.Column("business_types", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("dated_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("terms", sa.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint(
            "kind in ('manual', 'checklist', 'result', 'exposure', 'enterprise')", name="ck_search_entry_known_kind"
        ),
        sa.PrimaryKeyConstraint("kind", "id", name="pk_search_entry"),
        comment="搜索 (PUB-03): what anybody may find, written in the transaction that makes it public",
    )
    op.create_index(
        "ix_search_entry_terms",
        "search_entry",
        ["terms"],
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 512},
    )
    op.create_index(
        "ix_search_entry_site_id", "search_entry", ["site_id"], postgresql_where=sa.text("site_id is not null")
    )
    op.create_table(
        "open_data_dump",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("results", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_open_data_dump"),
        sa.UniqueConstraint("made_on", name="uq_open_data_dump_made_on"),
        comment="开放数据 of one night: whole in the object store before its row is here, kept seven days",
    )


def _make_exposure() -> None:
    op.create_table(
        "exposure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("region", Ltree(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("publication_id", sa.Uuid(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("authors", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('draft', 'published', 'withdrawn')", name="ck_exposure_known_state"),
        sa.CheckConstraint("state <> 'published' or published_at is not null", name="ck_exposure_published_is_dated"),
        sa.CheckConstraint("published_by <> all (authors)", name="ck_exposure_published_by_another"),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at is not null)", name="ck_exposure_withdrawal_is_dated"
        ),
        sa.CheckConstraint(
            "(withdrawn_at is null) = (withdrawn_reason is null)", name="ck_exposure_withdrawal_has_reason"
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_exposure_department_id"),
        sa.ForeignKeyConstraint(["publication_id"], ["publication.id"], name="fk_exposure_publication_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exposure"),
        comment="曝光 (PUB-09, COG-07): drafted by one, published by another person of the department",
    )
    op.create_index("ix_exposure_department", "exposure", ["department_id", "state", "id"])
    op.create_index(
        "ix_exposure_published", "exposure", ["published_at", "id"], postgresql_where=sa.text("state = 'published'")
    )
    op.create_index(
        "ix_exposure_publication_id",
        "exposure",
        ["publication_id"],
        postgresql_where=sa.text("publication_id is not null"),
    )


def _make_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("about_name", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("code_index", sa.LargeBinary(), nullable=False),
        sa.Column("enterprise_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('question', 'suggestion')", name="ck_feedback_known_kind"),
        sa.CheckConstraint("about in ('checklist', 'manual')", name="ck_feedback_known_about"),
        sa.CheckConstraint("state in ('open', 'answered')", name="ck_feedback_known_state"),
        sa.CheckConstraint("(state = 'answered') = (answer is not null)", name="ck_feedback_answered_has_answer"),
        sa.CheckConstraint("(answer is null) = (answered_at is null)", name="ck_feedback_answer_is_dated"),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name="fk_feedback_department_id"),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name="fk_feedback_enterprise_id"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.UniqueConstraint("code_index", name="uq_feedback_code_index"),
        comment="信息反馈 (PUB-08) on a checklist, one of its items or a manual; what was written is sealed",
    )
    op.create_index("ix_feedback_department", "feedback", ["department_id", "state", "id"])


def _fill_search() -> None:
    op.execute("SELECT search_keep_sites(ARRAY(SELECT id FROM site))")
    op.execute(
        "INSERT INTO search_entry "
        "(kind, id, target, title, body, authority, region, business_types, dated_on, ends_on, site_id, terms) "
        "SELECT 'result', p.id, e.uscc, e.name, d.name, d.name, s.region, s.business_types, "
        "(i.completed_at AT TIME ZONE 'Asia/Shanghai')::date, p.ends_on, s.id, "
        "search_terms('result', e.name, d.name, s.region, s.business_types) "
        "FROM publication p JOIN inspection i ON i.id = p.inspection_id JOIN site s ON s.id = p.site_id "
        "JOIN enterprise e ON e.id = p.enterprise_id JOIN department d ON d.id = i.initiating_department_id "
        "WHERE p.state = 'published' AND e.object_type <> '自然人'"
    )
    op.execute(
        "INSERT INTO search_entry "
        "(kind, id, target, title, body, authority, region, business_types, dated_on, terms) "
        "SELECT 'checklist', c.id, c.id::text, c.name, b.body, d.name, d.region, ARRAY[c.business_type], "
        "(v.published_at AT TIME ZONE 'Asia/Shanghai')::date, "
        "search_terms('checklist', c.name, b.body, d.region, ARRAY[c.business_type]) "
        "FROM checklist c JOIN checklist_version v ON v.id = c.current_version_id "
        "JOIN department d ON d.id = c.lead_department_id "
        "CROSS JOIN LATERAL (SELECT coalesce(string_agg(content, ' ' ORDER BY place), '') AS body "
        "FROM checklist_item WHERE version_id = v.id) b "
        "WHERE c.state = 'enabled' AND c.deleted_at IS NULL"
    )
