"""A message on its way: claimed, handed over while no transaction is open, and what came of it written down."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from api.delivery.claim import Claimed, claim
from api.delivery.senders import Senders
from api.paper_rendering import paper_key
from api.wiring import Parts
from api.work import DatabaseAway, InProgress, database_refusals
from domain.evidence.blobs import BlobMissing, BlobsAway
from domain.shared.sql import Command, Connection, borrow
from notifications import attempts, outbox
from notifications.deliver import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    back_off,
    blame_of,
    call_bound,
    state_after_refusal,
)
from notifications.mail.port import Attachment, OutgoingMail
from notifications.message import MessageState
from notifications.outcome import Accepted, Reason, Refused
from notifications.sms.port import OutgoingSms

_UNSUBSCRIBE = "unsubscribe"
_NOTED_AGAIN_AFTER = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)
"""Seconds between efforts to write down what a provider said: it is known here alone."""
_BROKEN_AGAIN = timedelta(minutes=5)
_NOTE_BROKEN = Command(outbox.NOTE_BROKEN)
_NOTE_ACCEPTED = Command(attempts.NOTE_ACCEPTED)
_NOTE_REFUSED = Command(attempts.NOTE_REFUSED)
_NOTE_NOT_ASKED = Command(attempts.SETTLE_REFUSED)
_NOTE_UNCERTAIN = Command(attempts.NOTE_UNCERTAIN)
_logger = logging.getLogger(__name__)


class _Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a call ended, after how long."""

    outcome: Accepted | Refused
    elapsed_ms: int


async def deliver(parts: Parts, senders: Senders, message_id: UUID) -> timedelta | None:
    """Send one waiting message; gives after how long its job is to come again, None when there is nothing more to do.

    The message is claimed in one short transaction and the outcome kept in another; between them no connection is
    held. A provider that certainly did not take it is followed by the next one at once. Where nobody knows, the try
    stays open for `settle_open`: only there, and named as `unknown`, a message may arrive twice.
    """
    tried: set[str] = set()
    while True:
        try:
            claimed = await claim(parts, senders, message_id, tried)
        except (DatabaseAway, InProgress):
            raise
        except Exception as defect:
            _logger.exception("message %s cannot be claimed", message_id)
            return await _put_aside(parts, message_id, defect)
        if claimed is None or isinstance(claimed, timedelta):
            return claimed
        ended = await _hand_over(parts, senders, claimed)
        state = await _note(parts, senders, claimed, ended)
        if state is not MessageState.WAITING:
            return None
        tried.add(claimed.provider)
        if not set(senders.names(claimed.message.channel)) - tried:
            return back_off(claimed.message.attempts + 1, parts.random(1)[0] / 255)


async def _put_aside(parts: Parts, message_id: UUID, defect: Exception) -> timedelta:
    """A message that breaks us costs a try, and stands in nobody's way."""
    async with database_refusals(), borrow(parts.pool) as connection:
        await _NOTE_BROKEN.run(connection, message_id=message_id, error=f"{type(defect).__name__}: defect")
    return _BROKEN_AGAIN


async def _hand_over(parts: Parts, senders: Senders, claimed: Claimed) -> _Ended:
    """Call the provider at its turn, with a bound that ends before the lease does."""
    begun = time.perf_counter()
    bound = call_bound(claimed.message.channel).total_seconds()
    try:
        wait = (claimed.at - claimed.claimed_at).total_seconds()
        if wait > 0:
            await asyncio.sleep(wait)
            begun = time.perf_counter()
        async with asyncio.timeout(bound):
            outcome: Accepted | Refused = await _call(parts, senders, claimed)
    except Refused as refused:
        outcome = refused
    except TimeoutError:
        outcome = Refused(Reason.NO_ANSWER, f"no answer within {bound:.0f} s")
    except Exception as broken:  # a driver raises nothing else: what it does is a defect, and nobody knows what it did
        _logger.exception("attempt %s by %s broke", claimed.attempt_id, claimed.provider)
        outcome = Refused(Reason.MALFORMED_ANSWER, type(broken).__name__)
    return _Ended(outcome=outcome, elapsed_ms=round((time.perf_counter() - begun) * 1000))


