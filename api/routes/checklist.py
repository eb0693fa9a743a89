"""检查单: list, content, versions, change log, import and export, preview (CHK-01 to CHK-10)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.auth import STAFF, permit, principal_of
from api.schemas.checklist import (
    ChecklistChangePage,
    ChecklistDetail,
    ChecklistPage,
    ChecklistPreview,
    DraftItems,
    ItemImportAnswer,
    StateOrder,
    to_detail,
    to_import_answer,
    to_preview,
    to_summary,
)
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.checklist import operations, rules, store
from domain.checklist.intake import ItemReading, department_words, read_items
from domain.checklist.model import (
    BasicFields,
    ChecklistCard,
    ChecklistItem,
    ChecklistState,
    ChecklistVersion,
    Editor,
    NewChecklist,
)
from domain.checklist.sheet import write_sheet
from domain.identity.model import Principal, Role
from domain.identity.store import ALL_DEPARTMENTS
from domain.scene.catalogue import scenes
from domain.shared.errors import InvalidField, NotFound
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ITEMS_BYTES: Final = 2 * 1024 * 1024
_FILE_BYTES: Final = 5 * 1024 * 1024
A = TypeVar("A")

_Version = Annotated[
    int | None, QueryParameter(ge=1, description="The number of the version; the current one unless given")
]


# ---- reading


@get("/checklists", opt=permit(*STAFF), operation_id="listChecklists")
async def list_checklists(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[ChecklistState | None, QueryParameter(name="state", description="未启用, 启用 or 停用")] = None,
    name: Annotated[str | None, QueryParameter(description="A part of 检查单名称", max_length=100)] = None,
    code: Annotated[str | None, QueryParameter(description="A part of 检查单编码", max_length=40)] = None,
    business_type: Annotated[str | None, QueryParameter(description="关联业态", max_length=60)] = None,
    is_default: Annotated[bool | None, QueryParameter(description="是否默认")] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> ChecklistPage:
    """检查单 that the caller may see, the newest first (CHK-01, CHK-02)."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        cards = await store.LIST_CHECKLISTS.all(
            connection,
            region=principal.region,
            department_id=principal.department_id,
            state=status,
            name=name,
            code=code,
            business_type=business_type,
            is_default=is_default,
            before_id=read_cursor(cursor, LAST_ID),
            limit=limit + 1,
        )
    shown, more = cut(cards, limit, lambda row: row.id)
    return ChecklistPage(items=[to_summary(card) for card in shown], next_cursor=more)


async def _readable(connection: Connection, principal: Principal, checklist_id: UUID) -> ChecklistCard:
    card = await store.CHECKLIST_BY_ID.first(connection, checklist_id=checklist_id)
    return rules.require_readable(card, principal.department_id, principal.region)


async def _versions(connection: Connection, principal: Principal, card: ChecklistCard) -> list[ChecklistVersion]:
    """Every version; the draft only for departments that write it."""
    versions = await store.VERSIONS_OF_CHECKLIST.all(connection, checklist_id=card.id)
    if rules.takes_part(card, principal.department_id):
        return versions
    return [version for version in versions if version.published_at is not None]


def _chosen(versions: list[ChecklistVersion], card: ChecklistCard, number: int | None) -> ChecklistVersion | None:
    """The version of that number, else the current one, else the draft. Raises `NotFound` for an unknown number."""
    if number is None:
        current = (version for version in versions if version.id == card.current_version_id)
        return next(current, versions[0] if versions else None)
    found = next((version for version in versions if version.number == number), None)
    if found is None:
        raise NotFound("没有该版本。", field="version")
    return found


