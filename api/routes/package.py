"""当日任务包 and the numbers that a phone takes along."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit, principal_of
from api.public_reader import holds
from api.schemas.cursor import read_cursor, write_cursor
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.identity.model import Principal, Role
from domain.inspection.package import operations
from domain.inspection.package.model import LeaseOrder, Package
from domain.shared.clock import local_date
from domain.shared.errors import Forbidden

_MOST_KNOWN = 200


def _post_of(principal: Principal) -> tuple[UUID, UUID]:
    """The officer and the department that the account stands for."""
    if principal.officer_id is None or principal.department_id is None:
        raise Forbidden("该账号不是执法人员。")
    return principal.officer_id, principal.department_id


@get("/packages/today", opt=permit(Role.INSPECTOR), operation_id="readPackage")
async def read_package(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    device_id: Annotated[UUID | None, QueryParameter(description="The phone whose number blocks are wanted")] = None,
    have: Annotated[
        str,
        QueryParameter(
            description="Versions that the phone holds, joined by commas: they come without content",
            max_length=_MOST_KNOWN * 17,
        ),
    ] = "",
    cursor: Annotated[str | None, QueryParameter(description="next_cursor of the part before", max_length=200)] = None,
) -> Response[Package]:
    """当日任务包: inspections, sealed lists, history, positions, number blocks. Bounded; ask again for the rest."""
    officer_id, department_id = _post_of(principal_of(request))
    known = frozenset(have.split(",")) if have else frozenset[str]()
    now = parts.clock()
    today = local_date(now)
    start = read_cursor(cursor, operations.FIRST)
    async with parts.work.reading() as connection:
        numbers = [] if device_id is None else await operations.held_numbers(connection, department_id, device_id)
        packed = await operations.pack_day(connection, officer_id, today, parts.code_keys, have=known, start=start)
    more = None if packed.last is None else write_cursor(packed.last)
    package = Package(day=today, made_at=now, entries=packed.entries, next_cursor=more, numbers=numbers)
    etag = _etag(package)
    headers = {"Cache-Control": "private, no-cache", "ETag": etag}
    if holds(request.headers.get("if-none-match", ""), etag):
        return Response(b"", status_code=304, headers=headers, media_type="application/json")  # type: ignore[return-value] - no body
    return Response(package, headers=headers)


def _etag(package: Package) -> str:
    """Of what is in it: the clock alone makes no other package."""
    told = msgspec.structs.replace(package, made_at=datetime.min.replace(tzinfo=UTC))
    return f'"{hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:24]}"'


@post("/number-leases", status_code=HTTP_201_CREATED, opt=permit(Role.INSPECTOR), operation_id="leaseNumbers")
async def lease_numbers(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[LeaseOrder]
) -> Response[bytes]:
    """文号预领: a block of numbers for papers issued where there is no network."""
    _, department_id = _post_of(submission.principal)
    return respond(await parts.work.submit(submission, lambda tx: operations.lease_block(tx, department_id, data)))


package_router = Router("/", route_handlers=[read_package, lease_numbers], tags=["inspection"])
