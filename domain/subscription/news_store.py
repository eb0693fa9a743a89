"""Statements on news: what became public, under the keys by which subscriptions ask, and what of it still is."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import array

from domain.checklist.tables import checklist
from domain.exposure.tables import exposure
from domain.inspection.tables import inspection
from domain.manual.tables import manual
from domain.publication.tables import publication
from domain.search.tables import search_entry
from domain.shared.sql import Command, Query, uuid_list
from domain.subscription.model import MOST_ENTRIES, DigestEntry, News
from domain.subscription.tables import news_entry

_CANDIDATES: Final = 1_000
"""The newest so many are looked at more closely: whether they are public still, and say the words."""


def _given(name: str, kind: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind)


def _literal(text: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{text}'")


_INSTANT = sa.DateTime(timezone=True)

# ---- what becomes public, beside the search, which knows its words, regions and kind


def _marked(mark: str, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return _literal(mark) + sa.cast(column, sa.Text)


def _note(kind: str, keys: sa.ColumnElement[Any]) -> Command:
    """Put the entry that was just made findable among the news, if it is: withdrawn or held back it is not."""
    columns: dict[str, sa.ColumnElement[Any]] = {
        "id": sa.bindparam("news_id", type_=sa.Uuid),
        "kind": search_entry.c.kind,
        "entry_id": search_entry.c.id,
        "at": _given("now", _INSTANT),
        "keys": sa.func.array_remove(search_entry.c.terms + keys, sa.null(), type_=sa.ARRAY(sa.Text)),
    }
    entry = sa.select(*columns.values()).where(
        search_entry.c.kind == _literal(kind), search_entry.c.id == _given("entry_id", sa.Uuid)
    )
    return Command(sa.insert(news_entry).from_select(list(columns), entry))


def _of_result(source: Any, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    """Enterprise, site and scene of a published result."""
    found = sa.select(
        array(
            [
                _marked("e:", publication.c.enterprise_id),
                _marked("s:", publication.c.site_id),
                _marked("c:", inspection.c.scene_code),
            ]
        )
    )
    return sa.func.coalesce(
        found.select_from(source.join(inspection, inspection.c.id == publication.c.inspection_id))
        .where(*conditions)
        .scalar_subquery(),
        sa.literal_column("'{}'::text[]"),
        type_=sa.ARRAY(sa.Text),
    )


NOTE_RESULT = _note("result", _of_result(publication, publication.c.id == search_entry.c.id))
NOTE_EXPOSURE = _note(
    "exposure",
    _of_result(
        exposure.join(publication, publication.c.id == exposure.c.publication_id), exposure.c.id == search_entry.c.id
    ),
)
NOTE_CHECKLIST = _note(
    "checklist",
    array(
        [sa.select(_marked("c:", checklist.c.scene_code)).where(checklist.c.id == search_entry.c.id).scalar_subquery()]
    ),
)
NOTE_MANUAL = _note(
    "manual",
    # A manual names its 业态; the checklists of that 业态 name their scenes.
    sa.func.array(
        sa.select(_marked("c:", checklist.c.scene_code))
        .where(
            checklist.c.business_type == manual.c.business_type,
            manual.c.id == search_entry.c.id,
            checklist.c.scene_code.is_not(None),
            checklist.c.deleted_at.is_(None),
        )
        .distinct()
        .scalar_subquery(),
        type_=sa.ARRAY(sa.Text),
    ),
)
DELETE_OLD_NEWS = Command(
    sa.delete(news_entry).where(
        news_entry.c.id.in_(
            sa.select(news_entry.c.id)
            .where(news_entry.c.at < _given("before", _INSTANT))
            .limit(_given("limit", sa.Integer))
        )
    )
)

# ---- what of it a topic asks for, and is public now

_PUBLIC_NEWS = news_entry.join(
    search_entry, sa.and_(search_entry.c.kind == news_entry.c.kind, search_entry.c.id == news_entry.c.entry_id)
)
_STILL_PUBLIC = sa.or_(search_entry.c.ends_on.is_(None), search_entry.c.ends_on >= _given("today", sa.Date))
_READABLE = sa.func.lower(
    sa.literal_column("normalize(search_entry.title || ' ' || search_entry.body, NFKC)", type_=sa.Text)
)


_WORDS = _given("words", sa.ARRAY(sa.Text))


def _news_of(at: sa.ColumnElement[Any]) -> Query[News]:
    """The newest of a time that have all `keys`, and say all `words`, for pairs of characters may stand apart.

    `at` is how that time is compared. One set of keys a statement: an OR of several is planned as if each were common.
    """
    asked = (
        sa.select(*[news_entry.c[name] for name in News.__struct_fields__])
        .where(
            news_entry.c["keys"].op("@>")(_given("keys", sa.ARRAY(sa.Text))),
            at >= _given("since", _INSTANT),
            at < _given("until", _INSTANT),
        )
        .order_by(news_entry.c.at.desc(), news_entry.c.id.desc())
        .limit(_CANDIDATES)
        .subquery("asked")
    )
    of_search = sa.and_(search_entry.c.kind == asked.c.kind, search_entry.c.id == asked.c.entry_id)
    return Query(
        sa.select(*[asked.c[name] for name in News.__struct_fields__])
        .select_from(asked.join(search_entry, of_search))
        .where(
            sa.or_(sa.func.cardinality(_WORDS) == sa.literal_column("0"), _READABLE.op("LIKE")(sa.all_(_WORDS))),
            _STILL_PUBLIC,
        )
        .order_by(asked.c.at.desc(), asked.c.id.desc())
        .limit(MOST_ENTRIES + 1),
        News,
    )


COMMON_NEWS = _news_of(news_entry.c.at)
"""Of a region or a scene alone: there are few of these, and much is theirs, so the time is what narrows."""
RARE_NEWS = _news_of(news_entry.c.at + sa.literal_column("interval '0'"))
"""Of an enterprise, a site, words, or a scene within a region: there are many of these, and little is theirs.

The planner takes the index of the time, and so reads all of a day for each subscription, unless it is kept from it:
how rare a key is it does not know.
"""
ENTRIES_OF_NEWS = Query(
    sa.select(*[search_entry.c[name] for name in DigestEntry.__struct_fields__])
    .select_from(_PUBLIC_NEWS)
    .where(news_entry.c.id == sa.any_(uuid_list("news")), _STILL_PUBLIC)
    .order_by(news_entry.c.at.desc(), news_entry.c.id.desc()),
    DigestEntry,
)
"""What a digest names and is public still, as it is called today."""
