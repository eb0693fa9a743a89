"""The peer on what is public of a site beside its results: manuals, counts of complaints, contact."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager, joinedload

from benchmarks import peer_public_tables as public_tables
from benchmarks import peer_schemas as schemas
from benchmarks import peer_tables as tables
from domain.complaint.model import GrievanceType

_LABELS = {each.value: each.label for each in GrievanceType}
_MOST_MANUALS = 20
# Made once, as the other statements are.
_MANUALS = (
    select(public_tables.Manual)
    .join(public_tables.Manual.department)
    .options(
        contains_eager(public_tables.Manual.department).undefer(tables.Department.region),
        joinedload(public_tables.Manual.version),
    )
    .where(public_tables.Manual.state == "published")
    .order_by(public_tables.Manual.place, public_tables.Manual.id)
)
_COUNTS: Any = (
    select(public_tables.Complaint.type, func.count())
    .where(
        public_tables.Complaint.state == "closed",
        public_tables.Complaint.is_abusive.is_(False),
        public_tables.Complaint.leading_id.is_(None),
    )
    .group_by(public_tables.Complaint.type)
    .order_by(public_tables.Complaint.type)
)


async def manuals_of(session: AsyncSession, business_types: Collection[str]) -> Sequence[public_tables.Manual]:
    """The manuals in force for any of these 业态, with their makers."""
    if not business_types:
        return []
    found = await session.scalars(_MANUALS.where(public_tables.Manual.business_type.in_(sorted(business_types))))
    return found.all()


def is_in_force_at(manual: public_tables.Manual, site: tables.Site) -> bool:
    """Whether the maker is of the site's region or above, and the 业态 the site's."""
    above = manual.department.region
    is_above = site.region_path == above or site.region_path.startswith(f"{above}.")
    return is_above and manual.business_type in site.business_types


async def shown_manuals(session: AsyncSession, site: tables.Site) -> list[schemas.ManualOfSite]:
    """经营手册 of a site."""
    known = [each for each in await manuals_of(session, site.business_types) if is_in_force_at(each, site)]
    return [
        schemas.ManualOfSite(id=each.id, name=each.name, business_type=each.business_type, version=each.version.number)
        for each in known[:_MOST_MANUALS]
    ]


async def shown_counts(session: AsyncSession, site: tables.Site) -> list[schemas.ComplaintCount]:
    """办结的投诉 by type."""
    rows: Any = await session.execute(_COUNTS.where(public_tables.Complaint.site_id == site.id))
    return [schemas.ComplaintCount(type=type_, label=_LABELS[type_], count=count) for type_, count in rows.all()]


def shown_contact(profile: tables.SiteProfile | None) -> schemas.Contact | None:
    """营业时间, 对外电话, where there is either."""
    if profile is None or not (profile.opening_hours or profile.public_phone):
        return None
    return schemas.Contact(opening_hours=profile.opening_hours, phone=profile.public_phone)
