"""入企评价: invitations and tokens for the enterprise, ratings by whoever holds one, batches for the department."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit, permit_anyone, principal_of
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.rating import (
    NEWEST_MARK,
    BatchDetail,
    BatchPage,
    InvitationPage,
    MarkCursor,
    MisconductPage,
    to_mark,
)
from api.submissions import IdempotencyKey, read_key, respond
from api.wiring import Parts
from api.work import AnonymousWrite, Submission, fingerprint
from domain.identity.model import Principal, Role
from domain.rating import operations, store
from domain.rating.model import DrawOrder, RatingBatch, RatingOrder
from domain.shared.errors import InvalidField, NotFound
from domain.shared.events import Circumstances
from domain.shared.ids import new_id
from domain.shared.sql import Connection

_RATED = (Role.DEPARTMENT_MANAGER, Role.LEAD)


@get("/rating-invitations", opt=permit(Role.ENTERPRISE), operation_id="listRatingInvitations")
async def list_invitations(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], cursor: CursorText = None, limit: PageLimit = 20
) -> InvitationPage:
    """评价邀请 of the caller's enterprise, one per visit and department."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        rows = await store.LIST_OF_ENTERPRISE.all(
            connection,
            enterprise_id=principal.enterprise_id,
            site_ids=principal.site_ids,
            before_id=read_cursor(cursor, LAST_ID),
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: row.id)
    return InvitationPage(items=shown, next_cursor=more)


@post(
    "/rating-invitations/{invitation_id:uuid}/token",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="drawRatingToken",
)
async def draw_token(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    invitation_id: FromPath[UUID],
    data: JSONBody[DrawOrder],
) -> Response[bytes]:
    """领取评价令牌: the device makes a token, hands in its hash, and keeps it. Whoever holds it may rate, once."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.draw_token(tx, submission.principal, invitation_id, data)
    )
    return respond(answer)


@post("/ratings", status_code=HTTP_201_CREATED, opt=permit_anyone(), operation_id="rateVisit")
async def rate_visit(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    data: JSONBody[RatingOrder],
    idempotency_key: IdempotencyKey = None,
) -> Response[bytes]:
    """评价 with the token alone, and without an account: who signs it in is refused, so that nothing leads back.

    No pass is asked for either: a pass would be one more thing that tells two ratings apart.
    """
    if request.headers.get("authorization") is not None:
        raise InvalidField("评价是匿名的，请不要带登录凭证。", field="Authorization")
    write = AnonymousWrite(
        pass_id=operations.author_of(parts.vault, data.token),
        key=operations.key_of(parts.vault, data.token, read_key(idempotency_key, "Idempotency-Key")),
        fingerprint=fingerprint(request.method, request.scope["path"], await request.body()),
        circumstances=Circumstances(request_id=new_id(parts.clock(), parts.random)),
    )
    return respond(await parts.work.submit(write, lambda tx: operations.submit_rating(tx, data)))


@get("/rating-batches", opt=permit(*_RATED), operation_id="listRatingBatches")
async def list_batches(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], cursor: CursorText = None, limit: PageLimit = 20
) -> BatchPage:
    """Released batches of the caller's department, or of a lead's region: five ratings at least, a month over."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        rows = await _batches(connection, principal, {"before_id": read_cursor(cursor, LAST_ID), "limit": limit + 1})
    shown, more = cut(rows, limit, lambda row: row.id)
    return BatchPage(items=shown, next_cursor=more)


async def _batches(connection: Connection, principal: Principal, page: dict[str, Any]) -> list[RatingBatch]:
    if principal.role is Role.DEPARTMENT_MANAGER:
        return await store.BATCHES_OF_DEPARTMENT.all(connection, department_id=principal.department_id, **page)
    return await store.BATCHES_OF_REGION.all(connection, region=principal.region, **page)


@get("/rating-batches/{batch_id:uuid}", opt=permit(*_RATED), operation_id="readRatingBatch")
async def read_batch(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], batch_id: FromPath[UUID]
) -> BatchDetail:
    """One batch with its ratings, in an order that says nothing."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        found = await _batch(connection, principal, batch_id)
        if found is None:
            raise NotFound("没有该批评价。")
        items = await store.RATINGS_OF_BATCH.all(connection, batch_id=batch_id)
    return BatchDetail(**msgspec.structs.asdict(found), items=items)


async def _batch(connection: Connection, principal: Principal, batch_id: UUID) -> RatingBatch | None:
    if principal.role is Role.DEPARTMENT_MANAGER:
        return await store.BATCH_OF_DEPARTMENT.first(
            connection, department_id=principal.department_id, batch_id=batch_id
        )
    return await store.BATCH_OF_REGION.first(connection, region=principal.region, batch_id=batch_id)


@get("/rating-misconduct", opt=permit(Role.LEAD), operation_id="listRatingMisconduct")
async def list_misconduct(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], cursor: CursorText = None, limit: PageLimit = 20
) -> MisconductPage:
    """五个严禁 that raters marked, counted by batch: for a lead over the region, and never of the own department."""
    principal = principal_of(request)
    start = read_cursor(cursor, NEWEST_MARK)
    async with parts.work.reading() as connection:
        rows = await store.MISCONDUCT_OF_REGION.all(
            connection,
            region=principal.region,
            own_department=principal.department_id,
            before_id=start.batch_id,
            before_mark=start.prohibition,
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: MarkCursor(row.batch_id, row.prohibition))
    return MisconductPage(items=[to_mark(row) for row in shown], next_cursor=more)


rating_router = Router(
    "/",
    route_handlers=[list_invitations, draw_token, rate_visit, list_batches, read_batch, list_misconduct],
    tags=["rating"],
)
