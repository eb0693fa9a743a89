"""What one scan reads: the site with all that is public of it, in one statement; and what else its readers may know."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from domain.complaint.model import ConcludedCount
from domain.complaint.store import CONCLUDED_COUNTS_OF_SITE
from domain.document.model import DocumentKind
from domain.document.tables import document
from domain.enterprise.model import ScannedSite, SiteCard
from domain.enterprise.store import SITE_BY_CODE, SITES_BY_USCC
from domain.enterprise.tables import site, site_profile
from domain.identity.tables import department
from domain.inspection.tables import visit
from domain.manual.model import ManualOfSite
from domain.manual.store import MANUALS_OF_SITE
from domain.publication.model import StoredResult
from domain.publication.store import RESULTS_OF_SITE
from domain.rectification.tables import rectification_item, rectification_order
from domain.self_inspection.tables import self_inspection
from domain.shared.sql import Query, json_of

_OPEN_CORRECTIONS: Final = 20
_PAPERS: Final = 5
_SELF_INSPECTIONS: Final = 3


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """What the enterprise itself wants the public to know of the site: 营业时间, 对外电话."""

    opening_hours: str | None
    phone: str | None


class ScannedResults(ScannedSite, frozen=True, kw_only=True):
    """A site reached by its code, with what is public of it: results that are or were, the newest first, and more."""

    results: list[StoredResult]
    manuals: list[ManualOfSite]
    complaint_counts: list[ConcludedCount]
    contact: Contact | None


class SiteResults(SiteCard, frozen=True, kw_only=True):
    """A site of an enterprise, likewise."""

    results: list[StoredResult]
    manuals: list[ManualOfSite]
    complaint_counts: list[ConcludedCount]
    contact: Contact | None


_CONTACT = (
    sa.select(json_of({"opening_hours": site_profile.c.opening_hours, "phone": site_profile.c.public_phone}))
    .where(site_profile.c.site_id == site.c.id)
    .scalar_subquery()
)
_PUBLIC = (
    RESULTS_OF_SITE.label("results"),
    MANUALS_OF_SITE.label("manuals"),
    CONCLUDED_COUNTS_OF_SITE.label("complaint_counts"),
    _CONTACT.label("contact"),
)
SCANNED_SITE = Query(SITE_BY_CODE.add_columns(*_PUBLIC), ScannedResults)
SITES_OF_ENTERPRISE = Query(SITES_BY_USCC.add_columns(*_PUBLIC), SiteResults)

# ---- for those who are concerned with the site, each section by a bounded statement of its own


class OpenCorrection(msgspec.Struct, frozen=True, kw_only=True):
    """责令改正 that is still open, with its problems in short."""

    id: UUID
    inspection_id: UUID
    authority: str
    state: str
    round: int
    due_on: date
    problems: list[str]


class PaperLine(msgspec.Struct, frozen=True, kw_only=True):
    """文书 that the enterprise was given."""

    id: UUID
    kind: DocumentKind
    title: str
    created_at: datetime


class SelfInspectionLine(msgspec.Struct, frozen=True, kw_only=True):
    """企业自查 of the site, the newest first."""

    id: UUID
    business_type: str
    state: str
    problem_count: int
    submitted_at: datetime | None


_PROBLEMS = (
    sa.select(
        sa.func.coalesce(
            sa.func.array_agg(
                aggregate_order_by(rectification_item.c.title, rectification_item.c.place), type_=sa.ARRAY(sa.Text)
            ),
            sa.text("'{}'::text[]"),
        )
    )
    .where(rectification_item.c.order_id == rectification_order.c.id)
    .scalar_subquery()
)
_OF_ORDER: dict[str, Any] = {"authority": department.c.name, "problems": _PROBLEMS}
OPEN_CORRECTIONS_OF_SITE = Query(
    sa.select(
        *[
            (_OF_ORDER[name] if name in _OF_ORDER else rectification_order.c[name]).label(name)
            for name in OpenCorrection.__struct_fields__
        ]
    )
    .select_from(rectification_order.join(department, department.c.id == rectification_order.c.department_id))
    .where(
        rectification_order.c.site_id == sa.bindparam("site_id"),
        rectification_order.c.enterprise_id == sa.bindparam("enterprise_id"),
        rectification_order.c.state.in_([sa.literal_column("'to_rectify'"), sa.literal_column("'fed_back'")]),
    )
    .order_by(rectification_order.c.due_on, rectification_order.c.id)
    .limit(sa.literal_column(str(_OPEN_CORRECTIONS))),
    OpenCorrection,
)
PAPERS_OF_SITE = Query(
    sa.select(*[document.c[name] for name in PaperLine.__struct_fields__])
    .where(
        document.c.site_id == sa.bindparam("site_id"),
        document.c.enterprise_id == sa.bindparam("enterprise_id"),
        document.c.state == "rendered",
        # The notice of a visit that has not come yet announces it to nobody.
        sa.exists().where(visit.c.inspection_id == document.c.inspection_id, visit.c.voided_at.is_(None)),
    )
    .order_by(document.c.id.desc())
    .limit(sa.literal_column(str(_PAPERS))),
    PaperLine,
)
SELF_INSPECTIONS_OF_SITE = Query(
    sa.select(*[self_inspection.c[name] for name in SelfInspectionLine.__struct_fields__])
    .where(
        self_inspection.c.site_id == sa.bindparam("site_id"),
        self_inspection.c.enterprise_id == sa.bindparam("enterprise_id"),
        self_inspection.c.state != "discarded",
    )
    .order_by(self_inspection.c.id.desc())
    .limit(sa.literal_column(str(_SELF_INSPECTIONS))),
    SelfInspectionLine,
)
