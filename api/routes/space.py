"""企业空间: the enterprise's home and its papers (PUB-15, PUB-18, ENT-01)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.auth import permit, principal_of
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.document import DocumentPage, to_card
from api.wiring import Parts
from domain.document.model import DocumentKind
from domain.identity.model import Role
from domain.material.operations import own_sites
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.space.model import SpaceHome
from domain.space.operations import read_home
from domain.space.store import PAPERS_OF_ENTERPRISE

_SITE = QueryParameter(description="Of one site only")


@get("/space", opt=permit(Role.ENTERPRISE), operation_id="readSpace")
async def read_space(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], site_id: Annotated[UUID | None, _SITE] = None
) -> SpaceHome:
    """企业空间: own tasks, problems, orders with their days, papers, complaints, requests, materials: a few of each."""
    async with parts.work.reading() as connection:
        return await read_home(connection, principal_of(request), site_id, local_date(parts.clock()))


@get("/space/papers", opt=permit(Role.ENTERPRISE), operation_id="listOwnPapers")
async def list_own_papers(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    site_id: Annotated[UUID | None, _SITE] = None,
    kind: Annotated[DocumentKind | None, QueryParameter(description="文书类型")] = None,
    issued_from: Annotated[date | None, QueryParameter(description="Issued on this day or later")] = None,
    issued_to: Annotated[date | None, QueryParameter(description="Issued on this day or earlier")] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> DocumentPage:
    """检查通知书, 笔录, 责令改正通知书 and 检查结果告知书 of the enterprise, the newest first (PUB-18).

    Each is downloaded as `/documents/{id}/file.pdf`.
    """
    principal = principal_of(request)
    if principal.enterprise_id is None:
        raise NotFound("没有该监管对象。")
    async with parts.work.reading() as connection:
        sites = await own_sites(connection, principal, principal.enterprise_id, site_id)
        found = await PAPERS_OF_ENTERPRISE.all(
            connection,
            enterprise_id=principal.enterprise_id,
            sites=[site.id for site in sites],
            words=None,
            kind=kind,
            issued_from=issued_from or date.min,
            issued_to=issued_to or date.max,
            before_id=read_cursor(cursor, LAST_ID),
            limit=limit + 1,
        )
    shown, more = cut(found, limit, lambda row: row.id)
    return DocumentPage(items=[to_card(each) for each in shown], next_cursor=more)


space_router = Router("/", route_handlers=[read_space, list_own_papers], tags=["space"])
