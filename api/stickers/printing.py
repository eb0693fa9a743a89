"""Who may print the code of one site, and what is printed: the poster's facts, or the code alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request

from api.auth import principal_of
from api.stickers.region import poster_of
from api.wiring import Parts
from codes.poster import Poster
from domain.enterprise.rules import NoCodeIssued
from domain.enterprise.store import SITE_TO_CODE, SiteToCode
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.membership.rules import acts_for
from domain.shared.errors import NotFound


def _may_print(principal: Principal, row: SiteToCode) -> bool:
    """The enterprise its own doors, a manager those of the region, an administrator without a region every one."""
    match principal.role:
        case Role.ENTERPRISE:
            return acts_for(principal, row.enterprise_id, row.site_id)
        case Role.ADMINISTRATOR if principal.region is None:
            return True
        case _:
            return within_region(principal, row.region)


async def find_printable(request: Request[Any, Any, Any], parts: Parts, site_id: UUID) -> tuple[SiteToCode, Poster]:
    """The site and its valid code. Raises `NotFound` for who may not print it, or `NoCodeIssued`."""
    async with parts.work.reading() as connection:
        row = await SITE_TO_CODE.first(connection, site_id=site_id)
    if row is None or not _may_print(principal_of(request), row):
        raise NotFound("没有该经营场所。", field="site_id")
    poster = poster_of(row, parts.code_keys, request.app.state.settings.public_url)
    if poster is None:
        raise NoCodeIssued("该场所没有有效企业码。", field="site_id")
    return row, poster
