"""Statements on tries to hand a message over, on receipts, and on the providers whose turns the workers share.

Each change of a try takes the message's row, then the try's, then the provider's: nobody waits for somebody who waits
for them.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from notifications.deliver import FAILURES
from notifications.message import Channel, MessageState, Purpose
from notifications.tables import message, message_attempt, message_receipt

_INSTANT = sa.DateTime(timezone=True)
_TYPES: Final = {
    "message_id": sa.Uuid,
    "attempt_id": sa.Uuid,
    "now": _INSTANT,
    "horizon": _INSTANT,
    "trial_until": _INSTANT,
    "lease_until": _INSTANT,
    "slot_at": _INSTANT,
    "hour_ago": _INSTANT,
    "day_ago": _INSTANT,
    "interval": sa.Interval,
    "first_pause": sa.Interval,
    "longest_pause": sa.Interval,
    "lease": sa.Interval,
    "steps": sa.Integer,
    "elapsed": sa.Integer,
    "segments": sa.SmallInteger,
    "channel": sa.Text,
    "purpose": sa.Text,
    "provider": sa.Text,
    "reference": sa.Text,
    "reason": sa.Text,
    "error": sa.Text,
    "state_after": sa.Text,
    "masked": sa.Text,
    "encoding": sa.Text,
    "address_index": sa.LargeBinary,
    "digest": sa.LargeBinary,
    "ids": sa.ARRAY(sa.Uuid),
    "attempts": sa.ARRAY(sa.Uuid),
    "providers": sa.ARRAY(sa.Text),
    "references": sa.ARRAY(sa.Text),
    "kinds": sa.ARRAY(sa.Text),
}
_PATIENCE: Final = "patience"
"""After so many failures a provider is left alone."""


def _text(*pieces: str) -> sa.TextClause:
    """One statement of `pieces`, with the types of what it names."""
    statement = "".join(pieces)
    named = dict.fromkeys(re.findall(r"(?<![:\w]):([a-z_]+)", statement))
    return sa.text(statement).bindparams(
        *[
            sa.bindparam(name, FAILURES, type_=sa.Integer)
            if name == _PATIENCE
            else sa.bindparam(name, type_=_TYPES[name], required=True)
            for name in named
        ]
    )


class StandingAddress(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an address: its blocks, and how many messages of one purpose it got of late."""

    blocks: list[str]
    in_hour: int
    in_day: int


STANDING_OF_ADDRESS = _text("""
SELECT ARRAY(SELECT kind FROM address_block
             WHERE address_index = :address_index AND channel = :channel AND lifted_at IS NULL) AS blocks,
       count(*) FILTER (WHERE tried.started_at > :hour_ago) AS in_hour,
       count(*) AS in_day
FROM message_attempt tried JOIN message ON message.id = tried.message_id
WHERE tried.address_index = :address_index AND tried.started_at > :day_ago AND tried.state <> 'refused'
  AND message.purpose = :purpose AND message.id <> :message_id
""").columns(blocks=sa.ARRAY(sa.Text), in_hour=sa.BigInteger, in_day=sa.BigInteger)


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's turn: from when the message may be handed over, and until when whoever took it has it."""

    at: datetime
    lease_until: datetime


TAKE_SLOT = _text("""
WITH slot AS (
  INSERT INTO message_provider AS stands (name, next_slot_at) VALUES (:provider, :now + :interval)
  ON CONFLICT (name) DO UPDATE SET
    next_slot_at = greatest(stands.next_slot_at, :now) + :interval,
    closed_until = CASE WHEN stands.failures >= :patience THEN :trial_until END
  WHERE (stands.closed_until IS NULL OR stands.closed_until <= :now)
    AND (stands.next_slot_at IS NULL OR stands.next_slot_at <= :horizon)
  RETURNING next_slot_at - :interval AS at
), tried AS (
  INSERT INTO message_attempt (id, message_id, number, channel, provider, state, started_at, lease_until,
                               address_index, address_masked, text_digest, segments, encoding)
  SELECT :attempt_id, :message_id,
         (SELECT coalesce(max(number), 0) + 1 FROM message_attempt WHERE message_id = :message_id),
         :channel, :provider, 'open', :now, at + :lease, :address_index, :masked, :digest, :segments, :encoding
  FROM slot
)
UPDATE message SET state = 'sending', attempts = message.attempts + 1, provider = :provider, segments = :segments,
                   address_masked = :masked
FROM slot WHERE message.id = :message_id
RETURNING slot.at AS at, slot.at + :lease AS lease_until
""").columns(at=_INSTANT, lease_until=_INSTANT)
"""GCRA: a message takes the provider's next turn if that comes before `horizon`; the try and the message's state are
written with it. A provider that failed too often is closed to all but one until `trial_until`. No row: not now.
"""


class Ready(msgspec.Struct, frozen=True):
    """When the first of some providers may be asked again."""

    at: datetime | None


READY_AT = _text("""
SELECT min(greatest(next_slot_at, closed_until, :now)) AS at FROM message_provider WHERE name = ANY(:providers)
""").columns(at=_INSTANT)


