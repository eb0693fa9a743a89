"""经营手册 at the desk: list, elements, versions and their comparison, publishing and disabling (MAN-01 to MAN-09)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

from litestar import MediaType, Request, Response, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.attachment_files import answer_attachment
from api.auth import STAFF, permit, principal_of
from api.pages.manual import render_manual
from api.public_reader import HEADERS, HTML
from api.schemas.cursor import CursorText, PageLimit, cut, read_cursor
from api.schemas.manual import (
    FIRST_MANUAL,
    DisableOrder,
    DraftElements,
    ManualDetail,
    ManualFileOrder,
    ManualPage,
    ManualStart,
    to_detail,
    to_draft_view,
    to_public_line,
    to_summary,
)
from api.submissions import respond
from api.view_counts import ViewCounts
from api.wiring import Parts
from api.work import Submission
from domain.evidence.attachments import attach, detach
from domain.evidence.model import Shown
from domain.identity.model import Principal, Role
from domain.manual import operations, rules, store
from domain.manual.comparing import compare_versions
from domain.manual.model import (
    Author,
    ManualCard,
    ManualComparison,
    ManualFields,
    ManualState,
    ManualVersion,
    ManualVersionAnswer,
    NewManual,
)
from domain.shared.errors import NotFound
from domain.shared.sql import Connection
from domain.shared.transaction import Outcome, Transaction

DESK = (Role.LEAD, Role.DEPARTMENT_MANAGER)
"""Who makes manuals, each for their own department."""
_ELEMENTS_BYTES = 2 * 1024 * 1024
A = TypeVar("A")

_Version = Annotated[
    int | None, QueryParameter(ge=1, le=32767, description="The number of the version; the current one unless given")
]


# ---- reading


@get("/manuals", opt=permit(*STAFF), operation_id="listManuals")
async def list_manuals(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[ManualState | None, QueryParameter(name="state", description="编制中, 已发布 or 已停用")] = None,
    name: Annotated[str | None, QueryParameter(description="A part of 手册名称", max_length=100)] = None,
    business_type: Annotated[str | None, QueryParameter(description="所属业态", max_length=60)] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> ManualPage:
    """经营手册 that the caller may see, by 排序值 (MAN-02, MAN-07). Drafts are their department's alone."""
    principal = principal_of(request)
    start = read_cursor(cursor, FIRST_MANUAL)
    async with parts.work.reading() as connection:
        cards = await store.LIST_MANUALS.all(
            connection,
            region=principal.region,
            department_id=principal.department_id,
            state=status,
            name=name,
            business_type=business_type,
            after_place=start.place,
            after_id=start.id,
            limit=limit + 1,
        )
    shown, more = cut(cards, limit, lambda card: ManualStart(card.place, card.id))
    return ManualPage(items=[to_summary(card) for card in shown], next_cursor=more)


async def _readable(
    connection: Connection, principal: Principal, manual_id: UUID
) -> tuple[ManualCard, list[ManualVersion]]:
    """The manual with every version; the draft only for the department that makes it. Raises `NotFound`."""
    card = await store.MANUAL_BY_ID.first(connection, manual_id=manual_id)
    found = rules.require_readable(card, principal.department_id, principal.region)
    versions = await store.VERSIONS_OF_MANUAL.all(connection, manual_id=manual_id)
    if rules.is_maker(found, principal.department_id):
        return found, versions
    return found, [version for version in versions if version.published_at is not None]


def _numbered(versions: list[ManualVersion], number: int, field: str) -> ManualVersion:
    found = next((version for version in versions if version.number == number), None)
    if found is None:
        raise NotFound("没有该版本。", field=field)
    return found


def _chosen(card: ManualCard, versions: list[ManualVersion], number: int | None) -> ManualVersion:
    """The version of that number, else the current one, else the draft. Raises `NotFound` for an unknown number."""
    if number is not None:
        return _numbered(versions, number, "version")
    return next((version for version in versions if version.id == card.current_version_id), versions[0])


