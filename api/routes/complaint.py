"""投诉举报 at the office (COG-05, COG-06): list, detail, steps one by one or many at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.attachment_files import answer_attachment
from api.auth import permit, principal_of
from api.problems import kind_of
from api.schemas.complaint import (
    AbuseOrder,
    Beside,
    ComplainantShown,
    ComplainantViewOrder,
    GrievanceDetail,
    GrievancePage,
    GrievanceStepsOrder,
    MergeOrder,
    to_detail,
    to_line,
)
from api.schemas.cursor import FIRST_ID, CursorText, DueCursor, PageLimit, cut, first_due, read_cursor
from api.schemas.evidence import ShownSize
from api.submissions import respond
from api.wiring import Parts
from api.work import Accepted, KeyReused, Submission
from domain.complaint import inspecting, operations, rules
from domain.complaint.grievance_store import STORES, GrievanceStore
from domain.complaint.keeping import history
from domain.complaint.likeness import DEFAULT_LIKENESS, count_alike
from domain.complaint.model import (
    OPEN,
    CaseInspectionOrder,
    ComplainantViewed,
    Grievance,
    GrievanceKind,
    GrievanceState,
    GrievanceStepOrder,
    GrievanceSummary,
    GrievanceType,
)
from domain.complaint.store import PLACE_BY_ID, SUBJECT_OF_NUMBER
from domain.evidence.attachments import list_attachments
from domain.evidence.model import Shown
from domain.identity.model import Principal, Role
from domain.inspection.model import DueMark
from domain.shared.clock import local_date
from domain.shared.errors import DomainError
from domain.shared.sql import Connection

_READERS = (Role.LEAD, Role.DEPARTMENT_MANAGER)
_HANDLERS = (Role.LEAD,)
_DAY = timedelta(days=1)
_ONE_LOOK = timedelta(minutes=5)
"""So long a 查看身份 that is sent again, because its answer was lost, counts as one look."""


async def _summaries(
    connection: Connection, principal: Principal, store: GrievanceStore, page: dict[str, Any], *, of_region: bool
) -> list[GrievanceSummary]:
    """A manager and a lead list the department's; a lead without one, or who asks for it, the region's (D8)."""
    if principal.department_id is None or (of_region and principal.role is Role.LEAD):
        return await store.list_of_region.all(connection, region=principal.region, **page)
    return await store.list_of_department.all(connection, department_id=principal.department_id, **page)


def _due_between(mark: DueMark | None, today: date) -> tuple[date, date]:
    soon = rules.last_day_due_soon(today)
    match mark:
        case DueMark.OVERDUE:
            return date.min, today - _DAY
        case DueMark.DUE_SOON:
            return today, soon
        case DueMark.ON_TIME:
            return soon + _DAY, date.max
        case None:
            return date.min, date.max


@get("/grievances/{kind:str}", opt=permit(*_READERS), operation_id="listGrievances")
async def list_grievances(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    kind: FromPath[GrievanceKind],
    status: Annotated[
        GrievanceState | None, QueryParameter(name="state", description="One state; without it, what is open")
    ] = None,
    grievance_type: Annotated[GrievanceType | None, QueryParameter(name="type", description="Only this type")] = None,
    site_id: Annotated[UUID | None, QueryParameter(description="Only about this site")] = None,
    due: Annotated[DueMark | None, QueryParameter(description="Only what is open and has this 预警状态")] = None,
    number: Annotated[str | None, QueryParameter(description="The whole number", max_length=60)] = None,
    of_region: Annotated[bool, QueryParameter(description="Leads: the region's, not only the department's")] = False,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> GrievancePage:
    """投诉 or 举报 of the caller's scope, by due date (COG-05). Neither list ever holds the other."""
    today = local_date(parts.clock())
    due_from, due_to = _due_between(due, today)
    start = max(read_cursor(cursor, first_due()), first_due(due_from))
    is_open = status is None or status in OPEN
    if due is not None and not is_open:
        return GrievancePage(items=[], next_cursor=None)
    store = STORES[kind]
    page: dict[str, Any] = {
        "is_open": is_open,
        "state": status,
        "type": grievance_type,
        "site_id": site_id,
        "due_to": due_to,
        "after_due_on": start.due_on,
        "after_id": start.id,
        "limit": limit + 1,
        "only_id": None,
    }
    async with parts.work.reading() as connection:
        if number is not None:
            page["only_id"] = await _id_of(connection, store, number)
        rows = await _summaries(connection, principal_of(request), store, page, of_region=of_region)
        if number is not None and status is None and not rows:  # it may be closed: then it stands in the other half
            page["is_open"] = False
            rows = await _summaries(connection, principal_of(request), store, page, of_region=of_region)
    shown, more = cut(rows, limit, lambda row: DueCursor(row.due_on, row.id))
    return GrievancePage(items=[to_line(row, kind, today) for row in shown], next_cursor=more)


