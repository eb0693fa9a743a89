"""期限预警 on the feed: whom an act on a deadline concerns, and the warnings that stand when a screen begins.

A blue warning is in-app only (D13): it is pushed to no screen, and stands in no snapshot.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import array

from api.live.model import FeedRow, Reach
from domain.deadline.events import DeadlineWarned
from domain.deadline.model import DeadlineKind, DeadlineStage, WarningLevel
from domain.deadline.tables import deadline, supervision_order
from domain.enterprise.tables import enterprise, site
from domain.identity.tables import department
from domain.inspection.tables import inspection
from domain.shared.sql import Connection, Query, uuid_list

SUBJECTS: Final = frozenset({"deadline", "supervision_order"})
PAGE: Final = 500


class _Told(msgspec.Struct, frozen=True):
    level: int


def is_pushed(row: FeedRow) -> bool:
    """Whether the act is told live: every one but a blue warning, which waits in the inbox."""
    if row.action != DeadlineWarned.action:
        return True
    return msgspec.json.decode(row.after or "", type=_Told).level < WarningLevel.BLUE


# ---- whom an act concerns


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """Who has to do with a deadline or with a 督办单: who answers, who issued it, and the inspection behind it."""

    subject_id: UUID
    inspection_id: UUID | None
    scene: str | None
    officers: list[UUID]
    departments: list[UUID]


_named = sa.union_all(
    sa.select(
        deadline.c.id.label("subject_id"),
        deadline.c.inspection_id,
        deadline.c.officers,
        array([deadline.c.department_id]).label("departments"),
    ).where(deadline.c.id == sa.any_(uuid_list("subjects"))),
    sa.select(
        supervision_order.c.id,
        deadline.c.inspection_id,
        supervision_order.c.officers,
        array([supervision_order.c.department_id, supervision_order.c.superior_id]),
    )
    .select_from(supervision_order.join(deadline, deadline.c.id == supervision_order.c.deadline_id))
    .where(supervision_order.c.id == sa.any_(uuid_list("subjects"))),
).subquery("named")
MATTERS = Query(
    sa.select(
        _named.c.subject_id,
        _named.c.inspection_id,
        inspection.c.scene_code.label("scene"),
        _named.c.officers,
        _named.c.departments,
    ).select_from(_named.outerjoin(inspection, inspection.c.id == _named.c.inspection_id)),
    Matter,
)
"""By primary keys alone; who has to do it is told as of now, not as of the event."""


# ---- what stands


class OpenWarning(msgspec.Struct, frozen=True, kw_only=True):
    """期限预警 that stands: `level` 3 yellow, 2 orange, 1 red; the event that told of it bears `deadline_id`.

    `subject_id` names the matter that is due, as in the event's facts.
    """

    deadline_id: UUID
    kind: DeadlineKind
    subject_id: UUID
    stage: DeadlineStage
    level: int
    due_on: date
    region: str
    department_id: UUID
    department: str
    site_id: UUID | None
    site: str | None
    enterprise: str | None
    inspection_id: UUID | None
    scene: str | None


class WarningRow(OpenWarning, frozen=True, kw_only=True):
    """The same as it is read, with whose it is."""

    officers: list[UUID]


_LABELS: Final = {
    "deadline_id": deadline.c.id,
    "department": department.c.name,
    "site": site.c.name,
    "enterprise": enterprise.c.name,
    "scene": inspection.c.scene_code,
}
_after = sa.tuple_(
    sa.bindparam("after_level", type_=sa.SmallInteger),
    sa.bindparam("after_due_on", type_=sa.Date),
    sa.bindparam("after_id", type_=sa.Uuid),
)
STANDING = Query(
    sa.select(
        *[(_LABELS[name] if name in _LABELS else deadline.c[name]).label(name) for name in WarningRow.__struct_fields__]
    )
    .select_from(
        deadline.join(department, department.c.id == deadline.c.department_id)
        .outerjoin(site, site.c.id == deadline.c.site_id)
        .outerjoin(enterprise, enterprise.c.id == sa.func.coalesce(deadline.c.enterprise_id, site.c.enterprise_id))
        .outerjoin(inspection, inspection.c.id == deadline.c.inspection_id)
    )
    .where(
        deadline.c.closed_at.is_(None),
        deadline.c.level < sa.literal_column(str(WarningLevel.BLUE.value)),
        sa.tuple_(deadline.c.level, deadline.c.due_on, deadline.c.id) > _after,
    )
    .order_by(deadline.c.level, deadline.c.due_on, deadline.c.id)
    .limit(PAGE),
    WarningRow,
)
"""The gravest first, and of those the longest overdue: where there are too many, the mildest are left out."""


async def read_standing(connection: Connection, most: int) -> tuple[list[tuple[Reach, msgspec.Raw]], bool]:
    """Whom each standing warning concerns, and the warning as it is sent; and whether they are all there are."""
    found: list[tuple[Reach, msgspec.Raw]] = []
    after: dict[str, object] = {"after_level": 0, "after_due_on": date.min, "after_id": UUID(int=0)}
    while len(found) < most:
        rows = await STANDING.all(connection, **after)
        found.extend((_reach(row), msgspec.Raw(msgspec.json.encode(_shown(row)))) for row in rows)
        if len(rows) < PAGE:
            return found, True
        last = rows[-1]
        after = {"after_level": last.level, "after_due_on": last.due_on, "after_id": last.deadline_id}
    return found, False


def _reach(row: WarningRow) -> Reach:
    return Reach(
        region=row.region,
        departments=frozenset({row.department_id}),
        officers=frozenset(row.officers),
        scene=row.scene,
        inspection_id=row.inspection_id,
    )


def _shown(row: WarningRow) -> OpenWarning:
    return OpenWarning(**{name: getattr(row, name) for name in OpenWarning.__struct_fields__})
