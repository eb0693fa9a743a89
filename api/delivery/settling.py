"""Tries of which nobody has said how they ended: after a crash, or an answer that never came."""

from __future__ import annotations

import logging
from datetime import datetime

from api.delivery.addresses import open_address
from api.delivery.senders import Senders
from api.wiring import Parts
from api.work import DatabaseAway, InProgress, database_refusals
from domain.shared.clock import local_date
from domain.shared.sql import Command, Query, borrow
from notifications import attempts, outbox
from notifications.attempts import OpenTry
from notifications.deliver import state_after_refusal
from notifications.message import MessageState
from notifications.outbox import StoredMessage
from notifications.outcome import Reason, Refused
from notifications.sms.port import Found

_AT_ONCE = 100
_OPEN = Query(attempts.OPEN_TRIES, OpenTry)
_MESSAGE = Query(outbox.MESSAGE_BY_ID, StoredMessage)
_ACCEPTED = Command(attempts.SETTLE_ACCEPTED)
_REFUSED = Command(attempts.SETTLE_REFUSED)
_UNKNOWN = Command(attempts.SETTLE_UNKNOWN)
_WAIT = Command(attempts.WAIT_FOR_RECEIPT)
_logger = logging.getLogger(__name__)


async def settle_open(parts: Parts, senders: Senders) -> int:
    """Ask what became of each try whose lease is over; gives how many were settled.

    What the provider has counts as sent; what it does not have waits again. Where it cannot tell, a receipt may still
    come until `senders.settle_after`; then the try counts as unknown, and the message goes out again.
    """
    settled = 0
    while True:
        now = parts.clock()
        async with database_refusals(), borrow(parts.pool) as connection:
            tries = await _OPEN.all(connection, now=now, limit=_AT_ONCE)
        for each in tries:
            settled += await _settle(parts, senders, each, now)
        if len(tries) < _AT_ONCE:
            return settled


async def _settle(parts: Parts, senders: Senders, each: OpenTry, now: datetime) -> bool:
    found = await _ask(parts, senders, each)
    told = {"message_id": each.message_id, "attempt_id": each.id, "now": now, "elapsed": None}
    state = state_after_refusal(Reason.NO_ANSWER, each.attempts)
    async with database_refusals(), borrow(parts.pool) as connection:
        match found:
            case Found.TAKEN:
                arrived = senders.is_console(each.provider)
                state = MessageState.DELIVERED if arrived else MessageState.SENT
                await _ACCEPTED.run(connection, **told, state_after=state, reference=None)
            case Found.UNKNOWN_THERE:
                error = "not known to the provider"
                await _REFUSED.run(connection, **told, state_after=state, reason=Reason.NO_ANSWER, error=error)
            case Found.CANNOT_TELL if now < each.started_at + senders.settle_after:
                await _WAIT.run(connection, attempt_id=each.id, lease_until=each.started_at + senders.settle_after)
                return False
            case Found.CANNOT_TELL:
                _logger.warning("attempt %s by %s: unknown whether it was taken", each.id, each.provider)
                error = "no answer and no receipt"
                await _UNKNOWN.run(connection, **told, state_after=state, reason=Reason.NO_ANSWER, error=error)
    return True


async def _ask(parts: Parts, senders: Senders, each: OpenTry) -> Found:
    """Ask the provider, with no connection held meanwhile. Whatever breaks here: then nobody can tell."""
    try:
        return await _answer(parts, senders, each)
    except (DatabaseAway, InProgress):
        raise
    except Exception:
        _logger.exception("attempt %s by %s cannot be looked up", each.id, each.provider)
        return Found.CANNOT_TELL


async def _answer(parts: Parts, senders: Senders, each: OpenTry) -> Found:
    if senders.console is not None and senders.is_console(each.provider):
        return Found.TAKEN if await senders.console.holds(each.message_id) else Found.UNKNOWN_THERE
    provider = senders.provider(each.provider)
    if provider is None:
        return Found.CANNOT_TELL
    try:
        async with database_refusals(), borrow(parts.pool) as connection:
            address = await open_address(parts, connection, await _MESSAGE.one(connection, id=each.message_id))
    except Refused:
        return Found.CANNOT_TELL
    return await provider.find(each.id, address.text, local_date(each.started_at))