async def _id_of(connection: Connection, store: GrievanceStore, number: str) -> UUID:
    """What bears the number; nothing does: an id that nothing has."""
    parsed = rules.read_number(number, store.number_kind)
    if parsed is None:
        return FIRST_ID
    found = await SUBJECT_OF_NUMBER.first(connection, **msgspec.structs.asdict(parsed))
    return FIRST_ID if found is None else found.id


@get("/grievances/{kind:str}/{grievance_id:uuid}", opt=permit(*_READERS), operation_id="readGrievance")
async def read_grievance(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    kind: FromPath[GrievanceKind],
    grievance_id: FromPath[UUID],
) -> Response[GrievanceDetail]:
    """One 投诉 or 举报 whole, the complainant masked for everybody."""
    store = STORES[kind]
    async with parts.work.reading() as connection:
        found = await operations.find_readable(connection, principal_of(request), kind, grievance_id)
        beside = await beside_of(connection, parts, store, found)
    return Response(to_detail(parts.vault, store, found, beside), headers={"Cache-Control": "private, no-store"})


async def beside_of(connection: Connection, parts: Parts, store: GrievanceStore, found: Grievance) -> Beside:
    """What a detail tells beside the row."""
    place = await PLACE_BY_ID.one(connection, site_id=found.site_id)
    own = await store.sketch_of.one(connection, grievance_id=found.id)
    others = await store.sketches.all(
        connection,
        site_id=found.site_id,
        since=found.filed_at - timedelta(days=DEFAULT_LIKENESS.days),
        but=found.id,
        limit=DEFAULT_LIKENESS.looked_at,
    )
    of_phone = await store.count_of_phone.one(connection, grievance_id=found.id)
    return Beside(
        number=(await store.number.one(connection, grievance_id=found.id)).number,
        site_name=place.site_name,
        enterprise_name=place.enterprise_name,
        attachments=await list_attachments(connection, found.id),
        entries=await history(connection, parts.vault, store, found.id),
        follower_ids=[each.id for each in await store.followers.all(connection, grievance_id=found.id)],
        filings_of_phone=of_phone.count,
        likely_duplicates=count_alike(own.type, own.sketch, others),
    )


@get(
    "/grievances/{kind:str}/{grievance_id:uuid}/attachments/{digest:str}",
    opt=permit(*_READERS),
    operation_id="readGrievanceAttachment",
)
async def read_grievance_attachment(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    kind: FromPath[GrievanceKind],
    grievance_id: FromPath[UUID],
    digest: FromPath[str],
    shown: ShownSize = Shown.LARGE,
) -> Response[Any]:
    """A photo or file that the complainant handed in."""
    async with parts.work.reading() as connection:
        found = await operations.find_readable(connection, principal_of(request), kind, grievance_id)
    return await answer_attachment(request, parts, found.id, digest, shown)


