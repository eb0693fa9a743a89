"""Orders whose messages are about to go: their short links, and their receipts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from api.paper_messages import known_of
from api.register import INSTALLATION
from domain.document.link.operations import note_delivery
from domain.shared.sql import Query, borrow
from domain.shared.transaction import Outcome, Transaction
from notifications import outbox
from notifications.outbox import StoredMessage
from tests.support.client import Api, accepted
from tests.support.factories import World
from tests.support.problems import ordered
from tests.support.visits import rows

BY_PHONE = {"means": ["sms", "email"], "phone": "138 7710 0001", "email": "wei@laoyou.example"}
_MESSAGE = Query(outbox.MESSAGE_BY_ID, StoredMessage)


async def consent(api: Api, world: World, **changes: Any) -> None:
    """The enterprise agrees to electronic service."""
    path = f"/api/v1/enterprises/{world.enterprise.id}/service-consents"
    accepted(await api.as_(world.enterprise_user).post(path, {**BY_PHONE, **changes}))


async def messages_of(api: Api, template: str) -> list[dict[str, Any]]:
    """The messages written by `template`."""
    return [row for row in await rows(api, "message") if row["template"] == template]


async def about_to_go(api: Api, message_id: UUID) -> dict[str, str] | None:
    """What a message says beside its own values, as the worker that takes it finds out."""
    async with borrow(api.parts.pool) as connection, connection.transaction():
        known = await known_of(api.parts, connection, await _MESSAGE.one(connection, id=message_id))
    return None if known is None else dict(known)


async def path_in(api: Api, message_id: UUID) -> str:
    """Where the message's short link leads, without the host."""
    known = await about_to_go(api, message_id)
    assert known is not None
    return known["link"].removeprefix("http://yima.test")


async def notified(api: Api, world: World) -> tuple[dict[str, Any], dict[str, Any], str]:
    """An order under consent: the order, its SMS, and where the link in it leads."""
    await consent(api, world)
    _, order = await ordered(api, world)
    (message,) = [row for row in await messages_of(api, "order_issued") if row["channel"] == "sms"]
    return order, message, await path_in(api, message["id"])


async def arrived(api: Api, message: dict[str, Any], at: datetime, *, means: str = "sms") -> int:
    """The provider tells that the message has arrived; gives how many events that was."""

    async def note(tx: Transaction) -> Outcome[int]:
        events = await note_delivery(
            tx,
            document_id=UUID(message["parameters"]["document_id"]),
            means=means,
            message_id=message["id"],
            delivered_at=at,
        )
        return Outcome(answer=len(events), events=tuple(events))

    return await api.parts.work.run(INSTALLATION, note)


async def traced(api: Api, action: str) -> list[dict[str, Any]]:
    """The trace of that action."""
    return [row for row in await rows(api, "trace") if row["action"] == action]
