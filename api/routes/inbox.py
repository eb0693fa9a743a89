"""站内消息 and 待办 of whoever is signed in (UTL-03): lists, counts, 已读, 办结."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api import inbox
from api.auth import for_viewers, permit, principal_of
from api.inbox import Reader
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.inbox import InboxCounts, InboxPage, ReadingOrder, to_counts, to_inbox_line
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.identity.model import Role
from domain.shared.sql import Connection
from notifications.inbox import InboxMessage, ToDoState
from notifications.message import Purpose


async def _page(connection: Connection, rows: list[InboxMessage], limit: int) -> InboxPage:
    shown, more = cut(rows, limit, lambda row: row.id)
    texts = await inbox.texts_of(connection, shown)
    return InboxPage(items=[to_inbox_line(*each) for each in zip(shown, texts, strict=True)], next_cursor=more)


async def _reader(request: Request[Any, Any, Any], parts: Parts, connection: Connection) -> Reader:
    return await inbox.reader_of(connection, principal_of(request), parts.clock())


@get("/messages", opt=permit(*Role), operation_id="listMessages")
async def list_messages(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    unread: Annotated[bool, QueryParameter(description="Only what has not been read")] = False,
    purpose: Annotated[Purpose | None, QueryParameter(description="Only messages for this")] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> InboxPage:
    """站内消息 of the caller, the newest first."""
    before_id = read_cursor(cursor, LAST_ID)
    async with parts.work.reading() as connection:
        reader = await _reader(request, parts, connection)
        rows = await inbox.read_page(
            connection, reader, before_id=before_id, limit=limit + 1, unread=unread, purpose=purpose
        )
        return await _page(connection, rows, limit)


@get("/messages/counts", opt=permit(*Role), operation_id="countMessages")
async def count_messages(request: Request[Any, Any, Any], parts: NamedDependency[Parts]) -> InboxCounts:
    """未读 and open 待办 of the caller: what a screen asks for when it comes to the front."""
    async with parts.work.reading() as connection:
        reader = await _reader(request, parts, connection)
        return to_counts(await inbox.count(connection, reader))


@get("/to-dos", opt=permit(*Role), operation_id="listToDos")
async def list_to_dos(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[
        ToDoState, QueryParameter(name="state", description="Open ones, or those that are closed")
    ] = ToDoState.OPEN,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> InboxPage:
    """待办 of the caller, the newest first."""
    before_id = read_cursor(cursor, LAST_ID)
    async with parts.work.reading() as connection:
        reader = await _reader(request, parts, connection)
        rows = await inbox.read_page(connection, reader, before_id=before_id, limit=limit + 1, to_dos=status)
        return await _page(connection, rows, limit)


@post(
    "/messages/{message_id:uuid}/reading",
    status_code=HTTP_201_CREATED,
    opt=permit(*Role) | for_viewers(),
    operation_id="markMessageRead",
)
async def mark_read(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], message_id: FromPath[UUID]
) -> Response[bytes]:
    """已读."""
    answer = await parts.work.submit(submission, lambda tx: inbox.mark_read(tx, submission.principal, message_id))
    return respond(answer)


@post(
    "/messages/readings",
    status_code=HTTP_201_CREATED,
    opt=permit(*Role) | for_viewers(),
    operation_id="markMessagesRead",
)
async def mark_all_read(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[ReadingOrder]
) -> Response[bytes]:
    """全部已读 up to the newest that was shown; what came since stays unread."""
    answer = await parts.work.submit(submission, lambda tx: inbox.mark_all_read(tx, submission.principal, data.up_to))
    return respond(answer)


@post(
    "/to-dos/{message_id:uuid}/closing",
    status_code=HTTP_201_CREATED,
    opt=permit(*Role),
    operation_id="closeToDo",
)
async def close_to_do(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], message_id: FromPath[UUID]
) -> Response[bytes]:
    """待办办结 by hand, where nothing else would close it."""
    answer = await parts.work.submit(submission, lambda tx: inbox.close_to_do(tx, submission.principal, message_id))
    return respond(answer)


inbox_router = Router(
    "/",
    route_handlers=[list_messages, count_messages, list_to_dos, mark_read, mark_all_read, close_to_do],
    tags=["messages"],
)
