"""曝光台 (PUB-09, COG-07): the department drafts, another of its people publishes, anybody reads."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import MediaType, Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_404_NOT_FOUND

from api.auth import permit, permit_anyone, principal_of
from api.pages import exposure as pages
from api.places import RegionCode, region_path
from api.public_reader import HEADERS, HTML
from api.schemas.cursor import LAST_ID, LATEST, CursorText, PageLimit, TimeCursor, cut, read_cursor
from api.schemas.exposure import (
    ExposureDetail,
    ExposurePage,
    ExposureWithdrawal,
    PublicExposurePage,
    to_detail,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.exposure import operations, store
from domain.exposure.model import ExposureOrder, ExposureState, PublicExposure
from domain.exposure.rules import department_of
from domain.identity.model import Role
from domain.shared.clock import local_date
from domain.shared.errors import NotFound

_OFFICE = (Role.LEAD, Role.DEPARTMENT_MANAGER)
_Publisher = Annotated[UUID | None, QueryParameter(description="发布部门")]
_Keyword = Annotated[str | None, QueryParameter(description="In title or text", max_length=60)]
_PAGE_OF_BROWSER = 30

# ---- the department's desk


@get("/exposures", opt=permit(*_OFFICE), operation_id="listExposures")
async def list_exposures(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[
        ExposureState, QueryParameter(name="state", description="草稿, 已发布 or 已撤下")
    ] = ExposureState.DRAFT,
    title: Annotated[str | None, QueryParameter(description="信息标题", max_length=60)] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> ExposurePage:
    """曝光 of the caller's department, the newest first."""
    async with parts.work.reading() as connection:
        rows = await store.LIST_OF_DEPARTMENT.all(
            connection,
            department_id=department_of(principal_of(request)),
            state=status,
            title=title or None,
            before_id=read_cursor(cursor, LAST_ID),
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: row.id)
    return ExposurePage(items=shown, next_cursor=more)


@get("/exposures/{exposure_id:uuid}", opt=permit(*_OFFICE), operation_id="readExposure")
async def read_exposure(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], exposure_id: FromPath[UUID]
) -> ExposureDetail:
    """One 曝光 of the caller's department."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        found = await store.EXPOSURE_BY_ID.first(connection, exposure_id=exposure_id)
    if found is None or found.department_id != department_of(principal):
        raise NotFound("没有该曝光信息。")
    return to_detail(found, principal.account_id)


@post("/exposures", status_code=HTTP_201_CREATED, opt=permit(*_OFFICE), operation_id="draftExposure")
async def draft_exposure(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[ExposureOrder]
) -> Response[bytes]:
    """起草曝光信息."""
    answer = await parts.work.submit(submission, lambda tx: operations.draft_exposure(tx, submission.principal, data))
    return respond(answer)


@put(
    "/exposures/{exposure_id:uuid}",
    status_code=HTTP_201_CREATED,
    opt=permit(*_OFFICE),
    operation_id="editExposure",
)
async def edit_exposure(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    exposure_id: FromPath[UUID],
    data: JSONBody[ExposureOrder],
) -> Response[bytes]:
    """修改草稿; whoever changed it does not publish it."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.edit_exposure(tx, submission.principal, exposure_id, data)
    )
    return respond(answer)


@post(
    "/exposures/{exposure_id:uuid}/publication",
    status_code=HTTP_201_CREATED,
    opt=permit(*_OFFICE),
    operation_id="publishExposure",
)
async def publish_exposure(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], exposure_id: FromPath[UUID]
) -> Response[bytes]:
    """发布, by a second person of the department."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.publish_exposure(tx, submission.principal, exposure_id)
    )
    return respond(answer)


@post(
    "/exposures/{exposure_id:uuid}/withdrawal",
    status_code=HTTP_201_CREATED,
    opt=permit(*_OFFICE),
    operation_id="withdrawExposure",
)
async def withdraw_exposure(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    exposure_id: FromPath[UUID],
    data: JSONBody[ExposureWithdrawal],
) -> Response[bytes]:
    """撤下: nothing of it stays public."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.withdraw_exposure(tx, submission.principal, exposure_id, data.reason)
    )
    return respond(answer)


