"""From the outbox to the phone: once, by whoever takes it, at the right time, and visibly given up when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio
import sqlalchemy as sa

from api.delivery.console import Console
from api.delivery.engine import deliver
from api.delivery.retrying import Wanted, list_given_up, retry_given_up
from api.delivery.senders import Senders
from api.delivery.settling import settle_open
from api.wiring import Parts
from domain.shared.sql import Command
from domain.visitor.operations import CODE_LABEL
from domain.visitor.operations import PHONE_LABEL as VISITOR_LABEL
from notifications import attempts, outbox
from notifications.blocks import ADDRESS_LABELS
from notifications.deliver import ATTEMPTS, FAILURES, SETTLE_AFTER, lease
from notifications.message import Channel, Purpose, Recipient
from notifications.outbox import StoredMessage
from notifications.outcome import Accepted, Reason, Refused
from notifications.sms.port import Found, OutgoingSms
from notifications.templates import current
from tests.support.clock import FixedClock
from tests.support.database import Database
from tests.support.sending import (
    OFFICER_PHONE,
    FakeProvider,
    by_sms,
    refusal,
    state_of,
    waiting_messages,
)

NOON = datetime(2026, 8, 3, 4, 0, tzinfo=UTC)
NIGHT = datetime(2026, 8, 3, 15, 0, tzinfo=UTC)
MORNING = datetime(2026, 8, 4, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TEXT = "【企业自查】你单位有1项自查隐患已超过整改期限7天，请尽快处理，并在企业空间登记处理结果。"


@pytest.fixture
def clock() -> FixedClock:
    """Noon in the region."""
    return FixedClock(NOON)


@pytest.fixture
def parts(parts: Parts, clock: FixedClock) -> Parts:
    """The real parts under that clock."""
    parts.work.clock = clock
    return msgspec.structs.replace(parts, clock=clock)


@pytest_asyncio.fixture(loop_scope="module")
async def owner(database: Database) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything, to see and to hinder."""
    connection = await asyncpg.connect(database.dsn)
    yield connection
    await connection.close()


async def tries_of(owner: asyncpg.Connection, message_id: UUID) -> list[tuple[str, str, str | None]]:
    """Provider, state and reason of each try."""
    rows = await owner.fetch(
        "SELECT provider, state, reason FROM message_attempt WHERE message_id = $1 ORDER BY number", message_id
    )
    return [tuple(row.values()) for row in rows]


async def everything_kept(owner: asyncpg.Connection) -> str:
    kept = [
        await owner.fetch("SELECT * FROM message"),
        await owner.fetch("SELECT * FROM message_attempt"),
        await owner.fetch("SELECT * FROM message_provider"),
        await owner.fetch("SELECT * FROM trace"),
    ]
    return str(kept)


async def failures_of(owner: asyncpg.Connection, name: str = "first") -> int:
    found = await owner.fetchval("SELECT failures FROM message_provider WHERE name = $1", name)
    assert isinstance(found, int)
    return found


# One message


