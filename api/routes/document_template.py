"""文书模板: list, read, draft, edit, review, put to use, preview, download (LAW-02 to LAW-05)."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

from litestar import Request, Response, Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import permit, principal_of
from api.paper_rendering import PRESS
from api.routes.document import PDF
from api.schemas.document import TemplateDetail, TemplateList, encode_body, to_template_detail
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.document import template_operations, template_store
from domain.document.automatic import samples_of
from domain.document.model import DocumentKind, Paper
from domain.document.render import Imprint, TypesettingFailed, previewed
from domain.document.rules import PaperFailed
from domain.document.template_model import (
    DocumentTemplate,
    NewTemplate,
    StepOrder,
    TemplateAuthor,
    TemplateState,
    TemplateText,
)
from domain.document.template_rules import require_readable
from domain.document.templates import TemplateBody, fill
from domain.identity.model import Principal, Role
from domain.shared.clock import local_date
from domain.shared.errors import Forbidden
from domain.shared.sql import Connection

_AUTHORS: Final = (Role.DEPARTMENT_MANAGER, Role.ADMINISTRATOR)
_READERS: Final = (*_AUTHORS, Role.INSPECTOR)


def _author(principal: Principal) -> TemplateAuthor:
    """A manager writes for the own department, an administrator for all."""
    if principal.role is Role.DEPARTMENT_MANAGER and principal.department_id is None:
        raise Forbidden("该账号不属于任何部门。")
    department_id = principal.department_id if principal.role is Role.DEPARTMENT_MANAGER else None
    return TemplateAuthor(id=principal.account_id, name=principal.name, department_id=department_id)


def _department_of(principal: Principal) -> UUID | None:
    return None if principal.role is Role.ADMINISTRATOR else principal.department_id


async def _readable(connection: Connection, principal: Principal, template_id: UUID) -> DocumentTemplate:
    found = await template_store.TEMPLATE_BY_ID.first(connection, template_id=template_id)
    in_use_only = principal.role is Role.INSPECTOR
    return require_readable(found, _department_of(principal), in_use_only=in_use_only)


@get("/document-templates", opt=permit(*_READERS), operation_id="listDocumentTemplates")
async def list_document_templates(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    name: Annotated[str | None, QueryParameter(description="A part of 文书名称", max_length=60)] = None,
    kind: Annotated[DocumentKind | None, QueryParameter(description="文书类型")] = None,
    status: Annotated[TemplateState | None, QueryParameter(name="state", description="启用状态")] = None,
) -> TemplateList:
    """文书模板 of the caller's department and those for all, every version (LAW-02). Inspectors see what is in use."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        items = await template_store.LIST_TEMPLATES.all(
            connection,
            department_id=_department_of(principal),
            kind=kind,
            state=TemplateState.PUBLISHED if principal.role is Role.INSPECTOR else status,
            words=name or None,
        )
    return TemplateList(items=items)


@get("/document-templates/{template_id:uuid}", opt=permit(*_READERS), operation_id="readDocumentTemplate")
async def read_document_template(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], template_id: FromPath[UUID]
) -> TemplateDetail:
    """One 文书模板 with its body, the fields that may be edited, and the values that are put in (LAW-03)."""
    async with parts.work.reading() as connection:
        return to_template_detail(await _readable(connection, principal_of(request), template_id))


@get(
    "/document-templates/{template_id:uuid}/preview.pdf",
    opt=permit(*_READERS),
    operation_id="previewDocumentTemplate",
    media_type=PDF,
)
async def preview_document_template(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], template_id: FromPath[UUID]
) -> Response[bytes]:
    """样张: the template filled with sample values."""
    async with parts.work.reading() as connection:
        template = await _readable(connection, principal_of(request), template_id)
    samples = samples_of(template.kind)
    paper = Paper(
        kind=template.kind,
        title=template.body.title,
        authority=template.department_name or samples["authority"],
        issued_on=local_date(parts.clock()),
        blocks=fill(template.body, samples, {}),
    )
    try:
        printed = await PRESS.render(previewed(paper), Imprint(number="（文号）"), {})
    except TypesettingFailed as failure:
        raise PaperFailed("样张生成失败，请检查模板内容。") from failure
    return Response(printed.pdf, headers={"Cache-Control": "private, no-store"}, media_type=PDF)


@get(
    "/document-templates/{template_id:uuid}/body.json",
    opt=permit(*_READERS),
    operation_id="downloadDocumentTemplate",
)
async def download_document_template(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], template_id: FromPath[UUID]
) -> Response[TemplateBody]:
    """The body alone, as a file (LAW-03)."""
    async with parts.work.reading() as connection:
        template = await _readable(connection, principal_of(request), template_id)
    name = quote(f"{template.name}-{template.version}.json")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Cache-Control": "private, no-store",
    }
    body: Any = encode_body(template.body)
    return Response(body, headers=headers, media_type="application/json")


@post(
    "/document-templates",
    status_code=HTTP_201_CREATED,
    opt=permit(*_AUTHORS),
    operation_id="draftDocumentTemplate",
)
async def draft_document_template(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[NewTemplate]
) -> Response[bytes]:
    """新建文书模板: the next version of its kind, as a draft."""
    author = _author(submission.principal)
    return respond(await parts.work.submit(submission, lambda tx: template_operations.draft_template(tx, author, data)))


@put(
    "/document-templates/{template_id:uuid}",
    status_code=HTTP_201_CREATED,
    opt=permit(*_AUTHORS),
    operation_id="editDocumentTemplate",
)
async def edit_document_template(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    template_id: FromPath[UUID],
    data: JSONBody[TemplateText],
) -> Response[bytes]:
    """修改文书模板 while it is a draft, or was returned."""
    author = _author(submission.principal)
    return respond(
        await parts.work.submit(submission, lambda tx: template_operations.edit_template(tx, author, template_id, data))
    )


@post(
    "/document-templates/{template_id:uuid}/steps",
    status_code=HTTP_201_CREATED,
    opt=permit(*_AUTHORS),
    operation_id="takeDocumentTemplateStep",
)
async def take_document_template_step(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    template_id: FromPath[UUID],
    data: JSONBody[StepOrder],
) -> Response[bytes]:
    """送审, 审核通过 or 退回 by another person, 启用, 停用 (LAW-04)."""
    author = _author(submission.principal)
    return respond(
        await parts.work.submit(
            submission, lambda tx: template_operations.take_template_step(tx, author, template_id, data)
        )
    )


@delete(
    "/document-templates/{template_id:uuid}",
    status_code=HTTP_201_CREATED,
    opt=permit(*_AUTHORS),
    operation_id="deleteDocumentTemplate",
)
async def delete_document_template(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], template_id: FromPath[UUID]
) -> Response[bytes]:
    """删除文书模板 that is still a draft, or was returned (LAW-05)."""
    author = _author(submission.principal)
    return respond(
        await parts.work.submit(submission, lambda tx: template_operations.delete_template(tx, author, template_id))
    )


document_template_router = Router(
    "/",
    route_handlers=[
        list_document_templates,
        read_document_template,
        preview_document_template,
        download_document_template,
        draft_document_template,
        edit_document_template,
        take_document_template_step,
        delete_document_template,
    ],
    tags=["document"],
)
