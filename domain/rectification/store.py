"""Statements on orders to rectify: what they are made of, loads, changes, lists."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from domain.checklist.tables import checklist_item
from domain.document.tables import document
from domain.enterprise.tables import enterprise, site
from domain.identity.tables import department
from domain.inspection.tables import answer, check_in, inspection, inspection_item, inspection_officer, visit
from domain.membership.store import within_sites
from domain.officer.model import CertifiedOfficer
from domain.officer.tables import officer
from domain.rectification.model import (
    AnsweredItem,
    Extension,
    Feedback,
    Order,
    OrderedItem,
    OrderState,
    OrderSummary,
    ReInspection,
)
from domain.rectification.paper import PaperHead
from domain.rectification.tables import (
    extension_request,
    re_inspection,
    rectification_feedback,
    rectification_item,
    rectification_order,
)
from domain.scene.tables import scene
from domain.shared.numbers import NumberKind
from domain.shared.sql import Command, Ltree, Query, uuid_list
from domain.shared.tables import issued_number


class FirstCheckIn(msgspec.Struct, frozen=True):
    """When the department first stood at the door; None: never, or only by mistake."""

    done_at: datetime | None


FIRST_CHECK_IN = Query(
    sa.select(sa.func.min(check_in.c.done_at).label("done_at"))
    .select_from(check_in.join(visit, visit.c.id == check_in.c.visit_id))
    .where(
        visit.c.inspection_id == sa.bindparam("inspection_id"),
        visit.c.voided_at.is_(None),
        check_in.c.department_id == sa.bindparam("department_id"),
    ),
    FirstCheckIn,
)

_initiator = department.alias("initiator")
_notice = issued_number.alias("notice")
PAPER_HEAD = Query(
    sa.select(
        department.c.name.label("authority"),
        department.c.short_name,
        department.c.code.label("department_code"),
        department.c.hotline,
        enterprise.c.name.label("party"),
        enterprise.c.uscc,
        enterprise.c.legal_representative.label("representative"),
        site.c.address,
        inspection.c.name.label("inspection_name"),
        inspection.c.kind.label("inspection_kind"),
        inspection.c.basis.label("inspection_basis"),
        _initiator.c.paper_word,
        _notice.c.department_code.label("number_department"),
        _notice.c.kind.label("number_kind"),
        _notice.c.year.label("number_year"),
        _notice.c.sequence.label("number_sequence"),
    )
    .select_from(
        inspection.join(site, site.c.id == inspection.c.site_id)
        .join(enterprise, enterprise.c.id == site.c.enterprise_id)
        .join(_initiator, _initiator.c.id == inspection.c.initiating_department_id)
        .join(department, department.c.id == sa.bindparam("department_id"))
        .outerjoin(
            _notice,
            sa.and_(
                _notice.c.subject_id == inspection.c.id,
                _notice.c.kind == NumberKind.NOTICE.value,
                _notice.c.voided_at.is_(None),
            ),
        )
    )
    .where(inspection.c.id == sa.bindparam("inspection_id"))
    .limit(1),
    PaperHead,
)

_order_of_item = (
    sa.select(rectification_order.c.id)
    .select_from(
        rectification_item.join(rectification_order, rectification_order.c.id == rectification_item.c.order_id)
    )
    .where(
        rectification_order.c.inspection_id == answer.c.inspection_id,
        rectification_order.c.state != "revoked",
        rectification_item.c.item_id == answer.c.item_id,
    )
    .limit(1)
    .scalar_subquery()
)
_OF_OTHER_TABLES: dict[str, sa.ColumnElement[Any]] = {
    "item_id": inspection_item.c.item_id,
    "place": inspection_item.c.place,
    "department_id": inspection_item.c.department_id,
    "order_id": _order_of_item,
    **{name: answer.c[name] for name in ("value", "measures", "remark", "photos")},
}
ANSWERED_ITEMS = Query(
    sa.select(
        *[
            (_OF_OTHER_TABLES[name] if name in _OF_OTHER_TABLES else checklist_item.c[name]).label(name)
            for name in AnsweredItem.__struct_fields__
        ]
    )
    .select_from(
        inspection_item.join(
            answer,
            sa.and_(
                answer.c.inspection_id == inspection_item.c.inspection_id,
                answer.c.item_id == inspection_item.c.item_id,
            ),
        ).join(checklist_item, checklist_item.c.id == inspection_item.c.item_id)
    )
    .where(
        inspection_item.c.inspection_id == sa.bindparam("inspection_id"),
        inspection_item.c.department_id == sa.bindparam("department_id"),
        answer.c.value == "problem",
    )
    .order_by(inspection_item.c.place, inspection_item.c.item_id),
    AnsweredItem,
)

CLAIM_LEASED_NUMBER = Command(
    sa.update(issued_number)
    .where(
        issued_number.c.department_code == sa.bindparam("code"),
        issued_number.c.kind == NumberKind.RECTIFICATION.value,
        issued_number.c.year == sa.bindparam("number_year", type_=sa.SmallInteger),
        issued_number.c.sequence == sa.bindparam("number_sequence", type_=sa.Integer),
        issued_number.c.device_id == sa.bindparam("device"),
        issued_number.c.subject_id.is_(None),
        issued_number.c.voided_at.is_(None),
    )
    .values(subject_id=sa.bindparam("document_id"))
)

BIND_ANSWERS = Command(
    sa.update(answer)
    .where(answer.c.inspection_id == sa.bindparam("of_inspection"), answer.c.item_id == sa.any_(uuid_list("items")))
    .values(order_id=sa.bindparam("bound_to"))
)
RELEASE_ANSWERS = Command(
    sa.update(answer)
    .where(
        answer.c.inspection_id == sa.bindparam("of_inspection"),
        answer.c.order_id == sa.bindparam("bound_to", type_=sa.Uuid),
    )
    .values(order_id=None)
)
INSERT_ORDER = Command(sa.insert(rectification_order))
INSERT_ITEM = Command(sa.insert(rectification_item))

_by_id = sa.select(*[rectification_order.c[name] for name in Order.__struct_fields__]).where(
    rectification_order.c.id == sa.bindparam("order_id")
)
ORDER_BY_ID = Query(_by_id, Order)
LOCK_ORDER = Query(_by_id.with_for_update(), Order)
ITEMS_OF_ORDER = Query(
    sa.select(*[rectification_item.c[name] for name in OrderedItem.__struct_fields__])
    .where(rectification_item.c.order_id == sa.bindparam("order_id"))
    .order_by(rectification_item.c.place, rectification_item.c.item_id),
    OrderedItem,
)

_changed = sa.update(rectification_order).where(rectification_order.c.id == sa.bindparam("order_id"))
CLOSE_ORDER = Command(_changed.values(state=sa.bindparam("state_after"), closed_at=sa.bindparam("now")))
FEED_BACK = Command(
    _changed.values(
        state=OrderState.FED_BACK.value,
        fed_back_at=sa.bindparam("given_at"),
        re_inspection_due_on=sa.bindparam("re_inspect_by"),
    )
)
EXTEND_ORDER = Command(
    _changed.values(due_on=sa.bindparam("due_by"), re_inspection_due_on=sa.bindparam("re_inspect_by"))
)
EXTEND_ITEMS = Command(
    sa.update(rectification_item)
    .where(rectification_item.c.order_id == sa.bindparam("of_order"), rectification_item.c.due_on.is_not(None))
    .values(due_on=rectification_item.c.due_on + sa.bindparam("days", type_=sa.Integer))
)
DATE_ITEMS = Command(
    sa.update(rectification_item)
    .where(
        rectification_item.c.order_id == sa.bindparam("of_order"),
        rectification_item.c.item_id == sa.any_(uuid_list("items")),
    )
    .values(due_on=sa.bindparam("due_by"))
)
NEXT_ROUND = Command(
    _changed.values(
        state=OrderState.TO_RECTIFY.value,
        round=rectification_order.c.round + 1,
        due_on=sa.bindparam("due_by"),
        re_inspection_due_on=sa.bindparam("re_inspect_by"),
        fed_back_at=None,
    )
)
SERVE_ORDER = Command(
    _changed.values(
        served_on=sa.func.least(rectification_order.c.served_on, sa.bindparam("served_by", type_=sa.Date)),
    )
)

INSERT_FEEDBACK = Command(sa.insert(rectification_feedback))
FEEDBACK_OF_ORDER = Query(
    sa.select(*[rectification_feedback.c[name] for name in Feedback.__struct_fields__])
    .where(rectification_feedback.c.order_id == sa.bindparam("order_id"))
    .order_by(rectification_feedback.c.received_at, rectification_feedback.c.id)
    .limit(200),
    Feedback,
)

INSERT_EXTENSION = Command(
    sa.insert(extension_request).values(
        {
            name: sa.bindparam(name)
            for name in (
                "id",
                "order_id",
                "days",
                "reason",
                "requested_by",
                "requested_at",
                "state",
                "due_on_before",
            )
        }
    )
)
EXTENSION_OF_ORDER = Query(
    sa.select(*[extension_request.c[name] for name in Extension.__struct_fields__]).where(
        extension_request.c.order_id == sa.bindparam("order_id")
    ),
    Extension,
)
DECIDE_EXTENSION = Command(
    sa.update(extension_request)
    .where(extension_request.c.id == sa.bindparam("request_id"), extension_request.c.state == "pending")
    .values(
        state=sa.bindparam("state_after"),
        due_on_after=sa.bindparam("due_by"),
        decided_by=sa.bindparam("decider"),
        decided_at=sa.bindparam("now"),
        decision_reason=sa.bindparam("why"),
    )
)

INSERT_RE_INSPECTION = Command(sa.insert(re_inspection))
_second = officer.alias("second")
RE_INSPECTIONS_OF_ORDER = Query(
    sa.select(
        *[
            re_inspection.c[name]
            for name in ReInspection.__struct_fields__
            if name not in {"officer_name", "second_officer_name"}
        ],
        officer.c.name.label("officer_name"),
        _second.c.name.label("second_officer_name"),
    )
    .select_from(
        re_inspection.join(officer, officer.c.id == re_inspection.c.officer_id).join(
            _second, _second.c.id == re_inspection.c.second_officer_id
        )
    )
    .where(re_inspection.c.order_id == sa.bindparam("order_id"))
    .order_by(re_inspection.c.round),
    ReInspection,
)

_acts_for = sa.exists().where(
    inspection_officer.c.officer_id == officer.c.id,
    inspection_officer.c.inspection_id == sa.bindparam("inspection_id"),
    inspection_officer.c.department_id == sa.bindparam("department_id"),
)
OFFICERS_OF_DEPARTMENT = Query(
    sa.select(*[officer.c[name] for name in CertifiedOfficer.__struct_fields__]).where(
        officer.c.id == sa.any_(uuid_list("officers")),
        sa.or_(officer.c.department_id == sa.bindparam("department_id"), _acts_for),
    ),
    CertifiedOfficer,
)


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that still asks for something: while there is one, the inspection is not archived."""

    id: UUID
    department_id: UUID
    state: OrderState
    due_on: date


