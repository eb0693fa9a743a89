"""Messages as an act writes them, for tests that are not about the act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from domain.shared.ids import new_id
from domain.shared.sql import Command, borrow
from notifications import outbox
from notifications.message import Channel, Message, Recipient
from tests.support.client import Api

_INSERT = Command(outbox.INSERT)


def position_in_doubt(department_id: UUID, **changes: Any) -> Message:
    """位置待核, a warning to the leads of a department."""
    fields: dict[str, Any] = {
        "template": "position_in_doubt",
        "channel": Channel.IN_APP,
        "recipient": Recipient.DEPARTMENT_LEADS,
        "recipient_id": department_id,
        "parameters": {"inspection_id": str(uuid4()), "flags": "outside"},
        "level": 3,
        **changes,
    }
    return Message(**fields)


def request_answered(enterprise_id: UUID, **changes: Any) -> Message:
    """诉求已答复, to an enterprise in the app."""
    fields: dict[str, Any] = {
        "template": "request_answered",
        "channel": Channel.IN_APP,
        "recipient": Recipient.ENTERPRISE,
        "recipient_id": enterprise_id,
        "parameters": {"request": str(uuid4())},
        **changes,
    }
    return Message(**fields)


def expired(enterprise_id: UUID, **changes: Any) -> Message:
    """证照到期提醒 by SMS."""
    fields: dict[str, Any] = {
        "template": "expired",
        "channel": Channel.SMS,
        "recipient": Recipient.ENTERPRISE,
        "recipient_id": enterprise_id,
        "parameters": {"name": "酒类经营许可证", "day": "2026年8月1日"},
        **changes,
    }
    return Message(**fields)


async def write(
    api: Api,
    messages: Sequence[Message],
    *,
    at: datetime | None = None,
    department_id: UUID | None = None,
    region: str | None = None,
    site_id: UUID | None = None,
) -> list[UUID]:
    """Write them, a millisecond's own ids each, as of `at` (now); gives their ids."""
    instant = at or api.clock.now
    written = [
        outbox.Written(
            id=new_id(instant, api.parts.random),
            trace_id=uuid4(),
            message=message,
            department_id=department_id,
            region=region,
            site_id=site_id,
        )
        for message in messages
    ]
    async with borrow(api.parts.pool) as connection:
        await _INSERT.run_many(connection, outbox.insert_arguments(written, instant))
    return [each.id for each in written]


async def change(api: Api, message_id: UUID, **columns: object) -> None:
    """Set columns of a stored message, as its delivery would."""
    settings = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, start=2))
    async with borrow(api.parts.pool) as connection:
        await connection.execute(f"UPDATE message SET {settings} WHERE id = $1", message_id, *columns.values())  # noqa: S608
