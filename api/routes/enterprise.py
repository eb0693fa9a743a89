"""The one code's life, for the managers of the region: issue, reissue, revoke, and its picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit
from api.schemas.enterprise import CodeCard, CodeReason, to_card
from api.stickers.printing import find_printable
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from codes.qr import qr_png, qr_svg
from domain.enterprise import operations, store
from domain.enterprise.model import CodeState, SiteCode
from domain.identity.model import Principal, Role
from domain.identity.rules import within_region
from domain.shared.errors import NotFound
from domain.shared.transaction import Outcome, Transaction

_MANAGERS = (Role.DEPARTMENT_MANAGER, Role.ADMINISTRATOR)
_PRINTERS = (*_MANAGERS, Role.ENTERPRISE)
Act = Callable[[Transaction], Awaitable[Outcome[SiteCode]]]


async def _require_site(parts: Parts, principal: Principal, site_id: UUID) -> None:
    """Raises `NotFound` for a site outside the caller's region: existence elsewhere is not told."""
    async with parts.work.reading() as connection:
        site = await store.SITE_BY_ID.first(connection, site_id=site_id)
    if site is None or not within_region(principal, site.region):
        raise NotFound("没有该经营场所。", field="site_id")


async def _change(
    request: Request[Any, Any, Any], parts: Parts, submission: Submission, site_id: UUID, act: Act, state: CodeState
) -> Response[bytes]:
    await _require_site(parts, submission.principal, site_id)
    public_url: str = request.app.state.settings.public_url

    async def operation(tx: Transaction) -> Outcome[CodeCard]:
        outcome = await act(tx)
        card = to_card(outcome.answer, state, parts.code_keys, public_url)
        return Outcome(answer=card, events=outcome.events)

    return respond(await parts.work.submit(submission, operation))


@post("/sites/{site_id:uuid}/codes", status_code=HTTP_201_CREATED, opt=permit(*_MANAGERS), operation_id="issueCode")
async def issue_code(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    site_id: FromPath[UUID],
) -> Response[bytes]:
    """发码: the first code of a site."""
    keys = parts.code_keys
    return await _change(
        request, parts, submission, site_id, lambda tx: operations.issue_code(tx, site_id, keys), CodeState.ISSUED
    )


@post(
    "/sites/{site_id:uuid}/codes/reissue",
    status_code=HTTP_201_CREATED,
    opt=permit(*_MANAGERS),
    operation_id="reissueCode",
)
async def reissue_code(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    site_id: FromPath[UUID],
    data: JSONBody[CodeReason],
) -> Response[bytes]:
    """换码: the former code answers that it was replaced."""
    keys = parts.code_keys

    def act(tx: Transaction) -> Awaitable[Outcome[SiteCode]]:
        return operations.reissue_code(tx, site_id, keys, data.reason)

    return await _change(request, parts, submission, site_id, act, CodeState.ISSUED)


@post(
    "/sites/{site_id:uuid}/codes/revoke",
    status_code=HTTP_201_CREATED,
    opt=permit(*_MANAGERS),
    operation_id="revokeCode",
)
async def revoke_code(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    site_id: FromPath[UUID],
    data: JSONBody[CodeReason],
) -> Response[bytes]:
    """停用码: the site has no valid code until one is issued again."""

    def act(tx: Transaction) -> Awaitable[Outcome[SiteCode]]:
        return operations.revoke_code(tx, site_id, data.reason)

    return await _change(request, parts, submission, site_id, act, CodeState.REVOKED)


@get("/sites/{site_id:uuid}/code.png", opt=permit(*_PRINTERS), operation_id="readCodePng", media_type="image/png")
async def read_code_png(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], site_id: FromPath[UUID]
) -> Response[bytes]:
    """The valid code as a picture, ready to print, also for the enterprise itself."""
    _, poster = await find_printable(request, parts, site_id)
    return Response(qr_png(poster.url), media_type="image/png")


@get("/sites/{site_id:uuid}/code.svg", opt=permit(*_PRINTERS), operation_id="readCodeSvg", media_type="image/svg+xml")
async def read_code_svg(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], site_id: FromPath[UUID]
) -> Response[bytes]:
    """The valid code as a drawing, ready to print, also for the enterprise itself."""
    _, poster = await find_printable(request, parts, site_id)
    return Response(qr_svg(poster.url).encode(), media_type="image/svg+xml")


enterprise_router = Router(
    "/",
    route_handlers=[issue_code, reissue_code, revoke_code, read_code_png, read_code_svg],
    tags=["enterprise"],
)