ORDERS_OPEN = Query(
    sa.select(*[rectification_order.c[name] for name in OpenOrder.__struct_fields__])
    .where(
        rectification_order.c.inspection_id == sa.bindparam("inspection_id"),
        sa.or_(*[rectification_order.c.state == state.value for state in OrderState if state.is_open]),
    )
    .order_by(rectification_order.c.due_on, rectification_order.c.id),
    OpenOrder,
)

# The register of numbers is joined and not asked line by line.
_number = issued_number.alias("number")
_OF_LINE: dict[str, sa.ColumnElement[Any]] = {
    "inspection_name": inspection.c.name,
    "scene_name": scene.c.name,
    "department_name": department.c.name,
    "paper_word": department.c.paper_word,
    "enterprise_name": enterprise.c.name,
    "uscc": enterprise.c.uscc,
    "site_name": site.c.name,
    "address": site.c.address,
    "verification_code": document.c.verification_code,
    "document_state": document.c.state,
    "number_department": _number.c.department_code,
    "number_kind": _number.c.kind,
    "number_year": _number.c.year,
    "number_sequence": _number.c.sequence,
    "item_count": sa.select(sa.func.count())
    .where(rectification_item.c.order_id == rectification_order.c.id)
    .scalar_subquery(),
}
_WITH_PLACE = (
    rectification_order.join(inspection, inspection.c.id == rectification_order.c.inspection_id)
    .join(scene, scene.c.code == inspection.c.scene_code)
    .join(department, department.c.id == rectification_order.c.department_id)
    .join(enterprise, enterprise.c.id == rectification_order.c.enterprise_id)
    .join(site, site.c.id == rectification_order.c.site_id)
    .join(document, document.c.id == rectification_order.c.document_id)
    .outerjoin(
        _number,
        sa.and_(
            _number.c.subject_id == rectification_order.c.document_id,
            _number.c.kind == NumberKind.RECTIFICATION.value,
            _number.c.voided_at.is_(None),
        ),
    )
)
_LINE = sa.select(
    *[
        (_OF_LINE[name] if name in _OF_LINE else rectification_order.c[name]).label(name)
        for name in OrderSummary.__struct_fields__
    ]
).select_from(_WITH_PLACE)
SUMMARY_BY_ID = Query(_LINE.where(rectification_order.c.id == sa.bindparam("order_id")), OrderSummary)