async def test_a_message_goes_out_with_its_text_to_the_phone_of_whom_it_names(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider()
    assert await deliver(parts, by_sms(provider), message) is None
    assert (provider.texts, provider.numbers) == ([TEXT], [OFFICER_PHONE])
    row = await owner.fetchrow("SELECT * FROM message")
    assert row is not None
    assert (row["state"], row["attempts"], row["sent_at"], row["delivered_at"]) == ("sent", 1, NOON, None)
    assert (row["provider"], row["address_masked"], row["segments"]) == ("first", "138****0001", 1)


async def test_neither_phone_nor_text_stands_in_the_database_or_in_a_repr(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider()
    await deliver(parts, by_sms(provider), message)
    kept = await everything_kept(owner)
    assert OFFICER_PHONE not in kept
    assert TEXT not in kept
    index = parts.vault.blind_index(ADDRESS_LABELS[Channel.SMS], OFFICER_PHONE)
    assert await owner.fetchval("SELECT address_index FROM message_attempt") == index
    assert OFFICER_PHONE not in repr(provider.taken)


async def test_a_message_that_was_sent_is_not_sent_again(parts: Parts) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider()
    for _ in range(3):
        assert await deliver(parts, by_sms(provider), message) is None
    assert len(provider.taken) == 1


async def test_a_message_that_many_take_at_once_is_sent_once(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(seconds=0.1)
    await asyncio.gather(*(deliver(parts, by_sms(provider), message) for _ in range(8)))
    assert len(provider.taken) == 1
    assert await state_of(owner, message) == ("sent", 1, None)


async def test_no_connection_is_held_while_a_provider_is_called(parts: Parts, owner: asyncpg.Connection) -> None:
    seen: list[tuple[object, int]] = []

    class Watching(FakeProvider):
        async def _hand_over(self, sms: OutgoingSms) -> Accepted:
            await asyncio.sleep(0.05)
            open_now = await owner.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tests' AND xact_start IS NOT NULL"
            )
            seen.append((open_now, parts.pool.get_size() - parts.pool.get_idle_size()))
            return await super()._hand_over(sms)

    [message] = await waiting_messages(parts)
    await deliver(parts, by_sms(Watching()), message)
    assert seen == [(0, 0)]


# Refusals


async def test_a_message_that_every_try_fails_for_is_given_up_visibly_and_stays_so(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(refusals=[refusal(Reason.UNREACHABLE)] * ATTEMPTS)
    waits: list[float] = []
    for _ in range(ATTEMPTS):
        again = await deliver(parts, by_sms(provider), message)
        if again is not None:
            waits.append(again.total_seconds())
            clock.advance(again)
    assert len(waits) == ATTEMPTS - 1
    assert waits[0] < 4 <= waits[1] < 8 <= waits[2]
    assert max(waits) <= 2700
    assert await state_of(owner, message) == ("abandoned", ATTEMPTS, "unreachable")
    assert await deliver(parts, by_sms(provider), message) is None
    assert provider.taken == []


async def test_what_certainly_did_not_go_goes_by_the_next_provider_at_once(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    first = FakeProvider(refusals=[refusal(Reason.PROVIDER_AWAY)])
    second = FakeProvider(name="second")
    assert await deliver(parts, by_sms(first, second), message) is None
    assert await tries_of(owner, message) == [("first", "refused", "provider_away"), ("second", "accepted", None)]
    assert (first.texts, second.texts) == ([], [TEXT])


@pytest.mark.parametrize("reason", [Reason.BAD_ADDRESS, Reason.CONTENT_REFUSED])
async def test_what_no_provider_would_take_is_given_up_at_once(
    parts: Parts, owner: asyncpg.Connection, reason: Reason
) -> None:
    [message] = await waiting_messages(parts)
    first, second = FakeProvider(refusals=[refusal(reason)]), FakeProvider(name="second")
    assert await deliver(parts, by_sms(first, second), message) is None
    assert await state_of(owner, message) == ("abandoned", 1, reason.value)
    assert second.calls == 0
    assert await failures_of(owner) == 0


@pytest.mark.parametrize(
    ("phone", "reason"), [("0771-5812345", "landline"), ("12345", "bad_address"), (" ", "no_address")]
)
async def test_a_number_that_can_receive_no_sms_is_told_clearly_and_no_provider_is_asked(
    parts: Parts, owner: asyncpg.Connection, phone: str, reason: str
) -> None:
    [message] = await waiting_messages(parts, phone=phone)
    provider = FakeProvider()
    assert await deliver(parts, by_sms(provider), message) is None
    assert await state_of(owner, message) == ("abandoned", 0, reason)
    assert provider.calls == 0


async def test_a_number_is_dialled_as_providers_take_it_however_it_was_typed(parts: Parts) -> None:
    [message] = await waiting_messages(parts, phone="+86 138-7715 0001")
    provider = FakeProvider()
    await deliver(parts, by_sms(provider), message)
    assert provider.numbers == [OFFICER_PHONE]


async def test_nobody_is_there_for_leads_but_the_app(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts, recipient=Recipient.DEPARTMENT_LEADS, recipient_id=uuid4())
    await deliver(parts, by_sms(FakeProvider()), message)
    assert await state_of(owner, message) == ("abandoned", 0, "no_address")


async def test_values_that_do_not_fill_the_template_are_told_and_not_sent(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts, parameters={})
    provider = FakeProvider()
    await deliver(parts, by_sms(provider), message)
    assert await state_of(owner, message) == ("abandoned", 0, "template_mismatch")
    assert provider.calls == 0


async def test_a_driver_that_breaks_its_promise_leaves_the_try_open(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts)
    await deliver(parts, by_sms(FakeProvider(refusals=[ValueError("no such field")])), message)
    assert await state_of(owner, message) == ("sending", 1, None)
    assert await tries_of(owner, message) == [("first", "open", "malformed_answer")]


async def test_a_defect_of_ours_costs_a_try_and_is_told_instead_of_coming_again_at_once_for_ever(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    await owner.execute("UPDATE officer SET phone_sealed = $1", bytes(40))
    for number in range(1, ATTEMPTS):
        assert await deliver(parts, by_sms(FakeProvider()), message) == timedelta(minutes=5)
        assert (await state_of(owner, message))[:2] == ("waiting", number)
    await deliver(parts, by_sms(FakeProvider()), message)
    assert await state_of(owner, message) == ("abandoned", ATTEMPTS, "defect")
    assert "defect" in str(await owner.fetchval("SELECT last_error FROM message"))


async def test_a_lookup_that_breaks_tells_nothing_and_holds_up_no_other(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    broken, whole = await waiting_messages(parts, 2)

    class Breaking(FakeProvider):
        async def _find(self, reference: UUID, number: str, sent_on: date) -> Found:
            await super()._find(reference, number, sent_on)
            if len(self.asked) == 1:
                raise ValueError("no such field")
            return Found.UNKNOWN_THERE

    provider = Breaking(refusals=[refusal(Reason.NO_ANSWER)] * 2)
    for message in (broken, whole):
        await deliver(parts, by_sms(provider), message)
    assert await settled(parts, provider) == 1
    assert sorted([(await state_of(owner, each))[0] for each in (broken, whole)]) == ["sending", "waiting"]


# Terms


async def test_what_has_outlived_its_purpose_is_not_sent(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    [message] = await waiting_messages(parts)
    clock.advance(timedelta(days=3, seconds=1))
    provider = FakeProvider()
    assert await deliver(parts, by_sms(provider), message) is None
    assert await state_of(owner, message) == ("abandoned", 0, "outdated")
    assert provider.calls == 0


async def test_a_reminder_waits_for_the_morning_and_a_notice_does_not(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    clock.now = NIGHT
    [reminder] = await waiting_messages(parts, purpose=Purpose.REMINDER)
    [notice] = await waiting_messages(parts)
    provider = FakeProvider()
    assert await deliver(parts, by_sms(provider), reminder) == MORNING - NIGHT
    assert await deliver(parts, by_sms(provider), notice) is None
    assert len(provider.taken) == 1
    clock.now = MORNING - SECOND
    assert await deliver(parts, by_sms(provider), reminder) == SECOND
    clock.now = MORNING
    assert await deliver(parts, by_sms(provider), reminder) is None
    assert await state_of(owner, reminder) == ("sent", 1, None)


async def test_who_stands_at_the_door_is_told_of_at_night_and_to_who_opted_out_but_not_an_hour_later(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    clock.now = NIGHT
    await opt_out(parts, owner)
    at_the_door: dict[str, Any] = {
        "template": "arrival",
        "purpose": current("arrival").purpose,
        "parameters": {"department": "南宁市监", "officers": "2", "notice": "", "hotline": ""},
    }
    [soon, late] = await waiting_messages(parts, 2, **at_the_door)
    provider = FakeProvider()
    clock.advance(timedelta(minutes=59))
    assert await deliver(parts, by_sms(provider), soon) is None
    clock.advance(timedelta(minutes=2))
    assert await deliver(parts, by_sms(provider), late) is None
    assert provider.texts == ["【南宁市监】2名执法人员已到你单位检查。请扫执法人员码核验；不亮证可拒绝检查。"]
    assert await state_of(owner, late) == ("abandoned", 0, "outdated")
    # Put back it is no truer than before.
    await retry_given_up(parts, Wanted(message_id=late), lambda _: None)
    assert await deliver(parts, by_sms(provider), late) is None
    assert await state_of(owner, late) == ("abandoned", 0, "outdated")


async def opt_out(parts: Parts, owner: asyncpg.Connection) -> None:
    """The officer to whom test messages go wants none but those that must be."""
    await owner.execute(
        "INSERT INTO address_block (id, channel, address_index, address_masked, kind, set_at) "
        "VALUES (gen_random_uuid(), 'sms', $1, '138****0001', 'opted_out', now())",
        parts.vault.blind_index(ADDRESS_LABELS[Channel.SMS], OFFICER_PHONE),
    )


async def test_a_phone_is_not_flooded_but_every_legal_notice_reaches_it(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    provider = FakeProvider()
    for message in await waiting_messages(parts, 8, purpose=Purpose.VERIFICATION):
        await deliver(parts, by_sms(provider), message)
    assert len(provider.taken) == 6
    assert await owner.fetchval("SELECT count(*) FROM message WHERE reason = 'capped'") == 2
    for message in await waiting_messages(parts, 40):
        assert await deliver(parts, by_sms(provider), message) is None
    assert len(provider.taken) == 46


async def test_who_opted_out_gets_no_reminder_but_every_legal_notice(parts: Parts, owner: asyncpg.Connection) -> None:
    await opt_out(parts, owner)
    [reminder] = await waiting_messages(parts, purpose=Purpose.REMINDER)
    [notice] = await waiting_messages(parts)
    provider = FakeProvider()
    for message in (reminder, notice):
        assert await deliver(parts, by_sms(provider), message) is None
    assert await state_of(owner, reminder) == ("abandoned", 0, "opted_out")
    assert await state_of(owner, notice) == ("sent", 1, None)


async def test_a_code_is_opened_only_when_it_is_sent(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    verification = uuid4()
    await owner.execute(
        "INSERT INTO phone_verification (id, phone_sealed, phone_index, code_sealed, requested_at, expires_at, tries) "
        "VALUES ($1, $2, $3, $4, $5, $6, 0)",
        verification,
        parts.vault.seal(VISITOR_LABEL, "13877155555"),
        bytes(32),
        parts.vault.seal(CODE_LABEL, "493027"),
        clock.now,
        clock.now + timedelta(minutes=5),
    )
    [message] = await waiting_messages(
        parts,
        template="phone_code",
        recipient=Recipient.PHONE_VERIFICATION,
        recipient_id=verification,
        parameters={"minutes": "5"},
        purpose=Purpose.VERIFICATION,
    )
    provider = FakeProvider()
    await deliver(parts, by_sms(provider), message)
    assert provider.numbers == ["13877155555"]
    assert "493027" in provider.texts[0]
    assert "493027" not in await everything_kept(owner)


# Nobody knows


async def test_a_lost_answer_is_not_followed_by_another_provider(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts)
    first = FakeProvider(refusals=[refusal(Reason.NO_ANSWER)], takes_first=True)
    second = FakeProvider(name="second")
    assert await deliver(parts, by_sms(first, second), message) is None
    assert await tries_of(owner, message) == [("first", "open", "no_answer")]
    assert await state_of(owner, message) == ("sending", 1, None)
    assert second.calls == 0


async def test_what_the_provider_says_it_has_counts_as_sent(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(refusals=[refusal(Reason.NO_ANSWER)], takes_first=True, found=Found.TAKEN)
    await deliver(parts, by_sms(provider), message)
    assert await settled(parts, provider) == 1
    assert provider.asked == [provider.taken[0].reference]
    assert await state_of(owner, message) == ("sent", 1, None)


async def settled(parts: Parts, provider: FakeProvider, after: timedelta = SECOND) -> int:
    """What is settled `after` that time."""
    later = parts.clock() + after
    return await settle_open(msgspec.structs.replace(parts, clock=lambda: later), by_sms(provider))


async def test_what_the_provider_says_it_has_not_is_sent_again(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(refusals=[refusal(Reason.NO_ANSWER)], found=Found.UNKNOWN_THERE)
    await deliver(parts, by_sms(provider), message)
    assert await settled(parts, provider) == 1
    assert (await state_of(owner, message))[0] == "waiting"
    await deliver(parts, by_sms(provider), message)
    assert len(provider.taken) == 1
    assert await tries_of(owner, message) == [("first", "refused", "no_answer"), ("first", "accepted", None)]


async def test_where_nobody_can_tell_a_receipt_is_waited_for_and_then_it_goes_again_and_counts_as_unknown(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(refusals=[refusal(Reason.NO_ANSWER)], takes_first=True)
    await deliver(parts, by_sms(provider), message)
    assert await settled(parts, provider) == 0
    assert await settled(parts, provider, SETTLE_AFTER - SECOND) == 0
    assert (await state_of(owner, message))[0] == "sending"
    assert await settled(parts, provider, SETTLE_AFTER + SECOND) == 1
    assert (await state_of(owner, message))[0] == "waiting"
    await deliver(parts, by_sms(provider), message)
    assert await tries_of(owner, message) == [("first", "unknown", "no_answer"), ("first", "accepted", None)]
    assert len(provider.taken) == 2  # the one window in which a message may arrive twice


async def test_a_worker_that_dies_while_it_sends_leaves_a_try_that_is_settled_when_its_lease_is_over(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(seconds=30, found=Found.UNKNOWN_THERE)
    dying = asyncio.create_task(deliver(parts, by_sms(provider), message))
    async with asyncio.timeout(5):
        while not provider.calls:
            await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.wait({dying})
    assert (await state_of(owner, message))[0] == "sending"
    assert await settled(parts, provider, lease(Channel.SMS) - SECOND) == 0
    assert await settled(parts, provider, lease(Channel.SMS) + SECOND) == 1
    provider.seconds = 0
    await deliver(parts, by_sms(provider), message)
    assert len(provider.taken) == 1
    assert await state_of(owner, message) == ("sent", 2, None)


async def test_an_answer_that_comes_after_the_try_was_written_off_still_spares_the_second_one(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts)

    class Slow(FakeProvider):
        async def _hand_over(self, sms: OutgoingSms) -> Accepted:
            assert await settled(parts, self, SETTLE_AFTER + SECOND) == 1
            assert (await state_of(owner, message))[0] == "waiting"
            return await super()._hand_over(sms)

    provider = Slow()
    await deliver(parts, by_sms(provider), message)
    assert await state_of(owner, message) == ("sent", 1, None)
    await deliver(parts, by_sms(provider), message)
    assert len(provider.taken) == 1


async def test_what_nobody_can_ever_tell_is_given_up_after_as_many_tries_as_anything_else(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    [message] = await waiting_messages(parts)
    provider = FakeProvider(refusals=[refusal(Reason.NO_ANSWER)] * ATTEMPTS)
    for _ in range(200):
        await deliver(parts, by_sms(provider), message)
        clock.advance(SETTLE_AFTER * 11)
        await settle_open(parts, by_sms(provider))
        if (await state_of(owner, message))[0] == "abandoned":
            break
    assert await state_of(owner, message) == ("abandoned", ATTEMPTS, "no_answer")


# Providers


async def test_messages_go_no_faster_than_the_provider_takes_them_whoever_sends_them(parts: Parts) -> None:
    provider = FakeProvider()
    real = msgspec.structs.replace(parts, clock=lambda: datetime.now(UTC))
    messages = await waiting_messages(real, 11)
    senders = [by_sms(provider, per_second=20) for _ in range(3)]
    loop = asyncio.get_running_loop()
    begun = loop.time()
    again = await asyncio.gather(*(deliver(real, senders[n % 3], each) for n, each in enumerate(messages)))
    assert loop.time() - begun >= 0.5
    assert again == [None] * 11
    assert len(provider.taken) == 11


async def test_who_would_have_to_wait_long_for_a_turn_comes_again_and_costs_no_try(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    provider = FakeProvider()
    senders = by_sms(provider, per_second=0.1)
    first, second = await waiting_messages(parts, 2)
    assert await deliver(parts, senders, first) is None
    again = await deliver(parts, senders, second)
    assert again is not None
    assert timedelta(seconds=9) < again <= timedelta(seconds=20)
    assert await state_of(owner, second) == ("waiting", 0, None)


async def test_a_provider_that_throttles_gets_its_pause_from_everybody(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    first, second = await waiting_messages(parts, 2)
    provider = FakeProvider(refusals=[refusal(Reason.THROTTLED, retry_after=30)])
    await deliver(parts, by_sms(provider), first)
    again = await deliver(parts, by_sms(provider), second)
    assert again is not None
    assert again >= timedelta(seconds=29)
    assert provider.calls == 1
    assert await failures_of(owner) == 0
    clock.advance(timedelta(seconds=31))
    assert await deliver(parts, by_sms(provider), second) is None


async def test_many_calls_that_fail_at_once_close_a_provider_no_longer_than_one_absence(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    messages = await waiting_messages(parts, FAILURES + 6)
    provider = FakeProvider(refusals=[refusal(Reason.PROVIDER_AWAY)] * len(messages), seconds=0.3)
    again = await asyncio.gather(*(deliver(parts, by_sms(provider), message) for message in messages))
    assert None not in again
    assert provider.calls > FAILURES
    assert await failures_of(owner) == FAILURES
    closed_until = await owner.fetchval("SELECT closed_until FROM message_provider")
    assert closed_until == clock.now + timedelta(seconds=10)
    clock.advance(timedelta(seconds=11))
    assert await deliver(parts, by_sms(FakeProvider()), messages[0]) is None
    assert await failures_of(owner) == 0


async def test_a_provider_that_keeps_failing_is_left_alone_and_then_asked_by_one(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    messages = await waiting_messages(parts, FAILURES + 4)
    provider = FakeProvider(refusals=[refusal(Reason.PROVIDER_AWAY)] * (FAILURES + 1))
    senders = by_sms(provider)
    for message in messages:
        assert await deliver(parts, senders, message) is not None
    assert provider.calls == FAILURES
    clock.advance(timedelta(seconds=11))
    await asyncio.gather(*(deliver(parts, senders, message) for message in messages))
    assert provider.calls == FAILURES + 1
    closed_until = await owner.fetchval("SELECT closed_until FROM message_provider")
    assert closed_until == clock.now + timedelta(seconds=20)
    clock.advance(timedelta(seconds=21))
    assert await deliver(parts, senders, messages[0]) is None
    assert await failures_of(owner) == 0
    for message in messages[1:]:
        assert await deliver(parts, senders, message) is None
    assert len(provider.taken) == len(messages)


async def test_a_provider_that_goes_on_failing_is_asked_each_minute(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    messages = await waiting_messages(parts, FAILURES + 5)
    senders = by_sms(FakeProvider(refusals=[refusal(Reason.PROVIDER_AWAY)] * len(messages)))
    pauses: list[timedelta] = []
    for message in messages:
        assert await deliver(parts, senders, message) is not None
        closed_until = await owner.fetchval("SELECT closed_until FROM message_provider")
        if closed_until is not None:
            pauses.append(closed_until - clock.now)
            clock.advance(pauses[-1] + timedelta(seconds=1))
    assert [pause.total_seconds() for pause in pauses] == [10, 20, 40, 60, 60, 60]


async def test_one_that_is_not_paid_is_closed_at_once_and_the_next_one_stands_in(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    messages = await waiting_messages(parts, 3)
    first = FakeProvider(refusals=[refusal(Reason.NO_CREDIT)])
    second = FakeProvider(name="second")
    for message in messages:
        assert await deliver(parts, by_sms(first, second), message) is None
    assert (first.calls, len(second.taken)) == (1, 3)
    assert await failures_of(owner) == FAILURES


# The file of an installation without providers


async def test_without_a_provider_messages_go_into_a_file_by_day_and_by_night_even_to_landlines(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock, tmp_path: Path
) -> None:
    clock.now = NIGHT
    console = Console(tmp_path / "var" / "messages.jsonl")
    messages = [
        *await waiting_messages(parts, purpose=Purpose.REMINDER),
        *await waiting_messages(parts, phone="0771-5812345"),
    ]
    for message in messages:
        assert await deliver(parts, Senders(console=console), message) is None
        assert await state_of(owner, message) == ("delivered", 1, None)
    lines = [msgspec.json.decode(line) for line in console.path.read_bytes().splitlines()]
    assert [(line["id"], line["channel"], line["text"]) for line in lines] == [
        (str(message), "sms", TEXT) for message in messages
    ]
    assert OFFICER_PHONE not in console.path.read_text("utf-8")


async def test_after_a_crash_the_file_itself_tells_whether_a_message_stands_in_it(
    parts: Parts, owner: asyncpg.Connection, tmp_path: Path, clock: FixedClock
) -> None:
    console = Console(tmp_path / "messages.jsonl")
    written, lost = await waiting_messages(parts, 2)

    class Dying(Console):
        async def write(self, message: StoredMessage, text: str) -> None:
            if message.id == written:
                await super().write(message, text)
            raise Refused(Reason.NO_ANSWER)

    for message in (written, lost):
        await deliver(parts, Senders(console=Dying(console.path)), message)
    clock.advance(SECOND)
    assert await settle_open(parts, Senders(console=console)) == 2
    assert (await state_of(owner, written))[0] == "delivered"
    assert (await state_of(owner, lost))[0] == "waiting"


async def test_a_message_in_the_app_has_arrived_when_it_is_written(parts: Parts, owner: asyncpg.Connection) -> None:
    [message] = await waiting_messages(parts, channel=Channel.IN_APP)
    assert await state_of(owner, message) == ("delivered", 0, None)
    assert await deliver(parts, by_sms(FakeProvider()), message) is None


async def test_one_that_was_written_before_this_was_so_arrives_by_its_job(
    parts: Parts, owner: asyncpg.Connection
) -> None:
    [message] = await waiting_messages(parts, channel=Channel.IN_APP)
    await owner.execute("UPDATE message SET state = 'waiting', delivered_at = NULL")
    assert await deliver(parts, by_sms(FakeProvider()), message) is None
    assert await state_of(owner, message) == ("delivered", 0, None)


# Putting back


async def test_what_was_given_up_is_listed_and_put_back_page_by_page_each_with_its_trace(
    parts: Parts, owner: asyncpg.Connection, clock: FixedClock
) -> None:
    messages = await waiting_messages(parts, 450)
    clock.advance(timedelta(days=4))
    for message in messages:
        await deliver(parts, by_sms(FakeProvider()), message)
    listed = await list_given_up(parts, Wanted(reason=Reason.OUTDATED), 500)
    assert sorted(each.id for each in listed) == sorted(messages)
    assert await retry_given_up(parts, Wanted(template="phone_code"), lambda _count: None) == 0
    told: list[int] = []
    assert await retry_given_up(parts, Wanted(reason=Reason.OUTDATED), told.append) == 450
    assert told == [200, 400, 450]
    assert await owner.fetchval("SELECT count(*) FROM trace WHERE action = 'message.put_back'") == 450
    provider = FakeProvider()
    assert await deliver(parts, by_sms(provider), messages[0]) is None  # its term begins anew
    assert await state_of(owner, messages[0]) == ("sent", 1, None)


async def test_one_message_may_be_put_back_alone_and_keeps_its_tries(parts: Parts, owner: asyncpg.Connection) -> None:
    one, other = await waiting_messages(parts, 2)
    provider = FakeProvider(refusals=[refusal(Reason.BAD_ADDRESS)] * 2)
    for message in (one, other):
        await deliver(parts, by_sms(provider), message)
    assert await retry_given_up(parts, Wanted(message_id=one), lambda _count: None) == 1
    assert await deliver(parts, by_sms(provider), one) is None
    assert await tries_of(owner, one) == [("first", "refused", "bad_address"), ("first", "accepted", None)]
    assert (await state_of(owner, other))[0] == "abandoned"


# Many


async def test_statements_stay_short_among_many_messages(parts: Parts, owner: asyncpg.Connection) -> None:
    await waiting_messages(parts)
    await owner.execute(
        "INSERT INTO message (id, trace_id, template, channel, recipient, recipient_id, parameters, state, created_at, "
        "purpose, reason) SELECT gen_random_uuid(), gen_random_uuid(), 'hazard_overdue', 'sms', 'officer', "
        "gen_random_uuid(), '{}', CASE WHEN n % 100 = 0 THEN 'abandoned' ELSE 'delivered' END, now(), 'reminder', "
        "CASE WHEN n % 100 = 0 THEN 'capped' END FROM generate_series(1, 20000) n"
    )
    await owner.execute(
        "INSERT INTO message_attempt (id, message_id, number, channel, provider, state, started_at, lease_until, "
        "provider_reference, address_index) SELECT gen_random_uuid(), id, 1, 'sms', 'first', 'accepted', now(), now(), "
        "id::text, uuid_send(id) FROM message"
    )
    await owner.execute("ANALYZE message; ANALYZE message_attempt; ANALYZE address_block")
    index = parts.vault.blind_index(ADDRESS_LABELS[Channel.SMS], OFFICER_PHONE)
    now = parts.clock()
    given: dict[sa.Executable, dict[str, object]] = {
        attempts.STANDING_OF_ADDRESS: {
            "address_index": index,
            "channel": "sms",
            "purpose": "reminder",
            "message_id": uuid4(),
            "hour_ago": now,
            "day_ago": now,
        },
        attempts.OPEN_TRIES: {"now": now, "limit": 100},
        attempts.KNOWN_TRIES: {"attempts": [uuid4()], "providers": ["first"], "references": ["x"]},
        outbox.LIST_GIVEN_UP: Wanted().arguments(UUID(int=0), 100),
    }
    for statement, arguments in given.items():
        command = Command(statement)
        lines = await owner.fetch(f"EXPLAIN (COSTS OFF) {command.text}", *command.arguments(arguments))
        plan = "\n".join(line[0] for line in lines)
        assert "Seq Scan on message" not in plan, plan