@post(
    "/grievances/{kind:str}/{grievance_id:uuid}/steps",
    status_code=HTTP_201_CREATED,
    opt=permit(*_HANDLERS),
    operation_id="takeGrievanceStep",
)
async def take_step(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    kind: FromPath[GrievanceKind],
    grievance_id: FromPath[UUID],
    data: JSONBody[GrievanceStepOrder],
) -> Response[bytes]:
    """受理, 不予受理, 承办, 标记不处理, 答复, 办结, 延期 (COG-06)."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.take_step(tx, submission.principal, kind, grievance_id, data)
    )
    return respond(answer)


def _slug(refusal: DomainError) -> str:
    return kind_of(refusal).slug


@post(
    "/grievances/{kind:str}/steps",
    status_code=HTTP_201_CREATED,
    opt=permit(*_HANDLERS),
    operation_id="takeGrievanceSteps",
)
async def take_steps(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    kind: FromPath[GrievanceKind],
    data: JSONBody[GrievanceStepsOrder],
) -> Response[bytes]:
    """批量办理 (COG-06): the same step on up to 100, each with an outcome of its own."""
    order = GrievanceStepOrder(step=data.step, text=data.text, released_text=data.released_text)
    answer = await parts.work.submit(
        submission, lambda tx: operations.take_steps(tx, submission.principal, kind, data.ids, order, _slug)
    )
    return respond(answer)


@post(
    "/grievances/{kind:str}/{grievance_id:uuid}/merges",
    status_code=HTTP_201_CREATED,
    opt=permit(*_HANDLERS),
    operation_id="mergeGrievances",
)
async def merge(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    kind: FromPath[GrievanceKind],
    grievance_id: FromPath[UUID],
    data: JSONBody[MergeOrder],
) -> Response[bytes]:
    """并案: repeats follow this one and get its answers."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.merge(tx, submission.principal, kind, grievance_id, data.ids)
    )
    return respond(answer)


@post(
    "/grievances/{kind:str}/{grievance_id:uuid}/abuse-marks",
    status_code=HTTP_201_CREATED,
    opt=permit(*_HANDLERS),
    operation_id="markGrievanceAbuse",
)
async def mark_abuse(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    kind: FromPath[GrievanceKind],
    grievance_id: FromPath[UUID],
    data: JSONBody[AbuseOrder],
) -> Response[bytes]:
    """疑似滥用标记: internal, with a reason."""
    answer = await parts.work.submit(
        submission,
        lambda tx: operations.mark_abuse(
            tx, submission.principal, kind, grievance_id, data.reason, is_suspected=data.is_suspected
        ),
    )
    return respond(answer)


@post(
    "/grievances/{kind:str}/{grievance_id:uuid}/identity-views",
    status_code=HTTP_201_CREATED,
    opt=permit(*_HANDLERS),
    operation_id="viewComplainantIdentity",
)
async def view_identity(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    kind: FromPath[GrievanceKind],
    grievance_id: FromPath[UUID],
    data: JSONBody[ComplainantViewOrder],
) -> Response[Accepted[ComplainantShown]]:
    """查看身份 by the handler, with a reason. It is read once the look stands in the trace, and not kept.

    Repeated under the same key it is the same look, and that is over after a few minutes.
    """
    answer = await parts.work.submit(
        submission,
        lambda tx: operations.view_identity(tx, submission.principal, kind, grievance_id, data.reason),
    )
    accepted = msgspec.json.decode(answer.body, type=Accepted[ComplainantViewed])
    if parts.clock() > accepted.result.viewed_at + _ONE_LOOK:
        raise KeyReused("该次查看已结束，请重新填写原因后查看。", field="Idempotency-Key")
    async with parts.work.reading() as connection:
        identity = await operations.open_identity(connection, parts.vault, submission.principal, kind, grievance_id)
    shown = ComplainantShown(
        id=accepted.result.id,
        viewed_at=accepted.result.viewed_at,
        name=identity.person.name,
        phone=identity.person.phone,
        narrative=identity.narrative,
    )
    return Response(
        Accepted(receipt=accepted.receipt, result=shown),
        status_code=HTTP_201_CREATED,
        headers={"Cache-Control": "no-store"},
    )


@post(
    "/grievances/{kind:str}/inspections",
    status_code=HTTP_201_CREATED,
    opt=permit(*_HANDLERS),
    operation_id="startGrievanceInspection",
)
async def start_inspection(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    kind: FromPath[GrievanceKind],
    data: JSONBody[CaseInspectionOrder],
) -> Response[bytes]:
    """发起检查任务 (COG-06) for one or many about one site; its completion answers them."""
    answer = await parts.work.submit(
        submission, lambda tx: inspecting.start_inspection(tx, submission.principal, kind, data)
    )
    return respond(answer)


complaint_router = Router(
    "/",
    route_handlers=[
        list_grievances,
        read_grievance,
        read_grievance_attachment,
        take_step,
        take_steps,
        merge,
        mark_abuse,
        view_identity,
        start_inspection,
    ],
    tags=["complaint"],
)
