"""One worker takes one waiting message: opened, composed, allowed and given a turn, in one short transaction."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from api.delivery.addresses import Address, open_address
from api.delivery.senders import Senders
from api.paper_messages import known_of
from api.wiring import Parts
from api.work import database_refusals
from domain.document.model import DocumentState
from domain.document.operations import find_document
from domain.shared.ids import new_id
from domain.shared.random import Random
from domain.shared.sql import Command, Connection, Query, borrow
from notifications import attempts, outbox
from notifications.deliver import AHEAD, back_off, come_again, is_outdated, lease
from notifications.message import NAMELESS, Channel, Purpose
from notifications.outbox import StoredMessage
from notifications.outcome import Reason, Refused
from notifications.policy import Decline, WaitUntil, decide
from notifications.sms.segments import measure
from notifications.templates import MailText, TemplateMismatch, TemplateUnknown, compose_mail, compose_sms, template_of

_NOTHING_SET_UP: Final = timedelta(minutes=10)
_PAPER: Final = "document_id"
_HIDDEN: Final = "***"
_PAPER_COMES: Final = timedelta(seconds=3)
_PAPER_AWAITED: Final = timedelta(minutes=10)
_OF_A_FILE: Final = timedelta(seconds=10)
"""How long a line of a file may take to be written."""
_LOCK_WAITING = Query(outbox.LOCK_WAITING, StoredMessage)
_GIVE_UP = Command(outbox.GIVE_UP)
_PUT_OFF = Command(outbox.PUT_OFF)
_MARK_ARRIVED = Command(outbox.MARK_ARRIVED)
_STANDING = Query(attempts.STANDING_OF_ADDRESS, attempts.StandingAddress)
_TAKE_SLOT = Query(attempts.TAKE_SLOT, attempts.Slot)
_READY_AT = Query(attempts.READY_AT, attempts.Ready)
_logger = logging.getLogger(__name__)


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says, and how an SMS of it is counted. `paper` is the digest of the PDF that goes along."""

    text: str
    mail: MailText | None = None
    encoding: str | None = None
    segments: int | None = None
    paper: bytes | None = None
    values: Mapping[str, str]

    def __repr__(self) -> str:
        """Its size alone: what it says must not come into a log."""
        return f"Letter({len(self.text)} characters)"


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the hands of this worker until `lease_until`, to be handed to `provider` at `at`."""

    attempt_id: UUID
    message: StoredMessage
    provider: str
    letter: Letter
    address: Address | None
    claimed_at: datetime
    at: datetime
    lease_until: datetime


class _Later(Exception):
    """Nothing is wrong with the message, but now is not the time."""

    def __init__(self, after: timedelta) -> None:
        self.after = after


async def claim(
    parts: Parts, senders: Senders, message_id: UUID, tried: AbstractSet[str]
) -> Claimed | timedelta | None:
    """Take the message for one of the providers that were not `tried` just now.

    None: there is nothing to do, or it was given up. A timedelta: the message waits, and its job comes again then.
    """
    async with database_refusals(), borrow(parts.pool) as connection, connection.transaction():
        message = await _LOCK_WAITING.first(connection, id=message_id)
        if message is None:
            return None
        now = parts.clock()
        if message.channel is Channel.IN_APP:
            await _MARK_ARRIVED.run(connection, message_id=message.id, now=now)
            return None
        if message.not_before is not None and message.not_before > now:
            return message.not_before - now
        try:
            return await _claim(parts, senders, connection, message, tried)
        except _Later as later:
            return later.after
        except Refused as refused:
            await _give_up(connection, message, refused)
            return None


async def _claim(
    parts: Parts, senders: Senders, connection: Connection, message: StoredMessage, tried: AbstractSet[str]
) -> Claimed:
    """Raises `_Later`, or `Refused` when it is not to be sent at all."""
    now = parts.clock()
    if is_outdated(message.purpose, message.created_at, message.not_before, now) or _is_untrue(message, now):
        raise Refused(Reason.OUTDATED)
    names = senders.names(message.channel)
    if not names:
        raise _Later(_NOTHING_SET_UP)
    known = await known_of(parts, connection, message)
    if known is None:
        raise Refused(Reason.OUTDATED)
    letter = await _compose(connection, message, {**message.parameters, **known}, now)
    is_file = all(senders.is_console(name) for name in names)
    address = await _address_for_file(parts, connection, message) if is_file else None
    if not is_file:
        address = await open_address(parts, connection, message)
        await _ask_policy(connection, message, address, now)
    left = [name for name in names if name not in tried]
    if not left:
        raise _Later(back_off(message.attempts, _chance(parts.random)))
    return await _take_turn(parts, senders, connection, message, letter, address, left)


def _is_untrue(message: StoredMessage, now: datetime) -> bool:
    """Whether what it says holds no longer, however often it was put back."""
    try:
        lasts = template_of(message.template, message.template_version).lasts_minutes
    except TemplateUnknown:  # told when its words are composed
        return False
    return lasts is not None and now > message.created_at + timedelta(minutes=lasts)


async def _compose(connection: Connection, message: StoredMessage, values: Mapping[str, str], now: datetime) -> Letter:
    try:
        template = template_of(message.template, message.template_version)
        if message.channel is Channel.EMAIL:
            mail = compose_mail(template, values)
            paper = await _paper_of(connection, message, now)
            return Letter(text=f"{mail.subject}\n\n{mail.text}", mail=mail, paper=paper, values=values)
        text = compose_sms(template, values)
    except (TemplateMismatch, TemplateUnknown) as broken:
        _logger.exception("message %s does not fit its template", message.id)
        raise Refused(Reason.TEMPLATE_MISMATCH, str(broken)) from broken
    counted = measure(text)
    return Letter(text=text, encoding=counted.encoding, segments=counted.segments, values=values)


async def _paper_of(connection: Connection, message: StoredMessage, now: datetime) -> bytes | None:
    """The PDF that a legal notice by mail brings along. It is made after the act, so the mail waits for it a while."""
    named = message.parameters.get(_PAPER)
    if named is None or message.purpose is not Purpose.LEGAL_NOTICE:
        return None
    document = await find_document(connection, UUID(named))
    if document.state is not DocumentState.RENDERED and now < message.created_at + _PAPER_AWAITED:
        raise _Later(_PAPER_COMES)
    return document.pdf_digest


async def _address_for_file(parts: Parts, connection: Connection, message: StoredMessage) -> Address | None:
    """A file takes what a phone could not, and wakes nobody: neither a bad address nor the policy stands in the way."""
    try:
        return await open_address(parts, connection, message)
    except Refused:
        return None


async def _ask_policy(connection: Connection, message: StoredMessage, address: Address, now: datetime) -> None:
    """Raises `Refused` or `_Later`."""
    standing = await _STANDING.one(
        connection,
        address_index=address.index,
        channel=message.channel,
        purpose=message.purpose,
        message_id=message.id,
        hour_ago=now - timedelta(hours=1),
        day_ago=now - timedelta(days=1),
    )
    decision = decide(
        purpose=message.purpose,
        channel=message.channel,
        now=now,
        blocks=frozenset(standing.blocks),
        sent_in_hour=standing.in_hour,
        sent_in_day=standing.in_day,
        level=message.level,
    )
    match decision:
        case Decline(reason=reason):
            raise Refused(reason)
        case WaitUntil(at=at):
            await _PUT_OFF.run(connection, message_id=message.id, at=at)
            raise _Later(at - now)
        case _:
            return


async def _take_turn(
    parts: Parts,
    senders: Senders,
    connection: Connection,
    message: StoredMessage,
    letter: Letter,
    address: Address | None,
    names: list[str],
) -> Claimed:
    """The next turn of the first provider that has one soon, taken last: its row is locked until the commit."""
    now = parts.clock()
    attempt_id = new_id(now, parts.random)
    for name in names:
        held = _OF_A_FILE if senders.is_console(name) else lease(message.channel)
        slot = await _TAKE_SLOT.first(
            connection,
            provider=name,
            now=now,
            interval=timedelta(seconds=senders.interval(name)),
            horizon=now + AHEAD,
            trial_until=now + held,
            lease=held,
            attempt_id=attempt_id,
            message_id=message.id,
            channel=message.channel,
            address_index=None if address is None else address.index,
            masked=_shown_of(message, address),
            digest=hashlib.sha256(letter.text.encode()).digest(),
            segments=letter.segments,
            encoding=letter.encoding,
        )
        if slot is not None:
            return Claimed(
                attempt_id=attempt_id,
                message=message,
                provider=name,
                letter=letter,
                address=address,
                claimed_at=now,
                at=slot.at,
                lease_until=slot.lease_until,
            )
    raise _Later(await _until_ready(connection, names, now, parts.random))


def _shown_of(message: StoredMessage, address: Address | None) -> str | None:
    """What of the address stands unsealed beside the try."""
    if address is None:
        return None
    return _HIDDEN if message.recipient in NAMELESS else address.masked


async def _until_ready(connection: Connection, names: list[str], now: datetime, random: Random) -> timedelta:
    """Until some provider has a turn again, and a little longer."""
    ready = await _READY_AT.one(connection, providers=names, now=now)
    wait = AHEAD if ready.at is None else max(ready.at - now, AHEAD / 2)
    return come_again(wait, _chance(random))


async def _give_up(connection: Connection, message: StoredMessage, refused: Refused) -> None:
    await _GIVE_UP.run(
        connection,
        message_id=message.id,
        reason=refused.reason,
        error=refused.detail or None,
        masked=None,
    )


def _chance(random: Random) -> float:
    return random(1)[0] / 255