async def _call(parts: Parts, senders: Senders, claimed: Claimed) -> Accepted:
    if senders.console is not None and senders.is_console(claimed.provider):
        await senders.console.write(claimed.message, claimed.letter.text)
        return Accepted()
    if claimed.address is None:
        raise Refused(Reason.NO_ADDRESS)
    provider = senders.provider(claimed.provider)
    if provider is not None:
        return await provider.send(
            OutgoingSms(
                reference=claimed.attempt_id,
                number=claimed.address.text,
                text=claimed.letter.text,
                template=claimed.message.template,
                template_version=claimed.message.template_version,
                values=claimed.letter.values,
            )
        )
    if senders.mail is None or claimed.letter.mail is None:
        raise Refused(Reason.PROVIDER_AWAY, "not set up")
    return await senders.mail.send(
        OutgoingMail(
            reference=claimed.attempt_id,
            address=claimed.address.text,
            subject=claimed.letter.mail.subject,
            text=claimed.letter.mail.text,
            html=claimed.letter.mail.html,
            attachments=await _paper(parts, claimed),
            unsubscribe=claimed.letter.values.get(_UNSUBSCRIBE),
        )
    )


async def _paper(parts: Parts, claimed: Claimed) -> tuple[Attachment, ...]:
    """The PDF. Without it a notice does not go: it is tried again, and the mail's server is not to blame."""
    if claimed.letter.paper is None:
        return ()
    try:
        content = await parts.blobs.get(paper_key(claimed.letter.paper))
    except (BlobMissing, BlobsAway) as away:
        raise Refused(Reason.PAPER_AWAY, "the paper cannot be read now") from away
    sequence = claimed.letter.values.get("sequence")
    return (
        Attachment(
            name=f"文书{sequence}号.pdf" if sequence else "文书.pdf", media_type="application/pdf", content=content
        ),
    )


async def _note(parts: Parts, senders: Senders, claimed: Claimed, ended: _Ended) -> MessageState:
    """Write down how the try ended, through a short absence of the database; gives where the message stands.

    It may come after `settle_open` was at it: what the provider said is true all the same, and is kept.
    """
    for pause in _NOTED_AGAIN_AFTER:
        try:
            return await _note_once(parts, senders, claimed, ended)
        except (DatabaseAway, InProgress):
            await asyncio.sleep(pause)
    return await _note_once(parts, senders, claimed, ended)


async def _note_once(parts: Parts, senders: Senders, claimed: Claimed, ended: _Ended) -> MessageState:
    now = parts.clock()
    told = {
        "message_id": claimed.message.id,
        "attempt_id": claimed.attempt_id,
        "now": now,
        "elapsed": ended.elapsed_ms,
    }
    async with database_refusals(), borrow(parts.pool) as connection:
        if isinstance(ended.outcome, Refused):
            return await _note_refused(connection, claimed, ended.outcome, told, now)
        # What stands in a file has arrived: nothing will ever be told of it.
        state = MessageState.DELIVERED if senders.is_console(claimed.provider) else MessageState.SENT
        reference = ended.outcome.provider_reference
        await _NOTE_ACCEPTED.run(connection, **told, provider=claimed.provider, state_after=state, reference=reference)
        return state


async def _note_refused(
    connection: Connection, claimed: Claimed, refused: Refused, told: Mapping[str, Any], now: datetime
) -> MessageState:
    state = state_after_refusal(refused.reason, claimed.message.attempts + 1)
    why = {"reason": refused.reason, "error": str(refused)[:500]}
    if refused.reason is Reason.PAPER_AWAY:  # the provider was not asked: its row tells nothing of this
        await _NOTE_NOT_ASKED.run(connection, **told, **why, state_after=state)
        return state
    blame = blame_of(refused)
    of_provider = {
        "provider": claimed.provider,
        "steps": blame.steps,
        "slot_at": now + blame.pause,
        "first_pause": FIRST_PAUSE,
        "longest_pause": LONGEST_PAUSE,
    }
    if not refused.reason.is_certain:
        await _NOTE_UNCERTAIN.run(connection, **told, **why, **of_provider, lease_until=now)
        return MessageState.SENDING
    await _NOTE_REFUSED.run(connection, **told, **why, **of_provider, state_after=state)
    return state