@get("/manuals/{manual_id:uuid}", opt=permit(*STAFF), operation_id="readManual")
async def read_manual(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    manual_id: FromPath[UUID],
    version: _Version = None,
) -> ManualDetail:
    """经营手册 with its versions and the elements of one (MAN-05); inspectors read it at the door, too."""
    principal = principal_of(request)
    async with parts.work.reading() as connection:
        card, versions = await _readable(connection, principal, manual_id)
        shown = _chosen(card, versions, version)
        chapters = await operations.read_chapters(connection, shown.id)
    counts: ViewCounts = request.app.state.view_counts
    counts.count(manual_id, principal)
    return to_detail(card, versions, shown, chapters)


@get("/manuals/{manual_id:uuid}/comparison", opt=permit(*STAFF), operation_id="compareManualVersions")
async def compare(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    manual_id: FromPath[UUID],
    before: Annotated[int, QueryParameter(ge=1, le=32767, description="The number of the older version")],
    after: Annotated[int, QueryParameter(ge=1, le=32767, description="The number of the newer version")],
) -> ManualComparison:
    """版本比较 (MAN-05): what was added, taken away and changed, word by word."""
    async with parts.work.reading() as connection:
        _, versions = await _readable(connection, principal_of(request), manual_id)
        old, new = _numbered(versions, before, "before"), _numbered(versions, after, "after")
        former = await store.ELEMENTS_OF_VERSION.all(connection, version_id=old.id)
        latter = await store.ELEMENTS_OF_VERSION.all(connection, version_id=new.id)
    return await asyncio.to_thread(compare_versions, former, latter)


@get(
    "/manuals/{manual_id:uuid}/preview",
    opt=permit(*DESK),
    operation_id="previewManual",
    media_type=MediaType.HTML,
)
async def preview_manual(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    manual_id: FromPath[UUID],
    version: _Version = None,
) -> Response[Any]:
    """预览 (MAN-08): the page that citizens will read, also of a draft, with directory and switch of 业态."""
    async with parts.work.reading() as connection:
        card, versions = await _readable(connection, principal_of(request), manual_id)
        shown = _chosen(card, versions, version)
        chapters = await operations.read_chapters(connection, shown.id)
        others = await store.LIST_PUBLISHED.all(
            connection,
            business_type=None,
            region=None,
            after_place=FIRST_MANUAL.place,
            after_id=FIRST_MANUAL.id,
            limit=100,
        )
    is_public = card.state is ManualState.PUBLISHED and shown.id == card.current_version_id
    draft = None if is_public else f"预览：第{shown.number}版未在发布状态"
    page = render_manual(to_draft_view(card, shown, chapters), [to_public_line(each) for each in others], draft=draft)
    return Response(page, headers={**HEADERS[HTML], "Cache-Control": "private, no-store"}, media_type=HTML)


@get("/manuals/{manual_id:uuid}/file", opt=permit(*STAFF), operation_id="readManualFile")
async def read_file(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    manual_id: FromPath[UUID],
    version: _Version = None,
) -> Response[Any]:
    """手册附件 of a version, as it was handed in; of a picture a copy without metadata (X14)."""
    async with parts.work.reading() as connection:
        card, versions = await _readable(connection, principal_of(request), manual_id)
    shown = _chosen(card, versions, version)
    if shown.file_digest is None:
        raise NotFound("该版本没有附件。")
    response = await answer_attachment(request, parts, shown.id, shown.file_digest.hex(), Shown.LARGE)
    response.headers["Cache-Control"] = "no-cache"  # another version has another file
    return response


# ---- writing


async def _change(
    parts: Parts, submission: Submission, act: Callable[[Transaction, Author], Awaitable[Outcome[A]]]
) -> Response[bytes]:
    author = rules.author_of(submission.principal)
    return respond(await parts.work.submit(submission, lambda tx: act(tx, author)))


@post("/manuals", status_code=HTTP_201_CREATED, opt=permit(*DESK), operation_id="createManual")
async def create_manual(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[NewManual]
) -> Response[bytes]:
    """新建手册 of the caller's department for one 业态 (MAN-03)."""
    return await _change(parts, submission, lambda tx, author: operations.create_manual(tx, author, data))


