"""Statements on feedback."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.checklist.tables import checklist, checklist_item
from domain.enterprise.tables import enterprise
from domain.feedback.model import Feedback, FeedbackStatus, FeedbackSummary, Subject
from domain.feedback.tables import feedback
from domain.identity.tables import department
from domain.manual.tables import manual, manual_element
from domain.shared.sql import Command, Query

_item_code = sa.bindparam("item_code", type_=sa.Text)
ENABLED_CHECKLIST = Query(
    sa.select(
        checklist.c.name,
        checklist.c.lead_department_id.label("department_id"),
        department.c.region,
        sa.exists()
        .where(
            checklist_item.c.version_id == checklist.c.current_version_id,
            checklist_item.c.code == _item_code,
        )
        .label("has_item"),
    )
    .select_from(checklist.join(department, department.c.id == checklist.c.lead_department_id))
    .where(
        checklist.c.id == sa.bindparam("about_id"), checklist.c.state == "enabled", checklist.c.deleted_at.is_(None)
    ),
    Subject,
)
PUBLISHED_MANUAL = Query(
    sa.select(
        manual.c.name,
        manual.c.department_id,
        department.c.region,
        sa.exists()
        .where(manual_element.c.version_id == manual.c.current_version_id, manual_element.c.code == _item_code)
        .label("has_item"),
    )
    .select_from(manual.join(department, department.c.id == manual.c.department_id))
    .where(manual.c.id == sa.bindparam("about_id"), manual.c.state == "published"),
    Subject,
)

_COLUMNS = [feedback.c[name] for name in Feedback.__struct_fields__]
_by_id = sa.select(*_COLUMNS).where(feedback.c.id == sa.bindparam("feedback_id"))
FEEDBACK_BY_ID = Query(_by_id, Feedback)
LOCK_FEEDBACK = Query(_by_id.with_for_update(), Feedback)
INSERT_FEEDBACK = Command(
    sa.insert(feedback).values({name: sa.bindparam(name) for name in (*Feedback.__struct_fields__, "code_index")})
)
SAVE_ANSWER = Command(
    sa.update(feedback)
    .where(feedback.c.id == sa.bindparam("of_feedback"))
    .values({name: sa.bindparam(name) for name in ("state", "answer", "answered_by", "answered_at")})
)

_STATUS: dict[str, Any] = {"department": department.c.name, "state_label": feedback.c.state}
STATUS_BY_CODE = Query(
    sa.select(
        *[
            (_STATUS[name] if name in _STATUS else feedback.c[name]).label(name)
            for name in FeedbackStatus.__struct_fields__
        ]
    )
    .select_from(feedback.join(department, department.c.id == feedback.c.department_id))
    .where(feedback.c.code_index == sa.bindparam("code_index")),
    FeedbackStatus,
)
LIST_OF_DEPARTMENT = Query(
    sa.select(
        *[
            (enterprise.c.name if name == "enterprise_name" else feedback.c[name]).label(name)
            for name in FeedbackSummary.__struct_fields__
        ]
    )
    .select_from(feedback.outerjoin(enterprise, enterprise.c.id == feedback.c.enterprise_id))
    .where(
        feedback.c.department_id == sa.bindparam("department_id"),
        feedback.c.state == sa.bindparam("state"),
        feedback.c.id > sa.bindparam("after_id", type_=sa.Uuid),
    )
    .order_by(feedback.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    FeedbackSummary,
)