_ACCEPTED = """
WITH told AS (
  UPDATE message SET
    state = CASE WHEN state IN ('sending', 'waiting', 'abandoned') THEN :state_after ELSE state END,
    delivered_at = CASE WHEN :state_after = 'delivered' THEN coalesce(delivered_at, :now) ELSE delivered_at END,
    sent_at = coalesce(sent_at, :now),
    reason = CASE WHEN state = 'failed' THEN reason END,
    last_error = CASE WHEN state = 'failed' THEN last_error END
  WHERE id = :message_id RETURNING id
), ended AS (
  UPDATE message_attempt SET state = 'accepted', ended_at = coalesce(ended_at, :now), reason = NULL, error = NULL,
         elapsed_ms = coalesce(:elapsed, elapsed_ms), provider_reference = coalesce(:reference, provider_reference)
  FROM told WHERE message_attempt.id = :attempt_id AND NOT (message_attempt.state = 'unknown' AND EXISTS (
    SELECT FROM message_attempt AS newer
    WHERE newer.message_id = message_attempt.message_id AND newer.number > message_attempt.number))
)
"""
"""Once the message went out again, a try that was `unknown` then stays so: it counts what may have arrived twice."""
_NOT_SENT = """
WITH told AS (
  UPDATE message SET
    state = CASE WHEN state = 'sending' THEN :state_after ELSE state END,
    reason = CASE WHEN state = 'sending' AND :state_after = 'abandoned' THEN :reason ELSE reason END,
    last_error = CASE WHEN state = 'sending' THEN :error ELSE last_error END
  WHERE id = :message_id RETURNING id
)"""
_REFUSED = """, ended AS (
  UPDATE message_attempt SET state = 'refused', ended_at = :now, reason = :reason, error = coalesce(error, :error),
         elapsed_ms = coalesce(:elapsed, elapsed_ms)
  FROM told WHERE message_attempt.id = :attempt_id AND message_attempt.state = 'open'
)
"""
_UNKNOWN = """, ended AS (
  UPDATE message_attempt SET state = 'unknown', ended_at = :now, reason = coalesce(reason, :reason),
         error = coalesce(error, :error), elapsed_ms = coalesce(:elapsed, elapsed_ms)
  FROM told WHERE message_attempt.id = :attempt_id AND message_attempt.state = 'open'
)
"""
_DOUBTED = """
WITH told AS (
  UPDATE message SET last_error = CASE WHEN state = 'sending' THEN :error ELSE last_error END
  WHERE id = :message_id RETURNING id
), doubted AS (
  UPDATE message_attempt SET reason = :reason, error = :error, elapsed_ms = :elapsed, lease_until = :lease_until
  FROM told WHERE message_attempt.id = :attempt_id AND message_attempt.state = 'open'
)
"""
_PROVIDER_WELL = """
UPDATE message_provider SET failures = 0, closed_until = NULL, accepted = accepted + 1, last_accepted_at = :now,
       last_elapsed_ms = :elapsed
WHERE name = :provider
"""
_PROVIDER_REFUSED = """
UPDATE message_provider AS stands SET
  failures = CASE WHEN :steps = 0 THEN 0 WHEN {is_old} THEN failures ELSE failures + :steps END,
  closed_until = CASE
    WHEN :steps > 0 AND {is_old} THEN closed_until
    WHEN :steps > 0 AND failures + :steps >= :patience
    THEN :now + least(:longest_pause, :first_pause * power(2, least(greatest(failures + 1 - :patience, 0), 20))) END,
  next_slot_at = greatest(next_slot_at, :slot_at),
  refused = refused + 1, last_refused_at = CASE WHEN {is_old} THEN last_refused_at ELSE :now END,
  last_reason = :reason, last_elapsed_ms = :elapsed
FROM message_attempt AS tried WHERE stands.name = :provider AND tried.id = :attempt_id
""".format(is_old="(failures >= :patience AND last_refused_at >= started_at)")
"""What was under way already when the provider was closed says nothing new (`is_old`): else one short absence with many
calls under way would close it for as long as many absences.
"""
_NOTHING = " SELECT 1"

NOTE_ACCEPTED = _text(_ACCEPTED, _PROVIDER_WELL)
"""The provider took it. A receipt may have come before, and then its word stands."""
SETTLE_ACCEPTED = _text(_ACCEPTED, _NOTHING)
"""It turned out later that the provider had taken it."""
NOTE_REFUSED = _text(_NOT_SENT, _REFUSED, _PROVIDER_REFUSED)
"""The provider certainly did not take it."""
SETTLE_REFUSED = _text(_NOT_SENT, _REFUSED, _NOTHING)
"""It turned out that the provider had not taken it."""
NOTE_UNCERTAIN = _text(_DOUBTED, _PROVIDER_REFUSED)
"""Nobody knows whether the provider took it: the try stays open, to be settled from `lease_until` on."""
SETTLE_UNKNOWN = _text(_NOT_SENT, _UNKNOWN, _NOTHING)
"""Nobody will ever know: the message goes out again, and may arrive twice."""
WAIT_FOR_RECEIPT = _text(
    "UPDATE message_attempt SET lease_until = :lease_until WHERE id = :attempt_id AND state = 'open'"
)


