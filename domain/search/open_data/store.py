"""Statements on open data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.enterprise.tables import enterprise, site
from domain.identity.tables import department, region
from domain.inspection.tables import inspection, inspection_party
from domain.publication.store import RESULT_OF_PUBLICATION
from domain.publication.tables import publication
from domain.search.open_data.model import EXACT_UP_TO, Dump, ResultCount, StoredOpenResult
from domain.search.tables import open_data_dump
from domain.shared.sql import Command, Ltree, Query


def _given(name: str, kind: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind)


def _unless(name: str, kind: Any, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """The condition, where the filter is given at all."""
    return sa.or_(_given(name, kind).is_(None), condition)


_WITH_ALL = (
    publication.join(inspection, inspection.c.id == publication.c.inspection_id)
    .join(site, site.c.id == publication.c.site_id)
    .join(enterprise, enterprise.c.id == publication.c.enterprise_id)
    .join(region, region.c.code == site.c.region_code)
)
_SHOWN = (
    # Written out, not bound: only so does PostgreSQL see that the partial index holds them.
    publication.c.state.in_([sa.literal_column("'published'"), sa.literal_column("'withdrawn'")]),
    publication.c.ends_on >= _given("today", sa.Date),
)
_BY_AUTHORITY = sa.exists().where(
    inspection_party.c.inspection_id == publication.c.inspection_id,
    inspection_party.c.department_id == department.c.id,
    department.c.name == _given("authority", sa.Text),
)
_FILTERS = (
    _unless("region", sa.Text, site.c.region.op("<@")(sa.cast(_given("region", sa.Text), Ltree))),
    _unless("authority", sa.Text, _BY_AUTHORITY),
    # A tombstone does not tell what the result was: whoever filters by it does not learn that either.
    _unless(
        "outcome",
        sa.Text,
        sa.and_(inspection.c.outcome == _given("outcome", sa.Text), publication.c.state == sa.text("'published'")),
    ),
    _unless("kind", sa.Text, inspection.c.kind == _given("kind", sa.Text)),
)
_OF_OTHER_TABLES: dict[str, Any] = {
    "result": RESULT_OF_PUBLICATION,
    "published_at": publication.c.published_at,
    "object_type": enterprise.c.object_type,
    "uscc": enterprise.c.uscc,
    "enterprise_name": enterprise.c.name,
    "site_name": site.c.name,
    "region_code": site.c.region_code,
    "region_name": region.c.name,
}
_OF_ENTERPRISE = (
    publication.c.enterprise_id
    == sa.select(enterprise.c.id)
    # A natural person is not named, so nobody finds by a number whose result it is.
    .where(enterprise.c.uscc == _given("uscc", sa.Text), enterprise.c.object_type != sa.literal_column("'自然人'"))
    .scalar_subquery()
)
# No lower bound of `published_at` beside the cursor (see domain/inspection/store.py): who asks stops at it.
_PAGE = (
    sa.select(*[_OF_OTHER_TABLES[name].label(name) for name in StoredOpenResult.__struct_fields__])
    .select_from(_WITH_ALL)
    .where(
        *_SHOWN,
        sa.tuple_(publication.c.published_at, publication.c.id)
        < sa.tuple_(_given("before_at", sa.DateTime(timezone=True)), _given("before_id", sa.Uuid)),
    )
    .order_by(publication.c.published_at.desc(), publication.c.id.desc())
    .limit(_given("limit", sa.Integer))
)
ALL_RESULTS = Query(_PAGE, StoredOpenResult)
RESULTS = Query(_PAGE.where(*_FILTERS), StoredOpenResult)
RESULTS_OF_ENTERPRISE = Query(_PAGE.where(*_FILTERS, _OF_ENTERPRISE), StoredOpenResult)


def _count(*conditions: sa.ColumnElement[bool]) -> Query[ResultCount]:
    counted = (
        sa.select(publication.c.id)
        .select_from(_WITH_ALL)
        .where(
            *_SHOWN,
            publication.c.published_at >= _given("since", sa.DateTime(timezone=True)),
            publication.c.published_at < _given("until", sa.DateTime(timezone=True)),
            *_FILTERS,
            *conditions,
        )
        .limit(sa.literal_column(str(EXACT_UP_TO + 1)))
        .subquery("counted")
    )
    return Query(sa.select(sa.func.count().label("count")).select_from(counted), ResultCount)


COUNT_RESULTS = _count()
COUNT_OF_ENTERPRISE = _count(_OF_ENTERPRISE)

# ---- dumps

_ONE_AT_A_TIME = 0x59_6D_64_75  # "Ymdu": read by nobody, only equal to itself
"""An advisory lock: a dump is registered before a withdrawal or sees it."""
LOCK_DUMPS = Command(sa.select(sa.func.pg_advisory_xact_lock(sa.literal_column(str(_ONE_AT_A_TIME)))))

_DUMPS = sa.select(*[open_data_dump.c[name] for name in Dump.__struct_fields__])
DUMPS = Query(_DUMPS.order_by(open_data_dump.c.made_on.desc()).limit(31), Dump)
DUMP_OF_DAY = Query(_DUMPS.where(open_data_dump.c.made_on == sa.bindparam("made_on")), Dump)
NEWEST_DUMP = Query(_DUMPS.order_by(open_data_dump.c.made_on.desc()).limit(1), Dump)
INSERT_DUMP = Command(sa.insert(open_data_dump).values({name: sa.bindparam(name) for name in Dump.__struct_fields__}))
DELETE_DUMPS_SINCE = Command(
    sa.delete(open_data_dump).where(
        open_data_dump.c.made_at
        >= sa.select(publication.c.published_at)
        .where(publication.c.id == sa.bindparam("publication_id"))
        .scalar_subquery()
    )
)
WITHDRAWN_SINCE = Query(
    sa.select(sa.func.count().label("count"))
    .select_from(publication)
    .where(
        publication.c.state == sa.text("'withdrawn'"),
        publication.c.withdrawn_at >= _given("since", sa.DateTime(timezone=True)),
    ),
    ResultCount,
)
DELETE_OLD_DUMPS = Command(sa.delete(open_data_dump).where(open_data_dump.c.made_on <= sa.bindparam("through")))
