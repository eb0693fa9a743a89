"""At the door: the officer's badge, the enterprise's live code, and the 亮证告知 screen with its answer."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from litestar import MediaType, Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from api import pages
from api.auth import STAFF, officer_of, permit, permit_anyone, principal_of
from api.pages.door import render_badge, render_unknown_badge
from api.schemas.door import ScannedBadge, ShortLivedCode, VerifiedBadge, to_code, to_verified
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from codes.live_code import SLOT, badge_url, issue_live_code, live_code_url, read_live_code
from codes.qr import qr_svg
from domain.enterprise.rules import NoCodeIssued
from domain.enterprise.store import CURRENT_CODE, SITE_BY_ID
from domain.identity.model import Principal, Role
from domain.inspection import door
from domain.inspection.door import BadgeExpired, BadgeInvalid
from domain.inspection.door_model import IdentificationReply, IdentificationScreen
from domain.membership.rules import acts_for
from domain.rectification.service_store import NOTICES_SERVED
from domain.shared.clock import local_date
from domain.shared.errors import NotFound

_PRIVATE = {"Cache-Control": "private, no-store"}
_HTML = "text/html; charset=utf-8"


@get("/officers/me/badge", opt=permit(Role.INSPECTOR), operation_id="readMyBadge")
async def read_my_badge(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> Response[ShortLivedCode]:
    """亮证码 of the calling officer, good for a minute: shown on their phone, scanned by whoever wants to know."""
    officer_id = officer_of(principal_of(request))
    async with parts.work.reading() as connection:
        text, badge = await door.show_badge(connection, officer_id, parts.badge_keys, parts.clock())
    url = badge_url(parts.public_url, text)
    shown = to_code(url, qr_svg(url, title="执法人员亮证码"), badge.expires_at, is_badge=True)
    return Response(shown, headers=_PRIVATE)


@post("/badges/verification", status_code=HTTP_200_OK, opt=permit_anyone(), operation_id="verifyBadge")
async def verify_badge(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], data: JSONBody[ScannedBadge]
) -> Response[VerifiedBadge]:
    """核验亮证码 by anybody. The enterprise's own people also see the officer's orders at their sites, or that none is.

    A POST that writes nothing: so the code stands in no log of addresses.
    """
    principal: Principal | None = request.scope["user"]
    return Response(await _verified(parts, data.code, principal), headers=_PRIVATE)


async def _verified(parts: Parts, code: str, principal: Principal | None) -> VerifiedBadge:
    """Raises `BadgeInvalid` or `BadgeExpired`."""
    now = parts.clock()
    today = local_date(now)
    served: dict[UUID, date] = {}
    async with parts.work.reading() as connection:
        officer = await door.verify_badge(connection, code, parts.badge_keys, now)
        orders = await door.orders_at_door(connection, principal, officer.id, today)
        if orders:
            ids = [each.inspection_id for each in orders]
            notices = await NOTICES_SERVED.all(connection, inspections=ids, today=today)
            served = {each.inspection_id: each.served_on for each in notices}
    return to_verified(officer, orders, served, today)


@get("/b/{code:str}", opt=permit_anyone(), operation_id="openBadge", media_type=MediaType.HTML)
async def open_badge(parts: NamedDependency[Parts], code: FromPath[str]) -> Response[bytes]:
    """What a scanned badge opens in a browser: who stands there, or that nobody can tell."""
    try:
        verified = await _verified(parts, code, None)
    except (BadgeInvalid, BadgeExpired) as refused:
        status = 410 if isinstance(refused, BadgeExpired) else 404
        return _page(render_unknown_badge(refused.detail), status)
    return _page(render_badge(verified), HTTP_200_OK)


@get("/B/{code:str}", opt=permit_anyone(), media_type=MediaType.HTML, include_in_schema=False)
async def open_shown_badge(parts: NamedDependency[Parts], code: FromPath[str]) -> Response[bytes]:
    """The same, in the upper case that keeps the code coarse."""
    return await open_badge.fn(parts=parts, code=code)


def _page(body: bytes, status: int) -> Response[bytes]:
    headers = {**pages.HEADERS, **_PRIVATE}
    return Response(body, status_code=status, headers=headers, media_type=_HTML)


@get("/sites/{site_id:uuid}/live-code", opt=permit(Role.ENTERPRISE), operation_id="readLiveCode")
async def read_live_code_of_site(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], site_id: FromPath[UUID]
) -> Response[ShortLivedCode]:
    """企业实时码: another one every half minute, shown on the enterprise's phone for a check-in that proves more."""
    principal = principal_of(request)
    now = parts.clock()
    async with parts.work.reading() as connection:
        site = await SITE_BY_ID.first(connection, site_id=site_id)
        if site is None or not acts_for(principal, site.enterprise_id, site_id):
            raise NotFound("没有该经营场所。")
        code = await CURRENT_CODE.first(connection, site_id=site_id)
    if code is None:
        raise NoCodeIssued("该场所没有有效企业码。", field="site_id")
    text = issue_live_code(parts.badge_keys, code.code_id, now)
    url = live_code_url(parts.public_url, text)
    ends = read_live_code(parts.badge_keys, text).shown_from + SLOT
    return Response(to_code(url, qr_svg(url, title="企业实时码"), ends, is_badge=False), headers=_PRIVATE)


@get(
    "/inspections/{inspection_id:uuid}/identification-screen",
    opt=permit(*STAFF, Role.ENTERPRISE),
    operation_id="readIdentificationScreen",
)
async def read_identification_screen(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], inspection_id: FromPath[UUID]
) -> Response[IdentificationScreen]:
    """亮证告知 for both sides: who is here, with which order, how often this year, rights, duty, 五个严禁, buttons."""
    async with parts.work.reading() as connection:
        screen = await door.read_screen(connection, principal_of(request), inspection_id, parts.clock())
    return Response(screen, headers=_PRIVATE)


@post(
    "/inspections/{inspection_id:uuid}/identification-replies",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="answerIdentification",
)
async def answer_identification(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[IdentificationReply],
) -> Response[bytes]:
    """亮证告知 answered on the enterprise's own phone: 已知悉, 申请回避, or 身份或单位不符."""
    answer = await parts.work.submit(
        submission, lambda tx: door.answer_identification(tx, submission.principal, inspection_id, data)
    )
    return respond(answer)


door_router = Router(
    "/",
    route_handlers=[
        read_my_badge,
        verify_badge,
        read_live_code_of_site,
        read_identification_screen,
        answer_identification,
    ],
    tags=["door"],
)
badge_pages_router = Router("/", route_handlers=[open_badge, open_shown_badge], tags=["door"])