class OpenTry(msgspec.Struct, frozen=True, kw_only=True):
    """A try whose lease is over and of which nobody has said how it ended."""

    id: UUID
    message_id: UUID
    provider: str
    started_at: datetime
    attempts: int


OPEN_TRIES = (
    sa.select(
        message_attempt.c.id,
        message_attempt.c.message_id,
        message_attempt.c.provider,
        message_attempt.c.started_at,
        message.c.attempts,
    )
    .select_from(message_attempt.join(message, message.c.id == message_attempt.c.message_id))
    .where(message_attempt.c.state == sa.literal_column("'open'"), message_attempt.c.lease_until < sa.bindparam("now"))
    .order_by(message_attempt.c.lease_until, message_attempt.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
"""The longest overdue first; each is put off or ended by who looks at it, so that the next page holds others."""


class KnownTry(msgspec.Struct, frozen=True, kw_only=True):
    """A try as a receipt names it."""

    id: UUID
    message_id: UUID
    number: int
    state: str
    provider: str
    provider_reference: str | None


KNOWN_TRIES = _text("""
SELECT id, message_id, number, state, provider, provider_reference FROM message_attempt WHERE id = ANY(:attempts)
UNION
SELECT id, message_id, number, state, message_attempt.provider, provider_reference
FROM unnest(:providers, :references) AS named(provider, reference)
JOIN message_attempt ON message_attempt.provider = named.provider
  AND message_attempt.provider_reference = named.reference
""").columns(
    id=sa.Uuid,
    message_id=sa.Uuid,
    number=sa.SmallInteger,
    state=sa.Text,
    provider=sa.Text,
    provider_reference=sa.Text,
)


class ToldMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message about which a receipt tells; `newest` is the number of its last try."""

    id: UUID
    state: MessageState
    channel: Channel
    purpose: Purpose
    parameters: dict[str, str]
    newest: int


LOCK_MESSAGES = (
    sa.select(message.c.id)
    .where(message.c.id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid))))
    .order_by(message.c.id)
    .with_for_update(key_share=True)
)
TOLD_MESSAGES = sa.select(
    *[message.c[name] for name in ToldMessage.__struct_fields__ if name != "newest"],
    sa.select(sa.func.max(message_attempt.c.number))
    .where(message_attempt.c.message_id == message.c.id)
    .scalar_subquery()
    .label("newest"),
).where(message.c.id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid))))
"""After the lock, so that what it waited for is seen."""

KEEP_RECEIPT = sa.text("""
INSERT INTO message_receipt (id, attempt_id, state, provider_status, at, received_at)
VALUES (:id, :attempt_id, :state, :provider_status, :at, :received_at) ON CONFLICT (attempt_id, state) DO NOTHING
""").bindparams(
    *[
        sa.bindparam(name, type_=message_receipt.c[name].type, required=True)
        for name in ("id", "attempt_id", "state", "provider_status", "at", "received_at")
    ]
)
TELL_MESSAGE = (
    sa.update(message)
    .where(message.c.id == sa.bindparam("message_id"))
    .values(
        state=sa.bindparam("state_after"),
        sent_at=sa.func.coalesce(message.c.sent_at, sa.bindparam("now", type_=_INSTANT)),
        delivered_at=sa.bindparam("arrived_at", type_=_INSTANT),
        reason=sa.bindparam("reason_after", type_=sa.Text),
        last_error=sa.bindparam("error_after", type_=sa.Text),
    )
)
_newer = message_attempt.alias("newer")
_WENT_OUT_AGAIN = sa.and_(
    message_attempt.c.state == sa.literal_column("'unknown'"),
    sa.exists().where(_newer.c.message_id == message_attempt.c.message_id, _newer.c.number > message_attempt.c.number),
)
TELL_TRY = (
    sa.update(message_attempt)
    .where(
        message_attempt.c.id == sa.bindparam("attempt_id"),
        message_attempt.c.state != sa.literal_column("'accepted'"),
        sa.not_(_WENT_OUT_AGAIN),
        sa.or_(
            message_attempt.c.state != sa.literal_column("'refused'"), sa.bindparam("was_carried", type_=sa.Boolean)
        ),
    )
    .values(
        state="accepted",
        reason=sa.null(),
        error=sa.null(),
        ended_at=sa.func.coalesce(message_attempt.c.ended_at, sa.bindparam("now", type_=_INSTANT)),
        provider_reference=sa.func.coalesce(
            message_attempt.c.provider_reference, sa.bindparam("reference", type_=sa.Text)
        ),
    )
)
"""A receipt proves that the try was taken, whatever was thought of it; but one that says that it did not arrive says
nothing new of a try that was refused (`was_carried`). One that was `unknown` when the message went out again stays so,
or nobody could count what may have arrived twice.
"""
