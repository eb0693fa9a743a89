"""消息台: what was sent to whom and how that went, figures, 死信重发, and how the providers do."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api import message_desk
from api.auth import permit, principal_of
from api.schemas.cursor import LAST_ID, CursorText, PageLimit, cut, read_cursor
from api.schemas.message_desk import (
    MessageLogDetail,
    MessageLogPage,
    MessageStatistics,
    ProviderList,
    RetryOrder,
    to_log_detail,
    to_log_line,
    to_provider_line,
    to_statistics,
)
from api.submissions import respond
from api.wiring import Parts
from api.work import Submission
from domain.identity.model import Role
from domain.shared.clock import local_date
from notifications.message import Channel, MessageState, Purpose
from notifications.outcome import Reason

_DESK = (Role.DEPARTMENT_MANAGER, Role.LEAD, Role.ADMINISTRATOR)

FirstDay = Annotated[date | None, QueryParameter(name="from", description="First day, Asia/Shanghai")]
LastDay = Annotated[date | None, QueryParameter(name="to", description="Last day; today unless given")]
Word = Annotated[str | None, QueryParameter(max_length=64)]


@get("/message-log", opt=permit(*_DESK), operation_id="listMessageLog")
async def list_message_log(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    status: Annotated[MessageState | None, QueryParameter(name="state")] = None,
    channel: FromQuery[Channel | None] = None,
    template: Word = None,
    purpose: FromQuery[Purpose | None] = None,
    reason: FromQuery[Reason | None] = None,
    provider: Word = None,
    from_day: FirstDay = None,
    to_day: LastDay = None,
    subject_id: Annotated[UUID | None, QueryParameter(description="Of this thing, from whatever day")] = None,
    cursor: CursorText = None,
    limit: PageLimit = 20,
) -> MessageLogPage:
    """Messages of the caller's scope, the newest first: of the last 31 days unless days are given (366 at most)."""
    before_id = read_cursor(cursor, LAST_ID)
    filters = {
        "state": status,
        "channel": channel,
        "template": template,
        "purpose": purpose,
        "reason": reason,
        "provider": provider,
    }
    principal = principal_of(request)
    period = message_desk.period_of(from_day, to_day, local_date(parts.clock()))
    page: dict[str, Any] = {"before_id": before_id, "limit": limit + 1, "filters": filters}
    async with parts.work.reading() as connection:
        if subject_id is None:
            rows = await message_desk.list_page(connection, principal, period, **page)
        else:
            rows = await message_desk.list_about(connection, principal, subject_id, **page)
    shown, more = cut(rows, limit, lambda row: row.id)
    return MessageLogPage(items=[to_log_line(row) for row in shown], next_cursor=more)


@get("/message-log/statistics", opt=permit(*_DESK), operation_id="readMessageStatistics")
async def read_statistics(
    request: Request[Any, Any, Any],
    parts: NamedDependency[Parts],
    from_day: FirstDay = None,
    to_day: LastDay = None,
) -> MessageStatistics:
    """Figures of at most 31 days of the caller's scope, with the segments that SMS cost."""
    period = message_desk.period_of(
        from_day, to_day, local_date(parts.clock()), most_days=message_desk.MOST_DAYS_TALLIED
    )
    async with parts.work.reading() as connection:
        tallies = await message_desk.tally(connection, principal_of(request), period)
    return to_statistics(period, tallies)


@get("/message-log/{message_id:uuid}", opt=permit(*_DESK), operation_id="readMessageLogEntry")
async def read_message_log_entry(
    request: Request[Any, Any, Any], parts: NamedDependency[Parts], message_id: FromPath[UUID]
) -> MessageLogDetail:
    """One message with each try and each receipt."""
    async with parts.work.reading() as connection:
        return to_log_detail(await message_desk.open_file(connection, principal_of(request), message_id))


@post("/message-log/retries", status_code=HTTP_201_CREATED, opt=permit(*_DESK), operation_id="retryMessages")
async def retry_messages(
    parts: NamedDependency[Parts], submission: NamedDependency[Submission], data: JSONBody[RetryOrder]
) -> Response[bytes]:
    """死信重发: messages that were given up wait again."""
    answer = await parts.work.submit(submission, lambda tx: message_desk.put_back(tx, submission.principal, data.ids))
    return respond(answer)


@get("/message-providers", opt=permit(Role.LEAD, Role.ADMINISTRATOR), operation_id="listMessageProviders")
async def list_providers(parts: NamedDependency[Parts]) -> ProviderList:
    """服务商: which take messages, which are paused and why."""
    async with parts.work.reading() as connection:
        found = await message_desk.PROVIDERS.all(connection)
    return ProviderList(items=[to_provider_line(each, parts.clock()) for each in found])


message_desk_router = Router(
    "/",
    route_handlers=[
        list_message_log,
        read_statistics,
        read_message_log_entry,
        retry_messages,
        list_providers,
    ],
    tags=["messages"],
)
