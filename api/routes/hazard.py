"""隐患 (ENT-07): recorded, planned and closed by the enterprise; the regulator sees 重大隐患 that escalated (D24)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.attachment_files import answer_attachment
from api.auth import permit, principal_of
from api.schemas.cursor import EARLIEST, CursorText, DueCursor, PageLimit, TimeCursor, cut, first_due, read_cursor
from api.schemas.evidence import ShownSize
from api.schemas.self_inspection import (
    EscalatedPage,
    HazardDetail,
    HazardPage,
    to_hazard,
)
from api.submissions import IfMatch, read_version, respond
from api.wiring import Parts
from api.work import Submission
from domain.evidence.model import Shown
from domain.evidence.rules import parse_digest
from domain.identity.model import Principal, Role
from domain.self_inspection.hazard import operations, rules, store
from domain.self_inspection.hazard.model import (
    ClosingOrder,
    EscalatedHazard,
    HandlingOrder,
    Hazard,
    HazardReport,
    HazardState,
)
from domain.shared.errors import NotFound
from domain.shared.sql import Connection

_OWN = permit(Role.ENTERPRISE)
_OFFICE = (Role.DEPARTMENT_MANAGER, Role.LEAD)
_PRIVATE = {"Cache-Control": "private, no-store"}


async def _find(connection: Connection, principal: Principal, hazard_id: UUID) -> Hazard:
    found = await store.HAZARD_BY_ID.first(connection, hazard_id=hazard_id)
    if found is None or not rules.may_see(principal, found):
        raise NotFound("没有该隐患。")
    return found


@post("/hazards", status_code=HTTP_201_CREATED, opt=_OWN, operation_id="reportHazard")
async def report(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[HazardReport]
) -> Response[bytes]:
    """登记隐患 that was found outside of a self-inspection."""
    answer = await parts.work.submit(submission, lambda tx: operations.report_hazard(tx, submission.principal, data))
    return respond(answer)


@get("/hazards", opt=_OWN, operation_id="listHazards")
async def list_hazards(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[HazardState, QueryParameter(name="state", description="未处理 or 已处理")] = HazardState.OPEN,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> HazardPage:
    """隐患 of the enterprise, by their terms."""
    principal, start = principal_of(request), read_cursor(cursor, first_due())
    async with parts.work.reading() as connection:
        rows = await store.LIST_HAZARDS.all(
            connection,
            enterprise_id=principal.enterprise_id,
            site_ids=principal.site_ids,
            state=status,
            after_due_on=start.due_on,
            after_id=start.id,
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: DueCursor(row.due_on, row.id))
    return HazardPage(items=shown, next_cursor=more)


@get("/hazards/{hazard_id:uuid}", opt=permit(Role.ENTERPRISE, *_OFFICE), operation_id="readHazard")
async def read_hazard(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], hazard_id: FromPath[UUID]
) -> Response[HazardDetail]:
    """One 隐患: to its enterprise, and one that escalated to the department it went to and the region's leads."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        found = await _find(connection, principal, hazard_id)
    responsible = operations.open_responsible(parts.vault, found) if principal.role is Role.ENTERPRISE else None
    return Response(to_hazard(found, responsible), headers=_PRIVATE)


@put(
    "/hazards/{hazard_id:uuid}/handling",
    status_code=HTTP_201_CREATED,
    opt=_OWN,
    operation_id="putHazardHandling",
)
async def put_handling(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    hazard_id: FromPath[UUID],
    data: JSONBody[HandlingOrder],
    if_match: IfMatch = None,
) -> Response[bytes]:
    """隐患治理: measures, who is responsible, and until when."""
    expected = read_version(if_match)
    answer = await parts.work.submit(
        submission, lambda tx: operations.plan_handling(tx, submission.principal, hazard_id, data, expected)
    )
    return respond(answer)


@post("/hazards/{hazard_id:uuid}/closing", status_code=HTTP_201_CREATED, opt=_OWN, operation_id="closeHazard")
async def close(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    hazard_id: FromPath[UUID],
    data: JSONBody[ClosingOrder],
) -> Response[bytes]:
    """隐患销号, with how it was put right."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.close_hazard(tx, submission.principal, hazard_id, data)
    )
    return respond(answer)


@post("/hazards/{hazard_id:uuid}/escalation", status_code=HTTP_201_CREATED, opt=_OWN, operation_id="escalateHazard")
async def escalate(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], hazard_id: FromPath[UUID]
) -> Response[bytes]:
    """重大隐患上报 to the regulator by the enterprise itself."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.escalate_hazard(tx, submission.principal, hazard_id)
    )
    return respond(answer)


@get(
    "/hazards/{hazard_id:uuid}/attachments/{digest:str}",
    opt=permit(Role.ENTERPRISE, *_OFFICE),
    operation_id="readHazardAttachment",
)
async def read_attachment(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    hazard_id: FromPath[UUID],
    digest: FromPath[str],
    shown: ShownSize = Shown.LARGE,
) -> Response[Any]:
    """A photo of a 隐患, to whoever may see the hazard."""
    photo = parse_digest(digest)
    async with parts.work.reading() as connection:
        found = await _find(connection, principal_of(request), hazard_id)
    if photo not in {*found.photos_before, *found.photos_after}:
        raise NotFound("没有该附件。")
    return await answer_attachment(request, parts, operations.folder_of(found, photo), digest, shown)


async def _escalated(connection: Connection, principal: Principal, page: dict[str, Any]) -> list[EscalatedHazard]:
    """A manager lists what went to the department, a lead the region's (D8)."""
    if principal.role is Role.DEPARTMENT_MANAGER:
        return await store.ESCALATED_TO_DEPARTMENT.all(connection, department_id=principal.department_id, **page)
    # A lead without a region lists nothing: below NULL there is nothing.
    return await store.ESCALATED_IN_REGION.all(connection, region=principal.region, **page)


@get("/escalated-hazards", opt=permit(*_OFFICE), operation_id="listEscalatedHazards")
async def list_escalated(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[HazardState, QueryParameter(name="state", description="未处理 or 已处理")] = HazardState.OPEN,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> EscalatedPage:
    """重大隐患 of the caller's scope that escalated, the oldest first. Nothing else of a self-inspection is shown."""
    start = read_cursor(cursor, EARLIEST)
    page = {"state": status, "after_at": start.at, "after_id": start.id, "limit": limit + 1}
    async with parts.work.reading() as connection:
        rows = await _escalated(connection, principal_of(request), page)
    shown, more = cut(rows, limit, lambda row: TimeCursor(row.escalated_at, row.id))
    return EscalatedPage(items=shown, next_cursor=more)


hazard_router = Router(
    "/",
    route_handlers=[
        report,
        list_hazards,
        read_hazard,
        put_handling,
        close,
        escalate,
        read_attachment,
        list_escalated,
    ],
    tags=["hazard"],
)
