"""现场检查笔录: the canonical record, what is added by hand, signatures, completion, and 人员替换."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import STAFF, officer_of, permit, principal_of
from api.routes.document import pdf_of
from api.schemas.inspection import GivenReason
from api.submissions import IfMatch, read_version, respond
from api.wiring import Parts
from api.work import Submission
from domain.document.model import DocumentKind
from domain.document.operations import find_document
from domain.document.store import DOCUMENTS_OF_INSPECTION
from domain.identity.model import Principal, Role
from domain.inspection.access import Standing, find_readable
from domain.inspection.answers.operations import read_list
from domain.inspection.completion import operations as completion
from domain.inspection.completion.model import CompletionOrder, ReplacementOrder
from domain.inspection.record import operations
from domain.inspection.record.model import RecordFacts, SignatureOrder, SignatureRole
from domain.inspection.store import INSPECTION_BY_ID
from domain.shared.errors import Forbidden, NotFound

Department = Annotated[
    UUID | None,
    QueryParameter(name="department_id", description="Whose record; left out: the caller's own, or the lead's"),
]


def _department(principal: Principal, standing: Standing, asked: UUID | None) -> UUID:
    """Whose record is meant: the one asked for, the caller's own, else the lead department's."""
    if asked is not None:
        if asked not in standing.departments:
            raise NotFound("该部门未参与本次检查。", field="department_id")
        return asked
    own = principal.department_id
    return own if own is not None and own in standing.departments else standing.departments[0]


@get("/inspections/{inspection_id:uuid}/record", opt=permit(*STAFF), operation_id="readRecord")
async def read_record(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    inspection_id: FromPath[UUID],
    department_id: Department = None,
) -> Response[bytes]:
    """The canonical record (RFC 8785) of one department: the very bytes whose SHA-256 is signed."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        standing = await find_readable(connection, principal, inspection_id)
        await read_list(connection, principal, inspection_id)
        inspection = await INSPECTION_BY_ID.one(connection, inspection_id=inspection_id)
        whose = _department(principal, standing, department_id)
        draft = await operations.read_draft(connection, parts.vault, inspection, whose)
    text = operations.canonical_record(parts.vault, draft)
    digest = hashlib.sha256(text).hexdigest()
    headers = {
        "Cache-Control": "private, no-store",
        "ETag": f'"{digest}"',
        "Yima-Record-Digest": digest,
        "Yima-Facts-Version": str(draft.version),
    }
    return Response(text, media_type="application/json", headers=headers)


@get(
    "/inspections/{inspection_id:uuid}/record.pdf",
    opt=permit(*STAFF, Role.ENTERPRISE),
    operation_id="readRecordPdf",
    media_type="application/pdf",
)
async def read_record_pdf(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    inspection_id: FromPath[UUID],
    department_id: Department = None,
) -> Response[bytes]:
    """现场检查笔录 as paper, once the inspection is completed and the worker has made it."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        standing = await find_readable(connection, principal, inspection_id)
        whose = _department(principal, standing, department_id)
        papers = await DOCUMENTS_OF_INSPECTION.all(connection, inspection_id=inspection_id)
        records = [
            each.id for each in papers if each.kind is DocumentKind.INSPECTION_RECORD and each.department_id == whose
        ]
        if not records:
            raise NotFound("检查笔录在完成检查后生成。")
        document = await find_document(connection, records[-1])
    return await pdf_of(request, parts, document)


@put(
    "/inspections/{inspection_id:uuid}/record",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="putRecordFacts",
)
async def put_record_facts(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[RecordFacts],
    if_match: IfMatch = None,
) -> Response[bytes]:
    """检查笔录填写: what the officers add by hand."""
    officer_id, expected = officer_of(submission.principal), read_version(if_match)
    answer = await parts.work.submit(
        submission, lambda tx: operations.record_facts(tx, officer_id, inspection_id, data, expected)
    )
    return respond(answer)


@put(
    "/inspections/{inspection_id:uuid}/signatures/{role:str}",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="sign",
)
async def sign(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    role: FromPath[SignatureRole],
    data: JSONBody[SignatureOrder],
) -> Response[bytes]:
    """检查签字 (MOB-13) in one role; `paper` hands in the whole record signed by hand."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(submission, lambda tx: operations.sign(tx, officer_id, inspection_id, role, data))
    return respond(answer)


@post(
    "/inspections/{inspection_id:uuid}/record/reopenings",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="reopenRecord",
)
async def reopen_record(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[GivenReason],
) -> Response[bytes]:
    """笔录重新打开: voids the department's signatures, with a reason."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(
        submission, lambda tx: operations.reopen_record(tx, officer_id, inspection_id, data.reason)
    )
    return respond(answer)


@post(
    "/inspections/{inspection_id:uuid}/completion",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="complete",
)
async def complete(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[CompletionOrder],
) -> Response[bytes]:
    """完成检查 (MOB-14) with one of eight outcomes."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(submission, lambda tx: completion.complete(tx, officer_id, inspection_id, data))
    return respond(answer)


@post(
    "/inspections/{inspection_id:uuid}/replacements",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="replaceOfficer",
)
async def replace_officer(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[ReplacementOrder],
) -> Response[bytes]:
    """人员替换 (TASK-13) within the manager's department."""
    who = submission.principal
    if who.department_id is None:
        raise Forbidden("该账号不属于任何部门。")
    department_id = who.department_id
    answer = await parts.work.submit(
        submission,
        lambda tx: completion.replace_officer(tx, who.account_id, department_id, inspection_id, data),
    )
    return respond(answer)


record_router = Router(
    "/",
    route_handlers=[
        read_record,
        read_record_pdf,
        put_record_facts,
        sign,
        reopen_record,
        complete,
        replace_officer,
    ],
    tags=["inspection"],
)
