"""Receipts: kept once, in whatever order they come, by our reference or the provider's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from api.delivery.engine import deliver
from api.delivery.receipts import take_receipts
from api.delivery.settling import settle_open
from api.wiring import Parts
from notifications.deliver import SETTLE_AFTER
from notifications.outcome import Accepted, Reason
from notifications.sms.port import OutgoingSms, ReceiptNote, ReceiptState
from tests.support.database import Database
from tests.support.sending import FakeProvider, by_sms, refusal, state_of, waiting_messages

ALL = tuple(ReceiptState)
DELIVERED, FAILED, TAKEN = ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.TAKEN


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


def note(
    attempt_id: UUID | None, state: ReceiptState, *, provider: str = "first", reference: str | None = None
) -> ReceiptNote:
    return ReceiptNote(
        attempt_id=attempt_id,
        provider=provider,
        provider_reference=reference,
        state=state,
        provider_status=f"status {state.value}",
        at=datetime.now(UTC),
    )


async def sent(parts: Parts, count: int = 1) -> tuple[list[UUID], list[UUID]]:
    """Messages that were taken, and their tries."""
    messages = await waiting_messages(parts, count)
    provider = FakeProvider()
    for message in messages:
        await deliver(parts, by_sms(provider), message)
    return messages, [sms.reference for sms in provider.taken]


async def test_a_message_has_arrived_when_its_receipt_says_so(parts: Parts, owner: asyncpg.Connection) -> None:
    [message], [attempt] = await sent(parts)
    told = note(attempt, DELIVERED)
    assert await take_receipts(parts, [told]) == 1
    assert await state_of(owner, message) == ("delivered", 1, None)
    assert await owner.fetchval("SELECT delivered_at FROM message") == told.at
    [receipt] = await owner.fetch("SELECT attempt_id, state, provider_status FROM message_receipt")
    assert tuple(receipt.values()) == (attempt, "delivered", "status delivered")


async def test_a_receipt_that_says_it_did_not_arrive_makes_the_failure_visible(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message], [attempt] = await sent(parts)
    await take_receipts(parts, [note(attempt, FAILED)])
    assert await state_of(owner, message) == ("failed", 1, "unreachable")
    assert await owner.fetchval("SELECT last_error FROM message") == "status failed"


@pytest.mark.parametrize("order", list(permutations(ALL)), ids=" ".join)
async def test_in_every_order_one_by_one_or_together_delivered_wins(
    parts: Parts, owner: asyncpg.Connection, order: tuple[ReceiptState, ...]
) -> None:
    [alone, together], [first, second] = await sent(parts, 2)
    for state in order:
        assert await take_receipts(parts, [note(first, state)]) == 1
    assert await take_receipts(parts, [note(second, state) for state in order]) == 3
    for message in (alone, together):
        assert await state_of(owner, message) == ("delivered", 1, None)
    assert await owner.fetchval("SELECT count(*) FROM message_receipt") == 6


async def test_the_same_receipt_any_number_of_times_is_one_row_and_one_arrival(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message], [attempt] = await sent(parts)
    told = note(attempt, DELIVERED)
    later = msgspec.structs.replace(told, at=told.at + timedelta(hours=1))
    await asyncio.gather(*(take_receipts(parts, [told, told]) for _ in range(5)))
    assert await take_receipts(parts, [later]) == 1
    assert await owner.fetchval("SELECT count(*) FROM message_receipt") == 1
    assert await owner.fetchval("SELECT delivered_at FROM message WHERE id = $1", message) == told.at


async def test_what_is_not_ours_is_left_aside(parts: Parts, owner: asyncpg.Connection) -> None:
    [message], [attempt] = await sent(parts)
    foreign = [
        note(uuid4(), DELIVERED),
        note(None, DELIVERED, reference="nobody's"),
        note(None, DELIVERED),
        note(attempt, DELIVERED, provider="second"),  # who reports for one provider may not report for another
    ]
    assert await take_receipts(parts, foreign) == 0
    assert await take_receipts(parts, []) == 0
    assert (await state_of(owner, message))[0] == "sent"


async def test_a_receipt_may_name_the_message_by_the_providers_own_reference(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message], _ = await sent(parts)
    assert await take_receipts(parts, [note(None, DELIVERED, reference="first-1")]) == 1
    assert (await state_of(owner, message))[0] == "delivered"


async def test_a_receipt_that_is_faster_than_the_answer_settles_the_try_and_the_answer_spoils_nothing(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    class Slow(FakeProvider):
        async def _hand_over(self, sms: OutgoingSms) -> Accepted:
            assert await take_receipts(parts, [note(sms.reference, DELIVERED)]) == 1
            assert (await state_of(owner, message))[0] == "delivered"
            return await super()._hand_over(sms)

    [message] = await waiting_messages(parts)
    await deliver(parts, by_sms(Slow()), message)
    assert await state_of(owner, message) == ("delivered", 1, None)
    [row] = await owner.fetch("SELECT state, provider_reference FROM message_attempt")
    assert tuple(row.values()) == ("accepted", "first-1")


@pytest.mark.parametrize(("state", "after"), [(TAKEN, "sent"), (DELIVERED, "delivered"), (FAILED, "failed")])
async def test_a_receipt_for_a_try_whose_answer_was_lost_settles_it(
    parts: Parts, owner: asyncpg.Connection, state: ReceiptState, after: str
) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(refusals=[refusal(Reason.NO_ANSWER)], takes_first=True)
    await deliver(parts, by_sms(provider), message)
    await take_receipts(parts, [note(provider.taken[0].reference, state)])
    assert (await state_of(owner, message))[0] == after
    later = parts.clock() + 2 * SETTLE_AFTER
    assert await settle_open(msgspec.structs.replace(parts, clock=lambda: later), by_sms(provider)) == 0
    assert await deliver(parts, by_sms(provider), message) is None
    assert len(provider.taken) == 1


async def test_a_receipt_after_the_try_was_written_off_still_spares_the_second_one(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(refusals=[refusal(Reason.NO_ANSWER)], takes_first=True)
    await deliver(parts, by_sms(provider), message)
    later = parts.clock() + 2 * SETTLE_AFTER
    assert await settle_open(msgspec.structs.replace(parts, clock=lambda: later), by_sms(provider)) == 1
    assert (await state_of(owner, message))[0] == "waiting"
    await take_receipts(parts, [note(provider.taken[0].reference, DELIVERED)])
    await deliver(parts, by_sms(provider), message)
    assert len(provider.taken) == 1
    assert await state_of(owner, message) == ("delivered", 1, None)


async def test_a_late_word_of_failure_makes_no_try_of_one_that_was_refused(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [refused, throttled] = await waiting_messages(parts, 2)
    provider = FakeProvider(refusals=[refusal(Reason.BAD_ADDRESS), refusal(Reason.THROTTLED)])
    for message in (refused, throttled):
        await deliver(parts, by_sms(provider), message)
    tries = [row["id"] for row in await owner.fetch("SELECT id FROM message_attempt ORDER BY started_at, id")]
    assert await take_receipts(parts, [note(each, FAILED) for each in tries]) == 2
    assert await state_of(owner, refused) == ("abandoned", 1, "bad_address")
    assert await state_of(owner, throttled) == ("waiting", 1, None)
    assert await owner.fetchval("SELECT count(*) FROM message_attempt WHERE state = 'refused'") == 2
    assert await owner.fetchval("SELECT count(*) FROM message_receipt") == 2
    # But what arrived was sent, whatever the provider had answered.
    await take_receipts(parts, [note(each, DELIVERED) for each in tries])
    assert {(await state_of(owner, each))[0] for each in (refused, throttled)} == {"delivered"}
    kept = await owner.fetch("SELECT state, reason FROM message_attempt")
    assert [tuple(row.values()) for row in kept] == [("accepted", None)] * 2


async def test_a_receipt_of_a_try_after_which_it_went_out_again_leaves_the_doubt_to_be_counted(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(refusals=[refusal(Reason.NO_ANSWER)], takes_first=True)
    await deliver(parts, by_sms(provider), message)
    later = parts.clock() + 2 * SETTLE_AFTER
    await settle_open(msgspec.structs.replace(parts, clock=lambda: later), by_sms(provider))
    await deliver(parts, by_sms(provider), message)
    assert len(provider.taken) == 2
    for sms in provider.taken:
        assert await take_receipts(parts, [note(sms.reference, DELIVERED)]) == 1
    kept = await owner.fetch("SELECT state FROM message_attempt ORDER BY number")
    assert [row["state"] for row in kept] == ["unknown", "accepted"]
    assert await state_of(owner, message) == ("delivered", 2, None)


async def test_an_older_try_that_failed_does_not_end_the_newer_one(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(refusals=[refusal(Reason.NO_ANSWER)], takes_first=True)
    await deliver(parts, by_sms(provider), message)
    later = parts.clock() + 2 * SETTLE_AFTER
    await settle_open(msgspec.structs.replace(parts, clock=lambda: later), by_sms(provider))
    await deliver(parts, by_sms(provider), message)
    old, new = (sms.reference for sms in provider.taken)
    await take_receipts(parts, [note(old, FAILED)])
    assert (await state_of(owner, message))[0] == "sent"
    await take_receipts(parts, [note(new, FAILED)])
    assert (await state_of(owner, message))[0] == "failed"
    await take_receipts(parts, [note(old, DELIVERED)])
    assert await state_of(owner, message) == ("delivered", 2, None)


async def test_thousands_of_receipts_at_once_are_all_kept(parts: Parts, owner: asyncpg.Connection) -> None:
    messages, tries = await sent(parts, 60)
    notes = [note(attempt, state) for attempt in tries for state in ALL] * 10
    assert await take_receipts(parts, [*notes, *(note(uuid4(), DELIVERED) for _ in range(700))]) == len(notes)
    assert await owner.fetchval("SELECT count(*) FROM message WHERE state = 'delivered'") == len(messages)
    assert await owner.fetchval("SELECT count(*) FROM message_receipt") == 180


async def test_receipts_and_deliveries_of_the_same_messages_at_once_wait_for_each_other_and_none_is_lost(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    messages = await waiting_messages(parts, 40)

    class Telling(FakeProvider):
        async def _hand_over(self, sms: OutgoingSms) -> Accepted:
            accepted = await super()._hand_over(sms)
            told.append(
                asyncio.create_task(take_receipts(parts, [note(each.reference, DELIVERED) for each in self.taken]))
            )
            return accepted

    told: list[asyncio.Task[int]] = []
    provider = Telling(seconds=0.001)
    await asyncio.gather(*(deliver(parts, by_sms(provider), message) for message in messages))
    await asyncio.gather(*told)
    assert len(provider.taken) == 40
    assert await owner.fetchval("SELECT count(*) FROM message WHERE state = 'delivered' AND attempts = 1") == 40


async def test_a_mail_that_comes_back_has_bounced(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts)
    await owner.execute("UPDATE message SET channel = 'email', state = 'sent' WHERE id = $1", message)
    attempt = uuid4()
    await owner.execute(
        "INSERT INTO message_attempt (id, message_id, number, channel, provider, state, started_at, lease_until) "
        "VALUES ($1, $2, 1, 'email', 'smtp', 'accepted', now(), now())",
        attempt,
        message,
    )
    await take_receipts(parts, [note(attempt, FAILED, provider="smtp")])
    assert await state_of(owner, message) == ("failed", 0, "bounced")
