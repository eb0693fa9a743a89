"""企业空间: the home of an enterprise, in four statements."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from domain.enterprise.profile.store import REGISTERED
from domain.identity.model import Principal
from domain.material.operations import list_materials, own_sites
from domain.material.rules import DEFAULT_POLICY
from domain.self_inspection.rules import last_day_of, quarter_of
from domain.self_inspection.store import SCHEDULE
from domain.shared.errors import NotFound
from domain.shared.sql import Connection
from domain.space.model import SectionName, SpaceHome, SpaceRow, SpaceSite
from domain.space.rules import FEW, material_section, sections_of
from domain.space.store import HOME


async def read_home(connection: Connection, principal: Principal, site_id: UUID | None, today: date) -> SpaceHome:
    """What there is to see and to do, at every site that concerns the caller or at one of them. Raises `NotFound`."""
    enterprise_id = principal.enterprise_id
    owner = None if enterprise_id is None else await REGISTERED.first(connection, enterprise_id=enterprise_id)
    if enterprise_id is None or owner is None:
        raise NotFound("没有该监管对象。")
    sites = await own_sites(connection, principal, enterprise_id, site_id)
    if site_id is not None and not sites:
        raise NotFound("没有该经营场所。", field="site_id")
    known = [site.id for site in sites]
    rows = await HOME.all(
        connection,
        enterprise_id=enterprise_id,
        sites=known,
        today=today,
        expires_by=today + timedelta(days=DEFAULT_POLICY.soon_days),
    )
    rows += await _to_inspect(connection, enterprise_id, known, today)
    lines = await list_materials(connection, principal, enterprise_id, site_id, today)
    return SpaceHome(
        enterprise_id=owner.id,
        enterprise_name=owner.name,
        uscc=owner.uscc,
        today=today,
        sites=[
            SpaceSite(id=each.id, name=each.name, is_main=each.is_main, business_types=each.business_types)
            for each in sites
        ],
        materials=material_section(lines),
        **{name.value: section for name, section in sections_of(rows, today).items()},
    )


async def _to_inspect(connection: Connection, enterprise_id: UUID, sites: list[UUID], today: date) -> list[SpaceRow]:
    """季度自查 that is still to be handed in; one that was begun is named by its own id."""
    quarter = quarter_of(today)
    due_on = last_day_of(quarter)
    scheduled = await SCHEDULE.all(
        connection, enterprise_id=enterprise_id, site_ids=sites, quarter=quarter, due_on=due_on
    )
    waiting = [each for each in scheduled if each.submitted_at is None]
    return [
        SpaceRow(
            section=SectionName.SELF_INSPECTIONS,
            id=each.draft_id or each.site_id,
            title=each.business_type,
            site_id=each.site_id,
            site_name=each.site_name,
            state="due" if each.draft_id is None else "draft",
            due_on=due_on,
            served_on=None,
            at=None,
            total=len(waiting),
        )
        for each in waiting[:FEW]
    ]
