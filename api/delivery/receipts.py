"""回执: what providers tell later of what they took."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from api.register import INSTALLATION
from api.wiring import Parts
from domain.document.link.operations import note_delivery
from domain.shared.errors import DomainError
from domain.shared.events import Event
from domain.shared.sql import Command, Query
from domain.shared.transaction import Outcome, Transaction
from notifications import attempts
from notifications.attempts import KnownTry, ToldMessage
from notifications.deliver import state_after_receipt
from notifications.message import Channel, MessageState, Purpose
from notifications.outbox import MessageId
from notifications.outcome import Reason
from notifications.sms.port import ReceiptNote, ReceiptState

_AT_ONCE: Final = 1000
_PAPER: Final = "document_id"
_REFUSED: Final = "refused"
_KNOWN = Query(attempts.KNOWN_TRIES, KnownTry)
_LOCK = Query(attempts.LOCK_MESSAGES, MessageId)
_TOLD = Query(attempts.TOLD_MESSAGES, ToldMessage)
_KEEP = Command(attempts.KEEP_RECEIPT)
_TELL_MESSAGE = Command(attempts.TELL_MESSAGE)
_TELL_TRY = Command(attempts.TELL_TRY)
_logger = logging.getLogger(__name__)


class _Change(msgspec.Struct, frozen=True, kw_only=True):
    """A message whose state receipts change, and when and by which words they told it."""

    message: ToldMessage
    state: MessageState
    at: datetime
    provider_status: str


async def take_receipts(parts: Parts, notes: Sequence[ReceiptNote]) -> int:
    """Keep what providers tell, each once; gives how many were of ours. Unknown references are left aside.

    A receipt may come twice, late, before the answer to the call that it is about, or in the wrong order; one of a try
    that is still open settles it. A thousand are one transaction.
    """
    taken = 0
    for begin in range(0, len(notes), _AT_ONCE):
        page = notes[begin : begin + _AT_ONCE]
        taken += await parts.work.run(INSTALLATION, lambda tx, page=page: _take(tx, page))
    if taken < len(notes):
        _logger.warning("%d receipts of %d name no message of ours", len(notes) - taken, len(notes))
    return taken


async def _take(tx: Transaction, notes: Sequence[ReceiptNote]) -> Outcome[int]:
    pairs = await _known(tx, notes)
    if not pairs:
        return Outcome(answer=0)
    named = sorted({known.message_id for known, _ in pairs})
    await _LOCK.all(tx.connection, ids=named)
    messages = {each.id: each for each in await _TOLD.all(tx.connection, ids=named)}
    changes = _changes_of(pairs, messages)
    await _TELL_MESSAGE.run_many(tx.connection, [_columns(change, tx.now) for change in changes])
    await _TELL_TRY.run_many(
        tx.connection,
        [
            {
                "attempt_id": known.id,
                "now": tx.now,
                "reference": note.provider_reference,
                "was_carried": note.state is not ReceiptState.FAILED,
            }
            for known, note in sorted(pairs, key=lambda pair: pair[0].id)
        ],
    )
    await _KEEP.run_many(tx.connection, [_receipt(tx, known, note) for known, note in pairs])
    events: list[Event] = []
    for change in changes:
        events.extend(await _serve(tx, change))
    return Outcome(answer=len(pairs), events=tuple(events))


async def _known(tx: Transaction, notes: Sequence[ReceiptNote]) -> list[tuple[KnownTry, ReceiptNote]]:
    """Each note with the try that it is about: by our reference where it tells it, else by the provider's own."""
    by_reference = [
        (note.provider, note.provider_reference)
        for note in notes
        if note.attempt_id is None and note.provider_reference is not None
    ]
    tries = await _KNOWN.all(
        tx.connection,
        attempts=[note.attempt_id for note in notes if note.attempt_id is not None],
        providers=[provider for provider, _ in by_reference],
        references=[reference for _, reference in by_reference],
    )
    by_id = {each.id: each for each in tries}
    by_name = {(each.provider, each.provider_reference): each for each in tries}
    pairs: list[tuple[KnownTry, ReceiptNote]] = []
    for note in notes:
        if note.attempt_id is not None:
            known = by_id.get(note.attempt_id)
        else:
            known = by_name.get((note.provider, note.provider_reference))
        # Who may tell of one provider's messages may not tell of another's.
        if known is not None and known.provider == note.provider:
            pairs.append((known, note))
    return pairs


def _changes_of(pairs: Sequence[tuple[KnownTry, ReceiptNote]], messages: dict[UUID, ToldMessage]) -> list[_Change]:
    """What the receipts, one after another, make of the messages; those that change nothing are not in it."""
    states = {message_id: message.state for message_id, message in messages.items()}
    changes: dict[UUID, _Change] = {}
    for known, note in pairs:
        if known.state == _REFUSED and note.state is ReceiptState.FAILED:
            continue  # that it did not go was known, and why
        message = messages[known.message_id]
        after = state_after_receipt(states[message.id], note.state, of_newest=known.number == message.newest)
        if after is not states[message.id]:
            states[message.id] = after
            changes[message.id] = _Change(
                message=message, state=after, at=note.at, provider_status=note.provider_status[:200]
            )
    return [changes[message_id] for message_id in sorted(changes)]


def _columns(change: _Change, now: datetime) -> dict[str, Any]:
    is_failed = change.state is MessageState.FAILED
    reason = Reason.BOUNCED if change.message.channel is Channel.EMAIL else Reason.UNREACHABLE
    return {
        "message_id": change.message.id,
        "state_after": change.state,
        "now": now,
        "arrived_at": min(change.at, now) if change.state is MessageState.DELIVERED else None,
        "reason_after": reason if is_failed else None,
        "error_after": change.provider_status if is_failed else None,
    }


def _receipt(tx: Transaction, known: KnownTry, note: ReceiptNote) -> dict[str, Any]:
    return {
        "id": tx.new_id(),
        "attempt_id": known.id,
        "state": note.state,
        "provider_status": note.provider_status[:200],
        "at": note.at,
        "received_at": tx.now,
    }


async def _serve(tx: Transaction, change: _Change) -> Sequence[Event]:
    """A legal notice that arrived may serve its paper. A paper that cannot be served any more holds up no receipt."""
    named = change.message.parameters.get(_PAPER)
    is_notice = change.message.purpose is Purpose.LEGAL_NOTICE
    if change.state is not MessageState.DELIVERED or not is_notice or named is None:
        return ()
    try:
        async with tx.connection.transaction():
            return await note_delivery(
                tx,
                document_id=UUID(named),
                means=change.message.channel.value,
                message_id=change.message.id,
                delivered_at=min(change.at, tx.now),
            )
    except DomainError:
        _logger.exception("message %s arrived, but its paper was not served by it", change.message.id)
        return ()
