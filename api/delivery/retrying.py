"""死信重发: what was given up is put back, page by page, each message with its trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from api.message_events import MessagePutBack, RetryFacts
from api.register import INSTALLATION
from api.wiring import Parts
from domain.shared.sql import Command, Query
from domain.shared.transaction import Outcome, Transaction
from notifications import outbox
from notifications.outbox import GivenUp
from notifications.outcome import Reason

_AT_ONCE: Final = 200
_FIRST: Final = UUID(int=0)
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOCK = Query(outbox.LOCK_GIVEN_UP, GivenUp)
_LIST = Query(outbox.LIST_GIVEN_UP, GivenUp)
_PUT_BACK = Command(outbox.PUT_BACK)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the messages that were given up; nothing said: all."""

    message_id: UUID | None = None
    template: str | None = None
    reason: Reason | None = None
    since: datetime | None = None

    def arguments(self, after_id: UUID, limit: int) -> dict[str, object]:
        """For the statements on what was given up."""
        return {
            "of_message": self.message_id,
            "of_template": self.template,
            "of_reason": self.reason,
            "since": self.since or _EVER,
            "after_id": after_id,
            "limit": limit,
        }


async def list_given_up(parts: Parts, wanted: Wanted, limit: int) -> list[GivenUp]:
    """The oldest of what was given up."""
    async with parts.work.reading() as connection:
        return await _LIST.all(connection, **wanted.arguments(_FIRST, limit))


async def retry_given_up(parts: Parts, wanted: Wanted, told: Callable[[int], None]) -> int:
    """Put back what was given up and is `wanted`; `told` hears after each page how many that were. Gives how many.

    They get their jobs within seconds, from the round that looks for what waits without one. What somebody else has in
    hand is passed over; broken off, the rest is as it was.
    """
    after_id, count = _FIRST, 0
    while True:
        page = await parts.work.run(INSTALLATION, lambda tx, after_id=after_id: _put_back(tx, wanted, after_id))
        count += len(page)
        if page:
            told(count)
        if len(page) < _AT_ONCE:
            return count
        after_id = page[-1].id


async def _put_back(tx: Transaction, wanted: Wanted, after_id: UUID) -> Outcome[list[GivenUp]]:
    page = await lock_given_up(tx, wanted, _AT_ONCE, after_id)
    return Outcome(answer=page, events=await put_back(tx, page))


async def lock_given_up(tx: Transaction, wanted: Wanted, limit: int, after_id: UUID = _FIRST) -> list[GivenUp]:
    """At most `limit` of what was given up, the oldest first; what somebody else has in hand is passed over."""
    return await _LOCK.all(tx.connection, **wanted.arguments(after_id, limit))


async def put_back(tx: Transaction, found: Sequence[GivenUp]) -> tuple[MessagePutBack, ...]:
    """Let messages that are locked wait again; gives what happened."""
    if found:
        await _PUT_BACK.run(tx.connection, ids=[each.id for each in found], now=tx.now)
    return tuple(_event(each) for each in found)


def _event(message: GivenUp) -> MessagePutBack:
    return MessagePutBack(
        subject_id=message.id,
        department_id=message.department_id,
        region=message.region,
        before=RetryFacts(
            template=message.template, channel=message.channel, state=message.state, reason=message.reason
        ),
    )