@put("/manuals/{manual_id:uuid}", status_code=HTTP_201_CREATED, opt=permit(*DESK), operation_id="editManual")
async def edit_manual(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    manual_id: FromPath[UUID],
    data: JSONBody[ManualFields],
) -> Response[bytes]:
    """修改基本信息, all of them at once (MAN-04)."""
    return await _change(parts, submission, lambda tx, author: operations.edit_manual(tx, author, manual_id, data))


@post(
    "/manuals/{manual_id:uuid}/versions",
    status_code=HTTP_201_CREATED,
    opt=permit(*DESK),
    operation_id="beginManualDraft",
)
async def begin_draft(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], manual_id: FromPath[UUID]
) -> Response[bytes]:
    """新建版本: a draft that begins with the elements of the latest one (D11)."""
    return await _change(parts, submission, lambda tx, author: operations.begin_draft(tx, author, manual_id))


@put(
    "/manuals/{manual_id:uuid}/draft/elements",
    status_code=HTTP_201_CREATED,
    opt=permit(*DESK),
    operation_id="replaceManualElements",
    request_max_body_size=_ELEMENTS_BYTES,
)
async def replace_elements(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    manual_id: FromPath[UUID],
    data: JSONBody[DraftElements],
) -> Response[bytes]:
    """要素 of the draft, whole and in order: what is not sent is gone (MAN-03)."""
    return await _change(
        parts, submission, lambda tx, author: operations.replace_elements(tx, author, manual_id, data.chapters)
    )


@put(
    "/manuals/{manual_id:uuid}/draft/file",
    status_code=HTTP_201_CREATED,
    opt=permit(*DESK),
    operation_id="setManualFile",
)
async def set_file(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    manual_id: FromPath[UUID],
    data: JSONBody[ManualFileOrder],
) -> Response[bytes]:
    """手册附件 of the draft (X14): a file that the caller handed in as an attachment, or none."""
    digest = None if data.digest is None else bytes.fromhex(data.digest)

    async def act(tx: Transaction, author: Author) -> Outcome[ManualVersionAnswer]:
        former = await store.LATEST_VERSION.first(tx.connection, manual_id=manual_id)
        outcome = await operations.set_file(tx, author, manual_id, digest)
        folder = outcome.answer.version_id
        if former is not None and former.file_digest is not None and former.file_digest != digest:
            await detach(tx, folder, [former.file_digest])
        if digest is not None:
            uploader = submission.principal.account_id
            await attach(tx, uploader_id=uploader, folder_id=folder, digests=[digest], field="digest", most=1)
        return outcome

    return await _change(parts, submission, act)


@post(
    "/manuals/{manual_id:uuid}/publish",
    status_code=HTTP_201_CREATED,
    opt=permit(*DESK),
    operation_id="publishManual",
)
async def publish_manual(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], manual_id: FromPath[UUID]
) -> Response[bytes]:
    """发布 the draft, or put a disabled manual into force again (MAN-06)."""
    return await _change(parts, submission, lambda tx, author: operations.publish_manual(tx, author, manual_id))


@post(
    "/manuals/{manual_id:uuid}/disabling",
    status_code=HTTP_201_CREATED,
    opt=permit(*DESK),
    operation_id="disableManual",
)
async def disable_manual(
    parts: NamedDependency[Parts],
    submission: NamedDependency[Submission],
    manual_id: FromPath[UUID],
    data: JSONBody[DisableOrder],
) -> Response[bytes]:
    """停用 (撤回): nobody but staff reads it from now on (MAN-06)."""
    return await _change(
        parts, submission, lambda tx, author: operations.disable_manual(tx, author, manual_id, data.reason)
    )


manual_router = Router(
    "/",
    route_handlers=[
        list_manuals,
        read_manual,
        compare,
        preview_manual,
        read_file,
        create_manual,
        edit_manual,
        begin_draft,
        replace_elements,
        set_file,
        publish_manual,
        disable_manual,
    ],
    tags=["manual"],
)
