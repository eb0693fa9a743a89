"""Reading a code: what it is, where it stands, and what the reader may know of it. Nothing is written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

import msgspec

from codes.token import InvalidToken, TokenKeys, decode_token
from domain.complaint.model import AcceptedComplaint
from domain.complaint.store import ACCEPTED_OF_ENTERPRISE
from domain.enterprise.rules import require_valid
from domain.identity.model import Principal
from domain.inspection import store as inspection_store
from domain.inspection.rules import InvalidCode
from domain.publication import store as publication_store
from domain.publication.model import PendingPublication
from domain.publication.rules import pending_publications, public_results
from domain.scan import store
from domain.scan.disclosure import DISCLOSURES, Audience, Section, Standing, audience_of
from domain.scan.store import OpenCorrection, PaperLine, ScannedResults, SelfInspectionLine, SiteResults
from domain.scan.view import OwnParts, PublicParts, ScanView, disclose
from domain.shared.errors import NotFound
from domain.shared.sql import Connection

_ACCEPTED: Final = 5
_NO_END: Final = datetime(9999, 1, 1, tzinfo=UTC)


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

    A citizen costs one statement, who is signed in two, and one more for each section that only some are shown.
    """
    site = await find_site(connection, code_id)
    require_valid(site.code_state)
    if principal is None:
        return public_view(site, today)
    return await _view_of(connection, site, principal, today)


def public_view(site: ScannedResults | SiteResults, today: date) -> ScanView:
    """What anybody may know of `site`."""
    return disclose(site, Audience.CITIZEN, [], public=_public_parts(site, today))


def _public_parts(site: ScannedResults | SiteResults, today: date) -> PublicParts:
    return PublicParts(
        results=public_results(site.results, today),
        manuals=site.manuals,
        complaint_counts=site.complaint_counts,
        contact=site.contact if site.contact and any(msgspec.structs.astuple(site.contact)) else None,
    )


async def _view_of(connection: Connection, site: ScannedResults, principal: Principal, today: date) -> ScanView:
    inspections = await inspection_store.INSPECTIONS_OF_SITE.all(connection, site_id=site.site_id)
    standing = Standing(
        site_id=site.site_id,
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
        principal,
        public=_public_parts(site, today),
        own=await _own_parts(connection, site, DISCLOSURES[audience].sections),
    )


async def _own_parts(connection: Connection, site: ScannedResults, granted: frozenset[Section]) -> OwnParts:
    """Only what is granted is asked for."""
    of = {"site_id": site.site_id, "enterprise_id": site.enterprise_id}
    pending: list[PendingPublication] = []
    corrections: list[OpenCorrection] = []
    papers: list[PaperLine] = []
    self_inspections: list[SelfInspectionLine] = []
    complaints: list[AcceptedComplaint] = []
    if Section.OWN_PENDING_PUBLICATIONS in granted:
        waiting = await publication_store.WAITING_OF_SITE.all(connection, **of)
        pending = pending_publications([row.result for row in waiting])
    if Section.OPEN_CORRECTIONS in granted:
        corrections = await store.OPEN_CORRECTIONS_OF_SITE.all(connection, **of)
    if Section.OWN_PAPERS in granted:
        papers = await store.PAPERS_OF_SITE.all(connection, **of)
    if Section.OWN_SELF_INSPECTIONS in granted:
        self_inspections = await store.SELF_INSPECTIONS_OF_SITE.all(connection, **of)
    if Section.ACCEPTED_COMPLAINTS in granted:
        complaints = await _accepted(connection, site)
    return OwnParts(
        pending=pending,
        corrections=corrections,
        papers=papers,
        self_inspections=self_inspections,
        complaints=complaints,
    )


async def _accepted(connection: Connection, site: ScannedResults) -> list[AcceptedComplaint]:
    rows = await ACCEPTED_OF_ENTERPRISE.all(
        connection,
        enterprise_id=site.enterprise_id,
        site_ids=[site.site_id],
        before_at=_NO_END,
        before_id=UUID(int=0),
        limit=_ACCEPTED,
    )
    names = AcceptedComplaint.__struct_fields__
    return [AcceptedComplaint(**{name: getattr(row, name) for name in names}) for row in rows]


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
        sites=[public_view(site, today) for site in sites],
    )
