"""Statements of the home: one for a few of everything, counted; one for the papers."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from domain.complaint.tables import complaint
from domain.document.store import search
from domain.document.tables import document
from domain.enterprise.tables import licence, site
from domain.inspection.tables import inspection, visit
from domain.publication.tables import publication
from domain.rectification.tables import rectification_item, rectification_order, service_record
from domain.request.tables import enterprise_request
from domain.self_inspection.tables import assigned_task, assigned_task_object, hazard
from domain.shared.clock import WORKING_ZONE
from domain.shared.sql import Query, uuid_list
from domain.space.model import SectionName, SpaceRow
from domain.space.rules import FEW

_enterprise_id = sa.bindparam("enterprise_id", type_=sa.Uuid)
_today = sa.bindparam("today", type_=sa.Date)
_TYPES: Final = {
    "id": sa.Uuid,
    "title": sa.Text,
    "site_id": sa.Uuid,
    "site_name": sa.Text,
    "state": sa.Text,
    "due_on": sa.Date,
    "served_on": sa.Date,
    "at": sa.DateTime(timezone=True),
}


def _among(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    return column == sa.any_(uuid_list("sites"))


def _section(
    name: SectionName,
    source: sa.FromClause,
    columns: dict[str, Any],
    conditions: tuple[sa.ColumnElement[bool] | sa.TextClause, ...],
    *order: sa.ColumnElement[Any],
) -> sa.Select[Any]:
    """The first few of one section, each with the count of all."""
    shown = [columns.get(key, sa.cast(sa.null(), kind)).label(key) for key, kind in _TYPES.items()]
    inner = (
        sa.select(sa.literal_column(f"'{name.value}'").label("section"), *shown, sa.func.count().over().label("total"))
        .select_from(source)
        .where(*conditions)
        .order_by(*order)
        .limit(sa.literal_column(str(FEW)))
        .subquery(name.value)
    )
    return sa.select(inner)


def _at_site(table: sa.Table, **columns: Any) -> dict[str, Any]:
    return {"id": table.c.id, "site_id": site.c.id, "site_name": site.c.name, **columns}


_arrived_at = (
    sa.select(sa.func.min(visit.c.arrived_at))
    .where(visit.c.inspection_id == inspection.c.id, visit.c.voided_at.is_(None))
    .scalar_subquery()
)
_notice_served = sa.exists().where(
    document.c.inspection_id == inspection.c.id,
    document.c.kind == sa.text("'inspection_notice'"),
    service_record.c.document_id == document.c.id,
)
_tasks = _section(
    SectionName.TASKS,
    inspection.join(site, site.c.id == inspection.c.site_id),
    _at_site(inspection, title=inspection.c.name, state=inspection.c.kind, due_on=inspection.c.due_on, at=_arrived_at),
    (
        _among(inspection.c.site_id),
        inspection.c.state == sa.text("'pending'"),
        sa.or_(_arrived_at.is_not(None), _notice_served),
    ),
    inspection.c.due_on,
    inspection.c.id,
)
_open_order = (
    rectification_order.c.enterprise_id == _enterprise_id,
    _among(rectification_order.c.site_id),
    sa.text("rectification_order.state in ('to_rectify', 'fed_back')"),
)
_orders = _section(
    SectionName.ORDERS,
    rectification_order.join(site, site.c.id == rectification_order.c.site_id).join(
        inspection, inspection.c.id == rectification_order.c.inspection_id
    ),
    _at_site(
        rectification_order,
        title=inspection.c.name,
        state=rectification_order.c.state,
        due_on=rectification_order.c.due_on,
        served_on=rectification_order.c.served_on,
        at=rectification_order.c.issued_at,
    ),
    _open_order,
    rectification_order.c.due_on,
    rectification_order.c.id,
)
_item_due = sa.func.coalesce(rectification_item.c.due_on, rectification_order.c.due_on)
_problems = _section(
    SectionName.PROBLEMS,
    rectification_order.join(rectification_item, rectification_item.c.order_id == rectification_order.c.id).join(
        site, site.c.id == rectification_order.c.site_id
    ),
    {
        "id": rectification_item.c.item_id,
        "title": rectification_item.c.title,
        "site_id": site.c.id,
        "site_name": site.c.name,
        "state": rectification_order.c.state,
        "due_on": _item_due,
        "served_on": rectification_order.c.served_on,
    },
    _open_order,
    _item_due,
    rectification_item.c.item_id,
)
_came = sa.exists().where(visit.c.inspection_id == document.c.inspection_id, visit.c.voided_at.is_(None))
"""Whoever may read the inspection may read its papers: before somebody stood at the door there are none to see."""
_served = sa.exists().where(service_record.c.document_id == document.c.id)
"""But for a notice that was served: the visit is announced then."""
_readable = sa.or_(_came, _served)
_papers = _section(
    SectionName.PAPERS,
    document.join(site, site.c.id == document.c.site_id),
    _at_site(document, title=document.c.kind, state=document.c.state, at=document.c.created_at),
    (
        document.c.enterprise_id == _enterprise_id,
        _among(document.c.site_id),
        document.c.revoked_at.is_(None),
        _readable,
    ),
    document.c.id.desc(),
)
_assigned = _section(
    SectionName.ASSIGNED_TASKS,
    assigned_task_object.join(assigned_task, assigned_task.c.id == assigned_task_object.c.task_id).join(
        site, site.c.id == assigned_task_object.c.site_id
    ),
    _at_site(
        assigned_task_object,
        title=assigned_task.c.name,
        state=assigned_task_object.c.state,
        due_on=assigned_task.c.ends_on,
    ),
    (
        assigned_task_object.c.enterprise_id == _enterprise_id,
        assigned_task_object.c.state == sa.text("'open'"),
        _among(assigned_task_object.c.site_id),
        assigned_task.c.starts_on <= _today,
    ),
    assigned_task.c.ends_on,
    assigned_task_object.c.id,
)
_hazards = _section(
    SectionName.HAZARDS,
    hazard.join(site, site.c.id == hazard.c.site_id),
    _at_site(hazard, title=hazard.c.title, state=hazard.c.severity, due_on=hazard.c.due_on, at=hazard.c.found_at),
    (hazard.c.enterprise_id == _enterprise_id, hazard.c.state == sa.text("'open'"), _among(hazard.c.site_id)),
    hazard.c.due_on,
    hazard.c.id,
)
# Accepted 投诉 alone: 举报 lie in a table that this statement does not name.
_complaints = _section(
    SectionName.COMPLAINTS,
    complaint.join(site, site.c.id == complaint.c.site_id),
    _at_site(complaint, title=complaint.c.type, state=complaint.c.state, at=complaint.c.accepted_at),
    (
        complaint.c.enterprise_id == _enterprise_id,
        complaint.c.accepted_at.is_not(None),
        complaint.c.is_open,
        _among(complaint.c.site_id),
    ),
    complaint.c.accepted_at.desc(),
    complaint.c.id.desc(),
)


def _requests(name: SectionName, states: str, at: sa.Column[Any]) -> sa.Select[Any]:
    return _section(
        name,
        enterprise_request.join(site, site.c.id == enterprise_request.c.site_id),
        _at_site(
            enterprise_request,
            title=enterprise_request.c.title,
            state=enterprise_request.c.state,
            due_on=enterprise_request.c.due_on,
            at=at,
        ),
        (
            enterprise_request.c.enterprise_id == _enterprise_id,
            sa.text(f"enterprise_request.state in ({states})"),
            _among(enterprise_request.c.site_id),
        ),
        enterprise_request.c.id.desc(),
    )


_publications = _section(
    SectionName.PUBLICATIONS,
    publication.join(site, site.c.id == publication.c.site_id).join(
        inspection, inspection.c.id == publication.c.inspection_id
    ),
    _at_site(
        publication,
        title=inspection.c.name,
        state=publication.c.state,
        due_on=sa.cast(sa.func.timezone(sa.literal_column(f"'{WORKING_ZONE.key}'"), publication.c.due_at), sa.Date),
        at=publication.c.due_at,
    ),
    (
        publication.c.enterprise_id == _enterprise_id,
        sa.text("publication.state in ('pending', 'withheld')"),
        _among(publication.c.site_id),
    ),
    publication.c.due_at,
    publication.c.id,
)
_licences = _section(
    SectionName.LICENCES,
    licence,
    {"id": licence.c.id, "title": licence.c.name, "due_on": licence.c.valid_to},
    (
        licence.c.enterprise_id == _enterprise_id,
        licence.c.valid_to <= sa.bindparam("expires_by", type_=sa.Date),
        licence.c.valid_to >= _today - sa.literal_column("365"),
    ),
    licence.c.valid_to.desc(),
    licence.c.id,
)
HOME = Query(
    sa.union_all(
        _tasks,
        _orders,
        _problems,
        _papers,
        _assigned,
        _hazards,
        _complaints,
        _requests(SectionName.REQUESTS, "'submitted', 'accepted', 'returned'", enterprise_request.c.submitted_at),
        _requests(SectionName.ANSWERS, "'answered'", enterprise_request.c.answered_at),
        _publications,
        _licences,
    ),
    SpaceRow,
)
"""A few of each section in one round trip: what concerns the enterprise at `sites`."""
PAPERS_OF_ENTERPRISE = search(
    document.c.enterprise_id == _enterprise_id,
    _among(document.c.site_id),
    document.c.issued_on >= sa.bindparam("issued_from", type_=sa.Date),
    document.c.issued_on <= sa.bindparam("issued_to", type_=sa.Date),
    _readable,
)
"""执法文书 that the enterprise may read, the newest first."""
