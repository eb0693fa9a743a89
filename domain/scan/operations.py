"""Reading a code: what it is, where it stands, and what the reader may know of it. Nothing is written."""

from __future__ import annotations

import msgspec

from codes.token import InvalidToken, TokenKeys, decode_token
from domain.enterprise import store as enterprise_store
from domain.enterprise.model import ScannedSite, SiteCard
from domain.enterprise.rules import require_valid
from domain.identity.model import Principal
from domain.inspection import store as inspection_store
from domain.inspection.rules import InvalidCode
from domain.scan.disclosure import Audience, Standing, audience_of
from domain.scan.view import ScanView, disclose
from domain.shared.errors import NotFound
from domain.shared.sql import Connection


def code_id_of(token: str, keys: TokenKeys) -> bytes:
    """The code id of a token, before anything is asked of the database. Raises `InvalidCode`."""
    try:
        return decode_token(keys, token).code_id
    except InvalidToken as broken:
        raise InvalidCode("无效的企业码。", field="token") from broken


async def find_site(connection: Connection, code_id: bytes) -> ScannedSite:
    """The site where the code stands, whatever the code's state. Raises `InvalidCode` when it was never issued."""
    site = await enterprise_store.SCANNED_SITE.first(connection, code_id=code_id)
    if site is None:
        raise InvalidCode("无效的企业码。", field="token")
    return site


async def scan(connection: Connection, code_id: bytes, principal: Principal | None) -> ScanView:
    """亮码告知 (ONE-02). Raises `InvalidCode`, `CodeWasReplaced` or `CodeWasRevoked`.

    A citizen costs one statement, everybody else two.
    """
    site = await find_site(connection, code_id)
    require_valid(site.code_state)
    return await view_of(connection, site, principal)


async def view_of(connection: Connection, site: SiteCard, principal: Principal | None) -> ScanView:
    """What `principal` may know of `site`."""
    if principal is None:
        return disclose(site, Audience.CITIZEN, [])
    inspections = await inspection_store.INSPECTIONS_OF_SITE.all(connection, site_id=site.site_id)
    standing = Standing(
        enterprise_id=site.enterprise_id,
        region=site.region,
        officers_with_order=frozenset(
            officer for each in inspections if each.state == "pending" for officer in each.officers
        ),
    )
    return disclose(site, audience_of(principal, standing), inspections, principal.officer_id)


class PublicEnterprise(msgspec.Struct, frozen=True, kw_only=True):
    """An enterprise as the public sees it, site by site."""

    uscc: str
    name: str
    sites: list[ScanView]


async def public_enterprise(connection: Connection, uscc: str) -> PublicEnterprise:
    """经营信息 by 统一社会信用代码, for anybody. Raises `NotFound`."""
    sites = await enterprise_store.SITES_OF_ENTERPRISE.all(connection, uscc=uscc)
    if not sites:
        raise NotFound("没有该企业的公开信息。", field="uscc")
    return PublicEnterprise(
        uscc=sites[0].uscc, name=sites[0].name, sites=[disclose(site, Audience.CITIZEN, []) for site in sites]
    )