_site = sa.bindparam("of_site", type_=sa.Uuid)
_inspection = sa.bindparam("of_inspection", type_=sa.Uuid)
# One bound of `due_on` beside the cursor's, as in the list of inspections.
_PAGE = (
    rectification_order.c.state == sa.any_(sa.bindparam("states", type_=sa.ARRAY(sa.Text))),
    rectification_order.c.due_on <= sa.bindparam("due_to", type_=sa.Date),
    sa.tuple_(rectification_order.c.due_on, rectification_order.c.id)
    > sa.tuple_(sa.bindparam("after_due_on", type_=sa.Date), sa.bindparam("after_id", type_=sa.Uuid)),
    sa.or_(_site.is_(None), rectification_order.c.site_id == _site),
    sa.or_(_inspection.is_(None), rectification_order.c.inspection_id == _inspection),
)


def _list(*conditions: sa.ColumnElement[bool]) -> Query[OrderSummary]:
    return Query(
        _LINE.where(*_PAGE, *conditions)
        .order_by(rectification_order.c.due_on, rectification_order.c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer)),
        OrderSummary,
    )


LIST_OF_OFFICER = _list(
    sa.exists().where(
        inspection_officer.c.inspection_id == rectification_order.c.inspection_id,
        inspection_officer.c.officer_id == sa.bindparam("officer_id"),
    )
)
LIST_OF_DEPARTMENT = _list(rectification_order.c.department_id == sa.bindparam("department_id"))
LIST_OF_REGION = _list(rectification_order.c.region.op("<@")(sa.bindparam("region", type_=Ltree)))
LIST_OF_ENTERPRISE = _list(
    sa.and_(
        rectification_order.c.enterprise_id == sa.bindparam("enterprise_id"),
        within_sites(rectification_order.c.site_id),
    )
)
