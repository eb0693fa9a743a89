"""Reading a code: what it is, where it stands, and what the reader may know of it. Nothing is written."""

from __future__ import annotations

from datetime import date

import msgspec

from codes.token import InvalidToken, TokenKeys, decode_token
from domain.enterprise.rules import require_valid
from domain.identity.model import Principal
from domain.inspection import store as inspection_store
from domain.inspection.rules import InvalidCode
from domain.publication import store as publication_store
from domain.publication.model import PendingPublication
from domain.publication.rules import pending_publications, public_results
from domain.scan import store
from domain.scan.disclosure import DISCLOSURES, Audience, Section, Standing, audience_of
from domain.scan.store import ScannedResults
from domain.scan.view import ScanView, disclose
from domain.shared.errors import NotFound
from domain.shared.sql import Connection


def code_id_of(token: str, keys: TokenKeys) -> bytes:
    """The code id of a token, before anything is asked of the database. Raises `InvalidCode`."""
    try:
        return decode_token(keys, token).code_id
    except InvalidToken as broken:
        raise InvalidCode("无效的企业码。", field="token") from broken


async def find_site(connection: Connection, code_id: bytes) -> ScannedResults:
    """The site where the code stands with its results, whatever the code's state.

    Raises `InvalidCode` when it was never issued.
    """
    site = await store.SCANNED_SITE.first(connection, code_id=code_id)
    if site is None:
        raise InvalidCode("无效的企业码。", field="token")
    return site


async def scan(connection: Connection, code_id: bytes, principal: Principal | None, today: date) -> ScanView:
    """亮码告知 (ONE-02). Raises `InvalidCode`, `CodeWasReplaced` or `CodeWasRevoked`.

    A citizen costs one statement, the enterprise three, everybody else two.
    """
    site = await find_site(connection, code_id)
    require_valid(site.code_state)
    if principal is None:
        return public_view(site, today)
    return await _view_of(connection, site, principal, today)


def public_view(site: ScannedResults, today: date) -> ScanView:
    """What anybody may know of `site`."""
    return disclose(site, Audience.CITIZEN, [], results=public_results(site.results, today))


async def _view_of(connection: Connection, site: ScannedResults, principal: Principal, today: date) -> ScanView:
    inspections = await inspection_store.INSPECTIONS_OF_SITE.all(connection, site_id=site.site_id)
    standing = Standing(
        enterprise_id=site.enterprise_id,
        region=site.region,
        officers_with_order=frozenset(
            officer for each in inspections if each.state == "pending" for officer in each.officers
        ),
    )
    audience = audience_of(principal, standing)
    return disclose(
        site,
        audience,
        inspections,
        principal.officer_id,
        results=public_results(site.results, today),
        pending=await _pending(connection, site) if _shows_pending(audience) else (),
    )


def _shows_pending(audience: Audience) -> bool:
    return Section.OWN_PENDING_PUBLICATIONS in DISCLOSURES[audience].sections


async def _pending(connection: Connection, site: ScannedResults) -> list[PendingPublication]:
    rows = await publication_store.WAITING_OF_SITE.all(
        connection, site_id=site.site_id, enterprise_id=site.enterprise_id
    )
    return pending_publications([row.result for row in rows])


class PublicEnterprise(msgspec.Struct, frozen=True, kw_only=True):
    """An enterprise as the public sees it, site by site."""

    uscc: str
    name: str
    sites: list[ScanView]


async def public_enterprise(connection: Connection, uscc: str, today: date) -> PublicEnterprise:
    """经营信息 by 统一社会信用代码, for anybody. Raises `NotFound`."""
    sites = await store.SITES_OF_ENTERPRISE.all(connection, uscc=uscc)
    if not sites:
        raise NotFound("没有该企业的公开信息。", field="uscc")
    return PublicEnterprise(
        uscc=sites[0].uscc,
        name=sites[0].name,
        sites=[disclose(site, Audience.CITIZEN, [], results=public_results(site.results, today)) for site in sites],
    )
