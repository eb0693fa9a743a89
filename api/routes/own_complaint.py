"""投诉 about an enterprise, as its own people read them: accepted ones, the complainant masked; 举报 never."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit, principal_of
from api.routes.complaint import beside_of
from api.schemas.complaint import (
    ComplaintPage,
    ComplaintStatementOrder,
    ComplaintView,
    to_complaint_line,
    to_complaint_view,
)
from api.schemas.cursor import LATEST, CursorText, PageLimit, TimeCursor, cut, read_cursor
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.complaint import operations, rules
from domain.complaint.grievance_store import STORES
from domain.complaint.model import GrievanceKind
from domain.complaint.store import ACCEPTED_OF_ENTERPRISE
from domain.identity.model import Role
from domain.shared.errors import NotFound


@get("/complaints", opt=permit(Role.ENTERPRISE), operation_id="listOwnComplaints")
async def list_own_complaints(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> ComplaintPage:
    """Accepted 投诉 about the enterprise's own sites, the newest first (PUB-15)."""
    principal = principal_of(request)
    start = read_cursor(cursor, LATEST)
    async with parts.work.reading() as connection:
        rows = await ACCEPTED_OF_ENTERPRISE.all(
            connection,
            enterprise_id=principal.enterprise_id,
            site_ids=principal.site_ids,
            before_at=start.at,
            before_id=start.id,
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: TimeCursor(row.accepted_at, row.id))
    return ComplaintPage(items=[to_complaint_line(row) for row in shown], next_cursor=more)


@get("/complaints/{complaint_id:uuid}", opt=permit(Role.ENTERPRISE), operation_id="readOwnComplaint")
async def read_own_complaint(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], complaint_id: FromPath[UUID]
) -> ComplaintView:
    """One accepted 投诉: what the handler released of it, and the enterprise's own statements."""
    store = STORES[GrievanceKind.COMPLAINT]
    async with parts.work.reading() as connection:
        found = await store.by_id.first(connection, grievance_id=complaint_id)
        if found is None or found.accepted_at is None or not rules.concerns(principal_of(request), found):
            raise NotFound("没有该投诉。")
        beside = await beside_of(connection, parts, store, found)
    return to_complaint_view(parts.vault, store, found, beside, found.accepted_at)


@post(
    "/complaints/{complaint_id:uuid}/statements",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="giveComplaintStatement",
)
async def give_statement(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    complaint_id: FromPath[UUID],
    data: JSONBody[ComplaintStatementOrder],
) -> Response[bytes]:
    """企业说明, three times at most, while the office works on it."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.give_statement(tx, submission.principal, complaint_id, data.text)
    )
    return respond(answer)


own_complaint_router = Router(
    "/", route_handlers=[list_own_complaints, read_own_complaint, give_statement], tags=["complaint"]
)
