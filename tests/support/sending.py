"""Ways to people as tests have them: providers and mail senders that keep what they are handed, or fail as told."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec

from api.delivery.engine import deliver
from api.delivery.senders import Senders
from api.wiring import Parts
from domain.officer.intake import PHONE_LABEL as OFFICER_LABEL
from domain.shared.sql import Command, Connection, borrow
from domain.shared.transaction import Outcome, Transaction
from notifications import outbox
from notifications.mail.port import OutgoingMail
from notifications.message import Channel, Message, Purpose, Recipient
from notifications.outcome import Accepted, Reason, Refused
from notifications.sms.port import Found, OutgoingSms, SmsProvider
from tests.support.acts import OPERATOR, noted
from tests.support.factories import make_department, make_officer, save_regions

_NUMBER = itertools.count(1)


class FakeProvider(SmsProvider):
    """A provider that keeps what it takes. `refusals` come first, one a call; `loses` takes what it then refuses."""

    name = "first"

    def __init__(
        self,
        *,
        name: str = "first",
        refusals: Sequence[Refused | Exception] = (),
        seconds: float = 0.0,
        found: Found = Found.CANNOT_TELL,
        takes_first: bool = False,
    ) -> None:
        """`takes_first`: a refusal comes after the message was taken, as when an answer is lost."""
        self.name = name  # type: ignore[misc] - a fake has many names, a driver one
        self.refusals = list(refusals)
        self.seconds = seconds
        self.found = found
        self.takes_first = takes_first
        self.taken: list[OutgoingSms] = []
        self.asked: list[UUID] = []
        self.calls = 0

    async def _hand_over(self, sms: OutgoingSms) -> Accepted:
        self.calls += 1
        await asyncio.sleep(self.seconds)
        if self.refusals:
            if self.takes_first:
                self.taken.append(sms)
            raise self.refusals.pop(0)
        self.taken.append(sms)
        return Accepted(provider_reference=f"{self.name}-{len(self.taken)}")

    async def _find(self, reference: UUID, number: str, sent_on: date) -> Found:
        del number, sent_on
        self.asked.append(reference)
        return self.found

    @property
    def texts(self) -> list[str]:
        """What phones got to read."""
        return [sms.text for sms in self.taken]

    @property
    def numbers(self) -> list[str]:
        """The phones."""
        return [sms.number for sms in self.taken]


class FakeMail:
    """A mail server that keeps what it takes."""

    def __init__(self, refusals: Sequence[Refused] = ()) -> None:
        """`refusals` come first, one a call."""
        self.name = "mail"
        self.refusals = list(refusals)
        self.taken: list[OutgoingMail] = []

    async def send(self, mail: OutgoingMail) -> Accepted:
        """Keep it."""
        if self.refusals:
            raise self.refusals.pop(0)
        self.taken.append(mail)
        return Accepted()

    async def close(self) -> None:
        """Nothing is held."""


def by_sms(*providers: FakeProvider, per_second: float = 0) -> Senders:
    """These providers in this order, as fast as messages come unless `per_second` is given."""
    return Senders(sms=providers, per_second={provider.name: per_second for provider in providers})


def refusal(reason: Reason, **said: float) -> Refused:
    """A refusal for that reason."""
    return Refused(reason, "told by the test", retry_after=said.get("retry_after"))


class Sent(msgspec.Struct, frozen=True):
    """What went out: by SMS and by mail."""

    sms: FakeProvider
    mail: FakeMail


async def deliver_waiting(parts: Parts, ids: Sequence[UUID]) -> Sent:
    """Deliver these messages by a phone and a mailbox that take everything."""
    sent = Sent(FakeProvider(), FakeMail())
    senders = Senders(sms=(sent.sms,), mail=sent.mail, per_second={"first": 0, "mail": 0})
    for message_id in ids:
        await deliver(parts, senders, message_id)
    return sent


OFFICER_PHONE = "13877150001"
"""Of the officer to whom `waiting_messages` go."""
_WRITE = Command(outbox.INSERT)


async def waiting_messages(
    parts: Parts,
    count: int = 1,
    *,
    phone: str = OFFICER_PHONE,
    created_at: datetime | None = None,
    purpose: Purpose = Purpose.LEGAL_NOTICE,
    **changes: Any,
) -> list[UUID]:
    """Messages in the outbox to one officer, caused by one act that is not yet placed.

    A legal notice unless said otherwise: it goes by day and by night, and as often as it must.
    """
    ids = [uuid4() for _ in range(count)]

    async def operation(_tx: Transaction) -> Outcome[None]:
        return Outcome(answer=None, events=(noted(),))

    await parts.work.run(OPERATOR, operation)
    async with borrow(parts.pool) as connection, connection.transaction():
        [trace] = await connection.fetch("SELECT id FROM trace ORDER BY n DESC LIMIT 1")
        given: dict[str, Any] = {
            "template": "hazard_overdue",
            "channel": Channel.SMS,
            "recipient": Recipient.OFFICER,
            "parameters": {"days": "7"},
        }
        recipient = changes.pop("recipient_id", None) or await _officer(parts, connection, phone)
        message = Message(**{**given, **changes}, recipient_id=recipient)
        rows = [outbox.Written(id=each, trace_id=trace["id"], message=message) for each in ids]
        written = outbox.insert_arguments(rows, created_at or parts.clock())
        await _WRITE.run_many(connection, [row | {"purpose": purpose} for row in written])
    return ids


async def _officer(parts: Parts, connection: Connection, phone: str) -> UUID:
    await save_regions(connection)
    department = await make_department(connection, code=f"T{next(_NUMBER):03}", name="测试局", short_name="测试")
    made = await make_officer(connection, parts.vault, department)
    await connection.execute(
        "UPDATE officer SET phone_sealed = $2 WHERE id = $1", made.id, parts.vault.seal(OFFICER_LABEL, phone)
    )
    return made.id


async def state_of(connection: asyncpg.Connection, message_id: UUID) -> tuple[str, int, str | None]:
    """State, tries, and why not."""
    row = await connection.fetchrow("SELECT state, attempts, reason FROM message WHERE id = $1", message_id)
    assert row is not None
    return row["state"], row["attempts"], row["reason"]