# ---- for anybody


async def _public(
    parts: Parts, department_id: UUID | None, region: str | None, keyword: str | None, cursor: str | None, limit: int
) -> PublicExposurePage:
    before = read_cursor(cursor, LATEST)
    async with parts.work.reading() as connection:
        rows = await store.LIST_PUBLIC.all(
            connection,
            department_id=department_id,
            region=region_path(region),
            keyword=keyword or None,
            before_at=before.at,
            before_id=before.id,
            today=local_date(parts.clock()),
            limit=limit + 1,
        )
    shown, more = cut(rows, limit, lambda row: TimeCursor(row.published_at, row.id))
    return PublicExposurePage(items=shown, next_cursor=more)


async def _find_public(parts: Parts, exposure_id: UUID) -> PublicExposure:
    async with parts.work.reading() as connection:
        found = await store.PUBLIC_EXPOSURE.first(connection, exposure_id=exposure_id, today=local_date(parts.clock()))
    if found is None:
        raise NotFound("没有该曝光信息，或已撤下。")
    return found


@get("/public/exposures", opt=permit_anyone(), operation_id="listPublicExposures")
async def list_public_exposures(
    parts: NamedDependency[Parts],
    department_id: _Publisher = None,
    region: RegionCode = None,
    keyword: _Keyword = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> Response[PublicExposurePage]:
    """监管曝光台, by department, region and keyword."""
    page = await _public(parts, department_id, region, keyword, cursor, limit)
    return Response(page, headers={"Cache-Control": "no-cache"})


@get("/public/exposures/{exposure_id:uuid}", opt=permit_anyone(), operation_id="readPublicExposure")
async def read_public_exposure(parts: NamedDependency[Parts], exposure_id: FromPath[UUID]) -> Response[PublicExposure]:
    """One 曝光."""
    return Response(await _find_public(parts, exposure_id), headers={"Cache-Control": "no-cache"})


exposure_router = Router(
    "/",
    route_handlers=[
        list_exposures,
        read_exposure,
        draft_exposure,
        edit_exposure,
        publish_exposure,
        withdraw_exposure,
        list_public_exposures,
        read_public_exposure,
    ],
    tags=["exposure"],
)

# ---- pages


@get(
    "/exposures",
    opt=permit_anyone(),
    operation_id="openExposures",
    media_type=MediaType.HTML,
    include_in_schema=False,
)
async def open_exposures(
    parts: NamedDependency[Parts],
    department: Annotated[str, QueryParameter(description="发布部门", max_length=36)] = "",
    region: Annotated[str, QueryParameter(description="区划编码", max_length=12)] = "",
    keyword: Annotated[str, QueryParameter(description="In title or text", max_length=60)] = "",
    cursor: CursorText = None,
) -> Response[bytes]:
    """曝光台 for browsers; what cannot be read as a filter is none."""
    asked = pages.ExposureFilters(department=department, region=region, keyword=keyword)
    page = await _public(parts, asked.department_id, asked.region_code, keyword, cursor, _PAGE_OF_BROWSER)
    async with parts.work.reading() as connection:
        publishers = await store.PUBLISHERS.all(connection, today=local_date(parts.clock()))
    body = pages.render_exposures(page, asked, publishers)
    return Response(body, status_code=HTTP_200_OK, headers=HEADERS[HTML], media_type=HTML)


@get(
    "/exposures/{exposure_id:uuid}",
    opt=permit_anyone(),
    operation_id="openExposure",
    media_type=MediaType.HTML,
    include_in_schema=False,
)
async def open_exposure(parts: NamedDependency[Parts], exposure_id: FromPath[UUID]) -> Response[bytes]:
    """One 曝光 for browsers."""
    try:
        found = await _find_public(parts, exposure_id)
    except NotFound:
        return Response(pages.render_gone(), status_code=HTTP_404_NOT_FOUND, headers=HEADERS[HTML], media_type=HTML)
    return Response(pages.render_exposure(found), headers=HEADERS[HTML], media_type=HTML)


exposure_pages_router = Router("/", route_handlers=[open_exposures, open_exposure], tags=["exposure"])