@get("/checklists/{checklist_id:uuid}", opt=permit(*STAFF), operation_id="readChecklist")
async def read_checklist(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    checklist_id: FromPath[UUID],
    version: _Version = None,
) -> ChecklistDetail:
    """检查单 with its versions and the content of one (CHK-03). Only its own departments see a draft."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        card = await _readable(connection, principal, checklist_id)
        versions = await _versions(connection, principal, card)
        shown = _chosen(versions, card, version)
        items = [] if shown is None else await store.ITEMS_OF_VERSION.all(connection, version_id=shown.id)
    return to_detail(card, versions, shown, items)


async def _one_version(
    connection: Connection, principal: Principal, checklist_id: UUID, number: int | None
) -> tuple[ChecklistCard, ChecklistVersion, list[ChecklistItem]]:
    """A list with the version asked for. Raises `NotFound` or `ChecklistNotPublished`."""
    card = await _readable(connection, principal, checklist_id)
    shown = _chosen(await _versions(connection, principal, card), card, number)
    if shown is None:
        raise rules.ChecklistNotPublished("检查单尚未发布。")
    return card, shown, await store.ITEMS_OF_VERSION.all(connection, version_id=shown.id)


@get("/checklists/{checklist_id:uuid}/changes", opt=permit(*STAFF), operation_id="listChecklistChanges")
async def list_changes(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    checklist_id: FromPath[UUID],
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> ChecklistChangePage:
    """变更记录, the newest first (CHK-07)."""
    async with parts.work.reading() as connection:
        await _readable(connection, principal_of(request), checklist_id)
        changes = await store.CHANGES_OF_CHECKLIST.all(
            connection, checklist_id=checklist_id, before_id=read_cursor(cursor, LAST_ID), limit=limit + 1
        )
    shown, more = cut(changes, limit, lambda row: row.id)
    return ChecklistChangePage(items=shown, next_cursor=more)


@get("/checklists/{checklist_id:uuid}/preview", opt=permit(*STAFF), operation_id="previewChecklist")
async def preview_checklist(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    checklist_id: FromPath[UUID],
    version: _Version = None,
) -> ChecklistPreview:
    """预览 in the layout of the form, without an object (CHK-09)."""
    async with parts.work.reading() as connection:
        found = await _one_version(connection, principal_of(request), checklist_id, version)
    return to_preview(*found)


@get(
    "/checklists/{checklist_id:uuid}/export.xlsx",
    opt=permit(*STAFF),
    operation_id="exportChecklist",
    media_type=XLSX,
)
async def export_checklist(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    checklist_id: FromPath[UUID],
    version: _Version = None,
) -> Response[bytes]:
    """下载 as a spreadsheet that the import takes back (CHK-10)."""
    async with parts.work.reading() as connection:
        card, shown, items = await _one_version(connection, principal_of(request), checklist_id, version)
        words = department_words(departments := await ALL_DEPARTMENTS.all(connection))
    names = {each.code: each.name for each in departments if words.get(each.name) == each.code}
    sheet = await asyncio.to_thread(write_sheet, items, names)
    file_name = quote(f"{card.name}-第{shown.number}版.xlsx")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{file_name}", "Cache-Control": "no-store"}
    return Response(sheet, media_type=XLSX, headers=headers)


# ---- writing


async def _change(
    parts: Parts, submission: Submission, act: Callable[[Transaction, Editor], Awaitable[Outcome[A]]]
) -> Response[bytes]:
    editor = rules.editor_of(submission.principal)
    return respond(await parts.work.submit(submission, lambda tx: act(tx, editor)))


def _require_scene(fields: BasicFields) -> None:
    if fields.scene_code is not None and all(scene.code != fields.scene_code for scene in scenes()):
        raise InvalidField("没有这个场景。", field="scene_code")


@post("/checklists", status_code=HTTP_201_CREATED, opt=permit(Role.DEPARTMENT_MANAGER), operation_id="createChecklist")
async def create_checklist(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[NewChecklist]
) -> Response[bytes]:
    """新建检查单 led by the caller's department, empty or as a copy of another (CHK-05, CHK-08)."""
    _require_scene(data)
    return await _change(parts, submission, lambda tx, editor: operations.create_checklist(tx, editor, data))


@put(
    "/checklists/{checklist_id:uuid}",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="editChecklist",
)
async def edit_checklist(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    checklist_id: FromPath[UUID],
    data: JSONBody[BasicFields],
) -> Response[bytes]:
    """修改基本信息, all of them at once; the code stays (CHK-05)."""
    _require_scene(data)
    return await _change(
        parts, submission, lambda tx, editor: operations.edit_checklist(tx, editor, checklist_id, data)
    )


