"""材料 and 电子证照 of an enterprise: what is asked, what is there, upload and download (PUB-19, ENT-08)."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.attachment_files import answer_attachment
from api.auth import permit, principal_of
from api.schemas.material import MaterialDetail, MaterialList, to_detail, to_list
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.evidence.model import Shown
from domain.identity.model import Principal, Role
from domain.material import operations, store
from domain.material.model import MaterialUpload, StoredMaterial
from domain.shared.clock import local_date
from domain.shared.errors import NotFound
from domain.shared.sql import Connection
from domain.space.access import require_look

_READERS: Final = (Role.ENTERPRISE, Role.INSPECTOR, Role.LEAD)


async def _find(connection: Connection, principal: Principal, material_id: UUID) -> StoredMaterial:
    """The material, for the enterprise's own people, an inspector with an open order there, or the region's lead."""
    found = await store.MATERIAL_BY_ID.first(connection, material_id=material_id)
    if found is not None:
        if principal.role is not Role.ENTERPRISE:
            await require_look(connection, principal, found.enterprise_id)
            return found
        if operations.is_own(principal, found):
            return found
    raise NotFound("没有该材料。")


@get("/enterprises/{enterprise_id:uuid}/materials", opt=permit(*_READERS), operation_id="listMaterials")
async def list_materials(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    enterprise_id: FromPath[UUID],
    site_id: Annotated[UUID | None, QueryParameter(description="Of one site, with what is the enterprise's")] = None,
) -> MaterialList:
    """材料清单: 材料名称, 是否上传, 上传时间, 有效期 (PUB-19)."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        await require_look(connection, principal, enterprise_id)
        lines = await operations.list_materials(
            connection, principal, enterprise_id, site_id, local_date(parts.clock())
        )
    return to_list(lines)


@post(
    "/enterprises/{enterprise_id:uuid}/materials",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="uploadMaterial",
)
async def upload_material(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    enterprise_id: FromPath[UUID],
    data: JSONBody[MaterialUpload],
) -> Response[bytes]:
    """上传材料 or its next version; the files are handed in before, under `/attachments/{digest}`."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.upload_material(tx, submission.principal, enterprise_id, data)
    )
    return respond(answer)


@get("/materials/{material_id:uuid}", opt=permit(*_READERS), operation_id="readMaterial")
async def read_material(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], material_id: FromPath[UUID]
) -> MaterialDetail:
    """材料 with its versions and their files."""
    async with parts.work.reading() as connection:
        found = await _find(connection, principal_of(request), material_id)
        versions = await operations.list_versions(connection, material_id)
    return to_detail(found, versions, local_date(parts.clock()))


@get(
    "/materials/{material_id:uuid}/versions/{version:int}/files/{digest:str}",
    opt=permit(*_READERS),
    operation_id="readMaterialFile",
)
async def read_material_file(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    material_id: FromPath[UUID],
    version: FromPath[int],
    digest: FromPath[str],
    size: Annotated[Shown, QueryParameter(description="Of a picture: longer side in pixels, or the original")] = (
        Shown.LARGE
    ),
) -> Response[Any]:
    """One file of a version: a picture without metadata, a PDF as it is."""
    async with parts.work.reading() as connection:
        await _find(connection, principal_of(request), material_id)
        found = None
        if 0 < version < 2**31:
            found = await store.VERSION.first(connection, material_id=material_id, version=version)
    if found is None:
        raise NotFound("没有该版本。")
    return await answer_attachment(request, parts, found.id, digest, size)


@post(
    "/materials/{material_id:uuid}/removal",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.ENTERPRISE),
    operation_id="removeMaterial",
)
async def remove_material(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], material_id: FromPath[UUID]
) -> Response[bytes]:
    """移除材料: listed no more."""
    answer = await parts.work.submit(
        submission, lambda tx: operations.remove_material(tx, submission.principal, material_id)
    )
    return respond(answer)


material_router = Router(
    "/",
    route_handlers=[list_materials, upload_material, read_material, read_material_file, remove_material],
    tags=["material"],
)
