"""移交执法: open, list, hand out the file, hand over."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_201_CREATED

from api.auth import officer_of, permit, principal_of
from api.notice_evidence import messages_about
from api.routes.rectification import READERS
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.rectification import (
    TransferPage,
    to_transfer_line,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.identity.model import Principal, Role
from domain.rectification import transfer_file, transfer_store, transferring
from domain.rectification.acts import HandOver, OpenTransfer, TransferStands
from domain.rectification.model import Transfer, TransferState
from domain.rectification.reading import find_transfer
from domain.shared.errors import Forbidden
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

_CASE_WORKERS = (Role.INSPECTOR, Role.DEPARTMENT_MANAGER)


@post(
    "/inspections/{inspection_id:uuid}/transfers",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.INSPECTOR),
    operation_id="openTransfer",
)
async def open_transfer(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    inspection_id: FromPath[UUID],
    data: JSONBody[OpenTransfer],
) -> Response[bytes]:
    """移交执法 out of an answer's measure 转行政处罚 (POST-04)."""
    officer_id = officer_of(submission.principal)
    answer = await parts.work.submit(
        submission, lambda tx: transferring.open_transfer(tx, officer_id, inspection_id, data)
    )
    return respond(answer)


async def _transfers(connection: Connection, principal: Principal, page: dict[str, Any]) -> list[Transfer]:
    match principal.role:
        case Role.INSPECTOR:
            return await transfer_store.LIST_OF_OFFICER.all(connection, officer_id=principal.officer_id, **page)
        case Role.DEPARTMENT_MANAGER:
            return await transfer_store.LIST_OF_DEPARTMENT.all(
                connection, department_id=principal.department_id, **page
            )
        case Role.ENTERPRISE:
            return await transfer_store.LIST_OF_ENTERPRISE.all(
                connection, enterprise_id=principal.enterprise_id, site_ids=principal.site_ids, **page
            )
        case _:
            return await transfer_store.LIST_OF_REGION.all(connection, region=principal.region, **page)


@get("/transfers", opt=permit(*READERS), operation_id="listTransfers")
async def list_transfers(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[TransferState | None, QueryParameter(name="state", description="待移交 or 已移交")] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> TransferPage:
    """移交执法 that the caller may see, the newest first (POST-04, ENT-09)."""
    page: dict[str, Any] = {"state": status, "before_id": read_cursor(cursor, LAST_ID), "limit": limit + 1}
    async with parts.work.reading() as connection:
        rows = await _transfers(connection, principal_of(request), page)
    shown, more = cut(rows, limit, lambda row: row.id)
    return TransferPage(items=[to_transfer_line(row) for row in shown], next_cursor=more)


@get(
    "/transfers/{transfer_id:uuid}/file.zip",
    opt=permit(*_CASE_WORKERS),
    operation_id="readTransferFile",
    media_type="application/zip",
)
async def read_transfer_file(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], transfer_id: FromPath[UUID]
) -> Stream:
    """移交案卷 as ZIP with index.json and index.csv; taking it leaves a trace. For the department that transfers."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        transfer = await find_transfer(connection, principal, transfer_id)
        if transfer.department_id != principal.department_id:
            raise Forbidden("该移交由其他部门办理。")
        messages = [] if transfer.order_id is None else await messages_about(connection, transfer.order_id)
        plan = await transfer_file.plan_file(connection, parts.vault, transfer, messages)
    target = transfer_file.open_target()
    try:
        facts = await transfer_file.write_file(parts.blobs, transfer, plan, target)
        await parts.work.run(principal.operator, lambda tx: transferring.trace_file_read(tx, transfer, facts))
    except BaseException:
        target.close()
        raise
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Length": str(facts.size),
        "Content-Disposition": f'attachment; filename="transfer-{transfer_id}.zip"',
    }
    return Stream(transfer_file.pieces_of(target), media_type="application/zip", headers=headers)


@post(
    "/transfers/{transfer_id:uuid}/hand-over",
    status_code=HTTP_201_CREATED,
    opt=permit(*_CASE_WORKERS),
    operation_id="handOverTransfer",
)
async def hand_over_transfer(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    transfer_id: FromPath[UUID],
    data: JSONBody[HandOver],
) -> Response[bytes]:
    """移交: the receiving body's receipt."""
    by = submission.principal

    async def operation(tx: Transaction) -> Outcome[TransferStands]:
        await find_transfer(tx.connection, by, transfer_id)
        return await transferring.hand_over(tx, by.department_id, by.account_id, transfer_id, data)

    return respond(await parts.work.submit(submission, operation))


transfer_router = Router(
    "/",
    route_handlers=[open_transfer, list_transfers, read_transfer_file, hand_over_transfer],
    tags=["rectification"],
)