@post(
    "/checklists/{checklist_id:uuid}/versions",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="beginChecklistDraft",
)
async def begin_draft(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], checklist_id: FromPath[UUID]
) -> Response[bytes]:
    """新建版本: a draft that begins with the rows of the current version (D11)."""
    return await _change(parts, submission, lambda tx, editor: operations.begin_draft(tx, editor, checklist_id))


@put(
    "/checklists/{checklist_id:uuid}/draft/items",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="replaceChecklistItems",
    request_max_body_size=_ITEMS_BYTES,
)
async def replace_items(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    checklist_id: FromPath[UUID],
    data: JSONBody[DraftItems],
) -> Response[bytes]:
    """检查内容 of the draft, whole and in order: what is not sent is gone (CHK-06)."""
    return await _change(
        parts, submission, lambda tx, editor: operations.replace_items(tx, editor, checklist_id, data.items)
    )


async def _read_file(parts: Parts, body: bytes) -> ItemReading:
    """The rows of the file. Raises `ChecklistFileUnreadable`, or `ChecklistRowsUnusable` when none is good."""
    async with parts.work.reading() as connection:
        words = department_words(await ALL_DEPARTMENTS.all(connection))
    # Before the transaction begins, which would hold the relay up for as long as a large file takes.
    reading = await asyncio.to_thread(read_items, body, words)
    if not reading.items:
        faults = msgspec.to_builtins(reading.faults)
        raise rules.ChecklistRowsUnusable("没有一行可以导入，草稿未作更改。", faults=faults)
    return reading


@post(
    "/checklists/{checklist_id:uuid}/draft/import",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="importChecklistItems",
    request_max_body_size=_FILE_BYTES,
)
async def import_items(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    checklist_id: FromPath[UUID],
) -> Response[bytes]:
    """导入检查内容. The body is an .xlsx or .csv file of at most 5 MB, as it is, with the headers of the export.

    Its good rows become the draft's whole content; each bad row is answered with line, column and reason.
    """
    reading = await _read_file(parts, await request.body())

    async def act(tx: Transaction, editor: Editor) -> Outcome[ItemImportAnswer]:
        outcome = await operations.replace_items(tx, editor, checklist_id, reading.items, reading.digest)
        answer = to_import_answer(outcome.answer, reading)
        return Outcome(answer=answer, events=outcome.events, location=outcome.location)

    return await _change(parts, submission, act)


@post(
    "/checklists/{checklist_id:uuid}/publish",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="publishChecklist",
)
async def publish_checklist(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], checklist_id: FromPath[UUID]
) -> Response[bytes]:
    """发布 the draft: it never changes again, and is the current version from now on (D11)."""
    return await _change(parts, submission, lambda tx, editor: operations.publish_checklist(tx, editor, checklist_id))


@post(
    "/checklists/{checklist_id:uuid}/state",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="setChecklistState",
)
async def set_checklist_state(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    checklist_id: FromPath[UUID],
    data: JSONBody[StateOrder],
) -> Response[bytes]:
    """启用 or 停用; a list that runs in an inspection goes on there."""
    return await _change(
        parts, submission, lambda tx, editor: operations.set_state(tx, editor, checklist_id, data.state)
    )


@delete(
    "/checklists/{checklist_id:uuid}",
    status_code=HTTP_201_CREATED,
    opt=permit(Role.DEPARTMENT_MANAGER),
    operation_id="deleteChecklist",
)
async def delete_checklist(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], checklist_id: FromPath[UUID]
) -> Response[bytes]:
    """删除; an enabled list is disabled first (CHK-04)."""
    return await _change(parts, submission, lambda tx, editor: operations.delete_checklist(tx, editor, checklist_id))


checklist_router = Router(
    "/",
    route_handlers=[
        list_checklists,
        read_checklist,
        list_changes,
        preview_checklist,
        export_checklist,
        create_checklist,
        edit_checklist,
        begin_draft,
        replace_items,
        import_items,
        publish_checklist,
        set_checklist_state,
        delete_checklist,
    ],
    tags=["checklist"],
)
