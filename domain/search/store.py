"""Statements of the search: what is found, and what is put in with the act that makes it public."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, array
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.checklist.tables import checklist, checklist_item, checklist_version
from domain.enterprise.tables import enterprise, site
from domain.exposure.tables import exposure
from domain.identity.tables import department
from domain.inspection.tables import inspection
from domain.manual.tables import manual, manual_element, manual_version
from domain.publication.model import KIND_LABELS, OUTCOME_LABELS
from domain.publication.tables import publication
from domain.search.model import Candidate
from domain.search.rules import NEAR_PLACES
from domain.search.tables import search_entry
from domain.shared.sql import Command, Query

_CANDIDATES = 400
"""A word that more entries have than these says too little; which of them are ranked, the index decides."""
_NEAR_CANDIDATES = 200
_BEFORE_WORD = 24
_EXCERPT = 120

# ---- what is found


def _given(name: str, kind: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind)


def _has(name: str) -> sa.ColumnElement[bool]:
    return search_entry.c.terms.op("@>")(_given(name, sa.ARRAY(sa.Text)))


_body = search_entry.c.body
_at = sa.func.strpos(sa.func.lower(_body), _given("word", sa.Text))
_FROM, _TO, _TODAY = _given("date_from", sa.Date), _given("date_to", sa.Date), _given("today", sa.Date)
_SHOWN = (
    sa.or_(_FROM.is_(None), search_entry.c.dated_on >= _FROM),
    sa.or_(_TO.is_(None), search_entry.c.dated_on <= _TO),
    sa.or_(search_entry.c.ends_on.is_(None), search_entry.c.ends_on >= _TODAY),
)
_COLUMNS = [
    sa.func.substr(_body, sa.func.greatest(_at - _BEFORE_WORD, 1), _EXCERPT).label(name)
    if name == "excerpt"
    else search_entry.c[name]
    for name in Candidate.__struct_fields__
]
ENTRIES_WITH = Query(sa.select(*_COLUMNS).where(_has("terms"), *_SHOWN).limit(_CANDIDATES), Candidate)
ENTRIES_NEAR = Query(
    sa.select(*_COLUMNS)
    .where(sa.or_(*[_has(f"near_{place}") for place in range(NEAR_PLACES)]), *_SHOWN)
    .limit(_NEAR_CANDIDATES),
    Candidate,
)

# ---- what is put in; sites and enterprises are kept by triggers, since the register comes in batches

_FORGET = sa.delete(search_entry).where(search_entry.c.id == sa.bindparam("entry_id"))
FORGET = Command(_FORGET.where(search_entry.c.kind == sa.bindparam("kind")))


def _local_day(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.timezone("Asia/Shanghai", column), sa.Date)


def _keep(source: Any, kind: str, *conditions: sa.ColumnElement[bool], **values: Any) -> Command:
    """Put the rows of `source` in as entries of `kind`, in place of what stood there."""
    columns = {
        "kind": sa.literal_column(f"'{kind}'"),
        "authority": sa.null(),
        "ends_on": sa.null(),
        "site_id": sa.null(),
        **values,
    }
    columns["terms"] = sa.func.search_terms(
        columns["kind"], columns["title"], columns["body"], columns["region"], columns["business_types"]
    )
    saving = upsert(search_entry).from_select(
        list(columns), sa.select(*columns.values()).select_from(source).where(*conditions)
    )
    changed = {name: saving.excluded[name] for name in columns if name not in {"kind", "id"}}
    return Command(saving.on_conflict_do_update(index_elements=["kind", "id"], set_=changed))


def _words(column: sa.ColumnElement[Any], labels: Any) -> sa.ColumnElement[Any]:
    return sa.case(
        *[(column == sa.literal_column(f"'{value}'"), sa.literal_column(f"'{label}'")) for value, label in labels]
    )


KEEP_RESULT = _keep(
    publication.join(inspection, inspection.c.id == publication.c.inspection_id)
    .join(site, site.c.id == publication.c.site_id)
    .join(enterprise, enterprise.c.id == publication.c.enterprise_id)
    .join(department, department.c.id == inspection.c.initiating_department_id),
    "result",
    publication.c.id == sa.bindparam("entry_id"),
    publication.c.state == "published",
    enterprise.c.object_type != "自然人",
    id=publication.c.id,
    target=enterprise.c.uscc,
    title=enterprise.c.name,
    body=sa.func.concat_ws(
        "，",
        department.c.name,
        _words(inspection.c.kind, KIND_LABELS.items()),
        _words(inspection.c.outcome, OUTCOME_LABELS.items()),
    ),
    authority=department.c.name,
    region=site.c.region,
    business_types=site.c.business_types,
    dated_on=_local_day(inspection.c.completed_at),
    ends_on=publication.c.ends_on,
    site_id=site.c.id,
)
_CONTENTS = (
    sa.select(
        sa.func.coalesce(
            sa.func.string_agg(
                checklist_item.c.content, aggregate_order_by(sa.literal_column("' '"), checklist_item.c.place)
            ),
            "",
        )
    )
    .where(checklist_item.c.version_id == checklist_version.c.id)
    .scalar_subquery()
)
KEEP_CHECKLIST = _keep(
    checklist.join(checklist_version, checklist_version.c.id == checklist.c.current_version_id).join(
        department, department.c.id == checklist.c.lead_department_id
    ),
    "checklist",
    checklist.c.id == sa.bindparam("entry_id"),
    checklist.c.state == "enabled",
    checklist.c.deleted_at.is_(None),
    id=checklist.c.id,
    target=sa.cast(checklist.c.id, sa.Text),
    title=checklist.c.name,
    body=_CONTENTS,
    authority=department.c.name,
    region=department.c.region,
    business_types=array([checklist.c.business_type]),
    dated_on=_local_day(checklist_version.c.published_at),
)
_ELEMENTS = (
    sa.select(
        sa.func.coalesce(
            sa.func.string_agg(
                sa.func.concat_ws(sa.literal_column("' '"), manual_element.c.text, manual_element.c.hint),
                aggregate_order_by(sa.literal_column("' '"), manual_element.c.place),
            ),
            "",
        )
    )
    .where(manual_element.c.version_id == manual_version.c.id)
    .scalar_subquery()
)
KEEP_MANUAL = _keep(
    manual.join(manual_version, manual_version.c.id == manual.c.current_version_id).join(
        department, department.c.id == manual.c.department_id
    ),
    "manual",
    manual.c.id == sa.bindparam("entry_id"),
    manual.c.state == "published",
    id=manual.c.id,
    target=sa.cast(manual.c.id, sa.Text),
    title=manual.c.name,
    body=_ELEMENTS,
    authority=department.c.name,
    region=department.c.region,
    business_types=array([manual.c.business_type]),
    dated_on=_local_day(manual_version.c.published_at),
)
KEEP_EXPOSURE = _keep(
    exposure.join(department, department.c.id == exposure.c.department_id),
    "exposure",
    exposure.c.id == sa.bindparam("entry_id"),
    exposure.c.state == "published",
    id=exposure.c.id,
    target=sa.cast(exposure.c.id, sa.Text),
    title=exposure.c.title,
    body=exposure.c.text,
    authority=department.c.name,
    region=exposure.c.region,
    business_types=sa.literal_column("'{}'::text[]"),
    dated_on=_local_day(exposure.c.published_at),
    ends_on=exposure.c.ends_on,
)
